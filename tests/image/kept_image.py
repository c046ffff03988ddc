"""The image of the sources as they are, kept for the next run: it takes minutes to build."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from allerac_image.plan import REPOSITORY
from allerac_image.source import read_source
from bootstrap.kept import part_of, shelf, touch
from bootstrap.steps import cache_folder, digest

KEPT_IMAGES = 2
"""Of 700 MB each: the last one, and that of a run that goes on elsewhere on this machine."""

NOT_IN_IT = ("tests", "docs", "benchmarks", "onboarding_ui")
"""Folders that nothing of an image is made from; of the last one it is `dist`."""


def kept_image(build: Callable[[Path], object], *words: str) -> Path:
    """Return the folder of a kept image, which nobody changes; `build` fills one where none is.

    It is found by what it is made from: every file of the checkout but those in `NOT_IN_IT`, the
    commit, which is written in it, the keys that sign it, and `words`.
    """
    images = cache_folder() / "images"
    with shelf(images, most=KEPT_IMAGES, of="images for tests"):
        kept = images / _key(words)
        if not kept.is_dir():
            part = part_of(kept)
            build(part)
            kept = images / _key(words)  # the first build on a machine makes the keys
            part.rename(kept)
        touch(kept)
    return kept


def _key(words: tuple[str, ...]) -> str:
    source = read_source(REPOSITORY)
    keys = sorted((cache_folder() / "keys").glob("*.crt"))
    told = (source.version, source.commit, str(source.epoch), *(key.read_text() for key in keys))
    return digest(_made_from(), *told, *words)


def _made_from() -> list[Path]:
    listed = subprocess.run(
        ["/usr/bin/git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    paths = {REPOSITORY / name for name in listed.split("\0") if name}
    sources = {path for path in paths if path.relative_to(REPOSITORY).parts[0] not in NOT_IN_IT}
    built = (REPOSITORY / "onboarding_ui" / "dist").rglob("*")
    return [path for path in (*sources, *built) if path.is_file()]
