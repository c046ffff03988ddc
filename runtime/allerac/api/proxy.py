"""Who asks and how, behind the box's own proxy."""

from ipaddress import ip_address

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send


class ProxyHeaders:
    """ASGI middleware for a runtime that only the proxy reaches, by a Unix socket.

    Believes the last entry of X-Forwarded-For, which the proxy wrote; those before it are the
    caller's own words. uvicorn's middleware, which trusts by address, believes the first where the
    peer has none.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            scope["client"] = _client(headers)
            scope["scheme"] = "https" if _last(headers, "x-forwarded-proto") == "https" else "http"
        await self._app(scope, receive, send)


def _last(headers: Headers, name: str) -> str:
    return ",".join(headers.getlist(name)).rpartition(",")[2].strip()


def _client(headers: Headers) -> tuple[str, int] | None:
    try:
        return str(ip_address(_last(headers, "x-forwarded-for"))), 0
    except ValueError:
        return None
