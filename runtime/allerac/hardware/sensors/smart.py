"""Reading smartctl's JSON, in which anything may be missing or of another kind."""

import json
from collections.abc import Mapping
from typing import Any, Final

KEPT: Final = "run/allerac-smart"
"""Where units that may ask the drives leave their answers, one JSON file for each; root's."""


def document_of(text: bytes | str) -> Mapping[str, Any]:
    """Return the document in `text`, an empty one when it is none."""
    try:
        document = json.loads(text)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def inside(document: Mapping[str, Any], *names: str) -> Any:
    """Return what lies below `names`, None when there is no such thing."""
    found: Any = document
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def number(value: Any) -> float | None:
    """Return a JSON number, None for anything else."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
