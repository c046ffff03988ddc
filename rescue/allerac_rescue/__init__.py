"""The rescue page: answers when nothing else on the box does.

Needs the system's Python and nothing but its standard library: no virtual environment, no
database, no data partition, no free byte.
"""
