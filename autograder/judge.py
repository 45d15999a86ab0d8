"""The judge: runs the instructor's test cells, and never runs learner code.

A test cell is executed here, in a trusted process, with globals in which the names
that the answer cells define stand for objects in the sandbox. What such an object
returns crosses the bridge as typed plain data. An object that is not plain data stays
where it is and reaches the test as a `Handle`: calls, attributes, items and arithmetic
are carried out in the sandbox, while comparison, truth and conversion are refused, so
that a test can only ever decide on data. Arithmetic is for the classes that the
notebook is about: an object in the place of a number must not be able to answer
``answer - expected`` with 0.0, nor ``np.allclose(answer, expected)`` with True.
"""

import ast
import builtins
import contextlib
import io
import operator
import random
import re
import sys
import time

import numpy as np

from autograder.bridge import Decoder, Encoder, Wire, WireError
from autograder.submission import is_answer, is_test
from gradem import check

MAX_CALLS = 100_000           # requests in one test cell
MAX_ITEMS = 10_000            # items taken from a learner's iterator
MODULE = "__judge__"          # where the instructor's cells believe to be

#: Modules whose functions are handed to learner code by name instead of by call-back.
LIBRARIES = {"builtins", "math", "cmath", "_operator", "numpy", "numpy.linalg"}

#: Exceptions that learner code may raise under their own name; others are LearnerError.
EXCEPTIONS = {
    name: getattr(builtins, name) for name in (
        "ArithmeticError", "AssertionError", "AttributeError", "FileNotFoundError", "ImportError",
        "IndexError", "KeyError", "LookupError", "MemoryError", "ModuleNotFoundError", "NameError",
        "NotImplementedError", "OSError", "OverflowError", "RecursionError", "RuntimeError",
        "StopIteration", "TypeError", "ValueError", "ZeroDivisionError")
}


class LearnerError(Exception):
    """An exception of the learner's code that is none of Python's common ones."""


class Interruption(BaseException):
    """The sandbox can not go on with this test cell.

    It is no Exception, so that an ``except Exception`` in a test cell does not hide it.
    """

    def __init__(self, kind, detail=""):
        super().__init__(f"{kind}: {detail}")
        self.kind = kind
        self.detail = detail


# ---- handles ----------------------------------------------------------------


def _refused(name):
    def refuse(self, *arguments):
        raise TypeError(f"the answer is {self!r}, not plain data: it cannot be used with {name}; "
                        "compare its attributes or what its functions return")
    return refuse


def _carried_out(name, swapped=False):
    """An operator that works in the sandbox: ``operator.name`` of handle and arguments."""
    function = getattr(operator, name)

    def operate(self, *arguments):
        both = (*arguments, self) if swapped else (self, *arguments)
        return self._channel.operate(self, name, function, both)
    return operate


def _compared(name):
    function = getattr(operator, name)

    def compare(self, other):
        # A branch in a function that learner code calls decides nothing about the mark.
        if self._channel.depth == 0:
            _refused(name)(self)
        result = self._channel.call(function, self, other)
        if type(result) is not bool:
            _refused(name)(self)
        return result
    return compare


class Handle:
    """An object in the sandbox that is not plain data.

    ``_informed`` says that an operator has shown it plain data of the test, which may be
    what the test expects.
    """

    __hash__ = None

    def __init__(self, channel, number, kind):
        self._channel = channel
        self._number = number
        self._kind = kind
        self._informed = False

    def __repr__(self):
        return f"an object of the learner's type {self._kind}"

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self._channel.call(getattr, self, name)

    def __len__(self):
        length = self._channel.call(len, self)
        if type(length) is not int or length < 0:
            raise TypeError(f"the length of {self!r} is not a whole number")
        return length

    def __iter__(self):
        items = self._channel.first(self, MAX_ITEMS + 1)
        if len(items) > MAX_ITEMS:
            raise ValueError(f"{self!r} yields more than {MAX_ITEMS} items")
        return iter(items)

    def __getitem__(self, key):
        return self._channel.call(operator.getitem, self, key)

    def __array_ufunc__(self, ufunc, method, *arguments, **keywords):
        if method != "__call__" or keywords:
            raise TypeError(f"np.{ufunc.__name__}.{method} is not carried out on {self!r}")
        return self._channel.operate(self, f"np.{ufunc.__name__}", ufunc, arguments,
                                     plain_data=False)

    def __array_function__(self, function, types, arguments, keywords):
        return self._channel.operate(self, f"np.{function.__name__}", function, arguments,
                                     keywords, plain_data=False)

    for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"):
        locals()[f"__{_name}__"] = _carried_out(_name)
        locals()[f"__r{_name}__"] = _carried_out(_name, swapped=True)
    for _name in ("neg", "pos", "abs"):
        locals()[f"__{_name}__"] = _carried_out(_name)
    for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
        locals()[f"__{_name}__"] = _compared(_name)
    for _name in ("bool", "float", "int", "complex", "index", "contains", "array", "round"):
        locals()[f"__{_name}__"] = _refused(_name)
    del _name


