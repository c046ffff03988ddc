"""What `allerac models …` prints. `write` takes text as it goes to the terminal."""

import asyncio
from collections.abc import Callable

from allerac.errors import DownloadFailed

from .card import DownloadProgress, ModelCard
from .service import ModelService

Write = Callable[[str], object]

_REFRESH_SECONDS = 0.5
_STATES = {"installed": "on board", "available": "", "downloading": "on its way"}
_FITS = {"good": "fits well", "tight": "just fits", "too_large": "too large"}


def list_models(service: ModelService, write: Write) -> None:
    """Print every chat model with size, fit and expected speed."""
    rows = [("MODEL", "SIZE", "FIT", "WORDS/S", "STATE")]
    rows += [_row(card) for card in service.list()]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        write("  ".join(cells).rstrip() + "\n")


async def pull_model(service: ModelService, model_id: str, write: Write) -> None:
    """Fetch one model with a live line; raises what the download ends with.

    Interrupting it keeps what has arrived: pulling again continues.
    """
    await service.download(model_id)
    card = service.get(model_id)
    while card.state == "downloading":
        if card.download:
            write(f"\r\x1b[K{progress_line(card.download)}")
        await asyncio.sleep(_REFRESH_SECONDS)
        card = service.get(model_id)
    write("\r\x1b[K")
    if card.state != "installed":
        error = card.download.error if card.download else None
        message = error.message if error else "The download was stopped."
        raise DownloadFailed(message, hint=error.hint if error else "Pull again to continue.")
    write(f"{card.title} is on board: {service.installed_path(model_id)}\n")


async def verify_model(service: ModelService, model_id: str, write: Write) -> bool:
    """Check one model's file again and print the result; returns whether it is good."""
    result = await service.verify(model_id)
    write(f"{'Good' if result.ok else 'Damaged'}: {result.reason}\n")
    return result.ok


async def remove_model(service: ModelService, model_id: str, write: Write) -> None:
    """Delete one model and print how much room that made."""
    card = service.get(model_id)
    await service.remove(model_id)
    write(f"Removed {card.title} ({card.size_bytes / 1e9:.2f} GB).\n")


def progress_line(progress: DownloadProgress) -> str:
    """Say in one line how far a download is."""
    if progress.state == "queued":
        return "Waiting for its turn"
    if progress.state == "verifying":
        return "Checking the file"
    percent = 100 * progress.received_bytes // max(progress.total_bytes, 1)
    speed = f"{progress.bytes_per_second / 1e6:.1f} MB/s"
    return f"{percent:3d} %  {speed}  {_time_left(progress.seconds_left)}"


def _time_left(seconds: float | None) -> str:
    if seconds is None:
        return "time left unknown"
    if seconds < 90:
        return f"{seconds:.0f} s left"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min left"
    return f"{seconds / 3600:.1f} h left"


def _row(card: ModelCard) -> tuple[str, str, str, str, str]:
    words = f"{card.speed.words_per_second:.1f}"
    state = _STATES.get(card.state, card.state)
    if card.recommended:
        state = f"{state}, recommended".lstrip(", ")
    return (
        card.id,
        f"{card.size_bytes / 1e9:.2f} GB",
        _FITS[card.fit],
        "" if card.fit == "too_large" else words if card.speed.measured else f"~{words}",
        state,
    )
