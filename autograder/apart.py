"""Call a function in a process of its own, which ends whatever the function does.

A notebook is judged in such a process: it is forked from a server that has imported the
grader, sends back what it has to say piece by piece, and is killed with everything it
started when its time is over, when the run is stopped, or when the process that asked
for it is gone. What it had sent before that is not lost.
"""

import atexit
import contextlib
import multiprocessing
import multiprocessing.connection
import multiprocessing.forkserver
import os
import resource
import shutil
import signal
import tempfile
import threading
import time
from dataclasses import dataclass, field

import psutil

from autograder import cgroups, scratch

MEMORY = 4 * 2**30               # bytes of address space
PIECE = 256 * 2**20              # bytes at most that are read in one piece

# A server that has imported the grader once, and forks a process for each notebook.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["__main__", "autograder.marking", "autograder.job",
                                   "autograder.feedback"])

_running = set()                 # the processes that this one asked for
_stopping = threading.Event()


class Stopped(Exception):
    """The run was stopped, and this process with it."""


def prepare():
    """Start the server, which takes some seconds until it has imported everything."""
    config = multiprocessing.current_process()._config
    # A worker of Dask is a daemon, and multiprocessing allows no daemon to have children,
    # because it would leave them behind. Ours end by themselves.
    config["daemon"] = False
    if "tempdir" not in config:           # where the server has its socket
        folder = scratch.folder()
        config["tempdir"] = str(folder)
        atexit.register(scratch.remove, folder)
    multiprocessing.forkserver.ensure_running()


@dataclass
class Ended:
    """What a process sent, and how it ended.

    Attributes
    ----------
    sent : list of bytes
    in_time : bool
    exitcode : int
        Negative if a signal ended the process.
    log : str
        The last lines of what it wrote to its standard output and error.
    """

    sent: list[bytes] = field(default_factory=list)
    in_time: bool = True
    exitcode: int | None = None
    log: str = ""


def call(function, *arguments, seconds):
    """Call a function in a process of its own.

    Parameters
    ----------
    function : function
        Its first argument is a function that sends bytes to the caller. Its temporary
        files are removed when it ends.
    arguments
        Plain data.
    seconds : float
        The process is killed after that time.

    Returns
    -------
    Ended

    Raises
    ------
    Stopped
        If `stop` was called meanwhile.
    """
    prepare()
    folder = scratch.folder()
    try:
        ended = _call(function, arguments, folder, seconds)
        ended.log = _last_lines(folder / "log")
    finally:
        scratch.remove(folder)
    if _stopping.is_set():
        raise Stopped
    return ended


def _call(function, arguments, folder, seconds):
    ours, theirs = _processes.Pipe(duplex=False)
    process = _processes.Process(target=_work, args=(function, arguments, theirs, str(folder)),
                                 daemon=True)
    with ours:
        with theirs:
            process.start()
        _running.add(process)
        try:
            ended = _listen(process, ours, time.monotonic() + seconds)
        finally:
            end(process.pid)
            process.join()
            _running.discard(process)
            if process.exitcode:                  # it could not tidy up after itself
                cgroups.remove_left_by(process.pid)
    ended.exitcode = process.exitcode
    return ended


def _listen(process, line, deadline):
    """Take what a process sends until it ends or its time is over."""
    ended = Ended()
    while not _stopping.is_set():
        rest = max(0.0, deadline - time.monotonic())
        ready = multiprocessing.connection.wait([line, process.sentinel], rest)
        if line in ready:
            try:
                ended.sent.append(line.recv_bytes(PIECE))
            except (EOFError, OSError):
                break
        elif not ready:
            ended.in_time = False
            break
        else:
            break
    return ended


@contextlib.contextmanager
def stopping():
    """Within this, every process ends at once, and its caller raises Stopped."""
    _stopping.set()
    try:
        for process in list(_running):
            end(process.pid)
        yield
    finally:
        _stopping.clear()


def end(pid):
    """Kill a process and everything it started."""
    try:
        process = psutil.Process(pid)
        family = [*process.children(recursive=True), process]
    except psutil.NoSuchProcess:
        return
    for member in family:
        with contextlib.suppress(ProcessLookupError):
            os.kill(member.pid, signal.SIGKILL)
    psutil.wait_procs(family, timeout=10)


# ---- in the process ---------------------------------------------------------


def _work(function, arguments, line, folder):
    os.setsid()
    threading.Thread(target=_end_with_parent, args=(folder,), daemon=True).start()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    tempfile.tempdir = folder
    with open(os.path.join(folder, "log"), "wb") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    function(line.send_bytes, *arguments)


def _end_with_parent(folder):
    """End this process and all it started as soon as the one that asked for it is gone."""
    multiprocessing.connection.wait([multiprocessing.parent_process().sentinel])
    for child in psutil.Process().children(recursive=True):
        end(child.pid)
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)


def _last_lines(path, count=20):
    if not path.is_file():
        return ""
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-count:])