class Callable(Handle):
    """A function or class in the sandbox; it looks like the function it stands for."""

    def __init__(self, channel, number, kind, name, doc, signature):
        super().__init__(channel, number, kind)
        self.__name__ = self.__qualname__ = name
        self.__doc__ = doc
        self.__text_signature__ = signature

    def __repr__(self):
        return f"the learner's {self._kind} {self.__name__}"

    def __call__(self, *arguments, **keywords):
        return self._channel.call(self, *arguments, **keywords)


# ---- the judge's end of the bridge ------------------------------------------


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
            raise TypeError(f"this cannot be handed to the learner's code: {error}") from None
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
                _refused(name)(value)
        informed = any(not isinstance(value, Handle) or value._informed for value in operands)
        result = self.call(function, *arguments, **keywords)
        if isinstance(result, Handle):
            result._informed = informed
        elif informed or not plain_data:
            _refused(name)(handle)
        return result

    def first(self, iterable, count):
        """The first items that an iterable of the sandbox yields."""
        encoder = Encoder(self._refer)
        items = [["library", ["autograder.agent", "first"]],
                 encoder.encode([iterable, count]), encoder.encode({})]
        items = self._request(["call", *items], encoder.frames)
        if type(items) is not list:
            self.interrupt("protocol", "an iteration did not give a list")
        return items

    def close(self):
        """Let the agent go; afterwards handles are of no use."""
        if self.interruption is None:
            with contextlib.suppress(Interruption):
                self._guard(self.wire.send, ["bye"])
        self.closed = True

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
        except Exception as error:
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
        if not self.alive():
            self.interrupt("kernel-died", "the learner's code ended the kernel")
        connection.settimeout(min(left, 0.5))

    # -- what is not plain data --

    def _refer(self, value, encode):
        """The item for an object that a test hands to learner code."""
        if isinstance(value, Handle):
            if value._channel is not self:
                raise WireError(f"{value!r} belongs to an earlier test cell")
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
            case "handle", [int(number), ("function" | "class") as kind, str(), str(own), str(doc),
                            str(signature)]:
                return Callable(self, number, kind, own, doc, signature)
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
    known = EXCEPTIONS.get(kind)
    error = known(text) if known else LearnerError(f"{kind}: {text}")
    error.learner_line = line
    return error


# ---- running tests ----------------------------------------------------------


def plain_python(source):
    """A cell without IPython's magics and shell lines, which mean nothing in the judge."""
    try:
        ast.parse(source)
        return source
    except SyntaxError:
        return re.sub(r"^([ \t]*)[%!].*$", r"\1pass", source, flags=re.MULTILINE)


def names_bound(source):
    """The names that a cell's top level defines, other than by import."""
    names = set()
    for statement in ast.parse(source).body:
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)):
            names.add(statement.name)
        elif not isinstance(statement, (ast.Import, ast.ImportFrom)):
            names |= {node.id for node in ast.walk(statement)
                      if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return names


def classes_defined(source):
    """The names of the classes that a cell's top level defines."""
    return {statement.name for statement in ast.parse(source).body
            if isinstance(statement, ast.ClassDef)}


def names_read(source):
    """All names that a cell mentions, at any depth."""
    return {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}


class Judge:
    """The instructor's side of one notebook: its globals, its tests, its random inputs.

    Parameters
    ----------
    source : nbformat.NotebookNode
        The instructor's notebook.
    seed : int
        Seed of the inputs drawn in test cells: of `gradem.check.rng`, of `random` and of
        ``np.random``. Each test cell begins with it anew.
    """

    def __init__(self, source, seed):
        code = [cell for cell in source.cells if cell.cell_type == "code"]
        solutions = [plain_python(cell.source) for cell in code if is_answer(cell)]
        self.answers = set().union(*map(names_bound, solutions))
        self.classes = set().union(*map(classes_defined, solutions))
        self.tests = {cell.metadata.nbgrader.grade_id: cell for cell in code if is_test(cell)}
        self.seed = seed
        self.shared = {}
        self.used = set()             # names that the instructor's own functions may look up
        self.globals = {"__name__": MODULE}

    def run_instructors_cell(self, source):
        """Run a cell of the instructor's that is no test here as well; the sandbox did, too.

        It may show what the learner's answers do, a plot of a function say. There are no
        answers here, so such a cell ends early, and tests cannot use what it makes.
        """
        source = plain_python(source)
        before = dict(self.globals)
        self.used |= names_read(source)
        with contextlib.suppress(NameError):
            self._execute(source, "a cell of the instructor's")
        for name, value in self.globals.items():
            own = getattr(value, "__module__", None) == MODULE
            if own and before.get(name) is not value and name not in self.answers:
                self.shared[name] = value

    def run_test(self, grade_id, channel):
        """Run a test cell; it raises what the test raises, and Interruption.

        Parameters
        ----------
        grade_id : str
        channel : Channel
        """
        source = plain_python(self.tests[grade_id].source)
        for name in self.answers:
            self.globals.pop(name, None)
        for name in self.answers & (names_read(source) | self.used):
            with contextlib.suppress(NameError):
                self.globals[name] = channel.get(name)
        random.seed(self.seed)
        np.random.seed(self.seed % 2**32)
        check.use_seed(self.seed)
        try:
            self._execute(source, f"the test {grade_id}")
        finally:
            for name in self.answers:
                self.globals.pop(name, None)
        if channel.interruption:
            raise channel.interruption

    def _execute(self, source, name):
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            exec(compile(source, f"<{name}>", "exec"), self.globals)
