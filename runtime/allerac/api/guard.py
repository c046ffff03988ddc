"""What every request passes before any handler sees it.

Host allow-list (DNS rebinding), Origin and Sec-Fetch-Site on state change (cross-site requests),
content type and size of the body; and the headers that every answer carries.
"""

from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from allerac.errors import AlleracError, Forbidden, InvalidInput, Misdirected, PayloadTooLarge

from .errors import error_response

MAX_BODY_BYTES = 16 * 1024 * 1024
"""A message of 1,000,000 characters, each escaped as a pair of `\\uXXXX`, has 12 MB."""

MAX_UPLOAD_BYTES = 200 * 1024 * 1024
UPLOADS = "/api/v1/knowledge/files"
"""Where documents are taken as they are; another site's page cannot send such a request unasked."""

CONVERSATIONS = "/api/v1/conversations/"
"""Where pictures are taken likewise."""

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "X-DNS-Prefetch-Control": "off",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}

HEADERS_BY_HTTPS = {"Cross-Origin-Opener-Policy": "same-origin"}
"""Browsers heed it only there, and complain about it by plain http (HTML, 7.1.3)."""


class RequestGuard:
    """ASGI middleware in front of the application.

    `is_own_host` tells whether a Host header (with or without port) names this box.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        is_own_host: Callable[[str], bool],
        max_body_bytes: int = MAX_BODY_BYTES,
        max_upload_bytes: int = MAX_UPLOAD_BYTES,
    ) -> None:
        self._app = app
        self._is_own_host = is_own_host
        self._max_body_bytes = max_body_bytes
        self._max_upload_bytes = max_upload_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        path = scope["path"]
        send = _with_headers(send, path, is_secure=scope["scheme"] == "https")
        try:
            self._check(scope)
        except AlleracError as error:
            await error_response(error, path)(scope, receive, send)
            return
        limit = self._max_upload_bytes if _is_upload(scope) else self._max_body_bytes
        await self._app(scope, _limited(receive, limit), send)

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._is_own_host(hosts[0]):
            raise Misdirected(
                "This is not the address of this box.",
                hint="Open the box by its own name or address.",
            )
        if scope["method"] not in SAFE_METHODS:
            _check_origin(headers, hosts[0])
            if _is_upload(scope):
                _check_body(headers, self._max_upload_bytes, DOCUMENTS)
            else:
                _check_body(headers, self._max_body_bytes, JSON)


def _is_upload(scope: Scope) -> bool:
    """Tell whether the body is a picture, or a document: to be added, or a new version of one."""
    method, path = scope["method"], scope["path"]
    if method == "POST" and path.startswith(CONVERSATIONS) and "/pictures/" in path:
        return True
    if method == "PUT":
        return bool(path.startswith(f"{UPLOADS}/") and path.endswith("/content"))
    return bool(method == "POST" and path == UPLOADS)


def _limited(receive: Receive, max_body_bytes: int) -> Receive:
    received = 0

    async def counted() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > max_body_bytes:
            raise _too_large()
        return message

    return counted


def _too_large() -> PayloadTooLarge:
    return PayloadTooLarge(
        "This is more than the box reads at once.", hint="Send a shorter text, or in parts."
    )


def _check_origin(headers: Headers, host: str) -> None:
    site = headers.get("sec-fetch-site", "same-origin")
    origin = headers.get("origin")
    same = origin is None or urlsplit(origin).netloc.lower() == host.lower()
    if not same or site not in {"same-origin", "none"}:
        raise Forbidden(
            "This request comes from another site.", hint="Open the box in its own window."
        )


JSON = ("application/json",)
DOCUMENTS = ("application/octet-stream", *JSON)


def _check_body(headers: Headers, max_body_bytes: int, expected: tuple[str, ...]) -> None:
    length = headers.get("content-length", "0")
    has_body = length != "0" or "transfer-encoding" in headers
    if not length.isdigit():
        raise InvalidInput("The length of the request is not a number.")
    if int(length) > max_body_bytes:
        raise _too_large()
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if has_body and kind not in expected:
        raise InvalidInput("The box reads JSON only.", hint=f"Send Content-Type: {expected[0]}.")


def _with_headers(send: Send, path: str, *, is_secure: bool) -> Send:
    private = path.startswith(("/api/", "/v1/"))
    own = {**HEADERS, **(HEADERS_BY_HTTPS if is_secure else {})}

    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in own.items():
                headers[name] = value
            if private and "cache-control" not in headers:
                headers["Cache-Control"] = "no-store"
        await send(message)

    return wrapped
