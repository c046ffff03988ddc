"""The list of updates: read within limits, believed only while it is fresh, whole and signed."""

import random
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from allerac.errors import UpdateFailed
from allerac.updates.catalogue import UpdateCatalogue
from allerac.updates.listing import FetchLimits, Trust
from allerac_release.new_keys import NewKeys, make_keys
from allerac_release.passphrases import Passphrases
from allerac_release.repository import utc_now

from .hostile_server import HostileServer, cut_after, endless, stalled, trickled
from .publisher import Publisher

IMPATIENT = FetchLimits(silence_seconds=0.5, total_seconds=1.5)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
YEARS = timedelta(days=365 * 20)
CUTS = 100

MakeCatalogue = Callable[..., UpdateCatalogue]


@pytest.fixture
def catalogue_of(tmp_path: Path, publisher: Publisher, server: HostileServer) -> MakeCatalogue:
    """Makes the client of a box, every time with the same memory."""

    def make(
        *,
        clock: timedelta = timedelta(0),
        built_at: datetime = LONG_AGO,
        url: str | None = None,
        limits: FetchLimits = FetchLimits(),  # noqa: B008 - frozen
    ) -> UpdateCatalogue:
        return UpdateCatalogue(
            url=url or server.url,
            folder=tmp_path / "tuf",
            trust=Trust(publisher.root_file, built_at),
            agent="allerac-test",
            limits=limits,
            clock=lambda: datetime.now(UTC) + clock,
        )

    return make


async def reason_of(catalogue: UpdateCatalogue, known_at: datetime | None = None) -> str:
    """Return why nothing is believed, and print it."""
    with pytest.raises(UpdateFailed) as caught:
        await catalogue.refresh(known_at)
    sys.stdout.write(f"{caught.value.reason}: {caught.value.message} ({caught.value.detail})\n")
    return caught.value.reason


async def versions_of(catalogue: UpdateCatalogue, known_at: datetime | None = None) -> list[str]:
    """Return what is offered."""
    listing = await catalogue.refresh(known_at)
    return sorted(str(offer.version) for offer in listing.offers)


async def test_an_offer_says_where_the_bundle_is_and_what_rauc_must_report(
    publisher: Publisher, server: HostileServer, catalogue_of: MakeCatalogue
) -> None:
    publisher.offer("1.1.0")
    listing = await catalogue_of().refresh(None)
    [offer] = listing.offers
    assert str(offer.version) == "1.1.0"
    assert offer.source.startswith(f"{server.url}/targets/vm/1.1.0/")
    assert offer.source.endswith(".allerac-vm-1.1.0.raucb")
    assert offer.size_bytes == 1_000_000
    assert await catalogue_of().known() == (offer,)
    assert abs(listing.proven_at - datetime.now(UTC)) < timedelta(minutes=1)


async def test_a_second_look_fetches_only_what_changed(
    publisher: Publisher, server: HostileServer, catalogue_of: MakeCatalogue
) -> None:
    publisher.offer("1.1.0")
    await catalogue_of().refresh(None)
    server.asked.clear()
    await catalogue_of().refresh(None)
    assert server.asked == ["/metadata/2.root.json", "/metadata/timestamp.json"]


@pytest.mark.slow
async def test_a_server_that_cuts_at_a_hundred_places_is_asked_again_and_nothing_is_lost(
    publisher: Publisher, server: HostileServer, catalogue_of: MakeCatalogue
) -> None:
    publisher.offer("1.1.0")
    offered = ["1.1.0"]
    believed = await versions_of(catalogue_of())
    draw = random.Random(4)  # noqa: S311 - a seed, not a secret
    for number in range(CUTS):
        name = draw.choice(["timestamp.json", "snapshot.json", "targets.json"])
        if name == "targets.json":
            offered.append(f"1.2.{number}")
            publisher.offer(offered[-1])
        else:
            publisher.refresh()
        server.answers = {name: cut_after(draw.random())}
        assert await reason_of(catalogue_of()) == "answer_cut"
        assert sorted(str(offer.version) for offer in await catalogue_of().known()) == believed
        if draw.random() < 0.2:
            server.answers = {}
            believed = await versions_of(catalogue_of())
    server.answers = {}
    assert await versions_of(catalogue_of()) == sorted(offered)
    sys.stdout.write(f"{CUTS} answers cut, then {len(offered)} versions believed\n")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(stalled, "server_slow"), (trickled, "server_slow"), (endless, "answer_too_long")],
)
@pytest.mark.parametrize("name", ["timestamp.json", "snapshot.json", "targets.json"])
async def test_slow_and_endless_answers_are_given_up_on(
    publisher: Publisher,
    server: HostileServer,
    catalogue_of: MakeCatalogue,
    answer: Callable[..., None],
    reason: str,
    name: str,
) -> None:
    publisher.offer("1.1.0")
    server.answers = {name: answer}
    began = datetime.now(UTC)
    assert await reason_of(catalogue_of(limits=IMPATIENT)) == reason
    assert datetime.now(UTC) - began < timedelta(seconds=10)
    server.answers = {}
    assert await versions_of(catalogue_of()) == ["1.1.0"]


async def test_a_server_that_is_away_or_empty_says_so(
    publisher: Publisher, server: HostileServer, catalogue_of: MakeCatalogue
) -> None:
    assert await reason_of(catalogue_of(url="http://127.0.0.1:1")) == "server_unreachable"
    assert await reason_of(catalogue_of(url=f"{server.url}/elsewhere")) == "server_failed"
    assert await reason_of(catalogue_of(url="file:///etc")) == "server_unreachable"


