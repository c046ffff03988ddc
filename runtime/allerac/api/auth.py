"""Who is calling, and whether such a caller may.

Every route declares one of the dependencies below; the authorisation matrix reads them back,
so that a route without one cannot exist.
"""

from datetime import datetime
from typing import Annotated

from fastapi import Cookie, Depends, Header, Request, Response

from allerac.accounts import Principal
from allerac.errors import Forbidden, NotSignedIn

from .services import ServicesOf

SESSION_COOKIE = "allerac_session"
SETUP_COOKIE = "allerac_setup"


def anyone() -> None:
    """Open to every caller on the network."""


async def signed_in(
    services: ServicesOf, allerac_session: Annotated[str | None, Cookie()] = None
) -> Principal:
    """Require a session; API keys do not open the box's own pages."""
    if not allerac_session:
        raise NotSignedIn("You are not signed in.", hint="Sign in to go on.")
    return await services.accounts.authenticate_session(allerac_session)


async def administrator(principal: Annotated[Principal, Depends(signed_in)]) -> Principal:
    """Require the owner or an admin."""
    if principal.person.role not in {"owner", "admin"}:
        raise Forbidden("Only the owner or an admin may do this.", hint="Ask them to do it.")
    return principal


async def member(principal: Annotated[Principal, Depends(signed_in)]) -> Principal:
    """Require a member of the household; guests may not."""
    if principal.person.role == "guest":
        raise Forbidden("Guests may not do this.", hint="Ask the owner for a full account.")
    return principal


async def program(
    services: ServicesOf, authorization: Annotated[str | None, Header()] = None
) -> Principal:
    """Require an API key as `Authorization: Bearer alr_…`."""
    scheme, _, key = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise NotSignedIn(
            "This address needs an API key.", hint="Make one under People → Keys and send it."
        )
    return await services.accounts.authenticate_key(key.strip())


Anyone = Depends(anyone)
SignedIn = Annotated[Principal, Depends(signed_in)]
Member = Annotated[Principal, Depends(member)]
Administrator = Annotated[Principal, Depends(administrator)]
Program = Annotated[Principal, Depends(program)]
SetupToken = Annotated[str | None, Cookie(alias=SETUP_COOKIE)]

ACCESS = {
    anyone: "anyone",
    signed_in: "signed_in",
    member: "member",
    administrator: "administrator",
    program: "program",
}
"""The dependency that opens a route, and its name in the authorisation matrix."""


def set_session(request: Request, response: Response, token: str, expires_at: datetime) -> None:
    """Give the browser its session; scripts cannot read it."""
    response.set_cookie(
        SESSION_COOKIE,
        token,
        expires=expires_at,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
        path="/",
    )


def set_setup(request: Request, response: Response, token: str) -> None:
    """Remember on this device that the claim code was proven; ends with the browser."""
    response.set_cookie(
        SETUP_COOKIE,
        token,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
        path="/api/v1/onboarding",
    )


def agent_of(request: Request) -> str:
    """Return the caller's User-Agent, shortened."""
    return request.headers.get("user-agent", "")[:200]


def address_of(request: Request) -> str:
    """Return the caller's address; behind the box's own proxy uvicorn has put it there."""
    return request.client.host if request.client else "local"
