"""What is on offer, and which of it this box takes."""

import dataclasses
import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, Self

from .version import Version

HASH = re.compile(r"[0-9a-f]{64}")
CHANNELS = ("stable", "beta")
NOTES_LENGTH = 20_000


@dataclasses.dataclass(frozen=True, slots=True)
class Offer:
    """One bundle: where it is, what it is, and who may take it.

    `source` is what RAUC opens: a URL or a path. `manifest_hash` is the one that RAUC reports.
    """

    tier: str
    version: Version
    channel: str
    percentage: int
    halted: bool
    minimum_version: Version
    manifest_hash: str
    notes: Mapping[str, str]
    released_at: datetime
    source: str
    size_bytes: int

    @classmethod
    def of(cls, custom: object, *, source: str, size_bytes: int) -> Self:
        """Read the `custom` part of a target; raise `ValueError` for what is no release."""
        if not isinstance(custom, dict):
            raise ValueError("a target without a description")  # noqa: TRY004 - one error for all
        try:
            return cls._read(custom, source, size_bytes)
        except (KeyError, TypeError, OverflowError) as error:
            raise ValueError(f"a target with a wrong description: {error!r}") from error

    @classmethod
    def _read(cls, custom: Mapping[str, Any], source: str, size_bytes: int) -> Self:
        released_at = datetime.fromisoformat(custom["released_at"])
        if released_at.tzinfo is None:
            raise ValueError("a time without a zone")
        offer = cls(
            tier=_text(custom["tier"], 32),
            version=Version.read(custom["version"]),
            channel=_text(custom["channel"], 16),
            percentage=int(custom["percentage"]),
            halted=bool(custom["halted"]),
            minimum_version=Version.read(custom["minimum_version"]),
            manifest_hash=_text(custom["manifest_hash"], 64),
            notes={
                _text(key, 8): _text(custom["notes"][key], NOTES_LENGTH) for key in custom["notes"]
            },
            released_at=released_at.astimezone(UTC),
            source=source,
            size_bytes=size_bytes,
        )
        if HASH.fullmatch(offer.manifest_hash) is None:
            raise ValueError("a hash that is none")
        return offer

    def kept(self) -> dict[str, Any]:
        """Return what `restored` reads, as JSON."""
        return {
            **dataclasses.asdict(self),
            "version": str(self.version),
            "minimum_version": str(self.minimum_version),
            "released_at": self.released_at.isoformat(),
        }

    @classmethod
    def restored(cls, kept: Mapping[str, Any] | None) -> Self | None:
        """Return the offer that was kept; None for one that another version kept otherwise."""
        if kept is None:
            return None
        try:
            return cls.of(dict(kept), source=kept["source"], size_bytes=kept["size_bytes"])
        except (KeyError, ValueError):
            return None


def _text(value: object, length: int) -> str:
    if not isinstance(value, str) or len(value) > length:
        raise ValueError("a field that is no text, or too much of it")
    return value


@dataclasses.dataclass(frozen=True, slots=True)
class ThisBox:
    """What this box is; `channel` is the one of a box whose owner chose none."""

    tier: str
    installed: Version
    channel: str


@dataclasses.dataclass(frozen=True, slots=True)
class Circumstances:
    """What a box is, and what its owner wants."""

    device_id: str
    tier: str
    installed: Version
    channel: str
    pinned: Version | None = None
    unwanted: frozenset[str] = frozenset()
    """Versions that came back once, or were taken back: not again without being asked."""


Why = Literal["withdrawn", "needs_another_first", "pinned", "came_back", "not_its_turn"]


@dataclasses.dataclass(frozen=True, slots=True)
class Withheld:
    """A version that does not come by itself, and why; `percentage` of all boxes get it."""

    version: Version
    why: Why
    percentage: int


def is_in_rollout(device_id: str, offer: Offer) -> bool:
    """Tell whether this box is among the first `percentage` of all, the same way every time."""
    drawn = hashlib.sha256(f"{device_id}:{offer.version}".encode()).hexdigest()
    return int(drawn[:8], 16) % 100 < offer.percentage


def choose(offers: Iterable[Offer], box: Circumstances, *, by_owner: bool) -> Offer | None:
    """Return the newest offer that this box may take.

    An owner who asks gets it before the rollout reaches the box, and a version that came back once
    more; halted ones, and those that need another version in between, nobody gets.
    """
    possible = (offer for offer in offers if is_possible(offer, box))
    wanted = (
        offer
        for offer in possible
        if by_owner
        or (is_in_rollout(box.device_id, offer) and str(offer.version) not in box.unwanted)
    )
    return max(wanted, key=lambda offer: offer.version, default=None)


def is_possible(offer: Offer, box: Circumstances) -> bool:
    """Tell whether the box may take `offer` at all."""
    return is_news(offer, box) and _obstacle(offer, box) is None


def is_news(offer: Offer, box: Circumstances) -> bool:
    """Tell whether `offer` is newer than what the box has, and meant for boxes like it."""
    channels = CHANNELS if box.channel == "beta" else CHANNELS[:1]
    return offer.tier == box.tier and offer.channel in channels and offer.version > box.installed


def _obstacle(offer: Offer, box: Circumstances) -> Why | None:
    if offer.halted:
        return "withdrawn"
    if offer.minimum_version > box.installed:
        return "needs_another_first"
    if box.pinned is not None and offer.version > box.pinned:
        return "pinned"
    return None


def withheld(offers: Iterable[Offer], box: Circumstances) -> Withheld | None:
    """Return the newest version if the box does not take it by itself, and why it does not."""
    news = [offer for offer in offers if is_news(offer, box)]
    newest = max(news, key=lambda offer: (not offer.halted, offer.version), default=None)
    if newest is None:
        return None
    why = _obstacle(newest, box)
    if why is None and str(newest.version) in box.unwanted:
        why = "came_back"
    if why is None and not is_in_rollout(box.device_id, newest):
        why = "not_its_turn"
    return None if why is None else Withheld(newest.version, why, newest.percentage)


def minimum_for(version: Version, known: Iterable[Offer]) -> Version | None:
    """Return the least version that may take `version`, as far as the last metadata tell.

    A version that they do not name needs what the ones before it need, as when it is published.
    """
    least = [offer.minimum_version for offer in known if offer.version <= version]
    return max(least, default=None)
