"""What the runtime and the engine process say to each other.

A frame is four bytes of length (big endian) and that many bytes of JSON. The runtime sends
commands, the engine reports; all events of one step travel in one frame. Both ends come from the
same installation, so a frame that cannot be read means that the other end is broken.
"""

import json
import struct
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from allerac.engine.protocol import (
    Delta,
    EngineEvent,
    Finished,
    GenerationRequest,
    ModelFile,
    PromptMessage,
    Queued,
    Reading,
    Speed,
    Usage,
)
from allerac.engine.wire_values import (
    decode_delta,
    decode_messages,
    decode_request,
    encode_delta,
)
from allerac.errors import (
    AlleracError,
    ContextTooLong,
    EngineStopped,
    EngineUnavailable,
    InvalidInput,
    ModelDamaged,
    QueueFull,
)

LENGTH: Final = struct.Struct(">I")
FRAME_BYTES_LIMIT: Final = 128 << 20
_JSON: Final = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Load:
    """The first command: the model that this process serves for its whole life."""

    model: ModelFile


@dataclass(frozen=True, slots=True)
class Generate:
    """Answer this."""

    request: GenerationRequest


@dataclass(frozen=True, slots=True)
class Cancel:
    """Nobody waits for this answer any more."""

    request_id: str


@dataclass(frozen=True, slots=True)
class Count:
    """How many tokens have these messages?"""

    request_id: str
    messages: tuple[PromptMessage, ...]


@dataclass(frozen=True, slots=True)
class Embed:
    """Turn these texts into vectors."""

    request_id: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Measure:
    """How many tokens has each of these texts?"""

    request_id: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rank:
    """How well does each of these texts answer the question?"""

    request_id: str
    question: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SetThreads:
    """Compute with at most this many threads from the next step on; None: as loaded."""

    limit: int | None


@dataclass(frozen=True, slots=True)
class Forget:
    """Delete what was kept of this person, in memory and on disk."""

    person_id: str


@dataclass(frozen=True, slots=True)
class KeepOnly:
    """Delete what is on disk of everybody else."""

    person_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Calibrate:
    """Measure how fast the model reads and writes, as soon as nobody waits for anything."""

    request_id: str


@dataclass(frozen=True, slots=True)
class Expect:
    """What was measured of this model here before: tokens a second, for the first estimates."""

    prefill_tokens_per_second: float
    decode_tokens_per_second: float


_PlainCommand = (
    Cancel | Embed | Measure | Rank | SetThreads | Forget | KeepOnly | Calibrate | Expect
)
Command = Load | Generate | Count | _PlainCommand


@dataclass(frozen=True, slots=True)
class Loaded:
    """The model answers; `context_length` is what one conversation may use.

    The store on disk has room for `kept_tokens`; 0 where there is none.
    """

    context_length: int
    kept_tokens: int = 0


@dataclass(frozen=True, slots=True)
class LoadFailed:
    """The model does not load."""

    error: AlleracError


@dataclass(frozen=True, slots=True)
class Beat:
    """The engine is alive and its loop moves."""

    speed: Speed


@dataclass(frozen=True, slots=True)
class Step:
    """What happened in one step; `sent_at` is CLOCK_MONOTONIC seconds in the engine process."""

    sent_at: float
    events: tuple[tuple[str, EngineEvent | AlleracError], ...]


@dataclass(frozen=True, slots=True)
class Counted:
    """The answer to `Count`."""

    request_id: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Embedded:
    """The answer to `Embed`: float32 vectors of length 1, little endian, one after the other."""

    request_id: str
    vectors: bytes


@dataclass(frozen=True, slots=True)
class Measured:
    """The answer to `Measure`."""

    request_id: str
    tokens: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Ranked:
    """The answer to `Rank`: the larger, the better; comparable within one question."""

    request_id: str
    scores: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Calibrated:
    """The answer to `Calibrate`; a figure is None where it could not be had."""

    request_id: str
    speed: Speed


ServingReport = Beat | Step | Counted | Embedded | Measured | Ranked | Calibrated
Report = Loaded | LoadFailed | ServingReport

_PlainReport = Loaded | Counted | Measured | Ranked
# What JSON has no other word for than its fields.
_PLAIN_COMMANDS: Final[dict[str, type[_PlainCommand]]] = {
    kind.__name__: kind
    for kind in (Cancel, Embed, Measure, Rank, SetThreads, Forget, KeepOnly, Calibrate, Expect)
}
_PLAIN_REPORTS: Final[dict[str, type[_PlainReport]]] = {
    kind.__name__: kind for kind in (Loaded, Counted, Measured, Ranked)
}


def pack(message: dict[str, object]) -> bytes:
    """One frame."""
    payload = _JSON.encode(message).encode("utf-8", "surrogatepass")
    return LENGTH.pack(len(payload)) + payload


