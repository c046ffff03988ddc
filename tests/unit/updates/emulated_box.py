"""A box with two boot slots, a boot loader that counts tries, and an installer."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from allerac.updates.rauc import Bundle, Mark, OnProgress, Slot, Slots
from allerac.updates.reasons import failed

from .publisher import TIER, hash_of

MOST_TRIES = 3


class PowerCutError(BaseException):
    """Everything ends here; nothing may catch it."""


@dataclass(slots=True)
class Root:
    """A boot slot as boot loader and RAUC's status file know it."""

    name: str
    bootname: str
    ok: bool = False
    tries: int = 0
    version: str | None = None
    manifest_hash: str | None = None
    complete: bool = True
    activations: int = 0
    proven: bool = False


def bundle_of(version: str, *, tier: str = TIER) -> Bundle:
    """Return a bundle as the publisher describes it."""
    return Bundle(f"allerac-{tier}", version, hash_of(version))


@dataclass(slots=True)
class EmulatedBox:
    """Installs what `bundles` has by its source. `broken` versions never prove themselves.

    `problems` are raised by the next installations; an installation waits for `may_finish`.
    """

    bundles: dict[str, Bundle] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    swapped: dict[str, Bundle] = field(default_factory=dict)
    roots: list[Root] = field(
        default_factory=lambda: [
            Root("rootfs.0", "A", ok=True, proven=True),
            Root("rootfs.1", "B"),
        ]
    )
    order: list[str] = field(default_factory=lambda: ["rootfs.0", "rootfs.1"])
    booted: str = "rootfs.0"
    boots: int = 1
    restarts: int = 0
    installing: bool = False
    may_finish: asyncio.Event = field(default_factory=asyncio.Event)
    asked_to_restart: asyncio.Event = field(default_factory=asyncio.Event)
    cut: Callable[[str], None] = lambda _: None

    def __post_init__(self) -> None:
        """Let installations finish, unless a test holds them up."""
        self.may_finish.set()

    def root(self, name: str) -> Root:
        """Return a slot by its name, `booted` or `other`."""
        if name == "other":
            return next(root for root in self.roots if root.name != self.booted)
        wanted = self.booted if name == "booted" else name
        return next(root for root in self.roots if root.name == wanted)

    def boot(self) -> None:
        """Start anew as GRUB does: in order, while a slot has tries left.

        What proved itself once does so again; what is new waits for `prove`.
        """
        self.boots += 1
        self.installing = False
        for _ in range(10):
            root = next(
                root
                for root in (*map(self.root, self.order), *self.roots)
                if root.ok and root.tries < MOST_TRIES
            )
            root.tries += 1
            if root.version not in self.broken:
                self.booted = root.name
                if root.proven:
                    root.tries = 0
                return
        raise AssertionError("no slot starts")

    def prove(self) -> None:
        """Mark what runs as good, like the gate."""
        root = self.root("booted")
        root.ok, root.tries, root.proven = True, 0, True

    # What the installer does ------------------------------------------------------------------

    async def compatible(self) -> str:
        """Return what fits."""
        return f"allerac-{TIER}"

    async def inspect(self, source: str) -> Bundle:
        """Return the bundle at `source`."""
        if source not in self.bundles:
            raise failed("bundle_unreadable", source)
        return self.bundles[source]

    async def is_installing(self) -> bool:
        """Tell."""
        return self.installing

    async def install(self, source: str, on_progress: OnProgress) -> None:
        """Write the other slot in four steps."""
        if self.installing:
            raise failed("installer_busy")
        bundle = self.swapped.get(source, self.bundles[source])
        root = self.root("other")
        self.installing = True
        root.ok, root.proven, root.complete = False, False, False
        root.version = root.manifest_hash = None
        for percent in (0, 25, 50, 75):
            self.cut(f"write {percent}")
            on_progress(percent, "Copying image")
            await asyncio.sleep(0)
        await self.may_finish.wait()
        self.installing = False
        if self.problems:
            raise failed(self.problems.pop(0))
        root.version, root.manifest_hash = bundle.version, bundle.manifest_hash
        root.complete = True
        on_progress(100, "Installing done.")

    async def follow(self, on_progress: OnProgress) -> None:
        """Wait for the end."""
        on_progress(50, "Copying image")
        await self.may_finish.wait()

    async def slots(self) -> Slots:
        """Return both slots."""
        if self.installing:
            raise failed("installer_busy")
        primary = next((name for name in self.order if self._bootable(self.root(name))), None)
        return Slots(self._slot(self.root("booted")), self._slot(self.root("other")), primary)

    async def mark(self, state: Mark, slot: str) -> None:
        """Change the boot loader's mind."""
        root = self.root(slot)
        root.ok, root.tries = state != "bad", 0
        if state == "active":
            root.activations += 1
            self.order = [root.name, *(name for name in self.order if name != root.name)]
        self.cut(f"marked {state}")

    # What the machine does --------------------------------------------------------------------

    def boot_id(self) -> str:
        """Return a number in place of the kernel's."""
        return f"boot-{self.boots}"

    async def restart(self) -> None:
        """Take the wish; a test boots."""
        self.restarts += 1
        self.asked_to_restart.set()
        self.cut("restart")

    def _bootable(self, root: Root) -> bool:
        return root.ok and root.tries == 0

    def _slot(self, root: Root) -> Slot:
        return Slot(
            name=root.name,
            bootname=root.bootname,
            booted=root.name == self.booted,
            bootable=self._bootable(root),
            version=root.version,
            manifest_hash=root.manifest_hash,
            complete=root.complete,
            activations=root.activations,
        )
