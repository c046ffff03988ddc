"""What a browser keeps of the box: its session, and on a new box its way through the wizard.

Each has a name for https and one for plain http. A browser that keeps a `Secure` cookie refuses
one of the same name from a page without encryption (RFC 6265bis, section 5.7), and with
one name for both whoever came by https once could not sign in by http again. The prefixes
`__Host-` and `__Secure-` (section 4.1.3) keep that page from planting one that counts by https.
"""

from dataclasses import dataclass
from typing import Any, Literal

from fastapi import Request, Response


@dataclass(frozen=True, slots=True)
class CookieOfScheme:
    """A cookie that scripts cannot read, by its two names; `path` is where it is sent.

    A browser keeps it for `days` from when it gets it, None: until it is closed. It is told an age
    and no date, because the box's clock may be years from the browser's.
    """

    plain: str
    secure: str
    path: str
    samesite: Literal["lax", "strict"]
    days: int | None

    def name_for(self, request: Request) -> str:
        """Return the name that counts for a request."""
        return self.secure if _is_secure(request) else self.plain

    def read(self, request: Request) -> str | None:
        """Return what the browser keeps for the way it came."""
        return request.cookies.get(self.name_for(request))

    def all_of(self, request: Request) -> list[str]:
        """Return what the browser sent under either name; by http it keeps the secure one back."""
        names = (self.plain, self.secure)
        return [request.cookies[name] for name in names if name in request.cookies]

    def set(self, request: Request, response: Response, value: str) -> None:
        """Have the browser keep `value`."""
        attributes = self._attributes(secure=_is_secure(request))
        max_age = None if self.days is None else self.days * 86400
        response.set_cookie(self.name_for(request), value, max_age=max_age, **attributes)

    def delete(self, request: Request, response: Response) -> None:
        """Have the browser forget what this page may touch: by https both, by http the plain."""
        response.delete_cookie(self.plain, **self._attributes(secure=False))
        if _is_secure(request):
            response.delete_cookie(self.secure, **self._attributes(secure=True))

    def _attributes(self, *, secure: bool) -> dict[str, Any]:
        return {"path": self.path, "samesite": self.samesite, "httponly": True, "secure": secure}


SESSION = CookieOfScheme("allerac_session", "__Host-allerac_session", "/", "lax", 30)
"""As long as an idle session lasts; a link from elsewhere to the box opens it signed in."""

SETUP = CookieOfScheme(
    "allerac_setup", "__Secure-allerac_setup", "/api/v1/onboarding", "strict", None
)
"""That the claim code was proven on this device; ends with the browser."""


def _is_secure(request: Request) -> bool:
    return request.url.scheme == "https"
