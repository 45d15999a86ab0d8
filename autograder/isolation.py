"""Take the world away from a forked process, before learner code runs in it.

The process has namespaces of its own for mounts, processes, network and names; its
writable places are small file systems in memory, empty at first and gone with it; it has
no capability, cannot gain one, and is bound to limits and to a filter of system calls.
How the namespaces are opened depends on who runs the grader:

- "user": an ordinary user first opens a user namespace, in which he may do the rest;
- "root": root needs none, and gives the process a number that no other user has, so that
  root's exemptions (from the limit on processes, from file permissions) end here;
- "container": Podman or Docker has done all this already, one container for a kernel;
- "none": nothing is taken away but what the limits take (``--unsafe``).
"""

import contextlib
import ctypes
import errno
import os
import secrets
import signal
import sys

from autograder import limits, syscalls

HOME = "/home/learner"
DATA = "/course/data"             # data files of the assignment
NUMBERS = range(61184, 65520)     # user numbers that systemd keeps free for passing services

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x4000000, 0x8000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 32, 4096, 16384, 1 << 18
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP = 1, 4, 24
CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


def open_namespaces(kind):
    """Leave the namespaces of the process that forked this one; children will be alone."""
    if kind not in ("user", "root"):
        return
    flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS
    if kind == "root":
        _check(_libc.unshare(flags), "opening namespaces")
        return
    user, group = os.getuid(), os.getgid()
    _check(_libc.unshare(flags | CLONE_NEWUSER), "opening a user namespace")
    for name, text in [("setgroups", "deny"), ("uid_map", f"{user} {user} 1"),
                       ("gid_map", f"{group} {group} 1")]:
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)


def confine(kind, bounds):
    """Give up everything that learner code must not have; there is no way back.

    Parameters
    ----------
    kind : str
        "user", "root", "container" or "none".
    bounds : Limits

    Raises
    ------
    OSError
        If something could not be given up; the process must not go on.
    """
    if kind in ("user", "root"):
        _mount_own_places(bounds)
        os.chdir(HOME)
        _drop_bounding_set()
    if kind == "root":
        number = NUMBERS[secrets.randbelow(len(NUMBERS))]
        os.setgroups([])
        os.setresgid(number, number, number)
        os.setresuid(number, number, number)
    limits.bind(bounds)
    if kind == "none":
        die_with_parent()
        return
    _drop_capabilities()
    _prctl(PR_SET_DUMPABLE, 1)         # its own memory is the learner's to look at
    die_with_parent()
    syscalls.refuse_calls()


def die_with_parent():
    """End this process when the one that forked it ends."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def hide_memory():
    """Keep other processes of the same user from looking into this one."""
    _prctl(PR_SET_DUMPABLE, 0)


def _mount_own_places(bounds):
    """Small writable places in memory, the data files in the home, and a /proc of its own."""
    _mount(None, "/", None, MS_REC | MS_PRIVATE)
    python = [(place, os.open(place, os.O_PATH)) for place in {sys.prefix, sys.base_prefix}
              if place.startswith("/tmp/")]
    size = f"size={bounds.disk_bytes},nr_inodes={bounds.files},mode=1777"
    for place in ("/tmp", "/dev/shm", HOME):
        _mount("tmpfs", place, "tmpfs", MS_NOSUID | MS_NODEV, size)
    for place, folder in python:          # an environment in /tmp stays in sight
        os.makedirs(place)
        _mount(f"/proc/self/fd/{folder}", place, None, MS_BIND | MS_REC)
        os.close(folder)
    for name in os.listdir(DATA):
        source, target = os.path.join(DATA, name), os.path.join(HOME, name)
        with open(target, "x"):
            pass
        _mount(source, target, None, MS_BIND)
    _mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)


def _drop_bounding_set():
    for capability in range(64):
        with contextlib.suppress(OSError):       # the kernel knows only the first of them
            _prctl(PR_CAPBSET_DROP, capability)


def _drop_capabilities():
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    _check(_libc.capset(header, nothing), "dropping capabilities")


def _mount(source, target, kind, flags, options=None):
    encoded = [text.encode() if text else None for text in (source, target, kind)]
    _check(_libc.mount(*encoded, ctypes.c_ulong(flags), options.encode() if options else None),
           f"mounting {target}")


def _prctl(*request):
    _check(_libc.prctl(*map(ctypes.c_ulong, (*request, *[0] * (5 - len(request))))), "prctl")


def _check(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {errno.errorcode.get(number, number)}")
