"""A box that somebody reaches over its network, and what a person does with it there."""

import time
from abc import ABC, abstractmethod
from typing import Any

PASSWORD = "three quiet lanterns"  # noqa: S105 - made up
START_SECONDS = 600
"""From power to the wizard takes 2 to 4 minutes on an idle core; neighbours make it longer."""

NAME_SECONDS = 60
API = "/api/v1"


class VisitedBox(ABC):
    """What is asked of it goes to `address`."""

    address: str

    @abstractmethod
    def ask(self, do: str, **order: Any) -> Any:
        """Give an order to somebody on its network (see visitor.py)."""

    def request(self, method: str, path: str, **order: Any) -> dict[str, Any]:
        """Ask as a program that knows the address."""
        url = f"http://{self.address}{path}"
        answer: dict[str, Any] = self.ask("request", method=method, url=url, **order)
        return answer

    def page(self, path: str, host: str) -> dict[str, Any]:
        """Ask as a browser that found the box under `host`."""
        return self.request("GET", path, headers={"Host": host, "Accept": "text/html"})

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call the API, which has to say yes; returns the body of its answer."""
        answer = self.request(method, API + path, json=body)
        assert 200 <= answer["status"] < 300, answer
        return answer["body"]

    def wait_ready(self) -> None:
        """Wait until a model is loaded."""
        deadline = time.monotonic() + START_SECONDS
        while self.request("GET", "/readyz")["status"] != 200:
            assert time.monotonic() < deadline, self.request("GET", "/readyz")
            time.sleep(1)

    def wait_for_name(self, name: str) -> list[str]:
        """Wait until the box has probed for `name` and announced it; returns all its names."""
        deadline = time.monotonic() + NAME_SECONDS
        while True:
            names: list[str] = self.call("GET", "/box")["names"]
            if name in names:
                return names
            assert time.monotonic() < deadline, names
            time.sleep(1)

    def claim(self, code: str) -> str:
        """Go through the wizard; returns the owner's recovery code."""
        recovery = ""
        steps: list[tuple[str, str, Any]] = [
            ("PUT", "language", {"language": "en"}),
            ("POST", "claim", {"code": code}),
            ("PUT", "owner", {"name": "Ana", "password": PASSWORD}),
            ("PUT", "recovery-saved", None),
            ("PUT", "box", {"name": "Kitchen", "time_zone": "Europe/Berlin"}),
            ("PUT", "model", {"model_id": "allerac-demo", "download": False}),
            ("PUT", "privacy", {"automatic_updates": True, "update_hour": 3}),
            ("POST", "finish", None),
        ]
        for method, step, body in steps:
            told = self.call(method, f"/onboarding/{step}", body)
            recovery = told.get("recovery_code", recovery) if isinstance(told, dict) else recovery
        return recovery

    def sign_in(self) -> None:
        """Sign in as the owner."""
        self.call("POST", "/session", {"name": "Ana", "password": PASSWORD})

    def rescue(self, code: str, act: str, **more: str) -> None:
        """Have the rescue page do something, by the label's code or the owner's."""
        for path, form in (("open", {"code": code}), (f"acts/{act}", {"sure": "yes", **more})):
            asked = self.request("POST", f"/rescue/{path}", form=form)
            assert asked["status"] == 303, asked

    def say(self, conversation: str, text: str) -> dict[str, Any]:
        """Send a message; returns what the box acknowledged."""
        body = {"content": text, "client_id": text[:64], "parent_id": None}
        sent: dict[str, Any] = self.call("POST", f"/conversations/{conversation}/messages", body)
        return sent

    def follow(self, answer: str, until: str = "") -> list[tuple[str, Any]]:
        """Follow an answer to its end or to the first event of kind `until`."""
        url = f"http://{self.address}{API}/generations/{answer}/events"
        events: list[tuple[str, Any]] = self.ask("events", url=url, until=until)
        return events
