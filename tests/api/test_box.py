"""The box tells how it is found, and takes only a name and a time zone that it can live with."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest
import pytest_asyncio

from allerac.api.schemas import box as shape
from allerac.box import NetworkCheck
from allerac.network.self_test import Reason

from .fresh_box import FreshBox, fresh_box

BOX = "/api/v1/box"
CHECKED_AT = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)


@pytest_asyncio.fixture
async def box(tmp_path: Path) -> AsyncIterator[FreshBox]:
    async with fresh_box(tmp_path) as opened:
        yield opened


async def _told(browser: httpx.AsyncClient) -> Any:
    return (await browser.get(BOX)).json()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "   "}, "name"),
        ({"name": "\t\n"}, "name"),
        ({"name": "x" * 41}, "name"),
        ({"name": "Kitchen\u200b"}, "name"),
        ({"name": "Kit\u202echen"}, "name"),
        ({"name": "Kit\x00chen"}, "name"),
        ({"time_zone": ""}, "time_zone"),
        ({"time_zone": "Mars/Phobos"}, "time_zone"),
        ({"time_zone": "europe/berlin"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"name": "Study", "time_zone": "Mars/Phobos"}, "time_zone"),
        ({"name": "   ", "time_zone": "Asia/Tokyo"}, "name"),
    ],
)
async def test_what_the_box_cannot_be_called_or_live_by_is_refused_and_changes_nothing(
    box: FreshBox, body: dict[str, str], field: str
) -> None:
    owner = await box.owner()
    refused = await owner.patch(BOX, json=body)
    assert refused.status_code == 422
    assert field in refused.json()["error"]["fields"]
    told = await _told(owner)
    assert (told["name"], told["time_zone"]) == ("Kitchen", "Europe/Berlin")


async def test_new_name_is_tidied_as_in_the_wizard_and_kept_over_a_restart(
    tmp_path: Path,
) -> None:
    async with fresh_box(tmp_path) as box:
        owner = await box.owner()
        changed = await owner.patch(
            BOX, json={"name": "  Ana's   Study ", "time_zone": "Asia/Tokyo"}
        )
        assert changed.status_code == 200
        assert changed.json()["name"] == "Ana's Study"
        assert changed.json()["hostname"] == "anas-study.local"
    async with fresh_box(tmp_path) as box:
        told = await _told(await box.sign_in("Ana"))
        assert (told["name"], told["time_zone"]) == ("Ana's Study", "Asia/Tokyo")


async def test_changing_one_thing_leaves_the_other(box: FreshBox) -> None:
    owner = await box.owner()
    assert (await owner.patch(BOX, json={"time_zone": "UTC"})).status_code == 200
    told = (await owner.patch(BOX, json={"name": "Study"})).json()
    assert (told["name"], told["time_zone"]) == ("Study", "UTC")


async def test_before_the_first_test_of_the_names_nothing_is_said_of_it(box: FreshBox) -> None:
    assert (await _told(await box.owner()))["network_check"] is None


@pytest.mark.parametrize("reason", get_args(Reason))
def test_every_reason_of_the_self_test_has_its_form_in_the_api(reason: str) -> None:
    check = NetworkCheck(False, reason, "No.", CHECKED_AT)
    assert shape.NetworkCheck.model_validate(check).model_dump(mode="json") == {
        "ok": False,
        "reason": reason,
        "message": "No.",
        "checked_at": "2026-03-01T08:30:00.000Z",
    }
