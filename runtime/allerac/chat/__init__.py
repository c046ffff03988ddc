"""Conversations: send, stream, branch, search, export."""
