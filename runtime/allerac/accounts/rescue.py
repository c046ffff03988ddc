"""What this room needs of the rescue page, which lets the owner in by the recovery code."""

from typing import Literal, Protocol


class RescueDoor(Protocol):
    """What opens the rescue page, which knows nothing of people."""

    async def keep(self, holder: Literal["owner"], code: str) -> None:
        """Let the owner's recovery code, normalised, open it in place of the former."""


class NoRescueDoor:
    """Where there is no rescue page."""

    async def keep(self, holder: Literal["owner"], code: str) -> None:
        """Do nothing."""
