"""A fan that has turned stands still while the processor is warm."""

from collections.abc import Iterator

from allerac.health.check import Check, Finding, View, Words

WARM, COOL = 10.0, 20.0
"""Degrees below where the box slows down: any fan turns there, also one that rests when it is cool
(assumption)."""


def _look(view: View) -> Iterator[Finding]:
    machine, slow = view.now.machine, view.now.limits.slow_celsius
    stands = machine.fan_turns == 0 and view.history.has_seen("fan_turns")
    if stands and machine.heat is not None:
        celsius = machine.heat.celsius
        if celsius >= slow - view.limit(WARM, COOL):
            yield Finding("warning", {"celsius": round(celsius)})


CHECK = Check(
    code="fan_stopped",
    words={
        "en": Words(
            "The fan stands still.",
            "It has turned before, and the processor has {celsius} degrees.",
            "Switch the box off. See whether something blocks the fan, or its plug is loose.",
        ),
        "de": Words(
            "Der Lüfter steht.",
            "Er hat sich schon gedreht, und der Prozessor hat {celsius} Grad.",
            "Schalte die Box aus. Sieh nach, ob etwas den Lüfter blockiert oder sein Stecker lose "
            "ist.",
        ),
    },
    look=_look,
    opens_after_seconds=60,
    closes_after_seconds=60,
)
