"""The German of what the box says belongs to sentences that the box still says."""

import ast
import json
import re

import pytest

from tests.browser.mock_box import REPOSITORY, WEB


def _texts() -> str:
    """Every string of the runtime, and every profile."""
    sources = (REPOSITORY / "runtime" / "allerac").rglob("*.py")
    constants = [
        node.value
        for path in sources
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    profiles = (REPOSITORY / "hardware_profiles").rglob("*.y*ml")
    return "\n".join([*constants, *(path.read_text(encoding="utf-8") for path in profiles)])


@pytest.mark.parametrize("language", ["de"])
def test_every_translated_sentence_is_still_said(language: str) -> None:
    table = json.loads((WEB / "src" / "i18n" / f"box.{language}.json").read_text(encoding="utf-8"))
    said = _texts()
    stale = [
        sentence
        for sentence in table
        if not all(part in said for part in re.split(r"\{\{n\d\}\}", sentence))
    ]
    assert len(table) > 50
    assert stale == []
