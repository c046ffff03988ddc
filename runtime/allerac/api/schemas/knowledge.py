"""Documents as the API shows them."""

from typing import Annotated, Literal

from pydantic import Field

from .shapes import Request, Response, Timestamp

Visibility = Literal["private", "household"]
FileState = Literal["uploading", "processing", "indexing", "ready", "failed"]
FileName = Annotated[str, Field(min_length=1, max_length=1000)]
FolderName = Annotated[str, Field(max_length=200)]


class WhyFailed(Response):
    """Why a document could not be read, and what to do."""

    code: str
    message: str
    hint: str


class KnowledgeFile(Response):
    """A document. `done` of `total` counts pages, then passages; `total` 0 means not known."""

    id: str
    name: str
    folder: str
    kind: str | None
    size_bytes: int
    visibility: Visibility
    mine: bool
    watched: bool
    state: FileState
    done: int
    total: int
    why: WhyFailed | None
    version: int
    pages: int | None
    passages: int
    used_by: int
    created_at: Timestamp
    updated_at: Timestamp


class UpdateKnowledgeFile(Request):
    """What of a document may be changed."""

    name: FileName = ""
    folder: FolderName = ""
    visibility: Visibility = "private"


class KnowledgePassage(Response):
    """A part of a document, as it is found and cited."""

    number: int
    file_id: str
    file_name: str
    kind: str
    position: int
    heading: str
    first_page: int | None
    last_page: int | None
    text: str


class KnowledgePassages(Response):
    """Parts that follow each other; `next_first` is null after the last."""

    items: list[KnowledgePassage]
    next_first: int | None


class SearchKnowledge(Request):
    """What to look for."""

    question: Annotated[str, Field(min_length=1, max_length=2000)]
    folder: FolderName | None = None
    file_ids: Annotated[list[str], Field(max_length=200)] | None = None


class ConsideredPassage(Response):
    """What came up, and what became of it; `similarity` is at least 0.7 for related texts."""

    number: int
    file_id: str
    file_name: str
    heading: str
    first_page: int | None
    verdict: Literal["used", "unrelated", "duplicate", "budget", "rank"]
    vector_rank: int | None
    word_rank: int | None
    similarity: float | None
    coverage: float


class SearchTrace(Response):
    """What was searched, found, dropped and why."""

    question: str
    words: list[str]
    by_meaning: bool
    considered: list[ConsideredPassage]
    embed_seconds: float
    search_seconds: float


class SearchResult(Response):
    """The passages for a question, best first."""

    passages: list[KnowledgePassage]
    trace: SearchTrace


class Folder(Response):
    """A folder by its name from the top; `own` of its `documents` are one's own."""

    name: str
    documents: int
    own: int


class Folders(Response):
    """The folders; one is there as long as a document is in it."""

    items: list[Folder]


class RenameFolder(Request):
    """What a folder is called from now on."""

    name: Annotated[str, Field(min_length=1, max_length=200)]


class MoveKnowledgeFiles(Request):
    """Which documents go into which folder; an empty name takes them out of theirs."""

    file_ids: Annotated[list[str], Field(min_length=1, max_length=200)]
    folder: FolderName


class Source(Response):
    """A passage that stood before an answer; `number` is how the answer cites it.

    `position` is its place among the passages of its document, from 0.
    """

    number: int
    passage: int
    position: int
    file_id: str
    file_name: str
    kind: str
    heading: str
    first_page: int | None
    last_page: int | None
    text: str


class AnswerSources(Response):
    """What was read for an answer; nothing where nothing related was found."""

    message_id: str
    sources: list[Source]


class ConversationSources(Response):
    """The sources of all answers for which something was searched."""

    items: list[AnswerSources]


class AnswerTrace(Response):
    """What was searched, found, dropped and why, for one answer."""

    trace: SearchTrace
    seconds: float
    budget_tokens: int
