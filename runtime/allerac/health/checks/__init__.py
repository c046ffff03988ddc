"""The checks of the box; each file here is one, found by being here."""

import importlib
import pkgutil

from allerac.health.check import Check


def find_checks() -> list[Check]:
    """Return the checks of this folder by their code."""
    names = (module.name for module in pkgutil.iter_modules(__path__))
    modules = (importlib.import_module(f"{__name__}.{name}") for name in names)
    return sorted((module.CHECK for module in modules), key=lambda check: check.code)
