"""A claimed box on recorded sensors, asked for its health over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
from fastapi import FastAPI

from allerac.accounts import Passwords
from allerac.app import create_app
from allerac.settings import Settings
from tests.api.conftest import Household, claim
from tests.recorded_machine import RecordedMachine

DEADLINE_SECONDS: Final = 60.0
Health = dict[str, Any]


@dataclass(frozen=True, slots=True)
class HealthBox:
    """The running application, the machine below it, and its owner's client."""

    app: FastAPI
    machine: RecordedMachine
    owner: httpx.AsyncClient
    settings: Settings

    async def until(self, reached: Callable[[Health], bool]) -> Health:
        """Return the health once it is so."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while True:
                health: Health = (await self.owner.get("/api/v1/health")).json()
                if reached(health):
                    return health
                await asyncio.sleep(0.05)

    async def until_issue(self, code: str) -> Health:
        """Return the issue once it is there."""
        health = await self.until(lambda health: code in codes_of(health))
        issue: Health = next(issue for issue in health["issues"] if issue["code"] == code)
        return issue


def codes_of(health: Health) -> set[str]:
    """Return the codes of what is wrong."""
    return {issue["code"] for issue in health["issues"]}


@asynccontextmanager
async def health_box(
    folder: Path, machine: RecordedMachine | None = None, **settings: object
) -> AsyncIterator[HealthBox]:
    """Run a box in `folder` that looks at `machine`, a usual one if there is none."""
    machine = machine or RecordedMachine(folder / "machine").usual()
    chosen = Settings.model_validate(
        {
            "data_dir": folder / "data",
            "announce": False,
            "sensors_root": machine.root,
            "sample_seconds": 0.05,
            **settings,
        }
    )
    app = create_app(chosen, port=80, passwords=Passwords(memory_kib=64, passes=1))
    async with app.router.lifespan_context(app):
        owner = Household(app).open("owner")
        await claim(owner, app.state.services.onboarding.claim_code())
        yield HealthBox(app, machine, owner, chosen)
        await owner.aclose()
