"""What a person sees and may do on the rescue page."""

import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from allerac_rescue.acts import perform
from allerac_rescue.places import Places
from allerac_rescue.programs import Told
from allerac_rescue.words import load_words
from tests.rescue.rescued_box import LABEL, OWNER, NotedPrograms, Visitor


@contextmanager
def answering_runtime(places: Places) -> Iterator[None]:
    """Say on the runtime's socket that all is well."""
    places.runtime_socket.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(places.runtime_socket))
        listening.listen()

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        yield
        thread.join()


def test_a_box_that_answers_is_well(visitor: Visitor, places: Places) -> None:
    with answering_runtime(places):
        answer = visitor.get("/rescue/")
    assert answer.status == 200
    assert "All is well" in answer.text


def test_in_place_of_a_runtime_on_its_way_the_page_asks_again(
    visitor: Visitor, programs: NotedPrograms
) -> None:
    programs.systemd_says("activating", began_seconds=590)
    answer = visitor.get("/chat/123")
    assert answer.status == 503
    assert answer.headers["retry-after"] == "3"
    assert answer.headers["x-dns-prefetch-control"] == "off"
    assert "Allerac is waking up" in answer.text
    assert 'http-equiv="refresh"' in answer.text


def test_a_runtime_that_was_stopped_is_not_on_its_way(
    visitor: Visitor, programs: NotedPrograms
) -> None:
    programs.systemd_says("inactive", began_seconds=590)
    assert "is not running" in visitor.get("/").text
    programs.systemd_says("inactive", began_seconds=0)
    assert "is not running" in visitor.get("/").text  # ten minutes after the start


@pytest.mark.parametrize(
    ("active", "restarts", "told"),
    [
        ("activating", 5, "starts and ends again and again"),
        ("failed", 0, "starts and ends again and again"),
        ("active", 0, "runs but says nothing"),
        ("inactive", 0, "is not running"),
    ],
)
def test_trouble_is_told_in_place_of_any_page(
    visitor: Visitor, programs: NotedPrograms, active: str, restarts: int, told: str
) -> None:
    programs.systemd_says(active, restarts)
    answer = visitor.get("/")
    assert answer.status == 503
    assert told in answer.text
    assert 'name="code"' in answer.text


def test_a_runtime_that_hangs_with_its_socket_open_is_told_within_seconds(
    visitor: Visitor, places: Places, programs: NotedPrograms
) -> None:
    programs.systemd_says("active")
    places.runtime_socket.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(places.runtime_socket))
        listening.listen()  # as of a process that was stopped: the kernel takes, nobody answers
        answer = visitor.get("/")
    assert answer.status == 503
    assert "runs but says nothing" in answer.text


def test_a_missing_environment_leads_to_the_previous_system(
    visitor: Visitor, places: Places
) -> None:
    places.environment.unlink()
    assert "Go back to the previous system" in visitor.get("/").text


def test_a_data_partition_that_is_not_there_is_told(visitor: Visitor, places: Places) -> None:
    places.allerac.rmdir()
    assert "The disk with your data cannot be opened" in visitor.get("/").text


def test_a_repair_is_offered_while_the_disk_cannot_be_opened(
    visitor: Visitor, places: Places
) -> None:
    visitor.post("/rescue/open", code=LABEL)
    assert "Repair the disk" not in visitor.get("/rescue/").text
    places.allerac.rmdir()
    assert "Repair the disk" in visitor.get("/rescue/").text
    assert "Are you sure?" in visitor.post("/rescue/acts/repair").text


@pytest.mark.parametrize(
    ("mount", "superblock", "is_told"),
    [("ro,nosuid", "rw", False), ("rw", "ro,errors=remount-ro", True), ("ro", "ro", True)],
)
def test_a_disk_that_takes_no_writing_is_told_and_the_sandbox_is_not_it(
    visitor: Visitor, places: Places, mount: str, superblock: str, is_told: bool
) -> None:
    table = places.root / "proc/self/mountinfo"
    table.parent.mkdir()
    table.write_text(
        "22 1 254:0 / / ro,relatime - erofs /dev/dm-0 ro\n"
        f"40 22 259:7 / /data {mount} shared:1 - ext4 /dev/sda7 {superblock}\n"
    )
    assert ("can be read but not written" in visitor.get("/").text) is is_told


