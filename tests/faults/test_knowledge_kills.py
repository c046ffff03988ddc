"""The power goes while a document is taken in, replaced or removed; then it is whole or gone."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from tests.claimed_box import ClaimedBox, claimed_box
from tests.faults.papers import (
    FILES,
    NOTHING,
    SECONDS,
    Json,
    add,
    long_paper,
    passages,
    ready,
    remains,
    until,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

WIDTH_BYTES = 192 * 4

Stage = Callable[[ClaimedBox, str], bool]


def _is_read(box: ClaimedBox, _: str) -> bool:
    children = psutil.Process(box.running.process.pid).children()
    for child in children:
        with suppress(psutil.NoSuchProcess):
            if "allerac.knowledge.worker" in child.cmdline():
                return True
    return False


def _draft(box: ClaimedBox, pattern: str) -> Path | None:
    return next((box.running.data_dir / "reading").glob(pattern), None)


def _is_extracted(box: ClaimedBox, file_id: str) -> bool:
    return _draft(box, f"{file_id}-*.pieces") is not None


def _is_cut(box: ClaimedBox, file_id: str) -> bool:
    return _draft(box, f"{file_id}-*.chunks") is not None


def _is_partly_embedded(box: ClaimedBox, file_id: str) -> bool:
    return _draft(box, f"{file_id}-*.vectors") is not None


def _is_embedded(box: ClaimedBox, file_id: str) -> bool:
    vectors, chunks = (_draft(box, f"{file_id}-*.{kind}") for kind in ("vectors", "chunks"))
    if vectors is None or chunks is None:
        return False
    with suppress(FileNotFoundError):
        wanted = len(chunks.read_text().splitlines())
        return vectors.stat().st_size >= wanted * WIDTH_BYTES
    return False


STAGES: dict[str, Stage] = {
    "acknowledged": lambda *_: True,
    "read": _is_read,
    "extracted": _is_extracted,
    "cut": _is_cut,
    "partly-embedded": _is_partly_embedded,
    "embedded": _is_embedded,
}


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClaimedBox]:
    with claimed_box(tmp_path_factory.mktemp("box"), profile="vm") as started:
        yield started


@pytest.fixture(scope="module")
def undisturbed(box: ClaimedBox) -> list[tuple[int, str, str]]:
    """What a document consists of that nothing has disturbed."""

    async def take_in() -> list[tuple[int, str, str]]:
        async with box.owner() as owner:
            file = await add(owner.client, "calm.md", long_paper("calm "))
            await ready(owner.client, file["id"])
            return await passages(owner.client, file["id"])

    return asyncio.run(take_in())


async def _listed(box: ClaimedBox) -> list[Json]:
    async with box.owner() as owner:
        items: list[Json] = (await owner.client.get(FILES)).json()["items"]
        return items


async def _kill_at(box: ClaimedBox, file_id: str, reached: Stage) -> None:
    """Kill the box as soon as the document has come so far, or has gone past it."""
    async with asyncio.timeout(SECONDS):
        while not reached(box, file_id):
            listed = {file["id"]: file["state"] for file in await _listed(box)}
            if listed[file_id] == "ready":
                break
    box.running.kill()


@pytest.mark.parametrize("stage", STAGES)
async def test_document_is_finished_once_and_whole_after_a_kill_when(
    box: ClaimedBox, undisturbed: list[tuple[int, str, str]], stage: str
) -> None:
    async with box.owner() as owner:
        file = await add(owner.client, f"{stage}.md", long_paper(f"{stage} "))
    await _kill_at(box, file["id"], STAGES[stage])

    box.start()
    async with box.owner() as owner:
        file = await ready(owner.client, file["id"])
        assert file["passages"] == len(undisturbed) > 100
        assert (await passages(owner.client, file["id"]))[:-1] == undisturbed[:-1]
    box.stop()
    assert await remains(box.running.data_dir) == NOTHING
    box.start()


@pytest.mark.parametrize("stage", ["acknowledged", "read", "partly-embedded"])
async def test_new_version_is_finished_and_nothing_left_of_the_old_one_after_a_kill_when(
    box: ClaimedBox, stage: str
) -> None:
    old, new = f"old {stage} ", f"new {stage} "
    async with box.owner() as owner:
        file = await add(owner.client, f"{stage} again.md", long_paper(old, sections=5))
        await ready(owner.client, file["id"])
        sent = await owner.client.put(
            f"{FILES}/{file['id']}/content",
            params={"name": "new.md"},
            content=long_paper(new),
            headers={"Content-Type": "application/octet-stream"},
        )
        assert sent.is_success, sent.text
    await _kill_at(box, file["id"], STAGES[stage])

    box.start()
    async with box.owner() as owner:
        file = await ready(owner.client, file["id"])
        assert (file["name"], file["version"]) == ("new.md", 2)
        told = [text for _, _, text in await passages(owner.client, file["id"])]
        assert len(told) > 100
        assert new.strip() in told[-1]
        assert not any(old.strip() in text for text in told)
    box.stop()
    assert await remains(box.running.data_dir) == NOTHING
    box.start()


async def test_removed_documents_are_gone_or_whole_after_a_kill_meanwhile(box: ClaimedBox) -> None:
    async with box.owner() as owner:
        files = [
            await add(owner.client, f"leaves {n}.md", long_paper(f"leaves {n} ", sections=20))
            for n in range(6)
        ]
        for file in files:
            await ready(owner.client, file["id"])

    gone: list[str] = []
    first_is_gone = asyncio.Event()

    async def remove(file_id: str) -> None:
        async with box.owner() as owner:
            with suppress(httpx.TransportError):
                removed = await owner.client.delete(f"{FILES}/{file_id}")
                assert removed.status_code == 204, removed.text
                gone.append(file_id)
                first_is_gone.set()

    removing = [asyncio.create_task(remove(file["id"])) for file in files]
    async with asyncio.timeout(SECONDS):
        await first_is_gone.wait()
    box.running.kill()
    await asyncio.gather(*removing)

    box.start()
    left = {file["id"] for file in await _listed(box)}
    assert not left & set(gone)
    async with box.owner() as owner:
        for file in files:
            if file["id"] in left:
                assert len(await passages(owner.client, file["id"])) == 21
    box.stop()
    assert await remains(box.running.data_dir) == NOTHING
    box.start()


@pytest.mark.parametrize("times", [1, 3])
async def test_document_is_whole_when_the_process_that_embeds_it_is_killed(
    box: ClaimedBox, undisturbed: list[tuple[int, str, str]], times: int
) -> None:
    async with box.owner() as owner:
        file = await add(owner.client, f"embedded {times}.md", long_paper(f"embedded {times} "))
        for _ in range(times):
            embeds = await _embedder(box)
            await until(owner.client, file["id"], lambda told: told["state"] != "processing")
            embeds.kill()
            embeds.wait(SECONDS)
        file = await ready(owner.client, file["id"])
        assert file["passages"] == len(undisturbed)
        assert (await passages(owner.client, file["id"]))[:-1] == undisturbed[:-1]
    box.stop()
    assert await remains(box.running.data_dir) == NOTHING
    box.start()


async def _embedder(box: ClaimedBox) -> psutil.Process:
    """Return the process that has the embedding model open; waits for one that starts."""
    async with asyncio.timeout(SECONDS):
        while True:
            for child in psutil.Process(box.running.process.pid).children():
                with suppress(psutil.Error):
                    if any("embedding" in each.path for each in child.memory_maps()):
                        return child
            await asyncio.sleep(0.01)


async def test_document_that_had_not_arrived_is_gone_after_a_kill_and_can_be_sent_again(
    box: ClaimedBox,
) -> None:
    content = long_paper("arriving ")
    half_is_there = asyncio.Event()

    async def half() -> AsyncIterator[bytes]:
        yield content[: len(content) // 2]
        half_is_there.set()
        await asyncio.Event().wait()

    async def send() -> None:
        async with box.owner() as owner:
            with suppress(httpx.TransportError):
                await add(owner.client, "arriving.md", half())

    before = await _listed(box)
    sending = asyncio.create_task(send())
    async with asyncio.timeout(SECONDS):
        await half_is_there.wait()
        while "uploading" not in {file["state"] for file in await _listed(box)}:
            pass
    box.running.kill()
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)

    box.start()
    assert [file["id"] for file in await _listed(box)] == [file["id"] for file in before]
    async with box.owner() as owner:
        file = await add(owner.client, "arriving.md", content)
        await ready(owner.client, file["id"])
    box.stop()
    assert await remains(box.running.data_dir) == NOTHING
    box.start()
