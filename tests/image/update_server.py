"""A server of plain files on the box's network, with ranges; it writes down what it sent.

`update_server.py FOLDER ADDRESS PORT LOG`: each answer is a line of JSON with path, first byte and
number of bytes in LOG. A file `pace` beside LOG says how many bytes a second it sends at most, a
file `cuts` with a seed and a number how many answers it cuts off, each at any byte. A file `flip`
with a seed makes it turn over a bit of a bundle where it is about to be read; which byte that was
is in `flipped` afterwards. While a file `silent` is there it takes questions for bundles and says
nothing.
"""

import json
import random
import re
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

BUNDLE = ".raucb"
RANGE = re.compile(r"bytes=(\d+)-(\d*)")
CHUNK_BYTES = 64 * 1024
SILENT_SECONDS = 0.2
CUT_SHARE = 0.1
"""Of the answers, while some are still to be cut: each is asked for again a few times only."""

BLOCK_BYTES = 4096
PAYLOAD_SHARE = 0.97
"""Of a bundle, behind which its index, its tree of hashes and its signature lie."""

FLIPPED_ANSWER = (1, 40)
"""Of those with a block of the payload: an update that changes one file reads about fifty. What
looks at the drive that streams a bundle, before it is opened, asks for more at once."""


class Cuts:
    """Decides which answers are cut off, and where, as the file that `order` names says."""

    def __init__(self, order: Path) -> None:
        self._order = order
        self._chance: random.Random | None = None
        self._left = 0
        self._lock = threading.Lock()

    def length(self, whole: int) -> int:
        """Return how many of `whole` bytes are sent."""
        with self._lock:
            if self._chance is None and self._order.is_file():
                seed, self._left = map(int, self._order.read_text().split())
                self._chance = random.Random(seed)  # noqa: S311 - no secret
            if self._chance is None or not self._left or self._chance.random() > CUT_SHARE:
                return whole
            self._left -= 1
            return self._chance.randrange(whole)


class Flip:
    """Turns over one bit of a bundle, as the file `order` says: of the first byte of an answer.

    An update reads little of a bundle, so that hardly any other bit is ever noticed: blocks of the
    payload, one by one.
    """

    def __init__(self, order: Path) -> None:
        self._order = order
        self._left: int | None = None
        self._lock = threading.Lock()

    def before(self, bundle: Path, first: int, size: int) -> None:
        """Note that `size` bytes of `bundle` are read from the byte `first` on."""
        end = PAYLOAD_SHARE * bundle.stat().st_size
        if size != BLOCK_BYTES or not 0 < first < end:
            return
        with self._lock:
            if self._left is None and self._order.is_file():
                chance = random.Random(int(self._order.read_text()))  # noqa: S311 - no secret
                self._left = chance.randrange(*FLIPPED_ANSWER)
            if not self._left:
                return
            self._left -= 1
            if self._left == 0:
                turn_over(bundle, first)
                self._order.with_name("flipped").write_text(str(first))


def turn_over(file: Path, at: int) -> None:
    """Make the lowest bit of a byte another one, or what it was before."""
    with file.open("r+b") as content:
        content.seek(at)
        (byte,) = content.read(1)
        content.seek(at)
        content.write(bytes([byte ^ 1]))


class Handler(SimpleHTTPRequestHandler):
    """Sends files, whole or in part."""

    protocol_version = "HTTP/1.1"

    def __init__(self, *arguments: Any, log: Path, cuts: Cuts, flip: Flip, **named: Any) -> None:
        self._log = log
        self._cuts = cuts
        self._flip = flip
        super().__init__(*arguments, **named)

    def do_GET(self) -> None:
        """Send what is asked for, and write down how much went out."""
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        if path.suffix == BUNDLE:
            self._stay_silent()
        size = path.stat().st_size
        asked = RANGE.fullmatch(self.headers.get("Range", ""))
        first = int(asked[1]) if asked else 0
        last = min(int(asked[2]), size - 1) if asked and asked[2] else size - 1
        if path.suffix == BUNDLE:
            self._flip.before(path, first, last - first + 1)
        self.send_response(HTTPStatus.PARTIAL_CONTENT if asked else HTTPStatus.OK)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(last - first + 1))
        if asked:
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.end_headers()
        whole = last - first + 1
        length = self._cuts.length(whole) if path.suffix == BUNDLE else whole
        self.close_connection = self.close_connection or length < whole
        sent = 0
        try:
            for chunk in _read(path, first, first + length - 1):
                self.wfile.write(chunk)
                sent += len(chunk)
                self._keep_pace(len(chunk))
        finally:
            with self._log.open("a") as log:
                told = {"path": self.path, "first": first, "bytes": sent, "cut": length < whole}
                log.write(json.dumps(told) + "\n")

    def _stay_silent(self) -> None:
        while self._log.with_name("silent").is_file():
            time.sleep(SILENT_SECONDS)

    def _keep_pace(self, number: int) -> None:
        pace = self._log.with_name("pace")
        if pace.is_file():
            time.sleep(number / int(pace.read_text()))

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def _read(path: Path, first: int, last: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(first)
        left = last - first + 1
        while left > 0 and (chunk := file.read(min(left, CHUNK_BYTES))):
            left -= len(chunk)
            yield chunk


def main(folder: str, address: str, port: str, log: str) -> None:
    """Serve until killed."""
    cuts = Cuts(Path(log).with_name("cuts"))
    flip = Flip(Path(log).with_name("flip"))
    handler = partial(Handler, directory=folder, log=Path(log), cuts=cuts, flip=flip)
    ThreadingHTTPServer.daemon_threads = True
    with ThreadingHTTPServer((address, int(port)), handler) as server:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
