"""How families of models write the calls of tools: data, one row for each way.

Sources, as their makers publish them: Qwen (function calling guide, Hermes format), Llama 3.1
(model card and prompt formats), Gemma (function calling with Gemma), Phi-4-mini (tool-enabled
function calling), gpt-oss (OpenAI harmony response format).
"""

from dataclasses import dataclass
from typing import Final, Literal

HARMONY_MARKS: Final = frozenset(
    {"<|start|>", "<|channel|>", "<|message|>", "<|constrain|>", "<|end|>", "<|call|>"}
)
GEMMA_QUOTE: Final = '<|"|>'

Form = Literal["json", "named", "harmony"]


@dataclass(frozen=True, slots=True)
class Family:
    """A way to call tools.

    A call stands between one of `opening` and `closing` ("" for the end of the answer); where
    `bare`, an answer that begins with an object is one too. `marks` are what its template contains
    where that does not write calls, so that it cannot be told by them.
    `form` "json" is an object with a name and arguments, or a list of them; "named" is
    `call:name{…}`; "harmony" has channels. `arguments` is the key of the arguments.

    Where a call is wanted for certain, the answer begins with `prefill`, which we write, then
    `before`, the name, `between`, the arguments and `after`, which a grammar holds it to.
    """

    name: str
    opening: tuple[str, ...]
    closing: str
    form: Form
    arguments: str = "arguments"
    bare: bool = False
    marks: tuple[str, ...] = ()
    prefill: str = ""
    before: str = '{"name": "'
    between: str = '", "arguments": '
    after: str = "}"


HERMES: Final = Family(
    name="hermes",
    opening=("<tool_call>",),
    closing="</tool_call>",
    form="json",
    prefill="<tool_call>\n",
    after="}\n</tool_call>",
)
"""Qwen's, and what we ask of models that have no way of their own, or none that we can read."""

FAMILIES: Final = (
    Family(
        name="gpt-oss",
        opening=(),
        closing="",
        form="harmony",
        prefill="<|channel|>commentary to=functions.",
        before="",
        between=" <|constrain|>json<|message|>",
        after="",
    ),
    Family(
        name="gemma",
        opening=("<|tool_call>",),
        closing="<tool_call|>",
        form="named",
        prefill="<|tool_call>call:",
        before="",
        between="",
        after="",
    ),
    Family(
        name="phi",
        opening=("<|tool_call|>",),
        closing="<|/tool_call|>",
        form="json",
        marks=("<|tool|>", "<|/tool|>"),
        prefill="<|tool_call|>[",
        after="}]",
    ),
    HERMES,
    Family(
        name="llama",
        opening=("<|python_tag|>",),
        closing="",
        form="json",
        arguments="parameters",
        bare=True,
        between='", "parameters": ',
    ),
)


def marks_of(family: Family) -> frozenset[str]:
    """Return the control tokens that say where calls are; all others are left out of answers."""
    if family.form == "harmony":
        return HARMONY_MARKS
    quote = {GEMMA_QUOTE} if family.form == "named" else set()
    return frozenset({*family.opening, family.closing, *quote} - {""})
