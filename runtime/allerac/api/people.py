"""The household: people, invitations, API keys."""

from fastapi import Request, Response

from .auth import Administrator, Anyone, Member, SignedIn, address_of, agent_of
from .qr import qr_svg
from .routing import API, router_at
from .schemas import accounts as shape
from .services import ServicesOf
from .session import begin_session

router = router_at(API, "people")


@router.get("/people", operation_id="listPeople")
async def list_people(_: Member, services: ServicesOf) -> shape.PersonList:
    """List the household."""
    people = await services.accounts.list_people()
    return shape.PersonList(items=[shape.Person.model_validate(person) for person in people])


@router.patch("/people/{person_id}", operation_id="updatePerson")
async def update_person(
    person_id: str, body: shape.UpdatePerson, principal: Administrator, services: ServicesOf
) -> shape.Person:
    """Change a person's role or name, or switch the account off."""
    person = await services.accounts.update_person(
        principal, person_id, name=body.name, role=body.role, disabled=body.disabled
    )
    return shape.Person.model_validate(person)


@router.delete("/people/{person_id}", operation_id="deletePerson", status_code=204)
async def delete_person(person_id: str, principal: Administrator, services: ServicesOf) -> None:
    """Remove a person with all that is theirs."""
    await services.accounts.delete_person(principal, person_id)


@router.get("/invitations", operation_id="listInvitations")
async def list_invitations(_: Administrator, services: ServicesOf) -> shape.InvitationList:
    """List invitations that still count."""
    items = await services.accounts.list_invitations()
    return shape.InvitationList(items=[shape.InvitationItem.model_validate(item) for item in items])


@router.post("/invitations", operation_id="createInvitation", status_code=201)
async def create_invitation(
    body: shape.CreateInvitation, request: Request, principal: Administrator, services: ServicesOf
) -> shape.InvitationLink:
    """Invite somebody by a link that works once."""
    created = await services.accounts.invite(principal, role=body.role)
    url = f"{request.url.scheme}://{request.headers['host']}/join/{created.token}"
    return shape.InvitationLink(
        id=created.invitation.id,
        role=created.invitation.role,
        expires_at=created.invitation.expires_at,
        url=url,
        qr_svg=qr_svg(url),
    )


@router.delete("/invitations/{invitation_id}", operation_id="revokeInvitation", status_code=204)
async def revoke_invitation(
    invitation_id: str, principal: Administrator, services: ServicesOf
) -> None:
    """Take an invitation back."""
    await services.accounts.revoke_invitation(principal, invitation_id)


@router.get("/join/{token}", operation_id="readInvitation", dependencies=[Anyone])
async def read_invitation(token: str, services: ServicesOf) -> shape.InvitationView:
    """Say who invites, to what role."""
    return shape.InvitationView.model_validate(await services.accounts.read_invitation(token))


@router.post(
    "/join/{token}", operation_id="acceptInvitation", status_code=201, dependencies=[Anyone]
)
async def accept_invitation(
    token: str,
    body: shape.AcceptInvitation,
    request: Request,
    response: Response,
    services: ServicesOf,
) -> shape.SessionWithRecovery:
    """Join the household; the invitation is used up."""
    accepted = await services.accounts.accept_invitation(
        token,
        name=body.name,
        password=body.password,
        language=body.language,
        agent=agent_of(request),
        address=address_of(request),
    )
    await begin_session(request, response, services, accepted)
    return shape.SessionWithRecovery.model_validate(accepted)


@router.get("/api-keys", operation_id="listApiKeys")
async def list_api_keys(principal: SignedIn, services: ServicesOf) -> shape.ApiKeyList:
    """List one's own keys; never the keys themselves."""
    items = await services.accounts.list_api_keys(principal.person.id)
    return shape.ApiKeyList(items=[shape.ApiKeyItem.model_validate(item) for item in items])


@router.post("/api-keys", operation_id="createApiKey", status_code=201)
async def create_api_key(
    body: shape.CreateApiKey, principal: Member, services: ServicesOf
) -> shape.ApiKeyCreated:
    """Make a key for a program; it is shown this once."""
    record, key = await services.accounts.create_api_key(principal.person.id, body.name)
    item = shape.ApiKeyItem.model_validate(record)
    return shape.ApiKeyCreated(**item.model_dump(), key=key)


@router.delete("/api-keys/{key_id}", operation_id="revokeApiKey", status_code=204)
async def revoke_api_key(key_id: str, principal: SignedIn, services: ServicesOf) -> None:
    """End a key at once."""
    await services.accounts.revoke_api_key(principal.person.id, key_id)
