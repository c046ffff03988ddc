"""A system on trial: runtime, engine and demonstration model are real, RAUC and nginx stand-ins.

Runs in a network and a user of its own (see `test_trial.py`), where port 80 is free; each gate is
started in a time of its own, some seconds after its boot. Prints a line of JSON for each trial.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from allerac.updates.gate import BaselineFile, ReasonFile
from tests.unit.updates.emulated_box import EmulatedBox, Root
from tests.unit.updates.fake_rauc import fake_rauc, private_bus

BOOTED_SECONDS = 5
PROVE_SECONDS = 60
"""Enough for what must hold for 30 s, also on a machine that is busy."""

READY_SECONDS = 60
VERSION = "1.1.0"


async def main(folder: Path) -> None:
    """Try the system as it is, then slower, then without its runtime."""
    box = _new_box()
    with private_bus(folder) as address:
        async with fake_rauc(address, box), _front(folder):
            environment = _environment(folder, address)
            runtime = await _start(environment, "serve")
            await _until_a_model_answers()
            file = BaselineFile.below(folder / "data")
            _tell("works", await _prove(environment), box, folder)

            known = file.read()
            before = replace(known, version="1.0.0", attempt="update-1")
            file.write(replace(before, canaries=tuple(1000 * speed for speed in known.canaries)))
            _tell("slower", await _prove(environment), box, folder)

            runtime.kill()
            await runtime.wait()
            file.write(replace(before, attempt="update-2"))
            _tell("crashed", await _prove(environment), box, folder)


def _new_box() -> EmulatedBox:
    new = Root("rootfs.1", "B", ok=True, tries=1, version=VERSION, manifest_hash="b" * 64)
    return EmulatedBox(roots=[Root("rootfs.0", "A", ok=True, proven=True), new], booted="rootfs.1")


def _environment(folder: Path, address: str) -> dict[str, str]:
    (folder / "identity" / "update").mkdir(parents=True)
    (folder / "update.yaml").write_text(
        f"tier: vm\nversion: {VERSION}\nbuilt_at: 1790000000\nroot: {folder}/root.json\n"
    )
    return {
        **os.environ,
        "DBUS_SYSTEM_BUS_ADDRESS": address,
        "ALLERAC_DATA_DIR": str(folder / "data"),
        "ALLERAC_SOCKET": str(folder / "runtime.sock"),
        "ALLERAC_IDENTITY_DIR": str(folder / "identity"),
        "ALLERAC_UPDATE_CONFIG": str(folder / "update.yaml"),
        "ALLERAC_PROVE_SECONDS": str(PROVE_SECONDS),
        "ALLERAC_ANNOUNCE": "false",
    }


async def _start(
    environment: dict[str, str], command: str, *before: str
) -> asyncio.subprocess.Process:
    words = [*before, sys.executable, "-m", "allerac", command]
    return await asyncio.create_subprocess_exec(*words, env=environment, stdout=sys.stderr)


async def _prove(environment: dict[str, str]) -> int:
    offset = BOOTED_SECONDS - int(time.clock_gettime(time.CLOCK_BOOTTIME))
    gate = await _start(environment, "prove", "unshare", "--time", f"--boottime={offset}", "--fork")
    return await gate.wait()


@asynccontextmanager
async def _front(folder: Path) -> AsyncIterator[None]:
    """Pass connections from port 80 on to the runtime."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inner = await asyncio.open_unix_connection(str(folder / "runtime.sock"))
            await asyncio.gather(_copy(reader, inner[1]), _copy(inner[0], writer))
        except OSError:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 80):
        yield


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        target.write(data)
        await target.drain()
    target.close()


async def _until_a_model_answers() -> None:
    async with asyncio.timeout(READY_SECONDS):
        while not await _is_ready():  # noqa: ASYNC110 - the box has no event to wait on
            await asyncio.sleep(0.2)


async def _is_ready() -> bool:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", 80)
        writer.write(b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
    except OSError:
        return False
    return answer.startswith(b"HTTP/1.1 200")


def _tell(trial: str, code: int, box: EmulatedBox, folder: Path) -> None:
    wish = folder / "restart"
    verdict = ReasonFile(folder / "identity" / "update").read()
    baseline = BaselineFile.below(folder / "data").read()
    told: dict[str, Any] = {
        "trial": trial,
        "code": code,
        "kept": box.root("booted").ok,
        "restarts": wish.exists(),
        "reason": verdict and verdict.reason,
        "attempt": verdict and verdict.attempt,
        "detail": verdict and verdict.detail,
        "model": baseline.model_id,
        "speeds": len(baseline.canaries),
    }
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
    wish.unlink(missing_ok=True)
    box.prove()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
