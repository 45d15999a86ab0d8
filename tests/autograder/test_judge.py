"""What an author can write in a test cell, and what the judge refuses to decide on."""

import re
import time

import nbformat
import pytest
from nbformat.v4 import new_notebook

from autograder.bridge import Decoder
from autograder.cells import classes_defined, names_bound, names_read, plain_python
from autograder.channel import Channel
from autograder.marking import Session
from autograder.limits import Limits

from .conftest import cell

SETUP = """
import inspect
import numpy as np
import pandas as pd
import pytest
from gradem import check, observe

class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y
    def __mul__(self, factor):
        return Point(self.x * factor, self.y * factor)

def norm(point):
    return (point.x**2 + point.y**2) ** 0.5

def square_and_one(x):
    return square(x) + 1
"""

ANSWERS = """
import numpy as np
answer = 42
table = {"a": [1, 2.5], "b": (np.arange(3), None)}

def square(x):
    '''The square of x.'''
    return x * x

def apply(f, *arguments, **keywords):
    return f(*arguments, **keywords)

def divide(a, b=2.0):
    if b == 0:
        raise ValueError("b must not be zero")
    return a / b

class TooSmall(ValueError):
    pass

class Odd(Exception):
    pass

def refuse(kind):
    raise {"small": TooSmall, "odd": Odd}[kind](f"this is {kind}")

def countdown(n):
    while n:
        yield n
        n -= 1

def forever():
    while True:
        yield 1

def flip(point):
    return Point(point.y, point.x)

class Dual:
    def __init__(self, value, tangent):
        self.value, self.tangent = value, tangent
    def __mul__(self, other):
        other = other if isinstance(other, Dual) else Dual(other, 0.0)
        return Dual(self.value * other.value, self.value * other.tangent + self.tangent * other.value)
    __rmul__ = __mul__
    def __neg__(self):
        return Dual(-self.value, -self.tangent)
    def __lt__(self, other):
        return self.value < other
    def sin(self):
        return Dual(np.sin(self.value), np.cos(self.value) * self.tangent)
    def __eq__(self, other):
        return True
    __hash__ = None

class Bag:
    def __len__(self):
        return 2
    def __getitem__(self, i):
        return 10 * i

class Vector:
    def __init__(self, *entries):
        self.entries = entries
    def __matmul__(self, other):
        return sum(a * b for a, b in zip(self.entries, other.entries))

def derivative(f):
    return lambda x: f(Dual(x, 1.0)).tangent

class Set:
    def __init__(self, bits):
        self.bits = bits
    def __and__(self, other):
        return Set(self.bits & other.bits)
    def __ior__(self, other):
        self.bits |= other.bits
        return self
    def __invert__(self):
        return Set(~self.bits)
    def __setitem__(self, i, on):
        self.bits = self.bits | 1 << i if on else self.bits & ~(1 << i)

def step(x, *, h=0.1, kind="central", scale=np.pi):
    return x

def double(values, log=print):
    import warnings
    for i in range(len(values)):
        values[i] *= 2
    log("doubled", len(values))
    warnings.warn("careful")

def draw(n=3):
    import matplotlib.pyplot as plt
    figure, (left, right) = plt.subplots(1, 2)
    left.plot(np.arange(n), np.arange(n) ** 2, label="squares")
    left.set(title="growth", xlabel="n", ylabel="n squared", yscale="log")
    left.legend()
    left.text(1, 1, "here")
    right.scatter([1, 2], [3, 4], label="points")
    right.bar([0, 1], [5, 6])
    right.imshow(np.eye(2))

def table_of(n):
    import pandas as pd
    return pd.DataFrame({"n": np.arange(n), "word": list("abc")[:n]},
                        index=pd.Index(range(n), name="row"))

class Wrapped:
    def __init__(self, **fields): self.__dict__["fields"] = fields
    def __getattr__(self, name): return self.fields[name]       # KeyError, not AttributeError

class Mute(Exception):
    def __str__(self): raise KeyError("text")

def mute():
    raise Mute()

class Meta(type):
    def __eq__(self, other): return True
    def __hash__(self): return 0

class Equal(metaclass=Meta):
    pass

def containers():
    import collections
    counted = collections.defaultdict(int, {"a": 1})
    Pair = collections.namedtuple("Pair", "x y")
    return counted, collections.Counter("aab"), Pair(1, 2.5), collections.deque([1, 2, 3])

def mode():
    import collections
    return collections.namedtuple("ModeResult", "mode count")(2.0, 7)

def axes():
    return np.linalg.eigh(np.diag([1.0, 4.0]))

class Pair(tuple):
    def __mul__(self, factor):
        return Pair(factor * item for item in self)

def equal_to_all():
    class Always(tuple):
        __eq__ = lambda self, other: True
        __len__ = lambda self: 2
        __iter__ = lambda self: iter((1.0, 2.0))
        __getitem__ = lambda self, place: place + 1.0
        mean = 1.5
    return Always((3.0,))

def masked():
    return np.ma.array([1.0, 2.0, 3.0])

def word():
    return type("Word", (str,), {})("abc")

def grow(items):
    items.append(0)

def odd(kind):
    return {"large": np.zeros(10**7), "set": {Vector()}, "keys": {(Vector(),): 1}}[kind]
"""

