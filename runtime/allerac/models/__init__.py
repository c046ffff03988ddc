"""Model files: which there are, fetching, checking, importing and removing them."""

from .room import ModelRoom
from .service import ModelService

__all__ = ["ModelRoom", "ModelService"]
