"""Half of the memory's speed is missing."""

from collections.abc import Iterator

from allerac.health.check import Check, Finding, View, Words


def _look(view: View) -> Iterator[Finding]:
    channels, wanted = view.now.box.memory_channels, view.now.limits.memory_channels
    if channels is not None and wanted is not None and channels < wanted:
        yield Finding("notice", {"channels": channels, "wanted": wanted})


CHECK = Check(
    code="single_channel",
    words={
        "en": Words(
            "The memory runs at half speed.",
            "{channels} of {wanted} memory channels are in use. Answers come at about half the "
            "speed this box could have.",
            "Put in a second memory module of the same kind.",
        ),
        "de": Words(
            "Der Speicher läuft mit halber Kraft.",
            "{channels} von {wanted} Speicherkanälen sind belegt. Antworten kommen etwa halb so "
            "schnell, wie die Box könnte.",
            "Setze einen zweiten gleichen Speicherriegel ein.",
        ),
    },
    look=_look,
    closes_after_seconds=0,
)
