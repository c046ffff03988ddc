"""The box itself: name, addresses, hardware, engine."""

from typing import Annotated, Literal

from pydantic import Field

from .shapes import Language, Request, Response, Timestamp


class Status(Response):
    """All that a stranger on the network learns."""

    claimed: bool
    name: str
    language: Language
    languages: list[Language]


class Address(Response):
    ip: str
    interface: str
    url: str


class EngineSpeed(Response):
    prefill_tokens_per_second: float | None
    decode_tokens_per_second: float | None


class EngineView(Response):
    state: Literal["stopped", "starting", "loading", "ready", "failed"]
    model_id: str | None
    context_length: int | None
    active: int
    waiting: int
    restarts: int
    speed: EngineSpeed
    last_error: str | None


class StorageView(Response):
    total_bytes: int
    free_bytes: int


class MemoryView(Response):
    total_bytes: int
    available_bytes: int
    runtime_bytes: int


class NetworkCheck(Response):
    """The last test whether the box's names lead to it; `message` says the reason in English."""

    ok: bool
    reason: Literal["names_lead_here", "names_do_not_lead_here", "no_address", "network_error"]
    message: str
    checked_at: Timestamp


class CertificateView(Response):
    """The box's certificate; `fingerprint` is SHA-256 of the authority that devices trust."""

    fingerprint: str
    expires_at: Timestamp


class Box(Response):
    id: str
    serial: str | None
    name: str
    hostname: str
    names: list[str]
    name_conflict: str | None
    network_check: NetworkCheck | None
    addresses: list[Address]
    url: str
    qr_svg: str
    port: int
    certificate: CertificateView | None
    ssh_open_until: Timestamp | None
    version: str
    time_zone: str
    claimed_at: Timestamp | None
    started_at: Timestamp
    engine: EngineView
    storage: StorageView
    memory: MemoryView


class UpdateBox(Request):
    name: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    time_zone: Annotated[str, Field(min_length=1, max_length=64)] | None = None


class ProfileView(Response):
    """The profile in use; `exact` is false when it is only the nearest."""

    id: str
    product: str
    exact: bool
    reason: str


class Hardware(Response):
    summary: str
    cpu: str
    cores_performance: int
    cores_efficient: int
    threads: int
    memory_bytes: int
    memory_channels: int | None
    flags: list[str]
    profile: ProfileView


class NearbyBox(Response):
    id: str
    name: str
    suffix: str
    state: str
    addresses: list[str]
    version: str
    last_seen: Timestamp


class NearbyBoxList(Response):
    items: list[NearbyBox]
