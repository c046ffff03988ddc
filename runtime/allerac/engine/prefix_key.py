"""What a state on disk depends on: with another model, engine or cache type it means nothing."""

from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Final

import llama_cpp

from allerac.engine.prefix_file import DIGEST_BYTES, digest
from allerac.engine.protocol import KvType

SAMPLES: Final = 64
SAMPLE_BYTES: Final = 65536


def prefix_key(model: Path, kv_type: KvType) -> bytes:
    """Return 16 bytes for `model`, this build of llama.cpp and the type of its cache."""
    return digest(_fingerprint(model), _engine_build(), kv_type.encode())


def _fingerprint(path: Path) -> bytes:
    """Its size and 64 pieces of it: a hash of the whole would take longer than the load.

    Files of the same size that differ in none of them differ in a few weights at most; whoever
    wants that can as well write the state itself.
    """
    size = path.stat().st_size
    state = blake2b(str(size).encode(), digest_size=DIGEST_BYTES)
    with path.open("rb") as file:
        for number in range(SAMPLES):
            file.seek(max(0, size - SAMPLE_BYTES) * number // (SAMPLES - 1))
            state.update(file.read(SAMPLE_BYTES))
    return state.digest()


@cache
def _engine_build() -> bytes:
    folder = Path(llama_cpp.__file__).parent / "lib"
    files = sorted({file.resolve() for file in folder.glob("*.so*")})
    return digest(*(file.read_bytes() for file in files))
