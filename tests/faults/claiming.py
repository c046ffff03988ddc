"""One of several processes that all want to own the same box; prints who won."""

import asyncio
import sys
from pathlib import Path

from allerac.accounts import Passwords, codes, names, passwords
from allerac.errors import AlleracError, Conflict, Gone
from allerac.onboarding import OnboardingService
from allerac.onboarding.claim_code import ClaimCode
from allerac.storage import Database
from allerac.storage.attempts import AttemptStore
from allerac.storage.box import BoxStore

CODE = "ABCDEFGH"
NAMES = ("language", "claim", "owner", "saved", "box", "model", "privacy", "finish")


class CheapSecrets:
    """The accounts room's secrets with a hash that costs nothing."""

    def __init__(self) -> None:
        self._passwords = Passwords(memory_kib=8, passes=1)

    clean_name = staticmethod(names.clean_name)
    name_key = staticmethod(names.name_key)
    normalise_code = staticmethod(codes.normalise_code)
    new_token = staticmethod(codes.new_token)
    hash_token = staticmethod(codes.hash_token)
    require_strong = staticmethod(passwords.require_strong)

    async def hash_password(self, password: str) -> str:
        """Return the encoded hash."""
        return await self._passwords.hash(password)

    async def keep_for_rescue(self, code: str) -> None:
        """Keep nothing: no rescue page reads here."""

    def new_recovery_code(self) -> str:
        """Return a code to keep."""
        return codes.new_code(codes.RECOVERY_GROUPS)


def wizard_over(database: Database, folder: Path) -> OnboardingService:
    """Return the wizard of the box in `folder`."""
    return OnboardingService(
        store=BoxStore(database),
        attempts=AttemptStore(database),
        code=ClaimCode(folder / "claim-code", lambda: CODE),
        secrets=CheapSecrets(),
    )


async def take_step(  # noqa: C901 - one case for each step
    wizard: OnboardingService, step: str, token: str | None
) -> str | None:
    """Do one step; returns the token for those that follow."""
    match step:
        case "language":
            await wizard.set_language("en")
        case "claim":
            return await wizard.verify_code(CODE, address="test")
        case "owner":
            await wizard.set_owner(token, name="Ana", password="three quiet lanterns")  # noqa: S106 - made up
        case "saved":
            await wizard.confirm_recovery_saved(token)
        case "box":
            await wizard.set_box(token, name="Kitchen", time_zone="Europe/Berlin")
        case "model":
            await wizard.set_model(token, model_id="allerac-demo", download=False)
        case "privacy":
            await wizard.set_privacy(token, automatic_updates=True, update_hour=3)
        case "finish":
            await wizard.finish(token, agent="test", address="test")
        case _:
            raise ValueError(step)
    return token


async def race(folder: Path, token: str, attempts: int) -> tuple[int, int]:
    """Finish `attempts` times at once; returns how many won and how many were told they lost."""
    database = Database(folder / "allerac.sqlite")
    await database.open()
    wizard = wizard_over(database, folder)
    try:
        outcomes = await asyncio.gather(
            *(wizard.finish(token, agent="test", address="test") for _ in range(attempts)),
            return_exceptions=True,
        )
    finally:
        await database.close()
    lost = sum(isinstance(outcome, Conflict | Gone) for outcome in outcomes)
    won = sum(not isinstance(outcome, BaseException) for outcome in outcomes)
    for outcome in outcomes:
        if isinstance(outcome, BaseException) and not isinstance(outcome, Conflict | Gone):
            raise outcome
    return won, lost


async def walk(folder: Path) -> None:
    """Go through the wizard, saying each step once it is acknowledged."""
    database = Database(folder / "allerac.sqlite")
    await database.open()
    wizard = wizard_over(database, folder)
    await wizard.start()
    token: str | None = None
    for step in NAMES:
        token = await take_step(wizard, step, token)
        sys.stdout.write(f"{step} {token or '-'}\n")
        sys.stdout.flush()
    await database.close()


def main() -> None:
    """`race FOLDER TOKEN ATTEMPTS` for each line of standard input, or `walk FOLDER`."""
    if sys.argv[1] == "walk":
        asyncio.run(walk(Path(sys.argv[2])))
        return
    for line in sys.stdin:
        folder, token, attempts = line.split()
        try:
            won, lost = asyncio.run(race(Path(folder), token, int(attempts)))
        except AlleracError as error:
            won, lost = -1, 0
            sys.stderr.write(f"{error.code}: {error}\n")
        sys.stdout.write(f"{won} {lost}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
