"""Assistants: instructions, model and documents under a name, and what people asked to keep."""
