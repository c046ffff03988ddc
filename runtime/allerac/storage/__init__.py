"""What the box keeps. The only door to SQL."""

from .database import Database
from .ids import new_id

__all__ = ["Database", "new_id"]
