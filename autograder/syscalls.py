"""What learner code may not ask of the Linux kernel: a seccomp filter.

Namespaces and limits decide what a process can reach; the filter makes the kernel itself
smaller. System calls that a notebook never needs and an attack would like (mounting, new
namespaces, tracing, kernel modules, io_uring, keys, clocks) end with an error, and so do
those that get memory which no limit of a process counts, and all that are newer than this
list. The filter is a program for the kernel's packet-filter
machine (McCanne & Jacobson 1993): load a word of the call's description, compare, jump,
return. It holds for the process and all its children and cannot be taken off again.
"""

import ctypes
import errno
import platform
import struct

#: The architectures known here: their name for the kernel, and the column in CALLS.
ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}

#: Refused with EPERM. Numbers on x86_64 and aarch64; None where there is no such call.
CALLS = {
    # other file systems, other roots
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "mount_setattr": (442, 442), "swapon": (167, 224), "swapoff": (168, 225),
    "quotactl": (179, 60), "quotactl_fd": (443, 443), "acct": (163, 89),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    "fanotify_init": (300, 262), "lookup_dcookie": (212, 18), "nfsservctl": (180, 42),
    "sysfs": (139, None), "ustat": (136, None),
    # other namespaces
    "unshare": (272, 97), "setns": (308, 268),
    # other processes
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "kcmp": (312, 272), "pidfd_getfd": (438, 438), "process_madvise": (440, 440),
    "process_mrelease": (448, 448), "move_pages": (279, 239), "migrate_pages": (256, 238),
    # memory that outlives its mapping, so that neither a limit on addresses nor a look at
    # what processes have mapped finds it
    "memfd_create": (319, 279), "shmget": (29, 194), "msgget": (68, 186), "semget": (64, 190),
    # where memory lies
    "mbind": (237, 235), "set_mempolicy": (238, 237), "get_mempolicy": (239, 236),
    "set_mempolicy_home_node": (450, 450),
    # doors into the kernel
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106),
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "reboot": (169, 142),
    "syslog": (103, 116), "iopl": (172, None), "ioperm": (173, None), "vhangup": (153, 58),
    "personality": (135, 92), "modify_ldt": (154, None), "memfd_secret": (447, 447),
    "uselib": (134, None), "create_module": (174, None), "get_kernel_syms": (177, None),
    "query_module": (178, None), "_sysctl": (156, None),
    # the machine's clock and name
    "settimeofday": (164, 170), "clock_settime": (227, 112), "adjtimex": (159, 171),
    "clock_adjtime": (305, 266), "sethostname": (170, 161), "setdomainname": (171, 162),
}
CLONE, CLONE3, SOCKET, IOCTL = (56, 220), (435, 435), (41, 198), (16, 29)
NEWEST = 456                      # of the calls that were looked at for this list

NEW_NAMESPACES = 0x7E020000       # the flags of clone that open one
FAMILIES = (1, 2, 10)             # sockets: Unix, and IPv4 and IPv6 in a network of its own
TYPING = (0x5412, 0x541C)         # ioctl: TIOCSTI and TIOCLINUX type into a terminal

# The machine's instructions: load a word, jump if equal, greater or any bit is set, return.
LOAD, EQUAL, GREATER, ANY_BIT, RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
ALLOW, FAIL, KILL = 0x7FFF0000, 0x00050000, 0x80000000
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16     # where they stand in the call's description

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, FILTER_MODE = 38, 22, 2


def program(machine):
    """The filter for an architecture, as a list of instructions.

    Parameters
    ----------
    machine : str
        As `platform.machine` names it.

    Returns
    -------
    list of (int, int, int, int)
        Code, how far to jump if true and if false, and the operand.

    Raises
    ------
    OSError
        If the architecture is not known here.
    """
    if machine not in ARCHITECTURES:
        raise OSError(f"no system-call filter for {machine}; there is one for "
                      f"{', '.join(ARCHITECTURES)}")
    name, column = ARCHITECTURES[machine]
    steps = [(LOAD, 0, 0, ARCHITECTURE), (EQUAL, 1, 0, name), (RETURN, 0, 0, KILL),
             (LOAD, 0, 0, NUMBER),
             *_refuse((GREATER, NEWEST), errno.ENOSYS),
             # its flags stand in memory, out of the filter's sight; then clone is called instead
             *_refuse((EQUAL, CLONE3[column]), errno.ENOSYS)]
    for call in CALLS.values():
        if call[column] is not None:
            steps += _refuse((EQUAL, call[column]), errno.EPERM)
    steps += _look_at(CLONE[column], 0, _refuse((ANY_BIT, NEW_NAMESPACES), errno.EPERM))
    steps += _look_at(IOCTL[column], 1, [step for request in TYPING
                                         for step in _refuse((EQUAL, request), errno.EPERM)])
    known = [(EQUAL, len(FAMILIES) - place, 0, family) for place, family in enumerate(FAMILIES)]
    steps += _look_at(SOCKET[column], 0, [*known, (RETURN, 0, 0, FAIL | errno.EAFNOSUPPORT)])
    return [*steps, (RETURN, 0, 0, ALLOW)]


def _refuse(test, error):
    """If the loaded word passes the test, the call ends with this error."""
    code, operand = test
    return [(code, 0, 1, operand), (RETURN, 0, 0, FAIL | error)]


def _look_at(call, argument, steps):
    """For one call alone: load its argument and go through the steps."""
    inside = [(LOAD, 0, 0, ARGUMENTS + 8 * argument), *steps, (LOAD, 0, 0, NUMBER)]
    return [(EQUAL, 0, len(inside), call), *inside]


def refuse_calls():
    """Put this process and all its children behind the filter, for good.

    Raises
    ------
    OSError
        If the kernel does not take the filter, or the architecture is not known.
    """
    code = b"".join(struct.pack("=HBBI", *step) for step in program(platform.machine()))
    steps = ctypes.create_string_buffer(code, len(code))
    header = ctypes.create_string_buffer(struct.pack("@HP", len(code) // 8,
                                                     ctypes.addressof(steps)))
    libc = ctypes.CDLL(None, use_errno=True)
    for request in [(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
                    (PR_SET_SECCOMP, FILTER_MODE, ctypes.addressof(header), 0, 0)]:
        if libc.prctl(*map(ctypes.c_ulong, request)) != 0:
            number = ctypes.get_errno()
            raise OSError(number, f"the system-call filter was not taken: {errno.errorcode[number]}")
