"""Models elsewhere, as the owner adds them and everyone sees them."""

from typing import Annotated

from pydantic import Field

from .shapes import Request, Response

Title = Annotated[str, Field(min_length=1, max_length=64)]
Key = Annotated[str, Field(min_length=1, max_length=1024, json_schema_extra={"format": "password"})]


class RemoteModel(Response):
    """`host` is where questions go; the key is never told."""

    id: str
    title: str
    host: str
    model: str
    enabled: bool
    has_key: bool


class RemoteModelList(Response):
    items: list[RemoteModel]


class AddRemoteModel(Request):
    """`allow_private` confirms an address in the home network, or one without https."""

    title: Title
    base_url: Annotated[str, Field(min_length=8, max_length=512)]
    model: Annotated[str, Field(min_length=1, max_length=128)]
    key: Key | None = None
    allow_private: bool = False


class ChangeRemoteModel(Request):
    title: Title | None = None
    enabled: bool | None = None
    key: Key | None = None


class RemoteCheck(Response):
    """Whether the model is offered there."""

    ok: bool
