"""A step of an update and a look at what became of it, both at the same time."""

import asyncio

from allerac.updates.acts import Acts
from allerac.updates.offer import ThisBox
from allerac.updates.version import Version

from .household import Household, bring_to
from .publisher import TIER

TIMES = 50
"""So often that who does the same meanwhile has come to its end, or to where it waits."""


class LateLook(Acts):
    """Looks late at what became of the update; the catalogue answers when it has looked."""

    def __init__(self, home: Household) -> None:
        box = ThisBox(TIER, Version.read("1.0.0"), "stable")
        super().__init__(home.parts, box, clock=home.clock)
        self._home = home
        self.begun = asyncio.Event()

    async def reconcile(self) -> None:
        """Let others write before."""
        self.begun.set()
        for _ in range(TIMES):
            await self.journal.note(tries=0)
        await super().reconcile()
        self._home.wares.may_answer.set()


async def test_who_sees_an_update_installed_may_restart_into_it_at_once(home: Household) -> None:
    await bring_to(home, "available")
    home.store.reads_ahead = TIMES
    service = home.service()
    await service.install()
    async with asyncio.timeout(20):
        while (await service.status()).state != "installed":
            pass
    assert (await service.restart()).state == "rebooting"


async def test_a_check_under_way_is_not_taken_for_one_that_was_cut_off(home: Household) -> None:
    await home.boxes.change({"automatic_updates": False})
    home.wares.may_answer.clear()
    acts = LateLook(home)
    service = home.service(acts)
    await service.start()
    async with asyncio.timeout(20):
        await acts.begun.wait()
        status = await service.check()
    assert (status.state, status.reason) == ("available", None)
    await service.stop()
