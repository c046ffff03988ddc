"""Files of the kernel below a root, which is the machine's own or a recorded tree."""

import time
from collections.abc import Iterator
from pathlib import Path


class Sysfs:
    """Reads small text files below `root`; what is absent or refuses to be read is None.

    Drivers answer a read with an error as well as with nothing at all, so both mean the same here.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        self.root = root

    @property
    def is_machine(self) -> bool:
        """Whether this is the running machine rather than a recorded tree."""
        return self.root == Path("/")

    def text(self, path: str | Path) -> str | None:
        """Return the file without the space around it."""
        try:
            return (self.root / path).read_text("utf-8", errors="replace").strip()
        except OSError:
            return None

    def number(self, path: str | Path) -> int | None:
        """Return the file's integer, decimal or with `0x`."""
        text = self.text(path)
        if text is None:
            return None
        try:
            return int(text, 0)
        except ValueError:
            return None

    def age_seconds(self, path: str | Path) -> float | None:
        """Return how far from now the file was written, by a clock that may have been set since."""
        try:
            return abs(time.time() - (self.root / path).stat().st_mtime)
        except OSError:
            return None

    def find(self, folder: str, pattern: str) -> Iterator[Path]:
        """Yield what is in `folder` and matches `pattern`, in order."""
        try:
            yield from sorted((self.root / folder).glob(pattern))
        except OSError:
            return

    def exists(self, path: str | Path) -> bool:
        """Tell whether there is such a file or folder."""
        return (self.root / path).exists()
