"""Somebody may sign in at the system."""

from collections.abc import Iterator

from allerac.health.check import Check, Finding, View, Words


def _look(view: View) -> Iterator[Finding]:
    until = view.now.box.ssh_open_until
    if until is not None:
        yield Finding("notice", {"until": f"{until:%H:%M}"})


CHECK = Check(
    code="ssh_open",
    words={
        "en": Words(
            "SSH is open.",
            "Until {until} whoever has a key of the owner's list can sign in from your network, "
            "read the log and look at the system.",
            "It closes by itself. The owner can close it now.",
        ),
        "de": Words(
            "SSH ist offen.",
            "Bis {until} kann sich aus deinem Netz anmelden, wessen Schlüssel in der Liste steht, "
            "das Protokoll lesen und das System ansehen.",
            "Es schließt von selbst. Wem die Box gehört, kann es jetzt schließen.",
        ),
    },
    look=_look,
    closes_after_seconds=0,
    page="/box",
)
