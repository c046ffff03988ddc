"""The application over HTTP: routers, guards and the lifespan around the runtime."""

import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI

from allerac import __version__
from allerac.accounts import Passwords
from allerac.api import (
    alerts,
    assistants,
    box,
    certificate,
    conversations,
    engine,
    factory,
    generations,
    health,
    knowledge,
    knowledge_folders,
    metrics,
    models,
    onboarding,
    openai,
    people,
    pictures,
    probes,
    remote_models,
    session,
    ssh,
    updates,
)
from allerac.api.errors import install_error_handlers
from allerac.api.guard import RequestGuard
from allerac.api.metrics import RequestMeter
from allerac.api.proxy import ProxyHeaders
from allerac.api.routing import add_routes
from allerac.api.web import serve_web_application
from allerac.app.runtime import Runtime
from allerac.network.hosts import HostAllowList
from allerac.settings import Settings

ROUTERS = (
    engine,
    session,
    people,
    onboarding,
    box,
    ssh,
    updates,
    models,
    remote_models,
    conversations,
    pictures,
    generations,
    knowledge,
    knowledge_folders,
    assistants,
    alerts,
    health,
    factory,
    openai,
    probes,
    metrics,
    certificate,
)


def create_app(settings: Settings, *, port: int, passwords: Passwords | None = None) -> FastAPI:
    """Return the application; it starts and stops with its lifespan."""
    runtime = Runtime(settings, port=port, passwords=passwords)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await runtime.start()
        try:
            yield
        finally:
            await runtime.stop()

    app = FastAPI(
        title="Allerac",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.services = runtime.services
    app.state.runtime = runtime
    install_error_handlers(app)
    for module in ROUTERS:
        add_routes(app, module.router)
    serve_web_application(app, settings.web_dir)
    hosts = HostAllowList(
        names=runtime.presence.host_names,
        addresses=lambda: [place.ip for place in runtime.presence.places()],
        extra=settings.extra_hosts,
    )
    app.add_middleware(RequestGuard, is_own_host=hosts)
    app.add_middleware(RequestMeter, metrics=runtime.services.metrics)
    if settings.socket is not None:
        app.add_middleware(ProxyHeaders)
    return app


def openapi_document(settings: Settings) -> dict[str, object]:
    """Return the OpenAPI document of the whole application."""
    app = create_app(settings.model_copy(update={"announce": False}), port=80)
    document: dict[str, object] = app.openapi()
    return document
