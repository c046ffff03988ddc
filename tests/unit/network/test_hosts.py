"""Only our own names pass, and every name becomes one that a network can carry."""

import re
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from allerac.network.hosts import HostAllowList, suggest_host_label

NAMES = ["allerac.local", "allerac-7k3f.local"]
ADDRESSES = ["192.168.1.20", "fd00::20"]
LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")

is_own_host = HostAllowList(names=lambda: NAMES, addresses=lambda: ADDRESSES)


@pytest.mark.parametrize(
    "host",
    [
        "allerac.local",
        "allerac-7k3f.local",
        "ALLERAC.local",
        "192.168.1.20",
        "[fd00::20]",
        "[FD00:0:0::20]",
        "localhost",
        "127.0.0.1",
        "[::1]",
    ],
)
@pytest.mark.parametrize("port", ["", ":80", ":8080", ":65535"])
def test_own_names_and_addresses_pass_with_and_without_port(host: str, port: str) -> None:
    assert is_own_host(host + port)


@pytest.mark.parametrize(
    "header",
    [
        "",
        " ",
        ":80",
        "evil.test",
        "allerac.local.evil.test",
        "evil-allerac.local",
        "xallerac.local",
        "allerac.local.",
        "allerac.local..",
        ".allerac.local",
        "allerac..local",
        "allerac",
        "local",
        "allerac.local:",
        "allerac.local:0",
        "allerac.local:65536",
        "allerac.local:99999",
        "allerac.local:80:80",
        "allerac.local:-1",
        "allerac.local:+80",
        "allerac.local:\uff18\uff10",
        "allerac.local:80@evil.test",
        "allerac.local@evil.test",
        "evil.test@allerac.local",
        "allerac.local,evil.test",
        "allerac.local, allerac.local",
        "allerac.local evil.test",
        " allerac.local",
        "allerac.local ",
        "allerac.local\t",
        "allerac.local\n",
        "allerac.local\x00",
        "allerac.local/",
        "allerac.local#",
        "allerac.local?",
        "allerac.local\\",
        "http://allerac.local",
        "http://allerac.local/",
        "//allerac.local",
        "aller\u0430c.local",
        "xn--allerc-mza.local",
        "allerac\u3002local",
        "\u212aitchen.local",
        "8.8.8.8",
        "192.168.1.21",
        "192.168.1.20.",
        "192.168.1.020",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0.0.0.0",  # noqa: S104  # a header, not a socket
        "[::]",
        "::1",
        "[::1",
        "::1]",
        "[::1]80",
        "[::1]:",
        "[::1]:0",
        "[::1]x",
        "[[::1]]",
        "[::ffff:127.0.0.1]",
        "[fd00::21]",
        "[allerac.local]",
        "[fe80::1%eth0]",
    ],
)
def test_foreign_and_malformed_hosts_are_refused(header: str) -> None:
    assert not is_own_host(header)


@given(header=st.text(max_size=80))
@example(header="[")
@example(header="[]:80")
def test_any_text_is_answered_and_passes_only_when_it_is_one_of_ours(header: str) -> None:
    ours = [*NAMES, *ADDRESSES, "localhost", "127.0.0.1", "::1"]
    if is_own_host(header):
        assert any(header.lower().lstrip("[").startswith(name) for name in ours)


@given(
    name=st.sampled_from(NAMES),
    around=st.text(alphabet=string.printable, min_size=1, max_size=8),
    before=st.booleans(),
)
def test_own_name_with_anything_around_it_passes_only_with_a_port(
    name: str, around: str, before: bool
) -> None:
    header = around + name if before else name + around
    is_port = re.fullmatch(r":[0-9]{1,5}", around) and 0 < int(around[1:]) <= 65535
    is_name = header.lower() in NAMES
    assert is_own_host(header) == bool((is_port and not before) or is_name)


def test_names_count_from_the_moment_they_are_ours_until_they_are_not() -> None:
    names = ["allerac.local"]
    allowed = HostAllowList(names=lambda: names, addresses=list, extra=["Box.example"])
    assert allowed("allerac.local")
    names[:] = ["kitchen.local"]
    assert allowed("kitchen.local:80")
    assert not allowed("allerac.local")
    assert allowed("box.example")


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Kitchen", "kitchen"),
        ("Ana's Kitchen", "anas-kitchen"),
        ("Ana\u2019s Kitchen", "anas-kitchen"),
        ("  living   room ", "living-room"),
        ("Küche", "kuche"),
        ("Straße", "strasse"),
        ("Bücherei Łódź", "bucherei-lodz"),
        ("Sjøhus", "sjohus"),
        ("a.b_c", "a-b-c"),
        ("-x-", "x"),
        ("台所", "allerac"),
        ("\U0001f373", "allerac"),
        ("", "allerac"),
        ("x" * 100, "x" * 63),
        ("x" * 62 + " y", "x" * 62),
    ],
)
def test_name_of_a_box_becomes_its_host_label(name: str, label: str) -> None:
    assert suggest_host_label(name) == label


@given(name=st.text(max_size=200))
def test_every_name_becomes_a_label_that_dns_accepts(name: str) -> None:
    label = suggest_host_label(name)
    assert LABEL.fullmatch(label)
    assert suggest_host_label(label) == label
