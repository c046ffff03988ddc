"""Node and the web application."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from .kept import part_of, shelf, touch
from .steps import PYTHON, REPOSITORY, VENV, cache_folder, digest, once, run

WEB = REPOSITORY / "onboarding_ui"
DIST = WEB / "dist"
API = REPOSITORY / "docs" / "openapi.json"
KEPT = 10
"""Web applications; one takes two megabytes."""
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
    once(
        "node-modules",
        digest([WEB / "package.json", WEB / "package-lock.json"]),
        "Web application: packages",
        # `npm ci` refuses a lock that leaves out another system's binaries, which not every
        # registry carries; without saving, `install` takes the locked versions and hashes too.
        lambda: npm("install", "--no-save", "--no-audit", "--no-fund", log="npm"),
        made=WEB / "node_modules" / ".package-lock.json",
    )


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
        lambda: _take_or_build(kept),
        made=DIST / "index.html",
    )


def _take_or_build(kept: Path) -> None:
    with shelf(kept.parent, most=KEPT, of="web applications"):
        if kept.is_dir():
            shutil.rmtree(DIST, ignore_errors=True)
            shutil.copytree(kept, DIST)
        else:
            npm("run", "build", log="web")
            part = part_of(kept)
            shutil.copytree(DIST, part)
            part.rename(kept)
        touch(kept)


def check_web() -> None:
    """Look at style and types of the web application, unless it passed as it is now.

    Types lead from file to file, so only all of them together are known to be well.
    """
    once(
        "web-check",
        digest([*_sources(), API]),
        "Web application: style and types",
        lambda: npm("run", "--silent", "check", log="web-check", options=YOUNG_GARBAGE),
        made=WEB / "node_modules" / ".package-lock.json",
    )


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


def _node_version() -> tuple[int, int]:
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return (0, 0)
    text = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.match(r"v(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2])) if match else (0, 0)
