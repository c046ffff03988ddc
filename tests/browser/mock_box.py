"""The web application over its mock box, and the browser that looks at it."""

import itertools
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.mock_server import HOST

REPOSITORY = Path(__file__).resolve().parents[2]
WEB = REPOSITORY / "onboarding_ui"
ADDRESS = f"http://{HOST}"

SIZES = {"narrow": (320, 640), "phone": (390, 844), "desktop": (1280, 800)}


def build(target: Path) -> Path:
    """Build the application with the mock in place of the live box."""
    path = f"{REPOSITORY / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    command = ["npm", "exec", "--", "vite", "build", "--mode", "mock", "--logLevel", "error"]
    subprocess.run(
        [*command, "--outDir", str(target), "--emptyOutDir"],
        cwd=WEB,
        env={**os.environ, "PATH": path},
        check=True,
        capture_output=True,
    )
    return target


class Words:
    """What the application says in one language, by key."""

    def __init__(self, language: str) -> None:
        folder = WEB / "src" / "i18n" / language
        self._tree: dict[str, Any] = json.loads((folder / "app.json").read_text("utf-8"))
        self._tree["library"] = json.loads((folder / "library.json").read_text("utf-8"))

    def __call__(self, key: str, **values: object) -> str:
        """The text of `key` with `{{placeholders}}` filled; KeyError where there is none."""
        found: Any = self._tree
        for part in key.split("."):
            found = found[part]
        text = str(found)
        for name, value in values.items():
            text = text.replace(f"{{{{{name}}}}}", str(value))
        return text


@dataclass(frozen=True, slots=True)
class Look:
    """On what, in which light and in which language the application is looked at."""

    size: str
    scheme: str
    language: str

    @property
    def is_touched(self) -> bool:
        return self.size != "desktop"

    def __str__(self) -> str:
        return f"{self.size}-{self.scheme}-{self.language}"


EVERY_LOOK = [Look(*one) for one in itertools.product(SIZES, ("light", "dark"), ("en", "de"))]
PAIRWISE = [
    Look("narrow", "light", "de"),
    Look("phone", "dark", "en"),
    Look("desktop", "light", "en"),
    Look("desktop", "dark", "de"),
]
"""Touch and mouse, light and dark, English and German: every two of them meet in one of these."""


def open_context(browser: Browser, proxy: str, look: Look) -> BrowserContext:
    """A browser for which all the world is the box behind `proxy` (see `mock_server.serving`)."""
    width, height = SIZES[look.size]
    return browser.new_context(
        proxy={"server": proxy},
        viewport={"width": width, "height": height},
        color_scheme="dark" if look.scheme == "dark" else "light",
        locale="de-DE" if look.language == "de" else "en-GB",
        timezone_id="Europe/Lisbon",
        reduced_motion="reduce",
        has_touch=look.is_touched,
        is_mobile=look.is_touched,
    )


def visit(page: Page, path: str, *plays: str) -> None:
    """Open `path` of a box that plays `plays` (see `scenarioOf` in the mock)."""
    path, hash_sign, place = path.partition("#")
    more = "&" if "?" in path else "?"
    played = "&".join(f"play={play}" for play in ("quick", *plays))
    page.goto(f"{ADDRESS}{path}{more}{played}{hash_sign}{place}")
