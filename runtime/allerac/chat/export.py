"""A conversation as a file to take along."""

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

from allerac.storage.conversations import ConversationRecord, MessageRecord


@dataclass(frozen=True, slots=True)
class Export:
    """A file: `filename` is plain ASCII and safe in a header."""

    filename: str
    media_type: str
    body: str


def export_conversation(
    conversation: ConversationRecord,
    branch: Sequence[MessageRecord],
    everything: Sequence[MessageRecord],
    form: Literal["markdown", "json"],
) -> Export:
    """Return the branch that is shown as Markdown, or all branches as JSON."""
    name = _file_name(conversation.title)
    if form == "markdown":
        return Export(f"{name}.md", "text/markdown; charset=utf-8", _markdown(conversation, branch))
    document = {
        "format": "allerac-conversation/1",
        "conversation": asdict(conversation),
        "messages": [asdict(message) for message in everything],
    }
    body = json.dumps(document, ensure_ascii=False, indent=2, default=datetime.isoformat)
    return Export(f"{name}.json", "application/json", body)


def _markdown(conversation: ConversationRecord, branch: Sequence[MessageRecord]) -> str:
    parts = [f"# {conversation.title or 'Conversation'}", ""]
    for message in branch:
        who = "You" if message.role == "user" else "Allerac"
        parts += [f"**{who}**", "", message.content, ""]
    return "\n".join(parts)


def _file_name(title: str | None) -> str:
    ascii_title = unicodedata.normalize("NFKD", title or "").encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", "-", ascii_title).strip("-").lower()[:60] or "conversation"
