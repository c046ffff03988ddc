"""Memory that goes back to the system."""

import subprocess
import sys
from typing import Final

import pytest

SIGN_INS: Final = """
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import psutil
from argon2 import PasswordHasher
from allerac.allocator import give_large_buffers_back

if sys.argv[1] == "given back":
    give_large_buffers_back()
hasher = PasswordHasher(time_cost=1, memory_cost=19456, parallelism=1)
before = psutil.Process().memory_info().rss
together = Barrier(4)

def sign_in(number):
    together.wait()
    for _ in range(2):
        hasher.hash("a password")

with ThreadPoolExecutor(4) as threads:
    list(threads.map(sign_in, range(4)))
    print(psutil.Process().memory_info().rss - before)
"""
HASH_BYTES: Final = 19 * 1024 * 1024


@pytest.mark.parametrize(
    ("kept", "at_least", "below"),
    [
        ("given back", -HASH_BYTES, HASH_BYTES // 4),
        ("as the C library does", HASH_BYTES, 5 * HASH_BYTES),
    ],
)
def test_what_a_password_needs_is_given_back(kept: str, at_least: int, below: int) -> None:
    command = [sys.executable, "-c", SIGN_INS, kept]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert at_least <= int(done.stdout) < below
