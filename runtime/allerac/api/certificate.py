"""What a device installs to trust the box by HTTPS."""

from fastapi.responses import FileResponse

from .auth import Anyone
from .routing import router_at
from .services import ServicesOf

AUTHORITY_TYPE = "application/x-x509-ca-cert"
"""What Android, iOS, Windows and Firefox take for a certificate authority."""

router = router_at("", "box", dependencies=[Anyone])


@router.get(
    "/ca.crt",
    operation_id="getAuthority",
    response_class=FileResponse,
    responses={200: {"content": {AUTHORITY_TYPE: {}}, "description": "Certificate in PEM"}},
)
async def get_authority(services: ServicesOf) -> FileResponse:
    """Hand out the box's own certificate authority; it is no secret."""
    file = services.box.authority_file()
    return FileResponse(file, media_type=AUTHORITY_TYPE, headers={"Cache-Control": "no-cache"})
