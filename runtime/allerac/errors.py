"""Everything that can go wrong, as one tree.

AlleracError                      code, message, hint, fields
├── InvalidInput                  a value is wrong; `fields` says which and why
│   └── ContextTooLong            the prompt does not fit the model's context length
├── NotSignedIn                   no session or key, or one that has ended
│   └── WrongCredentials          name and password (or code) do not match
├── Forbidden                     signed in, but this role or person may not
├── NotFound                      no such thing, or not yours to know of
├── Conflict                      the state does not allow it now
├── Gone                          it was there once: the wizard after the claim
├── TooManyAttempts               slow down; `retry_after_seconds`
├── Misdirected                   the request names a host that we are not
├── PayloadTooLarge               more bytes than we read
├── InsufficientDisk              not enough room; `needed_bytes`, `available_bytes`
├── Unavailable                   cannot be done right now, later it can
│   ├── StorageUnavailable        the database is locked, read-only or full
│   ├── EngineUnavailable         no model is loaded, or the engine is starting again
│   └── QueueFull                 too many requests are waiting
├── EngineStopped                 the engine ended while it was answering
├── StorageDamaged                the database cannot be trusted
├── SecretLost                    what opens a stored secret is gone
├── UpdateFailed                  no update was found, taken or finished; `reason` says why
└── ModelError
    ├── ModelDamaged              the file is not what the catalogue promises, or not a model
    └── DownloadFailed            the transfer ended without a good file

The HTTP status of each is in one table in `allerac.api.errors`.
"""

from collections.abc import Mapping
from typing import ClassVar


class AlleracError(Exception):
    """Root of the tree.

    `message` says what happened, `hint` what to do next; both are shown to people.
    `fields` maps an input field's name to what is wrong with it.
    """

    code: ClassVar[str] = "internal_error"

    def __init__(
        self, message: str, *, hint: str = "", fields: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.fields = dict(fields or {})


class InvalidInput(AlleracError):
    """A value from outside is wrong."""

    code = "invalid_input"


class ContextTooLong(InvalidInput):
    """The prompt has `prompt_tokens` tokens, the model reads `limit_tokens`."""

    code = "context_length_exceeded"

    def __init__(self, prompt_tokens: int, limit_tokens: int) -> None:
        super().__init__(
            "This conversation is longer than the model can read.",
            hint="Leave out the beginning, or start a new conversation.",
        )
        self.prompt_tokens = prompt_tokens
        self.limit_tokens = limit_tokens


class NotSignedIn(AlleracError):
    """There is no session or key, or it has ended."""

    code = "not_signed_in"


class WrongCredentials(NotSignedIn):
    """Name and password, or a code, do not match."""

    code = "wrong_credentials"


class Forbidden(AlleracError):
    """The caller is known but may not do this."""

    code = "forbidden"


class NotFound(AlleracError):
    """No such thing, or none that the caller may know of."""

    code = "not_found"


class Conflict(AlleracError):
    """The present state does not allow it."""

    code = "conflict"


class Gone(AlleracError):
    """It existed and never comes back."""

    code = "gone"


class TooManyAttempts(AlleracError):
    """The caller must wait `retry_after_seconds` before trying again."""

    code = "too_many_attempts"

    def __init__(self, message: str, *, retry_after_seconds: int, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.retry_after_seconds = retry_after_seconds


class Misdirected(AlleracError):
    """The Host header names a machine that we are not (DNS rebinding)."""

    code = "misdirected_request"


class PayloadTooLarge(AlleracError):
    """The request is larger than the limit."""

    code = "payload_too_large"


class InsufficientDisk(AlleracError):
    """There is not enough room on the disk."""

    code = "insufficient_disk"

    def __init__(self, message: str, *, needed_bytes: int, available_bytes: int) -> None:
        super().__init__(message, hint="Remove a model that you do not use, or free some space.")
        self.needed_bytes = needed_bytes
        self.available_bytes = available_bytes


class Unavailable(AlleracError):
    """Cannot be done right now; the same request may succeed later."""

    code = "unavailable"
    retry_after_seconds: ClassVar[int] = 5


class StorageUnavailable(Unavailable):
    """The database is locked, read-only, or its disk is full."""

    code = "storage_unavailable"


class EngineUnavailable(Unavailable):
    """No model is loaded, or the engine is starting again."""

    code = "engine_unavailable"


class QueueFull(Unavailable):
    """Too many requests are waiting for the engine."""

    code = "queue_full"


class EngineStopped(AlleracError):
    """The engine ended while it was answering; asking again works."""

    code = "engine_stopped"


class SecretLost(AlleracError):
    """A stored secret cannot be opened any more; it must be entered again."""

    code = "secret_lost"


class StorageDamaged(AlleracError):
    """The database fails its integrity check."""

    code = "storage_damaged"


class UpdateFailed(AlleracError):
    """An update was not found, taken or finished.

    `reason` is a key of `allerac.updates.reasons`; `detail` is what a program said, in its words.
    """

    code = "update_failed"

    def __init__(self, message: str, *, reason: str, hint: str = "", detail: str = "") -> None:
        super().__init__(message, hint=hint)
        self.reason = reason
        self.detail = detail


class ModelError(AlleracError):
    """Something is wrong with a model file."""

    code = "model_error"


class ModelDamaged(ModelError):
    """The file is not what the catalogue promises, or not a model at all."""

    code = "model_damaged"


class DownloadFailed(ModelError):
    """The transfer ended without a good file."""

    code = "download_failed"
