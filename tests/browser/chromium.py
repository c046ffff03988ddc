"""The distribution's Chromium without its windows: the same pages for less of the processor."""

from playwright.sync_api import Browser, Playwright

CHROMIUM = "/usr/bin/chromium-headless-shell"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]


def start_chromium(playwright: Playwright) -> Browser:
    """Start Chromium as every test and benchmark looks through it; the caller closes it."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
