"""The table of update cases that ran: docs/update-evidence.md, a line for each case and seed."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROW = re.compile(r"^\| (?P<case>[^|]+) \| (?P<seed>\d+) \|")
HEAD = """\
# What updates survived

Each line is a case that ran on the emulated `vm` box, with the commit of its image (a plus: and
with changes that no commit has). `release publish` wants all of them for the commit of its bundle
(docs/releasing.md). Written by

    ALLERAC_EVIDENCE=docs/update-evidence.md ALLERAC_SEED=1 \\
        .venv/bin/pytest tests/image/test_update_faults.py -m matrix

`ALLERAC_SEED` decides when the power is cut; `-k` chooses cases. What is not here did not run.
Seconds are those of the clock on the wall of a machine that did other work too.

| Case | Seed | Result | Seconds | Image |
|---|---|---|---|---|
"""


@dataclass(slots=True)
class Trial:
    """One case under way; `result` is what the box said of it."""

    result: str = ""


@dataclass(slots=True)
class Evidence:
    """The table in `file`, or none at all; `commit` is the image's."""

    file: Path | None
    seed: int
    commit: str

    @contextmanager
    def of(self, case: str) -> Iterator[Trial]:
        """Write down how a case ends: what it found, or that it failed."""
        trial, began = Trial(), time.monotonic()
        try:
            yield trial
        except BaseException as error:
            trial.result = f"FAILED: {type(error).__name__}"
            raise
        finally:
            self._add(case, trial.result, time.monotonic() - began)

    def _add(self, case: str, result: str, seconds: float) -> None:
        if self.file is None:
            return
        rows = _rows(self.file)
        commit = self.commit[:7] + "+" * self.commit.endswith("+")
        cells = (case, str(self.seed), result, f"{seconds:.0f}", commit)
        rows[case, self.seed] = f"| {' | '.join(cells)} |"
        self.file.write_text(HEAD + "".join(f"{rows[key]}\n" for key in sorted(rows)))


def _rows(file: Path) -> dict[tuple[str, int], str]:
    lines = file.read_text("utf-8").splitlines() if file.is_file() else []
    matches = [(ROW.match(line), line) for line in lines]
    return {(match["case"], int(match["seed"])): line for match, line in matches if match}
