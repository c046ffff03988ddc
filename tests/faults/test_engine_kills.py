"""The engine is killed again and again under four chats; each kill costs at most their answers."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import openai
import psutil
import pytest
from openai.types.chat import ChatCompletionUserMessageParam

from tests.claimed_box import (
    RECOVERY_SECONDS,
    ClaimedBox,
    Owner,
    Told,
    claimed_box,
    text_of,
    write_endless_model,
)

pytestmark = pytest.mark.slow

KILLS = 50
CHATS = 4
ROUNDS_PER_EARLY_KILL = 5


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClaimedBox]:
    folder = tmp_path_factory.mktemp("box")
    model = write_endless_model(folder / "model")
    with claimed_box(folder / "data", profile="vm", demo_model_dir=str(model)) as claimed:
        yield claimed


@pytest.fixture
async def owner(box: ClaimedBox) -> AsyncIterator[Owner]:
    async with box.owner() as owner:
        await owner.until_ready()
        yield owner


class Chat:
    """One conversation, and everything that was seen of it."""

    def __init__(self, owner: Owner, conversation_id: str) -> None:
        self.conversation_id = conversation_id
        self.asked: list[str] = []
        self.answers: dict[str, str] = {}
        self._owner = owner
        self._last: str | None = None
        self._events: list[Told] = []
        self._reading: asyncio.Task[None] | None = None
        self._speaks = asyncio.Event()

    async def ask(self) -> None:
        """Send the next message and begin to read its answer; the model reads one turn back."""
        self.asked.append(f"Question {len(self.asked)}")
        message_id, self._last = await self._owner.say(
            self.conversation_id, self.asked[-1], parent_id=self._last
        )
        path = f"/api/v1/conversations/{self.conversation_id}"
        shortened = await self._owner.client.patch(path, json={"context_from_id": message_id})
        shortened.raise_for_status()
        self._events, self._speaks = [], asyncio.Event()
        self._reading = asyncio.create_task(self._read(self._last))

    async def speaks(self) -> None:
        """Return once the answer has words; fails if it ends without."""
        assert self._reading is not None
        spoke = asyncio.create_task(self._speaks.wait())
        await asyncio.wait({spoke, self._reading}, return_when=asyncio.FIRST_COMPLETED)
        spoke.cancel()
        assert self._speaks.is_set(), self._events[-1]

    async def end(self) -> Told:
        """Return what was told last."""
        assert self._reading is not None
        assert self._last is not None
        await self._reading
        self.answers[self._last] = text_of(self._events)
        return self._events[-1]

    async def stop(self) -> None:
        """Stop the answer."""
        assert self._last is not None
        await self._owner.stop(self._last)

    async def _read(self, answer_id: str) -> None:
        async for event in self._owner.follow(answer_id):
            self._events.append(event)
            if event.kind == "delta":
                self._speaks.set()


async def _all_speak_within(chats: list[Chat], seconds: float) -> None:
    async with asyncio.timeout(seconds):
        await asyncio.gather(*(chat.speaks() for chat in chats))


def _kill(engine: psutil.Process) -> float:
    """Kill the engine; returns by when its successor must have answered."""
    engine.kill()
    return time.monotonic() + RECOVERY_SECONDS


async def _kill_before_the_first_word(box: ClaimedBox, chats: list[Chat], owner: Owner) -> float:
    """Ask while the engine stands still, then kill it: nobody has read a word."""
    await owner.until_ready()
    engine = box.engine()
    engine.suspend()
    await asyncio.gather(*(chat.ask() for chat in chats))
    return _kill(engine)


async def _stop_all(chats: list[Chat]) -> None:
    await asyncio.gather(*(chat.stop() for chat in chats))
    ends = await asyncio.gather(*(chat.end() for chat in chats))
    assert [end.data["status"] for end in ends] == ["stopped"] * CHATS


@pytest.mark.timeout(400)
async def test_fifty_kills_under_four_chats_cost_only_the_answers_in_flight(
    box: ClaimedBox, owner: Owner
) -> None:
    chats = [Chat(owner, await owner.conversation()) for _ in range(CHATS)]
    await asyncio.gather(*(chat.ask() for chat in chats))
    await _all_speak_within(chats, RECOVERY_SECONDS)
    await _stop_all(chats)
    kills, rounds, deadline = 0, 0, time.monotonic() + RECOVERY_SECONDS
    while kills < KILLS:
        rounds += 1
        if rounds % ROUNDS_PER_EARLY_KILL == 0:
            deadline = await _kill_before_the_first_word(box, chats, owner)
            kills += 1
        else:
            await asyncio.gather(*(chat.ask() for chat in chats))
        await _all_speak_within(chats, deadline - time.monotonic())
        deadline = _kill(box.engine())
        kills += 1
        for end in await asyncio.gather(*(chat.end() for chat in chats)):
            assert (end.kind, end.data["code"]) == ("error", "engine_stopped")
            assert end.data["message"]
            assert end.data["hint"]
            assert end.data["retriable"] is True
    await asyncio.gather(*(chat.ask() for chat in chats))
    await _all_speak_within(chats, deadline - time.monotonic())
    await _stop_all(chats)
    for chat in chats:
        stored = await owner.messages(chat.conversation_id)
        questions = [row for row in stored if row["role"] == "user"]
        answers = [row for row in stored if row["role"] == "assistant"]
        assert [row["content"] for row in questions] == chat.asked
        assert [row["parent_id"] for row in answers] == [row["id"] for row in questions]
        assert {row["id"]: row["content"] for row in answers} == chat.answers
        lost = [row["error"]["code"] for row in answers if row["status"] == "failed"]
        assert lost == ["engine_stopped"] * rounds
        assert [row["status"] for row in answers if row["status"] != "failed"] == ["stopped"] * 2


async def test_a_kill_ends_a_programs_answer_with_an_error_that_says_so(
    box: ClaimedBox, owner: Owner
) -> None:
    key = (await owner.client.post("/api/v1/api-keys", json={"name": "program"})).json()["key"]
    hello: list[ChatCompletionUserMessageParam] = [{"role": "user", "content": "Hello"}]
    async with openai.AsyncOpenAI(
        base_url=f"{box.running.url}/v1", api_key=key, max_retries=0
    ) as program:
        completions = program.chat.completions
        stream = await completions.create(model="allerac-demo", messages=hello, stream=True)
        chunks = aiter(stream)
        while not (await anext(chunks)).choices[0].delta.content:
            pass
        deadline = _kill(box.engine())
        with pytest.raises(openai.APIError) as told:
            await _exhaust(chunks)
        assert "stopped" in told.value.message
        async with asyncio.timeout(deadline - time.monotonic()):
            short = await completions.create(model="allerac-demo", messages=hello, max_tokens=2)
    assert short.choices[0].finish_reason == "length"


async def _exhaust(items: AsyncIterator[object]) -> None:
    async for _ in items:
        pass
