"""`make vm` with the built image: what a person sees in their own browser."""

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, SimpleQueue

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import browser
from tests.image.booted_box import OFF_SECONDS
from tests.image.conftest import BuiltImage
from tests.image.visited_box import START_SECONDS

__all__ = ["browser"]

pytestmark = pytest.mark.matrix

COMMAND = """\
import argparse, signal, sys
from pathlib import Path
from allerac_image import vm
signal.signal(signal.SIGINT, signal.default_int_handler)
parser = argparse.ArgumentParser()
vm.add_arguments(parser)
sys.exit(vm.run(parser.parse_args(sys.argv[2:]), machines=Path(sys.argv[1])))
"""
"""The command itself, with its machine in a folder of the test's; what runs in the background of a
shell would ignore Ctrl-C."""


class Terminal:
    """The command as it runs, and what it has said."""

    def __init__(self, image: Path, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-c", COMMAND, str(folder), "--image", str(image)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said: list[str] = []
        self._lines: SimpleQueue[str] = SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as said:
            for line in said:
                self._lines.put(line)

    def close(self) -> None:
        """End the command, which takes its machine with it."""
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(30)
        self._reader.join(10)

    def wait_for(self, pattern: str, seconds: float) -> re.Match[str]:
        """Return the first line that matches, said from now on."""
        while True:
            try:
                self.said.append(self._lines.get(timeout=seconds))
            except Empty:
                raise AssertionError("".join(self.said)) from None
            if found := re.search(pattern, self.said[-1]):
                return found


@pytest.fixture
def terminal(vm_image: BuiltImage, tmp_path: Path) -> Iterator[Terminal]:
    """A person who typed the command."""
    started = Terminal(vm_image.file(".img"), tmp_path / "machines")
    yield started
    started.close()


def test_the_wizard_is_in_the_persons_own_browser_and_ctrl_c_shuts_the_box_down(
    terminal: Terminal, browser: Browser
) -> None:
    terminal.wait_for("wizard answers", START_SECONDS)
    address = terminal.wait_for(r"http://127\.0\.0\.1:\d+", 10)[0]
    code = terminal.wait_for(r"Claim code: (\S+)", START_SECONDS)[1]
    page = browser.new_page(locale="en-GB")
    page.goto(address)
    expect(page).to_have_title(re.compile("Allerac"))
    page.get_by_role("button", name="English").click()
    page.get_by_label("Code on the label").fill(code)
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_label("Your name")).to_be_visible()
    terminal.process.send_signal(signal.SIGINT)
    terminal.wait_for("Shutting down", 30)
    assert terminal.process.wait(OFF_SECONDS) == 0
