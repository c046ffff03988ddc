"""Models of this box: which there are, fetching, checking, importing and removing them."""

import asyncio
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from threading import Event

import structlog

from allerac.engine.gguf import GgufHeader, read_header
from allerac.errors import Conflict, InsufficientDisk, InvalidInput, ModelDamaged, NotFound
from allerac.hardware.choice import ProfileChoice
from allerac.hardware.machine import Machine, disk_free_bytes
from allerac.hardware.pin import Kind, ModelPin
from allerac.hardware.speed import SpeedEstimate

from .card import DownloadProgress, ModelCard, ModelState, VerifyResult
from .catalogue import Catalogue, DemoModel
from .download import Patience
from .downloads import Downloads
from .shelf import Shelf
from .store import Manifest, ModelStore, check_file, manifest_of, now_milliseconds

log = structlog.get_logger()

DISK_RESERVE_BYTES = 1_000_000_000
"""Room that downloads and imports leave for conversations, backups and updates."""


class ModelService:
    """Everything about model files; `start` before use, `stop` keeps what has arrived."""

    def __init__(
        self,
        *,
        directory: Path,
        catalogue: Catalogue,
        demo: DemoModel | None,
        machine: Machine,
        choice: ProfileChoice,
        source_url: str = "https://huggingface.co",
        bandwidth_limit: int | None = None,
        patience: Patience | None = None,
        free_bytes: Callable[[Path], int] = disk_free_bytes,
        reserve_bytes: int = DISK_RESERVE_BYTES,
    ) -> None:
        """`directory` is the models' folder, downloads wait beside it in `downloads`."""
        self._store = ModelStore(directory, directory.parent / "downloads")
        self._catalogue = catalogue
        self._demo = demo
        self._shelf = Shelf(machine, choice, catalogue)
        self._free_bytes = free_bytes
        self._reserve_bytes = reserve_bytes
        self._downloads = Downloads(
            self._store,
            source_url=source_url,
            bandwidth_limit=bandwidth_limit,
            patience=patience or Patience(),
            on_installed=self._installed,
            on_change=self._changed,
        )
        self._manifests: dict[str, Manifest] = {}
        self._callbacks: list[Callable[[str], None]] = []
        self._stopping = Event()

    async def start(self) -> None:
        """Find what is on board; unfinished downloads are there as paused or failed."""
        self._stopping.clear()
        await asyncio.to_thread(self._store.prepare)
        self._manifests = await asyncio.to_thread(self._store.manifests)
        self._downloads.restore(self._catalogue.pins)

    async def stop(self) -> None:
        """End downloads and checks; what has arrived stays."""
        self._stopping.set()
        await self._downloads.stop()

    def on_change(self, callback: Callable[[str], None]) -> None:
        """Call `callback(model_id)` when the model's state changes (not on every byte)."""
        self._callbacks.append(callback)

    def record_speed(self, model_id: str, prefill: float, decode: float) -> None:
        """Take in tokens a second that the engine measured; kept until the service ends."""
        self._shelf.record_speed(model_id, SpeedEstimate(prefill, decode, measured=True))

    def list(self, kind: Kind = "chat") -> list[ModelCard]:
        """Return the models of one kind: demonstration, catalogue, imported."""
        ids = [pin.id for pin in self._catalogue.pins.values() if pin.kind == kind]
        if kind == "chat":
            demo = [self._demo.id] if self._demo else []
            ids = [*demo, *ids, *(m for m in self._manifests if m not in self._catalogue.pins)]
        return [self.get(model_id) for model_id in ids]

    def get(self, model_id: str) -> ModelCard:
        """Return one model; raises `NotFound`."""
        if self._demo and model_id == self._demo.id:
            return self._shelf.demo_card(self._demo, self._state_of(model_id))
        if pin := self._catalogue.pins.get(model_id):
            progress = self._downloads.progress(model_id)
            return self._shelf.pin_card(pin, self._state_of(model_id), progress)
        if manifest := self._manifests.get(model_id):
            return self._shelf.imported_card(manifest, self._state_of(model_id))
        raise NotFound("There is no such model.", hint="Choose one from the list.")

    def serves(self, model_id: str) -> bool:
        """Tell whether a model is on board and not too large for this machine."""
        with suppress(NotFound):
            card = self.get(model_id)
            return card.state == "installed" and card.fit != "too_large"
        return False

    def recommended_id(self) -> str | None:
        """The tier's first chat model, beyond the demonstration, that runs well here."""
        return self._shelf.recommended_id()

    def installed_path(self, model_id: str) -> Path:
        """Where the model's file is.

        Raises `NotFound`, `Conflict` while it is not installed, and `ModelDamaged`.
        """
        card = self.get(model_id)
        if card.state == "damaged":
            manifest = self._manifests.get(model_id)
            reason = self._damage_of(manifest) if manifest else None
            raise ModelDamaged(
                reason or "The file is missing.", hint="Download or install it again."
            )
        if self._demo and model_id == self._demo.id:
            return self._demo.path
        if card.state != "installed":
            raise Conflict("This model is not on the box yet.", hint="Download it first.")
        return self._store.path(self._manifests[model_id])

    async def download(self, model_id: str) -> DownloadProgress:
        """Begin or continue; asking again while it runs changes nothing.

        Raises `NotFound`, `Conflict` for models that no catalogue offers, `InsufficientDisk`.
        """
        pin = self._pin(model_id)
        if self.get(model_id).state == "installed":
            return DownloadProgress(model_id, "done", pin.size_bytes or 0, pin.size_bytes or 0)
        if not self._downloads.is_running(model_id):
            missing = (pin.size_bytes or 0) - self._store.part_size(model_id)
            self._require_room(missing)
        return self._downloads.begin(pin)

    async def pause(self, model_id: str) -> None:
        """Stop for now and keep what has arrived; raises `Conflict` when nothing is under way."""
        await self._downloads.pause(self._pin(model_id).id)

    async def resume(self, model_id: str) -> None:
        """Go on; raises like `download`, and `Conflict` when there is nothing to continue."""
        self._downloads.require(self._pin(model_id).id)
        await self.download(model_id)

    async def held(self) -> tuple[str, ...]:
        """Return the ids of downloads that wait for room, also those of an earlier run."""
        return await asyncio.to_thread(self._store.held)

    async def note_held(self, model_ids: Iterable[str]) -> None:
        """Keep which downloads wait for room; on a full disk only this run knows."""
        try:
            await asyncio.to_thread(self._store.write_held, list(model_ids))
        except OSError as error:
            log.warning("held_downloads_not_kept", reason=str(error))

    async def cancel(self, model_id: str) -> None:
        """Stop and drop what has arrived; nothing happens when there is nothing."""
        await self._downloads.cancel(self._pin(model_id).id)

    async def verify(self, model_id: str) -> VerifyResult:
        """Read the whole file again: size, sha256 and header. Raises `NotFound`, `Conflict`."""
        path, size_bytes, sha256 = self._expected(model_id)
        manifest = self._manifests.get(model_id)
        try:
            await asyncio.to_thread(
                check_file, path, size_bytes=size_bytes, sha256=sha256, cancelled=self._stopping
            )
        except ModelDamaged as err:
            log.warning("model_damaged", model_id=model_id)
            await self._remember(manifest, damaged=err.message)
            return VerifyResult(False, err.message)
        await self._remember(manifest, damaged=None)
        return VerifyResult(True, f"{size_bytes:,} bytes, sha256 and header are as they must be.")

    async def remove(self, model_id: str) -> None:
        """Delete the model's file and what was being fetched of it.

        Raises `Conflict` for the demonstration model, `NotFound`.
        """
        self.get(model_id)
        if self._demo and model_id == self._demo.id:
            raise Conflict("The demonstration model is part of the program and stays.")
        await self._downloads.cancel(model_id)
        if self._manifests.pop(model_id, None):
            await asyncio.to_thread(self._store.remove, model_id)
            log.info("model_removed", model_id=model_id)
        self._changed(model_id)

    async def import_file(self, path: Path, *, title: str | None = None) -> ModelCard:
        """Copy a GGUF file from the box into the store.

        A file that the catalogue knows becomes that model. Raises `InvalidInput` when there is no
        such file, `ModelDamaged`, `InsufficientDisk`, `Conflict` when it is on board already.
        """
        if not await asyncio.to_thread(path.is_file):
            raise InvalidInput("There is no such file.", fields={"path": "not a file"})
        header = await asyncio.to_thread(read_header, path)
        self._require_room(header.size_bytes)
        copy, sha256 = await asyncio.to_thread(self._copy_in, path)
        try:
            header = await asyncio.to_thread(read_header, copy)  # the source may have changed
            manifest = self._imported_manifest(header, sha256, title or header.name or path.stem)
            if self._state_of(manifest.id) == "installed":
                raise Conflict("This model is on the box already.")
            await self._downloads.cancel(manifest.id)
            await asyncio.to_thread(self._store.install, manifest, copy)
        finally:
            await asyncio.to_thread(copy.unlink, missing_ok=True)
        self._installed(manifest)
        return self.get(manifest.id)

    def _copy_in(self, path: Path) -> tuple[Path, str]:
        try:
            return self._store.copy_in(path, self._stopping)
        except OSError as err:
            raise InvalidInput("The file cannot be copied.", fields={"path": str(err)}) from err

    def _require_room(self, size_bytes: int) -> None:
        available = max(0, self._free_bytes(self._store.downloads) - self._reserve_bytes)
        if size_bytes > available:
            raise InsufficientDisk(
                f"The model needs {size_bytes / 1e9:.1f} GB; {available / 1e9:.1f} GB are free.",
                needed_bytes=size_bytes,
                available_bytes=available,
            )

    def _pin(self, model_id: str) -> ModelPin:
        self.get(model_id)
        if model_id not in self._catalogue.pins:
            raise Conflict("This model is not offered for download; its file is on the box.")
        return self._catalogue.pins[model_id]

    def _expected(self, model_id: str) -> tuple[Path, int, str]:
        self.get(model_id)
        if self._demo and model_id == self._demo.id:
            return self._demo.path, self._demo.size_bytes, self._demo.sha256
        if manifest := self._manifests.get(model_id):
            return self._store.path(manifest), manifest.size_bytes, manifest.sha256
        raise Conflict("This model is not on the box.", hint="Download it first.")

    def is_new(self, model_id: str) -> bool:
        """Tell whether this installed file has never been loaded."""
        manifest = self._manifests.get(model_id)
        return manifest is not None and manifest.tried_at is None

    async def note_trial(self, model_id: str, *, damaged: str | None) -> None:
        """Keep what became of the first load; a file that is `damaged` is not used again."""
        manifest = self._manifests.get(model_id)
        if manifest is None:
            return
        change = {"damaged": damaged} if damaged else {"tried_at": now_milliseconds()}
        self._manifests[model_id] = manifest = manifest.model_copy(update=change)
        await asyncio.to_thread(self._store.write_manifest, manifest)
        self._changed(model_id)

    async def _remember(self, manifest: Manifest | None, *, damaged: str | None) -> None:
        if manifest is None or self._manifests.get(manifest.id) is not manifest:
            return  # it was removed or replaced meanwhile
        verified_at = manifest.verified_at if damaged else now_milliseconds()
        manifest = manifest.model_copy(update={"damaged": damaged, "verified_at": verified_at})
        self._manifests[manifest.id] = manifest
        await asyncio.to_thread(self._store.write_manifest, manifest)
        self._changed(manifest.id)

    def _installed(self, manifest: Manifest) -> None:
        self._manifests[manifest.id] = manifest
        log.info("model_installed", model_id=manifest.id, size_bytes=manifest.size_bytes)
        self._changed(manifest.id)

    def _changed(self, model_id: str) -> None:
        for callback in self._callbacks:
            callback(model_id)

    def _state_of(self, model_id: str) -> ModelState:
        progress = self._downloads.progress(model_id)
        if progress and progress.state in ("queued", "running", "verifying"):
            return "downloading"
        if self._demo and model_id == self._demo.id:
            return "installed" if _has_size(self._demo.path, self._demo.size_bytes) else "damaged"
        manifest = self._manifests.get(model_id)
        if manifest and not self._damage_of(manifest):
            return "installed"
        if progress:
            return "paused" if progress.state == "paused" else "failed"
        return "damaged" if manifest else "available"

    def _damage_of(self, manifest: Manifest) -> str | None:
        """Why the installed file must not be used; None when nothing is known against it."""
        if manifest.damaged:
            return manifest.damaged
        if not _has_size(self._store.path(manifest), manifest.size_bytes):
            return "The model file is missing or cut short."
        return None

    def _imported_manifest(self, header: GgufHeader, sha256: str, title: str) -> Manifest:
        known = next((p for p in self._catalogue.pins.values() if p.sha256 == sha256), None)
        if known:
            return manifest_of(known)
        slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:60] or "model"
        return Manifest(
            id=f"{slug}-{sha256[:8]}",
            file=f"{slug}.gguf",
            size_bytes=header.size_bytes,
            sha256=sha256,
            verified_at=now_milliseconds(),
            source="import",
            title=title,
            family=header.architecture,
            licence=header.license or "unknown",
            quantisation=header.quantization or "unknown",
            context_length=header.context_length,
            kv_bytes_per_token=header.kv_bytes_per_token or 0,
            parameters=header.parameters,
        )


def _has_size(path: Path, size_bytes: int) -> bool:
    try:
        return path.stat().st_size == size_bytes
    except OSError:
        return False
