"""The hand-over's wiring: a unit that is still in the factory, and one drive that is plugged in."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from allerac.app.burn_in import screen_of
from allerac.appliance.burn_in_view import read_burn_in, write_burn_in
from allerac.appliance.view import FILE_NAME, read_view
from allerac.burn_in import hand_over
from allerac.errors import Unavailable
from allerac.settings import Settings


def hand_over_certificate(settings: Settings, device: Path, tell: Callable[[str], None]) -> None:
    """Put the certificate that this unit offers on a drive, if the drive asks for it.

    A box that is somebody's gives nothing away. Raises `Unavailable`.
    """
    offered = settings.offered_certificate
    if offered is None or _is_claimed(settings):
        tell("No certificate is offered here.")
        return
    try:
        content = offered.read_bytes()
        serial = str(json.loads(content)["certificate"]["serial"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Unavailable(f"The certificate cannot be read: {error}.") from error
    path = hand_over(device, serial, content)
    if path is None:
        tell("The drive does not ask for the certificate.")
        return
    tell(f"The certificate is on the drive: {path}")
    _show(settings)


def _is_claimed(settings: Settings) -> bool:
    view = read_view(settings.socket.with_name(FILE_NAME)) if settings.socket else None
    return view is not None and view.claimed


def _show(settings: Settings) -> None:
    """Let the screen say that the drive may be pulled out."""
    screen = screen_of(settings)
    shown = read_burn_in(screen) if screen else None
    told = "The certificate is on the USB drive; it may be pulled out."
    if screen and shown and told not in shown.kept:
        write_burn_in(screen, replace(shown, kept=(*shown.kept, told)))
