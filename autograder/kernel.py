"""The grader's end of one kernel: run cells, interrupt them, end it.

Every answer of a kernel is what the learner's code wants it to be. So answers are capped
before they are read, have a form that is checked, and must come in time; a kernel that
breaks this is of no more use.
"""

import contextlib
import json
import select
import socket
import struct
import time
from dataclasses import asdict, dataclass, field

from autograder.bridge import Wire, WireError
from autograder.cgroups import ControlGroup
from autograder.report import Output
from autograder.sandbox import SandboxUnavailable
from autograder.shell import KINDS

PATIENCE = 3.0                # seconds that an interrupted cell has to end
START_SECONDS = 30
OUTPUT_KINDS = {"stdout", "stderr", "error", *KINDS}
CREDENTIALS = struct.Struct("3i")


@dataclass
class Outcome:
    """How one cell ended.

    Attributes
    ----------
    error : str
        ``"NameError: name 'x' is not defined"``, or '' if the cell ran through.
    incident : str
        "timeout", "output-limit", "memory", "kernel-died" or "protocol", or ''.
    dead : bool
        Whether the kernel is of no more use.
    outputs : list of Output
    """

    error: str = ""
    incident: str = ""
    dead: bool = False
    outputs: list[Output] = field(default_factory=list)


class _Over(Exception):
    """A kernel does not answer any more; the text is the kind of incident."""


class Kernel:
    """A running kernel; use it as a context manager, or call `kill`.

    Parameters
    ----------
    line : socket.socket
        Connected to its supervisor (`Template.connect`).
    limits : Limits

    Attributes
    ----------
    wire : socket.socket
        On which the kernel answers.

    Raises
    ------
    SandboxUnavailable
        If the kernel does not start.
    """

    def __init__(self, line, limits):
        self.limits = limits
        self.group = ControlGroup(limits)
        self.line = line
        self.line.settimeout(START_SECONDS)
        self.line.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.wire, far_end = socket.socketpair()
        self.ended = ""               # why, once it has ended
        self.deadline = 0.0
        try:
            with far_end:
                socket.send_fds(self.line, [json.dumps(asdict(limits)).encode()],
                                [far_end.fileno()])
            self.group.add(self._supervisor())
            self.line.send(b"go")
            self._require_isolation()
        except (OSError, EOFError) as error:
            self.kill()
            raise SandboxUnavailable(f"a kernel did not start: {error}") from None

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.kill()

    def _supervisor(self):
        """The supervisor's number as a process, which the system itself states."""
        room = socket.CMSG_SPACE(CREDENTIALS.size)
        message, notes, _, _ = self.line.recvmsg(64, room)
        if message != b"ready":
            raise EOFError("its supervisor ended; are user namespaces allowed here?")
        for _, kind, data in notes:
            if kind == socket.SCM_CREDENTIALS:
                return CREDENTIALS.unpack(data)[0]
        raise EOFError("its supervisor is unknown to the system")

    def _require_isolation(self):
        """Hear from the kernel, which has run nothing of a learner's yet, that it is isolated."""
        self.deadline = time.monotonic() + START_SECONDS
        try:
            match self._answer(Wire(self.wire, self._wait)):
                case ["isolated"]:
                    return
                case ["not isolated", why]:
                    raise EOFError(f"it cannot be isolated here ({why}). In a container, use the "
                                   "options that docker/grader.Dockerfile names")
        except _Over as over:
            raise EOFError(f"it ended at once ({over})") from None

    # -- running --

    def run(self, code):
        """Run a cell to its end, or until it is stopped; returns its Outcome."""
        self.deadline = time.monotonic() + self.limits.cell_seconds
        wire = Wire(self.wire, self._wait)
        try:
            self._send(wire, ["run", code])
            return self._outcome(self._answer(wire))
        except WireError:
            return Outcome(error="ValueError: the cell is too long to be run")
        except _Over as over:
            if str(over) != "timeout":
                return Outcome(incident=str(over), dead=True)
        self.interrupt()
        try:
            outcome = self._outcome(self._answer(wire))
        except _Over:
            outcome = Outcome(dead=True)
        outcome.incident = "timeout"
        return outcome

    def _outcome(self, answer):
        """The outcome that a kernel states, within the bounds that an honest one keeps itself."""
        outcome = _outcome(answer)
        size = sum(len(output.data) for output in outcome.outputs)
        if size > self.limits.output_bytes or len(outcome.outputs) > self.limits.output_count:
            raise _Over("protocol")
        return outcome

    def begin_test(self):
        """Let the agent serve; from now on the wire belongs to the judge."""
        self.deadline = time.monotonic() + PATIENCE
        with contextlib.suppress(_Over):
            self._send(Wire(self.wire, self._wait), ["test"])

    def end_test(self, interrupted):
        """Have the wire back; returns the Outcome, which says whether the kernel is dead.

        Parameters
        ----------
        interrupted : bool
            Whether the judge gave up while learner code was running.
        """
        self.deadline = time.monotonic() + PATIENCE
        wire = Wire(self.wire, self._wait)
        try:
            if interrupted:
                self.interrupt()
            for _ in range(1000):
                if self._answer(wire) == ["idle"]:
                    return Outcome()
        except _Over as over:
            return Outcome(incident=str(over), dead=True)
        return Outcome(incident="protocol", dead=True)

    def _send(self, wire, request):
        try:
            wire.send(request)
        except OSError:
            raise _Over(self._reason()) from None

    def _answer(self, wire):
        try:
            return wire.receive()[0]
        except WireError:
            raise _Over("protocol") from None
        except (EOFError, OSError):
            raise _Over(self._reason()) from None

    def _wait(self, connection):
        """Before each piece on the wire: is there time left?"""
        left = self.deadline - time.monotonic()
        if left <= 0:
            self.deadline = time.monotonic() + PATIENCE
            raise _Over("timeout")
        connection.settimeout(left)

    def _reason(self):
        """Why the wire is closed: the kernel's end is known a moment later."""
        patience = time.monotonic() + 2.0
        while self.alive() and time.monotonic() < patience:
            time.sleep(0.02)
        return "protocol" if self.alive() else self.ended

    def alive(self):
        """Whether the kernel still runs."""
        while not self.ended and select.select([self.line], [], [], 0)[0]:
            try:
                said = self.line.recv(64)
            except OSError:
                said = b""
            self.ended = "memory" if said == b"memory" else "kernel-died"
        return not self.ended

    def interrupt(self):
        """Interrupt what runs, as Jupyter's stop button does."""
        with contextlib.suppress(OSError):
            self.line.send(b"interrupt")

    # -- ending --

    def kill(self):
        """End the kernel with everything it started, and leave nothing behind."""
        self.wire.close()
        with contextlib.suppress(OSError):
            self.line.shutdown(socket.SHUT_WR)
            while self.line.recv(64):
                pass
        self.line.close()
        self.group.remove()


def _outcome(answer):
    """The outcome that a kernel states, if it states one properly."""
    match answer:
        case ["done", str(error), list(pieces), bool(overflow)]:
            pass
        case _:
            raise _Over("protocol")
    outputs = []
    for piece in pieces:
        match piece:
            case [str(kind), str(text)] if kind in OUTPUT_KINDS:
                outputs.append(Output(kind, text))
            case _:
                raise _Over("protocol")
    return Outcome(error[:500], "output-limit" if overflow else "", outputs=outputs)
