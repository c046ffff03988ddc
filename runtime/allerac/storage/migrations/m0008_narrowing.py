"""Which assistants were narrowed to chosen documents, whatever became of these."""

from sqlalchemy import Connection, insert, select

from allerac.storage.knowledge_tables import assistant_file, assistant_narrowing


def upgrade(connection: Connection) -> None:
    """Add the table, and those that have documents now."""
    assistant_narrowing.create(connection, checkfirst=True)
    narrowed = select(assistant_file.c.assistant_id).distinct()
    known = select(assistant_narrowing.c.assistant_id)
    rows = narrowed.where(assistant_file.c.assistant_id.not_in(known))
    connection.execute(insert(assistant_narrowing).from_select(["assistant_id"], rows))
