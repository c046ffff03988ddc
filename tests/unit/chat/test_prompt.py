"""What was read once stays at the same place."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from allerac.chat.prompt import CITE, INSTRUCTIONS, Turn, compile_prompt
from allerac.engine.protocol import PromptMessage

texts = st.text(max_size=40)
passages = st.lists(texts, max_size=3).map(tuple)


def _rendered(messages: tuple[PromptMessage, ...]) -> bytes:
    """ChatML, the form of most templates: only the order and the text matter here."""
    parts = (f"<|im_start|>{m.role}\n{m.content}<|im_end|>\n" for m in messages)
    return "".join(parts).encode("utf-8", "surrogatepass")


@st.composite
def conversations(draw: st.DrawFn) -> list[Turn]:
    """Questions with the passages that were found for each, and the answers between them."""
    asked = draw(st.lists(st.tuples(texts, passages, texts), min_size=2, max_size=6))
    turns = []
    for question, found, answer in asked:
        turns += [Turn("user", question, found), Turn("assistant", answer)]
    return turns


@given(
    instructions=texts,
    memories=st.lists(texts, max_size=3),
    summary=st.none() | texts,
    turns=conversations(),
)
def test_each_turn_is_a_byte_prefix_of_the_next(
    instructions: str, memories: list[str], summary: str | None, turns: list[Turn]
) -> None:
    prompts = [
        _rendered(
            compile_prompt(
                instructions=instructions,
                memories=memories,
                summary=summary,
                history=turns[:count],
            )
        )
        for count in range(1, len(turns) + 1)
    ]
    for shorter, longer in itertools.pairwise(prompts):
        assert longer.startswith(shorter)


def test_instructions_come_first_and_passages_stand_with_their_question() -> None:
    prompt = compile_prompt(
        instructions="Be brief.",
        memories=["Ana likes tea."],
        history=[Turn("user", "Who services the boiler?", ("Miller services the boiler.",))],
    )
    assert prompt[0].role == "system"
    assert prompt[0].content.startswith("Be brief.")
    assert prompt[1].content == (
        f"{CITE}\n\nPassages:\n[1] Miller services the boiler.\n\nWho services the boiler?"
    )


def test_request_to_cite_and_to_admit_ignorance_comes_with_the_passages_alone() -> None:
    asked = [
        compile_prompt(instructions=INSTRUCTIONS, history=[Turn("user", "Who?", found)])
        for found in ((), ("Miller services the boiler.",))
    ]
    without, given = ("".join(message.content for message in prompt) for prompt in asked)
    for words in ("passages", "number", "do not know"):
        assert words not in without
        assert words in given


def test_without_instructions_there_is_no_system_message() -> None:
    prompt = compile_prompt(instructions="", history=[Turn("user", "Hello")])
    assert prompt == (PromptMessage("user", "Hello"),)
