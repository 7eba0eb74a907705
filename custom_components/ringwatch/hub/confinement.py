"""Shuts a process in: no files, no network, no other processes, no new code. For the one that opens uploads.

Three walls of Linux, each by itself enough for most of it, none of which needs rights: Landlock (5.13) denies
every file and, where it can, every connection and signal; a seccomp filter lets through the few system calls
that decoding takes, and fails all others; `no_new_privs` goes before both. They are reached through `ctypes`,
as the standard library has neither. What isn't there is said, and the rest holds.
"""

import contextlib
import ctypes
import os
import platform
import resource
import struct
from typing import Final

# linux/prctl.h, linux/landlock.h, linux/seccomp.h, linux/filter.h, linux/audit.h
_NO_NEW_PRIVS: Final = 38
_SET_SECCOMP: Final = 22
_SECCOMP_MODE_FILTER: Final = 2
_LANDLOCK_CREATE_RULESET, _LANDLOCK_RESTRICT_SELF = 444, 446  # the same on every architecture
_LANDLOCK_VERSION: Final = 1
_FILE_RIGHTS: Final = {1: 13, 2: 14, 3: 15, 5: 16}  # from this version on there are so many
_NETWORK_FROM, _SCOPES_FROM = 4, 6
_NETWORK_RIGHTS: Final = 0b11  # bind and connect of TCP
_SCOPES: Final = 0b11  # abstract sockets and signals
_LOAD, _JUMP_IF, _RETURN = 0x20, 0x15, 0x06
_AT_NUMBER, _AT_ARCHITECTURE, _AT_FIRST, _AT_THIRD = 0, 4, 16, 32  # of struct seccomp_data, low halves
_JUMP_IF_ANY_BIT: Final = 0x45
_ALLOW: Final = 0x7FFF0000
_FAIL: Final = 0x00050000 | 1  # with EPERM
_KILL: Final = 0x80000000
_PROT_EXEC: Final = 4
MAX_FILES: Final = 3  # 0 the upload, 1 the answer, 2 nothing

# What a decoder needs once everything is loaded: memory, time, locks, its two files. By architecture: the
# number that the kernel knows it by, then the calls.
ARCHITECTURES: Final[dict[str, tuple[int, dict[str, int]]]] = {
    "x86_64": (
        0xC000003E,
        {
            "read": 0, "write": 1, "close": 3, "fstat": 5, "lseek": 8, "mmap": 9, "mprotect": 10,
            "munmap": 11, "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15,
            "pread64": 17, "readv": 19, "sched_yield": 24, "mremap": 25, "madvise": 28, "nanosleep": 35,
            "getpid": 39, "exit": 60, "gettimeofday": 96, "getrusage": 98, "times": 100, "sigaltstack": 131,
            "gettid": 186, "futex": 202, "sched_getaffinity": 204, "restart_syscall": 219,
            "clock_gettime": 228, "clock_nanosleep": 230, "exit_group": 231, "set_robust_list": 273,
            "getcpu": 309, "getrandom": 318, "membarrier": 324, "rseq": 334,
        },
    ),
    "aarch64": (
        0xC00000B7,
        {
            "close": 57, "lseek": 62, "read": 63, "write": 64, "readv": 65, "pread64": 67, "fstat": 80,
            "exit": 93, "exit_group": 94, "futex": 98, "set_robust_list": 99, "nanosleep": 101,
            "clock_gettime": 113, "clock_nanosleep": 115, "sched_getaffinity": 123, "sched_yield": 124,
            "restart_syscall": 128, "sigaltstack": 132, "rt_sigaction": 134, "rt_sigprocmask": 135,
            "rt_sigreturn": 139, "times": 153, "getrusage": 165, "getcpu": 168, "gettimeofday": 169,
            "getpid": 172, "gettid": 178, "brk": 214, "munmap": 215, "mremap": 216, "mmap": 222,
            "mprotect": 226, "madvise": 233, "getrandom": 278, "membarrier": 283, "rseq": 293,
        },
    ),
}  # fmt: skip
_EXECUTABLE: Final = frozenset({"mmap", "mprotect"})  # never memory that holds code


