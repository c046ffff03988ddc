"""How often a secret may be guessed, by account and by the address that guesses."""

from collections.abc import Callable
from datetime import datetime

from allerac.errors import TooManyAttempts
from allerac.storage.attempts import AttemptStore

GUESSES_PER_ACCOUNT = 10
GUESSES_PER_SOURCE = 50
GUESS_WINDOW_SECONDS = 300


class Guesses:
    """Counts tries before they are judged, so that many at once count as many."""

    def __init__(self, attempts: AttemptStore, clock: Callable[[], datetime]) -> None:
        self._attempts = attempts
        self._clock = clock

    async def take(self, key: str, *, address: str = "") -> None:
        """Count a guess for the account `key`. Raises `TooManyAttempts`.

        The address is asked first: one that has used up its guesses can neither lock the accounts
        of others nor fill the disk with names that it makes up.
        """
        limits = [(f"account:{key}", GUESSES_PER_ACCOUNT)]
        if address:
            limits.insert(0, (f"source:{address}", GUESSES_PER_SOURCE))
        for bucket, limit in limits:
            wait = await self._attempts.take(
                bucket[:128], limit=limit, window_seconds=GUESS_WINDOW_SECONDS, now=self._clock()
            )
            if wait:
                raise TooManyAttempts(
                    "Too many wrong tries.",
                    retry_after_seconds=wait,
                    hint=f"Wait {_spoken(wait)}, then try again.",
                )

    async def forgive(self, key: str) -> None:
        """Forget the guesses for the account `key`: its person has proven who they are."""
        await self._attempts.clear(f"account:{key}"[:128])


def _spoken(seconds: int) -> str:
    return f"{seconds} s" if seconds < 100 else f"{-(-seconds // 60)} min"