def test_a_systemd_that_does_not_answer_keeps_nobody(
    visitor: Visitor, programs: NotedPrograms
) -> None:
    programs.answers["systemctl"] = Told(None, "systemctl did not answer within 5 s")
    assert "Allerac does not answer" in visitor.get("/").text


@pytest.mark.parametrize("language", sorted(load_words()))
def test_every_language_has_every_sentence(visitor: Visitor, language: str) -> None:
    words = load_words()
    answer = visitor.get("/", f"{language}-XX,en;q=0.5")
    assert f'<html lang="{language}">' in answer.text
    assert words[language]("state.trouble") in answer.text


def test_languages_have_the_same_keys() -> None:
    keys = [set(words._sentences) for words in load_words().values()]
    assert all(found == keys[0] for found in keys)


@pytest.mark.parametrize("code", [LABEL, OWNER, "k7qm4xwp", " k7qm 4xwp "])
def test_a_code_opens_the_page(visitor: Visitor, places: Places, code: str) -> None:
    opened = visitor.post("/rescue/open", code=code)
    assert (opened.status, opened.headers["location"]) == (303, "/rescue/")
    assert "HttpOnly; SameSite=Strict" in opened.headers["set-cookie"]
    assert (places.requests / "inspect").exists()
    assert "Free space" in visitor.get("/rescue/").text


def test_without_a_code_nothing_is_told_or_done(visitor: Visitor, places: Places) -> None:
    page = visitor.get("/rescue/").text
    assert "<pre" not in page
    for name in ("restart", "factory-reset"):
        assert visitor.post(f"/rescue/acts/{name}", sure="yes", word="FORGET").status == 303
    assert "<pre" not in visitor.get("/rescue/acts/restart").text
    assert list(places.requests.iterdir()) == []


def test_five_wrong_codes_lock_the_page_for_the_right_one_too(visitor: Visitor) -> None:
    for _ in range(5):
        refused = visitor.post("/rescue/open", code="AAAA-AAAA")
        assert refused.status == 403
        assert "not one of this box" in refused.text
    locked = visitor.post("/rescue/open", code=LABEL)
    assert locked.status == 429
    assert "Try again in 10 min" in locked.text


def test_a_box_without_codes_says_so(visitor: Visitor, places: Places) -> None:
    places.codes.unlink()
    assert "keeps no code" in visitor.get("/rescue/").text
    assert visitor.post("/rescue/open", code="").status == 403


@pytest.mark.parametrize("line", ["", "label:", "label:scrypt$1$2", "label:scrypt$a$b$c$d$e", "\0"])
def test_damaged_hashes_open_nothing(visitor: Visitor, places: Places, line: str) -> None:
    places.codes.write_text(line)
    assert visitor.post("/rescue/open", code=LABEL).status == 403


def test_a_form_from_elsewhere_is_refused(visitor: Visitor) -> None:
    assert visitor.post("/rescue/open", "http://evil.example", code=LABEL).status == 403
    assert "<pre" not in visitor.get("/rescue/").text


def test_acts_are_asked_twice_and_a_reset_by_a_word(visitor: Visitor, places: Places) -> None:
    visitor.post("/rescue/open", code=LABEL)
    assert "Are you sure?" in visitor.post("/rescue/acts/free-space").text
    assert not (places.requests / "free-space").exists()
    assert visitor.post("/rescue/acts/free-space", sure="yes").status == 303
    assert (places.requests / "free-space").exists()
    assert "Type FORGET" in visitor.post("/rescue/acts/factory-reset", sure="yes").text
    assert not (places.requests / "factory-reset").exists()
    assert visitor.post("/rescue/acts/factory-reset", sure="yes", word="FORGET").status == 303
    assert (places.requests / "factory-reset").exists()


