"""Takes secrets and people out of text before anybody else sees it.

Rules err on the side of taking too much: a helper misses a word, an owner does not lose a secret.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Rule:
    """What is replaced, and by which word in brackets; a group `keep` stays in front of it."""

    word: str
    pattern: re.Pattern[str]


_SIGN = "[ABCDEFGHJKLMNPQRSTUVWXYZ23456789]"
_NAMED = (
    r"(?:pass(?:word|wd|phrase|code)?|pwd?|secret|token|api[-_ ]?key|access[-_ ]?key"
    r"|private[-_ ]?key|psk|pin|authorization|cookie|session|credentials?"
    r"|(?:claim|recovery|invite)[-_ ]?code|salt|hash)"
    r"(?:[-_](?:id|key|value|hash))?"
)
"""What a name ends with that stands before a secret; `tokens` and an exit `code` do not."""

_PHRASED = r"(?:pass(?:word|wd|phrase)?|pwd?)"
"""What a name ends with before a secret that may have several words."""

_QUOTED = r"[bru]{0,2}(?:\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*')"
"""As programs write it, with what is escaped in it."""

RULES: Final = (
    Rule(
        "private key",
        re.compile(r"-----BEGIN [A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|\Z)", re.DOTALL),
    ),
    Rule("hash", re.compile(r"\$argon2\w*\$\S+|\bscrypt\$\S+|\$[156y2][aby]?\$\S+")),
    Rule(
        "secret",
        re.compile(rf"(?P<keep>[\w.-]*{_NAMED}[\"']?\s*[:=]\s*){_QUOTED}", re.IGNORECASE),
    ),
    Rule(
        "secret",
        re.compile(
            rf"(?P<keep>[\w.-]*{_PHRASED}\s*[:=]\s*)(?!\[secret\])\S[^\n,;&}}]*?"
            r"(?=\s+[\w.-]+=|[\n,;&}]|\Z)",
            re.IGNORECASE,
        ),
    ),
    Rule(
        "secret",
        re.compile(
            rf"(?P<keep>[\w.-]*{_NAMED}[\"']?\s*[:=]\s*)(?!\[secret\])"
            r"(?:(?:bearer|basic|digest)\s+)?[^\s,;&}]+",
            re.IGNORECASE,
        ),
    ),
    Rule(
        "secret",
        re.compile(rf"(?P<keep>\s--?[\w-]*{_NAMED}\s+)(?:{_QUOTED}|[^\s-]\S*)", re.IGNORECASE),
    ),
    Rule("secret", re.compile(r"(?P<keep>\b(?:bearer|basic)\s+)[\w.~+/=-]{8,}", re.IGNORECASE)),
    Rule("secret", re.compile(r"(?P<keep>\b[a-z][a-z0-9+.-]*://)[^\s/@]+@", re.IGNORECASE)),
    Rule(
        "webhook",
        re.compile(
            r"https?://[\w.-]*(?:hooks\.slack\.com|discord(?:app)?\.com/api/webhooks|ntfy\.sh)\S*",
            re.IGNORECASE,
        ),
    ),
    Rule("query", re.compile(r"(?P<keep>\?)[\w.%\[\]-]+=[^\s\"'<>]*")),
    Rule(
        "network",
        re.compile(
            rf"(?P<keep>\b(?:ssid|connection|network|access point)\s*[:=]?\s*){_QUOTED}",
            re.IGNORECASE,
        ),
    ),
    Rule("invitation", re.compile(r"(?P<keep>/join/)[\w-]+")),
    Rule("token", re.compile(r"\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?")),
    Rule(
        "key",
        re.compile(
            r"\b(?:alr_|sk-|pk_|rk_|sk_|whsec_|gh[pousr]_|github_pat_|hf_|xox[abposr]-|AKIA|ASIA|AIza|glpat-)"
            r"[\w-]{8,}"
        ),
    ),
    Rule("e-mail", re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")),
    Rule("code", re.compile(rf"\b(?:{_SIGN}{{4}}-)+{_SIGN}{{4}}\b")),
    Rule("hardware address", re.compile(r"\b[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}\b", re.IGNORECASE)),
    Rule(
        "random text", re.compile(r"(?<![\w/+=-])(?=[\w+/=-]*\d)(?=[\w+/=-]*[A-Za-z])[\w+/=-]{40,}")
    ),
    Rule("random text", re.compile(r"\b[0-9a-fA-F]{32,}\b")),
)
"""In this order: what stands in brackets already is not looked at again by the later ones.

A request's query is what somebody searched for, or a document's name; nginx writes it beside what
went wrong. NetworkManager writes the names of networks in quotes.

Prefixes of keys as their issuers document them: GitHub, Hugging Face, Slack, Stripe, AWS, Google,
GitLab, OpenAI and our own.
"""

_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])")
_IPV6 = re.compile(r"(?<![\w:])(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}(?![\w:])")


class Redactor:
    """Applies the rules, and takes out `names`: people, the box, networks, each with its word."""

    def __init__(self, names: Iterable[tuple[str, str]] = ()) -> None:
        longest_first = sorted((n for n in names if len(n[0]) >= 2), key=lambda n: -len(n[0]))
        self._names = [
            (re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE), f"[{word}]")
            for name, word in longest_first
        ]

    def __call__(self, text: str) -> str:
        """Return `text` without what nobody else should see."""
        for rule in RULES:
            text = rule.pattern.sub(_replacement(rule.word), text)
        for pattern, word in self._names:
            text = pattern.sub(word, text)
        return _IPV6.sub(_public_address, _IPV4.sub(_public_address, text))


def _replacement(word: str) -> Callable[[re.Match[str]], str]:
    def replace(found: re.Match[str]) -> str:
        return f"{found.groupdict().get('keep') or ''}[{word}]"

    return replace


def _public_address(found: re.Match[str]) -> str:
    """Keep an address of the house, which says nothing outside of it."""
    try:
        address = ipaddress.ip_address(found.group())
    except ValueError:
        return found.group()
    return "[address]" if address.is_global else found.group()
