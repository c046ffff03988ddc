"""Figures for Prometheus, and the middleware that counts requests."""

import time
from collections.abc import Callable
from typing import Final

from fastapi import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from allerac.health import CONTENT_TYPE, Metrics

from .auth import Program
from .routing import router_at
from .services import ServicesOf

router = router_at("", "metrics")

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNROUTED: Final = "other"


@router.get("/metrics", operation_id="getMetrics", response_class=Response)
async def metrics(_: Program, services: ServicesOf) -> Response:
    """Return everything in Prometheus' form; Prometheus sends an API key as its credentials."""
    return Response(services.metrics.text(), media_type=CONTENT_TYPE)


class RequestMeter:
    """ASGI middleware; knows a request by its operation, so that no address with ids is kept."""

    def __init__(
        self, app: ASGIApp, *, metrics: Metrics, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the request when its answer begins."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = self._clock()

        async def watch(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "operation_id", None) or UNROUTED
                method = scope["method"] if scope["method"] in METHODS else UNROUTED
                self._metrics.request(method, route, message["status"], self._clock() - began)
            await send(message)

        await self._app(scope, receive, watch)