@pytest.mark.parametrize("name", ["inspect", "finish-reset", "unknown", "..", ""])
def test_only_acts_of_the_page_are_taken(visitor: Visitor, places: Places, name: str) -> None:
    visitor.post("/rescue/open", code=LABEL)
    (places.requests / "inspect").unlink()
    assert visitor.post(f"/rescue/acts/{name}", sure="yes").status == 404
    assert list(places.requests.iterdir()) == []


def test_an_act_is_followed_from_wish_to_result(
    visitor: Visitor, places: Places, programs: NotedPrograms
) -> None:
    (places.allerac / "downloads").mkdir()
    (places.allerac / "downloads/half.part").write_bytes(b"x" * 500_000)
    visitor.post("/rescue/open", code=LABEL)
    visitor.post("/rescue/acts/free-space", sure="yes")
    assert "On it" in visitor.get("/rescue/acts/free-space").text
    assert perform("free-space", places, programs) == 0
    assert "became free" in visitor.get("/rescue/acts/free-space").text


def test_an_act_that_fails_shows_what_the_program_said(
    visitor: Visitor, places: Places, programs: NotedPrograms
) -> None:
    programs.answers["rauc"] = Told(1, "no <other> slot")
    visitor.post("/rescue/open", code=LABEL)
    visitor.post("/rescue/acts/previous-system", sure="yes")
    assert perform("previous-system", places, programs) == 1
    page = visitor.get("/rescue/acts/previous-system").text
    assert "That did not work." in page
    assert "no &lt;other&gt; slot" in page


def test_what_uses_the_space_is_drawn_and_listed(
    visitor: Visitor, places: Places, programs: NotedPrograms
) -> None:
    (places.allerac / "models").mkdir()
    (places.allerac / "models/small.gguf").write_bytes(b"x" * 3_000_000)
    places.database.write_bytes(b"not a database at all, but long enough to be read as one" * 20)
    visitor.post("/rescue/open", code=OWNER)
    perform("inspect", places, programs)
    page = visitor.get("/rescue/").text
    assert '<rect class="models"' in page
    assert "Models <b>3.0 MB</b>" in page
    assert "conversations on the disk are damaged" in page


def test_an_old_look_at_the_disk_is_renewed(
    visitor: Visitor, places: Places, programs: NotedPrograms
) -> None:
    visitor.post("/rescue/open", code=OWNER)
    perform("inspect", places, programs)
    os.utime(places.results / "inspect.json", (0, 0))
    assert "Looking at the disk" in visitor.get("/rescue/").text
    assert (places.requests / "inspect").exists()


def test_the_log_is_escaped_and_needs_a_code(visitor: Visitor, programs: NotedPrograms) -> None:
    programs.answers["journalctl"] = Told(0, "line <script>alert(1)</script>")
    visitor.post("/rescue/open", code=LABEL)
    page = visitor.get("/rescue/").text
    assert "&lt;script&gt;" in page
    assert "<script" not in page


def test_closing_lets_nobody_in(visitor: Visitor) -> None:
    visitor.post("/rescue/open", code=LABEL)
    visitor.post("/rescue/close")
    assert "<pre" not in visitor.get("/rescue/").text


def test_status_is_there_for_programs(visitor: Visitor) -> None:
    assert json.loads(visitor.get("/rescue/status.json").text) == {
        "state": "trouble",
        "findings": ["silent"],
    }


@pytest.mark.parametrize("length", ["", "-1", "nine", "5000", "9" * 30])
def test_a_form_of_no_honest_length_is_refused(visitor: Visitor, length: str) -> None:
    answer = visitor._ask("POST", "/rescue/open", None, {"Content-Length": length})
    assert answer.status == 400
