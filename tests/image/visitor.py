"""Somebody on the box's network: finds it by mDNS and speaks to it as a browser does.

Reads orders from stdin and writes one answer to each on stdout, all as one line of JSON:
`find`, `resolve`, `request`, `events`, `trusting`, `knock`. Runs inside the network namespace of
the emulated network.
"""

import json
import socket
import ssl
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import httpx
from zeroconf import (  # type: ignore[attr-defined]
    AddressResolver,
    IPVersion,
    ServiceBrowser,
    ServiceListener,
    Zeroconf,
)

Order = dict[str, Any]
ALLERAC = "_allerac._tcp.local."
SECONDS = 60.0


class _Seen(ServiceListener):
    """Collects what answers."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def add_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        self.names.add(name)

    def update_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        self.names.add(name)

    def remove_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        self.names.discard(name)


class Visitor:
    """A browser with its cookies, and a resolver."""

    def __init__(self) -> None:
        # nginx closes idle connections when it reads a new certificate; a browser asks once more
        # then, httpx does not: hence a connection for each request.
        limits = httpx.Limits(max_keepalive_connections=0)
        self._client = httpx.Client(timeout=SECONDS, limits=limits)

    def find(self, order: Order) -> Any:
        """Return the boxes that answer within `seconds`: host name, IPv4 addresses, port, TXT."""
        boxes: list[dict[str, Any]] = []
        with Zeroconf(ip_version=IPVersion.V4Only) as network:
            seen = _Seen()
            browser = ServiceBrowser(network, ALLERAC, seen)
            browser.join(order["seconds"])
            for name in seen.names:
                info = network.get_service_info(ALLERAC, name, 3000)
                if info is not None:
                    boxes.append(
                        {
                            "host": (info.server or "").removesuffix("."),
                            "addresses": info.parsed_addresses(IPVersion.V4Only),
                            "port": info.port,
                            "txt": info.decoded_properties,
                        }
                    )
        return boxes

    def resolve(self, order: Order) -> Any:
        """Return the IPv4 addresses of a `.local` name, none when nobody answers."""
        with Zeroconf(ip_version=IPVersion.V4Only) as network:
            resolver = AddressResolver(order["host"] + ".")
            resolver.request(network, order["milliseconds"])
            return sorted(resolver.parsed_addresses(IPVersion.V4Only))

    def request(self, order: Order) -> Any:
        """Return status, headers and body of one request; cookies are kept."""
        try:
            response = self._client.request(
                order["method"],
                order["url"],
                json=order.get("json"),
                data=order.get("form"),
                headers=_as_a_browser(order),
                timeout=order.get("seconds", SECONDS),
            )
        except httpx.HTTPError as error:
            return {"status": 0, "error": f"{type(error).__name__}: {error}"}
        kind = response.headers.get("content-type", "")
        body = response.json() if "json" in kind else response.text
        return {"status": response.status_code, "headers": dict(response.headers), "body": body}

    def events(self, order: Order) -> Any:
        """Follow an event stream; returns [event, data] pairs until it ends or `until` was seen."""
        events: list[tuple[str, Any]] = []
        kind = ""
        try:
            with self._client.stream(
                "GET", order["url"], headers=order.get("headers") or {}, timeout=SECONDS
            ) as response:
                for line in response.iter_lines():
                    if line.startswith("event:"):
                        kind = line[6:].strip()
                    elif line.startswith("data:"):
                        events.append((kind, json.loads(line[5:])))
                        if kind == order.get("until"):
                            break
        except httpx.HTTPError as error:
            events.append(("cut", f"{type(error).__name__}: {error}"))
        return events

    def trusting(self, order: Order) -> Any:
        """Ask over TLS, trusting only the given authority (a certificate as PEM)."""
        trust = ssl.create_default_context(cadata=order["authority"])
        try:
            response = httpx.get(order["url"], verify=trust, timeout=SECONDS)
        except httpx.HTTPError as error:
            return {"status": 0, "error": f"{type(error).__name__}: {error}"}
        return {"status": response.status_code}

    def knock(self, order: Order) -> Any:
        """Return the TCP ports that take a connection within `seconds`."""

        def opens(port: int) -> bool:
            try:
                socket.create_connection((order["address"], port), order["seconds"]).close()
            except OSError:
                return False
            return True

        ports: list[int] = order["ports"]
        with ThreadPoolExecutor(len(ports)) as pool:
            return [
                port for port, is_open in zip(ports, pool.map(opens, ports), strict=True) if is_open
            ]


def _as_a_browser(order: Order) -> dict[str, str]:
    """Return the order's headers and those that a browser adds: to go to a page, or from a script.

    Source: Fetch Standard, 3.2, and Fetch Metadata Request Headers, W3C.
    """
    given: dict[str, str] = order.get("headers") or {}
    url = urlsplit(order["url"])
    goes = order.get("form") is not None or "text/html" in given.get("Accept", "")
    headers = {
        "Accept-Language": "en",
        "Sec-Fetch-Dest": "document" if goes else "empty",
        "Sec-Fetch-Mode": "navigate" if goes else "cors",
        "Sec-Fetch-Site": "same-origin",
    }
    if order["method"] not in {"GET", "HEAD"}:
        headers["Origin"] = f"{url.scheme}://{given.get('Host') or url.netloc}"
    return headers | given


def main() -> None:
    """Do what stdin says until it ends."""
    visitor = Visitor()
    for line in sys.stdin:
        order = json.loads(line)
        act: Callable[[Order], Any] = getattr(visitor, order["do"])
        sys.stdout.write(json.dumps(act(order)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
