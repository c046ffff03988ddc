"""What a version survived on the emulated box: judged before a release, and carried by it.

The table is written by tests/image/test_update_faults.py, a line for each case and seed, with the
first digits of the commit that the image was made of.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from allerac.yaml_files import read_yaml
from allerac_image.errors import BadInput
from allerac_image.plan import IMAGE

CASES = IMAGE / "update_cases.yaml"
FILE_NAME = "update-evidence.md"
FAILED = "FAILED"
"""How the result of a case begins that did not end as it should."""

ROW = re.compile(
    r"^\| (?P<case>[^|]+) \| (?P<seed>\d+) \| (?P<result>[^|]*) \| \d+ "
    r"\| (?P<commit>[0-9a-f]{7,40})(?P<changed>\+?) \|$",
    re.MULTILINE,
)
MOST_NAMED = 4


@dataclass(frozen=True, slots=True)
class Case:
    """How one case ended once; `commit` is the beginning of that of the image's sources."""

    name: str
    result: str
    commit: str

    @property
    def passed(self) -> bool:
        """Whether the box did what it should."""
        return bool(self.result) and not self.result.startswith(FAILED)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The bytes of a table, and why a bundle is offered although the table has gaps."""

    content: bytes | None
    despite: str

    def described(self) -> dict[str, str]:
        """Return what the metadata say of it."""
        told = {"despite": self.despite} if self.despite else {}
        if self.content is not None:
            told["sha256"] = hashlib.sha256(self.content).hexdigest()
        return told


NONE = Evidence(None, "")


def read_evidence(table: Path | None, despite: str | None) -> Evidence:
    """Return what a person has to show; raise `BadInput` for no table and for an empty reason."""
    if despite is not None and not despite.strip():
        raise BadInput("--despite wants the reason for which it is released all the same.")
    content = None
    if table is not None:
        try:
            content = table.read_bytes()
        except OSError as error:
            raise BadInput(f"{table} cannot be read: {error.strerror}.") from error
        if not list(cases_in(content)):
            raise BadInput(f"{table} has no line of a case.")
    return Evidence(content, (despite or "").strip())


def require_evidence(evidence: Evidence, build: str) -> None:
    """Raise `BadInput` unless it vouches for the sources `build`, or a person says why not."""
    if evidence.despite:
        return
    if evidence.content is None:
        raise BadInput(
            "There is no evidence for this image: --evidence TABLE, or --despite REASON."
        )
    gaps = list(gaps_in(list(cases_in(evidence.content)), build, required_cases()))
    if gaps:
        raise BadInput(
            f"The evidence does not vouch for {build[:7] or 'an unnamed build'}: "
            f"{'; '.join(gaps)}. Run those cases with this image, or --despite REASON."
        )


def required_cases() -> list[str]:
    """Return the names of the cases that every release has to have survived."""
    names: list[str] = read_yaml(CASES)
    return names


def cases_in(table: bytes) -> Iterator[Case]:
    """Read the lines of a table."""
    for row in ROW.finditer(table.decode("utf-8", "replace")):
        if not row["changed"]:  # sources that no commit has vouch for none
            yield Case(row["case"], row["result"].strip(), row["commit"])


def gaps_in(cases: Sequence[Case], build: str, required: Sequence[str]) -> Iterator[str]:
    """Say what speaks against a release of the sources `build`, one clause each."""
    own = [case for case in cases if build.startswith(case.commit) and not build.endswith("+")]
    failed = sorted({case.name for case in own if not case.passed})
    missing = sorted(set(required) - {case.name for case in own})
    if failed:
        yield f"{_named(failed)} failed"
    if missing:
        yield f"{_named(missing)} did not run with it"


def place_of(bundle: Path, described: Mapping[str, str]) -> Path | None:
    """Return where the table lies that the metadata of `bundle` name; its hash is in its name."""
    digest = described.get("sha256")
    return None if digest is None else bundle.with_name(f"{digest}.{FILE_NAME}")


def problem_of(bundle: Path, described: Mapping[str, str]) -> str:
    """Say what is wrong with the table beside a published bundle; nothing when all is well."""
    place = place_of(bundle, described)
    if place is None:
        return ""
    try:
        content = place.read_bytes()
    except OSError as error:
        return f"{place.name} cannot be read: {error.strerror}"
    right = hashlib.sha256(content).hexdigest() == described["sha256"]
    return "" if right else f"{place.name} is not the evidence that was published"


def _named(names: Sequence[str]) -> str:
    """Return the first few names, and how many more there are."""
    more = len(names) - MOST_NAMED
    shown = ", ".join(names[:MOST_NAMED])
    return f"{shown} and {more} more" if more > 0 else shown
