"""The whole runtime is killed again and again while browsers write over HTTP.

The model is not on board: an answer ends at once with an error that says so, which is one more
write, and a start needs no engine.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from shutil import copy

import httpx
import pytest

from tests.api.conftest import claim
from tests.claimed_box import REQUEST_SECONDS, Owner
from tests.engine.asking import DEMO
from tests.faults.soundness import damage_of, not_searchable
from tests.running_box import RunningBox, start_box

KILLS = 200
BROWSERS = 3
ACKNOWLEDGED_UNTIL_KILL = 4
ABSENT_MODEL = "qwen2.5-0.5b-instruct-q4_k_m"


class Runtime:
    """One box's runtime, started and killed as often as is wanted."""

    def __init__(self, data_dir: Path, client: httpx.AsyncClient) -> None:
        self.client = client
        self.acknowledged: asyncio.Queue[str] = asyncio.Queue()
        self.is_up = asyncio.Event()
        self.claim_code: str | None = None
        self._data_dir = data_dir
        self._box: RunningBox | None = None

    async def start(self) -> None:
        """Start it and return once it is ready."""
        folder = self._data_dir
        self._box = await asyncio.to_thread(start_box, folder, demo_model_dir=str(folder))
        self.claim_code = self._box.claim_code or self.claim_code
        self.client.base_url = httpx.URL(self._box.url)
        self.acknowledged = asyncio.Queue()
        self.is_up.set()

    def kill(self) -> None:
        """End it as a power cut does."""
        self.is_up.clear()
        if self._box is not None:
            self._box.kill()

    async def stop(self) -> None:
        """End it as a person does."""
        self.is_up.clear()
        if self._box is not None:
            await asyncio.to_thread(self._box.stop)


class Browser:
    """Writes without a pause. One that `repeats` sends again what it is not sure of."""

    def __init__(self, name: str, runtime: Runtime, *, repeats: bool) -> None:
        self.name = name
        self.conversation_id = ""
        self.acknowledged: list[str] = []
        self.unsure: set[str] = set()
        self.title_acknowledged = -1
        self._runtime = runtime
        self._repeats = repeats

    async def write(self) -> None:
        """Send messages and rename the conversation, until cancelled."""
        for number in count():
            content = f"{self.name} {number}"
            while not await self._send(content) and self._repeats:
                pass
            if await self._patch({"title": str(number)}):
                self.title_acknowledged = number

    async def _send(self, content: str) -> bool:
        body = {
            "content": content,
            "client_id": content,
            "parent_id": None,
            "model_id": ABSENT_MODEL,
        }
        path = f"/api/v1/conversations/{self.conversation_id}/messages"
        if not await self._request("POST", path, body):
            self.unsure.add(content)
            return False
        self.acknowledged.append(content)
        self._runtime.acknowledged.put_nowait(content)
        return True

    async def _patch(self, changes: dict[str, str]) -> bool:
        return await self._request(
            "PATCH", f"/api/v1/conversations/{self.conversation_id}", changes
        )

    async def _request(self, method: str, path: str, body: object) -> bool:
        """Whether it was acknowledged; False leaves open whether it was done."""
        await self._runtime.is_up.wait()
        try:
            response = await self._runtime.client.request(method, path, json=body)
        except httpx.TransportError:
            return False
        assert response.is_success or response.status_code == 503, response.text
        return response.is_success


@asynccontextmanager
async def _runtime(data_dir: Path) -> AsyncIterator[Runtime]:
    copy(DEMO.parent / "model.yaml", data_dir)  # the facts without the file
    async with httpx.AsyncClient(timeout=REQUEST_SECONDS) as client:
        runtime = Runtime(data_dir, client)
        try:
            yield runtime
        finally:
            runtime.kill()


@pytest.mark.slow
@pytest.mark.timeout(900)  # a minute where nothing else runs
async def test_200_kills_of_the_runtime_lose_and_double_nothing(tmp_path: Path) -> None:
    file = tmp_path / "allerac.sqlite"
    async with _runtime(tmp_path) as runtime:
        await runtime.start()
        await claim(runtime.client, runtime.claim_code)
        owner = Owner(runtime.client)
        browsers = [Browser(f"Browser {n}", runtime, repeats=n > 0) for n in range(BROWSERS)]
        for browser in browsers:
            browser.conversation_id = await owner.conversation()
        writing = [asyncio.create_task(browser.write()) for browser in browsers]
        for number in range(KILLS):
            for _ in range(1 + number % ACKNOWLEDGED_UNTIL_KILL):
                await runtime.acknowledged.get()
            runtime.kill()
            if number == KILLS - 1:
                assert damage_of(file) == []
            await runtime.start()
        for task in writing:
            task.cancel()
        await asyncio.gather(*writing, return_exceptions=True)
        for browser in browsers:
            await _assert_kept(owner, browser)
        await runtime.stop()
    assert damage_of(file) == []
    assert not_searchable(file) == []


async def _assert_kept(owner: Owner, browser: Browser) -> None:
    """Compare what is stored with what the browser was told."""
    stored = await owner.messages(browser.conversation_id)
    asked = {row["id"]: row["content"] for row in stored if row["role"] == "user"}
    times = Counter(asked.values())
    assert set(times.values()) == {1}
    assert len(browser.acknowledged) == len(set(browser.acknowledged))
    assert set(browser.acknowledged) <= set(times)
    assert set(times) <= set(browser.acknowledged) | browser.unsure
    answered = Counter(row["parent_id"] for row in stored if row["role"] == "assistant")
    assert answered == dict.fromkeys(asked, 1)
    shown = await owner.client.get(f"/api/v1/conversations/{browser.conversation_id}")
    assert int(shown.json()["title"]) >= browser.title_acknowledged