#: What a learner hands in instead of ANSWERS to forge: an object that agrees with everything.
FORGER = """
class NAME:
    def __sub__(self, other): return RESULT
    __rsub__ = __abs__ = __sub__
    def __abs__(self): return RESULT
    def __array_function__(self, *arguments): return True
    def __array_ufunc__(self, *arguments, **keywords): return True
    def __eq__(self, other): return True
    def __float__(self): return 9.0
def square(x):
    return NAME()
"""
FORGEABLE = {
    "allclose": "assert np.allclose(square(3.0), 9.0)",
    "isclose": "assert np.isclose(square(3.0), 9.0)",
    "array_equal": "assert np.array_equal(square(3.0), 9.0)",
    "equal": "assert np.equal(square(3.0), 9.0)",
    "equal to an array": "assert (np.array([9.0]) == square(3.0)).all()",
    "all": "assert np.all(square(3.0))",
    "isfinite": "assert np.isfinite(square(3.0))",
    "the difference": "assert abs(square(3.0) - 9.0) < 1e-9",
    "the reflected difference": "assert abs(9.0 - square(3.0)) < 1e-9",
    "NumPy's difference": "assert np.abs(np.subtract(square(3.0), 9.0)) < 1e-9",
    "assert_allclose": "np.testing.assert_allclose(square(3.0), 9.0)",
    "assert_equal": "np.testing.assert_equal(square(3.0), 9.0)",
    "approx": "assert square(3.0) == pytest.approx(9.0)",
    "approx reflected": "assert pytest.approx(9.0) == square(3.0)",
    "text": "assert '9.0' in str(square(3.0))",
}

