"""Control groups: bounds on memory, number and processor time of many processes together.

Limits that a process sets itself bind each process alone. Where this user may make
control groups (root nearly always, others where systemd hands them a part of the tree),
a kernel and all that it starts share one, and have together as much of the processors
as any other kernel. Elsewhere the limit on processes and the supervisor's look at the
memory must do. Both versions of the interface are in use:
version 1 has a tree for each controller, version 2 one tree for all.
"""

import contextlib
import os
import secrets
import time
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
PREFIX = "autograder"
ABANDONED = 60.0              # seconds; a kernel starts in less


class ControlGroup:
    """The groups of one kernel; without effect where none can be made.

    Parameters
    ----------
    limits : Limits
    """

    def __init__(self, limits):
        remove_abandoned()
        # The name tells who made it, so that others can remove it when its maker was killed.
        name = f"{PREFIX}-{os.getpid()}-{secrets.token_hex(4)}"
        make = _version_2 if (ROOT / "cgroup.controllers").exists() else _version_1
        self.folders = list(make(name, limits))

    def add(self, process):
        """Bind a process, and all that it will start."""
        for folder in self.folders:
            (folder / "cgroup.procs").write_text(str(process))

    def remove(self):
        """Remove the groups, which must be empty."""
        for folder in self.folders:
            _remove(folder)


def remove_left_by(maker):
    """Remove the groups that a process, now gone, has left."""
    for folder in _made_by(maker):
        _remove(folder)


def remove_abandoned():
    """Remove the empty groups of runs that were killed as a whole, so that nobody tidied up.

    A maker that is not seen here may live in another container. So young groups are left
    alone, and one that holds a process cannot be removed.
    """
    for folder in _made_by("*"):
        with contextlib.suppress(OSError):
            maker, age = folder.name.split("-")[1], time.time() - folder.stat().st_mtime
            if age > ABANDONED and not Path("/proc", maker).exists():
                folder.rmdir()


def _made_by(maker):
    return {*ROOT.glob(f"*/{PREFIX}-{maker}-*"), *_siblings().glob(f"{PREFIX}-{maker}-*")}


def _version_1(name, limits):
    for controller, settings in [
        ("pids", {"pids.max": limits.processes}),
        ("memory", {"memory.limit_in_bytes": limits.memory_bytes}),
        ("cpu", {}),              # groups have equal shares unless one says otherwise
    ]:
        yield from _make(ROOT / controller / name, settings)


def _version_2(name, limits):
    parent = _siblings()
    for controller in ("+pids", "+memory", "+cpu"):          # of which one may not be ours
        with contextlib.suppress(OSError):
            (parent / "cgroup.subtree_control").write_text(controller)
    yield from _make(parent / name, {
        "pids.max": limits.processes, "memory.max": limits.memory_bytes, "memory.swap.max": 0})


def _siblings():
    """Where groups beside the one of this process are (version 2)."""
    own = ""
    with contextlib.suppress(OSError, StopIteration):
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
        own = next(line for line in lines if line.startswith("0::")).removeprefix("0::/")
    return ROOT / Path(own).parent


def _make(folder, settings):
    """Make a group; one whose bounds cannot be set is of no use."""
    try:
        folder.mkdir()
    except OSError:
        return
    try:
        for file, value in settings.items():
            if (folder / file).exists() or file != "memory.swap.max":
                (folder / file).write_text(str(value))
    except OSError:
        _remove(folder)
        return
    yield folder


def _remove(folder):
    """Remove a group; the kernel needs a moment to notice that its last process has ended."""
    for _ in range(50):
        with contextlib.suppress(OSError):
            folder.rmdir()
            return
        if not folder.exists():
            return
        time.sleep(0.02)
