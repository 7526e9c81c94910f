"""What a submission's process does to itself before it imports the submission, so that the code cannot undo it.

On Linux with Landlock: files can be read only where Python, the package, the system's libraries and the submission
itself are, and written only in an empty folder of its own and in its compiler cache; no TCP, no signals to other
processes, no look into their memory or environment. Where the system allows it, the process also gets a network of
its own with nothing in it. Memory, file sizes and core dumps are limited everywhere.

Not guarded: processor time of processes that it starts and that leave its group, memory shared between processes,
bugs of the kernel. Without Landlock (other systems, old kernels) files are as open as to the user who runs it. The
guards that are in force are reported (`SubmissionProcess.guards`); for hostile code on a machine with secrets, run
the whole of VeilBench in a container or a virtual machine.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG, _PATH_BENEATH = 1, 1
_NO_NEW_PRIVILEGES = 38
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000

# linux/landlock.h: bits of file-system access, by the version that brought them.
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _TRUNCATE, _DEVICE_CALLS = 1, 2, 4, 8, 1 << 14, 1 << 15
_ALL = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_ON_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _DEVICE_CALLS

# Of /proc only what libraries ask about the machine and about this process: other processes' environment is there too.
_SYSTEM = (
    "/usr", "/lib", "/lib64", "/bin", "/sbin", "/sys/devices/system", "/etc/ld.so.cache", "/etc/localtime",
    "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/sys/vm", "/proc/filesystems",
    "/dev/urandom", "/dev/random", "/dev/zero",
)  # fmt: skip


def limit_resources(*, memory: int, file_size: int) -> list[str]:
    """Limit this process: bytes of private memory, bytes of any file that it writes, no core dump."""
    for kind, value in (
        (resource.RLIMIT_DATA, memory),
        (resource.RLIMIT_FSIZE, file_size),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))
    return ["memory"]


def confine(*, read: Iterable[str | Path], write: Iterable[str | Path], devices: Sequence[str] = ()) -> list[str]:
    """Give up network and files beyond the named folders, for good; returns the guards that are now in force."""
    if platform.system() != "Linux" or len(os.listdir("/proc/self/task")) != 1:  # noqa: PTH208 - before pathlib matters
        return []  # Landlock binds the calling thread and its children: with other threads running it would not hold
    libc = ctypes.CDLL(None, use_errno=True)
    guards = ["network"] if not libc.unshare(_NEW_NETWORK) or not libc.unshare(_NEW_USER | _NEW_NETWORK) else []
    version = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION_FLAG)
    if version < 1:
        return guards
    handled = _ALL[min(version, 5)]
    # TCP bind and connect from version 4 on; abstract sockets and signals from version 6 on.
    fields = [handled, *([3] if version >= 4 else []), *([3] if version >= 6 else [])]
    attributes = struct.pack(f"={len(fields)}Q", *fields)
    ruleset = libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0)
    if ruleset < 0:
        return guards
    for path in (*_SYSTEM, *_python_folders(), *read):
        _allow(libc, ruleset, path, _READ & handled)
    for path in ("/dev/null", *devices, *write):
        _allow(libc, ruleset, path, handled)
    held = libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0 and libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0
    os.close(ruleset)
    return [*guards, f"landlock-{version}"] if held else guards


def _python_folders() -> set[str]:
    """Where the interpreter and its packages are, without folders that hold more than that."""
    prefixes = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}
    packages = {entry for entry in sys.path if Path(entry).name in ("site-packages", "dist-packages")}
    return prefixes | packages


def _allow(libc: ctypes.CDLL, ruleset: int, path: str | Path, access: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what is not there needs no permission
    if not Path(path).is_dir():
        access &= _ON_FILES
    rule = struct.pack("=Qi", access, descriptor)
    libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0)
    os.close(descriptor)
