"""Conversations, messages and their generations."""

from typing import Annotated, Literal

from pydantic import Field

from .shapes import Problem, Request, Response, Timestamp

Title = Annotated[str, Field(min_length=1, max_length=200)]
Id = Annotated[str, Field(min_length=1, max_length=64)]


class Snippet(Response):
    """A found passage; `marks` are [start, end) positions in `text`, counted in code points.

    One that was found `by_meaning` lacks words of the query, and has no marks.
    """

    text: str
    marks: list[tuple[int, int]]
    by_meaning: bool = False


class ConversationItem(Response):
    id: str
    title: str | None
    pinned: bool
    archived: bool
    model_id: str | None
    created_at: Timestamp
    updated_at: Timestamp
    snippet: Snippet | None = None


class ContextGauge(Response):
    """How much of what the model can read the next message meets, in tokens.

    `used_tokens` come before the draft, which has `draft_tokens`; `limit_tokens` is 0 while no
    model is loaded, and `is_estimate` true while the numbers are not the tokenizer's. Sent now,
    `left_out_messages` would not be read and `summarised_messages` only as the summary of the
    message `summarised_until_id`; once the box is idle `to_summarise_messages` would join them.
    Where `fits` is false, the draft alone is longer than the model can read.
    """

    used_tokens: int
    draft_tokens: int
    limit_tokens: int
    is_estimate: bool
    fits: bool
    summarised_messages: int
    summarised_until_id: str | None
    left_out_messages: int
    to_summarise_messages: int


class ConversationDetail(ConversationItem):
    """`leaf_id` ends the branch shown; messages before `context_from_id` are not read."""

    leaf_id: str | None
    context_from_id: str | None
    context: ContextGauge


class Draft(Request):
    """A message that is being written."""

    draft: Annotated[str, Field(max_length=1_000_000)] = ""


class CreateConversation(Request):
    model_id: Id | None = None


class UpdateConversation(Request):
    """Only the fields that are sent change; null clears where null is allowed.

    `context_from_id` is a person's message; one that is not on the branch shown changes nothing.
    """

    title: Title | None = None
    pinned: bool | None = None
    archived: bool | None = None
    leaf_id: Id | None = None
    context_from_id: Id | None = None
    model_id: Id | None = None


class Usage(Response):
    """`finish_reason` other than “stop” says that the answer was cut, and why."""

    finish_reason: Literal["stop", "length", "repetition", "cancelled"] | None = None
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    first_token_seconds: float | None = None
    tokens_per_second: float | None = None


class Summary(Response):
    """What `message_count` messages say, from `from_id` down to the message that has it."""

    content: str
    message_count: int
    from_id: str
    model_id: str
    created_at: Timestamp


class Message(Response):
    """A node of the conversation's tree.

    `sequence` is the last event of the generation that `content` already contains. `summary` is
    read in place of the messages that it stands for while the context names this message.
    """

    id: str
    conversation_id: str
    parent_id: str | None
    role: Literal["user", "assistant"]
    content: str
    status: Literal["complete", "streaming", "stopped", "failed", "interrupted"]
    model_id: str | None
    error: Problem | None = None
    usage: Usage | None = None
    rating: Literal["up", "down"] | None
    sequence: int
    generation_id: str | None
    created_at: Timestamp
    summary: Summary | None = None


class SendMessage(Request):
    """`client_id` makes sending again safe: the same id is one message."""

    content: str
    parent_id: Id | None = None
    client_id: Id
    model_id: Id | None = None


class Sent(Response):
    message: Message
    answer: Message


class Regenerated(Response):
    answer: Message


class Rate(Request):
    rating: Literal["up", "down"] | None
