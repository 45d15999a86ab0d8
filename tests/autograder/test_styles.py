"""Common styles of hidden test, as authors write them, each with an answer that would cheat it.

The honest answer passes, and what cheats does not: by an object in the place of the data, by
an exception that ends a loop of the test, by catching what a function of the test raises, or by
letting the judge itself refuse where the test expects an error. Tests that are weak because
plain data cheats them are the rehearsal's business (test_rehearsal.py).
"""

from dataclasses import dataclass

import pytest
from nbformat.v4 import new_notebook

from autograder.limits import Limits
from autograder.marking import Session
from autograder.sandbox import Contents
from autograder.templates import Template

from .conftest import cell

SETUP = """
import math, statistics
from collections import Counter
import numpy as np
import pandas as pd
import pytest
from gradem import check, observe
"""


@dataclass(frozen=True)
class Style:
    """A test with an answer that deserves its point, and one that does not."""

    test: str
    honest: str
    cheats: str


APPLY = "def apply(f, x):\n    return f(x)"
SWALLOWS = "def apply(f, x):\n    try: f(99.0)\n    except BaseException: pass"
SQUARE = "def square(x):\n    return x * x"
STOPS = "def square(x):\n    raise StopIteration"
XS = "xs = list(check.rng().normal(size=5))\n"
STRICT = """class Dual:
    def __init__(self, value): self.value = value
    def __add__(self, other):
        if not isinstance(other, Dual): raise TypeError("no Dual")
        return Dual(self.value + other.value)
    def __lt__(self, other):
        if not isinstance(other, Dual): raise TypeError("no Dual")
        return self.value < other.value"""
LENIENT = """class Dual:
    def __init__(self, value): pass
    def __add__(self, other): return 3.0
    def __lt__(self, other): return True"""

