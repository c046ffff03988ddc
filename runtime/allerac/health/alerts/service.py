"""Alerts: what is chosen, the test button, and the way from an issue to a person."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final, Literal, Protocol, get_args
from zoneinfo import ZoneInfo

from allerac.errors import AlleracError, Conflict
from allerac.health.issues import Change

from .channels import send_mail, send_ntfy, send_webhook
from .dispatch import AlertDispatcher, Send
from .message import Alert, alert_of, trial_alert
from .outbox import NoOutbox, Outbox
from .settings import AlertSettings, Language, SettingsFile

ChannelName = Literal["mail", "webhook", "ntfy"]
CHANNELS: Final[tuple[ChannelName, ...]] = get_args(ChannelName)


@dataclass(frozen=True, slots=True)
class _Way:
    """A channel to those who read one language, None for that of the household."""

    channel: ChannelName
    language: Language | None
    send: Callable[[Alert], Awaitable[None]]

    @property
    def name(self) -> str:
        """Return what tells it from the others: each is tried again by itself."""
        return self.channel if self.language is None else f"{self.channel}:{self.language}"


class Household(Protocol):
    """What an alert needs to know of the box."""

    @property
    def name(self) -> str:
        """What the household calls it."""

    @property
    def time_zone(self) -> str:
        """Where it stands, as an IANA name."""

    @property
    def language(self) -> Language:
        """What is spoken there."""


class AlertService:
    """`household` is asked for each alert."""

    def __init__(
        self,
        file: SettingsFile,
        household: Callable[[], Awaitable[Household]],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        outbox: Outbox | None = None,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """`outbox` keeps what is still to be told; without one a restart forgets it.

        `steady` counts seconds that nobody sets.
        """
        self._file = file
        self._household = household
        self._clock = clock
        self._zone = ZoneInfo("UTC")
        self._box = "Allerac"
        self._language: Language = "en"
        self.dispatcher = AlertDispatcher(
            self.settings, self._channels, self._is_quiet, outbox or NoOutbox(), steady
        )

    async def start(self) -> None:
        """Take over what was before, and begin to send."""
        await self.recall()
        await self.dispatcher.start()

    async def recall(self) -> None:
        """Read what was chosen, and what is still to be told."""
        await asyncio.to_thread(self._file.load)
        await self._look_around()
        await self.dispatcher.recall()

    async def stop(self) -> None:
        """Send no more."""
        await self.dispatcher.stop()

    def settings(self) -> AlertSettings:
        """Return what is chosen."""
        return self._file.load()

    @property
    def problems(self) -> Mapping[str, str]:
        """Why a channel did not take the last alert, by its name."""
        told = self.dispatcher.problems
        return {way.channel: told[way.name] for way in self._ways() if way.name in told}

    async def choose(self, settings: AlertSettings) -> None:
        """Keep what is chosen from now on. Raises `StorageUnavailable`."""
        await asyncio.to_thread(self._file.save, settings)
        self.dispatcher.problems.clear()

    async def test(self, channel: ChannelName) -> None:
        """Send a test now. Raises `Conflict` where it is off, `Unavailable` where it fails."""
        ways = [way for way in self._ways() if way.channel == channel]
        if not ways:
            raise Conflict("This way is switched off.", hint="Fill it in and save it first.")
        await self._look_around()
        for way in ways:
            language = way.language or self._language
            await way.send(trial_alert(box=self._box, language=language, at=self._clock()))

    async def hear(self, change: Change) -> None:
        """Take note of a change to an issue."""
        await self._look_around()
        await self.dispatcher.hear(change)

    async def _look_around(self) -> None:
        """Learn of the household; with a damaged database what was known before stands."""
        try:
            household = await self._household()
            self._box, self._zone = household.name, ZoneInfo(household.time_zone)
            self._language = household.language
        except (AlleracError, LookupError, ValueError):
            return

    def _is_quiet(self) -> bool:
        quiet = self.settings().quiet
        return quiet is not None and quiet.covers(self._clock(), self._zone)

    def _ways(self) -> Iterator[_Way]:
        chosen = self.settings()
        if chosen.mail is not None:
            for language, mail in chosen.mail.readers().items():
                yield _Way("mail", language, partial(send_mail, mail))
        if chosen.webhook is not None:
            yield _Way("webhook", chosen.webhook.language, partial(send_webhook, chosen.webhook))
        if chosen.ntfy is not None:
            yield _Way("ntfy", chosen.ntfy.language, partial(send_ntfy, chosen.ntfy))

    def _channels(self) -> Mapping[str, Send]:
        def told(way: _Way) -> Send:
            language = way.language or self._language
            return lambda change: way.send(
                alert_of(change, box=self._box, language=language, zone=self._zone)
            )

        return {way.name: told(way) for way in self._ways()}
