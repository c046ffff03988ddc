"""What a unit in the factory tells the station; no part of the box's own API."""

from fastapi import Response

from .auth import Anyone
from .routing import API, router_at
from .services import ServicesOf

router = router_at(API, "factory", dependencies=[Anyone])


@router.get("/factory/certificate", operation_id="getBirthCertificate", include_in_schema=False)
async def get_birth_certificate(services: ServicesOf) -> Response:
    """Hand out the certificate of a unit that is nobody's yet; its key has signed it."""
    return Response(await services.birth.content(), media_type="application/json")
