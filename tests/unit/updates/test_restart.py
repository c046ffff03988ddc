"""Restarting is a wish that somebody with the right to do so fulfils."""

from pathlib import Path

import pytest

from allerac.errors import UpdateFailed
from allerac.updates.restart import ThisMachine


async def test_a_restart_is_wished_for_by_a_file(tmp_path: Path) -> None:
    wish = tmp_path / "restart"
    await ThisMachine(wish).restart()
    assert wish.exists()


async def test_where_nobody_fulfils_it_the_wish_fails(tmp_path: Path) -> None:
    for wish in (None, tmp_path / "nowhere" / "restart"):
        with pytest.raises(UpdateFailed) as caught:
            await ThisMachine(wish).restart()
        assert caught.value.reason == "restart_failed"


def test_the_boot_has_an_id() -> None:
    assert ThisMachine(None).boot_id() == ThisMachine(None).boot_id()
    assert len(ThisMachine(None).boot_id()) == 36
