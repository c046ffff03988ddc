"""Documents that cannot drift."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from allerac.app import openapi_document
from allerac.hardware.profile import DiskLayout, EngineBuild, Image
from allerac.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[2]


def test_every_setting_is_documented() -> None:
    text = (REPOSITORY / "docs" / "settings.md").read_text()
    documented = re.findall(r"^\| `ALLERAC_([A-Z_]+)`", text, re.MULTILINE)
    assert sorted(documented) == sorted(name.upper() for name in Settings.model_fields)


def _fields(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _fields(kind, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def test_everything_that_an_image_is_made_from_is_documented() -> None:
    text = (REPOSITORY / "docs" / "hardware-profiles.md").read_text()
    documented = re.findall(r"^\| `([a-z_.]+)`", text, re.MULTILINE)
    sections: dict[str, type[BaseModel]] = {
        "engine.build.": EngineBuild,
        "disk.": DiskLayout,
        "image.": Image,
    }
    fields = [name for prefix, model in sections.items() for name in _fields(model, prefix)]
    assert sorted(documented) == sorted(fields)


def test_openapi_document_is_of_today() -> None:
    written = json.loads((REPOSITORY / "docs" / "openapi.json").read_text())
    assert written == json.loads(json.dumps(openapi_document(Settings())))


def test_architecture_names_every_room() -> None:
    text = (REPOSITORY / "ARCHITECTURE.md").read_text()
    package = REPOSITORY / "runtime" / "allerac"
    rooms = [path.name for path in package.iterdir() if path.is_dir() and path.name[0] != "_"]
    assert [room for room in rooms if f"{room}/" not in text] == []


def test_tests_that_the_table_of_attacks_names_are_there() -> None:
    text = (REPOSITORY / "docs" / "update-attacks.md").read_text()
    everywhere = {path.name for path in (REPOSITORY / "tests").rglob("test_*.py")}
    named = set(re.findall(r"\btests/[a-z_/]+\.py\b", text))
    assert named
    assert {path for path in named if not (REPOSITORY / path).is_file()} == set()
    assert set(re.findall(r"\btest_[a-z_]+\.py\b", text)) <= everywhere


def test_every_command_that_a_document_tells_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    documents = [*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/*.md")]
    told = {
        command: path.name
        for path in documents
        for command in re.findall(r"(?m)(?:^ *|`)make ([a-z-]+)", path.read_text())
    }
    assert {"run", "image", "vm"} <= told.keys()
    assert told.keys() - targets == set(), told
