"""Documents wait while the box is hot or its disk is short, and for each reason by itself."""

import asyncio
import contextlib

import pytest

from allerac.knowledge.pace import LONGEST_REST_SECONDS, REST_PER_WORK, ConsideratePace

MOMENT_SECONDS = 0.05


async def test_nothing_waits_while_nobody_chats_and_nobody_holds() -> None:
    pace = ConsideratePace(is_busy=lambda: False)
    async with asyncio.timeout(MOMENT_SECONDS):
        await pace.rest(3600.0)


async def test_work_goes_on_when_the_last_reason_is_taken_back() -> None:
    pace = ConsideratePace(is_busy=lambda: False)
    pace.hold("heat")
    pace.hold("disk")
    pace.hold("disk")
    resting = asyncio.create_task(pace.rest(0.0))
    pace.release("disk")
    await asyncio.sleep(MOMENT_SECONDS)
    assert not resting.done()
    pace.release("heat")
    async with asyncio.timeout(MOMENT_SECONDS):
        await resting


@pytest.mark.parametrize("chats", [True, False])
async def test_chats_leave_room_while_a_bit_is_read_beside_them(chats: bool) -> None:
    rooms: list[bool] = []
    pace = ConsideratePace(is_busy=lambda: chats, make_room=rooms.append)
    with contextlib.suppress(ValueError), pace.work():
        assert rooms == [True] * chats
        raise ValueError
    assert rooms == [True, False] * chats


@pytest.mark.parametrize(("worked", "rested"), [(1.0, REST_PER_WORK), (60.0, LONGEST_REST_SECONDS)])
async def test_beside_a_chat_most_of_the_time_is_rested(
    monkeypatch: pytest.MonkeyPatch, worked: float, rested: float
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    await ConsideratePace(is_busy=lambda: True).rest(worked)
    assert slept == [rested]
