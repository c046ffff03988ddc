"""The source of our binding, pinned by its hash, with the llama.cpp and the templates in it."""

import shutil
import tempfile
from pathlib import Path

from .kept import part_of, shelf, touch
from .steps import PYTHON, REPOSITORY, cache_folder, digest, run, say

REQUIREMENT = REPOSITORY / "requirements" / "engine.txt"
TEMPLATES = Path("vendor/llama.cpp/models/templates")
"""Chat templates as the makers of models published them, which llama.cpp tests itself with."""

KEPT_TEMPLATES = 2


def unpack_engine_source(folder: Path) -> Path:
    """Fetch the source, verify it, unpack it into `folder` and return where it is.

    Raises `StepFailed` with what pip says.
    """
    command = ["download", "--no-deps", "--no-binary", ":all:", "--require-hashes"]
    target = ["-r", str(REQUIREMENT), "-d", str(folder)]
    run([str(PYTHON), "-m", "pip", *command, *target], log="engine-source")
    archive = next(folder.glob("llama_cpp_python-*.tar.gz"))
    unpack = ["tar", "--extract", "--no-same-owner", "--file", str(archive)]
    run([*unpack, "--directory", str(folder)], log="engine-unpack")
    archive.unlink()
    return folder / archive.name.removesuffix(".tar.gz")


def kept_templates() -> Path:
    """Return the folder of the published chat templates, whether they were fetched or not."""
    return cache_folder() / "templates" / digest([REQUIREMENT])[:16]


def prepare_templates() -> None:
    """Fetch the published chat templates, which tests render, unless the cache has them."""
    folder = kept_templates()
    with shelf(folder.parent, most=KEPT_TEMPLATES, of="chat templates"):
        if not folder.is_dir():
            say("▸ Chat templates: fetch")
            with tempfile.TemporaryDirectory(prefix="allerac-templates-") as scratch:
                part = part_of(folder)
                shutil.copytree(unpack_engine_source(Path(scratch)) / TEMPLATES, part)
                part.rename(folder)
        touch(folder)