def _parsed(payload: bytes) -> dict[str, Any]:
    message = json.loads(payload.decode("utf-8", "surrogatepass"))
    if not isinstance(message, dict):
        raise TypeError("a frame is an object")
    return message


def _pack_plain(message: _PlainCommand | _PlainReport) -> bytes:
    return pack({"op": type(message).__name__, **asdict(message)})


def _fields(message: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(v) if isinstance(v, list) else v for name, v in message.items()}


def encode_command(command: Command) -> bytes:
    """The frame of `command`."""
    match command:
        case Load(model):
            return pack({"op": "load", **asdict(model), "path": str(model.path)})
        case Generate(request):
            return pack({"op": "generate", **asdict(request)})
        case Count(request_id, messages):
            return pack({"op": "count", "id": request_id, "messages": [*map(asdict, messages)]})
        case _:
            return _pack_plain(command)


def decode_command(payload: bytes) -> Command:
    """The command in a frame; raises ValueError, KeyError or TypeError for a broken one."""
    message = _parsed(payload)
    operation = message.pop("op")
    if plain := _PLAIN_COMMANDS.get(operation):
        return plain(**_fields(message))
    match operation:
        case "load":
            path, processors = Path(message["path"]), tuple(message["processors"])
            return Load(ModelFile(**{**message, "path": path, "processors": processors}))
        case "generate":
            return Generate(decode_request(message))
        case "count":
            return Count(message["id"], decode_messages(message["messages"]))
        case other:
            raise ValueError(f"unknown command {other!r}")


def encode_report(report: Report) -> bytes:
    """The frame of `report`."""
    match report:
        case LoadFailed(error):
            return pack({"op": "load_failed", "error": _error_fields(error)})
        case Beat(speed):
            return pack({"op": "beat", **asdict(speed)})
        case Step(sent_at, events):
            return pack(
                {"op": "step", "t": sent_at, "e": [(i, *_event_fields(e)) for i, e in events]}
            )
        case Embedded(request_id, vectors):
            return pack({"op": "embedded", "id": request_id, "v": b64encode(vectors).decode()})
        case Calibrated(request_id, speed):
            return pack({"op": "calibrated", "id": request_id, **asdict(speed)})
        case Loaded() | Counted() | Measured() | Ranked():
            return _pack_plain(report)


def decode_report(payload: bytes) -> Report:
    """The report in a frame; raises ValueError, KeyError or TypeError for a broken one."""
    message = _parsed(payload)
    operation = message.pop("op")
    if plain := _PLAIN_REPORTS.get(operation):
        return plain(**_fields(message))
    match operation:
        case "step":
            return Step(message["t"], tuple((item[0], _event(item[1:])) for item in message["e"]))
        case "beat":
            return Beat(Speed(**message))
        case "calibrated":
            return Calibrated(message.pop("id"), Speed(**message))
        case "load_failed":
            return LoadFailed(_error(message["error"]))
        case "embedded":
            return Embedded(message["id"], b64decode(message["v"], validate=True))
        case other:
            raise ValueError(f"unknown report {other!r}")


def _event_fields(event: EngineEvent | AlleracError) -> tuple[object, ...]:
    match event:
        case Delta():
            return ("d", *encode_delta(event))
        case Reading(done, total, cached, eta):
            return ("r", done, total, cached, eta)
        case Queued(position, eta):
            return ("q", position, eta)
        case Finished(reason, usage):
            return ("f", reason, asdict(usage))
        case AlleracError():
            return ("x", _error_fields(event))


def _event(fields: Sequence[Any]) -> EngineEvent | AlleracError:
    match fields[0]:
        case "d":
            return decode_delta(fields[1:])
        case "r":
            return Reading(fields[1], fields[2], fields[3], fields[4])
        case "q":
            return Queued(fields[1], fields[2])
        case "f":
            return Finished(fields[1], Usage(**fields[2]))
        case "x":
            return _error(fields[1])
        case other:
            raise ValueError(f"unknown event {other!r}")


_ERRORS: Final = {
    error.code: error
    for error in (EngineStopped, EngineUnavailable, InvalidInput, ModelDamaged, QueueFull)
}


def _error_fields(error: AlleracError) -> dict[str, object]:
    fields: dict[str, object] = {"code": error.code}
    if isinstance(error, ContextTooLong):
        return {**fields, "prompt": error.prompt_tokens, "limit": error.limit_tokens}
    return {**fields, "message": error.message, "hint": error.hint, "fields": error.fields}


def _error(fields: dict[str, Any]) -> AlleracError:
    if fields["code"] == ContextTooLong.code:
        return ContextTooLong(fields["prompt"], fields["limit"])
    leaf = _ERRORS.get(fields["code"], EngineStopped)
    return leaf(fields["message"], hint=fields["hint"], fields=fields["fields"])
