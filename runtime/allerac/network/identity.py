"""Who a box says it is on the network."""

from dataclasses import dataclass

from .hosts import suggest_host_label

UNCLAIMED_LABEL = "allerac"


@dataclass(frozen=True, slots=True)
class BoxIdentity:
    """Who announces; `label` is the host label of the household's name for the box."""

    device_id: str
    suffix: str
    name: str
    claimed: bool
    version: str

    @property
    def label(self) -> str:
        """The host label that this box would like to have beside the one with the suffix."""
        return suggest_host_label(self.name) if self.claimed else UNCLAIMED_LABEL

    @property
    def own_label(self) -> str:
        """The host label that nobody else has."""
        return f"{UNCLAIMED_LABEL}-{self.suffix}"

    @property
    def state(self) -> str:
        """What the TXT record tells of the box."""
        return "ready" if self.claimed else "unclaimed"
