"""Finds the calls of tools in what a model writes, while it writes.

What looks like a call and turns out to be none is text again: nothing that was said is lost.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from allerac.engine.families import GEMMA_QUOTE, HARMONY_MARKS, Family
from allerac.engine.protocol import CallPart
from allerac.engine.text import overlap

Part = str | CallPart
_NAMED_JSON: Final = re.compile(
    r'[\s\[,;]*\{\s*"name"\s*:\s*"((?:[^"\\]|\\.)*)"\s*,\s*"(?:arguments|parameters)"\s*:\s*(?=\{)'
)
_CALL: Final = re.compile(r"\s*call:\s*([\w.-]+)\s*(?=\{)")
_RECIPIENT: Final = re.compile(r"to=(?:functions\.)?([\w.-]+)")
_TURNS: Final = HARMONY_MARKS - {"<|constrain|>"}
_BARE_KEY: Final = re.compile(r"([{,]\s*)([A-Za-z_][\w-]*)(\s*:)")


class CallReader(Protocol):
    """Takes the answer's text piece by piece and gives text and calls back."""

    def push(self, text: str) -> list[Part]:
        """What became certain by `text`."""

    def finish(self) -> list[Part]:
        """What was held back, once nothing follows."""


def reader_for(family: Family) -> CallReader:
    """Return what reads the calls of `family`."""
    return HarmonyReader() if family.form == "harmony" else MarkedReader(family)


class _Object:
    """Follows one JSON object to its end, through strings and brackets."""

    def __init__(self) -> None:
        self._depth = 0
        self._in_string = self._is_escaped = False

    def take(self, text: str) -> int | None:
        """Return where the object ends in `text`, None while it goes on."""
        for at, sign in enumerate(text):
            if self._in_string:
                self._follow_string(sign)
            elif sign == '"':
                self._in_string = True
            elif sign in "{[":
                self._depth += 1
            elif sign in "}]":
                self._depth -= 1
                if self._depth <= 0:
                    return at + 1
        return None

    def _follow_string(self, sign: str) -> None:
        if self._is_escaped:
            self._is_escaped = False
        elif sign == "\\":
            self._is_escaped = True
        elif sign == '"':
            self._in_string = False


class MarkedReader:
    """Calls between marks, or an answer that is a call as a whole."""

    def __init__(self, family: Family) -> None:
        self._family = family
        self._held = ""
        self._state: Callable[[], Iterator[Part]] = self._text
        self._object = _Object()
        self._opened = ""
        self._calls = self._calls_inside = 0
        self._has_text = False
        self._is_behind_call = False

    def push(self, text: str) -> list[Part]:
        self._held += text
        return list(self._read())

    def finish(self) -> list[Part]:
        parts = list(self._read())
        rest, self._held = self._held, ""
        if self._state == self._inside:
            parts += self._unclosed(rest)
        elif self._state == self._text and rest:
            parts.append(rest)
        return parts

    def _read(self) -> Iterator[Part]:
        while True:
            state, length = self._state, len(self._held)
            yield from state()
            if self._state == state and len(self._held) == length:
                return

    def _text(self) -> Iterator[Part]:
        if self._is_behind_call:
            self._held = self._held.lstrip()
        if self._family.bare and not self._has_text and self._begins_with_object():
            self._open("", len(self._held) - len(self._held.lstrip()))
            return
        found = [(at, o) for o in self._family.opening if (at := self._held.find(o)) >= 0]
        if found:
            at, opening = min(found)
            if text := self._held[:at].rstrip():
                yield from self._said(text)
            self._open(opening, at + len(opening))
            return
        if self._family.bare and not self._has_text and not self._held.strip():
            return
        keep = max((overlap(self._held, opening) for opening in self._family.opening), default=0)
        text, self._held = (
            self._held[: len(self._held) - keep],
            self._held[len(self._held) - keep :],
        )
        if text:
            yield from self._said(text)

    def _begins_with_object(self) -> bool:
        return self._held.lstrip().startswith("{")

    def _said(self, text: str) -> Iterator[Part]:
        self._has_text, self._is_behind_call = True, False
        yield text

    def _open(self, opening: str, length: int) -> None:
        self._opened, self._held = opening, self._held[length:]
        self._calls_inside = 0
        self._state = self._inside

    def _inside(self) -> Iterator[Part]:
        """Between the marks: wait for a name."""
        pattern = _CALL if self._family.form == "named" else _NAMED_JSON
        found = pattern.match(self._held)
        if found and self._family.form == "json":
            self._held = self._held[found.end() :]
            self._object = _Object()
            self._state = self._arguments
            yield CallPart(self._calls, _unescaped(found.group(1)), "")
            return
        closing = self._family.closing
        at = self._held.find(closing) if closing else -1
        if at >= 0:
            inside, self._held = self._held[:at], self._held[at + len(closing) :]
            self._state = self._text
            yield from self._closed(inside, self._opened + inside + closing)

    def _arguments(self) -> Iterator[Part]:
        end = self._object.take(self._held)
        text = self._held if end is None else self._held[:end]
        self._held = "" if end is None else self._held[end:]
        if text:
            yield CallPart(self._calls, "", text)
        if end is not None:
            self._calls += 1
            self._calls_inside += 1
            self._is_behind_call = True
            self._held = re.sub(r"^\s*\}", "", self._held)
            self._state = self._after

    def _after(self) -> Iterator[Part]:
        """Behind a call: another, or the mark that closes."""
        rest = self._held.lstrip(" \n\t}],;")
        self._held = rest
        closing = self._family.closing
        if closing and rest.startswith(closing):
            self._held = rest[len(closing) :].lstrip("\n")
            self._state = self._text
        elif rest.startswith("{"):
            self._state = self._inside
        elif rest and not (closing and closing.startswith(rest)):
            self._state = self._text
        yield from ()

    def _closed(self, inside: str, spelled: str) -> Iterator[Part]:
        """Text between marks in which no name was found as it came."""
        calls = _named_call(inside) if self._family.form == "named" else _calls_in(inside)
        if not calls:
            if not self._calls_inside:
                yield from self._said(spelled)
            return
        for name, arguments in calls:
            yield CallPart(self._calls, name, "")
            yield CallPart(self._calls, "", arguments)
            self._calls += 1

    def _unclosed(self, rest: str) -> list[Part]:
        self._state = self._text
        return list(self._closed(rest, self._opened + rest)) if rest or self._opened else []


