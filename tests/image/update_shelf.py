"""A folder of updates and the server that brings them to the emulated box."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from allerac_image.cli import DEVELOPMENT_KEYS
from allerac_release.cli import main as release
from bootstrap.steps import cache_folder
from tests.image.emulated_lan import UPDATES_FROM, EmulatedLan
from tests.image.update_server import turn_over

SERVER = Path(__file__).with_name("update_server.py")
NOTES = "en: |\n  Answers begin sooner.\nde: |\n  Antworten beginnen früher.\n"


@dataclass(frozen=True, slots=True)
class UpdateShelf:
    """What is on offer in `folder`, and what of it was fetched."""

    folder: Path

    @property
    def repository(self) -> Path:
        """What the server serves."""
        return self.folder / "repository"

    @property
    def log(self) -> Path:
        """Where the server writes down what it sent."""
        return self.folder / "sent.jsonl"

    def publish(self, bundle: Path) -> None:
        """Offer what a build left, to every box, as the release tool does."""
        notes = self.folder / "notes.yaml"
        notes.write_text(NOTES, "utf-8")
        keys = cache_folder()
        words: list[str | Path] = ["publish", bundle, "--tier", "vm", "--notes", notes]
        words += ["--channel", "stable", "--built-by", keys / "keys/ca.crt"]
        words += ["--repository", self.repository, "--keys", keys / DEVELOPMENT_KEYS]
        assert release([*map(str, words), "--development"]) == 0

    def pace(self, bytes_per_second: int) -> None:
        """Serve each answer no faster than that."""
        (self.folder / "pace").write_text(str(bytes_per_second))

    def cut(self, times: int, seed: int) -> None:
        """Cut off so many answers that bring pieces of bundles, at bytes that `seed` decides."""
        (self.folder / "cuts").write_text(f"{seed} {times}")

    def be_silent(self, *, on: bool) -> None:
        """Take questions for bundles and leave them without an answer, or no longer."""
        order = self.folder / "silent"
        if on:
            order.touch()
        else:
            order.unlink()

    def flip(self, seed: int) -> None:
        """Turn over a bit of the bundle where it is about to be read, at a time `seed` decides."""
        (self.folder / "flip").write_text(str(seed))

    def flip_back(self) -> int:
        """Make the bundle whole again; return the number of the byte that was another."""
        (bundle,) = self.repository.rglob("*.raucb")
        at = int((self.folder / "flipped").read_text())
        turn_over(bundle, at)
        return at

    def bundle_bytes(self) -> int:
        """Return the size of the one bundle on offer."""
        (bundle,) = self.repository.rglob("*.raucb")
        return bundle.stat().st_size

    def sent_bytes(self) -> int:
        """Return how much of bundles has been sent so far."""
        return sum(one["bytes"] for one in self._sent() if one["path"].endswith(".raucb"))

    def cuts(self) -> int:
        """Return how many answers were cut off so far."""
        return sum(one["cut"] for one in self._sent())

    def _sent(self) -> list[dict[str, Any]]:
        lines = self.log.read_text().splitlines() if self.log.is_file() else []
        return [json.loads(line) for line in lines]


@contextmanager
def served(shelf: UpdateShelf, lan: EmulatedLan) -> Iterator[None]:
    """Serve a shelf on the box's network where its image looks for updates."""
    where = urlsplit(UPDATES_FROM)
    words = [SERVER, shelf.repository, where.hostname, where.port, shelf.log]
    server = subprocess.Popen(
        [*lan.prefix, sys.executable, *map(str, words)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
        yield
    finally:
        server.kill()
        server.communicate()
