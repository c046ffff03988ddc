"""Is the runtime alive; can it do its job."""

from fastapi import Response

from .auth import Anyone
from .routing import router_at
from .services import ServicesOf

router = router_at("", "probes", dependencies=[Anyone])


@router.get("/healthz", operation_id="getHealth")
async def healthz() -> dict[str, str]:
    """Answer as long as the event loop turns."""
    return {"status": "ok"}


@router.get("/readyz", operation_id="getReadiness")
async def readyz(response: Response, services: ServicesOf) -> dict[str, bool]:
    """Tell whether database, engine and disk are ready; 503 when one is not."""
    parts = await services.box.readiness()
    if not all(parts.values()):
        response.status_code = 503
    return parts
