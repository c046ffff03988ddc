"""What the factory wrote to the identity partition: a small file for each fact.

All are optional. A unit that was not flashed by the factory has an empty partition, a developer's
machine none at all; what is missing, the box makes for itself.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

log = structlog.get_logger()

READ_BYTES: Final = 1024
SERIAL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
DEVICE_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{7,35}")
SUFFIX: Final = re.compile(r"[a-z0-9]{4}")
CODE_HASH: Final = re.compile(
    r"\$argon2id\$v=19\$m=\d{1,6},t=\d{1,2},p=\d{1,2}\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{22,86}"
)
"""The encoded form of the reference implementation; m in KiB, so that a check takes below 1 GB."""


@dataclass(frozen=True, slots=True)
class FactoryIdentity:
    """What this unit is; None is what the factory did not say.

    `claim_code_hash` is the Argon2id hash of the label's code: eight capitals and digits, no dash.
    """

    serial: str | None = None
    device_id: str | None = None
    claim_code_hash: str | None = None
    suffix: str | None = None


def read_identity(folder: Path | None) -> FactoryIdentity:
    """Read the files that are there; one that is no good is logged and left out."""
    if folder is None:
        return FactoryIdentity()
    if not folder.is_dir():
        log.warning("identity_folder_missing", folder=str(folder))
        return FactoryIdentity()
    return FactoryIdentity(
        serial=_fact(folder / "serial", SERIAL),
        device_id=_fact(folder / "device-id", DEVICE_ID),
        claim_code_hash=_fact(folder / "claim-code.hash", CODE_HASH),
        suffix=_fact(folder / "hostname-suffix", SUFFIX),
    )


def _fact(path: Path, form: re.Pattern[str]) -> str | None:
    try:
        with path.open("rb") as file:
            text = file.read(READ_BYTES).decode("ascii").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        log.warning("identity_file_unreadable", file=path.name, reason=type(error).__name__)
        return None
    if form.fullmatch(text) is None:
        log.warning("identity_file_unusable", file=path.name, reason="not of the expected form")
        return None
    return text
