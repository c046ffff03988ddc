"""What the kernel says of links is read as it is laid out, and garbage does no harm."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allerac.network.links import LinkWatch

NEW_LINK, DELETED_LINK, NEW_ADDRESS = 16, 17, 20
UP, RUNNING = 0x1, 0x40


def notice(kind: int, index: int, flags: int) -> bytes:
    """Return a message as the kernel sends it, with an attribute of an odd length."""
    body = struct.pack("=BxHiII", 0, 1, index, flags, 0) + struct.pack("=HH", 5, 3) + b"e"
    whole = struct.pack("=IHHII", 16 + len(body), kind, 0, 0, 0) + body
    return whole + bytes(-len(whole) % 4)


def watch() -> LinkWatch:
    """Return a watch that tells nobody."""
    return LinkWatch(lambda _: None)


def test_link_that_was_down_and_runs_has_come_up() -> None:
    links = watch()
    assert not links.take(notice(NEW_LINK, 2, UP))
    assert links.take(notice(NEW_LINK, 2, UP | RUNNING))
    assert not links.take(notice(NEW_LINK, 2, UP | RUNNING))


def test_link_that_runs_when_first_heard_of_has_run_before() -> None:
    assert not watch().take(notice(NEW_LINK, 2, UP | RUNNING))


def test_links_are_told_apart_also_in_one_packet() -> None:
    links = watch()
    assert not links.take(notice(NEW_LINK, 2, UP) + notice(NEW_LINK, 3, UP | RUNNING))
    assert not links.take(notice(NEW_LINK, 3, UP | RUNNING))
    assert links.take(notice(NEW_ADDRESS, 3, 0) + notice(NEW_LINK, 2, UP | RUNNING))


def test_link_that_was_taken_out_comes_up_again() -> None:
    links = watch()
    assert not links.take(notice(DELETED_LINK, 2, UP | RUNNING))
    assert links.take(notice(NEW_LINK, 2, UP | RUNNING))


@pytest.mark.parametrize("length", [0, 1, 15])
def test_message_shorter_than_its_header_ends_the_reading(length: int) -> None:
    links = watch()
    broken = struct.pack("=IHHII", length, NEW_LINK, 0, 0, 0)
    assert not links.take(notice(NEW_LINK, 2, UP) + broken + notice(NEW_LINK, 2, UP | RUNNING))


@given(notices=st.binary(max_size=200))
def test_any_bytes_are_read_without_harm(notices: bytes) -> None:
    watch().take(notices)
