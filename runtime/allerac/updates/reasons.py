"""Why an update was not found, taken or finished: what a person is told, and what happens next."""

from dataclasses import dataclass
from typing import Final

from allerac.errors import UpdateFailed


@dataclass(frozen=True, slots=True)
class Reason:
    """A sentence and what to do. What `passes` is tried again without a person."""

    message: str
    hint: str
    passes: bool = True


_NETWORK = "Check the box's connection to the internet. It tries again by itself."
_LATER = "It tries again by itself."
_DISTRUST = "Nothing was changed. If it stays so for days, tell Allerac's support."
_OTHER_FILE = "Use a file that was made for this box."

REASONS: Final = {
    "no_server": Reason(
        "This box has no update server.", "Install updates from a drive.", passes=False
    ),
    "server_unreachable": Reason("The update server cannot be reached.", _NETWORK),
    "server_failed": Reason("The update server does not have what it should have.", _LATER),
    "server_slow": Reason("The update server is too slow.", _LATER),
    "answer_too_long": Reason("The update server sends more than it should.", _DISTRUST),
    "answer_cut": Reason("The update server ended in the middle of an answer.", _LATER),
    "catalogue_expired": Reason(
        "The list of updates is out of date, so the box does not rely on it.", _DISTRUST
    ),
    "clock_doubtful": Reason(
        "The list of updates is out of date, or the box's clock is wrong.",
        "Connect the box to the internet, which sets its clock.",
    ),
    "catalogue_replayed": Reason(
        "The update server sends an older list than before, so the box does not rely on it.",
        _DISTRUST,
    ),
    "catalogue_mixed": Reason(
        "The update server sends parts that do not belong together.", _DISTRUST
    ),
    "catalogue_untrusted": Reason(
        "The list of updates is not signed by those whom this box trusts.", _DISTRUST
    ),
    "catalogue_damaged": Reason("The list of updates is damaged.", _DISTRUST),
    "not_kept": Reason(
        "The box cannot keep what it learned about updates.",
        "Restart the box; if it stays so, the disk may be failing.",
    ),
    "clock_behind": Reason(
        "The box's clock is behind, so the signature of the update cannot be checked.",
        "Connect the box to the internet, which sets its clock.",
    ),
    "bundle_untrusted": Reason(
        "The update is not signed by those whom this box trusts.", _OTHER_FILE, passes=False
    ),
    "bundle_differs": Reason(
        "The update is not the one that the list names.", _DISTRUST, passes=False
    ),
    "bundle_unreadable": Reason(
        "The update is damaged or incomplete.", "Fetch it again.", passes=False
    ),
    "other_tier": Reason("The update is for another kind of box.", _OTHER_FILE, passes=False),
    "not_newer": Reason(
        "The update is not newer than what is installed.",
        "To return to the version before, use “Go back”.",
        passes=False,
    ),
    "below_minimum": Reason(
        "This update needs another one first.", "Install the one in between.", passes=False
    ),
    "halted": Reason(
        "This update was withdrawn.",
        "A better one will follow; nothing is to be done.",
        passes=False,
    ),
    "transfer_cut": Reason("The transfer of the update was interrupted.", _NETWORK),
    "device_not_ready": Reason("The box was not ready to install.", _LATER),
    "installer_busy": Reason("Another update is being installed.", "Wait until it is done."),
    "installer_unavailable": Reason(
        "The part of the system that installs updates does not answer.", "Restart the box."
    ),
    "slot_write_failed": Reason(
        "The update could not be written.",
        "If it happens again, the disk may be failing.",
    ),
    "disk_full": Reason(
        "There is not enough room to update.", "Remove a model that you do not use."
    ),
    "interrupted": Reason("The box was switched off while it was updating.", _LATER),
    "install_failed": Reason("The update could not be installed.", _LATER),
    "restart_failed": Reason("The box could not restart itself.", "Switch it off and on again."),
    "slot_lost": Reason("The installed update is no longer there.", _LATER),
    "did_not_start": Reason("The new version did not start.", "The version before runs again."),
    "did_not_prove_itself": Reason(
        "The new version did not prove that it works.", "The version before runs again."
    ),
    "no_other_version": Reason(
        "There is no version to go back to.", "There is one after the first update.", passes=False
    ),
}
"""By name; the names are kept in the history and translated by the web application."""

NOT_ASKED: Final = frozenset(
    {"no_server", "server_unreachable", "server_slow", "server_failed", "answer_cut"}
)
"""Why nobody could be asked for updates: a box without internet is well all the same."""


def failed(name: str, detail: str = "") -> UpdateFailed:
    """Return the error for a reason; `detail` is what a program said."""
    reason = REASONS[name]
    return UpdateFailed(reason.message, reason=name, hint=reason.hint, detail=detail)
