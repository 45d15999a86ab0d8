"""The judge's end of the bridge: ask the sandbox, and let no answer be more than data.

Each request of a test goes over the wire and is answered by an agent that learner code may
have replaced. So answers are decoded strictly, counted and timed; what does not fit
interrupts the test. Exceptions of the learner's code arrive as Python's common ones.
"""

import builtins
import contextlib
import sys
import time

from autograder.bridge import Decoder, Encoder, Wire, WireError
from autograder.handles import Callable, Handle, Named, refused

MAX_CALLS = 100_000           # requests in one test cell
MAX_BYTES = 1 << 30           # that one test cell takes from the sandbox in all
MAX_TEXT, MAX_DOC = 500, 5000  # characters of a name or a message, and of a docstring

#: Modules whose functions are handed to learner code by name instead of by call-back.
LIBRARIES = {"builtins", "math", "cmath", "_operator", "numpy", "numpy.linalg"}

#: Exceptions that learner code may raise under their own name; others are LearnerError.
EXCEPTIONS = {
    name: getattr(builtins, name) for name in (
        "ArithmeticError", "AssertionError", "AttributeError", "FileNotFoundError", "ImportError",
        "IndexError", "KeyError", "LookupError", "MemoryError", "ModuleNotFoundError", "NameError",
        "NotImplementedError", "OSError", "OverflowError", "RecursionError", "RuntimeError",
        "TypeError", "ValueError", "ZeroDivisionError")
}


class LearnerError(Exception):
    """An exception of the learner's code that is none of Python's common ones.

    One of the learner's own becomes a subclass with its name, which is what a message shows.

    StopIteration is one of these: out of a function it would end a loop of the test, as in
    ``zip(map(f, inputs), expected)``, before anything was compared. `Handle.__next__` turns
    it back.
    """


class Interruption(BaseException):
    """The sandbox can not go on with this test cell.

    It is no Exception, so that an ``except Exception`` in a test cell does not hide it.
    """

    def __init__(self, kind, detail=""):
        super().__init__(f"{kind}: {detail}")
        self.kind = kind
        self.detail = detail


