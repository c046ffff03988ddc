"""Who signs what, how many must, and for how long it holds (TUF specification 1.0, section 2)."""

from datetime import timedelta

ROOT_KEYS = 3
ROOT_THRESHOLD = 2
"""Any two of three persons; one lost or stolen key neither stops nor forges a release."""

TARGETS = "targets"
ONLINE = ("snapshot", "timestamp")
"""Keys that may lie on the machine that refreshes: without the others they install nothing."""

LIFE = {
    "root": timedelta(days=365),
    "targets": timedelta(days=90),
    "snapshot": timedelta(days=7),
    "timestamp": timedelta(days=7),
}
"""How long a signature holds. An attacker who replays old metadata is believed for that long."""

WARNING = {
    "root": timedelta(days=60),
    "targets": timedelta(days=21),
    "snapshot": timedelta(days=2),
    "timestamp": timedelta(days=2),
}
"""How long before its end a person is told."""

CHANNELS = ("beta", "stable")
AUTHORITY_DAYS = 7300
LEAF_DAYS = 1095
"""A box refuses what is signed after it; what was signed before stays good, RAUC is told so."""

LEAF_WARNING = timedelta(days=180)
