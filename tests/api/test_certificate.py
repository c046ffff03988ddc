"""People get the authority that their devices shall trust, and can compare it."""

import hashlib
import ssl
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import httpx
from fastapi import FastAPI

from allerac.accounts import Passwords
from allerac.app import create_app
from allerac.appliance.certificate import CertificateFolder
from allerac.settings import Settings
from tests.unit.appliance.test_certificate import alternatives, certificate

from .conftest import claim

SECONDS = 60


def made(data_dir: Path) -> FastAPI:
    settings = Settings(data_dir=data_dir, announce=False)
    return create_app(settings, port=80, passwords=Passwords(memory_kib=64, passes=1))


def browser(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost")


async def test_authority_is_public_and_its_fingerprint_is_what_the_box_says(
    tmp_path: Path,
) -> None:
    CertificateFolder(tmp_path / "tls").ensure([], ["192.168.1.20"], datetime.now(UTC))
    app = made(tmp_path)
    async with app.router.lifespan_context(app), browser(app) as stranger:
        answer = await stranger.get("/ca.crt")
        assert answer.headers["content-type"] == "application/x-x509-ca-cert"
        await claim(stranger, app.state.services.onboarding.claim_code())
        told = (await stranger.get("/api/v1/box")).json()["certificate"]
    der = ssl.PEM_cert_to_DER_cert(answer.text)
    assert told["fingerprint"].replace(":", "").lower() == hashlib.sha256(der).hexdigest()
    assert datetime.fromisoformat(told["expires_at"]) > datetime.now(UTC)


async def test_box_without_a_certificate_says_so(tmp_path: Path) -> None:
    app = made(tmp_path)
    async with app.router.lifespan_context(app), browser(app) as stranger:
        assert (await stranger.get("/ca.crt")).status_code == 404
        await claim(stranger, app.state.services.onboarding.claim_code())
        assert (await stranger.get("/api/v1/box")).json()["certificate"] is None


def run_certificate(folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [
            *(sys.executable, "-m", "allerac", "certificate"),
            f"--data-dir={folder / 'data'}",
            f"--identity-dir={folder}",
        ],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def test_command_makes_a_certificate_once_for_the_names_that_the_factory_gave(
    tmp_path: Path,
) -> None:
    (tmp_path / "hostname-suffix").write_text("k7qm")
    first, second = run_certificate(tmp_path), run_certificate(tmp_path)
    assert (first.returncode, second.returncode) == (0, 0)
    assert first.stdout.startswith("A new certificate")
    assert not second.stdout.startswith("A new")
    assert "allerac-k7qm.local" in alternatives(certificate(tmp_path / "data"))[0]


def test_command_says_where_it_cannot_write(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("no folder")
    done = run_certificate(tmp_path)
    assert done.returncode == 1
    assert "certificate" in done.stderr
    assert "Traceback" not in done.stderr
