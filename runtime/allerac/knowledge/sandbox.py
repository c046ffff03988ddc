"""Walls of the process that opens documents: no files but the open ones, no network, no programs.

Landlock (https://docs.kernel.org/userspace-api/landlock.html) and a seccomp filter
(https://docs.kernel.org/userspace-api/seccomp_filter.html) by system calls, on x86-64. Both are
best effort, like the rest of the isolation: an old kernel without them still has the limits.
"""

import ctypes
import os
import platform
import struct
from typing import Final

_LANDLOCK_CREATE_RULESET: Final = 444
_LANDLOCK_RESTRICT_SELF: Final = 446
_LANDLOCK_VERSION: Final = 1  # LANDLOCK_CREATE_RULESET_VERSION
_EVERY_ACCESS_OF_VERSION_1: Final = (1 << 13) - 1

_PR_SET_SECCOMP: Final = 22
_SECCOMP_MODE_FILTER: Final = 2
_ARCHITECTURE: Final = 0xC000003E  # AUDIT_ARCH_X86_64
_X32_BIT: Final = 0x40000000
_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050001  # EPERM
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06  # BPF instructions

REFUSED: Final = {
    "socket": 41,
    "connect": 42,
    "accept": 43,
    "bind": 49,
    "listen": 50,
    "socketpair": 53,
    "fork": 57,
    "vfork": 58,
    "execve": 59,
    "kill": 62,
    "ptrace": 101,
    "mount": 165,
    "tkill": 200,
    "accept4": 288,
    "perf_event_open": 298,
    "process_vm_readv": 310,
    "process_vm_writev": 311,
    "bpf": 321,
    "execveat": 322,
    "userfaultfd": 323,
    "io_uring_setup": 425,
    "pidfd_getfd": 438,
}
"""System calls by their numbers on x86-64."""


def enclose() -> None:
    """Close every door that is still open; what is needed must have been imported before."""
    libc = ctypes.CDLL(None, use_errno=True)
    if _may_ask_landlock(libc):
        _forbid_files(libc)
    if platform.machine() == "x86_64":
        _forbid_calls(libc)


def _may_ask_landlock(libc: ctypes.CDLL) -> bool:
    """Try it in a process that may die of it: a unit's own filter may kill who asks."""
    child = os.fork()
    if child == 0:
        libc.syscall(_LANDLOCK_CREATE_RULESET, None, 0, _LANDLOCK_VERSION)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def _forbid_files(libc: ctypes.CDLL) -> None:
    """No file can be opened, made or removed any more; nothing is allowed by exception."""
    version = libc.syscall(_LANDLOCK_CREATE_RULESET, None, 0, _LANDLOCK_VERSION)
    if version < 1:
        return
    attributes = struct.pack("Q", _EVERY_ACCESS_OF_VERSION_1)
    rules = libc.syscall(_LANDLOCK_CREATE_RULESET, attributes, len(attributes), 0)
    if rules >= 0:
        libc.syscall(_LANDLOCK_RESTRICT_SELF, rules, 0)
        libc.close(rules)


def _forbid_calls(libc: ctypes.CDLL) -> None:
    numbers = sorted(REFUSED.values())
    program = [
        (_LOAD, 0, 0, 4),  # seccomp_data.arch
        (_EQUAL, 1, 0, _ARCHITECTURE),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),  # seccomp_data.nr
        (_AT_LEAST, len(numbers) + 1, 0, _X32_BIT),
        *((_EQUAL, len(numbers) - at, 0, number) for at, number in enumerate(numbers)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]
    code = b"".join(struct.pack("HBBI", *step) for step in program)
    buffer = ctypes.create_string_buffer(code)
    header = struct.pack("HxxxxxxQ", len(program), ctypes.addressof(buffer))
    libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, header, 0, 0)
