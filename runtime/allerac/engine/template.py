"""Renders messages with the chat template that a model brings along.

The template is a program from the model's file: it runs sandboxed, and within limits of time and
size. What people write is data: a control token spelled in a message stays text.
"""

import json
import re
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import FrameType
from typing import Any, Final, Protocol

from jinja2 import Template, TemplateError
from jinja2.ext import Extension
from jinja2.nodes import Node
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from allerac.engine.protocol import PromptMessage, ToolCall
from allerac.errors import InvalidInput

CHATML: Final = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n'"
    " + message['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
RENDER_SECONDS_LIMIT: Final = 2.0
OVERHEAD_CHARACTERS_LIMIT: Final = 1 << 20  # what a template may add to the messages
PRODUCT_LIMIT: Final = 1 << 20  # of two numbers, or of a text and how often it is repeated
_OPEN, _CLOSE = "\ufdd0", "\ufdd1"  # noncharacters: never in text that means something
_SAMPLE = PromptMessage("user", "Hello")


Turn = dict[str, Any]
"""A message or a tool as templates see it."""


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of the prompt; control tokens are recognised only where `special`."""

    text: str
    special: bool


_FILLS_MEMORY: Final = frozenset(
    {"center", "expandtabs", "format", "format_map", "ljust", "rjust", "zfill"}
)
# What a template that is wrong, or hostile, ends in.
_FAILURES: Final = (
    TemplateError,
    TypeError,
    ValueError,
    ArithmeticError,
    LookupError,
    RecursionError,
    MemoryError,
)


class _Environment(ImmutableSandboxedEnvironment):
    """Refuses what fills the memory in one line, besides what Jinja's sandbox refuses."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        numbers = all(isinstance(value, int | float) for value in (left, right))
        if operator == "**" or (operator == "%" and not numbers):
            raise TemplateError("operator not allowed")
        if operator == "*" and _size(left) * _size(right) > PRODUCT_LIMIT:
            raise TemplateError("product too large")
        return super().call_binop(context, operator, left, right)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        return attr not in _FILLS_MEMORY and super().is_safe_attribute(obj, attr, value)


def _size(value: object) -> float:
    return abs(value) if isinstance(value, int | float) else len(value)  # type: ignore[arg-type]


def _raise(message: str) -> None:
    raise TemplateError(message)


def _now(form: str) -> str:
    return datetime.now().astimezone().strftime(form)


def _json(value: object, indent: int | None = None, **_: object) -> str:
    """JSON as transformers writes it for templates: without escapes for HTML."""
    return json.dumps(value, ensure_ascii=False, indent=min(indent, 8) if indent else None)


