"""Behind the box's proxy, who asks is what the proxy says and nothing that the caller says."""

import pytest
from starlette.types import Message, Receive, Scope, Send

from allerac.api.proxy import ProxyHeaders

Header = tuple[bytes, bytes]
FOR, PROTO = b"x-forwarded-for", b"x-forwarded-proto"


async def seen(*headers: Header) -> Scope:
    """Return the scope that the application gets from a peer without an address."""
    scopes: list[Scope] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        scopes.append(scope)

    async def receive() -> Message:
        raise AssertionError

    async def send(_: Message) -> None:
        raise AssertionError

    scope = {"type": "http", "client": None, "scheme": "http", "headers": list(headers)}
    await ProxyHeaders(app)(scope, receive, send)
    return scopes[0]


@pytest.mark.parametrize(
    ("values", "client"),
    [
        ([b"192.168.1.7"], "192.168.1.7"),
        ([b"fd00::7"], "fd00::7"),
        ([b"10.0.0.1, 192.168.1.7"], "192.168.1.7"),
        ([b"10.0.0.1", b"192.168.1.7"], "192.168.1.7"),
        ([b"192.168.1.7, 10.0.0.1,"], None),
        ([b"unix:"], None),
        ([b"'; drop table"], None),
        ([b""], None),
        ([], None),
    ],
)
async def test_only_the_last_hop_is_believed(values: list[bytes], client: str | None) -> None:
    scope = await seen(*[(FOR, value) for value in values])
    assert (scope["client"] or (None,))[0] == client


@pytest.mark.parametrize(
    ("values", "scheme"),
    [
        ([b"https"], "https"),
        ([b"http"], "http"),
        ([b"https", b"http"], "http"),
        ([b"https, http"], "http"),
        ([b"javascript"], "http"),
        ([], "http"),
    ],
)
async def test_scheme_is_what_the_proxy_speaks(values: list[bytes], scheme: str) -> None:
    scope = await seen(*[(PROTO, value) for value in values])
    assert scope["scheme"] == scheme
