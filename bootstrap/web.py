"""Node and the web application."""

import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

from .kept import shelf, take_or_make
from .steps import PYTHON, REPOSITORY, VENV, cache_folder, digest, once, run, say

WEB = REPOSITORY / "onboarding_ui"
DIST = WEB / "dist"
API = REPOSITORY / "docs" / "openapi.json"
KEPT = 10
"""Web applications; one takes two megabytes."""
KEPT_PACKAGES = 2
"""Sets of packages; one takes 330 megabytes and half a minute of npm's work."""
KEPT_PASSES = 100
"""Versions of the web application that were well; each is an empty file."""
NODE_REQUIREMENT = REPOSITORY / "requirements" / "node.txt"
MINIMUM_NODE = (20, 19)
"""What Vite 8 asks for."""

YOUNG_GARBAGE = "--max-semi-space-size=64"
"""For Node: a compiler's garbage is young, and room for it saves a tenth of the time."""

NOT_SOURCES = {"node_modules", "dist", "coverage", ".vite", "screenshots"}


def prepare_node_modules() -> None:
    """Install the web application's packages, with Node from a wheel where there is none."""
    if _node_version() < MINIMUM_NODE:
        once(
            "node",
            digest([NODE_REQUIREMENT]),
            "Node",
            _install_node,
            made=VENV / "bin" / "node",
        )
    modules = WEB / "node_modules"
    key = digest([WEB / "package.json", WEB / "package-lock.json", NODE_REQUIREMENT], *_machine())
    once(
        "node-modules",
        key,
        "Web application: packages",
        lambda: take_or_make(
            cache_folder() / "node-modules" / key,
            modules,
            lambda: _install_packages(modules),
            most=KEPT_PACKAGES,
            of="npm packages",
        ),
        made=modules / ".package-lock.json",
    )


def _install_packages(modules: Path) -> None:
    """Fetch the locked packages into an empty folder: what is kept has nothing of an older lock.

    `npm ci` refuses a lock that leaves out another system's binaries, which not every registry
    carries; without saving, `install` takes the locked versions and hashes too.
    """
    shutil.rmtree(modules, ignore_errors=True)
    npm("install", "--no-save", "--no-audit", "--no-fund", log="npm")


def _install_node() -> None:
    """Put Node and npm beside Python, from a wheel that carries them."""
    pip = [str(PYTHON), "-m", "pip", "install", "--require-hashes"]
    run([*pip, "-r", str(NODE_REQUIREMENT)], log="node")


def prepare_web() -> None:
    """Have the web application in `onboarding_ui/dist`: built, or kept from an equal build."""
    key = digest(_sources())
    kept = cache_folder() / "web" / key
    if not kept.is_dir():
        prepare_node_modules()
    once(
        "web",
        key,
        "Web application: build",
        lambda: take_or_make(
            kept, DIST, lambda: npm("run", "build", log="web"), most=KEPT, of="web applications"
        ),
        made=DIST / "index.html",
    )


def check_web() -> None:
    """Look at style and types of the web application, unless it passed as it is now.

    Types lead from file to file, so only all of them together are known to be well.
    """
    key = digest([*_sources(), API, NODE_REQUIREMENT], *_machine())
    once(
        "web-check",
        key,
        "Web application: style and types",
        lambda: _look_once(cache_folder() / "web-checks" / key),
        made=WEB / "node_modules" / ".package-lock.json",
    )


def _look_once(passed: Path) -> None:
    with shelf(passed.parent, most=KEPT_PASSES, of="passes of the web application"):
        if passed.is_file():
            say("  as it is, it passed before")
        else:
            npm("run", "--silent", "check", log="web-check", options=YOUNG_GARBAGE)
        passed.touch()


def npm(*words: str, log: str, options: str = "") -> None:
    """Run npm in the web application's folder with the Node that was prepared."""
    path = f"{VENV / 'bin'}{os.pathsep}{os.environ['PATH']}"
    environment = {"PATH": path} | ({"NODE_OPTIONS": options} if options else {})
    run(["npm", *words], log=log, cwd=WEB, environment=environment)


def _sources() -> list[Path]:
    found: list[Path] = []
    for path in WEB.rglob("*"):
        parts = path.relative_to(WEB).parts
        if path.is_file() and not NOT_SOURCES.intersection(parts):
            found.append(path)
    return found


def _machine() -> tuple[str, ...]:
    """Return what npm's packages, and what they say of the sources, depend on beside files."""
    return sys.platform, platform.machine(), str(_node_version())


def _node_version() -> tuple[int, int]:
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return (0, 0)
    text = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.match(r"v(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2])) if match else (0, 0)
