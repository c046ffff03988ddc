"""Keys for trying things out, which images are built with as long as nobody names others."""

from pathlib import Path

from allerac_image.errors import BadInput

from .new_keys import NewKeys, make_keys
from .passphrases import Passphrases
from .repository import utc_now
from .trust import read_trust


def development_trust(keys: Path) -> Path:
    """Return the folder `trust` of `keys`, made at first use; raise `BadInput` for release keys."""
    if not keys.exists():
        make_keys(NewKeys(keys, development=True), Passphrases(), utc_now())
    if not read_trust(keys / "trust").development:
        raise BadInput(f"{keys} has release keys where development keys belong.")
    return keys / "trust"
