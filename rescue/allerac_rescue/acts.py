"""What may be done from the page. Each act is a systemd unit with just the rights that it needs.

The page only drops a file of the act's name; a path unit starts `allerac-act-<name>.service`, which
runs `perform`. The page itself has no rights.
"""

import json
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from allerac_rescue.places import Places
from allerac_rescue.programs import Programs

Result = Mapping[str, Any]

LOG_BYTES_KEPT = "16M"
CORRECTED_AT_MOST = 3
"""Status of e2fsck(8): bits for what it corrected, below those for what it left."""

REPAIR_SECONDS = 10_000.0
"""A large disk that answers slowly; the unit's own limit is just behind it."""
KEPT_BY_A_RESET = frozenset({"models"})
"""What a factory reset leaves on board; SPEC 14: a working wizard with the models still there."""


@dataclass(frozen=True, slots=True)
class Act:
    """An act by its name; `confirm` says whether the page asks a second time.

    One that `helps` against a finding is offered while there is that finding, one that `needs`
    something unless a look has found that there is none.
    """

    name: str
    perform: Callable[[Places, Programs], Result]
    confirm: bool = True
    on_page: bool = True
    helps: str | None = None
    needs: str | None = None


class ActFailed(Exception):
    """An act could not be done; the text is a program's own."""


def inspect(places: Places, run: Programs) -> Result:
    """Tell what uses the space, and whether the database is whole.

    Without the data partition no system can prove itself. Somebody has come to help: the restart
    that would try the other system must not take the page away again.
    """
    if not places.allerac.is_dir():
        _stay(run)
    classes = dict.fromkeys(("models", "downloads", "documents", "conversations", "other"), 0)
    homes = {
        "models": "models",
        "downloads": "downloads",
        "blobs": "documents",
        "allerac.sqlite": "conversations",
        "allerac.sqlite-wal": "conversations",
    }
    for entry in _entries(places.allerac):
        classes[homes.get(entry.name, "other")] += _size(entry)
    classes["logs"] = _size(places.root / "var/log/journal")
    failed = run(["systemctl", "list-units", "--failed", "--no-legend", "--plain"])
    return {
        "uses": classes,
        "database": _database(places.database),
        "failed": [line.split()[0] for line in failed.text.splitlines() if line.strip()],
        "previous": _has_previous(run),
    }


def _database(path: Path) -> str:
    """Return "ok", "missing" or "damaged"; read without locks or writes (SQLite's immutable=1)."""
    if not path.exists():
        return "missing"
    try:
        link = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
        try:
            (told,) = link.execute("PRAGMA quick_check(1)").fetchone()
        finally:
            link.close()
    except sqlite3.Error:
        return "damaged"
    return "ok" if told == "ok" else "damaged"


def free_space(places: Places, run: Programs) -> Result:
    """Remove unfinished downloads, old logs and the reserve; models and conversations stay."""
    before = _free(places.data)
    for entry in (*_entries(places.allerac / "downloads"), places.allerac / "reserve"):
        _remove(entry)
    run(["journalctl", "--rotate", f"--vacuum-size={LOG_BYTES_KEPT}"], 60)
    return {"freed": max(_free(places.data) - before, 0)}


def restart(_: Places, run: Programs) -> Result:
    """Start the runtime anew."""
    _must(run, "systemctl", "reset-failed", "allerac.service")
    _must(run, "systemctl", "restart", "--no-block", "allerac.service")
    return {}


def restart_box(_: Places, run: Programs) -> Result:
    """Start the whole box anew."""
    _must(run, "systemctl", "reboot")
    return {}


def previous_system(_: Places, run: Programs) -> Result:
    """Start the system that was there before the last update."""
    if not _has_previous(run):
        raise ActFailed("There is no other system that has worked.")
    _must(run, "rauc", "status", "mark-active", "other")
    _must(run, "systemctl", "reboot")
    return {}


def _has_previous(run: Programs) -> bool:
    """Tell whether the other slot has a system that worked, by what `rauc status` says as JSON.

    A new box has nothing in it, and an update that did not prove itself is no way back. Where RAUC
    does not answer, it may have: the boot loader passes over what cannot be started.
    """
    told = run(["rauc", "status", "--output-format=json"])
    try:
        found = json.loads(told.text[told.text.index("{") :])["slots"]
        slots = [slot for named in found for slot in named.values() if slot["bootname"]]
        return any(slot["state"] != "booted" and slot["boot_status"] == "good" for slot in slots)
    except (ValueError, KeyError, TypeError, AttributeError):
        return True


def reset_network(places: Places, run: Programs) -> Result:
    """Forget every network that was set up; a cable works again by itself."""
    for entry in _entries(places.data / "network"):
        _remove(entry)
    _must(run, "systemctl", "restart", "--no-block", "NetworkManager.service")
    return {}


