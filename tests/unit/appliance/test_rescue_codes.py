"""What the runtime keeps is what the rescue page reads."""

from pathlib import Path

from allerac.appliance.rescue_codes import RescueCodes
from allerac_rescue.codes import Door


async def test_kept_codes_open_the_rescue_page(tmp_path: Path) -> None:
    codes = RescueCodes(tmp_path)
    await codes.keep("label", "K7QM4XWP")
    await codes.keep("owner", "ABCDEFGHJKLMNPQRSTUV")
    door = Door(tmp_path / "codes")
    assert door.opens("k7qm-4xwp")
    assert door.opens("ABCD-EFGH-JKLM-NPQR-STUV")
    assert not door.opens("ABCD-EFGH-JKLM-NPQR-STUW")


async def test_a_new_code_takes_the_place_of_the_former(tmp_path: Path) -> None:
    codes = RescueCodes(tmp_path)
    for code in ("ABCDEFGHJKLMNPQRSTUV", "VUTSRQPNMLKJHGFEDCBA"):
        await codes.keep("owner", code)
    door = Door(tmp_path / "codes")
    assert not door.opens("ABCDEFGHJKLMNPQRSTUV")
    assert door.opens("VUTSRQPNMLKJHGFEDCBA")
    assert (tmp_path / "codes").stat().st_mode & 0o777 == 0o640


async def test_where_nothing_can_be_kept_nothing_fails(tmp_path: Path) -> None:
    await RescueCodes(None).keep("owner", "ABCD")
    await RescueCodes(tmp_path / "absent").keep("owner", "ABCD")
    (tmp_path / "codes").mkdir()
    await RescueCodes(tmp_path).keep("owner", "ABCD")
