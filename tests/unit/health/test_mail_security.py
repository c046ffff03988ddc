"""Mail goes over an encrypted connection to a server that proves its name, or not at all."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from allerac.appliance.certificate import CertificateFolder
from allerac.errors import Unavailable
from allerac.health.alerts import Mail
from allerac.health.alerts.channels import send_mail
from allerac.health.alerts.message import trial_alert

Security = Literal["starttls", "tls"]
ALERT = trial_alert(box="Kitchen", language="en", at=datetime(2026, 5, 1, tzinfo=UTC))


class Inbox:
    """Whether each mail that arrived had been encrypted."""

    def __init__(self) -> None:
        self.encrypted: list[bool] = []

    async def handle_DATA(self, server: SMTP, _session: Session, _envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        assert server.transport is not None
        self.encrypted.append(server.transport.get_extra_info("sslcontext") is not None)
        return "250 taken"


@pytest.fixture
def authority(tmp_path: Path) -> CertificateFolder:
    """The mail server's certificate, for its address."""
    made = CertificateFolder(tmp_path / "tls")
    made.ensure([], ["127.0.0.1"], datetime.now(UTC))
    return made


@pytest.fixture
def identity(authority: CertificateFolder) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    folder = authority.authority_file.parent
    context.load_cert_chain(folder / "box.crt", folder / "box.key")
    return context


@asynccontextmanager
async def mail_server(
    inbox: Inbox, identity: ssl.SSLContext, security: Security
) -> AsyncIterator[Mail]:
    begins_plain = security == "starttls"

    def serve() -> SMTP:
        context = identity if begins_plain else None
        return SMTP(inbox, tls_context=context, require_starttls=begins_plain)

    loop = asyncio.get_running_loop()
    server = await loop.create_server(serve, "127.0.0.1", 0, ssl=None if begins_plain else identity)
    try:
        yield Mail(
            host="127.0.0.1",
            port=server.sockets[0].getsockname()[1],
            security=security,
            sender="box@example.com",
            recipients=("ana@example.com",),
        )
    finally:
        server.close()


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_mail_is_encrypted(
    identity: ssl.SSLContext,
    authority: CertificateFolder,
    security: Security,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.authority_file))
    inbox = Inbox()
    async with mail_server(inbox, identity, security) as settings:
        await send_mail(settings, ALERT)
    assert inbox.encrypted == [True]


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_server_that_cannot_prove_its_name_gets_no_mail(
    identity: ssl.SSLContext, security: Security
) -> None:
    inbox = Inbox()
    async with mail_server(inbox, identity, security) as settings:
        with pytest.raises(Unavailable) as refused:
            await send_mail(settings, ALERT)
    assert "certificate" in refused.value.hint
    assert inbox.encrypted == []


async def test_a_server_that_offers_no_encryption_gets_no_mail() -> None:
    inbox = Inbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(inbox), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = Mail(
        host="127.0.0.1", port=port, sender="box@example.com", recipients=("ana@example.com",)
    )
    with pytest.raises(Unavailable):
        await send_mail(settings, ALERT)
    server.close()
    assert inbox.encrypted == []
