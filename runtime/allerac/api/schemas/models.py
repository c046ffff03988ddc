"""Model files: what this machine can run, what is on board, what is on its way."""

from typing import Annotated, Literal

from pydantic import Field

from .shapes import Problem, Request, Response

ModelId = Annotated[str, Field(min_length=1, max_length=128)]


class Speed(Response):
    """Tokens a second for reading and writing; `measured` on this box or estimated."""

    prefill_tokens_per_second: float
    decode_tokens_per_second: float
    words_per_second: float
    measured: bool


class DownloadProgress(Response):
    state: Literal["queued", "running", "paused", "verifying", "failed", "done"]
    received_bytes: int
    total_bytes: int
    bytes_per_second: float
    seconds_left: float | None
    error: Problem | None = None


class ModelCard(Response):
    id: str
    title: str
    description: str
    family: str
    licence: str
    role: str
    size_bytes: int
    context_length: int
    quantisation: str
    fit: Literal["good", "tight", "too_large"]
    fit_reason: str
    speed: Speed
    state: Literal["installed", "available", "downloading", "paused", "damaged", "failed"]
    is_demo: bool
    recommended: bool
    is_default: bool = False
    download: DownloadProgress | None = None


class ModelList(Response):
    """`demo` says that the default is the demonstration model; `embedding` reads documents."""

    items: list[ModelCard]
    embedding: ModelCard | None
    default_model_id: str | None
    recommended_model_id: str | None
    demo: bool


class SetDefaultModel(Request):
    model_id: ModelId


class ImportModel(Request):
    """`path` is a file on the box itself."""

    path: Annotated[str, Field(min_length=1, max_length=4096)]
    title: Annotated[str, Field(max_length=80)] | None = None


class VerifyResult(Response):
    ok: bool
    reason: str
