"""What `allerac detect` says."""

from .choice import ProfileChoice
from .machine import Machine
from .pin import ModelPin
from .profile import Profiles
from .speed import estimate_speed, judge_fit, size_of

GB = 1_000_000_000
_FITS = {"good": "fits well", "tight": "just fits", "too_large": "too large"}


def describe_machine(machine: Machine, choice: ProfileChoice, profiles: Profiles) -> str:
    """Return the machine, its profile and the chat models with their expected speed, as text."""
    return "\n".join(
        [
            *_columns(_facts(machine)),
            "",
            f"Profile: {choice.profile.id} ({choice.profile.product})"
            + ("" if choice.exact else ", the nearest"),
            choice.reason,
            "",
            *_columns(_model_rows(machine, choice, profiles)),
            "",
            "Expected tokens a second for one chat with a short text; nothing is measured yet.",
        ]
    )


def _facts(machine: Machine) -> list[tuple[str, ...]]:
    flags = ", ".join(sorted(flag.replace("_", "-") for flag in machine.flags)) or "none known"
    channels = machine.memory_channels or "not readable"
    return [
        ("Processor", machine.cpu + (" (virtual machine)" if machine.virtual else "")),
        (
            "Cores",
            f"{machine.cores_performance} performance, {machine.cores_efficient} efficient, "
            f"{machine.threads} threads",
        ),
        ("Memory", f"{machine.memory_bytes / GB:.1f} GB; channels: {channels}"),
        ("Instructions", flags),
        ("Disk free", f"{machine.disk_free_bytes / GB:.0f} GB"),
    ]


def _model_rows(
    machine: Machine, choice: ProfileChoice, profiles: Profiles
) -> list[tuple[str, ...]]:
    roles = {model_id: role for role, model_id in reversed(list(choice.profile.models.roles()))}
    rows: list[tuple[str, ...]] = [("MODEL", "ROLE", "SIZE", "FIT", "READS", "WRITES")]
    pins = [pin for pin in profiles.pins.values() if pin.kind == "chat" and not pin.refusal]
    for pin in sorted(pins, key=lambda pin: pin.size_bytes or 0):
        rows.append(_model_row(machine, choice, pin, roles.get(pin.id, "")))
    return rows


def _model_row(
    machine: Machine, choice: ProfileChoice, pin: ModelPin, role: str
) -> tuple[str, ...]:
    size = size_of(pin)
    speed = estimate_speed(machine, choice, size, pin.id)
    fit, _ = judge_fit(machine, choice.profile, size, speed)
    row = (pin.id, role, f"{size.weights_bytes / GB:.1f} GB", _FITS[fit])
    if fit == "too_large":
        return (*row, "", "")
    return (
        *row,
        f"{speed.prefill_tokens_per_second:.0f}",
        f"{speed.decode_tokens_per_second:.1f}",
    )


def _columns(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
