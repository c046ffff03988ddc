"""SSH of the box, which only its owner opens."""

from fastapi import Request

from allerac.accounts import Principal
from allerac.storage.ssh import SshActor

from .auth import Owner, address_of, agent_of
from .routing import API, router_at
from .schemas import ssh as shape
from .services import ServicesOf

router = router_at(f"{API}/box/ssh", "box")


def _actor(principal: Principal, request: Request) -> SshActor:
    return SshActor(principal.person.name, address_of(request), agent_of(request))


@router.get("", operation_id="getSsh")
async def get_ssh(_: Owner, services: ServicesOf) -> shape.Ssh:
    """Tell whether SSH is open, who is let in, and what was done."""
    return shape.Ssh.model_validate(await services.ssh.status())


@router.post("/keys", operation_id="addSshKey", status_code=201)
async def add_ssh_key(
    body: shape.AddSshKey, owner: Owner, request: Request, services: ServicesOf
) -> shape.SshKey:
    """Let the owner of a public key in while SSH is open."""
    return shape.SshKey.model_validate(await services.ssh.add_key(body.key, _actor(owner, request)))


@router.delete("/keys/{ssh_key_id}", operation_id="removeSshKey", status_code=204)
async def remove_ssh_key(
    ssh_key_id: str, owner: Owner, request: Request, services: ServicesOf
) -> None:
    """Forget a key; SSH closes if it is open."""
    await services.ssh.remove_key(ssh_key_id, _actor(owner, request))


@router.post("/open", operation_id="openSsh")
async def open_ssh(
    body: shape.OpenSsh, owner: Owner, request: Request, services: ServicesOf
) -> shape.Ssh:
    """Open SSH for some hours."""
    return shape.Ssh.model_validate(await services.ssh.open(body.hours, _actor(owner, request)))


@router.post("/close", operation_id="closeSsh")
async def close_ssh(owner: Owner, request: Request, services: ServicesOf) -> shape.Ssh:
    """Close SSH now, and end what is going on there."""
    return shape.Ssh.model_validate(await services.ssh.close(_actor(owner, request)))
