"""Who is calling, and whether such a caller may.

Every route declares one of the dependencies below; the authorisation matrix reads them back,
so that a route without one cannot exist.
"""

from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi.security import APIKeyCookie

from allerac.accounts import Principal
from allerac.errors import Forbidden, NotSignedIn

from .cookies import SESSION, SETUP
from .services import ServicesOf

BY_HTTP = APIKeyCookie(name=SESSION.plain, scheme_name="SessionByHttp", auto_error=False)
BY_HTTPS = APIKeyCookie(name=SESSION.secure, scheme_name="SessionByHttps", auto_error=False)


def anyone() -> None:
    """Open to every caller on the network."""


def setup_token(request: Request) -> str | None:
    """Return the proof, if any, that the claim code was typed on this device."""
    return SETUP.read(request)


def session_token(
    request: Request,
    by_http: Annotated[str | None, Depends(BY_HTTP)],
    by_https: Annotated[str | None, Depends(BY_HTTPS)],
) -> str | None:
    """Return the session, if any, of the scheme by which this request came."""
    return by_https if SESSION.name_for(request) == SESSION.secure else by_http


async def signed_in(
    services: ServicesOf, token: Annotated[str | None, Depends(session_token)]
) -> Principal:
    """Require a session; API keys do not open the box's own pages."""
    if not token:
        raise NotSignedIn("You are not signed in.", hint="Sign in to go on.")
    return await services.accounts.authenticate_session(token)


async def administrator(principal: Annotated[Principal, Depends(signed_in)]) -> Principal:
    """Require the owner or an admin."""
    if principal.person.role not in {"owner", "admin"}:
        raise Forbidden("Only the owner or an admin may do this.", hint="Ask them to do it.")
    return principal


async def owner(principal: Annotated[Principal, Depends(signed_in)]) -> Principal:
    """Require the owner."""
    if principal.person.role != "owner":
        raise Forbidden("Only the owner may do this.", hint="Ask them to do it.")
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
Owner = Annotated[Principal, Depends(owner)]
Program = Annotated[Principal, Depends(program)]
SetupToken = Annotated[str | None, Depends(setup_token)]

ACCESS = {
    anyone: "anyone",
    signed_in: "signed_in",
    member: "member",
    administrator: "administrator",
    owner: "owner",
    program: "program",
}
"""The dependency that opens a route, and its name in the authorisation matrix."""


def agent_of(request: Request) -> str:
    """Return the caller's User-Agent, shortened."""
    return request.headers.get("user-agent", "")[:200]


def address_of(request: Request) -> str:
    """Return the caller's address; behind the box's own proxy uvicorn has put it there."""
    return request.client.host if request.client else "local"
