"""Parts that several resources share."""

from datetime import UTC, datetime
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer


def _iso_milliseconds(moment: datetime) -> str:
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


Timestamp = Annotated[datetime, PlainSerializer(_iso_milliseconds, return_type=str)]
"""ISO 8601 in UTC with milliseconds and `Z`."""

Language = Literal["en", "de"]
Role = Literal["owner", "admin", "member", "guest"]

PersonName = Annotated[str, Field(min_length=1, max_length=64)]
Password = Annotated[
    str, Field(min_length=1, max_length=1024, json_schema_extra={"format": "password"})
]

Item = TypeVar("Item")


class Request(BaseModel):
    """What a caller sends: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)


class Response(BaseModel):
    """What we answer: built from the services' records."""

    model_config = ConfigDict(from_attributes=True)


class Page(Response, Generic[Item]):
    """One page of a list; `next_cursor` is null on the last."""

    items: list[Item]
    next_cursor: str | None = None


class Problem(Response):
    """What happened, what to do next, and which fields are wrong."""

    code: str
    message: str
    hint: str = ""
    fields: dict[str, str] = Field(default_factory=dict)


class ProblemBody(Response):
    """The one error body of the API."""

    error: Problem
