"""What stands between the network and the runtime: the target's own nginx, really running."""

import gzip
import json
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.provisioning.front import FakeRuntime, Front, running_front

SELF_SIGNED = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=box"


def _certify(folder: Path) -> None:
    files = ["-keyout", str(folder / "box.key"), "-out", str(folder / "box.crt")]
    subprocess.run([*SELF_SIGNED.split(), *files], check=True, capture_output=True, timeout=30)
    (folder / "box.key").chmod(0o640)  # as the runtime leaves it to the group of nginx


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("front")
    made.chmod(0o755)
    for name in ("sockets", "tls"):
        (made / name).mkdir()
    return made


@pytest.fixture(scope="module")
def front(root: Path, folder: Path) -> Iterator[Front]:
    """nginx as it starts on a box that has no certificate yet."""
    with running_front(root, folder / "sockets", folder / "tls") as running:
        yield running


@pytest.fixture
def runtime(folder: Path) -> Iterator[FakeRuntime]:
    server = FakeRuntime(folder / "sockets")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.go_on.set()
        server.shutdown()
        server.server_close()
        thread.join()
        (folder / "sockets" / "runtime.sock").unlink()


def test_without_a_certificate_there_is_http_and_with_a_broken_one_too(front: Front) -> None:
    assert front.refuses(443)
    (front.tls / "box.crt").write_text("no certificate")
    (front.tls / "box.key").write_text("no key")
    front.reload()
    assert front.ask("/assets/absent.js").status == 404
    assert front.refuses(443)


def test_a_new_certificate_brings_https_with_tls_13_and_http_2_only(front: Front) -> None:
    _certify(front.tls)
    front.reload()
    with front.handshake() as connection:
        assert connection.version() == "TLSv1.3"
        assert connection.selected_alpn_protocol() == "h2"
    with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
        front.handshake(maximum_version=ssl.TLSVersion.TLSv1_2)


def test_the_runtime_learns_who_asked_and_nobody_can_pretend(
    front: Front, runtime: FakeRuntime
) -> None:
    answer = front.ask("/", X_Forwarded_For="10.9.9.9", X_Forwarded_Proto="https")
    assert answer.body.decode().splitlines() == [
        "Host: ['allerac.local']",
        "X-Forwarded-For: ['127.0.0.1']",
        "X-Forwarded-Proto: ['http']",
    ]


def test_headers_of_the_runtime_arrive_unchanged_and_once(
    front: Front, runtime: FakeRuntime
) -> None:
    answer = front.ask("/anything")
    assert answer.headers.get_all("Content-Security-Policy") == ["the runtime's"]
    assert "version" not in answer.headers.get("Server", "").lower()
    assert answer.headers["Server"] == "nginx"


def test_each_event_of_a_stream_arrives_as_it_is_sent(front: Front, runtime: FakeRuntime) -> None:
    with front.asking("/api/v1/generations/1/events") as answer:
        assert answer.readline() == b"data: first\n"
        runtime.go_on.set()
        assert b"data: second" in answer.read()


@pytest.mark.parametrize(("language", "words"), [("de-DE,en;q=0.5", "wacht auf"), ("pt", "waking")])
def test_while_the_runtime_is_away_people_see_a_page_that_goes_on_by_itself(
    front: Front, language: str, words: str
) -> None:
    answer = front.ask("/", Accept_Language=language)
    page = answer.body.decode()
    assert answer.status == 503
    assert words in page
    assert 'http-equiv="refresh"' in page
    assert answer.headers["Cache-Control"] == "no-store"
    style = front.ask("/starting/page.css")
    assert style.headers["Content-Type"] == "text/css"


@pytest.mark.parametrize(
    ("path", "code"), [("/api/v1/session", "unavailable"), ("/v1/models", "unavailable")]
)
def test_while_the_runtime_is_away_programs_get_an_error_they_understand(
    front: Front, path: str, code: str
) -> None:
    answer = front.ask(path)
    assert answer.status == 503
    assert answer.headers["Content-Type"] == "application/json"
    assert int(answer.headers["Retry-After"]) > 0
    assert json.loads(answer.body)["error"]["code"] == code


def test_too_much_at_once_is_refused_before_the_runtime_sees_it(
    front: Front, runtime: FakeRuntime
) -> None:
    with front.connect(80) as sock:
        head = "POST /api/v1/conversations HTTP/1.1\r\nHost: allerac.local\r\n"
        sock.sendall(f"{head}Content-Length: {16 * 1024 * 1024 + 1}\r\n\r\n".encode())
        answer = sock.recv(4096)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"payload_too_large" in answer


@pytest.mark.parametrize("path", ["knowledge/files?name=a.pdf", "conversations/one/pictures/two"])
def test_documents_and_pictures_may_be_larger(front: Front, path: str) -> None:
    with front.connect(80) as sock:
        head = f"POST /api/v1/{path} HTTP/1.1\r\nHost: allerac.local\r\nExpect: 100-continue\r\n"
        sock.sendall(f"{head}Content-Length: {20 * 1024 * 1024}\r\n\r\n".encode())
        assert sock.recv(4096).startswith(b"HTTP/1.1 100 ")


def test_files_with_immutable_names_come_from_nginx_and_are_kept_for_a_year(
    front: Front, root: Path
) -> None:
    (script, *_) = sorted((root / "opt/allerac/web/assets").glob("index-*.js"))
    answer = front.ask(f"/assets/{script.name}", Accept_Encoding="gzip")
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-DNS-Prefetch-Control"] == "off"
    assert gzip.decompress(answer.body) == script.read_bytes()


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../index.html",
        "/assets/%2e%2e/hardware_profiles/vm.yaml",
        "/assets../index.html",
        "/starting/../../venv/pyvenv.cfg",
        "/starting/%2e%2e/%2e%2e/venv/pyvenv.cfg",
    ],
)
def test_nothing_beside_the_static_files_can_be_fetched(front: Front, path: str) -> None:
    assert front.ask(path).status in {400, 404, 503}  # 503: it would be the runtime's to answer


def test_one_caller_cannot_keep_the_runtime_busy(front: Front, runtime: FakeRuntime) -> None:
    statuses = []
    for _ in range(120):
        answer = front.ask("/api/v1/status")
        statuses.append(answer.status)
        if answer.status == 429:
            assert json.loads(answer.body)["error"]["code"] == "too_many_attempts"
            assert answer.headers["Retry-After"] == "1"
            break
    assert statuses[0] == 200
    assert statuses[-1] == 429
    assert front.ask("/").status == 200


def test_it_listens_on_both_internet_protocols(front: Front) -> None:
    for address in ("127.0.0.1", "::1"):
        front.connect(80, address).close()
