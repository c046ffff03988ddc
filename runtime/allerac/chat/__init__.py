"""Conversations: send, stream, branch, search, export."""

from .completions import CompletionService
from .service import ChatService
from .trial import TrialService

__all__ = ["ChatService", "CompletionService", "TrialService"]
