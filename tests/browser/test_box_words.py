"""The German of what the box says belongs to sentences that the box still says."""

import ast
import json
import re

import pytest

from allerac.updates.gate import find_proofs
from allerac.updates.reasons import REASONS
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


def test_every_reason_of_an_update_is_said_in_german_as_the_gate_says_it() -> None:
    table = json.loads((WEB / "src" / "i18n" / "box.de.json").read_text(encoding="utf-8"))
    words = {text for one in REASONS.values() for text in (one.message, one.hint)}
    faults = {said.en: said.de for proof in find_proofs() for said in proof.faults.values()}
    assert words - table.keys() == set()
    assert {en: table.get(en) for en in faults} == faults
