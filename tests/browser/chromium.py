"""The distribution's Chromium without its windows: the same pages for less of the processor."""

from playwright.sync_api import Browser, Playwright

CHROMIUM = "/usr/bin/chromium-headless-shell"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-sync",
    # A page lives for a second: optimised code costs more to make than it saves, and bytecode that
    # is thrown away has to be made again for the next page.
    "--js-flags=--no-opt --no-maglev --no-flush-bytecode",
]


def start_chromium(playwright: Playwright) -> Browser:
    """Start Chromium as every test and benchmark looks through it; the caller closes it."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