PASSING = {
    "a value": "assert answer == 42",
    "containers": "assert table['a'] == [1, 2.5] and table['b'][0].tolist() == [0, 1, 2]",
    "a call": "check.close(square(3.0), 9.0)",
    "an array": "np.testing.assert_allclose(square(np.array([1.0, 2.0])), [1.0, 4.0])",
    "inside a comprehension": "assert [square(i) for i in range(4)] == [0, 1, 4, 9]",
    "inside a function of the test": "def helper(x):\n    return square(x) + 1\nassert helper(2) == 5",
    "keywords and defaults": "assert divide(1.0) == 0.5 and divide(a=1.0, b=4.0) == 0.25",
    "an exception": "with pytest.raises(ValueError, match='must not be zero'):\n    divide(1.0, 0)",
    "an exception by check": "assert 'zero' in check.raises(ValueError, divide, 1.0, 0.0)",
    "an exception of a class that the answer defines":
        "assert check.raises(ValueError, refuse, 'small') == 'this is small'",
    "the name and the docstring": "assert square.__name__ == 'square' and 'square of x' in square.__doc__",
    "callable": "assert callable(square) and callable(Dual)",
    "a lambda handed in": "assert apply(lambda x, y: x - y, 5, y=3) == 2",
    "NumPy's function handed in": "check.close(apply(np.sin, 1.0), float(np.sin(1.0)))",
    "a counting function": "f = check.counts(lambda x: x)\napply(f, 1)\nassert f.calls == 1",
    "the learner's function handed to another": "assert apply(square, 4) == 16",
    "a function that comes back": "check.close(derivative(lambda x: x * x * 3.0)(2.0), 12.0)",
    "NumPy in a function handed in": "check.close(derivative(lambda x: np.sin(x) * 2)(0.0), 2.0)",
    "a branch in a function handed in":
        "check.close(derivative(lambda x: -x if x < 0 else x)(-3.0), -1.0)",
    "an exception through a call-back": "def f(x):\n    raise KeyError('k')\n"
                                        "with pytest.raises(KeyError):\n    apply(f, 1)",
    "a generator": "assert list(countdown(3)) == [3, 2, 1]",
    "an object's attributes": "d = Dual(2.0, 1.0)\nassert (d.value, d.tangent) == (2.0, 1.0)",
    "an object's arithmetic": "d = 3.0 * -Dual(2.0, 1.0) * Dual(5.0, 0.5)\n"
                              "assert (d.value, d.tangent) == (-30.0, -18.0)",
    "an object's length and items": "b = Bag()\nassert len(b) == 2 and b[1] == 10",
    "a number from two objects": "assert Vector(1, 2) @ Vector(3, 4) == 11",
    "the instructor's helper calls an answer": "assert square_and_one(2) == 5",
    "a magic": "%matplotlib inline\nassert answer == 42",
    "NumPy's function of an object": "d = np.sin(Dual(0.0, 3.0))\nassert d.tangent == 3.0",
    "the instructor's objects cross by their attributes":
        "p = flip(Point(3.0, 4.0))\nassert (p.x, p.y) == (4.0, 3.0)",
    "the instructor's helper works on handles": "assert norm(flip(Point(3.0, 4.0))) == 5.0",
    "the instructor's class handed in": "p = apply(Point, 1, 2)\nassert p.y == 2",
    "a module of the test's own": "import scipy.integrate\n"
                                  "check.close(scipy.integrate.quad(square, 0, 3)[0], 9.0)",
    "a class to compare with":
        "d = Dual(1.0, 0.0)\nassert isinstance(d, Dual) and not isinstance(d, Bag)\n"
        "assert not isinstance(1.0, Dual) and issubclass(Dual, Dual) and not issubclass(Bag, Dual)",
    "bits and operators in place": "s = Set(5) & Set(6)\ns |= Set(8)\n"
                                   "assert s.bits == 12 and (~s).bits == -13",
    "items and attributes set": "s = Set(0)\ns[3] = True\nassert s.bits == 8\ns.bits = 2\n"
                                "s[0] = True\ns._kept = 5\nassert s.bits == 3 and apply(vars, s)['_kept'] == 5",
    "a generator step by step": "g = countdown(2)\nassert (next(g), next(g)) == (2, 1)\n"
                                "with pytest.raises(StopIteration):\n    next(g)",
    "the signature": "p = inspect.signature(step).parameters\n"
                     "assert list(p) == ['x', 'h', 'kind', 'scale'] and p['h'].default == 0.1\n"
                     "assert p['h'].kind is inspect.Parameter.KEYWORD_ONLY\n"
                     "assert p['kind'].default == 'central'",
    "a call's changes, print and warning":
        "values = [1, 2]\nseen = observe.call(double, values)\n"
        "assert seen.arguments[0] == [2, 4] and values == [1, 2] and seen.result is None\n"
        "assert seen.printed == 'doubled 2\\n' and seen.warnings == ['UserWarning: careful']",
    "a call with a function of the test's":
        "said = []\nobserve.call(double, np.ones(2), log=lambda *words: said.append(words))\n"
        "assert said == [('doubled', 2)]",
    "an exception of an observed call":
        "with pytest.raises(ValueError):\n    observe.call(divide, 1.0, b=0)",
    "the text of an answer": "assert 'yield n' in observe.source('countdown')",
    "a figure by its data":
        "left, right = observe.drawing(draw, n=4)\n(x, y, label), = left.lines\n"
        "check.close(y, x**2)\nassert label == 'squares' and left.legend == ['squares']\n"
        "assert (left.title, left.xlabel, left.yscale) == ('growth', 'n', 'log')\n"
        "assert left.texts == ['here'] and right.lines == []\n"
        "(x, y, label), = right.points\ncheck.close(y, np.array([3.0, 4.0]))\n"
        "assert label == 'points' and [bar[3] for bar in right.bars] == [5.0, 6.0]\n"
        "check.close(right.images[0], np.eye(2))",
    "a data frame":
        "frame = table_of(3)\nassert list(frame.columns) == ['n', 'word']\n"
        "expected = pd.DataFrame({'n': np.arange(3), 'word': list('abc')}, "
        "index=pd.Index(range(3), name='row'))\n"
        "pd.testing.assert_frame_equal(frame, expected)\n"
        "assert apply(lambda f: float(f['n'].sum()), frame) == 3.0\n"
        "pd.testing.assert_series_equal(apply(pd.Series.cumsum, frame['n']), "
        "expected['n'].cumsum())",
    "an object whose class is careless": "assert Wrapped(x=3).x == 3",
    "an exception without a text": "with pytest.raises(Exception) as caught:\n    mute()",
    "a class that equals everything": "assert callable(Equal) and Equal.__name__ == 'Equal'",
    "dictionaries of the standard library":
        "counted, letters, pair, queue = containers()\nassert counted == {'a': 1}\n"
        "assert letters == {'a': 2, 'b': 1}",
    "other containers": "_, _, pair, queue = containers()\nx, y = pair\n"
        "assert (x, y, pair.y, pair[1], len(pair), pair[:1]) == (1, 2.5, 2.5, 2.5, 2, (1,))\n"
        "assert list(queue) == [1, 2, 3] and queue[-1] == 3 and len(queue) == 3",
    "a tuple whose items have names is a tuple":
        "got = mode()\ncheck.close(got, (2.0, 7))\nassert isinstance(got, tuple) and got == (2.0, 7)\n"
        "assert (got.mode, got.count, got[1], len(got)) == (2.0, 7, 7, 2)\n"
        "assert got._asdict() == {'mode': 2.0, 'count': 7} and np.allclose(got, [2, 7])\n"
        "assert apply(lambda: got) == got and apply(getattr, got, 'count') == 7",
    "a tuple of NumPy's whose items have names":
        "check.close(axes(), (np.array([1.0, 4.0]), np.eye(2)))\nvalues, vectors = axes()\n"
        "check.close(axes().eigenvalues, values)",
    "operators of a tuple of a class that the answer defines":
        "tripled = Pair((1.0, 2.0)) * 3.0\nassert list(tripled) == [3.0, 6.0]",
    "arrays of another class, and their parts":
        "m = masked()\nassert m[0] == 1.0 and m[1:].sum() == 5.0 and list(m[1:]) == [2.0, 3.0]\n"
        "check.close(m[:2].tolist(), [1.0, 2.0])\nassert word()[:2] == 'ab' and word()[0] == 'a'",
    "a container that an answer changes":
        "_, _, _, queue = containers()\nassert len(queue) == 3 and list(queue) == [1, 2, 3]\n"
        "grow(queue)\nassert len(queue) == 4 and list(queue) == [1, 2, 3, 0] and queue[3] == 0\n"
        "queue.popleft()\nqueue[0] = 7\nassert queue[0] == 7",
    "seeded inputs": "a = check.rng().normal()\nassert a == check.rng().normal()",
}

