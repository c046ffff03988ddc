"""What of a branch the model reads: a summary of its beginning, then its newest turns."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from allerac.storage.conversations import MessageRecord, SummaryRecord

from .library import NO_SETTING, Setting
from .prompt import Turn


@dataclass(frozen=True, slots=True)
class History:
    """`summary` stands for what was said before `turns`; `left_out` messages are not read at all.

    `turns` begins with a person's message, and the two sides take turns. `setting` is how they are
    answered.
    """

    turns: tuple[Turn, ...]
    summary: SummaryRecord | None = None
    left_out: int = 0
    setting: Setting = NO_SETTING

    @property
    def summarised(self) -> int:
        """How many messages the summary stands for."""
        return self.summary.message_count if self.summary else 0

    def followed_by(self, turn: Turn) -> "History":
        """Return the history with one turn more."""
        return replace(self, turns=(*self.turns, turn))

    def starts(self) -> list[int]:
        """Return the positions in `turns` where the history could begin and be shorter."""
        first = 0 if self.summary else 1
        return [
            position
            for position, turn in enumerate(self.turns)
            if position >= first and turn.role == "user"
        ]

    def beginning_at(self, position: int) -> "History":
        """Return the history that leaves out the summary and the turns before `position`."""
        skipped = self.left_out + self.summarised + position
        return replace(self, turns=self.turns[position:], summary=None, left_out=skipped)


def history_of(branch: Sequence[MessageRecord], start_id: str | None) -> History:
    """Return what is read of `branch`: all of it, or from the message `start_id` on.

    The longest summary that begins there stands for what it covers.
    """
    left_out = next((at for at, message in enumerate(branch) if message.id == start_id), 0)
    shown = branch[left_out:]
    covered, summary = 0, None
    for count, message in enumerate(shown, start=1):
        if message.summary is not None and message.summary.from_id == shown[0].id:
            covered, summary = count, message.summary
    turns = tuple(turn_of(message) for message in shown[covered:])
    return History(turns, summary, left_out)


def turn_of(message: MessageRecord) -> Turn:
    """Return a stored message as a turn of the prompt."""
    return Turn(message.role, message.content, message_id=message.id)
