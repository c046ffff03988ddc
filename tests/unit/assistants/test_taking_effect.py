"""What is set for an assistant, a conversation or memories reaches engine and search."""

from datetime import UTC, datetime, timedelta

import pytest

from allerac.engine.protocol import GenerationRequest

from .conftest import Home

HOUSE, SCHOOL = "The boiler is serviced in March.", "The timetable changes in May."
FACT = "The shed is green"


def _prompt(request: GenerationRequest) -> str:
    return "\n".join(message.content for message in request.messages)


async def test_instructions_temperature_and_length_of_an_assistant_reach_the_engine(
    home: Home,
) -> None:
    made = await home.assistant("ana", instructions="Be brief.", temperature=0.25, max_tokens=40)
    asked = await home.asked("ana", await home.conversation("ana", made))
    assert (asked.sampling.temperature, asked.sampling.max_tokens) == (0.25, 40)
    assert asked.messages[0].content.startswith("Be brief.")


async def test_answer_is_never_longer_than_the_model_s_own_limit(home: Home) -> None:
    made = await home.assistant("ana", max_tokens=30_000)
    asked = await home.asked("ana", await home.conversation("ana", made))
    assert asked.sampling.max_tokens == home.models.answer_tokens("small")


async def test_documents_of_an_assistant_are_the_ones_that_are_read(home: Home) -> None:
    await home.put("ana", HOUSE)
    made = await home.assistant("ana", file_ids=[await home.put("ana", SCHOOL)])
    prompt = _prompt(await home.asked("ana", await home.conversation("ana", made)))
    assert SCHOOL in prompt
    assert HOUSE not in prompt


async def test_folder_of_a_conversation_is_the_one_that_is_searched(home: Home) -> None:
    await home.put("ana", HOUSE, folder="House")
    await home.put("ana", SCHOOL, folder="School")
    conversation_id = await home.conversation("ana", folder="School")
    prompt = _prompt(await home.asked("ana", conversation_id))
    assert SCHOOL in prompt
    assert HOUSE not in prompt


@pytest.mark.parametrize(("assistant", "conversation"), [(False, True), (True, False)])
async def test_no_document_is_read_where_either_says_so(
    home: Home, assistant: bool, conversation: bool
) -> None:
    await home.put("ana", HOUSE)
    made = await home.assistant("ana", uses_knowledge=assistant)
    conversation_id = await home.conversation("ana", made, uses_knowledge=conversation)
    assert HOUSE not in _prompt(await home.asked("ana", conversation_id))


async def test_switched_off_memories_are_not_used(home: Home) -> None:
    await home.service.remember("ana", FACT)
    conversation_id = await home.conversation("ana")
    assert FACT in _prompt(await home.asked("ana", conversation_id, "One"))
    await home.service.enable_memories("ana", enabled=False)
    assert (await home.librarian.setting("ana", conversation_id)).memories == ()
    another = await home.conversation("ana")
    assert FACT not in _prompt(await home.asked("ana", another, "Two"))
    await home.service.enable_memories("ana", enabled=True)
    assert (await home.librarian.setting("ana", conversation_id)).memories == (FACT,)


@pytest.mark.parametrize(
    ("per_second", "context_tokens", "budget"),
    [
        (None, None, 750),  # 40 tokens a second, a quarter of what is read at most
        (1.0, None, 300),
        (1_000.0, None, 750),
        (30.0, 100_000, 600),
        (1_000.0, 100_000, 3_000),
        (1_000.0, 2_000, 500),
    ],
)
async def test_passages_are_as_many_as_the_box_reads_in_its_time(
    home: Home, per_second: float | None, context_tokens: int | None, budget: int
) -> None:
    await home.put("ana", HOUSE)
    home.speed.per_second = per_second
    conversation_id = await home.conversation("ana")
    _, trace = await home.brief("ana", conversation_id, context_tokens=context_tokens)
    assert trace["budget_tokens"] == budget


async def test_what_is_kept_outlives_the_conversation_in_which_it_was_said(home: Home) -> None:
    conversation_id = await home.conversation("ana")
    await home.asked("ana", conversation_id, f"Remember that {FACT}.")
    await home.asked("ana", await home.conversation("ana"), "My shed is old.")
    await home.service.change_memory(
        "ana", (await home.service.memories("ana"))[0].id, content=None, confirmed=True
    )
    await home.asked("ana", conversation_id, "My bike is red.")
    for item in (await home.chat.list_conversations("ana")).items:
        await home.chat.delete_conversation("ana", item.id)
    assert await home.room.store.purge_deleted(datetime.now(UTC) + timedelta(seconds=1)) == 2

    memories = await home.service.memories("ana")
    assert [each.content for each in memories] == ["My shed is old", FACT]
    assert {each.conversation_id for each in memories} == {None}
    assert None not in {each.message_id for each in memories}
    prompt = _prompt(await home.asked("ana", await home.conversation("ana")))
    assert FACT in prompt
