"""A running box that is claimed, with the owner's browser and a program's key."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.running_box import RunningBox

_STEPS: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("PUT", "onboarding/language", {"language": "en"}),
    ("PUT", "onboarding/owner", {"name": "Ana", "password": "three quiet lanterns"}),
    ("PUT", "onboarding/recovery-saved", {}),
    ("PUT", "onboarding/box", {"name": "Kitchen", "time_zone": "UTC"}),
    ("PUT", "onboarding/model", {"model_id": "allerac-demo", "download": False}),
    ("PUT", "onboarding/privacy", {"automatic_updates": True, "update_hour": 3}),
    ("POST", "onboarding/finish", {}),
    ("POST", "api-keys", {"name": "program"}),
)


@contextmanager
def claimed_program(box: RunningBox) -> Iterator[tuple[httpx.Client, str]]:
    """Claim `box`; yields the owner's browser, signed in, and the key of a program."""
    made = ""
    with httpx.Client(base_url=f"{box.url}/api/v1/") as browser:
        claim = ("POST", "onboarding/claim", {"code": box.claim_code})
        for method, path, body in (_STEPS[0], claim, *_STEPS[1:]):
            response = browser.request(method, path, json=body)
            response.raise_for_status()
            made = response.json().get("key", "")
        yield browser, made
