"""Whoever stands in front of the box reads how to go on, on any screen."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
import segno

from allerac.appliance.screen import Terminal, draw, draw_without_data, half_blocks
from allerac.appliance.view import BoxView, read_view, write_view

UNCLAIMED = BoxView(
    name="Allerac",
    names=("allerac.local", "allerac-k7qm.local"),
    addresses=("192.168.178.120", "fd12:3456:789a:bcde:1234:5678:9abc:def0"),
    conflict=None,
    claimed=False,
    claim_code="K7QM-4XWP",
    engine="stopped",
)
CLAIMED = replace(
    UNCLAIMED,
    name="Kitchen",
    names=("kitchen.local", "allerac-k7qm.local"),
    claimed=True,
    claim_code=None,
    engine="ready",
)
SCREEN = Terminal(80, 25, is_screen=True)
SERIAL = Terminal(80, 25, is_screen=False)
BLOCKS = set("█▀▄")


def text_of(lines: list[str]) -> str:
    """Return what is written, without the picture."""
    return "\n".join("".join(sign for sign in line if sign not in BLOCKS) for line in lines)


@pytest.mark.parametrize("terminal", [SCREEN, SERIAL], ids=["screen", "serial"])
def test_unclaimed_box_shows_where_to_go_and_its_code(terminal: Terminal) -> None:
    text = text_of(draw(UNCLAIMED, terminal))
    assert "http://allerac.local" in text
    assert "http://192.168.178.120" in text
    assert "http://[fd12:3456:789a:bcde:1234:5678:9abc:def0]" in text
    assert "claim code: K7QM-4XWP" in text


def test_code_is_a_line_of_its_own_on_a_serial_line() -> None:
    assert "  claim code: K7QM-4XWP" in draw(UNCLAIMED, SERIAL)


@pytest.mark.parametrize("terminal", [SCREEN, SERIAL], ids=["screen", "serial"])
def test_claimed_box_shows_its_name_and_state_and_no_code(terminal: Terminal) -> None:
    text = text_of(draw(CLAIMED, terminal))
    assert "Kitchen" in text
    assert "http://kitchen.local" in text
    assert "* Ready" in text
    assert "claim code" not in text


def test_code_of_the_factory_is_on_the_label() -> None:
    text = text_of(draw(replace(UNCLAIMED, claim_code=None), SCREEN))
    assert "on the label" in text


def test_runtime_that_is_not_up_is_starting() -> None:
    assert "starting…" in text_of(draw(None, SCREEN))
    assert "starting" in text_of(draw(None, SERIAL))


def test_box_without_a_network_asks_for_the_cable_and_draws_nothing() -> None:
    lines = draw(replace(UNCLAIMED, addresses=()), SCREEN)
    assert "cable" in text_of(lines)
    assert "claim code: K7QM-4XWP" in text_of(lines)
    assert not BLOCKS & set("".join(lines))


def test_name_that_another_machine_holds_is_said() -> None:
    conflict = "Another machine (192.168.178.30) on this network is called allerac.local."
    taken = replace(UNCLAIMED, names=("allerac-k7qm.local",), conflict=conflict)
    text = text_of(draw(taken, SCREEN))
    assert "http://allerac-k7qm.local" in text
    assert "192.168.178.30" in text


LONG = replace(
    UNCLAIMED,
    name="N" * 40,
    addresses=tuple(f"fd12:3456:789a:bcde:1234:5678:9abc:de{n:02x}" for n in range(20)),
    conflict="Another machine (fd12:3456:789a:bcde:1234:5678:9abc:def0) " + "is here. " * 20,
)


@pytest.mark.parametrize("view", [None, UNCLAIMED, CLAIMED, LONG])
@pytest.mark.parametrize("size", [(80, 25), (80, 24), (40, 12), (20, 5), (200, 60)])
def test_nothing_is_wider_or_higher_than_the_screen(
    view: BoxView | None, size: tuple[int, int]
) -> None:
    columns, rows = size
    lines = draw(view, Terminal(columns, rows, is_screen=True))
    assert len(lines) < rows
    if columns >= 80:
        assert max(map(len, lines)) <= columns


def test_code_fits_beside_the_picture_on_the_smallest_usual_screen() -> None:
    lines = draw(UNCLAIMED, Terminal(80, 24, is_screen=True))
    assert any(BLOCKS & set(line) and "claim code: K7QM-4XWP" in line for line in lines)


def test_serial_line_without_unicode_gets_ascii() -> None:
    assert "\n".join(draw(UNCLAIMED, SERIAL)).isascii()
    assert "\n".join(draw(None, SERIAL)).isascii()


def test_name_cannot_move_the_cursor() -> None:
    lines = draw(replace(CLAIMED, name="\x1b[2JKitchen\n"), SCREEN)
    assert "\x1b" not in "".join(lines)
    assert "\n" not in "".join(lines)


def test_picture_is_the_link_that_brings_the_code_along() -> None:
    drawn = [line for line in draw(UNCLAIMED, SCREEN) if BLOCKS & set(line)]
    code = segno.make("http://192.168.178.120/#code=K7QM4XWP", error="l", micro=False)
    wanted = [[bool(dark) for dark in row] for row in code.matrix_iter(border=2)]
    side = len(wanted)
    rows = []
    for line in drawn:
        signs = line[2 : 2 + side]
        rows += [[sign in " ▄" for sign in signs], [sign in " ▀" for sign in signs]]
    assert rows[:side] == wanted


def test_two_modules_share_a_sign() -> None:
    assert half_blocks([[False, False, True, True], [False, True, False, True]]) == ["█▀▄ "]
    assert half_blocks([[False, True]]) == ["▀ "]


@pytest.mark.parametrize(
    ("kind", "encoding", "is_screen"),
    [
        ("linux", "utf-8", True),
        ("vt220", "utf-8", True),
        ("xterm-256color", "UTF-8", True),
        ("dumb", "utf-8", False),
        ("", "utf-8", False),
        ("linux", "ascii", False),
    ],
)
def test_terminal_is_judged_by_its_kind(kind: str, encoding: str, is_screen: bool) -> None:
    terminal = Terminal.of(kind, os.terminal_size((0, 0)), encoding)
    assert terminal == Terminal(80, 25, is_screen)


def test_view_survives_the_way_through_its_file(tmp_path: Path) -> None:
    path = tmp_path / "console.json"
    write_view(path, UNCLAIMED)
    assert read_view(path) == UNCLAIMED
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"names": 1}', b"\xff"])
def test_torn_file_reads_as_starting(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "console.json"
    assert read_view(path) is None
    path.write_bytes(content)
    assert read_view(path) is None


@pytest.mark.parametrize("terminal", [SCREEN, SERIAL], ids=["screen", "serial"])
def test_lost_data_is_told_with_the_rescue_page_and_what_to_do(terminal: Terminal) -> None:
    text = text_of(draw_without_data(["192.168.178.120", "fd12::1"], terminal))
    assert "The disk with your data cannot be read." in text
    assert "http://192.168.178.120/rescue/" in text
    assert "http://[fd12::1]/rescue/" in text
    assert "code on the label" in text
    assert "repair the disk" in text
    assert "starting" not in text


def test_code_to_scan_leads_to_the_rescue_page() -> None:
    lines = draw_without_data(["192.168.178.120"], SCREEN)
    wanted = segno.make("http://192.168.178.120/rescue/", error="l", micro=False)
    picture = half_blocks([[bool(dark) for dark in row] for row in wanted.matrix_iter(1, 2)])
    drawn = "\n".join(lines)
    assert all(row.strip() in drawn for row in picture)


@pytest.mark.parametrize("size", [(80, 25), (80, 12), (48, 25)])
@pytest.mark.parametrize("addresses", [[], ["192.168.178.120"], ["fd12:3456:789a::1"] * 9])
def test_lost_data_fits_on_every_screen(size: tuple[int, int], addresses: list[str]) -> None:
    terminal = Terminal(*size, is_screen=True)
    lines = draw_without_data(addresses, terminal)
    assert len(lines) < terminal.rows
    assert max(map(len, lines)) <= terminal.columns
    assert ("Is the cable plugged in?" in "\n".join(lines)) is (addresses == [])
