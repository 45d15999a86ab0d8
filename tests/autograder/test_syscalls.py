"""The filter decides as it should, on both architectures: its program is interpreted here."""

import errno
import platform
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from autograder import syscalls
from autograder.syscalls import ALLOW, ARCHITECTURES, CALLS, FAIL, KILL

MACHINES = ["x86_64", "aarch64"]


#: Blocked by Docker's default profile, as its documentation lists them ("Seccomp security
#: profiles for Docker"); those that are decided by an argument stand in tests of their own.
DOCKER = set("""
    acct add_key bpf clock_adjtime clock_settime create_module delete_module finit_module
    get_kernel_syms get_mempolicy init_module ioperm iopl kcmp kexec_file_load kexec_load keyctl
    lookup_dcookie mbind mount move_pages nfsservctl open_by_handle_at perf_event_open
    personality pivot_root process_vm_readv process_vm_writev ptrace query_module quotactl reboot
    request_key set_mempolicy setns settimeofday swapon swapoff sysfs _sysctl umount2 unshare
    uselib userfaultfd ustat""".split())
#: Doors that were opened later, into other processes, and to memory that no limit counts.
LATER = set("""
    io_uring_setup io_uring_enter io_uring_register pidfd_getfd process_madvise process_mrelease
    migrate_pages set_mempolicy_home_node memfd_create memfd_secret shmget msgget semget
    fsopen fsconfig fsmount fspick open_tree move_mount mount_setattr fanotify_init""".split())
HEADERS = {"x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
           "aarch64": Path("/usr/include/asm-generic/unistd.h")}


def decision(machine, number, arguments=(), architecture=None):
    """What the packet-filter machine returns, read off its definition (McCanne & Jacobson)."""
    if architecture is None:
        architecture = ARCHITECTURES[machine][0]
    words = struct.pack("<IIQ6Q", number, architecture, 0, *(tuple(arguments) + (0,) * 6)[:6])
    place = accumulator = 0
    steps = syscalls.program(machine)
    while True:
        code, if_true, if_false, operand = steps[place]
        place += 1
        if code == 0x20:                                     # BPF_LD | BPF_W | BPF_ABS
            accumulator = struct.unpack_from("<I", words, operand)[0]
        elif code == 0x06:                                   # BPF_RET | BPF_K
            return operand
        else:
            true = {0x15: accumulator == operand, 0x25: accumulator > operand,
                    0x45: bool(accumulator & operand)}[code]
            place += if_true if true else if_false


@pytest.mark.parametrize("machine", MACHINES)
def test_what_is_listed_is_refused(machine):
    column = ARCHITECTURES[machine][1]
    for name, numbers in CALLS.items():
        if numbers[column] is not None:
            assert decision(machine, numbers[column]) == FAIL | errno.EPERM, name


def test_the_list_holds_what_docker_refuses_and_what_came_later():
    assert (DOCKER | LATER) - CALLS.keys() == set()


@pytest.mark.parametrize("machine", MACHINES)
def test_the_numbers_are_those_of_the_kernel_s_headers(machine):
    if not HEADERS[machine].is_file():
        pytest.skip(f"there is no {HEADERS[machine]} (Debian: linux-libc-dev)")
    defined = dict(re.findall(r"^#define __NR_(\w+)\s+(\d+)$", HEADERS[machine].read_text(), re.M))
    column = ARCHITECTURES[machine][1]
    compared = {**CALLS, "clone": syscalls.CLONE, "clone3": syscalls.CLONE3,
                "socket": syscalls.SOCKET, "ioctl": syscalls.IOCTL}
    wrong = {name: numbers[column] for name, numbers in compared.items()
             if str(numbers[column]) != defined.get(name, "None")}
    assert wrong == {}


@pytest.mark.parametrize("machine", MACHINES)
@given(number=st.integers(0, 2**32 - 1), flags=st.integers(0, 2**64 - 1))
def test_any_other_call_passes_unless_it_is_unknown(machine, number, flags):
    column = ARCHITECTURES[machine][1]
    special = {syscalls.CLONE[column], syscalls.CLONE3[column], syscalls.SOCKET[column],
               syscalls.IOCTL[column], *(numbers[column] for numbers in CALLS.values())}
    if number not in special:
        expected = ALLOW if number <= syscalls.NEWEST else FAIL | errno.ENOSYS
        assert decision(machine, number, [flags] * 6) == expected


@pytest.mark.parametrize("machine", MACHINES)
@given(flags=st.integers(0, 2**64 - 1))
def test_new_processes_pass_and_new_namespaces_do_not(machine, flags):
    # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET of linux/sched.h
    opens = flags & (0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000
                     | 0x40000000)
    clone = syscalls.CLONE[ARCHITECTURES[machine][1]]
    assert decision(machine, clone, [flags]) == (FAIL | errno.EPERM if opens else ALLOW)


@pytest.mark.parametrize("machine", MACHINES)
@given(family=st.one_of(st.integers(0, 50), st.integers(0, 2**32 - 1)))
def test_sockets_of_three_families_pass(machine, family):
    socket = syscalls.SOCKET[ARCHITECTURES[machine][1]]
    allowed = family in (1, 2, 10)
    assert decision(machine, socket, [family]) == (ALLOW if allowed else FAIL | errno.EAFNOSUPPORT)


@pytest.mark.parametrize("machine", MACHINES)
def test_typing_into_a_terminal_is_refused_and_other_requests_pass(machine):
    ioctl = syscalls.IOCTL[ARCHITECTURES[machine][1]]
    assert decision(machine, ioctl, [0, 0x5412]) == FAIL | errno.EPERM        # TIOCSTI
    assert decision(machine, ioctl, [0, 0x5412 | 1 << 40]) == FAIL | errno.EPERM
    assert decision(machine, ioctl, [0x5412, 0x5401]) == ALLOW                # TCGETS


@pytest.mark.parametrize("machine", MACHINES)
@given(architecture=st.integers(0, 2**32 - 1), number=st.integers(0, 2**32 - 1))
def test_a_call_by_the_rules_of_another_architecture_ends_the_process(machine, architecture, number):
    if architecture != ARCHITECTURES[machine][0]:
        assert decision(machine, number, architecture=architecture) == KILL


def test_an_unknown_machine_is_refused():
    with pytest.raises(OSError, match="no system-call filter for s390x"):
        syscalls.program("s390x")


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the numbers are those of x86_64")
def test_the_kernel_takes_the_filter_and_it_cannot_be_taken_off():
    code = ("import ctypes; from autograder import syscalls; libc = ctypes.CDLL(None, use_errno=True)\n"
            "before = libc.unshare(0); syscalls.refuse_calls(); syscalls.refuse_calls()\n"
            "print(before, libc.unshare(0), ctypes.get_errno(), libc.prctl(22, 0, 0, 0, 0))")
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (run.stdout.split(), run.stderr) == (["0", "-1", "1", "-1"], "")
