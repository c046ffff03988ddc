"""Answers over HTTP: read from anywhere, left and resumed at any point, branched, taken along."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest

from tests.claimed_box import ClaimedBox, Owner, Told, claimed_box, text_of, write_endless_model

DELTAS = 40
KEPT_EVENTS = 1024
LAST_WORDS = ("done", "error")


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClaimedBox]:
    folder = tmp_path_factory.mktemp("box")
    model = write_endless_model(folder / "model")
    with claimed_box(folder / "data", profile="vm", demo_model_dir=str(model)) as claimed:
        yield claimed


@pytest.fixture
def box_to_restart(tmp_path: Path) -> Iterator[ClaimedBox]:
    model = write_endless_model(tmp_path / "model")
    with claimed_box(tmp_path / "data", profile="vm", demo_model_dir=str(model)) as claimed:
        yield claimed


@pytest.fixture
async def owner(box: ClaimedBox) -> AsyncIterator[Owner]:
    async with box.owner() as owner:
        await owner.until_ready()
        yield owner


async def _stopped(owner: Owner, conversation_id: str, content: str, **rest: object) -> str:
    """Have an answer that was stopped once it had said something; returns its id."""
    _, answer_id = await owner.say(conversation_id, content, **rest)
    await owner.first_events(answer_id, DELTAS)
    await owner.stop(answer_id)
    return answer_id


def _assert_whole(events: list[Told], content: str) -> None:
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert [event.kind in LAST_WORDS for event in events] == [False] * (len(events) - 1) + [True]
    assert text_of(events) == content


async def test_an_answer_is_resumed_at_every_event_without_losing_or_doubling_one(
    owner: Owner,
) -> None:
    conversation_id = await owner.conversation()
    answer_id = await _stopped(owner, conversation_id, "Tell me")
    everything = await owner.events(answer_id)
    _assert_whole(everything, (await owner.message(conversation_id, answer_id))["content"])
    for event in everything:
        rest = await owner.events(answer_id, event.sequence)
        assert [*everything[: event.sequence], *rest] == everything


async def test_a_browser_that_loses_its_connection_all_the_time_misses_nothing(
    owner: Owner,
) -> None:
    conversation_id = await owner.conversation()
    _, answer_id = await owner.say(conversation_id, "Tell me")
    seen: list[Told] = []
    while len(seen) < DELTAS:
        async with aclosing(owner.follow(answer_id, len(seen))) as stream:
            seen.append(await anext(stream))
    await owner.stop(answer_id)
    seen += await owner.events(answer_id, len(seen))
    _assert_whole(seen, (await owner.message(conversation_id, answer_id))["content"])


async def test_two_devices_read_the_same_answer_and_one_of_them_stops_it(
    box: ClaimedBox, owner: Owner
) -> None:
    conversation_id = await owner.conversation()
    _, answer_id = await owner.say(conversation_id, "Tell me")
    async with box.owner() as phone:
        on_both = asyncio.gather(owner.events(answer_id), phone.events(answer_id))
        await phone.first_events(answer_id, DELTAS)
        await phone.stop(answer_id)
        one, other = await on_both
    assert one == other
    assert one[-1].kind == "done"
    assert (one[-1].data["status"], one[-1].data["finish_reason"]) == ("stopped", "cancelled")
    _assert_whole(one, (await owner.message(conversation_id, answer_id))["content"])


async def test_a_device_that_is_far_behind_gets_a_snapshot_and_the_same_text(owner: Owner) -> None:
    conversation_id = await owner.conversation()
    _, answer_id = await owner.say(conversation_id, "Tell me")
    reading_along = asyncio.create_task(owner.events(answer_id))
    await owner.first_events(answer_id, KEPT_EVENTS + DELTAS)
    await owner.stop(answer_id)
    late = await owner.events(answer_id, 1)
    assert late[0].kind == "snapshot"
    row = await owner.message(conversation_id, answer_id)
    assert text_of(late) == text_of(await reading_along) == row["content"]


async def test_a_reload_in_mid_answer_goes_on_from_the_text_that_is_stored(owner: Owner) -> None:
    conversation_id = await owner.conversation()
    _, answer_id = await owner.say(conversation_id, "Tell me")
    row = await owner.message(conversation_id, answer_id)
    async with asyncio.timeout(10):
        while not row["content"]:
            row = await owner.message(conversation_id, answer_id)
    reloaded = asyncio.create_task(owner.events(answer_id, row["sequence"]))
    await owner.first_events(answer_id, DELTAS)
    await owner.stop(answer_id)
    now = await owner.message(conversation_id, answer_id)
    assert row["content"] + text_of(await reloaded) == now["content"]


async def test_a_reload_after_the_end_shows_the_text_once(owner: Owner) -> None:
    conversation_id = await owner.conversation()
    answer_id = await _stopped(owner, conversation_id, "Tell me")
    row = await owner.message(conversation_id, answer_id)
    assert row["status"] == "stopped"
    assert await owner.events(answer_id, row["sequence"]) == []
    assert text_of(await owner.events(answer_id, 0)) == row["content"]


async def test_stop_in_mid_answer_keeps_what_was_said_and_the_chat_goes_on(owner: Owner) -> None:
    conversation_id = await owner.conversation()
    _, answer_id = await owner.say(conversation_id, "Tell me")
    seen = await owner.first_events(answer_id, DELTAS)
    await owner.stop(answer_id)
    row = await owner.message(conversation_id, answer_id)
    assert row["status"] == "stopped"
    assert row["content"].startswith(text_of(seen))
    await owner.stop(answer_id)  # nothing happens when it had ended already
    assert await owner.message(conversation_id, answer_id) == row
    following = await _stopped(owner, conversation_id, "Shorter", parent_id=answer_id)
    assert (await owner.message(conversation_id, following))["content"]


async def test_regenerating_makes_a_branch_and_the_export_has_the_one_that_is_chosen(
    owner: Owner,
) -> None:
    conversation_id = await owner.conversation()
    first = await _stopped(owner, conversation_id, "Tell me")
    before = await owner.message(conversation_id, first)
    again = await owner.client.post(f"/api/v1/messages/{first}/regenerate")
    other = again.json()["answer"]["id"]
    await owner.first_events(other, 2 * DELTAS)
    await owner.stop(other)
    after = await owner.message(conversation_id, other)
    assert after["parent_id"] == before["parent_id"]
    assert await owner.message(conversation_id, first) == before
    for chosen in (before, after):
        assert await _exported(owner, conversation_id, chosen["id"]) == ["Tell me", chosen]
    refused = await owner.client.post(f"/api/v1/messages/{before['parent_id']}/regenerate")
    assert refused.status_code == 409


async def test_an_edit_makes_a_branch_and_the_old_one_stays(owner: Owner) -> None:
    conversation_id = await owner.conversation()
    first = await _stopped(owner, conversation_id, "First")
    old = await _stopped(owner, conversation_id, "Second", parent_id=first)
    before = await owner.messages(conversation_id)
    edited = await _stopped(owner, conversation_id, "Second, better", parent_id=first)
    shown = (await owner.client.get(f"/api/v1/conversations/{conversation_id}")).json()
    assert shown["leaf_id"] == edited
    assert (await owner.messages(conversation_id))[: len(before)] == before
    answers = {one: await owner.message(conversation_id, one) for one in (first, old, edited)}
    for question, chosen in (("Second", old), ("Second, better", edited)):
        branch = ["First", answers[first], question, answers[chosen]]
        assert await _exported(owner, conversation_id, chosen) == branch


async def _exported(owner: Owner, conversation_id: str, leaf_id: str) -> list[object]:
    """Choose a branch; returns its questions' texts and answers' rows from the export.

    The Markdown must be made of just these; the JSON has the whole tree.
    """
    path = f"/api/v1/conversations/{conversation_id}"
    (await owner.client.patch(path, json={"leaf_id": leaf_id})).raise_for_status()
    markdown = (await owner.client.get(f"{path}/export")).text
    tree = (await owner.client.get(f"{path}/export", params={"format": "json"})).json()
    rows = {row["id"]: row for row in await owner.messages(conversation_id)}
    assert {row["id"]: row["content"] for row in tree["messages"]} == {
        name: row["content"] for name, row in rows.items()
    }
    branch: list[object] = []
    parts: list[str] = []
    above: str | None = leaf_id
    while above is not None:
        row = rows[above]
        is_question = row["role"] == "user"
        branch.insert(0, row["content"] if is_question else row)
        who = "You" if is_question else "Allerac"
        parts.insert(0, f"**{who}**\n\n{row['content']}\n")
        above = row["parent_id"]
    assert markdown.split("\n\n", 1)[1] == "\n".join(parts)
    return branch


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        ("", 422, "invalid_input"),
        (" \n\t ", 422, "invalid_input"),
        ("a" * 10_000_000, 413, "payload_too_large"),
        ("€" * 10_000_000, 413, "payload_too_large"),
    ],
    ids=["nothing", "blanks", "ten million letters", "ten million signs of three bytes"],
)
async def test_a_message_of_no_or_too_many_characters_is_refused_clearly(
    owner: Owner, content: str, status: int, code: str
) -> None:
    conversation_id = await owner.conversation()
    refused = await owner.send(conversation_id, content, client_id="one")
    problem = refused.json()["error"]
    assert (refused.status_code, problem["code"]) == (status, code)
    assert problem["message"]
    assert problem["hint"] or problem["fields"]["content"]
    assert await owner.messages(conversation_id) == []


async def test_a_message_of_a_million_characters_is_kept_and_its_answer_says_why_not(
    owner: Owner,
) -> None:
    conversation_id = await owner.conversation()
    message_id, answer_id = await owner.say(conversation_id, "word " * 200_000)
    (error,) = await owner.events(answer_id)
    assert (error.kind, error.data["code"]) == ("error", "context_length_exceeded")
    assert error.data["retriable"] is False
    assert error.data["hint"]
    kept = await owner.message(conversation_id, message_id)
    assert len(kept["content"]) == 1_000_000


async def test_an_unknown_model_is_refused_clearly_and_nothing_is_kept(owner: Owner) -> None:
    conversation_id = await owner.conversation()
    path = f"/api/v1/conversations/{conversation_id}"
    refusals = [
        await owner.send(conversation_id, "Hello", model_id="none"),
        await owner.client.post("/api/v1/conversations", json={"model_id": "none"}),
        await owner.client.patch(path, json={"model_id": "none"}),
    ]
    for refused in refusals:
        problem = refused.json()["error"]
        assert (refused.status_code, problem["code"]) == (404, "not_found")
        assert "model" in problem["message"]
        assert problem["hint"]
    assert await owner.messages(conversation_id) == []


async def test_a_model_that_is_not_on_board_ends_the_answer_with_what_to_do(owner: Owner) -> None:
    listed = (await owner.client.get("/api/v1/models")).json()["items"]
    absent = next(card["id"] for card in listed if card["state"] == "available")
    conversation_id = await owner.conversation()
    _, answer_id = await owner.say(conversation_id, "Hello", model_id=absent)
    (error,) = await owner.events(answer_id)
    assert (error.kind, error.data["code"]) == ("error", "conflict")
    assert "Download" in error.data["hint"]


async def test_a_restart_of_the_box_tells_every_answer_from_its_row(
    box_to_restart: ClaimedBox,
) -> None:
    async with box_to_restart.owner() as owner:
        await owner.until_ready()
        conversation_id = await owner.conversation()
        answer_id = await _stopped(owner, conversation_id, "Tell me")
        everything = await owner.events(answer_id)
        _, cut = await owner.say(conversation_id, "And now?", parent_id=answer_id)
        seen = await owner.first_events(cut, DELTAS)
    box_to_restart.stop()
    box_to_restart.start()
    async with box_to_restart.owner() as owner:
        for event in everything:
            rest = await owner.events(answer_id, event.sequence)
            assert text_of([*everything[: event.sequence], *rest]) == text_of(everything)
        told = await owner.events(cut, seen[-1].sequence)
        assert [event.kind for event in told] == ["snapshot", "error"]
        assert told[-1].data["code"] == "interrupted"
        assert text_of(told).startswith(text_of(seen))
