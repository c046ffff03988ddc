"""How families of models write the calls of tools: data, told apart by their chat templates.

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

    `marks` are what its template contains. A call stands between one of `opening` and `closing`
    ("" for the end of the answer); where `bare`, an answer that begins with an object is one too.
    `form` "json" is an object with a name and arguments, or a list of them; "named" is
    `call:name{…}`; "harmony" has channels. `arguments` is the key of the arguments.

    Where a call is wanted for certain, the answer begins with `prefill`, which we write, then
    `before`, the name, `between`, the arguments and `after`, which a grammar holds it to.
    """

    name: str
    marks: tuple[str, ...]
    opening: tuple[str, ...]
    closing: str
    form: Form
    arguments: str = "arguments"
    bare: bool = False
    prefill: str = ""
    before: str = '{"name": "'
    between: str = '", "arguments": '
    after: str = "}"


HERMES: Final = Family(
    name="hermes",
    marks=("<tool_call>",),
    opening=("<tool_call>",),
    closing="</tool_call>",
    form="json",
    prefill="<tool_call>\n",
    after="}\n</tool_call>",
)
"""Qwen's, and what we ask of models whose template knows no tools."""

FAMILIES: Final = (
    Family(
        name="gpt-oss",
        marks=("<|channel|>", "<|message|>"),
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
        marks=("<|tool_call>", "<tool_call|>"),
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
        marks=("<|tool|>", "<|/tool|>"),
        opening=("<|tool_call|>",),
        closing="<|/tool_call|>",
        form="json",
        prefill="<|tool_call|>[",
        after="}]",
    ),
    HERMES,
    Family(
        name="llama",
        marks=("<|start_header_id|>", "tool_calls"),
        opening=("<|python_tag|>",),
        closing="",
        form="json",
        arguments="parameters",
        bare=True,
        between='", "parameters": ',
    ),
)


def family_of(template: str | None) -> Family:
    """Return the family whose marks are all in `template`; ours where there is none."""
    for family in FAMILIES:
        if template and all(mark in template for mark in family.marks):
            return family
    return HERMES


def marks_of(family: Family) -> frozenset[str]:
    """Return the control tokens that say where calls are; all others are left out of answers."""
    if family.form == "harmony":
        return HARMONY_MARKS
    quote = {GEMMA_QUOTE} if family.form == "named" else set()
    return frozenset({*family.opening, family.closing, *quote} - {""})


def knows_tools(template: str | None) -> bool:
    """Tell whether `template` does anything with tools."""
    return bool(template) and "tools" in (template or "")
