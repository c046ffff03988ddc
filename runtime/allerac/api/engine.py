"""The engine: how fast models are here, and how well waits were estimated."""

from .auth import SignedIn
from .routing import API, router_at
from .schemas import engine as shape
from .services import ServicesOf

router = router_at(f"{API}/engine", "engine")


@router.get("/speed", operation_id="getEngineSpeed")
async def get_speed(_: SignedIn, services: ServicesOf) -> shape.SpeedRecord:
    """Tell the measured speed of each model and how far off the estimates were."""
    return shape.SpeedRecord.model_validate(await services.speeds.record())
