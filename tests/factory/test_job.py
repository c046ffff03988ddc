"""A job that is not right is refused whole, and every field that is wrong is named."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from allerac.appliance import identity
from allerac_factory.job import LARGEST_NUMBER, LONGEST_SERIAL, SERIAL, SerialScheme, read_job
from allerac_factory.placeholders import is_placeholder
from allerac_image.errors import BadInput

GOOD: dict[str, Any] = {
    "batch": "n100-2026-47",
    "tier": "n100",
    "image": "out/n100",
    "trust": "keys/trust/keyring.pem",
    "serials": {"form": "ALR-N100-{number:06}", "first": 42},
    "targets": [{"port": "pci-0000:00:14.0-usb-0:1:1.0-scsi-0:0:0:0"}, {"drive": "S5GXNX0T1"}],
    "count": 2,
    "operator": "Ana",
    "station": "bench-1",
}


def write(folder: Path, **changes: Any) -> Path:
    path = folder / "job.yaml"
    path.write_text(yaml.safe_dump(GOOD | changes))
    return path


def test_paths_of_a_job_are_relative_to_its_file(tmp_path: Path) -> None:
    job = read_job(write(tmp_path, models="tier", model_cache="models"))
    assert (job.image, job.model_cache) == (tmp_path / "out/n100", tmp_path / "models")
    assert "qwen2.5-1.5b-instruct-q4_k_m" in job.preloaded
    assert job.serials.serial(42) == "ALR-N100-000042"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"operator": "TODO"}, "operator: 'TODO' is a placeholder"),
        ({"operator": "<your name>"}, "is a placeholder"),
        ({"station": ""}, "station: "),
        ({"tier": "n101"}, "There is no tier 'n101'"),
        ({"targets": []}, "targets: "),
        ({"targets": [{}]}, "targets.0: name the drive by exactly one of path, drive and port"),
        ({"targets": [{"path": "/dev/sdb", "port": "x"}]}, "exactly one of"),
        ({"targets": [{"drive": "0123456789"}], "count": 1}, "is a placeholder"),
        ({"targets": [{"path": "/dev/sdb"}] * 2}, "target named twice: /dev/sdb"),
        (
            {"targets": [{"path": "/dev/sdb", "unit": "A1B"}, {"path": "/dev/sdc", "unit": "A1B"}]},
            "unit named twice: A1B",
        ),
        ({"targets": [{"path": "/dev/sdb", "unit": "a b"}], "count": 1}, "is no serial"),
        ({"count": 3}, "count is 3, and targets has 2"),
        ({"count": 0}, "count: "),
        ({"serials": {"form": "ALR-N100"}}, "serials.form: needs {number} once"),
        ({"serials": {"form": "{number}-{number}"}}, "needs {number} once"),
        ({"serials": {"form": "{number.__class__}"}}, "needs {number} once"),
        ({"serials": {"form": "ALR", "first": 10**9}}, "serials.first: "),
        (
            {"serials": {"form": "ALR-OF-A-VERY-LONG-NAME-0000000-{number:06}"}},
            "has 41 signs, and a label has room for 40",
        ),
        ({"targets": [{"path": "/dev/sdb", "unit": "B1" + "A" * 39}], "count": 1}, "has 41 signs"),
        ({"models": "tier"}, "name it under model_cache"),
        ({"colour": "red"}, "colour: Extra inputs are not permitted"),
    ],
)
def test_job_that_is_not_right_is_refused_with_the_field(
    tmp_path: Path, changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(BadInput) as refusal:
        read_job(write(tmp_path, **changes))
    assert told in str(refusal.value)


@pytest.mark.parametrize("content", [b"", b"- a\n", b"a: [", b"\xff\xfe"])
def test_file_that_is_no_job_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "job.yaml"
    path.write_bytes(content)
    with pytest.raises(BadInput, match="The job"):
        read_job(path)


def test_longest_serial_of_a_scheme_is_one_that_a_label_holds(tmp_path: Path) -> None:
    form = "ALR-OF-A-VERY-LONG-NAME-000000-{number:06}"
    job = read_job(write(tmp_path, serials={"form": form, "first": LARGEST_NUMBER}))
    assert len(job.serials.serial(job.serials.first)) == LONGEST_SERIAL


def test_serials_are_those_that_the_runtime_takes() -> None:
    assert SERIAL == identity.SERIAL


def test_serials_of_a_scheme_are_read_back() -> None:
    scheme = SerialScheme(form="ALR-{number:04}.N")
    assert scheme.number_of(scheme.serial(17)) == 17
    assert scheme.number_of("ALR-0017xN") is None


@pytest.mark.parametrize(
    "text", ["0000000", "To be filled by O.E.M.", "123456789ABC", "XXXX", "", "Default string"]
)
def test_placeholders_are_recognised(text: str) -> None:
    assert is_placeholder(text)


@pytest.mark.parametrize("text", ["S5GXNX0T123456", "Ana", "bench-1", "ALR-N100-000042", "WD1"])
def test_names_are_no_placeholders(text: str) -> None:
    assert not is_placeholder(text)
