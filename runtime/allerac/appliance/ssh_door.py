"""SSH of the box. The runtime may neither start it nor touch the firewall: it leaves a wish.

`allerac-ssh-door.path` of the image watches for the file (systemd.path(5)). All of it lies in
memory, as the opening itself does: a restart of the box closes SSH.

wish              seconds for which SSH shall be open, 0 for closed
until             the time since boot at which it closes by itself
authorized_keys   whom it lets in, sshd(8)
"""

import asyncio
import base64
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from allerac.errors import Unavailable

from .clock import since_boot
from .files import replace_file

PORT: Final = 22
READABLE: Final = 0o644
"""Seconds and public keys; whoever is let in runs as another user."""

LONGEST_SECONDS: Final = 24 * 3600.0
POLL_SECONDS: Final = 0.2
LOOKS_FOR_A_WISH: Final = 25
"""After five seconds it is wished again."""

PATIENCE_SECONDS: Final = 30.0
BANNER_SECONDS: Final = 5.0


class SshDoor:
    """Opens and closes it, and knows until when it is open."""

    def __init__(
        self,
        folder: Path,
        host_key: Path | None = None,
        *,
        port: int = PORT,
        steady: Callable[[], float] = since_boot,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """`folder` is where the wish is left, `host_key` where the box's public key will be."""
        self._wish = folder / "wish"
        self._until = folder / "until"
        self._keys = folder / "authorized_keys"
        self._host_key = host_key
        self._port = port
        self._steady = steady
        self._patience_seconds = patience_seconds

    def seconds_left(self) -> float | None:
        """Return after how many seconds it closes by itself; None where it is not open."""
        try:
            left = float(self._until.read_text("ascii")) - self._steady()
        except (OSError, ValueError):
            return None
        return left if 0 < left <= LONGEST_SECONDS else None

    def is_wished(self) -> bool:
        """Tell whether the last wish was to open it, whatever became of that."""
        try:
            return self._wish.read_text("ascii").strip() != "0"
        except (OSError, ValueError):
            return False

    def host_key(self) -> bytes | None:
        """Return the public key by which the box is known; None before the first opening."""
        try:
            words = self._host_key.read_text("ascii").split() if self._host_key else []
            return base64.b64decode(words[1], validate=True)
        except (OSError, ValueError, IndexError):
            return None

    def has_ended(self) -> bool:
        """Tell whether it was open in this run of the box, and its time is up."""
        return self._until.exists() and self.seconds_left() is None

    async def open(self, keys: Iterable[str], seconds: int) -> None:
        """Let the owners of these public keys in. Raises `Unavailable`; then it is closed."""
        try:
            await self.admit(keys)
            await self._wish_for(seconds)
            closes_at = self._steady() + seconds
            await asyncio.to_thread(self._write, self._until, f"{closes_at}\n")
        except (OSError, Unavailable) as error:
            await self.close()
            raise Unavailable(
                "SSH could not be opened.", hint="Start the box anew, then try again."
            ) from error

    async def admit(self, keys: Iterable[str]) -> None:
        """Let the owners of these keys in, and nobody else, while it is open. Raises OSError."""
        await asyncio.to_thread(self._write, self._keys, "".join(f"{key}\n" for key in keys))

    async def close(self) -> None:
        """Close it and end all that is going on there. Raises `Unavailable`."""
        try:
            await self.admit(())
            await self._wish_for(0)
            await asyncio.to_thread(self._until.unlink, missing_ok=True)
        except (OSError, Unavailable) as error:
            raise Unavailable(
                "SSH could not be closed.", hint="Start the box anew: that closes it."
            ) from error

    async def _wish_for(self, seconds: int) -> None:
        """Wish until it is so. systemd does not see what is wished while it meets another wish."""
        deadline = time.monotonic() + self._patience_seconds
        looks = 0
        while time.monotonic() < deadline:
            if looks % LOOKS_FOR_A_WISH == 0:
                await asyncio.to_thread(self._write, self._wish, f"{seconds}\n")
            looks += 1
            await asyncio.sleep(POLL_SECONDS)
            if await self._answers() == (seconds > 0):
                return
        raise Unavailable("SSH does not do what is wished.")

    def _write(self, file: Path, text: str) -> None:
        replace_file(file, text.encode(), READABLE)

    async def _answers(self) -> bool:
        """Ask at the door, from within, where the firewall is not in the way."""
        try:
            async with asyncio.timeout(BANNER_SECONDS):
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                try:
                    return (await reader.readline()).startswith(b"SSH-2.0-")
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return False
