"""Assistants and memories as the API shows them."""

from typing import Annotated, Literal

from pydantic import Field

from .shapes import Request, Response, Timestamp

Visibility = Literal["private", "household"]
Name = Annotated[str, Field(min_length=1, max_length=64)]
Description = Annotated[str, Field(max_length=200)]
Instructions = Annotated[str, Field(max_length=8000)]
Avatar = Annotated[str, Field(max_length=32, pattern=r"^[a-z-]*$")]
Temperature = Annotated[float, Field(ge=0, le=2)]
MaxTokens = Annotated[int, Field(ge=16, le=32_768)]
Starters = Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=8)]
FileIds = Annotated[list[str], Field(max_length=200)]
TemplateName = Literal["household_helper", "homework_coach", "letter_writer", "document_expert"]


class Assistant(Response):
    """An assistant; unless it is narrowed it looks into all that whoever asks may read.

    `file_ids` are those of its documents that are left and that one may read. Where it is narrowed
    and there are none, it looks into none.
    """

    id: str
    name: str
    description: str
    avatar: str
    instructions: str
    visibility: Visibility
    mine: bool
    model_id: str | None
    temperature: float | None
    max_tokens: int | None
    starters: list[str]
    uses_knowledge: bool
    file_ids: list[str]
    is_narrowed: bool
    created_at: Timestamp
    updated_at: Timestamp


class Assistants(Response):
    """A list of assistants."""

    items: list[Assistant]


class CreateAssistant(Request):
    """A new assistant: from a template, or with the fields given."""

    template: TemplateName | None = None
    name: Name | None = None
    description: Description = ""
    avatar: Avatar = "lamp"
    instructions: Instructions = ""
    visibility: Visibility = "private"
    model_id: str | None = None
    temperature: Temperature | None = None
    max_tokens: MaxTokens | None = None
    starters: Starters = Field(default_factory=list)
    uses_knowledge: bool = True
    file_ids: FileIds = Field(default_factory=list)


class UpdateAssistant(Request):
    """What of an assistant is to change.

    `file_ids` narrow it to these documents; `is_narrowed` false lets it look everywhere again.
    """

    name: Name = ""
    description: Description = ""
    avatar: Avatar = ""
    instructions: Instructions = ""
    visibility: Visibility = "private"
    model_id: str | None = None
    temperature: Temperature | None = None
    max_tokens: MaxTokens | None = None
    starters: Starters = Field(default_factory=list)
    uses_knowledge: bool = True
    file_ids: FileIds = Field(default_factory=list)
    is_narrowed: bool = False


class TrialTurn(Request):
    """What the person or the assistant said in a trial."""

    role: Literal["user", "assistant"]
    content: Annotated[str, Field(min_length=1, max_length=100_000)]


class TryAssistant(Request):
    """An assistant as it stands in the editor, and what was said until now, the question last."""

    instructions: Instructions = ""
    model_id: str | None = None
    temperature: Temperature | None = None
    max_tokens: MaxTokens | None = None
    uses_knowledge: bool = True
    file_ids: FileIds = Field(default_factory=list)
    is_narrowed: bool = False
    turns: Annotated[list[TrialTurn], Field(min_length=1, max_length=99)]


class DuplicateAssistant(Request):
    """What the copy is called."""

    name: Name


class ConversationScope(Request, Response):
    """Who answers in a conversation, and where it looks; null: nobody special, everywhere."""

    assistant_id: str | None = None
    uses_knowledge: bool = True
    folder: Annotated[str, Field(max_length=200)] | None = None


class Memory(Response):
    """A fact, and where it was said; null for one that was written down directly.

    `message_id` is the answer to what was said, under which a proposed one is offered. It stays
    when the conversation is gone.
    """

    id: str
    content: str
    state: Literal["kept", "proposed"]
    conversation_id: str | None
    conversation_title: str | None
    message_id: str | None
    created_at: Timestamp
    updated_at: Timestamp


class Memories(Response):
    """What is remembered or proposed, and whether it is used."""

    enabled: bool
    items: list[Memory]


class EnableMemories(Request):
    """Whether memories are used and proposed."""

    enabled: bool


class CreateMemory(Request):
    """A fact to remember."""

    content: Annotated[str, Field(min_length=1, max_length=500)]


class UpdateMemory(Request):
    """Other words, or that it is true."""

    content: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    confirmed: bool = False