FAILING = {
    "a wrong value": ("assert answer == 43", "does not hold"),
    "an assertion's own words": ("assert answer == 43, 'it is 43'", "it is 43"),
    "an object compared": ("assert Dual(1.0, 0.0) == 7", "not plain data"),
    "an object as a truth value": ("assert Dual(1.0, 0.0)", "not plain data"),
    "an object as a number": ("float(Dual(1.0, 0.0))", "not plain data"),
    "an object as an array": ("np.testing.assert_allclose(Dual(1.0, 0.0), 1.0)", "not plain data"),
    "an object in a set": ("{Dual(1.0, 0.0)}", "cannot use your answer"),
    "an object contained": ("assert 3 in Dual(1.0, 0.0)", "not plain data"),
    "an object where a number should be, compared by NumPy":
        ("assert np.allclose(odd('set'), 1.0)", "cannot be used with np.allclose"),
    "arithmetic with an object of a class that was not asked for":
        ("assert abs(odd('set') - 1.0) < 1", "cannot be used with sub"),
    "pytest raises, but nothing is raised":
        ("with pytest.raises(ValueError):\n    divide(1.0)", "DID NOT RAISE"),
    "an array too large for the wire": ("check.close(odd('large'), 1.0)", "type ndarray"),
    "a set of objects": ("check.close(odd('set'), 1.0)", "type set"),
    "objects as keys": ("check.close(odd('keys'), 1.0)", "type dict"),
    "a function compared": ("assert square == 3", "not plain data"),
    "an endless generator": ("list(forever())", "more than 10000 items"),
    "a name that is missing": ("cube(3)", "cannot use your answer (NameError"),
    "an exception of a class of its own": ("refuse('odd')", "Your code raised Odd: this is odd"),
    "an exception of a class of its own where another one should be":
        ("check.raises(ValueError, refuse, 'odd')", "raises Odd (this is odd), but it should"),
    "a tuple whose items have names, and are others":
        ("check.close(mode(), (2.0, 8))", "at position 1 is 7, but it should be 8"),
    "a tuple of a class that equals everything": ("assert equal_to_all() == (1.0, 2.0)", "does not hold"),
    "a tuple of a class that has two faces":
        ("got = equal_to_all()\ncheck.close(got.mean, 1.5)\ncheck.close(got, (1.0, 2.0))",
         "has 1 value, but it should have 2"),
    "a text that is not there": ("observe.source('cube')", "no cell of the notebook defines cube"),
    "an observed call that gives too much":
        ("observe.call(odd, 'large')", "more than can be compared"),
    "a figure that is none": ("observe.drawing(3)", "cannot use your answer"),
    "a generator handed in": ("apply(max, (i for i in range(3)))", "cannot be handed"),
}


