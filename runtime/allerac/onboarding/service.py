"""The wizard as one state machine on the server.

Nothing is decided in the browser: each step is stored before it is answered, so that a reload, a
power cut or another phone goes on where the last answer was. The claim itself is one conditional
insert; whoever comes second is told so.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Protocol, cast

from allerac.errors import (
    Conflict,
    Forbidden,
    Gone,
    TooManyAttempts,
    WrongCredentials,
)
from allerac.storage.accounts import Language, NewPerson, NewSession, Person
from allerac.storage.attempts import AttemptStore
from allerac.storage.box import BoxStore, ClaimedBox, clean_box_name, require_time_zone

from .claim_code import ClaimProof

Step = Literal["language", "claim", "owner", "box", "model", "privacy", "ready"]
STEPS: tuple[Step, ...] = ("language", "claim", "owner", "box", "model", "privacy", "ready")

TRIES_PER_MINUTE = 5
TRIES_IN_ALL = 50
SESSION_DAYS = 30
DEVICES = 256
"""Devices that may go through the wizard at once; the earliest has to prove the code again."""
FOREVER_SECONDS = 10 * 365 * 86400
IN_ALL = "claim-in-all"


class Secrets(Protocol):
    """How secrets are made and checked; the accounts room has them, `app.py` hands them in."""

    def clean_name(self, text: str) -> str:
        """Return a person's name as it is shown. Raises `InvalidInput`."""

    def name_key(self, name: str) -> str:
        """Return a person's name as it is compared."""

    def require_strong(self, password: str, names: Sequence[str]) -> None:
        """Raise `InvalidInput` for a password that would be guessed."""

    async def hash_password(self, password: str) -> str:
        """Return the encoded hash."""

    def new_recovery_code(self) -> str:
        """Return a code to keep."""

    async def keep_for_rescue(self, code: str) -> None:
        """Let a recovery code, normalised, open the rescue page."""

    def normalise_code(self, text: str) -> str:
        """Return a typed code as it was made."""

    def new_token(self) -> str:
        """Return random text for a cookie."""

    def hash_token(self, token: str) -> str:
        """Return what is kept of a token."""


@dataclass(frozen=True, slots=True)
class OnboardingState:
    """Where the wizard stands. What was typed is None for whoever has not proven the code."""

    step: Step
    steps: tuple[Step, ...]
    language: Language
    code_verified: bool = False
    owner_name: str | None = None
    recovery_saved: bool = False
    box_name: str | None = None
    time_zone: str | None = None
    model_id: str | None = None
    download_model: bool = False
    automatic_updates: bool = True
    update_hour: int = 3


@dataclass(frozen=True, slots=True)
class Claimed:
    """The owner's first session, and what model to begin with."""

    person: Person
    token: str
    expires_at: datetime
    model_id: str | None
    download_model: bool


