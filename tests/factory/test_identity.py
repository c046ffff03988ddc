"""A unit is who its station made it: the box reads it, and the code of its label claims it."""

import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from allerac.accounts.codes import ALPHABET
from allerac.appliance.identity import read_identity
from allerac.burn_in import is_factory_mode
from allerac_factory.claim_codes import CODE_SIGNS
from allerac_factory.cli import main
from allerac_factory.file_system import Ext4
from allerac_factory.identity import Pending, fingerprint_of
from allerac_rescue.acts import perform
from allerac_rescue.codes import Door
from tests.api.conftest import claim
from tests.rescue.rescued_box import NotedPrograms, lay_out

from .started_unit import started_unit
from .unit_drive import partition_of, table_of
from .workshop import QUICK, Workshop


async def test_unit_is_claimed_by_the_code_of_its_label_and_by_no_other(
    workshop: Workshop, tmp_path: Path
) -> None:
    drive = workshop.drive("WD1")
    assert main(workshop.flash_words(workshop.job())) == 0
    identity = partition_of(drive, tmp_path / "identity")
    known = Pending(workshop.records / "pending").read("ALR-VM-000001")
    async with started_unit(tmp_path / "data", identity) as browser:
        wrong = await browser.post("/api/v1/onboarding/claim", json={"code": "AAAA-AAAA"})
        assert wrong.status_code == 401
        await claim(browser, known.shown_code.lower())
        facts = (await browser.get("/api/v1/box")).json()
    assert (facts["serial"], facts["id"]) == (known.serial, known.device_id)


async def test_identity_outlives_a_reset_and_the_label_claims_the_box_again(
    workshop: Workshop, tmp_path: Path
) -> None:
    drive = workshop.drive("WD1")
    assert workshop.flash(burn_in=False) == 0
    code = Pending(workshop.records / "pending").read("ALR-VM-000001").claim_code
    box = lay_out(tmp_path / "box")
    shutil.rmtree(box.codes.parents[1])
    identity = partition_of(drive, box.codes.parents[1])
    made = files_in(identity)
    async with started_unit(box.allerac, identity) as browser:
        await claim(browser, code)
    assert files_in(identity) != made, "the household's own code opens the rescue page too"
    assert perform("factory-reset", box, NotedPrograms()) == 0
    assert files_in(identity) == made
    async with started_unit(box.allerac, identity) as browser:
        assert (await browser.get("/api/v1/status")).json()["claimed"] is False
        await claim(browser, code)


def files_in(identity: Path) -> dict[str, bytes]:
    files = (path for path in identity.rglob("*") if path.is_file())
    return {str(path.relative_to(identity)): path.read_bytes() for path in files}


@pytest.mark.parametrize("burn_in", [True, False])
def test_unit_begins_with_a_burn_in_where_its_job_has_one(
    workshop: Workshop, tmp_path: Path, *, burn_in: bool
) -> None:
    drive = workshop.drive("WD1")
    assert workshop.flash(burn_in=burn_in) == 0
    identity = partition_of(drive, tmp_path / "identity")
    assert is_factory_mode(identity) is burn_in
    pending = Pending(workshop.records / "pending", QUICK)
    pending.get_or_make("ALR-VM-000001", "vm", burn_in=not burn_in)
    assert is_factory_mode(pending.files("ALR-VM-000001")) is not burn_in


def test_box_reads_every_fact_that_the_station_wrote(workshop: Workshop, tmp_path: Path) -> None:
    drive = workshop.drive("WD1")
    assert workshop.flash() == 0
    partition = partition_of(drive, tmp_path / "identity")
    identity = read_identity(partition)
    known = Pending(workshop.records / "pending").read("ALR-VM-000001")
    assert (identity.serial, identity.device_id, identity.suffix) == (
        known.serial,
        known.device_id,
        known.suffix,
    )
    assert identity.claim_code_hash is not None
    assert known.address == f"https://allerac-{identity.suffix}.local"


def test_unit_knows_the_tier_of_its_job_also_when_it_keeps_its_identity(tmp_path: Path) -> None:
    pending = Pending(tmp_path, QUICK)
    first = pending.get_or_make("ALR-1", "n100")
    assert (pending.files("ALR-1") / "tier").read_text() == "n100\n"
    assert pending.get_or_make("ALR-1", "i5") == first
    assert (pending.files("ALR-1") / "tier").read_text() == "i5\n"
    assert not list(pending.files("ALR-1").glob(".*"))


def test_claim_code_is_nowhere_on_the_drive_nor_in_the_ledger(
    workshop: Workshop, tmp_path: Path
) -> None:
    drive = workshop.drive("WD1")
    assert workshop.flash() == 0
    code = Pending(workshop.records / "pending").read("ALR-VM-000001").claim_code
    assert len(code) * 5 >= 40
    assert CODE_SIGNS == ALPHABET
    partition = partition_of(drive, tmp_path / "identity")
    places = [*partition.rglob("*"), workshop.records / "ledger.sqlite"]
    assert [p for p in places if p.is_file() and code.encode() in p.read_bytes()] == []


def test_device_key_is_the_one_whose_fingerprint_is_in_the_ledger(
    workshop: Workshop, tmp_path: Path
) -> None:
    drive = workshop.drive("WD1")
    assert workshop.flash() == 0
    partition = partition_of(drive, tmp_path / "identity")
    private = load_pem_private_key((partition / "device.key").read_bytes(), None)
    public = load_pem_public_key((partition / "device.pub").read_bytes())
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    assert isinstance(public, ec.EllipticCurvePublicKey)
    public.verify(
        private.sign(b"unit", ec.ECDSA(hashes.SHA256())), b"unit", ec.ECDSA(hashes.SHA256())
    )
    facts = workshop.units()["ALR-VM-000001"].facts
    assert facts["key_fingerprint"] == fingerprint_of((partition / "device.pub").read_bytes())


def test_units_share_nothing(tmp_path: Path) -> None:
    pending = Pending(tmp_path, QUICK)
    units = [pending.get_or_make(f"ALR-{number}", "vm") for number in range(8)]
    for field in ("device_id", "fingerprint", "claim_code"):
        assert len({getattr(unit, field) for unit in units}) == len(units), field


def test_identity_that_was_begun_is_found_again_and_a_torn_one_is_not(tmp_path: Path) -> None:
    pending = Pending(tmp_path, QUICK)
    first = pending.get_or_make("ALR-1", "vm")
    (tmp_path / ".new-torn" / "ALR-2").mkdir(parents=True)
    assert pending.get_or_make("ALR-1", "vm") == first
    assert pending.get_or_make("ALR-2", "vm").claim_code


def test_code_of_the_label_opens_the_rescue_page_too(workshop: Workshop, tmp_path: Path) -> None:
    drive = workshop.drive("WD1")
    assert main(workshop.flash_words(workshop.job())) == 0
    identity = partition_of(drive, tmp_path / "identity")
    codes = identity / "rescue" / "codes"
    known = Pending(workshop.records / "pending").read("ALR-VM-000001")
    assert Door(codes).opens(known.shown_code)
    assert not Door(codes).opens("AAAA-AAAA")
    argon2 = (identity / "claim-code.hash").read_text()
    assert argon2.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert codes.read_text().startswith("label:scrypt$32768$8$3$"), "a guess takes what OWASP says"
    system = Ext4(drive, table_of(drive).partition("identity").offset)
    assert "Mode:  0750" in system.stat("/rescue")
    assert "Mode:  0640" in system.stat("/rescue/codes")