async def test_an_old_list_that_is_sent_again_is_refused(
    tmp_path: Path, publisher: Publisher, server: HostileServer, catalogue_of: MakeCatalogue
) -> None:
    publisher.offer("1.1.0")
    old = publisher.kept(tmp_path / "old")
    publisher.offer("1.2.0")
    assert await versions_of(catalogue_of()) == ["1.1.0", "1.2.0"]
    server.folder = old
    assert await reason_of(catalogue_of()) == "catalogue_replayed"
    assert [str(offer.version) for offer in await catalogue_of().known()] == ["1.1.0", "1.2.0"]


async def test_a_list_that_nobody_renews_is_not_relied_on(
    publisher: Publisher, catalogue_of: MakeCatalogue
) -> None:
    publisher.age = timedelta(days=8)
    publisher.offer("1.1.0")
    assert await reason_of(catalogue_of()) == "catalogue_expired"
    publisher.age = timedelta(0)
    publisher.refresh()
    assert await versions_of(catalogue_of()) == ["1.1.0"]


async def test_parts_of_two_lists_are_refused(
    tmp_path: Path, publisher: Publisher, server: HostileServer, catalogue_of: MakeCatalogue
) -> None:
    publisher.offer("1.1.0")
    old = publisher.kept(tmp_path / "old")
    publisher.offer("1.2.0")
    for name in ("snapshot", "targets"):
        mixed = publisher.kept(tmp_path / f"mixed-{name}")
        shutil.copy(old / f"metadata/1.{name}.json", mixed / f"metadata/2.{name}.json")
        server.folder = mixed
        assert await reason_of(catalogue_of()) == "catalogue_mixed"


async def test_a_list_of_somebody_else_is_refused(
    tmp_path: Path, publisher: Publisher, server: HostileServer, catalogue_of: MakeCatalogue
) -> None:
    make_keys(NewKeys(tmp_path / "theirs", development=True), Passphrases(), utc_now())
    theirs = Publisher(tmp_path / "their-repository", tmp_path / "theirs")
    theirs.offer("9.0.0")
    server.folder = theirs.folder
    assert await reason_of(catalogue_of()) == "catalogue_untrusted"


@pytest.mark.parametrize("name", ["timestamp.json", "1.snapshot.json", "1.targets.json"])
async def test_a_changed_byte_is_noticed_wherever_it_is(
    publisher: Publisher, catalogue_of: MakeCatalogue, name: str
) -> None:
    publisher.offer("1.1.0")
    path = publisher.folder / "metadata" / name
    content = bytearray(path.read_bytes())
    draw = random.Random(name)  # noqa: S311 - a seed, not a secret
    for _ in range(30):
        position = draw.randrange(len(content))
        flipped = bytearray(content)
        flipped[position] ^= 1 << draw.randrange(8)
        path.write_bytes(flipped)
        try:
            offers = (await catalogue_of().refresh(None)).offers
        except UpdateFailed as error:
            assert error.reason.startswith("catalogue_")  # noqa: PT017 - white space may change
        else:
            assert [str(offer.version) for offer in offers] == ["1.1.0"]


async def test_what_is_not_understood_is_passed_over(
    publisher: Publisher, catalogue_of: MakeCatalogue
) -> None:
    publisher.offer("1.1.0")
    publisher.offer("1.2.0", manifest_hash="none")
    publisher.offer("1.3.0", minimum_version="yesterday")
    publisher.offer("1.4.0", notes=None)
    assert await versions_of(catalogue_of()) == ["1.1.0"]


async def test_a_clock_twenty_years_behind_believes_the_image_and_what_was_signed(
    publisher: Publisher, catalogue_of: MakeCatalogue
) -> None:
    publisher.age = timedelta(days=8)
    publisher.offer("1.1.0")
    assert await versions_of(catalogue_of(clock=-YEARS)) == ["1.1.0"]
    today = datetime.now(UTC)
    assert await reason_of(catalogue_of(clock=-YEARS, built_at=today)) == "catalogue_expired"
    assert await reason_of(catalogue_of(clock=-YEARS), today) == "catalogue_expired"


async def test_a_clock_twenty_years_ahead_is_doubted_and_spoils_nothing(
    publisher: Publisher, catalogue_of: MakeCatalogue
) -> None:
    publisher.offer("1.1.0")
    assert await reason_of(catalogue_of(clock=YEARS)) == "clock_doubtful"
    listing = await catalogue_of().refresh(None)
    assert listing.proven_at < datetime.now(UTC) + timedelta(minutes=1)
    assert await reason_of(catalogue_of(clock=YEARS), listing.proven_at) == "clock_doubtful"
    assert await versions_of(catalogue_of(), listing.proven_at) == ["1.1.0"]


@pytest.mark.parametrize("name", ["timestamp.json", "snapshot.json", "targets.json", "root.json"])
async def test_a_memory_that_a_power_cut_tore_is_fetched_again(
    tmp_path: Path, publisher: Publisher, catalogue_of: MakeCatalogue, name: str
) -> None:
    publisher.offer("1.1.0")
    await catalogue_of().refresh(None)
    (tmp_path / "tuf" / name).write_bytes(b"")
    (tmp_path / "tuf" / "tmpabc").write_bytes(b"torn")
    assert await versions_of(catalogue_of()) == ["1.1.0"]
    assert not (tmp_path / "tuf" / "tmpabc").exists()


async def test_an_image_without_a_root_trusts_nobody(tmp_path: Path, server: HostileServer) -> None:
    trust = Trust(tmp_path / "missing.json", LONG_AGO)
    catalogue = UpdateCatalogue(url=server.url, folder=tmp_path / "tuf", trust=trust, agent="test")
    assert await reason_of(catalogue) == "catalogue_untrusted"
    assert server.asked == []
