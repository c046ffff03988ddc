"""A chat over a real database and an engine that plays scripts."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.chat_room import Room, open_room


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    async with open_room(tmp_path) as opened:
        yield opened
