"""A whole system without a machine, and who lives with it: on its network, at its own address."""

import re
import time
from dataclasses import dataclass
from typing import Any, Self

from tests.image.emulated_lan import Visit
from tests.image.visited_box import START_SECONDS, VisitedBox
from tests.provisioning.own_system import OwnSystem

CLAIM_CODE = re.compile(r"[Cc]laim code:?\s+\S*([0-9A-Z]{4}-[0-9A-Z]{4})")


@dataclass(slots=True)
class VisitedSystem(VisitedBox):
    """What is asked of it comes from its own network; end `visit` at the end."""

    system: OwnSystem
    visit: Visit
    address: str = "127.0.0.1"

    @classmethod
    def of(cls, system: OwnSystem) -> Self:
        """Return a system that somebody visits."""
        return cls(system, Visit(("nsenter", f"--net=/proc/{system.pid}/ns/net")))

    def ask(self, do: str, **order: Any) -> Any:
        """Give an order to the visitor."""
        return self.visit.ask(do, **order)

    def claim_code(self) -> str:
        """Wait for the code on the screen."""
        deadline = time.monotonic() + START_SECONDS
        while (shown := CLAIM_CODE.search(self.system.screen.read_text())) is None:
            assert time.monotonic() < deadline, self.system.screen.read_text()
            time.sleep(0.2)
        return shown.group(1)