class _Generation(Extension):
    """`{% generation %}…{% endgeneration %}`, with which transformers marks what is learned.

    To a prompt it is what stands between; huggingface.co/docs/transformers/chat_templating_writing.
    """

    tags = {"generation"}  # noqa: RUF012 - as Jinja declares it

    def parse(self, parser: Parser) -> list[Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _environment() -> _Environment:
    environment = _Environment(
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.loopcontrols", _Generation],
    )
    environment.filters["tojson"] = _json
    for name in _FILLS_MEMORY & environment.filters.keys():
        del environment.filters[name]
    environment.globals["raise_exception"] = _raise
    environment.globals["strftime_now"] = _now
    return environment


class PromptTemplate:
    """A model's chat template.

    `control_tokens` are the spellings that the tokenizer takes for more than text. A template
    that does not render a plain conversation is replaced by ChatML.
    """

    def __init__(
        self, source: str | None, *, bos: str, eos: str, control_tokens: Iterable[str]
    ) -> None:
        spellings = sorted({_OPEN, _CLOSE, *filter(None, control_tokens)}, key=len, reverse=True)
        self._control = re.compile("|".join(map(re.escape, spellings)))
        self._tokens = {"bos_token": bos, "eos_token": eos}
        self._without_tools: list[Turn] | None = None
        self._source = source or CHATML
        self._template = self._compile()

    @property
    def source(self) -> str:
        """The template that renders."""
        return self._source

    def render(
        self, messages: Sequence[PromptMessage], tools: Sequence[Mapping[str, Any]] = ()
    ) -> list[Span]:
        """The prompt of `messages` up to the place where the answer begins.

        `tools` are objects in the form of OpenAI's API.

        Raises `InvalidInput` when the template refuses the order of roles.
        """
        literals: list[str] = []

        def hide(match: re.Match[str]) -> str:
            literals.append(match.group())
            return f"{_OPEN}{len(literals) - 1}{_CLOSE}"

        def plain(value: Any) -> Any:
            if isinstance(value, str):
                return self._control.sub(hide, value)
            if isinstance(value, Mapping):
                return {plain(key): plain(item) for key, item in value.items()}
            return list(map(plain, value)) if isinstance(value, list) else value

        turns = [plain(_turn(message)) for message in messages]
        if tools and turns and turns[0]["role"] == "system":
            turns[0]["tools"] = _json(list(map(plain, tools)))  # where Phi's templates look for it
        try:
            text = self._render_folding(self._template, turns, list(map(plain, tools)))
        except _FAILURES as err:
            raise InvalidInput(
                "This model cannot read a conversation in this form.",
                hint="Begin with a question, and let questions and answers take turns.",
            ) from err
        return list(_spans(text, literals))

    def _compile(self) -> Template:
        """Return the template; where a plain conversation is too much for it, ChatML.

        What stands for no tools is None, as transformers has it; some take only an empty list.
        """
        for self._without_tools in (None, []):
            try:
                template = _environment().from_string(self._source)
                if "Hello" in self._render_folding(template, [_turn(_SAMPLE)], []):
                    return template
            except _FAILURES:
                pass
        self._source = CHATML
        return _environment().from_string(CHATML)

    def _render_folding(self, template: Template, messages: list[Turn], tools: list[Turn]) -> str:
        """Render; where a template knows no system role, say its words in the first question."""
        try:
            return self._render(template, messages, tools)
        except TemplateError:
            if not messages or messages[0]["role"] != "system":
                raise
        system, *rest = messages
        if not rest or rest[0]["role"] != "user":
            rest.insert(0, _turn(PromptMessage("user", "")))
        rest[0] = {**rest[0], "content": f"{system['content']}\n\n{rest[0]['content']}"}
        return self._render(template, rest, tools)

    def _render(self, template: Template, messages: list[Turn], tools: list[Turn]) -> str:
        limit = sum(len(m["content"]) for m in messages) * 2 + OVERHEAD_CHARACTERS_LIMIT
        parts, size = [], 0
        with _Deadline(RENDER_SECONDS_LIMIT):
            for part in template.generate(
                messages=messages,
                tools=tools or self._without_tools,
                add_generation_prompt=True,
                enable_thinking=False,
                **self._tokens,
            ):
                size += len(part)
                if size > limit:
                    raise TemplateError("the template writes too much")
                parts.append(part)
        return "".join(parts)


def _turn(message: PromptMessage) -> Turn:
    """`message` as templates expect it; keys that say nothing are left out: some ask for them."""
    turn: Turn = {"role": message.role, "content": message.content}
    if message.tool_calls:
        turn["tool_calls"] = [_call(call) for call in message.tool_calls]
    if message.tool_call_id:
        turn["tool_call_id"] = message.tool_call_id
    return turn


def _call(call: ToolCall) -> Turn:
    try:
        arguments = json.loads(call.arguments)
    except ValueError:
        arguments = call.arguments
    function = {"name": call.name, "arguments": arguments}
    return {"id": call.id, "type": "function", "function": function}


def _spans(text: str, literals: Sequence[str]) -> Iterator[Span]:
    for index, piece in enumerate(re.split(f"{_OPEN}([0-9]+){_CLOSE}", text)):
        if index % 2:
            yield Span(literals[int(piece)], special=False)
        elif piece:
            yield Span(piece, special=True)


class _Trace(Protocol):
    def __call__(self, frame: FrameType, event: str, argument: object, /) -> "_Trace": ...


class _Deadline:
    """Raises TemplateError in this thread's Python code once `seconds` have passed.

    A trace function is the only way to end a loop that neither yields nor calls.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._before = sys.gettrace()

    def __enter__(self) -> None:
        sys.settrace(self._trace)

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)

    def _trace(self, _frame: FrameType, _event: str, _argument: object) -> _Trace:
        if time.monotonic() > self._end:
            raise TemplateError("the template takes too long")
        return self._trace
