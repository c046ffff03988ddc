"""A claimed box as its own process, and its owner, who chats with it over HTTP."""

import asyncio
import hashlib
import json
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import psutil
import yaml

from tests.api.conftest import claim
from tests.engine.tiny_model import Shape, write_tiny_model
from tests.running_box import RunningBox, start_box

REQUEST_SECONDS: Final = 60.0
RECOVERY_SECONDS: Final = 10.0 * float(os.environ.get("ALLERAC_TEST_TIME_FACTOR", "1"))
"""How soon a message must work again after a fault; the factor is for machines that are busy."""

CONTEXT_TOKENS: Final = 4096
TALKATIVE: Final = Shape(width=256, heads=4, layers=8)
"""A few hundred tokens a second: an answer lasts for ten seconds and more."""

SLOW: Final = Shape(width=512, heads=8, layers=8)
"""Half as fast."""

Json = dict[str, Any]
Start = Callable[[], RunningBox]


@dataclass(frozen=True, slots=True)
class Told:
    """One server-sent event of an answer."""

    sequence: int
    kind: str
    data: Json


@dataclass(frozen=True, slots=True)
class Owner:
    """The owner's browser."""

    client: httpx.AsyncClient

    async def conversation(self) -> str:
        """Start a conversation and return its id."""
        made = await self.client.post("/api/v1/conversations", json={})
        conversation_id: str = _ok(made)["id"]
        return conversation_id

    async def send(self, conversation_id: str, content: str, **rest: Any) -> httpx.Response:
        """Send a message and return the response, whatever it is."""
        body = {"content": content, "client_id": content[:60], "parent_id": None, **rest}
        return await self.client.post(
            f"/api/v1/conversations/{conversation_id}/messages", json=body
        )

    async def say(self, conversation_id: str, content: str, **rest: Any) -> tuple[str, str]:
        """Send a message that is taken; returns its id and that of its answer."""
        sent = _ok(await self.send(conversation_id, content, **rest))
        return sent["message"]["id"], sent["answer"]["id"]

    async def follow(self, answer_id: str, after: int | None = None) -> AsyncGenerator[Told, None]:
        """Read an answer's events, from the one after `after` on, as a browser resumes."""
        headers = {} if after is None else {"Last-Event-ID": str(after)}
        path = f"/api/v1/generations/{answer_id}/events"
        async with self.client.stream("GET", path, headers=headers) as response:
            response.raise_for_status()
            fields: dict[str, str] = {}
            async for line in response.aiter_lines():
                if line:
                    name, _, value = line.partition(": ")
                    fields[name] = value
                elif "event" in fields:
                    data = json.loads(fields["data"])
                    yield Told(int(fields["id"]), fields["event"], data)
                    fields = {}

    async def events(self, answer_id: str, after: int | None = None) -> list[Told]:
        """Read an answer's events to its end."""
        return [event async for event in self.follow(answer_id, after)]

    async def first_events(self, answer_id: str, deltas: int = 1) -> list[Told]:
        """Read until the answer has said something `deltas` times, then leave."""
        seen: list[Told] = []
        async with aclosing(self.follow(answer_id)) as stream:
            async for event in stream:
                seen.append(event)
                deltas -= event.kind == "delta"
                if not deltas:
                    break
        return seen

    async def stop(self, answer_id: str) -> None:
        """Stop an answer."""
        (await self.client.delete(f"/api/v1/generations/{answer_id}")).raise_for_status()

    async def messages(self, conversation_id: str) -> list[Json]:
        """Return all messages of a conversation, oldest first."""
        items: list[Json] = []
        cursor: str | None = ""
        while cursor is not None:
            query = {"cursor": cursor} if cursor else {}
            path = f"/api/v1/conversations/{conversation_id}/messages"
            page = _ok(await self.client.get(path, params=query))
            items += page["items"]
            cursor = page["next_cursor"]
        return items

    async def message(self, conversation_id: str, message_id: str) -> Json:
        """Return one message as it is stored."""
        stored = await self.messages(conversation_id)
        return next(message for message in stored if message["id"] == message_id)

    async def until_ready(self) -> None:
        """Return once the box says that it can answer; fails after `RECOVERY_SECONDS`."""
        async with asyncio.timeout(RECOVERY_SECONDS):
            while (await self.client.get("/readyz")).status_code != 200:  # noqa: ASYNC110 - the box has no event to wait on
                await asyncio.sleep(0.02)


class ClaimedBox:
    """A box with an owner; it may be stopped, killed and started again."""

    def __init__(self, start: Start) -> None:
        self.running = start()
        self._start = start
        self._cookies: dict[str, str] = {}

    @property
    def cookies(self) -> dict[str, str]:
        """The owner's session, for a real browser."""
        return dict(self._cookies)

    def start(self) -> None:
        """Start it again where it was stopped or killed."""
        self.running = self._start()

    def stop(self) -> None:
        """Stop it, unless it has ended already."""
        if self.running.process.poll() is None:
            self.running.stop()

    async def claim(self) -> None:
        """Go through the wizard and keep the owner's session."""
        async with httpx.AsyncClient(base_url=self.running.url, timeout=REQUEST_SECONDS) as client:
            await claim(client, self.running.claim_code)
            self._cookies = dict(client.cookies)

    @asynccontextmanager
    async def owner(self) -> AsyncIterator[Owner]:
        """Open the owner's browser."""
        async with httpx.AsyncClient(
            base_url=self.running.url, cookies=self._cookies, timeout=REQUEST_SECONDS
        ) as client:
            yield Owner(client)

    def engine(self) -> psutil.Process:
        """Return the engine's process; waits for one that is being started."""
        runtime = psutil.Process(self.running.process.pid)
        end = time.monotonic() + RECOVERY_SECONDS
        while time.monotonic() < end:
            for child in runtime.children():
                with suppress(psutil.NoSuchProcess):
                    if "allerac.engine.child" in child.cmdline():
                        return child
        raise AssertionError("there is no engine")


@contextmanager
def claimed_box(
    data_dir: Path, *, within: Sequence[str] = (), **settings: str
) -> Iterator[ClaimedBox]:
    """Start a box as `start_box` does, claim it, and stop it in the end."""

    def start() -> RunningBox:
        return start_box(data_dir, within=within, **settings)

    box = ClaimedBox(start)
    try:
        asyncio.run(box.claim())
        yield box
    finally:
        box.stop()


def write_model_facts(file: Path) -> Path:
    """Describe `file` as the demonstration model of its folder; returns the folder."""
    content = file.read_bytes()
    facts = {
        "id": "allerac-demo",
        "file": file.name,
        "size_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "context_length": CONTEXT_TOKENS,
        "answer_tokens": CONTEXT_TOKENS,
    }
    (file.parent / "model.yaml").write_text(yaml.safe_dump(facts))
    return file.parent


def write_endless_model(folder: Path, shape: Shape = TALKATIVE) -> Path:
    """Write a model that talks nonsense until its context is full; returns its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "endless.gguf"
    return write_model_facts(write_tiny_model(file, context_length=CONTEXT_TOKENS, shape=shape))


def text_of(events: list[Told]) -> str:
    """What a client shows that has seen `events`."""
    text = ""
    for event in events:
        if event.kind == "snapshot":
            text = event.data["text"]
        elif event.kind == "delta":
            text += event.data["text"]
    return text


def _ok(response: httpx.Response) -> Json:
    assert response.is_success, response.text
    body: Json = response.json()
    return body