def repair(places: Places, run: Programs) -> Result:
    """Have the file system checked and everything corrected, then start anew."""
    if places.allerac.is_dir():
        raise ActFailed("The disk is open already.")
    _stay(run)
    told = run(["e2fsck", "-f", "-y", str(places.data_device)], REPAIR_SECONDS)
    if told.status is None or told.status > CORRECTED_AT_MOST:
        raise ActFailed(f"e2fsck: {told.text.strip()[-500:]}")
    _must(run, "systemctl", "reboot")
    return {}


def _stay(run: Programs) -> None:
    """Call off the restart of a system that did not prove itself; a machine may have none."""
    run(["systemctl", "stop", "allerac-boot-deadline.timer"])


def factory_reset(places: Places, run: Programs) -> Result:
    """Forget everybody and everything but the models, and start as new.

    A data partition that cannot be mounted is made anew, the models with it. The wish is kept on
    the partition first, so that a power cut only delays the rest to the next start.
    """
    if not places.allerac.is_dir():
        _stay(run)
        device = str(places.data_device)
        _must(run, "mkfs.ext4", "-F", "-L", "allerac-data", device, seconds=300)
        _forget_codes(places.codes)
        _must(run, "systemctl", "reboot")
        return {}
    _keep_wish(places.reset_wish)
    _must(run, "systemctl", "stop", "allerac.service", seconds=60)
    finish_reset(places, run)
    _must(run, "systemctl", "reboot")
    return {}


def finish_reset(places: Places, _: Programs) -> Result:
    """Do what a factory reset began; nothing where there was no wish."""
    if not places.reset_wish.exists():
        return {}
    for entry in _entries(places.allerac):
        if entry.name not in KEPT_BY_A_RESET:
            _remove(entry)
    for entry in (*_entries(places.data / "network"), *_entries(places.data / "ssh")):
        _remove(entry)
    _forget_codes(places.codes)
    places.reset_wish.unlink()
    return {}


def _forget_codes(codes: Path) -> None:
    """Forget the former owner's code; the label's stays."""
    try:
        lines = codes.read_text().splitlines(keepends=True)
        codes.write_text("".join(line for line in lines if line.startswith("label:")))
    except OSError:  # none was kept
        return


ACTS = {
    act.name: act
    for act in (
        Act("inspect", inspect, confirm=False, on_page=False),
        Act("repair", repair, helps="no_data"),
        Act("free-space", free_space),
        Act("restart", restart, confirm=False),
        Act("restart-box", restart_box),
        Act("previous-system", previous_system, needs="previous"),
        Act("reset-network", reset_network),
        Act("factory-reset", factory_reset),
        Act("finish-reset", finish_reset, confirm=False, on_page=False),
    )
}


def ask_for(places: Places, name: str) -> None:
    """Drop the file that has systemd start the act, without its former result.

    Raises:
        OSError: nothing can be written below /run.
    """
    (places.results / f"{name}.json").unlink(missing_ok=True)
    (places.requests / name).touch()


def read_result(places: Places, name: str) -> Result | None:
    """Return what an act told, None while it is not done."""
    try:
        told = json.loads((places.results / f"{name}.json").read_text())
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) else None


def result_age(places: Places, name: str) -> float:
    """Return the seconds since an act told something; 0 while there is nothing, or not yet."""
    try:
        return time.time() - (places.results / f"{name}.json").stat().st_mtime
    except OSError:
        return 0.0


def perform(name: str, places: Places, run: Programs) -> int:
    """Do an act and keep what it tells; returns the exit status."""
    (places.requests / name).unlink(missing_ok=True)  # first: systemd looks again when this ends
    try:
        told: dict[str, Any] = {"ok": True, **ACTS[name].perform(places, run)}
    except (ActFailed, OSError) as error:
        told = {"ok": False, "error": str(error)}
    file = places.results / f"{name}.json"
    try:
        scratch = file.with_suffix(".new")
        scratch.write_text(json.dumps(told))
        scratch.chmod(0o644)  # root's; the folder lets only the page in
        scratch.rename(file)
    except OSError:  # before /run is laid out nobody waits for a result
        return 0 if told["ok"] else 1
    return 0 if told["ok"] else 1


def _must(run: Programs, *words: str, seconds: float = 20.0) -> None:
    told = run(words, seconds)
    if not told.ok:
        raise ActFailed(f"{' '.join(words)}: {told.text.strip()[-500:]}")


def _keep_wish(path: Path) -> None:
    with path.open("w") as file:
        os.fsync(file.fileno())
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _remove(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink(missing_ok=True)


def _size(entry: Path) -> int:
    """Return the bytes on disk of a file or of all below a folder; what vanishes counts nothing."""
    total = 0
    for folder, _, names in os.walk(entry):
        for name in names:
            total += _blocks(Path(folder, name))
    return total or _blocks(entry)


def _blocks(file: Path) -> int:
    try:
        return file.lstat().st_blocks * 512
    except OSError:
        return 0


def _free(folder: Path) -> int:
    told = os.statvfs(folder)
    return told.f_bavail * told.f_frsize
