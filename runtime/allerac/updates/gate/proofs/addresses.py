"""The box is reached where it was reached before."""

from collections.abc import Iterable

from allerac.updates.gate.baseline import Baseline
from allerac.updates.gate.proof import NotProvenError, Proof, Sentence
from allerac.updates.gate.surroundings import BoxAddress, Surroundings


async def _attempt(surroundings: Surroundings, baseline: Baseline) -> None:
    now = await surroundings.network.addresses()
    for before in reached_by(baseline.addresses):
        successors = _successors(before, now)
        if not successors:
            detail = f"{before.interface} had {before.ip} and has no address"
            raise NotProvenError("address_lost", detail)
        try:
            await surroundings.front_door.get(successors[0].ip, "/")
        except OSError as error:
            detail = f"nobody answers at {successors[0].ip}: {error}"
            raise NotProvenError("address_lost", detail) from error


def reached_by(addresses: Iterable[BoxAddress]) -> list[BoxAddress]:
    """Return one address of each interface, IPv4 first: a provider may take IPv6 away any day."""
    chosen: dict[str, BoxAddress] = {}
    for address in sorted(addresses, key=lambda address: address.is_ipv6):
        chosen.setdefault(address.interface, address)
    return list(chosen.values())


def _successors(before: BoxAddress, now: Iterable[BoxAddress]) -> list[BoxAddress]:
    """Return the same address, else those that the router gave the interface instead."""
    found = [address for address in now if address.ip == before.ip]
    return found or [
        address
        for address in now
        if (address.interface, address.is_ipv6) == (before.interface, before.is_ipv6)
    ]


PROOF = Proof(
    code="addresses",
    rank=40,
    timeout_seconds=20,
    faults={
        "address_lost": Sentence(
            "The new version was not reached on the network where the box was reached before.",
            "Die neue Version war im Netz nicht dort erreichbar, wo es die Box zuvor war.",
        )
    },
    required=lambda baseline: bool(baseline.addresses),
    attempt=_attempt,
)
