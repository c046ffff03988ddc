"""A unit offers its certificate after its burn-in, to nobody once somebody owns it."""

import json
from pathlib import Path

import pytest

from allerac.burn_in import CertificateOffer, offer
from allerac.errors import NotFound
from allerac_factory.identity import Pending
from tests.api.conftest import claim

from .started_unit import started_unit
from .unit_drive import partition_of
from .unit_start import certificate_of
from .workshop import Workshop

PATH = "/api/v1/factory/certificate"
SERIAL = "ALR-VM-000001"


async def test_unit_offers_its_certificate_until_it_is_claimed(
    workshop: Workshop, tmp_path: Path
) -> None:
    drive = workshop.drive("WD1")
    assert workshop.flash() == 0
    identity = partition_of(drive, tmp_path / "identity")
    document, offered = certificate_of(workshop, SERIAL), tmp_path / "offered.json"
    async with started_unit(tmp_path / "data", identity, offered) as caller:
        before = await caller.get(PATH)
        assert before.status_code == 404
        assert before.json()["error"]["code"] == "not_found"
        assert offer(document, offered)
        answer = await caller.get(PATH)
        assert answer.json() == document
        assert answer.headers["cache-control"] == "no-store"
        code = Pending(workshop.records / "pending").read(SERIAL).claim_code
        await claim(caller, code)
        assert (await caller.get(PATH)).status_code == 404


async def nobody() -> bool:
    return False


async def test_machine_that_is_no_unit_offers_nothing() -> None:
    with pytest.raises(NotFound, match="no birth certificate"):
        await CertificateOffer(None, nobody).content()


def test_certificate_that_cannot_be_left_is_no_failure_of_the_unit(tmp_path: Path) -> None:
    assert not offer({"certificate": {}}, tmp_path / "missing" / "offered.json")


async def test_offer_is_what_was_left_last(tmp_path: Path) -> None:
    file = tmp_path / "offered.json"
    for number in (1, 2):
        assert offer({"certificate": {"attempt": number}}, file)
    content = await CertificateOffer(file, nobody).content()
    assert json.loads(content) == {"certificate": {"attempt": 2}}
    assert file.stat().st_mode & 0o777 == 0o644
