"""llama.cpp, built once per variant and kept in the user's cache.

A variant is a set of CMake flags. The checkout runs the baseline; an image has what its tier's
profile says in `engine.build`. The binding is a ctypes package: one wheel does for every Python 3
whose C library is not older than the one it was linked with.

The binding's own build compiles llama.cpp's command-line library and its picture support, which
text does not need; both are left out, which halves the time.
"""

import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .engine_source import REQUIREMENT, unpack_engine_source
from .kept import part_of, shelf, touch
from .steps import PYTHON, StepFailed, cache_folder, digest, once, run, say
from .system import Program, prepare_programs
from .wheel import slim

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
"""The baseline `avx2`, which every tier's processor has; a profile adds to it or overrides it."""

TARGET_GLIBC = (2, 41)
"""The C library of Debian 13, which the image is made of."""

KEPT_ENGINES = 6
"""Variants, and compilers and releases that there were lately; each has 15 to 20 MB."""

DEFINITION = re.compile(r"-D([A-Z0-9_]+)=\w+")
SOURCE_DATE_EPOCH = "1767225600"
"""2026-01-01, the time stamps in the wheel: two builds shall give the same bytes."""

COMPILER = (Program("g++", "g++"), Program("make", "make"))

COMMON_ON = "set(LLAMA_BUILD_COMMON ON "
COMMON_OFF = "set(LLAMA_BUILD_COMMON OFF "


def prepare_engine() -> None:
    """Install the baseline's wheel, building it when the cache has none for these inputs."""
    wheel = _wheel(FLAGS, "avx2")
    installed = next(PYTHON.parent.parent.glob("lib/python3*/site-packages"), PYTHON) / "llama_cpp"
    key = wheel.parent.name
    once("engine", key, "Engine: install", lambda: _install(wheel), made=installed)


def build_engine_wheel(variant: str, cmake_flags: Sequence[str]) -> Path:
    """Return the wheel of a tier's engine, compiled when the cache has none for these flags.

    `cmake_flags` are those of the profile's `engine.build.cmake`, put on top of the baseline;
    `variant` is what progress calls it. Raises `StepFailed`.
    """
    name, version = platform.libc_ver()
    if name != "glibc" or tuple(int(part) for part in version.split(".")[:2]) > TARGET_GLIBC:
        raise StepFailed(
            f"An engine compiled here needs {name or 'a C library'} {version}, newer than the"
            " image's: build the image on Debian 12 or 13."
        )
    wheel = _wheel(merged_flags(cmake_flags), variant)
    return slim(wheel, wheel.parent / "slim")


def merged_flags(cmake_flags: Sequence[str]) -> tuple[str, ...]:
    """Return the baseline's flags with `cmake_flags` on top; of two for one option the last holds.

    Raises `StepFailed` for what is no CMake definition, and for a build that would suit only the
    machine it is made on.
    """
    chosen: dict[str, str] = {}
    for flag in (*FLAGS, *cmake_flags):
        match = DEFINITION.fullmatch(flag)
        if match is None:
            raise StepFailed(f"{flag!r} is no CMake definition such as -DGGML_AVX2=ON.")
        chosen[match[1]] = flag
    if chosen["GGML_NATIVE"] != "-DGGML_NATIVE=OFF":
        raise StepFailed("An engine for other machines needs -DGGML_NATIVE=OFF.")
    return tuple(chosen.values())


def _wheel(flags: tuple[str, ...], variant: str) -> Path:
    key = digest([REQUIREMENT], *flags, compiler_version(), platform.machine())[:16]
    folder = cache_folder() / "engine" / key
    with shelf(folder.parent, most=KEPT_ENGINES, of="engines"):
        if not list(folder.glob("*.whl")):
            say(f"▸ Engine ({variant}): compiling llama.cpp. It takes 4 to 15 minutes and is kept.")
            _build(folder, flags)
        touch(folder)
    return next(folder.glob("*.whl"))


def compiler_version() -> str:
    """Return the version of the C++ compiler, which is installed where there is none.

    A C compiler alone will not do. Raises `StepFailed` that says what to install.
    """
    compiler = _compiler()
    if compiler is None:
        prepare_programs(COMPILER, "the engine")
        compiler = _compiler()
    if compiler is None:
        raise StepFailed("There is no C++ compiler after installing g++.")
    return subprocess.run(
        [compiler, "-dumpfullversion"], capture_output=True, text=True, check=True
    ).stdout.strip()


def _compiler() -> str | None:
    return shutil.which("g++") or shutil.which("c++")


def _build(folder: Path, flags: tuple[str, ...]) -> None:
    with tempfile.TemporaryDirectory(prefix="allerac-engine-") as scratch:
        source = _slim_source(Path(scratch))
        wheels = Path(scratch) / "wheels"
        jobs = str(os.cpu_count() or 1)
        same_paths = f"-ffile-prefix-map={scratch}=/engine"  # the folder's name is not in the bytes
        run(
            [str(PYTHON), "-m", "pip", "wheel", "--no-deps", "-v", "-w", str(wheels), str(source)],
            log="engine",
            environment={
                "CMAKE_ARGS": " ".join(flags),
                "CMAKE_BUILD_PARALLEL_LEVEL": jobs,
                "CFLAGS": same_paths,
                "CXXFLAGS": same_paths,
                "SOURCE_DATE_EPOCH": SOURCE_DATE_EPOCH,
                "TMPDIR": scratch,
            },
            on_line=_Progress(),
        )
        finished = part_of(folder)
        shutil.copytree(wheels, finished)
        shutil.rmtree(folder, ignore_errors=True)
        finished.rename(folder)


def _slim_source(scratch: Path) -> Path:
    """Fetch the pinned source and leave out what text does not need."""
    source = unpack_engine_source(scratch)
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


def _install(wheel: Path) -> None:
    run(
        [str(PYTHON), "-m", "pip", "install", "--no-deps", "--force-reinstall", str(wheel)],
        log="engine-install",
    )
