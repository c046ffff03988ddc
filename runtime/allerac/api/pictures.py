"""Pictures sent with a message. No model sees them; they are shown to whoever sent them."""

from typing import Annotated

from fastapi import Path, Request
from fastapi.responses import FileResponse

from .auth import SignedIn
from .knowledge import SAFE_HEADERS, UPLOAD
from .routing import API, router_at
from .schemas import pictures as shape
from .services import ServicesOf

router = router_at(API, "pictures")

ClientId = Annotated[str, Path(min_length=1, max_length=64)]
PICTURE: dict[int | str, dict[str, object]] = {
    200: {"content": {f"image/{kind}": {} for kind in ("jpeg", "png", "gif", "webp")}}
}


@router.get("/conversations/{conversation_id}/pictures", operation_id="listPictures")
async def list_pictures(
    conversation_id: str, principal: SignedIn, services: ServicesOf
) -> shape.Pictures:
    """List the pictures that were sent in one's own conversation."""
    found = await services.pictures.of_conversation(principal.person.id, conversation_id)
    return shape.Pictures(items=[shape.Picture.model_validate(each) for each in found])


@router.post(
    "/conversations/{conversation_id}/pictures/{client_id}",
    operation_id="addPicture",
    status_code=201,
    openapi_extra=UPLOAD,
)
async def add_picture(
    conversation_id: str,
    client_id: ClientId,
    request: Request,
    principal: SignedIn,
    services: ServicesOf,
) -> shape.Picture:
    """Add the picture that is the body to the message that is then sent with `client_id`."""
    added = await services.pictures.add(
        principal.person.id, conversation_id, client_id, request.stream()
    )
    return shape.Picture.model_validate(added)


@router.get(
    "/pictures/{picture_id}",
    operation_id="showPicture",
    response_class=FileResponse,
    responses=PICTURE,
)
async def show_picture(picture_id: str, principal: SignedIn, services: ServicesOf) -> FileResponse:
    """Return a picture, without where and by whom it was taken."""
    kept = await services.pictures.get(principal.person.id, picture_id)
    return FileResponse(kept.path, media_type=f"image/{kept.kind}", headers=SAFE_HEADERS)
