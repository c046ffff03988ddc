"""The gate's private door to the running engine: a Unix socket that only the runtime's user opens.

The gate is a process of its own, so that a runtime that is broken is still judged. What it needs
of the engine are two questions, and the door knows no others: a line comes in, `loaded` or
`canary`, and one line of JSON goes out. nginx does not reach it, so neither does the network.
"""

import asyncio
import contextlib
import json
import socket
from pathlib import Path
from typing import Any, Final

import structlog

from allerac.errors import AlleracError, EngineUnavailable, Unavailable

from .surroundings import Model, Spoken

log = structlog.get_logger()

NAME: Final = "prove.sock"
"""Beside the socket of the runtime."""

MODE: Final = 0o600
QUESTION_BYTES: Final = 64
ANSWER_BYTES: Final = 64 * 1024
ASKING_SECONDS: Final = 5.0
"""In which a question must be complete; who is silent is sent away."""


class PrivateDoor:
    """The runtime's side: answers with `model`, one canary at a time."""

    def __init__(self, path: Path, model: Model) -> None:
        self._path = path
        self._model = model
        self._turn = asyncio.Lock()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Open; a door that cannot be opened is logged, since people are served all the same."""
        listener = socket.socket(socket.AF_UNIX)
        try:
            self._path.unlink(missing_ok=True)
            listener.bind(str(self._path))
            self._path.chmod(MODE)  # nobody connects before it listens
            self._server = await asyncio.start_unix_server(
                self._answer, sock=listener, limit=QUESTION_BYTES
            )
        except OSError as error:
            listener.close()
            log.error("private_door_not_opened", reason=str(error))  # noqa: TRY400 - says it all

    async def stop(self) -> None:
        """Close."""
        if self._server is not None:
            self._server.close()
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(ASKING_SECONDS):
                question = await reader.readline()
            answer = asyncio.create_task(self._answer_to(question.decode("ascii").strip()))
            gone = asyncio.create_task(reader.read(1))
            await asyncio.wait({answer, gone}, return_when=asyncio.FIRST_COMPLETED)
            gone.cancel()
            if answer.done():
                writer.write(json.dumps(answer.result()).encode() + b"\n")
                await writer.drain()
            else:  # who asked has left: the engine is free for people again
                answer.cancel()
        except (OSError, TimeoutError, ValueError) as error:
            log.info("private_door_question_lost", reason=repr(error))
        finally:
            writer.close()

    async def _answer_to(self, question: str) -> dict[str, Any]:
        try:
            if question == "loaded":
                return {"model_id": await self._model.loaded()}
            if question == "canary":
                async with self._turn:
                    spoken = await self._model.canary()
                return {"text": spoken.text, "tokens_per_second": spoken.tokens_per_second}
        except AlleracError as error:
            return {"error": error.message}
        return {"error": "This door knows `loaded` and `canary`."}


class ModelBehindDoor:
    """The gate's side; `Model` of the surroundings."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def loaded(self) -> str | None:
        """Return the model that is ready. Raises `EngineUnavailable`, `Unavailable`, `OSError`."""
        model_id = (await self._ask("loaded")).get("model_id")
        return None if model_id is None else str(model_id)

    async def canary(self) -> Spoken:
        """Let it answer. Raises the same."""
        answer = await self._ask("canary")
        speed = answer.get("tokens_per_second")
        return Spoken(str(answer.get("text", "")), None if speed is None else float(speed))

    async def _ask(self, question: str) -> dict[str, Any]:
        reader, writer = await asyncio.open_unix_connection(str(self._path), limit=ANSWER_BYTES)
        try:
            writer.write(f"{question}\n".encode("ascii"))
            await writer.drain()
            answer = json.loads(await reader.readline() or b"null")
        except ValueError as error:
            raise Unavailable("The runtime's answer cannot be read.") from error
        finally:
            writer.close()
        if not isinstance(answer, dict):
            raise Unavailable("The runtime hung up.")
        if "error" in answer:
            raise EngineUnavailable(str(answer["error"]))
        return answer
