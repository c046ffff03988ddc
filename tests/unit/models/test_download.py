"""Downloads against a line that breaks and a server that changes its mind."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from allerac.errors import Conflict, InsufficientDisk, NotFound

from .conftest import MODEL, Room, failure, open_room, pin_of
from .file_server import FileServer, respond
from .gguf_file import gguf_bytes

REPOSITORY = Path(__file__).parents[3]


def offsets(server: FileServer) -> list[int]:
    return [request.offset for request in server.requests]


async def test_file_gets_its_name_only_when_complete(room: Room, content: bytes) -> None:
    await room.service.download(MODEL)
    assert not room.file.exists()
    card = await room.settled()
    assert card.state == "installed"
    assert room.service.installed_path(MODEL).read_bytes() == content
    assert list((room.directory / "downloads").iterdir()) == []


async def test_request_names_the_pinned_revision(room: Room) -> None:
    await room.service.download(MODEL)
    await room.settled()
    assert room.server.requests[0].path == f"/allerac/tiny/resolve/{'0' * 40}/{MODEL}.gguf"


async def test_cut_transfer_continues_where_it_broke(room: Room, content: bytes) -> None:
    cuts = [200_000, 400_000, 650_000, 900_000]
    room.server.script.extend(room.server.cut_after(cut) for cut in cuts)
    await room.service.download(MODEL)
    assert (await room.settled()).state == "installed"
    assert room.file.read_bytes() == content
    assert offsets(room.server) == [0, *cuts]
    assert [r.headers.get("if-range") for r in room.server.requests[1:]] == ['"one"'] * 4


async def test_stalled_transfer_is_taken_up_again(room: Room, content: bytes) -> None:
    room.server.script.append(room.server.stall_after(300_000))
    await room.service.download(MODEL)
    assert (await room.settled()).state == "installed"
    assert offsets(room.server) == [0, 300_000]


async def test_server_that_always_stalls_ends_in_advice_and_keeps_the_bytes(room: Room) -> None:
    room.server.script.extend(room.server.stall_after(300_000) for _ in range(8))
    code, message = await failure(room)
    assert (code, message) == ("download_failed", "The server stopped sending.")
    assert room.part.stat().st_size == 300_000
    assert len(room.server.requests) == 4  # one that brought bytes, three that brought none


async def test_server_that_ignores_ranges_is_read_from_the_start(
    room: Room, content: bytes
) -> None:
    room.server.script.extend([room.server.cut_after(500_000), room.server.ignore_range()])
    await room.service.download(MODEL)
    assert (await room.settled()).state == "installed"
    assert room.file.read_bytes() == content


async def test_server_that_ignores_ranges_and_cuts_does_not_go_on_for_ever(room: Room) -> None:
    room.server.script.extend(room.server.ignore_range(upto=500_000) for _ in range(50))
    assert (await failure(room))[0] == "download_failed"
    assert len(room.server.requests) == 4


async def test_changed_file_of_the_same_size_is_refused(room: Room) -> None:
    other = gguf_bytes(seed=2)
    room.server.script.extend(
        [room.server.cut_after(500_000), room.server.change_to(other, '"two"')]
    )
    code, message = await failure(room)
    assert code == "model_damaged"
    assert "content" in message


async def test_file_that_changes_and_changes_back_is_fetched(room: Room, content: bytes) -> None:
    other = gguf_bytes(seed=2)
    room.server.etag = None
    room.server.script.extend(
        [
            room.server.cut_after(500_000),
            room.server.change_to(other, None),
            room.server.change_to(content, None),
        ]
    )
    await room.service.download(MODEL)
    card = await room.settled()
    # Without an ETag the halves of two files meet; the hash tells, and the bytes are dropped.
    assert card.state == "failed"
    assert not room.part.exists()
    await room.service.download(MODEL)
    assert (await room.settled()).state == "installed"
    assert room.file.read_bytes() == content


async def test_bytes_of_an_earlier_run_that_prove_wrong_get_one_new_start(
    server: FileServer, content: bytes, tmp_path: Path
) -> None:
    room = await open_room(server, tmp_path, {MODEL: pin_of(content)})
    server.etag = None
    server.script.append(server.stall_after(400_000))
    await room.service.download(MODEL)
    await room.received(400_000)
    await room.service.stop()
    with room.part.open("r+b") as file:
        file.seek(200_000)
        file.write(b"wrong")
    room = await room.again()
    await room.service.resume(MODEL)
    assert (await room.settled()).state == "installed"
    assert room.file.read_bytes() == content
    await room.service.stop()


async def test_file_that_shrank_is_refused(room: Room) -> None:
    small = gguf_bytes(elements=100_000)
    room.server.script.extend(
        [
            room.server.cut_after(500_000),
            respond("416 Range Not Satisfiable"),
            room.server.change_to(small, '"two"'),
        ]
    )
    code, message = await failure(room)
    assert code == "download_failed"
    assert "another size" in message


async def test_pause_keeps_the_bytes_and_resume_continues(room: Room, content: bytes) -> None:
    room.server.script.append(room.server.stall_after(400_000))
    await room.service.download(MODEL)
    await room.received(400_000)
    await room.service.pause(MODEL)
    assert room.service.get(MODEL).state == "paused"
    assert room.part.stat().st_size == 400_000
    await room.service.pause(MODEL)  # once more changes nothing
    await room.service.resume(MODEL)
    assert (await room.settled()).state == "installed"
    assert offsets(room.server) == [0, 400_000]


async def test_cancel_drops_the_bytes(room: Room) -> None:
    room.server.script.append(room.server.stall_after(400_000))
    await room.service.download(MODEL)
    await room.received(400_000)
    await room.service.cancel(MODEL)
    assert room.service.get(MODEL).state == "available"
    assert list((room.directory / "downloads").iterdir()) == []
    await room.service.cancel(MODEL)  # once more changes nothing


@pytest.mark.parametrize("round_number", range(20))
async def test_pause_at_any_moment_leaves_a_consistent_model(
    room: Room, content: bytes, round_number: int
) -> None:
    await room.service.download(MODEL)
    for _ in range(round_number * 6):
        await asyncio.sleep(0)  # let the download take that many steps
    if room.service.get(MODEL).state == "downloading":
        await room.service.pause(MODEL)
    if room.service.get(MODEL).state != "installed":
        await room.service.resume(MODEL)
    assert (await room.settled()).state == "installed"
    assert room.file.read_bytes() == content


async def test_pause_and_resume_need_something_under_way(room: Room) -> None:
    with pytest.raises(Conflict):
        await room.service.pause(MODEL)
    with pytest.raises(Conflict):
        await room.service.resume(MODEL)
    with pytest.raises(NotFound):
        await room.service.download("unheard-of")


async def test_asking_twice_makes_one_download(room: Room) -> None:
    await asyncio.gather(*(room.service.download(MODEL) for _ in range(20)))
    assert (await room.settled()).state == "installed"
    assert len(room.server.requests) == 1
    assert (await room.service.download(MODEL)).state == "done"


async def test_two_processes_do_not_write_one_file(room: Room) -> None:
    room.server.script.append(room.server.stall_after(400_000))
    await room.service.download(MODEL)
    await room.received(400_000)
    other = await room.again()
    await other.service.download(MODEL)
    card = await other.settled()
    assert card.download is not None
    assert card.download.error is not None
    assert card.download.error.code == "conflict"
    assert room.part.stat().st_size == 400_000
    await other.service.stop()
    assert (await room.settled()).state == "installed"


async def test_unfinished_download_is_paused_after_a_restart(room: Room, content: bytes) -> None:
    room.server.script.append(room.server.stall_after(400_000))
    await room.service.download(MODEL)
    await room.received(400_000)
    await room.service.stop()
    room = await room.again()
    card = room.service.get(MODEL)
    assert card.state == "paused"
    assert card.download is not None
    assert card.download.received_bytes == 400_000
    await room.service.resume(MODEL)
    assert (await room.settled()).state == "installed"
    assert room.file.read_bytes() == content
    await room.service.stop()


async def test_failure_is_still_told_after_a_restart(room: Room) -> None:
    room.server.script.append(respond("404 Not Found"))
    await failure(room)
    card = (await room.again()).service.get(MODEL)
    assert card.state == "failed"
    assert card.download is not None
    assert card.download.error is not None
    assert "no longer at its address" in card.download.error.message


async def test_bytes_of_a_pin_that_changed_are_dropped_at_start(room: Room) -> None:
    room.server.script.append(room.server.stall_after(400_000))
    await room.service.download(MODEL)
    await room.received(400_000)
    await room.service.stop()
    other = gguf_bytes(seed=3)
    later = await open_room(room.server, room.directory, {MODEL: pin_of(other)})
    assert later.service.get(MODEL).state == "available"
    assert not room.part.exists()


@pytest.mark.parametrize("junk", [b"", b"{", b'{"id": "../../etc"}', b"\xff\xfe"])
async def test_broken_record_of_a_download_is_dropped_at_start(room: Room, junk: bytes) -> None:
    room.part.write_bytes(b"GGUF")
    room.part.with_suffix(".json").write_bytes(junk)
    later = await room.again()
    assert later.service.get(MODEL).state == "available"
    assert not room.part.exists()


async def test_full_disk_is_found_before_the_first_byte(
    server: FileServer, content: bytes, tmp_path: Path
) -> None:
    pins = {MODEL: pin_of(content)}
    room = await open_room(server, tmp_path, pins, free_bytes=lambda _: 1_000_500_000)
    with pytest.raises(InsufficientDisk) as caught:
        await room.service.download(MODEL)
    assert (caught.value.needed_bytes, caught.value.available_bytes) == (len(content), 500_000)
    assert server.requests == []


async def test_disk_that_fills_up_on_the_way_is_told(room: Room) -> None:
    room.part.symlink_to("/dev/full")
    code, message = await failure(room)
    assert code == "insufficient_disk"
    assert "disk is full" in message


async def test_bytes_that_are_there_need_no_room_again(
    server: FileServer, content: bytes, tmp_path: Path
) -> None:
    pins = {MODEL: pin_of(content)}
    room = await open_room(server, tmp_path, pins)
    server.script.append(server.stall_after(600_000))
    await room.service.download(MODEL)
    await room.received(600_000)
    await room.service.stop()
    room = await open_room(server, tmp_path, pins, free_bytes=lambda _: 1_000_500_000)
    await room.service.resume(MODEL)
    assert (await room.settled()).state == "installed"


async def test_progress_tells_speed_and_time_left(
    server: FileServer, content: bytes, tmp_path: Path
) -> None:
    room = await open_room(server, tmp_path, {MODEL: pin_of(content)}, bandwidth_limit=2_000_000)
    await room.service.download(MODEL)
    progress = await room.received(400_000)
    assert progress.bytes_per_second == pytest.approx(2_000_000, rel=0.7)
    assert progress.seconds_left is not None
    assert 0 < progress.seconds_left < 3
    assert (await room.settled()).state == "installed"


async def test_killed_process_leaves_a_download_that_continues(room: Room, content: bytes) -> None:
    room.server.script.append(room.server.stall_after(500_000))
    script = (
        "import asyncio, sys, pathlib\n"
        "from tests.unit.models.conftest import MODEL, open_room, pin_of\n"
        "from tests.unit.models.file_server import FileServer\n"
        "async def main():\n"
        "    server = FileServer(b'', url=sys.argv[1])\n"
        "    content = pathlib.Path(sys.argv[3]).read_bytes()\n"
        "    room = await open_room(server, pathlib.Path(sys.argv[2]), {MODEL: pin_of(content)})\n"
        "    await room.service.download(MODEL)\n"
        "    await room.received(500_000)\n"
        "    print('there', flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    original = room.directory / "original"
    original.write_bytes(content)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", script, room.server.url, str(room.directory), str(original)),
        cwd=REPOSITORY,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert (await asyncio.wait_for(process.stdout.readline(), 30)).strip() == b"there"
    os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    room = await room.again()
    assert room.service.get(MODEL).state == "paused"
    await room.service.resume(MODEL)
    assert (await room.settled()).state == "installed"
    assert offsets(room.server) == [0, 500_000]
    assert room.file.read_bytes() == content
    await room.service.stop()
