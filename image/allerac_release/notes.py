"""What a release says to people, in the languages of the box."""

from pathlib import Path

import yaml

from allerac_image.errors import BadInput

LANGUAGES = ("en", "de")
LONGEST = 2000
"""Characters in one language: a page's worth, and every box fetches all of them."""


def read_notes(file: Path) -> dict[str, str]:
    """Read a YAML file with Markdown text under `en` and `de`; raise `BadInput` otherwise."""
    try:
        content = yaml.safe_load(file.read_text("utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise BadInput(f"{file} cannot be read as release notes.") from error
    if not isinstance(content, dict) or set(content) != set(LANGUAGES):
        raise BadInput(f"{file} must have the texts {' and '.join(LANGUAGES)}, and nothing else.")
    return {language: _text(file, language, content[language]) for language in LANGUAGES}


def _text(file: Path, language: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise BadInput(f"{file} has no text under {language}.")
    if len(value) > LONGEST:
        raise BadInput(f"{file}: {language} has {len(value)} characters, {LONGEST} are allowed.")
    return value.strip()
