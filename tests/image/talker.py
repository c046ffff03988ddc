"""Somebody in the house who asks one question after another until nobody answers."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from tests.image.booted_box import BootedBox
from tests.image.emulated_lan import Visit
from tests.image.visited_box import API, VisitedBox

QUESTION = "Ben's kettle is green. Ana's kettle is white.\n\nWhat colour is Ben's kettle?"
ON_ITS_WAY_SECONDS = 3.0
"""By then all is heard that was sent before the power went."""


@dataclass(slots=True)
class Talker(VisitedBox):
    """What was sent, which answers the box acknowledged and which of them were heard to the end.

    `hears` is set while the words of one are coming.
    """

    address: str
    conversation: str
    visit: Visit
    sent: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    heard: set[str] = field(default_factory=set)
    hears: Event = field(default_factory=Event)

    def ask(self, do: str, **order: Any) -> Any:
        """Give an order to the visitor."""
        return self.visit.ask(do, **order)

    def talk(self) -> None:
        """Ask and listen until an answer breaks off or none begins."""
        self.sign_in()
        path = f"{API}/conversations/{self.conversation}/messages"
        while True:
            text = f"Question {len(self.sent)}. {QUESTION}"
            body = {"content": text, "client_id": f"talk-{len(self.sent)}", "parent_id": None}
            self.sent.append(text)
            answer = self.request("POST", path, json=body)
            if answer["status"] != 201:
                return
            self.answers.append(answer["body"]["answer"]["id"])
            if self._heard(until="delta") != "delta":
                return
            self.hears.set()
            if self._heard() != "done":
                return
            self.heard.add(self.answers[-1])
            self.hears.clear()

    def _heard(self, until: str = "") -> str:
        return str(self.follow(self.answers[-1], until)[-1][0])


@contextmanager
def talking(box: BootedBox, conversation: str) -> Iterator[Talker]:
    """Have somebody talk until the box is gone, at the latest at the end.

    Of a box without power nothing more is heard, which a browser would wait for a minute long.
    """
    visit = Visit(box.lan.prefix)
    talker = Talker(box.address, conversation, visit)
    with ThreadPoolExecutor(1) as thread:
        talks = thread.submit(talker.talk)
        try:
            yield talker
            with suppress(TimeoutError):
                talks.result(ON_ITS_WAY_SECONDS)
        finally:
            visit.end()