class OnboardingService:
    """One wizard per box; every method raises `Gone` after the claim."""

    def __init__(
        self,
        *,
        store: BoxStore,
        attempts: AttemptStore,
        code: ClaimProof,
        secrets: Secrets,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._attempts = attempts
        self._code = code
        self._secrets = secrets
        self._clock = clock
        self._claimed = False

    async def start(self) -> None:
        """Have a claim code ready while the box is nobody's; guesses are forgiven by a restart.

        Only somebody at the machine can restart it, which is the physical presence that a locked
        wizard asks for.
        """
        if await self.is_claimed():
            self._code.burn()
            return
        self._code.read_or_make()
        await self._attempts.clear(IN_ALL)

    async def require_unclaimed(self) -> None:
        """Raise `Gone` after the claim."""
        if await self.is_claimed():
            raise _claimed()

    async def is_claimed(self) -> bool:
        """Tell whether the box has an owner; it never loses one while it runs."""
        if not self._claimed:
            self._claimed = (await self._store.load()).claimed_at is not None
        return self._claimed

    def claim_code(self) -> str | None:
        """Return the code as it is printed, XXXX-XXXX; None after the claim or if on the label."""
        code = None if self._claimed else self._code.read()
        return code and f"{code[:4]}-{code[4:]}"

    async def state(self, token: str | None) -> OnboardingState:
        """Return where the wizard stands for whoever holds `token`."""
        await self.require_unclaimed()
        draft = await self._store.draft()
        language = cast("Language", draft.get("language", "en"))
        if not self._proves(draft, token):
            step: Step = "claim" if "language" in draft else "language"
            return OnboardingState(step=step, steps=STEPS, language=language)
        return OnboardingState(
            step=_next_step(draft),
            steps=STEPS,
            language=language,
            code_verified=True,
            owner_name=draft.get("owner_name"),
            recovery_saved=bool(draft.get("recovery_saved")),
            box_name=draft.get("box_name"),
            time_zone=draft.get("time_zone"),
            model_id=draft.get("model_id"),
            download_model=bool(draft.get("download_model")),
            automatic_updates=bool(draft.get("automatic_updates", True)),
            update_hour=int(draft.get("update_hour", 3)),
        )

    async def require_setup(self, token: str | None) -> dict[str, Any]:
        """Return the draft. Raises `Gone`, or `Forbidden` without proof of the claim code."""
        await self.require_unclaimed()
        draft = await self._store.draft()
        if not self._proves(draft, token):
            await self.require_unclaimed()  # a claim meanwhile has taken the draft along
            raise Forbidden(
                "Prove first that this box is yours.", hint="Type the code on its label."
            )
        return draft

    async def set_language(self, language: str) -> None:
        """Choose the language; open to all because nothing can be typed before it."""
        await self.require_unclaimed()
        await self._change({"language": language})

    async def verify_code(self, code: str, *, address: str) -> str:
        """Return a token for the steps that follow. Raises `WrongCredentials`, `TooManyAttempts`.

        Several devices may prove the code; they share one draft.
        """
        await self.require_unclaimed()
        await self._count_try(address)
        if not await self._code.matches(self._secrets.normalise_code(code)):
            await self.require_unclaimed()  # burnt by a claim meanwhile
            raise WrongCredentials(
                "That is not the code of this box.",
                hint="Look at the label on its back, or at the screen that is plugged in.",
                fields={"tries_left": str(await self._tries_left(address))},
            )
        await self._attempts.clear(_bucket_of(address))
        token = self._secrets.new_token()
        hashed = self._secrets.hash_token(token)

        def remember(draft: dict[str, Any]) -> None:
            draft["setup_hashes"] = [*draft.get("setup_hashes", []), hashed][-DEVICES:]

        await self._store.change_draft(remember, self._clock())
        return token

    async def set_owner(self, token: str | None, *, name: str, password: str) -> str:
        """Note who will be the owner and return a recovery code; again makes a new one."""
        await self.require_setup(token)
        shown = self._secrets.clean_name(name)
        self._secrets.require_strong(password, [shown])
        code = self._secrets.new_recovery_code()
        kept = self._secrets.normalise_code(code)
        await self._change(
            {
                "owner_name": shown,
                "password_hash": await self._secrets.hash_password(password),
                "recovery_hash": await self._secrets.hash_password(kept),
                "recovery_saved": False,
            }
        )
        await self._secrets.keep_for_rescue(kept)
        return code

    async def confirm_recovery_saved(self, token: str | None) -> None:
        """Note that the recovery code is in a safe place."""
        draft = await self.require_setup(token)
        if "recovery_hash" not in draft:
            raise Conflict("There is no recovery code yet.", hint="Say first who you are.")
        await self._change({"recovery_saved": True})

    async def set_box(self, token: str | None, *, name: str, time_zone: str) -> None:
        """Name the box."""
        await self.require_setup(token)
        await self._change(
            {"box_name": clean_box_name(name), "time_zone": require_time_zone(time_zone)}
        )

    async def set_model(self, token: str | None, *, model_id: str, download: bool) -> None:
        """Note the model to begin with; `download` fetches it after the claim."""
        await self.require_setup(token)
        await self._change({"model_id": model_id, "download_model": download})

    async def set_privacy(
        self, token: str | None, *, automatic_updates: bool, update_hour: int
    ) -> None:
        """Note when the box may update itself."""
        await self.require_setup(token)
        await self._change({"automatic_updates": automatic_updates, "update_hour": update_hour})

    async def finish(self, token: str | None, *, agent: str, address: str) -> Claimed:
        """Claim the box. Raises `Conflict` when a step is missing or somebody was quicker."""
        draft = await self.require_setup(token)
        missing = _next_step(draft)
        if missing != "ready":
            raise Conflict("The wizard is not done yet.", fields={"step": missing})
        now = self._clock()
        session_token = self._secrets.new_token()
        expires_at = now + timedelta(days=SESSION_DAYS)
        hashed = self._secrets.hash_token(session_token)
        owner = await self._store.claim(
            ClaimedBox(
                owner=self._owner(draft),
                session=NewSession(hashed, agent, address, now, expires_at),
                name=draft["box_name"],
                time_zone=draft["time_zone"],
                default_model_id=draft.get("model_id"),
                automatic_updates=draft["automatic_updates"],
                update_hour=draft["update_hour"],
            )
        )
        self._claimed = True
        self._code.burn()
        model_id = draft.get("model_id")
        return Claimed(owner, session_token, expires_at, model_id, bool(draft["download_model"]))

    def _owner(self, draft: dict[str, Any]) -> NewPerson:
        return NewPerson(
            name=draft["owner_name"],
            name_key=self._secrets.name_key(draft["owner_name"]),
            role="owner",
            language=draft.get("language", "en"),
            password_hash=draft["password_hash"],
            recovery_hash=draft["recovery_hash"],
        )

    async def _change(self, changes: dict[str, Any]) -> None:
        await self._store.change_draft(lambda draft: draft.update(changes), self._clock())

    def _proves(self, draft: dict[str, Any], token: str | None) -> bool:
        return bool(token) and self._secrets.hash_token(token or "") in draft.get(
            "setup_hashes", []
        )

    async def _count_try(self, address: str) -> None:
        """Count a try, of the address first: what is refused there does not lock the wizard."""
        take: Callable[..., Awaitable[int]] = self._attempts.take
        now = self._clock()
        wait = await take(_bucket_of(address), limit=TRIES_PER_MINUTE, window_seconds=60, now=now)
        if wait:
            raise TooManyAttempts(
                "Too many wrong codes.",
                retry_after_seconds=wait,
                hint=f"Wait {wait} s. The code is on the label on the back of the box.",
            )
        in_all = await take(IN_ALL, limit=TRIES_IN_ALL, window_seconds=FOREVER_SECONDS, now=now)
        if in_all:
            raise TooManyAttempts(
                "Too many wrong codes: the wizard is locked.",
                retry_after_seconds=in_all,
                hint="Unplug the box, plug it in again, then type the code on its label.",
            )

    async def _tries_left(self, address: str) -> int:
        here = TRIES_PER_MINUTE - await self._attempts.count(_bucket_of(address))
        in_all = TRIES_IN_ALL - await self._attempts.count(IN_ALL)
        return max(0, min(here, in_all))


def _bucket_of(address: str) -> str:
    return f"claim:{address}"[:128]


def _claimed() -> Gone:
    return Gone("This box has its owner.", hint="Sign in, or ask for an invitation.")


def _next_step(draft: dict[str, Any]) -> Step:
    needs: tuple[tuple[Step, str], ...] = (
        ("language", "language"),
        ("claim", "setup_hashes"),
        ("owner", "password_hash"),
        ("box", "box_name"),
        ("model", "model_id"),
        ("privacy", "update_hour"),
    )
    for step, key in needs:
        if key not in draft or (step == "owner" and not draft.get("recovery_saved")):
            return step
    return "ready"
