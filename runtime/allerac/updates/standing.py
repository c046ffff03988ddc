"""Whether what was found is still on offer: between a check and a click lie days."""

import asyncio
from typing import Final

from allerac.errors import UpdateFailed
from allerac.storage.updates import UpdateRecord

from .offer import Offer
from .parts import Catalogue
from .reasons import failed
from .version import Version

ASK_SECONDS: Final = 20.0
"""How long a person who has clicked waits for the server."""


async def require_on_offer(
    catalogue: Catalogue | None,
    record: UpdateRecord,
    installed: Version,
    *,
    patience_seconds: float = ASK_SECONDS,
) -> None:
    """Ask the server once more for the update under way.

    Raises `UpdateFailed` when it was withdrawn since, or needs another version first by now. Where
    the server cannot be asked its last answer counts; what a drive brought is asked for nowhere.
    """
    offer = Offer.restored(record.offer)
    if catalogue is None or offer is None or record.origin != "server":
        return
    try:
        async with asyncio.timeout(patience_seconds):
            offers = (await catalogue.refresh(record.trusted_at)).offers
    except (UpdateFailed, TimeoutError):
        offers = tuple(await catalogue.known())
        if not offers:  # nobody knows
            return
    named = [one for one in offers if one.manifest_hash == offer.manifest_hash]
    if all(one.halted for one in named):
        raise failed("halted", str(offer.version))
    if all(one.minimum_version > installed for one in named):
        raise failed("below_minimum", str(named[0].minimum_version))
