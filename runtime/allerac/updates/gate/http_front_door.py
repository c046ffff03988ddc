"""The front door, by plain HTTP: what a browser on the network is first served."""

import asyncio
import http.client
from typing import Final

from .surroundings import Page

PORT: Final = 80
SILENCE_SECONDS: Final = 5.0
BODY_BYTES: Final = 16 * 1024


class HttpFrontDoor:
    """Asks for pages; follows nobody elsewhere."""

    def __init__(self, port: int = PORT, *, silence_seconds: float = SILENCE_SECONDS) -> None:
        self._port = port
        self._silence_seconds = silence_seconds

    async def get(self, ip: str, path: str) -> Page:
        """Return the beginning of what is served at `ip`. Raises `OSError`."""
        return await asyncio.to_thread(self._get, ip, path)

    def _get(self, ip: str, path: str) -> Page:
        connection = http.client.HTTPConnection(ip, self._port, timeout=self._silence_seconds)
        try:
            connection.request("GET", path, headers={"Accept": "text/html"})
            response = connection.getresponse()
            body = response.read(BODY_BYTES)
            if response.length and len(body) < BODY_BYTES:
                raise ConnectionError(f"{response.length} bytes of the answer are missing")
            return Page(response.status, body.decode("utf-8", "replace"))
        except http.client.HTTPException as error:
            raise ConnectionError(f"no HTTP: {error!r}") from error
        finally:
            connection.close()