class HarmonyReader:
    """Channels of gpt-oss: thoughts are left out, `final` is said, `to=functions.…` is a call."""

    def __init__(self) -> None:
        self._held = ""
        self._header = ""
        self._in_header = True
        self._calls = -1
        self._is_open_call = False

    def push(self, text: str) -> list[Part]:
        self._held += text
        return list(self._read(final=False))

    def finish(self) -> list[Part]:
        return list(self._read(final=True))

    def _read(self, *, final: bool) -> Iterator[Part]:
        while True:
            found = [(at, mark) for mark in _TURNS if (at := self._held.find(mark)) >= 0]
            if not found:
                break
            at, mark = min(found)
            text, self._held = self._held[:at], self._held[at + len(mark) :]
            yield from self._body(text)
            yield from self._turn(mark)
        keep = 0 if final else max(overlap(self._held, mark) for mark in _TURNS)
        text = self._held[: len(self._held) - keep]
        self._held = self._held[len(self._held) - keep :]
        yield from self._body(text)

    def _turn(self, mark: str) -> Iterator[Part]:
        if mark == "<|message|>":
            self._in_header = False
            recipient = _RECIPIENT.search(self._header)
            self._is_open_call = recipient is not None
            if recipient:
                self._calls += 1
                yield CallPart(self._calls, recipient.group(1), "")
        else:
            if mark != "<|channel|>" or not self._in_header:
                self._header = ""
            self._in_header, self._is_open_call = True, False
            self._header += " "

    def _body(self, text: str) -> Iterator[Part]:
        if not text:
            return
        if self._in_header:
            self._header += text
        elif self._is_open_call:
            yield CallPart(self._calls, "", text)
        elif "analysis" not in self._header:
            yield text


def _calls_in(text: str) -> list[tuple[str, str]]:
    """Calls as whole JSON, where the name does not come first; [] for anything else."""
    try:
        values = json.loads(text)
    except ValueError:
        return []
    calls = []
    for value in values if isinstance(values, list) else [values]:
        if not isinstance(value, dict) or not isinstance(value.get("name"), str):
            return []
        arguments = value.get("arguments", value.get("parameters", {}))
        spelled = arguments if isinstance(arguments, str) else json.dumps(arguments)
        calls.append((value["name"], spelled))
    return calls


def _named_call(text: str) -> list[tuple[str, str]]:
    """Gemma's `call:name{key:<|"|>text<|"|>}`, or the same with JSON in the brackets."""
    found = _CALL.match(text)
    if not found:
        return []
    body = text[found.end() :].strip()
    for spelled in (body, _as_json(body)):
        try:
            return [(found.group(1), json.dumps(json.loads(spelled), ensure_ascii=False))]
        except ValueError:
            continue
    return []


def _as_json(body: str) -> str:
    """Quote what Gemma leaves without quotation marks: keys, and its own marks around texts."""
    pieces = body.split(GEMMA_QUOTE)
    for at, piece in enumerate(pieces):
        inside = at % 2 == 1
        pieces[at] = json.dumps(piece) if inside else _BARE_KEY.sub(r'\1"\2"\3', piece)
    return "".join(pieces)


def _unescaped(name: str) -> str:
    try:
        return str(json.loads(f'"{name}"'))
    except ValueError:
        return name
