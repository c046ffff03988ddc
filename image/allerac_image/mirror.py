"""Where Debian is found: the host's own apt knows."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

from .errors import BadInput

FORMAT = "$(LABEL)|$(REPO_URI)"
QUERY = ("apt-get", "indextargets", "--format", FORMAT, "Identifier: Packages")


@dataclasses.dataclass(frozen=True, slots=True)
class Repository:
    """One of Debian's repositories and the suites the image takes from it."""

    address: str
    suites: Sequence[str]


def find_repositories(
    ask: Callable[[Sequence[str]], str], suites: Mapping[str, Sequence[str]]
) -> list[Repository]:
    """Return the repository the host uses for each label in `suites`.

    `ask` runs a command and returns what it prints. Raises `BadInput` when the host's apt does not
    know Debian itself; other labels may be missing, then their suites are left out.
    """
    addresses: dict[str, str] = {}
    for line in ask(QUERY).splitlines():
        label, _, address = line.partition("|")
        addresses.setdefault(label, address)
    if "Debian" not in addresses:
        raise BadInput(
            "This machine's apt does not say where Debian is found. Run `apt-get update` once; "
            "it needs the network."
        )
    return [
        Repository(addresses[label], names) for label, names in suites.items() if label in addresses
    ]


def source_lines(
    repositories: Sequence[Repository], components: Sequence[str], keyring: str
) -> str:
    """Return the repositories in the format of sources.list(5)."""
    return "".join(
        f"deb [signed-by={keyring}] {repository.address} {suite} {' '.join(components)}\n"
        for repository in repositories
        for suite in repository.suites
    )
