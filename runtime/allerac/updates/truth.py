"""What became of an update while nobody was looking: RAUC and the boot tell, the record is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from allerac.storage.updates import UpdateRecord

from .rauc import Slot, Slots
from .states import Event


@dataclass(frozen=True, slots=True)
class Truth:
    """The machine as it is: this boot, its slots, and whether something is being installed."""

    boot_id: str
    slots: Slots
    installing: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """What must have happened, and why when it was nothing good."""

    event: Event
    reason: str | None = None


def explain(record: UpdateRecord, truth: Truth) -> Explanation | None:
    """Return what happened since `record` was written; None when it still holds."""
    explainers = {
        "checking": _checking,
        "downloading": _downloading,
        "installed": _installed,
        "rebooting": _rebooting,
        "proving": _proving,
    }
    explainer = explainers.get(record.state)
    return explainer(record, truth) if explainer is not None else None


def holds(slot: Slot, offer: Mapping[str, Any] | None) -> bool:
    """Tell whether exactly the offered bundle is in `slot`, whole."""
    return offer is not None and slot.complete and slot.manifest_hash == offer.get("manifest_hash")


def _checking(record: UpdateRecord, _: Truth) -> Explanation:
    return Explanation("kept" if record.offer else "nothing", "interrupted")


def _downloading(record: UpdateRecord, truth: Truth) -> Explanation | None:
    if truth.installing:
        return None
    if _has_switched(record, truth):
        return Explanation("arrived")
    if holds(truth.slots.other, record.offer):
        return Explanation("installed")
    return Explanation("install_failed", "interrupted")


def _installed(record: UpdateRecord, truth: Truth) -> Explanation | None:
    if _has_switched(record, truth):
        return Explanation("arrived")
    if truth.installing or holds(truth.slots.other, record.offer):
        return None
    return Explanation("lost", "slot_lost")


def _rebooting(record: UpdateRecord, truth: Truth) -> Explanation:
    if _has_switched(record, truth):
        return Explanation("arrived")
    if truth.slots.other.activations > (record.activations or 0) and (
        truth.boot_id != record.boot_id
    ):
        return Explanation("fell_back", "did_not_start")
    is_way_back = record.origin == "other_slot"
    return Explanation("cancelled" if is_way_back else "restart_failed", "interrupted")


def _proving(record: UpdateRecord, truth: Truth) -> Explanation | None:
    if not _has_switched(record, truth):
        return Explanation("fell_back", "did_not_prove_itself")
    return Explanation("proved") if truth.slots.booted.bootable else None


def _has_switched(record: UpdateRecord, truth: Truth) -> bool:
    return truth.slots.booted.name != record.from_slot
