"""Any steps in any order, on any device, over any restart: one owner, and no step skipped."""

import asyncio
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import Connection, select

from allerac.errors import AlleracError, Conflict, Forbidden, Gone, InvalidInput, WrongCredentials
from allerac.onboarding import OnboardingService
from allerac.onboarding.claim_code import ClaimCode
from allerac.onboarding.service import Claimed
from allerac.storage import Database
from allerac.storage.attempts import AttemptStore
from allerac.storage.box import BoxStore
from allerac.storage.tables import box, household, onboarding, person, session
from tests.faults.claiming import CODE, CheapSecrets

STEPS = ("language", "claim", "owner", "box", "model", "privacy")
STRANGER = "a token that nobody was given"
NAMES = st.sampled_from(["Ana", "Ben", "\u200b", ""])
PASSWORDS = st.sampled_from(["three quiet lanterns", "password"])
BOX_NAMES = st.sampled_from(["Kitchen", "Attic", "   ", "a" * 41])
TIME_ZONES = st.sampled_from(["Europe/Berlin", "UTC", "Berlin"])
DEVICES = st.integers(0, 3)
FINISHERS = st.lists(DEVICES, min_size=1, max_size=4)

Act = Callable[[OnboardingService, str | None], Coroutine[Any, Any, Any]]


