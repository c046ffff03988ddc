"""The header reader believes nothing that the size of the file does not allow."""

import random
import struct
import time
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from allerac.engine.gguf import parse_header, read_header
from allerac.errors import ModelDamaged
from tests.engine.tiny_model import write_tiny_model

MUTATIONS = 10_000


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


def reason(path: Path) -> str:
    with pytest.raises(ModelDamaged) as caught:
        read_header(path)
    return caught.value.message


def test_header_says_what_the_model_is(tiny: Path) -> None:
    header = read_header(tiny)
    assert header.architecture == "llama"
    assert header.name == "tiny"
    assert header.context_length == 512
    assert header.block_count == 2
    assert header.quantization == "F16"
    assert header.chat_template is not None
    assert header.kv_bytes_per_token == 2 * 2 * (16 + 16) * 2
    assert header.size_bytes == tiny.stat().st_size
    assert 0 < header.tensor_bytes < header.size_bytes


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "web page"),
        (b"  \n<html>", "web page"),
        (b'{"error": "not found"}', "message from a server"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "pointer"),
        (b"PK\x03\x04rest of an archive", "archive"),
        (b"tjgg\x01\x00\x00\x00", "old format"),
        (b"GG", "not a model"),
        (b"GGUF", "cut short"),
        (b"GGUF" + struct.pack("<I", 9) + bytes(16), "version 9"),
        (b"GGUF" + struct.pack(">I", 3) + bytes(16), "another kind of processor"),
        (b"GGUF" + struct.pack("<IQQ", 3, 2**60, 2**60), "promises more"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 0), "no weights"),
        (random.Random(1).randbytes(4096), "not a model"),  # noqa: S311 - not secrecy
    ],
)
def test_reason_is_one_that_a_person_understands(
    tmp_path: Path, content: bytes, expected: str
) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    assert expected in reason(path)


def test_missing_file_is_named_as_missing(tmp_path: Path) -> None:
    assert "missing" in reason(tmp_path / "nothing.gguf")


@pytest.mark.parametrize("fraction", [0.001, 0.01, 0.1, 0.5, 0.999])
def test_truncated_file_is_called_cut_short(tiny: Path, tmp_path: Path, fraction: float) -> None:
    whole = tiny.read_bytes()
    path = tmp_path / "cut.gguf"
    path.write_bytes(whole[: int(len(whole) * fraction)])
    assert "cut short" in reason(path) or "promises more" in reason(path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"llama.block_count", 1_000_000),
        (b"llama.block_count", 0),
        (b"llama.context_length", 0),
        (b"llama.attention.layer_norm_rms_epsilon", struct.unpack("<I", struct.pack("<f", -1))[0]),
    ],
)
def test_values_that_abort_the_engine_are_refused(
    tiny: Path, tmp_path: Path, key: bytes, value: int
) -> None:
    whole = bytearray(tiny.read_bytes())
    at = whole.index(key) + len(key) + 4
    whole[at : at + 4] = struct.pack("<I", value)
    path = tmp_path / "odd.gguf"
    path.write_bytes(whole)
    assert "impossible" in reason(path)


def test_mutated_files_are_read_or_refused_and_nothing_else(tiny: Path) -> None:
    """Flips, overwrites and cuts in the header: 10,000 files, no other error, none slow."""
    whole = tiny.read_bytes()
    head = whole[: whole.index(b"token_embd.weight") + 2000]
    dice = random.Random(20_26)  # noqa: S311 - repeatable, not secrecy
    slowest, refused = 0.0, 0
    for _ in range(MUTATIONS):
        mutant = bytearray(head)
        for _ in range(dice.randint(1, 6)):
            at = dice.randrange(len(mutant))
            width = dice.choice((1, 1, 4, 8))
            mutant[at : at + width] = dice.choice(
                (dice.randbytes(width), b"\xff" * width, bytes(width))
            )
        if dice.random() < 0.2:
            del mutant[dice.randrange(len(mutant)) :]
        started = time.monotonic()
        try:
            parse_header(BytesIO(mutant), len(whole))
        except ModelDamaged:
            refused += 1
        slowest = max(slowest, time.monotonic() - started)
    assert refused > 0
    assert slowest < 4.0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=st.binary(max_size=512))
def test_any_bytes_after_the_magic_number_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "random.gguf"
    path.write_bytes(b"GGUF\x03\x00\x00\x00" + content)
    reason(path)


def test_list_that_claims_a_billion_texts_costs_no_time(tmp_path: Path) -> None:
    path = tmp_path / "claims.gguf"
    key = b"tokenizer.ggml.tokens"
    entry = struct.pack("<Q", len(key)) + key + struct.pack("<IIQ", 9, 8, 10**9)
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 1, 1) + entry + bytes(200))
    assert "promises more" in reason(path)
