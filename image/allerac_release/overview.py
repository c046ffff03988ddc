"""What boxes are offered now, and what ends soon."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .bundles import leaf_expiry
from .desk import releases_of
from .keys import is_for_development
from .release import Release
from .repository import Repository
from .roles import LEAF_WARNING, WARNING

HEADINGS = (
    "VERSION", "TIER", "CHANNEL", "PERCENTAGE", "HALTED", "MINIMUM", "EVIDENCE",
    "SIGNATURE DAYS LEFT",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Offer:
    """A release and when the certificate ends that signed its bundle."""

    release: Release
    size_bytes: int
    expires: datetime


@dataclass(frozen=True, slots=True)
class Overview:
    """A repository at the time `now`."""

    now: datetime
    development: bool
    root_version: int
    expiries: dict[str, datetime]
    offers: list[Offer]

    def lines(self) -> list[str]:
        """Return the table, then when the metadata end."""
        rows = [HEADINGS, *(self._row(offer) for offer in self.offers)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
        days = ", ".join(f"{role} {self.days(end)}" for role, end in self.expiries.items())
        purpose = "development keys" if self.development else "release keys"
        return [*lines, "", f"Root {self.root_version}, {purpose}. Days left: {days}."]

    def warnings(self) -> list[str]:
        """Say what has ended or soon will, and what to do."""
        remedies = {"root": "rotate", "targets": "refresh --targets"}
        found = [
            f"The {role} metadata {self._ends(end)}: {remedies.get(role, 'refresh')}."
            for role, end in self.expiries.items()
            if end - self.now < WARNING[role]
        ]
        found += [
            f"The signature of {offer.release.version} for {offer.release.tier} "
            f"{self._ends(offer.expires)}: keys DIR --renew-certificates, then a new release."
            for offer in self.offers
            if offer.expires - self.now < LEAF_WARNING
        ]
        return found

    def as_json(self) -> dict[str, Any]:
        """Return the same for programs."""
        return {
            "development": self.development,
            "root_version": self.root_version,
            "days_left": {role: self.days(end) for role, end in self.expiries.items()},
            "warnings": self.warnings(),
            "releases": [
                {
                    "version": offer.release.version,
                    "tier": offer.release.tier,
                    "channel": offer.release.channel,
                    "percentage": offer.release.percentage,
                    "halted": offer.release.halted,
                    "minimum_version": offer.release.minimum_version,
                    "manifest_hash": offer.release.manifest_hash,
                    "released_at": offer.release.released_at,
                    "evidence": dict(offer.release.evidence),
                    "size_bytes": offer.size_bytes,
                    "signature_days_left": self.days(offer.expires),
                }
                for offer in self.offers
            ],
        }

    def days(self, end: datetime) -> int:
        """Return the whole days until `end`; negative when it is over."""
        return (end - self.now) // timedelta(days=1)

    def _row(self, offer: Offer) -> tuple[str, ...]:
        release = offer.release
        halted = "halted" if release.halted else "-"
        return (
            release.version, release.tier, release.channel, f"{release.percentage} %", halted,
            release.minimum_version, _word_for(release.evidence), str(self.days(offer.expires)),
        )  # fmt: skip

    def _ends(self, end: datetime) -> str:
        word = "ended" if end <= self.now else "ends"
        return f"{word} on {end:%Y-%m-%d}"


def _word_for(evidence: Mapping[str, str]) -> str:
    """Return how much the table vouches for a release, in a word."""
    if "despite" in evidence:
        return "gaps"
    return "whole" if "sha256" in evidence else "-"


def overview_of(repository: Repository) -> Overview:
    """Read a repository; raise `BadInput` when there is none or a bundle is missing."""
    contents = repository.read()
    return Overview(
        now=repository.clock(),
        development=is_for_development(contents.root),
        root_version=contents.root.version,
        expiries=contents.expiries(),
        offers=[
            Offer(release, target.length, leaf_expiry(repository.path_of(target)))
            for release in releases_of(contents)
            for target in [contents.files[release.path]]
        ],
    )