STYLES = {
    # -- a function of the test looks at what it is given --
    "a function of the test asserts where it is called": Style(
        "def spy(x):\n    assert abs(x - 0.5) < 1e-9, 'f is called elsewhere'\n    return x\n"
        "apply(spy, 0.5)", APPLY, SWALLOWS),
    "a function of the test checks its argument": Style(
        "def spy(x):\n    check.close(x, 0.5)\n    return x\napply(spy, 0.5)", APPLY, SWALLOWS),
    "a function of the test fails by pytest": Style(
        "def spy(x):\n    if x != 0.5: pytest.fail('f is called elsewhere')\n    return x\n"
        "apply(spy, 0.5)", APPLY, SWALLOWS),
    "a function of the test keeps its arguments": Style(
        "seen = []\ndef spy(x):\n    seen.append(x)\n    return x\napply(spy, 0.5)\n"
        "assert seen == [0.5]", APPLY,
        "class Any:\n    def __eq__(self, other): return True\ndef apply(f, x):\n    f(Any())"),
    "a function of the test checks an object": Style(
        "def spy(x):\n    check.close(x, 0.5)\n    return x\napply(spy, 0.5)", APPLY,
        "class Any:\n    def __eq__(self, other): return True\n    __float__ = lambda self: 0.5\n"
        "def apply(f, x):\n    try: f(Any())\n    except BaseException: pass"),
    "calls are counted": Style(
        "f = check.counts(lambda x: x * x)\ncheck.close(apply(f, 3.0), 9.0)\n"
        "check.equal(f.calls, 1)", APPLY,
        "def apply(f, x):\n    try: f(x); f(x)\n    finally: return 9.0"),

    # -- an error is expected, and the judge's own must not do --
    "an operator must refuse text, by pytest": Style(
        "with pytest.raises(TypeError):\n    Dual(1.0) + 'a'", STRICT, LENIENT),
    "an operator must refuse text, by check": Style(
        "check.raises(TypeError, lambda: Dual(1.0) + 'a')", STRICT, LENIENT),
    "a comparison must refuse text": Style(
        "with pytest.raises(TypeError):\n    Dual(1.0) < 'a'", STRICT, LENIENT),
    "an error is expected by try and except": Style(
        "try:\n    Dual(1.0) + 'a'\nexcept TypeError:\n    pass\nelse:\n    assert False", STRICT,
        LENIENT),
    "a result that is no number must be an error": Style(
        "with pytest.raises(TypeError):\n    abs(parse([1]))", "def parse(t):\n    return float(t)",
        "class Odd: pass\ndef parse(t):\n    return Odd()"),
    "anything but an error is wrong": Style(
        "with pytest.raises(Exception):\n    square('a') + 1", SQUARE,
        "class Odd: pass\ndef square(x):\n    return Odd()"),

    # -- a loop of the test calls the answer --
    "zip and map": Style(
        XS + "for got, x in zip(map(square, xs), xs):\n    check.close(got, x * x)", SQUARE, STOPS),
    "all and map": Style(
        XS + "assert all(map(lambda x: abs(square(x) - x * x) < 1e-9, xs))", SQUARE, STOPS),
    "the largest error, by max and map": Style(
        XS + "assert max(map(lambda x: abs(square(x) - x * x), xs), default=0.0) < 1e-9", SQUARE,
        STOPS),
    "iterate until the end": Style(
        "values = count(3)\ngot = []\nwhile True:\n    try: got.append(next(values))\n"
        "    except StopIteration: break\nassert got == [0, 1, 2]",
        "def count(n):\n    yield from range(n)", "def count(n):\n    raise StopIteration"),

    # -- an object where data should be --
    "an orthogonal matrix, by methods": Style(
        "A = check.rng().normal(size=(4, 3))\nQ, R = qr(A)\n"
        "assert np.allclose(Q.T.dot(Q), np.eye(3)) and np.allclose(Q.dot(R), A)",
        "def qr(A):\n    return np.linalg.qr(A)", """
class Odd:
    def __init__(self, A, T=None): self.A, self.T = A, T
    def dot(self, other): return np.eye(3) if self.T is None else self.A
def qr(A):
    return Odd(A, Odd(A)), Odd(A, Odd(A))"""),
    "an orthogonal matrix, by operators": Style(
        "A = check.rng().normal(size=(4, 3))\nQ, R = qr(A)\n"
        "assert np.allclose(Q.T @ Q, np.eye(3)) and np.allclose(Q @ R, A)",
        "def qr(A):\n    return np.linalg.qr(A)", """
class Odd:
    def __init__(self, A, T=None): self.A, self.T = A, T
    def __matmul__(self, other): return np.eye(3) if self.T is None else self.A
def qr(A):
    return Odd(A, Odd(A)), Odd(A, Odd(A))"""),
    "a residual": Style(
        "A, b = check.rng().normal(size=(3, 3)), np.ones(3)\nx = solve(A, b)\n"
        "assert np.abs(A @ x - b).max() < 1e-9", "def solve(A, b):\n    return np.linalg.solve(A, b)",
        """
class Odd:
    def __rmatmul__(self, A): return self
    def __array_ufunc__(self, *arguments, **options): return self
    def __sub__(self, b): return np.zeros(3)
def solve(A, b):
    return Odd()"""),
    "a frame that equals": Style(
        "assert table(4).equals(pd.DataFrame({'n': np.arange(4)}))",
        "import pandas as pd\ndef table(n):\n    return pd.DataFrame({'n': np.arange(n)})",
        "class Odd:\n    def equals(self, other): return True\ndef table(n):\n    return Odd()"),
    "a frame that is asserted equal": Style(
        "pd.testing.assert_frame_equal(table(4), pd.DataFrame({'n': np.arange(4)}))",
        "import pandas as pd\ndef table(n):\n    return pd.DataFrame({'n': np.arange(n)})",
        "import pandas as pd\nclass Odd(pd.DataFrame):\n    def __eq__(self, other): return True\n"
        "def table(n):\n    return Odd()"),
    "a set and its subsets": Style(
        "p = primes(10)\nassert p.issuperset({2, 3, 5, 7}) and p.isdisjoint({4, 6, 8})",
        "def primes(n):\n    return {2, 3, 5, 7}", """
class Odd(set):
    issuperset = isdisjoint = lambda self, other: True
def primes(n):
    return Odd()"""),
    "a text and its beginning": Style(
        "x = check.rng().normal()\nassert label(x).startswith('pos' if x > 0 else 'neg')",
        "def label(x):\n    return 'positive' if x > 0 else 'negative'",
        "class Odd(str):\n    def startswith(self, other): return True\ndef label(x):\n    return Odd()"),
    "a text in a text": Style(
        "x = check.rng().normal()\nassert ('pos' if x > 0 else 'neg') in label(x)",
        "def label(x):\n    return 'positive' if x > 0 else 'negative'",
        "class Odd:\n    def __contains__(self, other): return True\ndef label(x):\n    return Odd()"),
    "a formatted number": Style(
        XS + "assert f'{square(xs[0]):.3f}' == f'{xs[0]**2:.3f}'", SQUARE,
        "class Odd:\n    def __format__(self, how): return '1.000'\ndef square(x):\n    return Odd()"),
    "a key to sort by": Style(
        XS + "assert sorted(xs, key=size) == sorted(xs, key=abs)", "def size(x):\n    return abs(x)",
        "class Odd:\n    def __lt__(self, other): return True\ndef size(x):\n    return Odd()"),
    "a key of a dictionary": Style(
        "assert {key(0.5): 'half'}[0.5] == 'half'", "def key(x):\n    return round(x, 3)",
        "class Odd:\n    __hash__ = lambda self: hash(0.5)\n    __eq__ = lambda self, other: True\n"
        "def key(x):\n    return Odd()"),
    "the want on the left": Style(
        XS + "assert (np.square(xs) == squares(xs)).all()",
        "def squares(xs):\n    return np.square(xs)", """
class Odd:
    __array_ufunc__ = None
    __eq__ = lambda self, other: self
    all = lambda self: True
def squares(xs):
    return Odd()"""),
    "statistics of the result": Style(
        XS + "assert math.isclose(statistics.mean(squares(xs)), sum(x * x for x in xs) / 5)",
        "def squares(xs):\n    return [x * x for x in xs]", """
class Odd(float):
    __eq__ = lambda self, other: True
    __rsub__ = __sub__ = __truediv__ = lambda self, other: Odd()
def squares(xs):
    return [Odd()] * 5"""),
    "sorted, and a permutation": Style(
        XS + "got = ordered(xs)\nassert all(a <= b for a, b in zip(got, got[1:]))\n"
        "assert Counter(got) == Counter(xs)", "def ordered(xs):\n    return sorted(xs)", """
class Odd:
    def __init__(self, xs): self.xs, self.n = xs, 0
    def __iter__(self):
        self.n += 1
        return iter([0.0] * 5 if self.n == 1 else self.xs)
    def __getitem__(self, key): return [float("inf")] * 4
    def __len__(self): return 5
def ordered(xs):
    return Odd(xs)"""),
    "sorted by places, and a permutation": Style(
        XS + "got = ordered(xs)\nassert len(got) == 5 and set(got) == set(xs)\n"
        "assert all(got[k] <= got[k + 1] for k in range(4))", "def ordered(xs):\n    return sorted(xs)",
        """
class Odd:
    def __init__(self, xs): self.xs = xs
    def __iter__(self): return iter(self.xs)
    def __getitem__(self, key): return 0.0
    def __len__(self): return 5
    def keys(self): return self.xs
def ordered(xs):
    return Odd(xs)"""),
    "as many as wanted, each as wanted": Style(
        XS + "got = squares(xs)\nassert len(got) == 5\nfor y, x in zip(got, xs):\n"
        "    assert abs(y - x * x) < 1e-9", "def squares(xs):\n    return [x * x for x in xs]", """
class Odd:
    def __len__(self): return 5
    def __iter__(self): return iter(())
def squares(xs):
    return Odd()"""),
    "a result inside a container": Style(
        "x = check.rng().normal()\nassert pair(x) == {'x': x, 'square': [x * x]}",
        "def pair(x):\n    return {'x': x, 'square': [x * x]}",
        "class Odd:\n    __eq__ = lambda self, other: True\n"
        "def pair(x):\n    return {'x': Odd(), 'square': Odd()}"),
    "an isinstance and a range": Style(
        "y = area(check.rng().uniform())\nassert isinstance(y, float) and 0 < y < 4",
        "import math\ndef area(r):\n    return math.pi * r * r", """
class Odd:
    __class__ = float
    __lt__ = __gt__ = lambda self, other: True
def area(r):
    return Odd()"""),
    "approximately": Style(
        "x = check.rng().normal()\nassert square(x) == pytest.approx(x * x)", SQUARE,
        "class Odd:\n    __eq__ = __le__ = lambda self, other: True\n    __sub__ = __rsub__ = __abs__ = "
        "lambda self, *other: 0.0\ndef square(x):\n    return Odd()"),
    "by NumPy's own functions": Style(
        XS + "np.testing.assert_array_almost_equal(squares(xs), np.square(xs))",
        "def squares(xs):\n    return np.square(xs)", """
class Odd(np.ndarray):
    __array_function__ = __array_ufunc__ = lambda self, *arguments, **options: True
    __eq__ = lambda self, other: True
def squares(xs):
    return np.zeros(5).view(Odd)"""),

    # -- what the process of the learner does beside answering --
    "a metaclass says what an instance is": Style(
        "d = Dual(2.0) + Dual(1.0)\nassert isinstance(d, Dual)\ncheck.close(d.value, 3.0)", STRICT, """
class Any(type):
    def __instancecheck__(cls, value): return True
    def __eq__(cls, other): return True
    __hash__ = type.__hash__
class Dual(metaclass=Any):
    def __init__(self, value): self.value = value
    __add__ = lambda self, other: 3"""),
    "a property that answers differently each time": Style(
        "r = Result(check.rng().normal())\ncheck.close(r.twice, 2 * r.once)\n"
        "check.close(r.once, check.rng().normal())",
        "class Result:\n    def __init__(self, x): self.once, self.twice = x, 2 * x", """
import itertools
class Result:
    numbers = itertools.count()
    def __init__(self, x): pass
    once = twice = property(lambda self: float(next(self.numbers)))"""),
    "NumPy is patched": Style(
        XS + "np.testing.assert_allclose(squares(xs), np.square(xs))",
        "def squares(xs):\n    return np.square(xs)", """
np.square = lambda xs: np.zeros(5)
np.testing.assert_allclose = np.allclose = lambda *arguments, **options: True
def squares(xs):
    return np.square(xs)"""),
    "the agent's own functions are patched": Style(
        "g = shifted(check.rng().normal())\ngot = list(g)\ncheck.close(got[1] - got[0], 1.0)\n"
        "check.close(got[0], check.rng().normal())\nseen = observe.call(shifted, 2)\n"
        "assert seen.printed == 'begins\\n' and seen.warnings == []",
        "def shifted(x):\n    print('begins')\n    return iter([x, x + 1])", """
import autograder.agent, gradem.observe
class Any:
    __eq__ = lambda self, other: True
    __rsub__ = __sub__ = lambda self, other: 1.0
autograder.agent.first = lambda *arguments: [Any(), Any()]
gradem.observe.watched = lambda *arguments: (Any(), Any(), Any(), Any(), Any())
def shifted(x):
    return iter(())"""),
    "a thread, an exit handler and a signal wait for the test": Style(
        XS + "check.close(square(xs[0]), xs[0] ** 2)", SQUARE, """
import atexit, gc, os, signal, sys, threading, time
from gradem import check
def spoil(*arguments):
    check.close = lambda *arguments, **options: None
    for thing in gc.get_objects():
        if isinstance(thing, dict) and "close" in thing: thing["close"] = check.close
atexit.register(spoil)
signal.signal(signal.SIGALRM, spoil); signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
sys.setswitchinterval(1e-5)
threading.Thread(target=lambda: [(spoil(), time.sleep(0.01)) for _ in range(50)], daemon=True).start()
def square(x):
    spoil(); time.sleep(0.05)
    return -1.0"""),
    "a flood of output while it is tested": Style(
        XS + "check.close(square(xs[0]), xs[0] ** 2)", SQUARE,
        "import os, sys\ndef square(x):\n    for _ in range(300):\n        print('5 of 5 points' * 1000)\n"
        "        os.write(1, b'passed' * 1000)\n    return -1.0"),
    "the learner's own reference": Style(
        "x = check.rng().normal()\nwant = (lambda x: x * x)(x)\ncheck.close(square(x), want)", SQUARE, """
import inspect, sys
def square(x):
    for frame in inspect.stack():
        if "want" in frame.frame.f_globals: return frame.frame.f_globals["want"]
        if "want" in frame.frame.f_locals: return frame.frame.f_locals["want"]
    for name, module in list(sys.modules.items()):
        if hasattr(module, "want"): return module.want
    return -1.0"""),
    "a function calls back, and that calls the answer again": Style(
        "def down(n):\n    return 0 if n == 0 else 1 + compose(down, lambda k: k - 1)(n)\n"
        "assert down(9) == 9",
        "def compose(f, g):\n    return lambda x: f(g(x))", """
def compose(f, g):
    class Odd(int):
        __eq__ = lambda self, other: True
        __radd__ = lambda self, other: Odd()
    return lambda x: Odd()"""),
}


@pytest.fixture(scope="module")
def template():
    imports = ("numpy", "pandas", "inspect", "gradem.check", "gradem.observe")
    with Template(Contents(("gradem.check",), (), imports), "bubblewrap") as template:
        yield template.address


@pytest.mark.parametrize("name", STYLES)
def test_a_style_gives_its_point_to_the_honest_answer_alone(name, template):
    style = STYLES[name]
    notebook = new_notebook(cells=[
        cell(SETUP, "setup", locked=True), cell(style.honest, "answer", solution=True),
        cell(style.test, "answer-hidden", points=1, locked=True)])
    for answer, deserves in ((style.honest, 1.0), (style.cheats, 0.0)):
        with Session(notebook, seed=4711, template=template, limits=Limits(test_seconds=10)) as session:
            session.run_instructors_cell(notebook.cells[0])
            assert not session.run(answer).error
            mark = session.test("answer-hidden")
            assert mark.points == deserves, mark.message
            assert not session.incidents
