"""What the browser keeps of a session, and who may see it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from .fresh_box import FreshBox, fresh_box, sign_in


@pytest_asyncio.fixture
async def box(tmp_path: Path) -> AsyncIterator[FreshBox]:
    async with fresh_box(tmp_path) as opened:
        yield opened


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_cookie_is_kept_from_scripts_and_other_sites(box: FreshBox, scheme: str) -> None:
    await box.owner()
    response = await sign_in(box.browser(scheme=scheme))
    pair, *attributes = [part.strip() for part in response.headers["set-cookie"].split(";")]
    said = {part.partition("=")[0].lower(): part.partition("=")[2].lower() for part in attributes}
    assert len(pair.partition("=")[2]) == 43  # 256 bits
    assert "httponly" in said
    assert (said["samesite"], said["path"]) == ("lax", "/")
    assert "domain" not in said
    assert ("secure" in said) == (scheme == "https")
