"""Conversations: send, stream, branch, search, export."""

from .completions import CompletionService
from .service import ChatService

__all__ = ["ChatService", "CompletionService"]
