"""Nothing that is secret, and nobody who lives here, leaves in a support bundle."""

import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from allerac.health.support import Redactor, SupportService
from allerac.health.support.report import LINE_CHARACTERS
from tests.unit.health.planted_secrets import PLANTS, SEED, parts_of


def test_none_of_a_hundred_planted_secrets_leaves() -> None:
    dice = random.Random(SEED)  # noqa: S311 - a reproducible test, no secret
    left, count = [], 0
    for _ in range(6):
        for plant in PLANTS:
            line, secret = plant(dice)
            noise = f"{dice.randint(0, 10**6)} allerac[7]: "
            told = Redactor()(f"{noise}{line} end of line")
            count += 1
            if parts_of(secret, told):
                left.append((line, told))
    assert count >= 100
    assert left == []


@pytest.mark.parametrize(
    "line",
    [
        "engine_started model_id=qwen2.5-1.5b-instruct-q4_k_m seconds=3.2",
        "2026-11-21T10:00:00Z update 0.2.0 -> 0.3.0 good",
        "address 192.168.1.7 and fd00::7 on eth0",
        "disk /dev/nvme0n1 91 % full, 12 days left",
        "0190b1c4-7a1e-7c3f-9d2a-1f6f9b1f7c11 queued",
        "answer_done tokens=120 seconds=14.1 reading_tokens=900",
        "allerac.service: Main process exited, code=killed, status=9/KILL",
        "device (enp1s0): carrier: link connected",
        '*7 connect() failed, client: 192.168.1.9, request: "GET /api/v1/status HTTP/1.1"',
    ],
)
def test_what_a_helper_needs_stays(line: str) -> None:
    assert Redactor()(line) == line


def test_people_the_box_and_networks_are_nameless() -> None:
    redact = Redactor([("Ana", "person"), ("Ana Maria", "person"), ("Küche", "box")])
    assert redact("Ana Maria asked küche; Anatomy stays; ana left") == (
        "[person] asked [box]; Anatomy stays; [person] left"
    )


async def test_every_section_is_redacted_and_a_broken_one_is_told() -> None:
    async def log() -> Sequence[str]:
        return ["-----BEGIN KEY-----", "abc", "-----END KEY-----", "password=hunter22", "x" * 5000]

    async def settings() -> dict[str, object]:
        return {"smtp_password": "hunter22", "channel": "stable"}

    async def broken() -> Sequence[str]:
        raise OSError("password=hunter22")

    async def names() -> Sequence[tuple[str, str]]:
        return [("Ana", "person")]

    moment = datetime(2026, 11, 21, tzinfo=UTC)
    service = SupportService(
        {"log": log, "settings": settings, "disk": broken}, names, lambda: moment
    )
    report = await service.report()
    assert report.made_at == moment
    told = {section.name: section.lines for section in report.sections}
    assert told["log"][:2] == ("[private key]", "password=[secret]")
    assert len(told["log"][2]) == LINE_CHARACTERS
    assert told["settings"] == ("smtp_password: [secret]", "channel: stable")
    assert told["disk"] == ("not available: OSError",)
    assert "hunter22" not in json.dumps(told)
