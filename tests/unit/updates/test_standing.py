"""Asking once more, of a server that may be slow, away, or without an answer that is remembered."""

import asyncio
from datetime import datetime

import pytest

from allerac.errors import UpdateFailed
from allerac.storage.updates import UpdateRecord
from allerac.updates.listing import Listing
from allerac.updates.standing import require_on_offer
from allerac.updates.version import Version

from .household import Wares, offer_of

INSTALLED = Version.read("1.0.0")
RECORD = UpdateRecord(state="installed", offer=offer_of("1.1.0").kept(), origin="server")


class SilentWares(Wares):
    """Never answers; what was offered last is known."""

    async def refresh(self, known_at: datetime | None) -> Listing:
        """Wait."""
        await asyncio.Event().wait()
        return await super().refresh(known_at)


async def test_a_silent_server_is_waited_for_a_while_and_its_last_answer_counts() -> None:
    await require_on_offer(SilentWares(offer_of("1.1.0")), RECORD, INSTALLED, patience_seconds=0.05)
    withdrawn = SilentWares(offer_of("1.1.0", halted=True))
    with pytest.raises(UpdateFailed) as caught:
        await require_on_offer(withdrawn, RECORD, INSTALLED, patience_seconds=0.05)
    assert caught.value.reason == "halted"


async def test_where_nobody_knows_nothing_is_held_back() -> None:
    nobody = Wares()
    nobody.problem = "server_unreachable"
    await require_on_offer(nobody, RECORD, INSTALLED)
    await require_on_offer(None, RECORD, INSTALLED)


async def test_another_version_that_is_withdrawn_is_no_reason() -> None:
    wares = Wares(offer_of("1.1.0"), offer_of("1.2.0", halted=True))
    await require_on_offer(wares, RECORD, INSTALLED)
    assert wares.asked == 1


async def test_what_a_drive_brought_is_asked_for_nowhere() -> None:
    wares = Wares()
    record = UpdateRecord(state="installed", offer=RECORD.offer, origin="drive")
    await require_on_offer(wares, record, INSTALLED)
    assert wares.asked == 0
