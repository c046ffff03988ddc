"""What one check of a burn-in found."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

Value = float | int | str | bool | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """`measured` and `limits` by name, units in the names; `reason` says why it did not pass."""

    name: str
    passed: bool
    measured: Mapping[str, Value] = field(default_factory=dict)
    limits: Mapping[str, Value] = field(default_factory=dict)
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return it as the certificate holds it."""
        return {
            **asdict(self),
            "measured": dict(self.measured),
            "limits": dict(self.limits),
        }