class Channel:
    """Requests to the sandbox during one test cell.

    Parameters
    ----------
    connection : socket.socket
        Connected to the agent.
    deadline : float
        On the clock of `time.monotonic`; afterwards every request is interrupted.
    alive : callable
        Tells whether the sandbox still runs.
    shared : dict
        What the instructor's cells define in judge and sandbox alike, by name.
    classes : set of str
        Names of the classes that the answers define; with those in `shared` they are the
        ones whose objects take part in arithmetic.
    """

    def __init__(self, connection, deadline, alive, shared, classes=frozenset()):
        self.wire = Wire(connection, self._wait)
        self.deadline = deadline
        self.alive = alive
        self.shared = shared
        self.classes = classes | {name for name, value in shared.items() if isinstance(value, type)}
        self.callbacks = []
        self.requests = 0
        self.depth = 0
        self.interruption = None
        self.failure = None           # what the test must not get over
        self.closed = False

    def get(self, name):
        """The object that the notebook has under this name; NameError if there is none."""
        return self._request(["get", name], [])

    def call(self, function, *arguments, **keywords):
        """What ``function(*arguments, **keywords)`` gives in the sandbox."""
        encoder = Encoder(self._refer)
        try:
            items = [encoder.encode(part) for part in (function, list(arguments), keywords)]
        except WireError as error:
            self.refuse(f"this cannot be handed to the learner's code: {error}")
        return self._request(["call", *items], encoder.frames)

    def operate(self, handle, name, function, arguments, keywords=None, plain_data=True):
        """What an operator or a function of NumPy gives for objects in the sandbox.

        In a function that learner code calls anything may come out: it goes back to the
        learner and decides nothing. In the test itself an object must come out once data of
        the test went in, since the operators of an object in the place of a number see what
        the test expects. Objects alone may give a number, as in ``u @ v``.

        Parameters
        ----------
        handle : Handle
            The object whose operator this is.
        name : str
            What a refusal calls the operation.
        function : callable
        arguments : tuple
        keywords : dict, optional
        plain_data : bool
            Whether objects alone may give plain data.
        """
        keywords = keywords or {}
        if self.depth > 0:
            return self.call(function, *arguments, **keywords)
        operands = [*arguments, *keywords.values()]
        for value in operands:
            if isinstance(value, Handle) and value._kind not in self.classes:
                refused(name)(value)
        informed = any(not isinstance(value, Handle) or value._informed for value in operands)
        result = self.call(function, *arguments, **keywords)
        if isinstance(result, Handle):
            result._informed = informed
        elif informed or not plain_data:
            refused(name)(handle)
        return result

    def first(self, iterable, count):
        """The first items that an iterable of the sandbox yields."""
        items = self.beside("autograder.agent", "first", iterable, count)
        if type(items) is not list:
            self.interrupt("protocol", "an iteration did not give a list")
        return items

    def beside(self, module, name, *arguments):
        """What a function of the grader's or of gradem's gives, carried out in the sandbox."""
        encoder = Encoder(self._refer)
        try:
            items = [["library", [module, name]], encoder.encode(list(arguments)),
                     encoder.encode({})]
        except WireError as error:
            self.refuse(f"this cannot be handed to the learner's code: {error}")
        return self._request(["call", *items], encoder.frames)

    def close(self):
        """Let the agent go; afterwards handles are of no use."""
        if self.interruption is None:
            with contextlib.suppress(Interruption):
                self._guard(self.wire.send, ["bye"])
        self.closed = True

    def refuse(self, text):
        """Tell a test that it cannot have this, by a TypeError.

        One that a test expects of the learner's code, or passes over, would count for the
        learner. So the test fails of it in any case.
        """
        error = TypeError(text)
        if self.depth == 0:
            self.failure = self.failure or error
        raise error from None

    def interrupt(self, kind, detail=""):
        """Give up on the sandbox, for good."""
        self.interruption = self.interruption or Interruption(kind, detail)
        raise self.interruption

    # -- requests --

    def _request(self, tree, frames):
        if self.interruption:
            raise self.interruption
        if self.closed:
            raise TypeError("an object of an earlier test cell can no longer be used")
        self.requests += 1
        if self.requests > MAX_CALLS:
            self.interrupt("too-many-calls", f"more than {MAX_CALLS} requests in one test")
        self._guard(self.wire.send, tree, frames)
        while True:
            answer, frames = self._guard(self.wire.receive)
            match answer:
                case ["value", item]:
                    return self._guard(Decoder(self._resolve, frames).decode, item)
                case ["error", str(kind), str(text), str(line)]:
                    raise _learner_error(kind, text, line)
                case ["callback", int(number), arguments, keywords] \
                        if 0 <= number < len(self.callbacks):
                    self._answer_callback(number, arguments, keywords, frames)
                case _:
                    self.interrupt("protocol", "an answer of unknown form")

    def _answer_callback(self, number, arguments, keywords, frames):
        """Run a function of the judge that learner code was handed, and send its result."""
        self.requests += 1
        if self.requests > MAX_CALLS:
            self.interrupt("too-many-calls", f"more than {MAX_CALLS} calls in one test")
        decoder = Decoder(self._resolve, frames)
        arguments = self._guard(decoder.decode, arguments)
        keywords = self._guard(decoder.decode, keywords)
        if type(arguments) is not list or type(keywords) is not dict \
                or not all(type(name) is str for name in keywords):
            self.interrupt("protocol", "a call-back without proper arguments")
        encoder = Encoder(self._refer)
        self.depth += 1
        try:
            result = self.callbacks[number](*arguments, **keywords)
            answer = ["returned", encoder.encode(result)]
        except (Interruption, KeyboardInterrupt):
            raise
        except BaseException as error:
            # Learner code may catch it, but what failed in a function of the test has failed.
            failed = isinstance(error, AssertionError) or not isinstance(error, Exception)
            if failed and not hasattr(error, "learner_line"):
                self.failure = self.failure or error
            encoder.frames = []
            answer = ["raised", type(error).__name__, str(error)[:500]]
        finally:
            self.depth -= 1
        self._guard(self.wire.send, answer, encoder.frames)

    def _guard(self, action, *arguments):
        """Do something on the wire; whatever goes wrong there interrupts the test."""
        try:
            return action(*arguments)
        except WireError as error:
            self.interrupt("protocol", str(error))
        except (EOFError, OSError) as error:
            self.interrupt("kernel-died" if self._dies() else "protocol", str(error))

    def _dies(self):
        """Whether the sandbox ends now: its end is known a moment after its connection broke."""
        patience = time.monotonic() + 2.0
        while self.alive() and time.monotonic() < patience:
            time.sleep(0.02)
        return not self.alive()

    def _wait(self, connection):
        """Before each read and write: is there time left, is there anybody?"""
        left = self.deadline - time.monotonic()
        if left <= 0:
            self.interrupt("timeout", "the learner's code ran too long in a test")
        if self.wire.received > MAX_BYTES:
            self.interrupt("too-much-data", f"more than {MAX_BYTES >> 20} MiB in one test")
        if not self.alive():
            self.interrupt("kernel-died", "the learner's code ended the kernel")
        connection.settimeout(min(left, 0.5))

    # -- what is not plain data --

    def _refer(self, value, encode):
        """The item for an object that a test hands to learner code."""
        if isinstance(value, Named):
            value = value._whole
        if isinstance(value, Handle):
            if value._channel is not self:
                raise WireError(f"{value!r} belongs to an earlier test cell")
            value._said = {}          # learner code may change it
            return ["handle", value._number]
        name = getattr(value, "__name__", None)
        if isinstance(name, str) and self.shared.get(name) is value:
            return ["shared", name]
        kind = type(value)
        if self.shared.get(kind.__name__) is kind:
            return ["instance", [kind.__name__, encode(_attributes(value))]]
        module = getattr(value, "__module__", None) or "numpy"
        if isinstance(name, str) and module in LIBRARIES \
                and getattr(sys.modules.get(module), name, None) is value:
            return ["library", [module, name]]
        if callable(value):
            self.callbacks.append(value)
            return ["callback", len(self.callbacks) - 1]
        raise WireError(f"an object of type {kind.__name__} is not plain data")

    def _resolve(self, name, content, decoder):
        """The handle for an object that learner code returned."""
        match name, content:
            case "named", [[_, "object", str(kind), *_] as described, list(items)]:
                whole = self._resolve("handle", described, decoder)
                # an object of a class that the notebook is about has operators of its own
                return whole if kind in self.classes else Named.of(whole, items)
            case "handle", [int(number), ("function" | "class") as kind, str(), str(own), str(doc),
                            str(signature)]:
                return Callable(self, number, kind, own[:MAX_TEXT], doc[:MAX_DOC], signature[:MAX_TEXT])
            case "handle", [int(number), "object", str(kind), str(), str(), str()]:
                # the name stands in repr, on which a test must not be able to decide
                return Handle(self, number, kind if kind.isidentifier() else "of another name")
        raise WireError(f"an item of unknown type {name[:20]}")


def _attributes(value):
    """The attributes of an object by name, from its dictionary or its slots."""
    slots = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
    return {**getattr(value, "__dict__", {}),
            **{name: getattr(value, name) for name in slots if hasattr(value, name)}}


def _learner_error(kind, text, line):
    """The exception that stands for one of the learner's code, with the line that raised it."""
    kind, text, line = kind[:MAX_TEXT], text[:MAX_TEXT], line[:MAX_TEXT]
    name = kind if kind.isidentifier() else "LearnerError"
    error = (EXCEPTIONS.get(kind) or type(name, (LearnerError,), {}))(text)
    error.learner_kind, error.learner_line = kind, line
    return error
