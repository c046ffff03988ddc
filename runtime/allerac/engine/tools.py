"""Tools that a model may call: told to it in its own way, and read out of what it writes.

Which way that is, its template tells by what it writes: one tool and one call of it are rendered,
and the family is the one whose reader finds the call again. A model whose template does not tell of
tools, or writes calls as nobody here can read them, is told in the system's words, in the form that
Qwen and others learned.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from allerac.engine.calls import CallReader, reader_for
from allerac.engine.families import FAMILIES, HERMES, Family, marks_of
from allerac.engine.protocol import CallPart, GenerationRequest, PromptMessage, Sampling, ToolCall
from allerac.engine.schema import grammar_of_choices
from allerac.engine.template import PromptTemplate
from allerac.errors import InvalidInput

_INSTRUCTIONS: Final = (
    "You may call tools. Each is described by a line of JSON:\n{tools}\n"
    "To call one, answer only:\n"
    '<tool_call>\n{{"name": "<its name>", "arguments": <an object>}}\n</tool_call>'
)
_ASKED: Final = (PromptMessage("system", "Help."), PromptMessage("user", "Question"))
_TOOL: Final = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Tells the weather.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
_CALL: Final = ToolCall("123456789", "weather", '{"city": "Rome"}')


class Tools:
    """How one model is given tools, by its template."""

    def __init__(self, template: PromptTemplate) -> None:
        told = _text_of(template, _ASKED)
        is_told = "weather" in told
        written = _family_of(_calls_in(template, told)) if is_told else None
        marked = _family_marked(template.source) if is_told else None
        self._in_template = (written or marked) is not None
        self._writes_calls = written is not None
        self._family = written or marked or HERMES
        self._always_read = self._family.form == "harmony"

    @property
    def family(self) -> Family:
        """The way in which the model writes calls."""
        return self._family

    @property
    def in_template(self) -> bool:
        """Whether the template tells of tools; otherwise the system's words do."""
        return self._in_template

    def messages(self, request: GenerationRequest) -> tuple[PromptMessage, ...]:
        """The conversation as the template understands it."""
        if self._writes_calls:
            return request.messages
        plain = tuple(_in_words(message, self._family) for message in request.messages)
        if not request.tools:
            return plain
        return _with_instructions(plain, () if self._in_template else request.tools)

    def described(self, request: GenerationRequest) -> list[dict[str, Any]]:
        """The tools for the template."""
        return [json.loads(tool) for tool in request.tools] if self._in_template else []

    def prefill(self, request: GenerationRequest) -> str:
        """What the answer begins with, where it must call a tool."""
        return self._family.prefill if request.required_tools else ""

    def sampling(self, request: GenerationRequest) -> Sampling:
        """How to choose tokens. Raises `InvalidInput` where a tool's parameters cannot be kept."""
        if not request.required_tools:
            return request.sampling
        family = self._family
        choices = [
            (f"{family.before}{name}{family.between}", parameters)
            for name, parameters in _parameters(request.tools)
            if name in request.required_tools
        ]
        if not choices:
            raise InvalidInput(
                "The tool that must be called is not among the tools.",
                fields={"tool_choice": "is not among the tools"},
            )
        return replace(request.sampling, grammar=grammar_of_choices(choices, family.after))

    def reader(self, request: GenerationRequest) -> CallReader | None:
        """What reads the answer; None where it is text and nothing else."""
        if not request.tools and not self._always_read:
            return None
        reader = reader_for(self._family)
        reader.push(self.prefill(request))
        return reader

    def marks(self, request: GenerationRequest) -> frozenset[str]:
        """Control tokens that the reader must see."""
        return marks_of(self._family) if request.tools or self._always_read else frozenset()


def _parameters(tools: Sequence[str]) -> list[tuple[str, Mapping[str, object]]]:
    functions = [json.loads(tool)["function"] for tool in tools]
    return [(f["name"], f.get("parameters") or {"type": "object"}) for f in functions]


def _text_of(template: PromptTemplate, messages: Sequence[PromptMessage]) -> str:
    """Return what the template makes of them beside a tool; nothing where it refuses."""
    try:
        return "".join(span.text for span in template.render(messages, [_TOOL]))
    except InvalidInput:
        return ""


def _calls_in(template: PromptTemplate, told: str) -> tuple[str, ...]:
    """Return from where a call can begin in what is written behind the question `told` ends with.

    An answer's beginning that is written for us, such as the mark of no thoughts, is not always
    before a call of former times; so it is looked for behind the question too.
    """
    answer = PromptMessage("assistant", "", tool_calls=(_CALL,))
    result = PromptMessage("tool", "Sunny", tool_call_id=_CALL.id)
    written = _text_of(template, (*_ASKED, answer, result))
    pairs = enumerate(zip(told, written, strict=False))
    alike = next((at for at, (one, other) in pairs if one != other), len(told))
    return written[alike:], written.partition("Question")[2]


def _family_of(written: Sequence[str]) -> Family | None:
    """Return the family that reads the call in one of the texts."""
    for family in FAMILIES:
        for text in written:
            reader = reader_for(family)
            parts = (*reader.push(text), *reader.finish())
            call = [part for part in parts if isinstance(part, CallPart) and part.index == 0]
            arguments = "".join(part.arguments for part in call)
            if call and call[0].name == _CALL.name and _same(arguments, _CALL.arguments):
                return family
    return None


def _same(written: str, meant: str) -> bool:
    try:
        return bool(json.loads(written) == json.loads(meant))
    except ValueError:
        return False


def _family_marked(source: str) -> Family | None:
    """Return the family whose marks are all in a template that writes no calls."""
    marked = (family for family in FAMILIES if family.marks)
    return next((f for f in marked if all(mark in source for mark in f.marks)), None)


def _with_instructions(
    messages: tuple[PromptMessage, ...], tools: Sequence[str]
) -> tuple[PromptMessage, ...]:
    """Have the system tell of the tools; without any, have it speak, as some templates need."""
    has_system = bool(messages) and messages[0].role == "system"
    words = _INSTRUCTIONS.format(tools="\n".join(tools)) if tools else ""
    if has_system:
        first = replace(messages[0], content=f"{messages[0].content}\n\n{words}".strip())
        return (first, *messages[1:])
    return (PromptMessage("system", words), *messages)


def _in_words(message: PromptMessage, family: Family) -> PromptMessage:
    if message.role == "tool":
        return PromptMessage("user", f"<tool_response>\n{message.content}\n</tool_response>")
    if message.tool_calls:
        calls = "\n".join(_called(call, family) for call in message.tool_calls)
        return PromptMessage("assistant", f"{message.content}\n{calls}".strip())
    return message


def _called(call: ToolCall, family: Family) -> str:
    name = json.dumps(call.name, ensure_ascii=False)[1:-1]
    begin = f"{family.prefill}{family.before}{name}{family.between}"
    return f"{begin}{call.arguments}{family.after}{_end_of(family)}"


def _end_of(family: Family) -> str:
    """Return the closing mark, where what is written after the arguments has none."""
    return "" if family.closing in family.after else family.closing