def grade_id(name):
    """A name as nbformat accepts it for a cell."""
    return re.sub(r"\W+", "-", name)


@pytest.fixture(scope="module")
def session():
    """One session in which all tests of this module run."""
    cells = [cell(SETUP, "setup", locked=True), cell(ANSWERS, "answers", solution=True)]
    tests = {**PASSING, **{name: test for name, (test, _) in FAILING.items()}}
    cells += [cell(source, grade_id(name), points=1, locked=True) for name, source in tests.items()]
    source = new_notebook(cells=cells, metadata={"autograder": {"modules": ["gradem.check"]}})
    for each in source.cells:
        each.metadata = nbformat.from_dict(each.metadata)
    with Session(source, seed=1, limits=Limits(test_seconds=10)) as session:
        session.run_instructors_cell(source.cells[0])
        outcome = session.run(ANSWERS)
        assert not outcome.error
        yield session


@pytest.mark.parametrize("name", PASSING)
def test_authors_can_use(session, name):
    mark = session.test(grade_id(name))
    assert mark.passed, mark.message
    assert not session.incidents


@pytest.mark.parametrize("name", FAILING)
def test_the_judge_refuses(session, name):
    mark = session.test(grade_id(name))
    assert not mark.passed
    assert FAILING[name][1] in mark.message
    assert not session.incidents


def small_session(setup, solution, tests, **options):
    """A session for a notebook with one answer cell."""
    cells = [cell(setup, "setup", locked=True), cell(solution, "answers", solution=True)]
    cells += [cell(test, grade_id(name), points=1, locked=True) for name, test in tests.items()]
    source = nbformat.reads(nbformat.writes(new_notebook(cells=cells)), as_version=4)
    session = Session(source, seed=1, **options)
    session.run_instructors_cell(source.cells[0])
    return session


@pytest.mark.parametrize("solution, name, result", [
    ("def square(x): return x * x", "Anything", "0.0"),
    ("def square(x): return x * x", "Dual", "0.0"),
    ("class Dual: pass\ndef square(x): return x * x", "Dual", "0.0"),
    ("class Dual: pass\ndef square(x): return x * x", "Dual", "Dual()"),
], ids=["any object", "an object with a class's name", "a known class, a number",
        "a known class, an object"])
