"""What a look at a page finds, by our own rules in `audit.js` and by those of axe."""

import json
from pathlib import Path

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

AUDIT = Path(__file__).with_name("audit.js").read_text(encoding="utf-8")

_OPTIONS = {"resultTypes": ["violations"], "selectors": False}
"""Every rule is asked; only what is never read afterwards is left out of the answer."""

_JUDGE = f"""{AXE_SCRIPT};
axe.run({json.dumps(_OPTIONS)}).then(({{ violations }}) =>
  violations.map((one) => `${{one.id}}: ${{one.nodes[0].html.slice(0, 160)}}`)
)"""
"""The whole report of axe has hundreds of nodes that are well; none of them leaves the page."""


def faults(page: Page, *, is_touched: bool) -> list[str]:
    """What scrolls sideways, is cut off or is too small to touch, one sentence each."""
    found: list[str] = page.evaluate(AUDIT, is_touched)
    return found


def violations(page: Page) -> list[str]:
    """The rules of axe that the page breaks, each with the first element that does."""
    broken: list[str] = page.evaluate(_JUDGE)
    return broken
