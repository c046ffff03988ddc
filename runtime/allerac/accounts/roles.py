"""Who decides about whom."""

from allerac.errors import Forbidden
from allerac.storage.accounts import Person


def require_power(actor: Person, target: Person, new_role: str | None) -> None:
    """Raise `Forbidden` unless `actor` may decide about `target`."""
    if target.role == "owner":
        raise Forbidden(
            "The owner stays the owner.", hint="A box without an owner would be nobody's."
        )
    if actor.id == target.id:
        raise Forbidden("Nobody decides about their own role.", hint="Ask the owner.")
    if actor.role == "owner":
        return
    if actor.role != "admin" or target.role == "admin" or new_role == "admin":
        raise Forbidden("Only the owner may do this.", hint="Ask the owner.")