class WizardMachine(RuleBasedStateMachine):
    """What was acknowledged, beside the real wizard over a real database."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.scratch = tempfile.TemporaryDirectory()
        self.folder = Path(self.scratch.name)
        self.now = datetime.now(UTC)
        self.tokens: list[str | None] = [None, STRANGER]
        self.told: dict[str, Any] = {}
        self.owner: str | None = None

    @initialize()
    def begin(self) -> None:
        """Start the box for the first time."""
        self.runner.run(self._start())

    async def _start(self) -> None:
        self.database = Database(self.folder / "allerac.sqlite")
        await self.database.open()
        self.wizard = OnboardingService(
            store=BoxStore(self.database),
            attempts=AttemptStore(self.database),
            code=ClaimCode(self.folder / "claim-code", lambda: CODE),
            secrets=CheapSecrets(),
            clock=lambda: self.now,
        )
        await self.wizard.start()

    def teardown(self) -> None:
        """Let go of the files."""
        if hasattr(self, "database"):
            self.runner.run(self.database.close())
        self.runner.close()
        self.scratch.cleanup()

    def _device(self, place: int) -> str | None:
        return self.tokens[-1 - place % len(self.tokens)]

    def _proves(self, token: str | None) -> bool:
        return token not in {None, STRANGER}

    def _missing(self) -> str | None:
        done = {"claim"} if len(self.tokens) > 2 else set()
        done |= set(self.told)
        if not self.told.get("saved"):
            done.discard("owner")
        return next((step for step in STEPS if step not in done), None)

    def _ask(self, asked: Coroutine[Any, Any, Any]) -> Any:
        """Return the wizard's answer, or the error that it raised."""
        try:
            return self.runner.run(asked)
        except AlleracError as error:
            return error

    def _does(self, place: int, act: Act, *, refused: type[AlleracError] | None = None) -> bool:
        """Let a device act; check that it is refused exactly when it must be."""
        token = self._device(place)
        expected = refused if self._proves(token) else Forbidden
        if self.owner is not None:
            expected = Gone
        answer = self._ask(act(self.wizard, token))
        assert isinstance(answer, AlleracError) == (expected is not None)
        assert expected is None or type(answer) is expected
        return expected is None

    @rule(language=st.sampled_from(["en", "de"]))
    def choose_language(self, language: str) -> None:
        """Anyone may."""
        answer = self._ask(self.wizard.set_language(language))
        assert isinstance(answer, Gone) == (self.owner is not None)
        if answer is None:
            self.told["language"] = language

    @rule(code=st.sampled_from([CODE, "abcd-efgh", "ABCDEFGX"]))
    def type_code(self, code: str) -> None:
        """A device proves the code, or does not."""
        self.now += timedelta(minutes=2)
        answer = self._ask(self.wizard.verify_code(code, address="here"))
        if self.owner is not None:
            assert isinstance(answer, Gone)
        elif code == "ABCDEFGX":
            assert isinstance(answer, WrongCredentials)
        else:
            self.tokens.append(answer)

    @rule(device=DEVICES, name=NAMES, password=PASSWORDS)
    def name_owner(self, device: int, name: str, password: str) -> None:
        """Say who will be the owner."""
        good = name in {"Ana", "Ben"} and password != "password"  # noqa: S105 - made up
        done = self._does(
            device,
            lambda wizard, token: wizard.set_owner(token, name=name, password=password),
            refused=None if good else InvalidInput,
        )
        if done:
            self.told |= {"owner": name, "saved": False}

    @rule(device=DEVICES)
    def save_recovery_code(self, device: int) -> None:
        """Say that the recovery code is kept."""
        done = self._does(
            device,
            lambda wizard, token: wizard.confirm_recovery_saved(token),
            refused=None if "owner" in self.told else Conflict,
        )
        if done:
            self.told["saved"] = True

    @rule(device=DEVICES, name=BOX_NAMES, time_zone=TIME_ZONES)
    def name_box(self, device: int, name: str, time_zone: str) -> None:
        """Say what the box is called and where it is."""
        good = name in {"Kitchen", "Attic"} and time_zone != "Berlin"
        done = self._does(
            device,
            lambda wizard, token: wizard.set_box(token, name=name, time_zone=time_zone),
            refused=None if good else InvalidInput,
        )
        if done:
            self.told["box"] = (name, time_zone)

    @rule(device=DEVICES, model_id=st.sampled_from(["small", "large"]))
    def choose_model(self, device: int, model_id: str) -> None:
        """Say which model to begin with."""
        done = self._does(
            device,
            lambda wizard, token: wizard.set_model(token, model_id=model_id, download=False),
        )
        if done:
            self.told["model"] = model_id

    @rule(device=DEVICES, hour=st.integers(0, 23))
    def choose_privacy(self, device: int, hour: int) -> None:
        """Say when updates may come."""
        done = self._does(
            device,
            lambda wizard, token: wizard.set_privacy(
                token, automatic_updates=True, update_hour=hour
            ),
        )
        if done:
            self.told["privacy"] = hour

    @rule(order=st.permutations(range(5)), left_out=st.integers(0, 9), devices=FINISHERS)
    def hurry(self, order: Sequence[int], left_out: int, devices: list[int]) -> None:
        """Take all steps in some order, or all but one, and finish."""
        acts: list[Callable[[], None]] = [
            lambda: self.choose_language("en"),
            lambda: self.name_owner(0, "Ana", "three quiet lanterns"),
            lambda: self.name_box(0, "Kitchen", "UTC"),
            lambda: self.choose_model(0, "small"),
            lambda: self.choose_privacy(0, 3),
        ]
        self.type_code(CODE)
        for place in order:
            if place != left_out:
                acts[place]()
        if left_out != len(acts):
            self.save_recovery_code(0)
        self.finish(devices)

    @rule(devices=FINISHERS)
    def finish(self, devices: list[int]) -> None:
        """Several devices finish at the same moment."""
        tokens = [self._device(place) for place in devices]
        outcomes = self.runner.run(_all_finish(self.wizard, tokens))
        won = [outcome for outcome in outcomes if isinstance(outcome, Claimed)]
        proven = any(self._proves(token) for token in tokens)
        may = self.owner is None and proven and self._missing() is None
        assert len(won) == int(may)
        for outcome in outcomes:
            if isinstance(outcome, Conflict) and not may:
                assert outcome.fields == {"step": self._missing()}
            assert isinstance(outcome, Claimed | Conflict | Gone | Forbidden), outcome
        if won:
            self.owner = won[0].person.name
            assert self.owner == self.told["owner"]

    @rule()
    def restart(self) -> None:
        """Stop the box and start it again."""
        self.runner.run(self.database.close())
        self.runner.run(self._start())

    @rule(device=DEVICES)
    def look(self, device: int) -> None:
        """What a device is shown is what was acknowledged, to whoever proved the code."""
        token = self._device(device)
        state = self._ask(self.wizard.state(token))
        if self.owner is not None:
            assert isinstance(state, Gone)
            return
        assert state.language == self.told.get("language", "en")
        assert state.code_verified == self._proves(token)
        if not state.code_verified:
            assert state.step == ("claim" if "language" in self.told else "language")
            assert (state.owner_name, state.box_name, state.model_id) == (None, None, None)
            return
        assert state.step == (self._missing() or "ready")
        assert state.owner_name == self.told.get("owner")
        assert (state.box_name, state.time_zone) == self.told.get("box", (None, None))
        assert state.model_id == self.told.get("model")
        assert state.update_hour == self.told.get("privacy", 3)

    @invariant()
    def one_owner_once_claimed_and_none_before(self) -> None:
        """The database tells the same story."""
        if not hasattr(self, "database"):
            return
        found = self.runner.run(self.database.read(_rows))
        owners, counts, named, claimed, drafts = found
        assert owners == ([self.owner] if self.owner is not None else [])
        assert counts == [len(owners)] * 2
        assert claimed == bool(owners)
        if claimed:
            assert self._missing() is None
            assert named == (*self.told["box"], self.told["model"], self.told["privacy"])
            assert drafts == 0
            assert not (self.folder / "claim-code").exists()


async def _all_finish(
    wizard: OnboardingService, tokens: Sequence[str | None]
) -> list[Claimed | BaseException]:
    return await asyncio.gather(
        *(wizard.finish(token, agent="", address="") for token in tokens),
        return_exceptions=True,
    )


def _rows(connection: Connection) -> tuple[list[str], list[int], tuple[Any, ...], bool, int]:
    owners = list(connection.scalars(select(person.c.name).where(person.c.role == "owner")))
    counts = [len(connection.execute(select(table)).all()) for table in (household, session)]
    row = connection.execute(select(box)).one()
    named = (row.name, row.time_zone, row.default_model_id, row.update_hour)
    drafts = len(connection.execute(select(onboarding)).all())
    return owners, counts, named, row.claimed_at is not None, drafts


TestWizard = pytest.mark.slow(WizardMachine.TestCase)
TestWizard.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
