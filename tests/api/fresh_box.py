"""A box of its own for each test: real routes and database, a clock to turn, no model."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from fastapi import FastAPI

from allerac.accounts import AccountService, Passwords
from allerac.app import AccountSecrets, Runtime, create_app
from allerac.appliance.rescue_codes import RescueCodes
from allerac.chat import ChatService
from allerac.events import EventLogs
from allerac.onboarding import OnboardingService
from allerac.onboarding.claim_code import ClaimCode
from allerac.settings import Settings
from allerac.storage import Database
from allerac.storage.accounts import AccountStore
from allerac.storage.attempts import AttemptStore
from allerac.storage.box import BoxStore
from allerac.storage.conversations import ConversationStore
from allerac.storage.invitations import InvitationStore
from tests.fakes import FakeEngine, FakeModels

from .conftest import PASSWORD, claim

HOME = "192.168.1.10"


class Clock:
    """The time of day, which a test turns forward."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now

    def turn(self, **amount: float) -> None:
        """Let time pass: `seconds=1`, `days=30`."""
        self.now += timedelta(**amount)


@dataclass(slots=True)
class FreshBox:
    """A box with what a test needs to reach into it."""

    app: FastAPI
    folder: Path
    clock: Clock
    engine: FakeEngine
    claim_code: str
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    @property
    def database(self) -> Database:
        """The database, for what no route tells."""
        runtime: Runtime = self.app.state.runtime
        return runtime.database

    def browser(
        self, address: str = HOME, *, scheme: str = "http", **headers: str
    ) -> httpx.AsyncClient:
        """Return a new browser (or program) at `address`."""
        transport = httpx.ASGITransport(
            self.app, raise_app_exceptions=False, client=(address, 50000)
        )
        client = httpx.AsyncClient(
            transport=transport, base_url=f"{scheme}://localhost", headers=headers, timeout=30
        )
        self.clients.append(client)
        return client

    async def owner(self) -> httpx.AsyncClient:
        """Claim the box for Ana and return her browser."""
        browser = self.browser()
        await claim(browser, self.claim_code)
        return browser

    async def sign_in(
        self, name: str, password: str = PASSWORD, address: str = HOME
    ) -> httpx.AsyncClient:
        """Return a new browser in which `name` is signed in."""
        browser = self.browser(address)
        response = await sign_in(browser, name, password)
        assert response.status_code == 201, response.text
        return browser


async def sign_in(
    browser: httpx.AsyncClient, name: str = "Ana", password: str = PASSWORD
) -> httpx.Response:
    """Try to sign in."""
    return await browser.post("/api/v1/session", json={"name": name, "password": password})


async def invite(owner: httpx.AsyncClient, role: str = "member") -> str:
    """Return the path of a new invitation."""
    made = await owner.post("/api/v1/invitations", json={"role": role})
    assert made.status_code == 201, made.text
    return "/api/v1/join/" + str(made.json()["url"]).rsplit("/", 1)[1]


async def join(browser: httpx.AsyncClient, path: str, name: str) -> httpx.Response:
    """Accept an invitation."""
    return await browser.post(path, json={"name": name, "password": PASSWORD, "language": "en"})


async def is_signed_in(browser: httpx.AsyncClient) -> bool:
    """Tell whether the box still knows this browser."""
    return (await browser.get("/api/v1/session")).status_code == 200


@asynccontextmanager
async def fresh_box(
    folder: Path, *, clock: Clock | None = None, passwords: Passwords | None = None
) -> AsyncIterator[FreshBox]:
    """Open the box in `folder`; opened again, it is the same box after a restart."""
    clock = clock or Clock()
    passwords = passwords or Passwords(memory_kib=64, passes=1)
    app = create_app(Settings(data_dir=folder, announce=False), port=80, passwords=passwords)
    runtime: Runtime = app.state.runtime
    database, engine = runtime.database, FakeEngine()
    attempts = AttemptStore(database)
    onboarding = OnboardingService(
        store=BoxStore(database),
        attempts=attempts,
        code=ClaimCode(folder / "secrets" / "claim-code", lambda: "ABCDEFGH"),
        secrets=AccountSecrets(passwords, RescueCodes(None)),
        clock=clock,
    )
    chat = ChatService(
        store=ConversationStore(database), engine=engine, models=FakeModels(), logs=EventLogs()
    )
    accounts = AccountService(
        accounts=AccountStore(database),
        invitations=InvitationStore(database),
        attempts=attempts,
        passwords=passwords,
        clock=clock,
    )
    app.state.services = replace(
        runtime.services, accounts=accounts, onboarding=onboarding, chat=chat
    )
    await database.open()
    await onboarding.start()
    box = FreshBox(app, folder, clock, engine, onboarding.claim_code() or "")
    try:
        yield box
    finally:
        for client in box.clients:
            await client.aclose()
        await chat.stop()
        await database.close()
