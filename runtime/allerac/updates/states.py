"""The states of an update, and what leads from one to the next."""

from collections.abc import Mapping
from typing import Final, Literal

from allerac.errors import Conflict

State = Literal[
    "idle",
    "checking",
    "available",
    "downloading",
    "installed",
    "rebooting",
    "proving",
    "good",
    "rolled_back",
]
Event = Literal[
    "check",
    "found",
    "nothing",
    "kept",
    "install",
    "install_failed",
    "refused",
    "installed",
    "lost",
    "withdrawn",
    "restart",
    "restart_failed",
    "go_back",
    "cancelled",
    "arrived",
    "proved",
    "fell_back",
]

RESTING: Final[tuple[State, ...]] = ("idle", "available", "good", "rolled_back")
"""Nothing is under way, so anything may begin."""

TRANSITIONS: Final[Mapping[tuple[State, Event], State]] = {
    **{(state, "check"): "checking" for state in RESTING},
    **{(state, "install"): "downloading" for state in RESTING},
    **{(state, "go_back"): "rebooting" for state in RESTING},
    ("checking", "found"): "available",
    ("checking", "nothing"): "idle",
    ("checking", "kept"): "available",  # the check failed; what was found before still stands
    ("downloading", "installed"): "installed",
    ("downloading", "install_failed"): "available",
    ("downloading", "refused"): "idle",
    ("downloading", "arrived"): "proving",
    ("installed", "restart"): "rebooting",
    ("installed", "lost"): "available",
    ("installed", "withdrawn"): "idle",
    ("installed", "arrived"): "proving",
    ("rebooting", "restart_failed"): "installed",
    ("rebooting", "cancelled"): "idle",
    ("rebooting", "arrived"): "proving",
    ("rebooting", "fell_back"): "rolled_back",
    ("proving", "proved"): "good",
    ("proving", "fell_back"): "rolled_back",
}


def next_state(state: str, event: Event) -> State:
    """Return where `event` leads. Raises `Conflict` when it cannot happen in `state`."""
    for (before, cause), after in TRANSITIONS.items():
        if (before, cause) == (state, event):
            return after
    raise Conflict("The box is busy with another step of an update.", hint="Wait until it is done.")
