"""Updates of the box: what there is, how far it is, and how those before went."""

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Literal

from pydantic import AwareDatetime, BeforeValidator, Field

from allerac.updates.gate import find_proofs
from allerac.updates.reasons import REASONS, Reason

from .shapes import Request, Response, Timestamp

Channel = Literal["stable", "beta"]
Origin = Literal["server", "drive", "other_slot"]
State = Literal[
    "idle",
    "checking",
    "available",
    "downloading",
    "installed",
    "rebooting",
    "proving",
    "good",
    "rolled_back",
]
VersionText = Annotated[str, BeforeValidator(str)]

UNKNOWN = Reason("The update did not work.", "")
"""For a reason that another version of the system wrote down."""


class UpdateReason(Response):
    """What went wrong, and what to do next or what happens by itself."""

    name: str
    message: str
    hint: str


@cache
def _reasons() -> Mapping[str, Reason]:
    """Return all reasons by name: those of the update, and what the gate may find at fault."""
    faults = {name: said for proof in find_proofs() for name, said in proof.faults.items()}
    hint = REASONS["did_not_prove_itself"].hint
    return {**{name: Reason(said.en, hint) for name, said in faults.items()}, **REASONS}


def _in_words(name: object) -> object:
    if not isinstance(name, str):
        return name
    reason = _reasons().get(name, UNKNOWN)
    return {"name": name, "message": reason.message, "hint": reason.hint}


ReasonInWords = Annotated[UpdateReason | None, BeforeValidator(_in_words)]


class AvailableUpdate(Response):
    """`notes` say by language what changes."""

    version: VersionText
    channel: str
    notes: dict[str, str]
    released_at: Timestamp
    size_bytes: int


class WithheldUpdate(Response):
    """A version that does not come by itself, and why; `percentage` of all boxes get it now."""

    version: VersionText
    why: Literal["withdrawn", "needs_another_first", "pinned", "came_back", "not_its_turn"]
    percentage: int


class UpdateProgress(Response):
    """Of downloading and installing, which are one; `seconds_left` is null at the beginning."""

    percent: int
    done_bytes: int
    total_bytes: int
    seconds_left: float | None


class Updates(Response):
    """`reason` is what went wrong last, `detail` the same in a program's words.

    Where `supported` is false there is only one system on the machine, and nothing to update.
    `restarts_at` is when the box restarts by itself, `other_version` what it can go back to.
    """

    supported: bool
    state: State
    installed: str
    available: AvailableUpdate | None
    withheld: WithheldUpdate | None
    progress: UpdateProgress | None
    reason: ReasonInWords
    detail: str | None
    origin: Origin | None
    channel: Channel
    pinned_version: str | None
    postponed_until: Timestamp | None
    checked_at: Timestamp | None
    automatic: bool
    hour: int
    restarts_at: Timestamp | None
    other_version: str | None


class PastUpdate(Response):
    """`result` is null while it is under way."""

    id: str
    version: str
    from_version: str
    origin: Origin
    notes: dict[str, str] | None
    began_at: Timestamp
    ended_at: Timestamp | None
    result: Literal["good", "rolled_back", "failed"] | None
    reason: ReasonInWords
    detail: str | None


class UpdateHistory(Response):
    items: list[PastUpdate]


class DriveBundle(Response):
    name: str
    size_bytes: int


class DriveBundleList(Response):
    items: list[DriveBundle]


class InstallFromDrive(Request):
    name: Annotated[str, Field(min_length=1, max_length=4096)]


class PostponeUpdates(Request):
    """Null takes a postponement back."""

    until: AwareDatetime | None


class PinVersion(Request):
    """Null lets the box go on to newer versions."""

    version: Annotated[str, Field(min_length=1, max_length=128)] | None


class ChangeUpdateSettings(Request):
    channel: Channel | None = None
    automatic: bool | None = None
    hour: Annotated[int, Field(ge=0, le=23)] | None = None
