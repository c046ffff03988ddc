"""The identity partition is believed where it is sound, and never keeps the box from starting."""

from pathlib import Path

import pytest
from argon2 import PasswordHasher
from structlog.testing import capture_logs

from allerac.appliance.identity import FactoryIdentity, read_identity

NOTHING = FactoryIdentity()


def test_what_the_factory_wrote_is_read(tmp_path: Path) -> None:
    encoded = PasswordHasher(memory_cost=64, time_cost=1).hash("ABCDEFGH")
    facts = {
        "serial": "ALR-N100-000042\n",
        "device-id": "0198c0de-0000-7000-8000-000000000042",
        "claim-code.hash": f"{encoded}\n",
        "hostname-suffix": "k7qm\n",
    }
    for name, text in facts.items():
        (tmp_path / name).write_text(text)
    with capture_logs() as logs:
        identity = read_identity(tmp_path)
    assert identity == FactoryIdentity(
        serial="ALR-N100-000042",
        device_id="0198c0de-0000-7000-8000-000000000042",
        claim_code_hash=encoded,
        suffix="k7qm",
    )
    assert logs == []


def test_default_argon2_parameters_are_taken(tmp_path: Path) -> None:
    encoded = PasswordHasher().hash("ABCDEFGH")
    (tmp_path / "claim-code.hash").write_text(encoded)
    assert read_identity(tmp_path).claim_code_hash == encoded


def test_empty_partition_says_nothing(tmp_path: Path) -> None:
    with capture_logs() as logs:
        assert read_identity(tmp_path) == NOTHING
    assert logs == []


def test_no_folder_is_asked_for_on_a_developers_machine() -> None:
    with capture_logs() as logs:
        assert read_identity(None) == NOTHING
    assert logs == []


def test_missing_folder_is_logged(tmp_path: Path) -> None:
    with capture_logs() as logs:
        assert read_identity(tmp_path / "gone") == NOTHING
    assert [entry["event"] for entry in logs] == ["identity_folder_missing"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("serial", b""),
        ("serial", b"two words"),
        ("serial", b"\xff\xfe\x00"),
        ("serial", b"S" * 5000),
        ("device-id", b"../../etc"),
        ("device-id", b"short"),
        ("hostname-suffix", b"k7.m"),
        ("hostname-suffix", b"toolong"),
        ("claim-code.hash", b"ABCD-EFGH"),
        ("claim-code.hash", b"$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA"),
        (
            "claim-code.hash",
            b"$argon2id$v=19$m=99999999,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
        ),
        ("claim-code.hash", b"\0" * 512),
    ],
)
def test_broken_file_is_logged_without_its_content_and_left_out(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    with capture_logs() as logs:
        assert read_identity(tmp_path) == NOTHING
    assert [entry["file"] for entry in logs] == [name]
    assert "ABCD" not in str(logs)


def test_folder_in_place_of_a_file_is_logged(tmp_path: Path) -> None:
    (tmp_path / "serial").mkdir()
    with capture_logs() as logs:
        assert read_identity(tmp_path) == NOTHING
    assert [entry["event"] for entry in logs] == ["identity_file_unreadable"]
