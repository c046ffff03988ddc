"""SSH: who is let in, until when, and what was done."""

from typing import Annotated, Literal

from pydantic import Field

from .shapes import Request, Response, Timestamp


class SshKey(Response):
    """A public key that is let in while SSH is open; `fingerprint` as ssh-keygen shows it."""

    id: str
    kind: str
    comment: str
    fingerprint: str
    added_by: str
    created_at: Timestamp


class SshEvent(Response):
    """One act; the person, address and agent are null for what happened by itself."""

    act: Literal[
        "key_added",
        "key_removed",
        "opened",
        "not_opened",
        "closed",
        "closed_by_time",
        "closed_by_restart",
    ]
    person_name: str | None
    address: str | None
    agent: str | None
    detail: str | None
    happened_at: Timestamp


class Ssh(Response):
    """SSH of the box. On a machine where it is not Allerac's to open, `supported` is false."""

    supported: bool
    account: str
    open_until: Timestamp | None
    host_key: str | None
    keys: list[SshKey]
    events: list[SshEvent]


class AddSshKey(Request):
    """`key` is the line of a .pub file."""

    key: Annotated[str, Field(min_length=1, max_length=8192)]


class OpenSsh(Request):
    """After so many hours it closes by itself."""

    hours: Literal[1, 8, 24]