def limit(*, cpu_s: int, memory_bytes: int) -> None:
    """Set what the process may use. Time that is up is told by SIGXCPU, a second before it is killed."""
    for what, soft, hard in (
        (resource.RLIMIT_CPU, cpu_s, cpu_s + 1),
        (resource.RLIMIT_AS, memory_bytes, memory_bytes),
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_NPROC, 0, 0),
    ):
        resource.setrlimit(what, (soft, hard))


def confine(*, with_landlock: bool = True, with_seccomp: bool = True) -> tuple[str, ...]:
    """Put up the walls that there are; return their names. What isn't loaded by now can't be loaded."""
    os.closerange(MAX_FILES, 1_024)
    with contextlib.suppress(OSError, AttributeError):  # not everywhere, and not in every container
        os.unshare(os.CLONE_NEWUSER | os.CLONE_NEWNET)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return ()
    walls = []
    if with_landlock and _landlock(libc):
        walls.append("landlock")
    resource.setrlimit(resource.RLIMIT_NOFILE, (MAX_FILES, MAX_FILES))  # Landlock took one for a moment
    if with_seccomp and _seccomp(libc):
        walls.append("seccomp")
    return tuple(walls)


def _landlock(libc: ctypes.CDLL) -> bool:
    """Deny all files, as no rule allows any."""
    version = libc.syscall(_LANDLOCK_CREATE_RULESET, None, 0, _LANDLOCK_VERSION)
    if version < 1:
        return False
    files = (1 << max(count for since, count in _FILE_RIGHTS.items() if since <= version)) - 1
    rights = [files]
    if version >= _NETWORK_FROM:
        rights.append(_NETWORK_RIGHTS)
    if version >= _SCOPES_FROM:
        rights.append(_SCOPES)
    ruleset = struct.pack(f"={len(rights)}Q", *rights)
    handle = libc.syscall(_LANDLOCK_CREATE_RULESET, ruleset, len(ruleset), 0)
    if handle < 0:
        return False
    try:
        return bool(libc.syscall(_LANDLOCK_RESTRICT_SELF, handle, 0) == 0)
    finally:
        os.close(handle)


def _seccomp(libc: ctypes.CDLL) -> bool:
    code = program(platform.machine())
    if code is None:
        return False
    buffer = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("@HP", len(code) // 8, ctypes.addressof(buffer))  # struct sock_fprog
    return bool(libc.prctl(_SET_SECCOMP, _SECCOMP_MODE_FILTER, header, 0, 0) == 0)


def program(machine: str) -> bytes | None:
    """Return the filter for an architecture, None where its calls aren't known."""
    if machine not in ARCHITECTURES:
        return None
    architecture, calls = ARCHITECTURES[machine]
    plain = sorted(number for name, number in calls.items() if name not in _EXECUTABLE | {"write"})
    lines: list[tuple[int, int, int, int]] = [
        (_LOAD, 0, 0, _AT_ARCHITECTURE),
        (_JUMP_IF, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _AT_NUMBER),
    ]
    for number in plain:
        lines += [(_JUMP_IF, 0, 1, number), (_RETURN, 0, 0, _ALLOW)]
    # The answer goes to 1, and nothing anywhere else
    lines += [
        (_JUMP_IF, 0, 4, calls["write"]),
        (_LOAD, 0, 0, _AT_FIRST),
        (_JUMP_IF, 0, 1, 1),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _FAIL),
    ]
    for name in sorted(_EXECUTABLE):
        lines += [
            (_JUMP_IF, 0, 4, calls[name]),
            (_LOAD, 0, 0, _AT_THIRD),
            (_JUMP_IF_ANY_BIT, 1, 0, _PROT_EXEC),
            (_RETURN, 0, 0, _ALLOW),
            (_RETURN, 0, 0, _FAIL),
        ]
    lines.append((_RETURN, 0, 0, _FAIL))
    return b"".join(struct.pack("=HBBI", *line) for line in lines)
