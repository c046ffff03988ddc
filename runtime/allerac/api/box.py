"""The box itself, and what a stranger may know of it."""

from .auth import Administrator, Anyone, SignedIn
from .qr import qr_svg
from .routing import API, router_at
from .schemas import box as shape
from .services import Services, ServicesOf

router = router_at(API, "box")


@router.get("/status", operation_id="getStatus", dependencies=[Anyone])
async def get_status(services: ServicesOf) -> shape.Status:
    """Tell whether the box is claimed, and how it speaks."""
    return shape.Status.model_validate(await services.box.status())


async def _box(services: Services) -> shape.Box:
    facts = await services.box.facts()
    return shape.Box.model_validate(
        {
            **facts,
            "qr_svg": qr_svg(facts["url"]),
            "ssh_open_until": services.ssh.open_until(),
        }
    )


@router.get("/box", operation_id="getBox")
async def get_box(_: SignedIn, services: ServicesOf) -> shape.Box:
    """Tell the box's name, addresses, version and state."""
    return await _box(services)


@router.patch("/box", operation_id="updateBox")
async def update_box(body: shape.UpdateBox, _: Administrator, services: ServicesOf) -> shape.Box:
    """Rename the box or move it to another time zone."""
    await services.box.update(name=body.name, time_zone=body.time_zone)
    return await _box(services)


@router.get("/box/hardware", operation_id="getHardware")
async def get_hardware(_: SignedIn, services: ServicesOf) -> shape.Hardware:
    """Tell what machine this is and which profile it runs."""
    return shape.Hardware.model_validate(services.box.hardware())


@router.get("/box/nearby", operation_id="listNearbyBoxes")
async def list_nearby(_: SignedIn, services: ServicesOf) -> shape.NearbyBoxList:
    """List other boxes seen on this network."""
    items = [shape.NearbyBox.model_validate(item) for item in services.box.nearby()]
    return shape.NearbyBoxList(items=items)
