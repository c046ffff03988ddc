"""What an image carries so that its box believes updates: two files, neither of them secret."""

from dataclasses import dataclass
from pathlib import Path

from tuf.api.metadata import Root

from allerac_image.errors import BadInput

from .keys import authorities_of, fingerprint, is_for_development, read_certificate
from .repository import parsed


@dataclass(frozen=True, slots=True)
class Trust:
    """The folder `trust` of the keys."""

    root: Path
    """For metadata; on the box /usr/share/allerac/updates/root.json."""
    keyring: Path
    """For bundles; on the box /etc/rauc/keyring.pem."""
    development: bool
    """Whether the keys never ship: an image with them must say so, a release refuses them."""


def accept_trust(folder: Path, *, release: bool) -> Trust:
    """Read the folder for an image; raise `BadInput` too for a release by development keys."""
    trust = read_trust(folder)
    if release and trust.development:
        raise BadInput(f"{folder} has development keys, which no release is built with.")
    return trust


def read_trust(folder: Path) -> Trust:
    """Read both files; raise `BadInput` when one is missing or they do not belong together."""
    root, keyring = folder / "root.json", folder / "keyring.pem"
    for file in (root, keyring):
        if not file.is_file():
            raise BadInput(f"{file} is missing: name the folder `trust` of the keys.")
    signed = parsed(root.read_bytes(), Root, str(root)).signed
    if fingerprint(read_certificate(keyring)) not in authorities_of(signed):
        raise BadInput(f"{keyring} is not the authority that {root} names.")
    return Trust(root, keyring, is_for_development(signed))