def test_no_object_passes_for_a_number(solution, name, result):
    setup = "import numpy as np, pytest"
    with small_session(setup, solution, FORGEABLE) as session:
        assert not session.run(FORGER.replace("NAME", name).replace("RESULT", result)).error
        passed = [test for test in FORGEABLE if session.test(grade_id(test)).passed]
        assert not passed
        assert not session.incidents


def test_objects_of_an_earlier_test_are_gone(session):
    tests = {"first": "kept = Bag()\nassert len(kept) == 2", "second": "len(kept)",
             "third": "assert len(Bag()) == 2"}
    with small_session("", ANSWERS, tests) as session:
        session.run(ANSWERS)
        marks = [session.test(name) for name in tests]
        assert [mark.passed for mark in marks] == [True, False, True]
        assert "an earlier test" in marks[1].message
        assert not session.incidents


def test_the_tests_after_several_deaths_still_count():
    tests = {f"end-{number}": "square(1)" for number in range(4)}
    tests["after"] = "assert square(2) == 4"
    ending = "import os\ndef square(x): return os._exit(1) if x == 1 else x * x"
    with small_session("", "def square(x): return x", tests) as session:
        session.run(ending)
        assert [session.test(name).passed for name in tests] == [False] * 4 + [True]


def test_a_test_that_counts_up_to_the_answer_is_stopped():
    tests = {"loop": "for i in range(limit): pass", "after": "assert limit == 10**15"}
    with small_session("", "limit = 3", tests, limits=Limits(test_seconds=1)) as session:
        session.run("limit = 10**15")
        assert not session.test("loop").passed
        assert session.test("after").passed
        assert [incident.kind for incident in session.incidents] == ["timeout"]


def test_a_helper_of_an_earlier_test_finds_the_answers_it_calls():
    notebook = new_notebook(cells=[
        cell("def square(x):\n    return x * x", "square", solution=True),
        cell("def ask(x):\n    return once(x)\n\n\ndef once(x):\n    return square(x)\n\n\n"
             "assert ask(2) == 4", "square-check", points=1, locked=True),
        cell("assert ask(3) == 9", "square-hidden", points=1, locked=True),
    ])
    with Session(notebook, seed=1) as session:
        session.run(notebook.cells[0].source, "square")
        assert [session.test(name).passed for name in ("square-check", "square-hidden")] \
            == [True, True]


def test_a_signature_of_megabytes_is_not_read():
    channel = Channel(None, 0.0, lambda: True, {})
    long = ["handle", [1, "function", "function", "f" * 10**6, "d" * 10**6, f"(x=[{'1,' * 10**6}])"]]
    began = time.process_time()
    handle = Decoder(channel._resolve).decode(long)
    assert time.process_time() - began < 0.5
    assert handle.__signature__ is None and len(handle.__doc__) < 10_000 > len(repr(handle))


def test_a_test_belongs_to_the_answer_before_it(session):
    assert session.test("a-call").exercise == "answers"


def test_names_bound_are_those_a_cell_defines_and_not_those_it_imports():
    assert names_bound("import numpy as np\nfrom math import log\nx = y = 1\nfor i in []: pass\n"
                       "def f(a): b = 1\nclass C: d = 2\n(p, q) = 1, 2\nwith open('f') as g: pass"
                       ) == {"x", "y", "i", "f", "C", "p", "q", "g"}


def test_names_read_are_found_at_any_depth():
    assert {"f", "g"} <= names_read("def t():\n    return [f(i) for i in g]")


def test_classes_defined_are_those_of_the_top_level():
    assert classes_defined("class A: pass\ndef f():\n    class B: pass") == {"A"}


def test_python_stays_as_it_is_and_magics_go():
    assert plain_python("x = 5\\\n%3") == "x = 5\\\n%3"
    assert plain_python("%matplotlib inline\nif x:\n    !ls\ny = 1") == (
        "pass\nif x:\n    pass\ny = 1")
