"""The boot loader: one program and its configuration on the EFI system partition."""

from .chroot import foreign
from .layout import number_of
from .log import StepLog
from .plan import IMAGE, Plan

MODULES = (
    "all_video",
    "boot",
    "configfile",
    "echo",
    "efi_gop",
    "fat",
    "linux",
    "loadenv",
    "normal",
    "part_gpt",
    "reboot",
    "regexp",
    "sleep",
    "squash4",
    "test",
)
FRESH = ("ORDER=A B", "A_OK=1", "A_TRY=0", "B_OK=0", "B_TRY=0")
"""Of a disk from the factory: slot B is empty."""

BLOCK_BYTES = 1024
SIGNATURE = b"# GRUB Environment Block\n"


def make_boot_loader(plan: Plan, log: StepLog) -> None:
    """Write GRUB as firmware finds it without being told, and both environment blocks."""
    folder = plan.parts / "esp" / "EFI" / "BOOT"
    folder.mkdir(parents=True)
    # Without an early configuration it looks for grub.cfg below its prefix on the drive that it was
    # itself read from (grub_set_prefix_and_root), and reads it once: each time counts as a try.
    log.run(
        [
            *foreign(plan.root, "usr/bin/grub-mkimage"),
            f"--directory={plan.root / 'usr/lib/grub/x86_64-efi'}",
            "--format=x86_64-efi",
            "--prefix=/EFI/BOOT",
            f"--output={folder / 'BOOTX64.EFI'}",
            *MODULES,
        ]
    )
    template = (IMAGE / "files" / "grub.cfg").read_text("utf-8")
    (folder / "grub.cfg").write_text(grub_configuration(plan, template))
    (folder / "grubenv").write_bytes(environment_block(*FRESH))
    (folder / "turnsenv").write_bytes(environment_block("LAST="))


def grub_configuration(plan: Plan, template: str) -> str:
    """Return the template with the numbers and identifiers of this disk's slots."""
    text = template
    for slot in "AB":
        text = text.replace(f"@BOOT_{slot}@", str(number_of(f"boot-{slot}")))
        text = text.replace(f"@ROOT_{slot}@", plan.uuid(f"partition/root-{slot}"))
    return text


def environment_block(*assignments: str) -> bytes:
    """Return a block as grub-editenv writes it: its signature, the lines, the rest filled."""
    lines = "".join(f"{assignment}\n" for assignment in assignments).encode()
    return (SIGNATURE + lines).ljust(BLOCK_BYTES, b"#")
