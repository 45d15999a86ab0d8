"""What a learner's notebook may use of the machine.

A cell or test that needs more is stopped; what counts for the mark is whatever was
computed before. This module is used at both ends: the grader sets the limits, and each
kernel binds itself to them before the first line of learner code runs.
"""

import resource
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Limits on one notebook.

    Attributes
    ----------
    cell_seconds, test_seconds, total_seconds : float
        Wall time of one cell, of one test, and of the whole notebook.
    deaths : int
        Kernels that may die before the notebook is given up.
    cpu_seconds : int
        Processor time of one process.
    memory_bytes : int
        Address space of one process, and memory of all processes together.
    disk_bytes, files : int
        What fits into the home folder, /tmp and /dev/shm each; they are kept in memory.
    processes : int
        Processes and threads at the same time.
    open_files : int
        Of one process.
    output_bytes, output_count : int
        Of one cell; what is more is left out.
    total_output_bytes : int
        Of all cells together.
    """

    cell_seconds: float = 20.0
    test_seconds: float = 20.0
    total_seconds: float = 180.0
    deaths: int = 10
    cpu_seconds: int = 120
    memory_bytes: int = 3 << 30
    disk_bytes: int = 64 << 20
    files: int = 10_000
    processes: int = 100
    open_files: int = 256
    output_bytes: int = 1_000_000
    output_count: int = 1000
    total_output_bytes: int = 4_000_000


def bind(limits):
    """Bind this process and all its children to the limits that each process has."""
    for kind, value in [
        (resource.RLIMIT_AS, limits.memory_bytes), (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_FSIZE, limits.disk_bytes), (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_NPROC, limits.processes), (resource.RLIMIT_CORE, 0),
    ]:
        _, most = resource.getrlimit(kind)
        value = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(kind, (value, value))
