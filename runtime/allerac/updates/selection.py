"""Which version this box takes: what is on offer, seen with what its household wants."""

import asyncio
from datetime import datetime

from allerac.storage.box import BoxRecord
from allerac.storage.updates import UpdateRecord

from .offer import (
    Circumstances,
    Offer,
    ThisBox,
    Withheld,
    choose,
    is_in_rollout,
    is_possible,
    withheld,
)
from .parts import Parts
from .reasons import failed
from .removable import offer_of_file
from .standing import require_on_offer
from .version import Version


class Selection:
    """Chooses, and changes nothing."""

    def __init__(self, parts: Parts, box: ThisBox) -> None:
        self._parts = parts
        self._box = box

    @property
    def installed(self) -> Version:
        """The version that runs."""
        return self._box.installed

    @property
    def can_ask(self) -> bool:
        """Whether there is a server to ask."""
        return self._parts.catalogue is not None

    def channel(self, record: UpdateRecord) -> str:
        """Return the channel that the owner chose, or the box's own."""
        return record.channel or self._box.channel

    async def ask(self, record: UpdateRecord, *, by_owner: bool) -> tuple[Offer | None, datetime]:
        """Ask the server; return what to take, and when its answer was proven to be of.

        Raises `UpdateFailed`.
        """
        if self._parts.catalogue is None:
            raise failed("no_server")
        listing = await self._parts.catalogue.refresh(record.trusted_at)
        circumstances = await self._circumstances(record)
        return choose(listing.offers, circumstances, by_owner=by_owner), listing.proven_at

    async def require_on_offer(self, record: UpdateRecord) -> None:
        """Raise `UpdateFailed` where the update under way was withdrawn since."""
        await require_on_offer(self._parts.catalogue, record, self.installed)

    async def on_drive(self, name: str) -> Offer:
        """Look into a bundle on a drive. Raises `NotFound`, `UpdateFailed` for one not for us."""
        path = await asyncio.to_thread(self._parts.drives.path_of, name)
        bundle = await self._parts.installer.inspect(str(path))
        catalogue = self._parts.catalogue
        known = await catalogue.known() if catalogue is not None else ()
        return offer_of_file(path, bundle, known, self._box)

    async def is_for_all(self, record: UpdateRecord) -> bool:
        """Tell whether what is available would come without being asked for."""
        offer = Offer.restored(record.offer)
        if offer is None:
            return False
        box = await self._circumstances(record)
        wanted = str(offer.version) not in box.unwanted
        return wanted and is_possible(offer, box) and is_in_rollout(box.device_id, offer)

    async def may_come(self, record: UpdateRecord) -> bool:
        """Tell whether what is under way may go on by itself: a wish may have changed since.

        Whoever took a file from a drive wished for that very version.
        """
        offer = Offer.restored(record.offer)
        if offer is None or record.origin == "drive":
            return True
        return is_possible(offer, await self._circumstances(record))

    async def withheld(self, record: UpdateRecord) -> Withheld | None:
        """Return the newest version that the server offers if it does not come by itself."""
        if self._parts.catalogue is None:
            return None
        offers = await self._parts.catalogue.known()
        return withheld(offers, await self._circumstances(record))

    async def _circumstances(self, record: UpdateRecord) -> Circumstances:
        household: BoxRecord = await self._parts.household.load()
        pinned = record.pinned_version
        return Circumstances(
            device_id=household.device_id,
            tier=self._box.tier,
            installed=self.installed,
            channel=self.channel(record),
            pinned=None if pinned is None else Version.read(pinned),
            unwanted=await self._parts.store.unwanted_versions(),
        )
