"""What a process gives up before it touches hostile bytes: files, network, programs, other processes, more memory.

On Linux (x86-64, aarch64) the kernel itself holds it to the few calls that computing needs (seccomp, in a list of what
is allowed; anything else fails with EPERM); limits of resources hold everywhere. A flaw in a decoder then reaches
nothing but the answer of this one picture. Does not hide what is in the process already: nothing secret may be.
"""

import ctypes
import errno
import platform
import resource
import struct
import sys

_MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
"""AUDIT_ARCH of linux/audit.h, and which of the numbers below are its own."""
_CALLS = {
    "read": (0, 63), "write": (1, 64), "close": (3, 57), "fstat": (5, 80), "lseek": (8, 62),
    "mmap": (9, 222), "mprotect": (10, 226), "munmap": (11, 215), "brk": (12, 214), "mremap": (25, 216),
    "madvise": (28, 233), "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132), "restart_syscall": (219, 128), "sched_yield": (24, 124), "getpid": (39, 172),
    "gettid": (186, 178), "getrusage": (98, 165), "sched_getaffinity": (204, 123), "futex": (202, 98),
    "gettimeofday": (96, 169), "clock_gettime": (228, 113), "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115), "getrandom": (318, 278), "membarrier": (324, 283), "rseq": (334, 293),
    "exit": (60, 93), "exit_group": (231, 94),
}  # fmt: skip
"""Calls by their numbers on x86-64 and aarch64 (asm/unistd_64.h, asm-generic/unistd.h). Nothing that opens, connects,
sends, starts or inspects."""
_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 38, 22, 2
_DENIED = 0x00050000 | errno.EPERM
_PERMITTED = 0x7FFF0000
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


def can_confine() -> bool:
    """Return whether the kernel can hold a process of this machine to a list of calls."""
    return sys.platform == "linux" and platform.machine() in _MACHINES


def limited(memory_bytes: int, seconds: int) -> None:
    """Bound memory and computing time of this process for good; it writes no file and leaves no core."""
    for what, most in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (bound, bound))


def confined() -> None:
    """Give up every call but those that computing needs, for good. Raises OSError where the kernel refuses."""
    libc = ctypes.CDLL(None, use_errno=True)
    machine, column = _MACHINES[platform.machine()]
    code = _filter(machine, tuple(numbers[column] for numbers in _CALLS.values()))
    program = _Program(len(code) // 8, code)
    for arguments in ((_NO_NEW_PRIVILEGES, 1), (_SECCOMP, _FILTER, ctypes.addressof(program))):
        if libc.prctl(*[ctypes.c_ulong(one) for one in (*arguments, 0, 0, 0)][:5]) != 0:
            number = ctypes.get_errno()
            raise OSError(number, f"prctl({arguments[0]}): the kernel does not confine this process")


def _filter(machine: int, allowed: tuple[int, ...]) -> bytes:
    """Return the program (linux/filter.h) that permits `allowed` of one machine and denies all else."""
    steps = [(_LOAD, 0, 0, 4), (_EQUAL, 1, 0, machine), (_RETURN, 0, 0, _DENIED), (_LOAD, 0, 0, 0)]
    for place, number in enumerate(allowed):
        steps.append((_EQUAL, len(allowed) - place, 0, number))
    steps += [(_RETURN, 0, 0, _DENIED), (_RETURN, 0, 0, _PERMITTED)]
    return b"".join(struct.pack("HBBI", *step) for step in steps)
