"""A build with MODELS=preload: what a box finds on its data partition, and answers with at once."""

import asyncio
import hashlib
import http.server
import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from allerac_image.plan import REPOSITORY
from bootstrap.steps import cache_folder
from tests.claimed_box import claimed_box
from tests.engine.tiny_model import write_tiny_model
from tests.image.conftest import BUILD_SECONDS, build_image
from tests.image.offline_disk import folder_of, partition

pytestmark = [pytest.mark.matrix, pytest.mark.timeout(2 * BUILD_SECONDS)]

MODEL = "tiny-of-a-test"
PIN: dict[str, Any] = {
    "id": MODEL,
    "title": "Tiny",
    "description": "Says nonsense.",
    "kind": "chat",
    "family": "Llama",
    "quantisation": "F32",
    "repository": "tests/tiny",
    "file": "tiny.gguf",
    "revision": "0" * 40,
    "licence": "apache-2.0",
    "context_length": 512,
    "kv_bytes_per_token": 512,
    "active_parameters": 30_000,
    "grade": "B",
}


@dataclass(frozen=True, slots=True)
class Preloaded:
    """The sources that a build was made of, its data partition, and the model's file."""

    clone: Path
    data: Path
    model: Path


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


def _clone_that_preloads(model: Path, folder: Path) -> Path:
    """Commit to a clone that the `vm` tier has the model, and has it preloaded."""
    clone = folder / "clone"
    _run("/usr/bin/git", "clone", "-q", REPOSITORY, clone)
    size, digest = model.stat().st_size, hashlib.sha256(model.read_bytes()).hexdigest()
    pin = {**PIN, "size_bytes": size, "sha256": digest, "active_bytes": size}
    with (clone / "hardware_profiles/models.yaml").open("a") as file:
        file.write("\n" + yaml.safe_dump([pin], sort_keys=False))
    profile = clone / "hardware_profiles/vm.yaml"
    text = re.sub(r"^  fast: null$", f"  fast: {MODEL}", profile.read_text(), flags=re.MULTILINE)
    profile.write_text(re.sub(r"^  preload: \[\]$", f"  preload: [{MODEL}]", text, flags=re.M))
    author = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    _run("/usr/bin/git", "-C", clone, *author, "commit", "-q", "-a", "-m", "preload")
    return clone


@contextmanager
def _serving(model: Path, folder: Path) -> Iterator[str]:
    """Serve the model where a catalogue's source has it, as `MODEL_SOURCE`."""
    place = folder / "source" / PIN["repository"] / "resolve" / PIN["revision"] / PIN["file"]
    place.parent.mkdir(parents=True)
    shutil.copyfile(model, place)
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(folder / "source"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def preloaded(tmp_path_factory: pytest.TempPathFactory) -> Preloaded:
    """Build it once; what was kept for the next build is taken away again."""
    folder = tmp_path_factory.mktemp("preloaded")
    model = write_tiny_model(folder / "tiny.gguf")
    clone = _clone_that_preloads(model, folder)
    _run("/usr/bin/env", "-C", clone, sys.executable, "-m", "bootstrap", "image")
    python = str(clone / ".venv/bin/python")
    try:
        with _serving(model, folder) as url, pytest.MonkeyPatch.context() as environment:
            environment.setenv("ALLERAC_MODEL_SOURCE", url)
            image = build_image(
                folder / "out", source=clone, python=python, more=["--models", "preload"]
            )
    finally:
        shutil.rmtree(cache_folder() / "models/models" / MODEL, ignore_errors=True)
    data = partition(image.file(".img"), "data", folder / "data.ext4")
    image.file(".img").unlink()
    return Preloaded(clone, data, model)


def test_the_model_is_on_the_data_partition_whole_and_the_runtimes_to_read(
    preloaded: Preloaded, tmp_path: Path
) -> None:
    _run("/usr/sbin/e2fsck", "-f", "-n", preloaded.data)
    folder = folder_of(preloaded.data, f"/allerac/models/{MODEL}", tmp_path / "found")
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (folder / manifest["file"]).read_bytes() == preloaded.model.read_bytes()
    stat = ["/usr/sbin/debugfs", "-R", f"stat /allerac/models/{MODEL}/{manifest['file']}"]
    told = subprocess.run([*stat, preloaded.data], capture_output=True, text=True, check=True)
    owner = re.search(r"User:\s+(\d+)", told.stdout)
    assert owner is not None
    assert owner[1] == "970"


def test_a_box_that_starts_with_that_partition_has_the_model_and_answers_with_it(
    preloaded: Preloaded, tmp_path: Path
) -> None:
    data = folder_of(preloaded.data, "/allerac", tmp_path / "disk")
    profiles = str(preloaded.clone / "hardware_profiles")

    async def use() -> None:
        async with box.owner() as owner:
            client = owner.client
            cards = (await client.get("/api/v1/models")).json()["items"]
            (card,) = [card for card in cards if card["id"] == MODEL]
            assert card["state"] == "installed"
            verified = await client.post(f"/api/v1/models/{MODEL}/verify")
            assert verified.json()["ok"] is True, verified.text
            chosen = await client.put("/api/v1/models/default", json={"model_id": MODEL})
            assert chosen.status_code == 200, chosen.text
            await owner.until_ready()
            conversation = await owner.conversation()
            _, answer = await owner.say(conversation, "Hello")
            assert (await owner.events(answer))[-1].kind == "done"
            status = (await client.get("/api/v1/box")).json()["engine"]
            assert status["model_id"] == MODEL

    with claimed_box(data, profiles_dir=profiles, profile="vm") as box:
        asyncio.run(use())
