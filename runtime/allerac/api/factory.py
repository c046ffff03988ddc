"""What a unit in the factory tells the station; no part of the box's own API."""

from fastapi import APIRouter, Response

from .auth import Anyone
from .services import ServicesOf

router = APIRouter(tags=["factory"], dependencies=[Anyone], include_in_schema=False)


@router.get("/factory/certificate", operation_id="getBirthCertificate")
async def get_birth_certificate(services: ServicesOf) -> Response:
    """Hand out the certificate of a unit that is nobody's yet; its key has signed it."""
    return Response(await services.birth.content(), media_type="application/json")
