"""The update bundle that RAUC on a box installs into the slot that is not running."""

import shutil

from .log import StepLog, Words
from .plan import Plan
from .signing import Signer
from .slot import BLOCK_BYTES

MANIFEST = """\
[update]
compatible={compatible}
version={version}
build={commit}

[bundle]
format=verity

[image.rootfs]
filename=root.img
adaptive=block-hash-index

[image.boot]
filename=boot.img
adaptive=block-hash-index
"""


SQUASHFS = f"-b {BLOCK_BYTES}"
"""A box fetches whole blocks, of which it looks for as much in what it has (adaptive update)."""


def make_bundle(plan: Plan, log: StepLog) -> None:
    """Write the signed bundle and have RAUC check it against the authority the image trusts."""
    signer = Signer(plan.keys)
    folder = plan.work / "bundle"
    folder.mkdir()
    for name in ("root.img", "boot.img"):
        (folder / name).hardlink_to(plan.parts / name)
    (folder / "manifest.raucm").write_text(
        MANIFEST.format(compatible=plan.tier.compatible, version=plan.version, commit=plan.commit)
    )
    bundle = plan.staging / f"{plan.name}.raucb"
    trust: Words = ["--keyring", signer.authority]
    signed: Words = ["--cert", signer.certificate, "--key", signer.key, *trust]
    log.run(["rauc", *signed, "bundle", f"--mksquashfs-args={SQUASHFS}", folder, bundle])
    log.run(["rauc", "info", *trust, bundle])
    shutil.rmtree(folder)
