"""Lines of a log with secrets in them, in the forms that programs write them."""

import base64
import random
import re
import string
from collections.abc import Callable

SEED = 20261121
SIGNS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
LETTERS = string.ascii_letters + string.digits


def _text(dice: random.Random, length: int, signs: str = LETTERS) -> str:
    return "a1" + "".join(dice.choices(signs, k=length - 2))


def _code(dice: random.Random, groups: int) -> str:
    return "-".join("".join(dice.choices(SIGNS, k=4)) for _ in range(groups))


def _pem(dice: random.Random) -> str:
    return "\n".join(_text(dice, 64) for _ in range(4))


PARTS = re.compile(r"[\s+]|%20")
"""Between the words of a secret; none of them may be left."""

PUBLIC_ADDRESS = re.compile(r"\d{3}\.\d{1,3}")
"""The second half of one, behind 203.0."""

Plant = Callable[[random.Random], tuple[str, str]]
"""Returns a line of a log, and the secret in it."""


def _planted(line: str, make: Callable[[random.Random], str]) -> Plant:
    def plant(dice: random.Random) -> tuple[str, str]:
        secret = make(dice)
        return line.replace("@@", secret), secret

    return plant


PLANTS: tuple[Plant, ...] = (
    _planted("smtp password=@@ host=mail.example", lambda d: _text(d, 9)),
    _planted('{"api_key": "@@", "model": "small"}', lambda d: _text(d, 12)),
    _planted("Authorization: Bearer @@", lambda d: _text(d, 20)),
    _planted("authorization: Basic @@", lambda d: base64.b64encode(_text(d, 12).encode()).decode()),
    _planted("GET https://ana:@@@nas.local/backup", lambda d: _text(d, 10)),
    _planted("used key alr_@@", lambda d: _text(d, 43)),
    _planted("provider said sk-@@ is wrong", lambda d: _text(d, 32)),
    _planted("ghp_@@", lambda d: _text(d, 36)),
    _planted("claim code @@ shown", lambda d: _code(d, 2)),
    _planted("recovery @@", lambda d: _code(d, 5)),
    _planted("to @@@example.org refused", lambda d: _text(d, 8).lower()),
    _planted("https://hooks.slack.com/services/T1/B2/@@", lambda d: _text(d, 24)),
    _planted("https://discord.com/api/webhooks/123/@@", lambda d: _text(d, 30)),
    _planted("POST https://ntfy.sh/@@", lambda d: _text(d, 10)),
    _planted("opened /join/@@", lambda d: _text(d, 43)),
    _planted("-----BEGIN PRIVATE KEY-----\n@@\n-----END PRIVATE KEY-----", _pem),
    _planted("$argon2id$v=19$m=65536,t=3,p=4$@@", lambda d: _text(d, 30)),
    _planted("Cookie: allerac_session=@@; theme=dark", lambda d: _text(d, 30)),
    _planted("token eyJhbGciOiJFZERTQSJ9.@@.sig", lambda d: _text(d, 40)),
    _planted("wifi psk='@@' ssid=home", lambda d: _text(d, 14)),
    _planted("digest @@ computed", lambda d: "".join(d.choices("0123456789abcdef", k=64))),
    _planted('{"password": "it\\"s @@", "host": "nas"}', lambda d: _text(d, 12)),
    _planted("password=b'@@'", lambda d: f"{_text(d, 6)} {_text(d, 6)}"),
    _planted("smtp_password=@@ host=mail", lambda d: f"{_text(d, 7)} {_text(d, 7)}"),
    _planted("passphrase: three @@", lambda d: f"{_text(d, 5)} {_text(d, 5)}"),
    _planted("started mount --password @@", lambda d: _text(d, 8)),
    _planted("pwd=@@;server=nas", lambda d: _text(d, 8)),
    _planted("password=[@@]", lambda d: _text(d, 8)),
    _planted(
        "device (wlp2s0): Activation: (wifi) connection '@@' has security", lambda d: _text(d, 9)
    ),
    _planted("Config: added 'ssid' value, access point \"@@\"", lambda d: _text(d, 9)),
    _planted(
        'upstream closed, request: "GET /api/v1/conversations?query=@@ HTTP/1.1"',
        lambda d: f"{_text(d, 7)}+{_text(d, 7)}%20{_text(d, 4)}",
    ),
    _planted(
        'upstream: "http://unix:/run/x.sock:/api/v1/knowledge/files?name=@@"', lambda d: _text(d, 9)
    ),
    _planted("came from 203.0.@@", lambda d: f"{d.randint(114, 200)}.{d.randint(2, 250)}"),
    _planted("link aa:bb:@@ up", lambda d: ":".join(f"{d.randint(16, 255):02x}" for _ in range(4))),
)


def parts_of(secret: str, told: str) -> list[str]:
    """Return the words of `secret` that are left in `told`; an address has only its beginning."""
    if PUBLIC_ADDRESS.fullmatch(secret):
        return [secret] if f"203.0.{secret}" in told else []
    return [part for part in PARTS.split(secret) if len(part) > 2 and part in told]
