"""Somebody guesses passwords."""

from collections.abc import Iterator

from allerac.health.check import Check, Finding, View, Words

MANY, FEW = 10, 3


def _look(view: View) -> Iterator[Finding]:
    times = view.now.box.failed_sign_ins
    if times >= view.limit(MANY, FEW):
        yield Finding("warning", {"times": times})


CHECK = Check(
    code="sign_ins_failed",
    words={
        "en": Words(
            "Somebody tries passwords.",
            "{times} sign-ins failed in the last hour. Allerac slows such tries down.",
            "If it was nobody of yours, look at who is in your network, and change passwords "
            "that others may know.",
        ),
        "de": Words(
            "Jemand probiert Passwörter aus.",
            "{times} Anmeldungen sind in der letzten Stunde gescheitert. Allerac bremst solche "
            "Versuche.",
            "War es niemand von euch, sieh nach, wer in deinem Netz ist, und ändere Passwörter, "
            "die andere kennen könnten.",
        ),
    },
    look=_look,
    closes_after_seconds=600,
    page="/people",
)
