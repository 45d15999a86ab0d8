"""A process that has imported everything and forks a kernel for each notebook.

Starting Python and importing NumPy takes a second, forking a process that has done so
takes milliseconds: Android starts its applications in this way and calls the process a
zygote. It runs inside the sandbox but is trusted: learner code runs only in the kernels,
which are isolated from it and from each other. Between a kernel and its zygote stands a
supervisor, which opens the namespaces, passes interrupts on, watches the memory, and
ends the kernel when the grader lets go of its line.

The grader connects to the zygote's door once for each kernel (a zygote in a container
connects to the grader's, and has one kernel only), hands over the limits and
one end of the wire on which the kernel will be talked to, and keeps the connection for
the supervisor:

    grader: limits, wire     supervisor: ready     grader: go     (the kernel runs)
    on the wire, kernel: isolated, or why it is not
    grader: interrupt        supervisor: memory    either side: closed
"""

import contextlib
import gc
import importlib
import json
import os
import random
import select
import signal
import socket
import sys
import time

from autograder import isolation, shell
from autograder.bridge import Wire
from autograder.limits import Limits

MESSAGE = 1 << 16             # bytes at most on the supervisor's line
WATCH_SECONDS = 0.5           # between two looks at the memory


def main():
    """Import, then fork a kernel for each connection, until the grader closes stdin."""
    kind, door, *modules = sys.argv[1:]
    prepare(modules)
    if kind == "container":
        isolation.hide_memory()                       # from the kernel, which has the same user
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as line:
            line.connect(door)
            print("ready", flush=True)
            supervise(line, kind, sys.stdin.fileno())
        return
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)     # supervisors that end leave no trace
    print("ready", flush=True)
    # Only the zygote holds the pipe's other end, so that supervisors notice when it ends.
    end, held = os.pipe()
    with socket.socket(fileno=int(door)) as door:
        while sys.stdin not in select.select([door, sys.stdin], [], [])[0]:
            line, _ = door.accept()
            if os.fork() == 0:
                with _ending():
                    door.close()
                    os.close(held)
                    os.setsid()
                    supervise(line, kind, end)
            line.close()


def prepare(modules):
    """Import what notebooks will need, so that every kernel has it from the start."""
    for name in modules:
        with contextlib.suppress(Exception):     # the notebook's own import says what is wrong
            importlib.import_module(name)
    shell.prepare()
    gc.collect()
    gc.freeze()                                  # so that kernels share this memory unwritten


# ---- the supervisor of one kernel ---------------------------------------------


def supervise(line, kind, zygote):
    """Start a kernel, and stay with it until it ends, or the grader lets go, or the zygote ends.

    Parameters
    ----------
    line : socket.socket
        Connected to the grader.
    kind : str
        Of isolation.
    zygote : int
        A file descriptor that can be read when the zygote has ended.
    """
    message, wires, _, _ = socket.recv_fds(line, MESSAGE, 1)
    if not wires:
        return
    bounds = Limits(**json.loads(message))
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    isolation.open_namespaces(kind)
    line.send(b"ready")                          # now the grader may bind this process
    if line.recv(MESSAGE) != b"go":
        return
    kernel = os.fork()
    if kernel == 0:
        with _ending():
            run_kernel(wires[0], kind, bounds)
    os.close(wires[0])
    _stay(line, zygote, kernel, kind, bounds)


def _stay(line, zygote, kernel, kind, bounds):
    """Pass interrupts on and watch the memory, until kernel or grader are done."""
    end = os.pidfd_open(kernel)
    while True:
        ready, _, _ = select.select([line, zygote, end], [], [], WATCH_SECONDS)
        message = line.recv(MESSAGE) if line in ready else None
        if message == b"interrupt":
            os.kill(kernel, signal.SIGINT)
        elif end in ready or zygote in ready or message == b"":
            break
        elif not ready and kind != "none" and memory_in_sight() > bounds.memory_bytes:
            line.send(b"memory")
            break
    with contextlib.suppress(ProcessLookupError):
        if kind == "none":
            os.killpg(kernel, signal.SIGKILL)
        os.kill(kernel, signal.SIGKILL)          # with it ends all that its namespace holds
    os.waitpid(kernel, 0)


def memory_in_sight():
    """Bytes of memory that the processes in /proc use; what they share is divided.

    The kernel has mounted a /proc of its own, so that it and its children are all there are.
    """
    return sum(_memory(name) for name in os.listdir("/proc") if name.isdigit())


def _memory(process):
    with contextlib.suppress(OSError), \
            open(f"/proc/{process}/smaps_rollup", encoding="ascii") as file:
        for text in file:
            if text.startswith("Pss:"):
                return int(text.split()[1]) * 1024
    return 0


# ---- the kernel ------------------------------------------------------------------


def run_kernel(wire, kind, bounds):
    """Isolate this process, and answer on the wire until the other side hangs up."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    wire = os.dup2(wire, 3)
    os.closerange(4, 1 << 16)
    line = socket.socket(fileno=wire)
    try:
        isolation.confine(kind, bounds)
    except OSError as error:
        Wire(line).send(["not isolated", error.strerror])
        return
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    Wire(line).send(["isolated"])
    shell.serve(line, bounds)


@contextlib.contextmanager
def _ending():
    """End this process afterwards, whatever happens, without the zygote's own clean-up."""
    try:
        yield
    except BaseException as error:
        with contextlib.suppress(OSError):
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
    finally:
        time.sleep(0)
        os._exit(0)


if __name__ == "__main__":
    main()
