"""A file that nobody knows is tried before it may answer."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import openai
import pytest

from tests.api.claimed_program import claimed_program
from tests.engine.tiny_model import write_tiny_model
from tests.running_box import running_box


@pytest.fixture(scope="module")
def program(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[httpx.Client, openai.OpenAI]]:
    with (
        running_box(tmp_path_factory.mktemp("box")) as box,
        claimed_program(box) as (browser, key),
        openai.OpenAI(base_url=f"{box.url}/v1", api_key=key, max_retries=8) as client,
    ):
        yield browser, client


def _imported(browser: httpx.Client, path: Path) -> str:
    response = browser.post("models/import", json={"path": str(path), "title": path.stem})
    response.raise_for_status()
    model_id: str = response.json()["id"]
    return model_id


def _ask(client: openai.OpenAI, model: str) -> str | None:
    answer = client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": "Hello"}], temperature=0, max_tokens=12
    )
    return answer.choices[0].message.content


def test_file_that_kills_the_engine_is_refused_for_good_and_the_model_answers_on(
    program: tuple[httpx.Client, openai.OpenAI], tmp_path: Path
) -> None:
    browser, client = program
    assert _ask(client, "allerac-demo") == "Hello! How can I help you?"
    path = write_tiny_model(tmp_path / "deadly.gguf")
    length = (2).to_bytes(8, "little")
    path.write_bytes(path.read_bytes().replace(length + b"th", length + "¡".encode(), 1))
    deadly = _imported(browser, path)
    for _ in range(2):
        with pytest.raises(openai.BadRequestError):
            _ask(client, deadly)
    assert browser.get(f"models/{deadly}").json()["state"] == "damaged"
    assert _ask(client, "allerac-demo") == "Hello! How can I help you?"


def test_good_file_is_tried_once_and_answers(
    program: tuple[httpx.Client, openai.OpenAI], tmp_path: Path
) -> None:
    browser, client = program
    good = _imported(browser, write_tiny_model(tmp_path / "good.gguf"))
    assert _ask(client, good)
    assert browser.get(f"models/{good}").json()["state"] == "installed"
