"""Updates: what there is, when it comes, and the way back."""

from collections.abc import AsyncIterator

from fastapi.responses import StreamingResponse

from allerac.updates import UpdateStatus

from .auth import Administrator
from .routing import API, router_at
from .schemas import updates as shape
from .services import ServicesOf
from .sse import EVENT_STREAM_HEADERS, with_pings

router = router_at(f"{API}/updates", "updates")


def _view(status: UpdateStatus) -> shape.Updates:
    return shape.Updates.model_validate(status)


async def _frames(changes: AsyncIterator[UpdateStatus]) -> AsyncIterator[str]:
    async for status in changes:
        yield f"event: updates\ndata: {_view(status).model_dump_json()}\n\n"


@router.get("", operation_id="getUpdates")
async def get_updates(_: Administrator, services: ServicesOf) -> shape.Updates:
    """Tell what is installed, what there is, and how far it is."""
    return _view(await services.updates.status())


@router.get("/history", operation_id="listUpdateHistory")
async def list_update_history(_: Administrator, services: ServicesOf) -> shape.UpdateHistory:
    """List the last updates, the newest first."""
    items = [shape.PastUpdate.model_validate(past) for past in await services.updates.history()]
    return shape.UpdateHistory(items=items)


@router.get(
    "/events",
    operation_id="streamUpdates",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}},
)
async def stream_updates(principal: Administrator, services: ServicesOf) -> StreamingResponse:
    """Follow what `getUpdates` tells: now, and after every change."""
    frames = _frames(services.updates.changes())
    watched = services.accounts.while_signed_in(principal, frames)
    return StreamingResponse(
        with_pings(watched), media_type="text/event-stream", headers=EVENT_STREAM_HEADERS
    )


@router.post("/check", operation_id="checkForUpdates")
async def check_for_updates(_: Administrator, services: ServicesOf) -> shape.Updates:
    """Ask the update server now."""
    return _view(await services.updates.check())


@router.post("/install", operation_id="installUpdate", status_code=202)
async def install_update(_: Administrator, services: ServicesOf) -> shape.Updates:
    """Begin to install what is available; the box stays in use."""
    return _view(await services.updates.install())


@router.post("/restart", operation_id="restartIntoUpdate", status_code=202)
async def restart_into_update(_: Administrator, services: ServicesOf) -> shape.Updates:
    """Restart now into what is installed."""
    return _view(await services.updates.restart())


@router.post("/go-back", operation_id="goBackToVersionBefore", status_code=202)
async def go_back(_: Administrator, services: ServicesOf) -> shape.Updates:
    """Restart now into the version before."""
    return _view(await services.updates.go_back())


@router.post("/postpone", operation_id="postponeUpdates")
async def postpone_updates(
    body: shape.PostponeUpdates, _: Administrator, services: ServicesOf
) -> shape.Updates:
    """Let nothing happen by itself before a time."""
    return _view(await services.updates.postpone(body.until))


@router.post("/pin", operation_id="pinVersion")
async def pin_version(
    body: shape.PinVersion, _: Administrator, services: ServicesOf
) -> shape.Updates:
    """Go no further than a version."""
    return _view(await services.updates.pin(body.version))


@router.patch("/settings", operation_id="changeUpdateSettings")
async def change_update_settings(
    body: shape.ChangeUpdateSettings, _: Administrator, services: ServicesOf
) -> shape.Updates:
    """Choose the channel, the quiet hour, and whether updates come by themselves."""
    await services.box.choose_updates(automatic=body.automatic, hour=body.hour)
    if body.channel is not None:
        await services.updates.choose_channel(body.channel)
    services.updates.look()
    return _view(await services.updates.status())


@router.get("/usb", operation_id="listDriveBundles")
async def list_drive_bundles(_: Administrator, services: ServicesOf) -> shape.DriveBundleList:
    """List update files on drives that are plugged in."""
    bundles = await services.updates.drive_bundles()
    items = [shape.DriveBundle.model_validate(bundle) for bundle in bundles]
    return shape.DriveBundleList(items=items)


@router.post("/usb", operation_id="installFromDrive", status_code=202)
async def install_from_drive(
    body: shape.InstallFromDrive, _: Administrator, services: ServicesOf
) -> shape.Updates:
    """Begin to install an update file of a drive."""
    return _view(await services.updates.install_from_drive(body.name))
