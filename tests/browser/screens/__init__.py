"""Every screen of the web application, and how a person comes to it: one file for each page."""

import importlib
import pkgutil

from tests.browser.screens.screen import SCREENS, Screen

for page in sorted(found.name for found in pkgutil.iter_modules(__path__)):
    importlib.import_module(f"{__name__}.{page}")

__all__ = ["SCREENS", "Screen"]
