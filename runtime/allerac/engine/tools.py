"""Tools that a model may call: told to it in its own way, and read out of what it writes.

A model whose template knows no tools is told of them in the system's words, in the form that Qwen
and others learned.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from allerac.engine.calls import CallReader, reader_for
from allerac.engine.families import HERMES, family_of, knows_tools, marks_of
from allerac.engine.protocol import GenerationRequest, PromptMessage, Sampling, ToolCall
from allerac.engine.schema import grammar_of_choices
from allerac.errors import InvalidInput

_INSTRUCTIONS: Final = (
    "You may call tools. Each is described by a line of JSON:\n{tools}\n"
    "To call one, answer only:\n"
    '<tool_call>\n{{"name": "<its name>", "arguments": <an object>}}\n</tool_call>'
)


class Tools:
    """How one model is given tools, by its template."""

    def __init__(self, template: str | None) -> None:
        self._in_template = knows_tools(template)
        self._family = family_of(template) if self._in_template else HERMES
        self._always_read = self._family.form == "harmony"

    def messages(self, request: GenerationRequest) -> tuple[PromptMessage, ...]:
        """The conversation as the template understands it."""
        if self._in_template:
            return request.messages
        plain = tuple(map(_in_words, request.messages))
        return _with_instructions(plain, request.tools) if request.tools else plain

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


def _with_instructions(
    messages: tuple[PromptMessage, ...], tools: Sequence[str]
) -> tuple[PromptMessage, ...]:
    words = _INSTRUCTIONS.format(tools="\n".join(tools))
    if messages and messages[0].role == "system":
        first = replace(messages[0], content=f"{messages[0].content}\n\n{words}")
        return (first, *messages[1:])
    return (PromptMessage("system", words), *messages)


def _in_words(message: PromptMessage) -> PromptMessage:
    if message.role == "tool":
        return PromptMessage("user", f"<tool_response>\n{message.content}\n</tool_response>")
    if message.tool_calls:
        calls = "\n".join(map(_called, message.tool_calls))
        return PromptMessage("assistant", f"{message.content}\n{calls}".strip())
    return message


def _called(call: ToolCall) -> str:
    name = json.dumps(call.name, ensure_ascii=False)
    return f'<tool_call>\n{{"name": {name}, "arguments": {call.arguments}}}\n</tool_call>'
