"""A unit that its owner has switched on: the runtime with the identity from its drive."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from allerac.app import create_app
from allerac.settings import Settings


@asynccontextmanager
async def started_unit(
    folder: Path, identity: Path, offered: Path | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """Start the runtime with the identity of a unit, and with the certificate it may offer."""
    settings = Settings(
        data_dir=folder, identity_dir=identity, announce=False, offered_certificate=offered
    )
    app = create_app(settings, port=80)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://localhost", timeout=60
        ) as browser,
    ):
        yield browser
