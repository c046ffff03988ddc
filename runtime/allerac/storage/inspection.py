"""Looking at the database from another process, which changes nothing: the update gate's view."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from allerac.errors import StorageDamaged, StorageUnavailable

from .migrations import STEPS
from .sqlite import meaning_of, open_readers
from .tables import household


@dataclass(frozen=True, slots=True)
class Inspection:
    """The file at `schema` of the `known_schema` steps that this version would take.

    `claimed` tells whether it belongs to a household.
    """

    schema: int
    known_schema: int
    claimed: bool


def inspect_database(path: Path) -> Inspection:
    """Read the whole file once and look for damage; nothing is created or migrated.

    Raises `StorageUnavailable` when it is missing or cannot be read, `StorageDamaged`.
    """
    if not path.is_file():
        raise StorageUnavailable("There is no database.")
    engine = open_readers(path, 1)
    try:
        with engine.begin() as connection:
            damage = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
            if damage != "ok":
                raise StorageDamaged(f"The box's data is damaged: {damage}")
            schema = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
            has_household = connection.dialect.has_table(connection, household.name)
            claimed = has_household and connection.execute(select(household.c.id)).first()
            return Inspection(schema, len(STEPS), bool(claimed))
    except DBAPIError as error:
        raise meaning_of(error) or error from error
    finally:
        engine.dispose()
