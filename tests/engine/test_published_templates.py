"""Real templates render here, and a model is told of tools in a way that we can read."""

import json

import pytest

from allerac.engine.protocol import GenerationRequest, PromptMessage, Sampling, ToolCall
from allerac.engine.template import CHATML, PromptTemplate
from allerac.engine.tools import Tools
from tests.engine.published import OF_THE_CATALOGUE, PHI, TEMPLATES

CONVERSATION = (
    PromptMessage("system", "Be brief."),
    PromptMessage("user", "First question"),
    PromptMessage("assistant", "First answer"),
    PromptMessage("user", "Second question"),
)
CALL = ToolCall("123456789", "lookup", '{"word": "tea"}')
CALLED = (
    PromptMessage("system", "Be brief."),
    PromptMessage("user", "Look it up"),
    PromptMessage("assistant", "", tool_calls=(CALL,)),
    PromptMessage("tool", "A plant", tool_call_id=CALL.id),
)
TOOL = {
    "type": "function",
    "function": {
        "name": "lookup",
        "description": "Looks a word up.",
        "parameters": {"type": "object", "properties": {"word": {"type": "string"}}},
    },
}
OTHER_CONTRACT = {"fireworks-ai-llama-3-firefunction-v2"}
"""Takes its tools as `functions`, a text, which is always asked for."""


def _template(source: str) -> PromptTemplate:
    return PromptTemplate(source, bos="<s>", eos="</s>", control_tokens=("<|im_end|>",))


def _request(messages: tuple[PromptMessage, ...]) -> GenerationRequest:
    return GenerationRequest("1", "model", "ana", messages, Sampling(), tools=(json.dumps(TOOL),))


def _prompt(source: str, messages: tuple[PromptMessage, ...]) -> str:
    """Return what a model of this template reads where it may look words up."""
    template = _template(source)
    tools, request = Tools(template), _request(messages)
    spans = template.render(tools.messages(request), tools.described(request))
    return "".join(span.text for span in spans)


def test_there_are_templates() -> None:
    assert len(TEMPLATES) > 50
    assert TEMPLATES.keys() >= OF_THE_CATALOGUE.keys()


@pytest.mark.parametrize("name", TEMPLATES)
def test_published_template_renders_each_turn(name: str) -> None:
    template = _template(TEMPLATES[name])
    assert template.source == (CHATML if name in OTHER_CONTRACT else TEMPLATES[name])
    text = "".join(span.text for span in template.render(CONVERSATION))
    at = [text.find(message.content) for message in CONVERSATION[1:]]
    assert -1 not in at
    assert at == sorted(at)
    assert "Be brief." in text


@pytest.mark.parametrize("name", OF_THE_CATALOGUE)
def test_next_turn_begins_with_all_that_was_read_of_this_one(name: str) -> None:
    """What the answer begins with may be written otherwise once it is part of the history."""
    template, asked = _template(TEMPLATES[name]), CONVERSATION[-1].content
    answer, question = PromptMessage("assistant", "Tea."), PromptMessage("user", "Third question")
    this = "".join(span.text for span in template.render(CONVERSATION))
    following = "".join(span.text for span in template.render((*CONVERSATION, answer, question)))
    read = this.index(asked) + len(asked)
    assert following[:read] == this[:read]
    assert following.index("Tea.") < following.index("Third question")


@pytest.mark.parametrize("name", TEMPLATES)
def test_model_is_told_of_the_tool_the_call_and_its_result(name: str) -> None:
    prompt = _prompt(TEMPLATES[name], CALLED)
    for told in ("Look it up", "Looks a word up.", "lookup", "tea", "A plant"):
        assert told in prompt


@pytest.mark.parametrize("name", OF_THE_CATALOGUE)
def test_template_of_the_catalogue_tells_of_tools_itself(name: str) -> None:
    tools = Tools(_template(TEMPLATES[name]))
    assert tools.in_template
    assert tools.family.name == OF_THE_CATALOGUE[name]


@pytest.mark.parametrize(
    "name",
    [
        "Qwen3-Coder",  # calls in tags of their own
        "GLM-4.6",
        "Mistral-Small-3.2-24B-Instruct-2506",
        "LFM2.5-Instruct",  # tells of tools, and leaves calls of former times out
        "google-gemma-2-2b-it",  # knows no tools
    ],
)
def test_model_whose_calls_nobody_here_reads_is_told_in_words(name: str) -> None:
    tools = Tools(_template(TEMPLATES[name]))
    assert (tools.in_template, tools.family.name) == (False, "hermes")
    assert "<tool_call>" in _prompt(TEMPLATES[name], CALLED)


def test_phi_is_told_in_the_systems_turn_and_shown_calls_in_its_form() -> None:
    tools = Tools(_template(PHI))
    assert (tools.in_template, tools.family.name) == (True, "phi")
    prompt = _prompt(PHI, CALLED)
    assert f"<|tool|>[{json.dumps(TOOL)}]<|/tool|>" in prompt
    call = '<|tool_call|>[{"name": "lookup", "arguments": {"word": "tea"}}]<|/tool_call|>'
    assert call in prompt
    assert "<|tool|>" in _prompt(PHI, CALLED[1:]), "also where nobody instructed it"
