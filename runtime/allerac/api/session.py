"""Signing in and out, recovery, the caller's own account."""

from fastapi import Request, Response

from allerac.accounts import SignedIn as NewSession
from allerac.errors import NotFound

from .auth import Anyone, SignedIn, address_of, agent_of
from .cookies import SESSION
from .routing import API, router_at
from .schemas import accounts as shape
from .services import Services, ServicesOf

router = router_at(API, "session")


async def begin_session(
    request: Request, response: Response, services: Services, signed: NewSession
) -> None:
    """Give the browser its new session; the one that it held before ends."""
    await services.accounts.forget(SESSION.read(request))
    SESSION.set(request, response, signed.token)


@router.post("/session", operation_id="signIn", status_code=201, dependencies=[Anyone])
async def sign_in(
    body: shape.SignIn, request: Request, response: Response, services: ServicesOf
) -> shape.SessionView:
    """Sign in with name and password."""
    signed = await services.accounts.sign_in(
        body.name, body.password, agent=agent_of(request), address=address_of(request)
    )
    await begin_session(request, response, services, signed)
    return shape.SessionView.model_validate(signed)


@router.get("/session", operation_id="getSession")
async def get_session(
    request: Request, response: Response, principal: SignedIn
) -> shape.SessionView:
    """Tell who is signed in; the browser keeps its session as long as the box does."""
    token = SESSION.read(request)
    if token is not None:
        SESSION.set(request, response, token)
    return shape.SessionView.model_validate(principal)


@router.delete("/session", operation_id="signOut", status_code=204)
async def sign_out(
    request: Request, response: Response, principal: SignedIn, services: ServicesOf
) -> None:
    """End this session, and by https the one that this browser has by http too."""
    if principal.session_id is None:
        raise NotFound("There is no session to end.")
    await services.accounts.sign_out(principal.person.id, principal.session_id)
    for token in SESSION.all_of(request):
        await services.accounts.forget(token)
    SESSION.delete(request, response)


@router.post("/session/recovery", operation_id="recover", status_code=201, dependencies=[Anyone])
async def recover(
    body: shape.Recover, request: Request, response: Response, services: ServicesOf
) -> shape.SessionWithRecovery:
    """Set a new password with the recovery code; every other session ends."""
    recovered = await services.accounts.recover(
        body.name,
        body.recovery_code,
        body.new_password,
        agent=agent_of(request),
        address=address_of(request),
    )
    await begin_session(request, response, services, recovered)
    return shape.SessionWithRecovery.model_validate(recovered)


@router.get("/sessions", operation_id="listSessions")
async def list_sessions(principal: SignedIn, services: ServicesOf) -> shape.SessionList:
    """List where this person is signed in."""
    records = await services.accounts.list_sessions(principal.person.id)
    items = [
        shape.SessionItem(
            id=record.id,
            agent=record.agent,
            address=record.address,
            created_at=record.created_at,
            last_seen_at=record.last_seen_at,
            current=record.id == principal.session_id,
        )
        for record in records
    ]
    return shape.SessionList(items=items)


@router.delete("/sessions", operation_id="signOutEverywhere", status_code=204)
async def sign_out_everywhere(principal: SignedIn, services: ServicesOf) -> None:
    """End every other session of this person."""
    await services.accounts.sign_out_everywhere(principal.person.id, keep=principal.session_id)


@router.delete("/sessions/{session_id}", operation_id="endSession", status_code=204)
async def end_session(session_id: str, principal: SignedIn, services: ServicesOf) -> None:
    """End one session of this person."""
    await services.accounts.end_session(principal.person.id, session_id)


@router.patch("/me", operation_id="updateMe")
async def update_me(
    body: shape.UpdateMe, principal: SignedIn, services: ServicesOf
) -> shape.Person:
    """Change one's own name or language."""
    person = await services.accounts.update_person(
        principal, principal.person.id, name=body.name, language=body.language
    )
    return shape.Person.model_validate(person)


@router.put("/me/password", operation_id="changePassword", status_code=204)
async def change_password(
    body: shape.ChangePassword, principal: SignedIn, services: ServicesOf
) -> None:
    """Change one's own password; every other session ends."""
    await services.accounts.change_password(
        principal.person.id,
        body.current_password,
        body.new_password,
        keep_session=principal.session_id,
    )


@router.post("/me/recovery-code", operation_id="newRecoveryCode", status_code=201)
async def new_recovery_code(
    body: shape.PasswordOnly, principal: SignedIn, services: ServicesOf
) -> shape.RecoveryCodeView:
    """Replace the recovery code; the old one stops working."""
    code = await services.accounts.new_recovery_code(principal.person.id, body.password)
    return shape.RecoveryCodeView(recovery_code=code)


@router.post("/password-strength", operation_id="checkPassword", dependencies=[Anyone])
async def check_password(body: shape.PasswordCheck, services: ServicesOf) -> shape.PasswordStrength:
    """Say how well a password would hold; nothing is kept."""
    names = [body.name] if body.name else []
    strength = services.accounts.check_password(body.password, names=names)
    return shape.PasswordStrength.model_validate(strength)
