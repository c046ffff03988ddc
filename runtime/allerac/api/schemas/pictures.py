"""Pictures that were sent with a message."""

from typing import Literal

from .shapes import Response


class Picture(Response):
    """A picture; `message_id` is null as long as its message was not sent."""

    id: str
    message_id: str | None
    kind: Literal["jpeg", "png", "gif", "webp"]
    width: int
    height: int
    size_bytes: int


class Pictures(Response):
    """The pictures of a conversation, as they were sent."""

    items: list[Picture]
