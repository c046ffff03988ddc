"""llama.cpp, built once per set of flags and kept in the user's cache.

The binding's own build compiles llama.cpp's command-line library and its picture support, which
text does not need; both are left out, which halves the time.
"""

import os
import platform
import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from .steps import PYTHON, REPOSITORY, StepFailed, cache_folder, digest, once, run, say

REQUIREMENT = REPOSITORY / "requirements" / "engine.txt"

FLAGS = (
    "-DGGML_NATIVE=OFF",  # the machine's own instructions would crash on another processor
    "-DGGML_AVX2=ON",
    "-DGGML_FMA=ON",
    "-DGGML_F16C=ON",
    "-DGGML_BMI2=ON",
    "-DLLAVA_BUILD=OFF",
    "-DLLAMA_OPENSSL=OFF",
    "-DLLAMA_BUILD_TESTS=OFF",
    "-DLLAMA_BUILD_TOOLS=OFF",
    "-DLLAMA_BUILD_EXAMPLES=OFF",
    "-DLLAMA_BUILD_SERVER=OFF",
)
"""Baseline variant `avx2`: every tier's processor has it."""

COMMON_ON = "set(LLAMA_BUILD_COMMON ON "
COMMON_OFF = "set(LLAMA_BUILD_COMMON OFF "


def prepare_engine() -> None:
    """Install the engine's wheel, building it when the cache has none for these inputs."""
    compiler = _compiler_version()
    key = digest([REQUIREMENT], *FLAGS, compiler, platform.machine())[:16]
    folder = cache_folder() / "engine" / key
    if not list(folder.glob("*.whl")):
        say("▸ Engine: compiling llama.cpp. The first time takes 4 to 15 minutes; it is kept.")
        _build(folder)
    installed = next(PYTHON.parent.parent.glob("lib/python3*/site-packages"), PYTHON) / "llama_cpp"
    once("engine", key, "Engine: install", lambda: _install(folder), made=installed)


def _compiler_version() -> str:
    compiler = shutil.which("g++") or shutil.which("c++")
    if compiler is None:
        raise StepFailed("The engine needs a C++ compiler: apt-get install g++ make")
    return subprocess.run(
        [compiler, "-dumpfullversion"], capture_output=True, text=True, check=True
    ).stdout.strip()


def _build(folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="allerac-engine-") as scratch:
        source = _unpack(Path(scratch))
        wheels = Path(scratch) / "wheels"
        jobs = str(os.cpu_count() or 1)
        run(
            [str(PYTHON), "-m", "pip", "wheel", "--no-deps", "-v", "-w", str(wheels), str(source)],
            log="engine",
            environment={"CMAKE_ARGS": " ".join(FLAGS), "CMAKE_BUILD_PARALLEL_LEVEL": jobs},
            on_line=_Progress(),
        )
        folder.parent.mkdir(parents=True, exist_ok=True)
        finished = folder.with_name(f"{folder.name}.{os.getpid()}")
        shutil.rmtree(finished, ignore_errors=True)
        shutil.copytree(wheels, finished)
        shutil.rmtree(folder, ignore_errors=True)
        finished.rename(folder)


def _unpack(scratch: Path) -> Path:
    """Fetch the pinned source, verified by its hash, and leave out what text does not need."""
    command = ["download", "--no-deps", "--no-binary", ":all:", "--require-hashes"]
    target = ["-r", str(REQUIREMENT), "-d", str(scratch)]
    run([str(PYTHON), "-m", "pip", *command, *target], log="engine-source")
    archive = next(scratch.glob("llama_cpp_python-*.tar.gz"))
    with tarfile.open(archive) as tar:
        tar.extractall(scratch, filter="data")
    source = scratch / archive.name.removesuffix(".tar.gz")
    recipe = source / "CMakeLists.txt"
    text = recipe.read_text()
    if COMMON_ON not in text:
        raise StepFailed("The engine's recipe has changed; look at bootstrap/engine.py.")
    recipe.write_text(text.replace(COMMON_ON, COMMON_OFF))
    return source


class _Progress:
    """Prints every tenth of the compile steps that ninja counts as `[12/80]`."""

    def __init__(self) -> None:
        self._shown = -1

    def __call__(self, line: str) -> None:
        match = re.search(r"\[(\d+)/(\d+)\]", line)
        if match is None:
            return
        tenth = int(match[1]) * 10 // int(match[2])
        if tenth > self._shown:
            self._shown = tenth
            say(f"  compiling {match[1]} of {match[2]} ({tenth * 10} %)")


def _install(folder: Path) -> None:
    wheel = next(folder.glob("*.whl"))
    run(
        [str(PYTHON), "-m", "pip", "install", "--no-deps", "--force-reinstall", str(wheel)],
        log="engine-install",
    )
