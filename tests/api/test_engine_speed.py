"""What the box says of its engine's speed, and how many threads it leaves it beside other work."""

import asyncio
from collections.abc import AsyncGenerator
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from allerac.engine.protocol import (
    EngineEvent,
    Finished,
    GenerationRequest,
    PromptMessage,
    Sampling,
    Usage,
)
from allerac.engine.supervisor import EngineSupervisor
from allerac.engine.wire import Step
from allerac.hardware.machine import detect_machine
from tests.engine.asking import first_words

from .conftest import PASSWORD, claim
from .test_resumed_conversation import DEADLINE_SECONDS, box, ready

ENDLESS = Sampling(temperature=1.0, grammar="root ::= [a-z]{400}")


async def _record(client: httpx.AsyncClient) -> dict[str, Any]:
    told = await client.get("/api/v1/engine/speed")
    assert told.is_success, told.text
    body: dict[str, Any] = told.json()
    return body


def _limits(engine: EngineSupervisor) -> list[int]:
    """How many threads it may use, where that is limited."""
    return [] if engine.thread_limit is None else [engine.thread_limit]


def _ended(told: float, actual: float) -> Step:
    """A step with the end of an answer whose first word was told to come after `told` seconds."""
    return Step(0.0, (("r", Finished("stop", Usage(9, 0, 5, actual, 10.0, told))),))


async def _measured(app: FastAPI, client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not (await _record(client))["calibrations"]:  # noqa: ASYNC110 - it is asked for
            await asyncio.sleep(0.05)


@pytest.mark.timeout(240)
async def test_speed_and_error_of_past_estimates_are_told_and_outlive_a_restart(
    tmp_path: Path,
) -> None:
    async with box(tmp_path) as (app, client):
        await claim(client, app.state.services.onboarding.claim_code())
        await ready(app)
        await _measured(app, client)
        for told, actual in ((1.0, 1.0), (2.4, 2.0), (4.0, 2.0)):
            app.state.runtime.engine.on_report(_ended(told, actual))
        first = await _record(client)
        assert first["honesty"] == {"estimates": 3, "median_error": pytest.approx(0.2)}
    async with box(tmp_path) as (app, client):
        signed_in = await client.post("/api/v1/session", json={"name": "Ana", "password": PASSWORD})
        assert signed_in.is_success, signed_in.text
        await ready(app)
        later = await _record(client)
    assert later["honesty"] == first["honesty"]
    figures = ("model_id", "prefill_tokens_per_second", "decode_tokens_per_second")
    (before,), (speed,) = first["calibrations"], later["calibrations"]
    assert [speed[name] for name in figures] == [before[name] for name in figures]
    assert speed["model_id"] == "allerac-demo"
    assert speed["prefill_tokens_per_second"] > 0
    assert speed["decode_tokens_per_second"] > 0


async def _answering(engine: EngineSupervisor) -> AsyncGenerator[EngineEvent, None]:
    """Return an answer that is still computed; one may be over before its first word is read."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        for number in count():
            asked = GenerationRequest(
                f"r{number}", "allerac-demo", "ana", (PromptMessage("user", "Hello"),), ENDLESS
            )
            answer = engine.generate(asked)
            assert await first_words(answer)
            if engine.status().active:
                return answer
            await answer.aclose()
    raise AssertionError


@pytest.mark.timeout(240)
async def test_chats_compute_with_fewer_threads_while_a_document_is_read_beside_them(
    tmp_path: Path,
) -> None:
    async with box(tmp_path) as (app, client):
        await claim(client, app.state.services.onboarding.claim_code())
        await ready(app)
        engine: EngineSupervisor = app.state.runtime.engine
        pace = app.state.runtime.knowledge.pace
        with pace.work():
            assert not _limits(engine), "nobody is answered"
        answer = await _answering(engine)
        with pace.work():
            assert _limits(engine) == [max(1, detect_machine().cores // 2)]
        assert not _limits(engine)
        await answer.aclose()
