"""The engine: a GGUF model in a process of its own, served to several chats at once.

`protocol` says what an engine is, `supervisor` runs ours. What computes (`child` and what it
imports) is loaded in the child process only.
"""
