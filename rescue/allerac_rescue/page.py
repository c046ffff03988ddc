"""The pages as HTML: one document, no script, every value escaped."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from allerac_rescue.acts import ACTS, Act, Result
from allerac_rescue.facts import Facts, Space, State
from allerac_rescue.words import Words

STYLE = Path(__file__).with_name("style.css")

REFRESH = '<meta http-equiv="refresh" content="{seconds}">'


def document(words: Words, body: str, refresh: str = "") -> bytes:
    """Return a whole page."""
    return (
        f'<!doctype html><html lang="{words.language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="color-scheme" content="light dark">{refresh}'
        f"<title>{escape(words('title'))}</title>"
        '<link rel="stylesheet" href="/rescue/style.css"></head>'
        f"<body><main>{body}</main></body></html>"
    ).encode()


def waking_page(words: Words) -> bytes:
    """Return the page that asks again by itself until the runtime answers."""
    more = f'<p><a href="/rescue/">{escape(words("details"))}</a></p>'
    facts = Facts(State.WAKING, (), None)
    return document(words, headline(words, facts) + more, REFRESH.format(seconds=3))


def state_page(words: Words, facts: Facts, form: str) -> bytes:
    """Return the first page: how the box is; `form` is what a person may do about it."""
    return document(words, headline(words, facts) + form)


def headline(words: Words, facts: Facts) -> str:
    """Return the lamp, one sentence and what stands in the way."""
    lamp = {State.WELL: "well", State.WAKING: "working"}.get(facts.state, facts.state.value)
    findings = "".join(f"<li>{escape(words(f'finding.{name}'))}</li>" for name in facts.findings)
    go = f'<p><a class="go" href="/">{escape(words("to_allerac"))}</a></p>'
    return (
        f'<header><span class="lamp" data-state="{lamp}" aria-hidden="true"></span>'
        f"<h1>{escape(words(f'state.{facts.state.value}'))}</h1></header>"
        f"<p>{escape(words(f'about.{facts.state.value}'))}</p>"
        + (f'<ul class="findings">{findings}</ul>' if findings else "")
        + (go if facts.state in {State.WELL, State.NOTICE} else "")
    )


def code_form(words: Words, complaint: str = "", has_lock: bool = True) -> str:
    """Return the form that asks for a code."""
    if not has_lock:
        return f"<section><p>{escape(words('open.no_code'))}</p></section>"
    alert = f'<p class="alert" role="alert">{escape(complaint)}</p>' if complaint else ""
    invalid = ' aria-invalid="true"' if complaint else ""
    return (
        f"<section><h2>{escape(words('open.title'))}</h2><p>{escape(words('open.text'))}</p>"
        f'<form method="post" action="/rescue/open">{alert}'
        f'<label for="code">{escape(words("open.label"))}</label>'
        '<input id="code" name="code" autocomplete="off" autocapitalize="characters" '
        f'spellcheck="false" maxlength="64" required{invalid}>'
        f"<button>{escape(words('open.go'))}</button></form></section>"
    )


def tools_page(words: Words, facts: Facts, found: Result | None, log: str) -> bytes:
    """Return what someone with a code sees; `found` is None while the disk is looked at."""
    refresh = REFRESH.format(seconds=2) if found is None else ""
    offered = [act for act in ACTS.values() if act.on_page and _helps(act, facts, found or {})]
    acts = "".join(_act_card(words, act) for act in offered)
    body = (
        headline(words, facts)
        + _space(words, facts.space, found)
        + _failed(words, (found or {}).get("failed", []))
        + f'<section><h2>{escape(words("acts.title"))}</h2><div class="acts">{acts}</div></section>'
        + f"<section><h2>{escape(words('log.title'))}</h2>"
        + f'<pre tabindex="0">{escape(log or words("log.none"))}</pre></section>'
        + '<form method="post" action="/rescue/close">'
        + f'<button class="quiet">{escape(words("close"))}</button></form>'
    )
    return document(words, body, refresh)


def _space(words: Words, space: Space | None, found: Result | None) -> str:
    title = f"<section><h2>{escape(words('space.title'))}</h2>"
    if space is None:
        return f"{title}<p>{escape(words('space.unknown'))}</p></section>"
    told = words("space.free", free=words.bytes(space.free), total=words.bytes(space.total))
    if found is None:
        wait = f'<p role="status">{escape(words("inspect.wait"))}</p>'
        return f"{title}<p>{escape(told)}</p>{wait}</section>"
    uses: Mapping[str, int] = found.get("uses", {})
    database = found.get("database", "ok")
    damage = (
        "" if database == "ok" else f'<p class="alert">{escape(words(f"database.{database}"))}</p>'
    )
    return f"{title}<p>{escape(told)}</p>{_bar(words, space, uses)}{damage}</section>"


def _bar(words: Words, space: Space, uses: Mapping[str, int]) -> str:
    """Return one bar with its parts, and the same as a list for who cannot see it."""
    shown = sorted(((size, name) for name, size in uses.items() if size), reverse=True)
    left, parts, items = 0.0, [], []
    for size, name in shown:
        width = 100 * size / max(space.total, 1)
        parts.append(f'<rect class="{name}" x="{left:.2f}" width="{width:.2f}" height="4"/>')
        left += width
        label = f"{escape(words(f'use.{name}'))} <b>{escape(words.bytes(size))}</b>"
        items.append(f'<li class="{name}">{label}</li>')
    frame = 'viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true"'
    svg = f"<svg {frame}>{''.join(parts)}</svg>"
    return f'<div class="bar">{svg}</div><ul class="legend">{"".join(items)}</ul>'


def _failed(words: Words, units: Sequence[str]) -> str:
    if not units:
        return ""
    listed = "".join(f"<li><code>{escape(unit)}</code></li>" for unit in units)
    return f"<section><h2>{escape(words('failed.title'))}</h2><ul>{listed}</ul></section>"


def _helps(act: Act, facts: Facts, found: Result) -> bool:
    if act.needs is not None and not found.get(act.needs, True):
        return False
    return act.helps is None or act.helps in facts.findings


def _act_card(words: Words, act: Act) -> str:
    name = escape(words(f"act.{act.name}"))
    danger = ' class="danger"' if act.name == "factory-reset" else ""
    return (
        f'<form method="post" action="/rescue/acts/{act.name}"><button{danger}>{name}</button>'
        f"<p>{escape(words(f'act.{act.name}.text'))}</p></form>"
    )


def confirm_page(words: Words, act: Act) -> bytes:
    """Return the question before an act that cannot be taken back at once."""
    name = words(f"act.{act.name}")
    word = words("act.word")
    typed = ""
    if act.name == "factory-reset":
        typed = (
            f'<label for="word">{escape(words("act.type", word=word))}</label>'
            f'<input id="word" name="word" pattern="{escape(word)}" autocomplete="off" required>'
        )
    danger = ' class="danger"' if typed else ""
    body = (
        f"<h1>{escape(words('act.sure'))}</h1><p>{escape(words(f'act.{act.name}.text'))}</p>"
        f'<form method="post" action="/rescue/acts/{act.name}">'
        f'<input type="hidden" name="sure" value="yes">{typed}'
        f"<button{danger}>{escape(words('act.yes', act=name))}</button></form>"
        f'<p><a href="/rescue/">{escape(words("act.no"))}</a></p>'
    )
    return document(words, body)


def result_page(words: Words, act: Act, told: Mapping[str, Any] | None) -> bytes:
    """Return how an act goes; None while it does."""
    title = f"<h1>{escape(words(f'act.{act.name}'))}</h1>"
    back = f'<p><a class="go" href="/rescue/">{escape(words("act.no"))}</a></p>'
    if told is None:
        lamp = '<span class="lamp" data-state="working" aria-hidden="true"></span>'
        running = f'<p role="status">{lamp} {escape(words("act.running"))}</p>'
        return document(words, title + running + back, REFRESH.format(seconds=2))
    if not told.get("ok"):
        error = f"<pre>{escape(str(told.get('error', '')))}</pre>"
        failed = f'<p class="alert" role="alert">{escape(words("act.failed"))}</p>'
        return document(words, title + failed + error + back)
    done = words("act.done")
    if "freed" in told:
        done = words("act.done.freed", freed=words.bytes(int(told["freed"])))
    return document(words, f'{title}<p role="status">{escape(done)}</p>{back}')
