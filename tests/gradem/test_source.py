"""Source transformation against autograd, JAX, SymPy and differences; its text; its refusals."""

import ast
import inspect
import linecache
import math
import traceback
import types
from math import exp, sin

import autograd
import autograd.numpy as anp
import jax
import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from gradem.rules import NOWHERE, RULES, Elementwise, NoDerivative
from gradem.source import Unsupported, forward, reverse

FACTOR = 1.5


# ---- the example of the lecture ---------------------------------------------------------------


def f(x1, x2):
    return x1 * x2 + np.sin(x1)


FORWARD = """\
import numpy as np


def f_forward(x1, x2, dx1, dx2):
    w3 = x1 * x2
    dw3 = dx1 * x2 + dx2 * x1
    w4 = np.sin(x1)
    dw4 = dx1 * np.cos(x1)
    w5 = w3 + w4
    dw5 = dw3 + dw4
    return (w5, dw5)
"""

REVERSE = """\
import numpy as np


def f_reverse(x1, x2):
    w3 = x1 * x2
    w4 = np.sin(x1)
    w5 = w3 + w4
    # return sweep: the adjoint of the result is 1
    w5_bar = 1.0
    # adjoint of w5 = w3 + w4
    w3_bar = w5_bar
    w4_bar = w5_bar
    # adjoint of w4 = np.sin(x1)
    x1_bar = w4_bar * np.cos(x1)
    # adjoint of w3 = x1 * x2
    x1_bar += w3_bar * x2
    x2_bar = w3_bar * x1
    return (w5, (x1_bar, x2_bar))
"""


def test_the_lecture_example_is_written_line_by_line():
    assert forward(f).source == FORWARD
    assert reverse(f).source == REVERSE


@pytest.mark.parametrize("text, arguments, want", [
    (FORWARD, (0.5, 2.0, 1.0, 0.0), (1.0 + math.sin(0.5), 2.0 + math.cos(0.5))),
    (REVERSE, (0.5, 2.0), (1.0 + math.sin(0.5), (2.0 + math.cos(0.5), 0.5))),
])
def test_the_text_runs_alone(text, arguments, want):
    names = {}
    exec(text, names)
    name = ast.parse(text).body[-1].name
    value, derivatives = names[name](*arguments)
    assert value == pytest.approx(want[0], rel=1e-15)
    assert derivatives == pytest.approx(want[1], rel=1e-15)


def test_the_text_is_where_python_looks_for_it():
    transformed = reverse(f)
    assert inspect.getsource(transformed) == REVERSE.partition("\n\n\n")[2]
    with pytest.raises(TypeError) as caught:
        transformed("a", "b")
    assert "w3 = x1 * x2" in "".join(traceback.format_exception(caught.value))


# ---- a table of programs ----------------------------------------------------------------------


def helper(z, shift=0.5):
    if z > 1.0:
        return z * shift
    t = np.exp(-z)
    return t * t - shift


def overwritten(a, b):
    a = a * b
    b = np.sin(a)
    a *= a
    b = a / b
    b = np.exp(-b * b)
    return a * b


def swapped(a, b):
    a, b = b, a * b
    a, b = a + b, a - b
    return a ** 3 / b


def branches(a, b):
    if a > 1:
        c = a * b
    elif a > 0:
        c = a - b
        a = c * c
    else:
        c = b
    return np.cos(c) * a + (a if b > 0 else -a)


def rosenbrock(x):
    s = 0.0
    for i in range(len(x) - 1):
        s = s + 100.0 * (x[i + 1] - x[i] ** 2) ** 2 + (1.0 - x[i]) ** 2
    return s


def product(x):
    p = 1.0
    for v in x:
        p *= v
    return p


def newton(a):
    x = a
    while abs(x * x - a) > 1e-14:
        x = x - (x * x - a) / (2.0 * x)
    return x


def downwards(x):
    s, t = 0.0, 1.0
    for i in range(len(x) - 1, -1, -2):
        t = t * np.sin(x[i]) + s
        s += t * t * i
    for i in reversed(range(1, len(x))):
        s = np.tanh(s * x[i] - x[i - 1])
    return s * t


def nested(x, a):
    s, t = 1.0, x[0]
    for i in range(len(x)):
        s = s * np.sin(x[i]) + t
        for j in range(i):
            t = t * x[j] + a
            if t > s:
                s = s * t / 2.0
            else:
                s = s - t * t
        t = s / (1.0 + t * t)
    return s * t + t


def changing_bounds(a):
    n, s, k = 3, a, 0
    for i in range(n):
        n = n + i
        s = s * a + n
        for j in range(n):
            s = np.sin(s + j)
    while k * s < 5.0 and k < 7:
        k += 1
        s = s * np.cos(s) + k
    return s * n


def calls(a, b):
    s = helper(a) + helper(b, shift=2.0) * FACTOR
    for k in range(3):
        s = s + helper(s * a, k)
    return s


def remembered(a):
    """A value from an earlier iteration, set in one branch only."""
    s = a
    for i in range(5):
        if i > 1:
            s = s * old
        if i > 0:
            old = np.sin(s + i)
    return s


def early(a, b):
    if a < 0:
        return b * b
    a = a * b
    if a < 2:
        if b > 0:
            return np.sin(a)
        a = a + 1.0
    return a * b


def recurrence(x, a):
    y = [0.0] * len(x)
    y[0] = a
    for i in range(1, len(y)):
        y[i] = y[i - 1] * x[i] + a
        y[i] = y[i] * y[i]
    s = 0.0
    for i in range(len(x)):
        s += y[i] * x[i]
    y[0] = s * y[0]
    return y[0] + y[1]


def heat(x, a):
    """Steps in place: every element is overwritten again and again."""
    u = [x[0], x[1] * x[2], np.sin(x[3]), a, 1.0]
    for step in range(4):
        for i in range(1, len(u) - 1):
            u[i] = u[i] + a * (u[i - 1] - 2.0 * u[i] + u[i + 1]) * u[i]
        u[0] = u[1] * u[0]
    return u[2] * u[0]


def replaced_array(x):
    """An array that is read, then written in one element, then replaced."""
    p = [x[0], x[1]]
    s = 1.0
    for i in range(4):
        s = np.sin(s * p[i % 2] + x[2])
        p[1] = p[0] * s
        if i > 0:
            p = [s + p[1], s * s]
    return s * p[0]


def feeding_the_condition(a, b):
    """What the test of the inner loop reads comes from what an iteration computes last."""
    for i in range(2):
        k = 0
        while k < 2 and a < 9.0:
            a, b = b + 0.7, np.sin(a)
            k += 1
    return a + 2.0 * b


def new_list_each_time(x):
    s = 1.0
    for i in range(3):
        p = [s, s * s, 2.0]
        for j in range(len(p)):
            p[j] = p[j] * x[j] + p[0]
        s = np.tanh(p[2] - p[1])
    return s


def bilinear(a, b):
    """A matrix."""
    s = 0.0
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            s += b[i] * a[i, j] * b[j] * a[i, j]
    return s


X = np.array([0.7, -1.3, 0.4, 1.9, 0.2])
PROGRAMS = [
    (f, (0.5, 2.0)), (helper, (0.3, 0.5)), (helper, (1.3, 0.5)), (overwritten, (0.8, 1.7)),
    (swapped, (0.8, 1.7)), (branches, (1.5, 2.0)), (branches, (0.5, -2.0)), (branches, (-0.5, 2.0)),
    (rosenbrock, (X,)), (product, (X,)), (newton, (2.0,)), (downwards, (X,)), (nested, (X, 0.3)),
    (changing_bounds, (0.9,)), (calls, (0.4, 1.2)), (remembered, (0.6,)), (early, (-1.0, 2.0)),
    (early, (0.5, 2.0)), (early, (-2.0, -3.0)), (early, (3.0, 2.0)), (recurrence, (X, 0.3)),
    (heat, (X, 0.1)), (replaced_array, (X[:3],)),
    (feeding_the_condition, (0.4, 1.2)), (new_list_each_time, (X[:3],)),
    (bilinear, (np.outer(X, X + 1.0), X)),
]


def through(function, numpy):
    """The same function on another NumPy."""
    names = {**function.__globals__, "np": numpy}
    names["helper"] = types.FunctionType(helper.__code__, names, "helper", helper.__defaults__)
    return types.FunctionType(function.__code__, names, function.__name__, function.__defaults__)


def gradients(function, arguments):
    """Value and gradients from autograd."""
    taped = through(function, anp)
    return taped(*arguments), autograd.grad(taped, tuple(range(len(arguments))))(*arguments)


def directions(arguments):
    rng = np.random.default_rng(5)
    return [rng.standard_normal(np.shape(x)) if np.ndim(x) else rng.standard_normal()
            for x in arguments]


def agree(function, arguments, rtol=1e-11):
    """Both modes give the value of the function, and the derivatives of autograd."""
    want, want_gradients = gradients(function, arguments)
    value, found = reverse(function)(*arguments)
    assert value == pytest.approx(want, rel=1e-14)
    for got, exact in zip(found, want_gradients, strict=True):
        np.testing.assert_allclose(got, exact, rtol=rtol, atol=rtol * np.max(np.abs(exact)))
    tangents = directions(arguments)
    value, tangent = forward(function)(*arguments, *tangents)
    assert value == pytest.approx(want, rel=1e-14)
    terms = [np.sum(v * exact) for v, exact in zip(tangents, want_gradients)]
    assert tangent == pytest.approx(sum(terms), rel=rtol, abs=rtol * np.max(np.abs(terms)))


NAMES = [f"{function.__name__}-{number}" for number, (function, _) in enumerate(PROGRAMS)]


@pytest.mark.parametrize("function, arguments", PROGRAMS, ids=NAMES)
def test_programs_against_autograd(function, arguments):
    agree(function, arguments)


@pytest.mark.parametrize("function, arguments", PROGRAMS, ids=NAMES)
def test_programs_against_differences(function, arguments):
    """Every coordinate by a central difference: nothing is shared with the other tests."""
    _, found = reverse(function)(*arguments)
    step = 1e-5
    for k, (x, gradient) in enumerate(zip(arguments, found)):
        for index in np.ndindex(np.shape(x)):
            moved = []
            for sign in (1, -1):
                there = np.array(x, dtype=float)
                there[index] += sign * step
                there = there if np.ndim(x) else float(there)
                moved.append(function(*arguments[:k], there, *arguments[k + 1:]))
            difference = (moved[0] - moved[1]) / (2 * step)
            slope = gradient[index] if np.ndim(x) else gradient
            assert slope == pytest.approx(difference, rel=1e-5, abs=1e-6 * np.max(np.abs(gradient)))


def test_rosenbrock_against_jax():
    with jax.enable_x64(True):
        want = np.array(jax.grad(rosenbrock)(jax.numpy.asarray(X)))
    np.testing.assert_allclose(reverse(rosenbrock)(X)[1][0], want, rtol=1e-13)


def test_newton_against_the_derivative_of_the_root():
    value, (slope,) = reverse(newton)(2.0)
    assert value == pytest.approx(math.sqrt(2.0), rel=1e-15)
    assert slope == pytest.approx(0.5 / math.sqrt(2.0), rel=1e-14)


# ---- every rule of the table ------------------------------------------------------------------


RULED = [function for function, rule in RULES.items()
         if isinstance(rule, Elementwise) and function not in (np.where, np.conjugate)]


@pytest.mark.parametrize("function", RULED, ids=lambda function: function.__name__)
def test_every_rule(function):
    """The maps of the table, in the generated text, against a difference of the function."""
    names = RULES[function].arguments
    text = f"def g({names}):\n    return np.{function.__name__}({names})\n"
    point = {"arccosh": (1.7,)}.get(function.__name__, (0.6, 0.37)[:names.count(",") + 1])
    transformed = defined(text, {"np": np})
    _, gradient = reverse(transformed)(*point)
    for k, slope in enumerate(gradient):
        high, low = ([*point[:k], point[k] + sign * 1e-5, *point[k + 1:]] for sign in (1, -1))
        want = (function(*high) - function(*low)) / 2e-5
        assert slope == pytest.approx(want, rel=1e-8, abs=1e-9)
        seeds = [float(i == k) for i in range(len(point))]
        assert forward(transformed)(*point, *seeds)[1] == pytest.approx(slope, rel=1e-14)


def defined(text, names):
    """The function that a text defines, with its source where `inspect` finds it."""
    file = f"<test {len(linecache.cache)}>"
    linecache.cache[file] = len(text), None, text.splitlines(keepends=True), file
    names = dict(names)
    exec(compile(text, file, "exec"), names)
    return names[ast.parse(text).body[-1].name]


def python_functions(x, y):
    a = math.asin(x) + math.acos(x) * math.atan(y) + math.atan2(x, y) + sin(exp(x))
    b = math.asinh(x) - math.acosh(y) * math.atanh(x) + math.log1p(x) * math.pow(y, 3)
    return a * b + abs(-x) * max(x, y) - min(x, 2.0) * pow(y, 2) + float(x) + math.hypot(x, y)


def test_functions_of_python_against_sympy():
    x, y = sympy.symbols("x y")
    a = sympy.asin(x) + sympy.acos(x) * sympy.atan(y) + sympy.atan2(x, y) + sympy.sin(sympy.exp(x))
    b = sympy.asinh(x) - sympy.acosh(y) * sympy.atanh(x) + sympy.log(1 + x) * y ** 3
    exact = a * b + x * y - x * y ** 2 + x + sympy.sqrt(x * x + y * y)      # for 0 < x < y
    point = {x: sympy.Rational(2, 5), y: sympy.Rational(8, 5)}
    value, gradient = reverse(python_functions)(0.4, 1.6)
    assert value == pytest.approx(float(exact.subs(point)), rel=1e-14)
    want = [float(exact.diff(variable).subs(point)) for variable in (x, y)]
    assert gradient == pytest.approx(want, rel=1e-13)
    assert forward(python_functions)(0.4, 1.6, 1.0, 0.0)[1] == pytest.approx(want[0], rel=1e-13)


def powers(x):
    return x ** 2 + x ** 3 + x ** -1 + x ** 0.5 + x ** 1 + x ** 0 + 2.0 ** x + x ** x + x ** 2.0


def test_powers_against_sympy():
    x = sympy.symbols("x")
    exact = x ** 2 * 2 + x ** 3 + 1 / x + sympy.sqrt(x) + x + 1 + 2 ** x + x ** x
    value, (slope,) = reverse(powers)(1.7)
    assert value == pytest.approx(float(exact.subs(x, sympy.Rational(17, 10))), rel=1e-14)
    assert slope == pytest.approx(float(exact.diff(x).subs(x, sympy.Rational(17, 10))), rel=1e-14)


# ---- random programs --------------------------------------------------------------------------


VARIABLES = ["a", "b", "c", "p[0]", "p[1]", "p[i % 2]", "p[(i + 1) % 2]"]
variables = st.sampled_from(VARIABLES)
expressions = st.one_of(
    st.builds("{} * np.sin({})".format, variables, variables),
    st.builds("np.cos({} - {} * 0.5)".format, variables, variables),
    st.builds("{} / (1.0 + {} ** 2)".format, variables, variables),
    st.builds("{} + 0.7".format, variables),
    st.builds("np.tanh({0} * {1} + np.exp(-{0} * {0}))".format, variables, variables),
    st.builds("g({}, {})".format, variables, variables),
    st.builds("({} if {} > 0.3 else -{})".format, variables, variables, variables),
    variables, st.just("1.5"))
conditions = st.builds("{} < {}".format, variables, variables)
simple = st.one_of(
    st.builds("{} = {}".format, variables, expressions),
    st.builds("{} += np.sin({})".format, variables, variables),
    st.builds("p = [{}, {}]".format, expressions, expressions),
    st.builds("{}, {} = {}, {}".format, st.just("a"), st.just("b"), expressions, expressions))


def indented(lines):
    return "\n".join("    " + line for part in lines for line in part.splitlines())


def compound(children):
    blocks = st.lists(children, min_size=1, max_size=4).map(indented)
    return st.one_of(
        st.builds("if {}:\n{}\nelse:\n{}".format, conditions, blocks, blocks),
        st.builds("if {}:\n{}".format, conditions, blocks),
        st.builds("for i in range({}):\n{}".format, st.integers(0, 3), blocks),
        st.builds("for i in reversed(range({})):\n{}".format, st.integers(1, 3), blocks),
        st.builds("k = 0\nwhile k < 2 and a < 9:\n{}\n    k += 1".format, blocks))


statements = st.recursive(simple, compound, max_leaves=8)
PROGRAM = """def g(u, v):
    if u > v:
        u = u * 0.5
        return np.sin(u) * v
    return v - u * u / (1.0 + u * u)


def program(a, b):
    c = 0.3
    i = 1
    p = [a, b * b]
{}
    return a + 2.0 * b - c * p[0] + p[1]
"""


@given(st.lists(statements, min_size=1, max_size=6).map(indented), st.data())
def test_random_programs_against_autograd(body, data):
    text = PROGRAM.format(body)
    point = [data.draw(st.floats(-1.5, 1.5).map(lambda x: round(x, 3))) + shift
             for shift in (1e-4, 2.3e-4)]
    want, exact = gradients_of_text(text, point)
    program = defined(text, {"np": np})
    value, gradient = reverse(program)(*point)
    size = max(1.0, *map(abs, exact))
    assert value == pytest.approx(want, rel=1e-12, abs=1e-12)
    assert gradient == pytest.approx(exact, rel=1e-10, abs=1e-11 * size)
    value, tangent = forward(program)(*point, 0.8, -0.3)
    assert value == pytest.approx(want, rel=1e-12, abs=1e-12)
    assert tangent == pytest.approx(0.8 * exact[0] - 0.3 * exact[1], rel=1e-9, abs=1e-10 * size)


def gradients_of_text(text, point):
    """Value and gradient of a program from autograd."""
    program = defined(text, {"np": anp})
    gradient = autograd.grad(program, (0, 1))(*point)
    return float(program(*point)), tuple(map(float, gradient))


# ---- derivatives of derivatives ---------------------------------------------------------------


def test_forward_over_forward_is_the_second_derivative():
    second = forward(forward(f))
    (_, first), (again, curvature) = second(0.5, 2.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0)
    assert first == again == pytest.approx(2.0 + math.cos(0.5), rel=1e-15)
    assert curvature == pytest.approx(-math.sin(0.5), rel=1e-15)


@pytest.mark.parametrize("function, arguments", [
    (f, (0.5, 2.0)), (rosenbrock, (X,)), (product, (X,)), (newton, (2.0,)),
    (overwritten, (0.8, 1.7)), (downwards, (X,)), (nested, (X, 0.3)), (branches, (0.5, -2.0)),
    (calls, (0.4, 1.2))],
    ids=lambda value: getattr(value, "__name__", ""))
def test_forward_over_reverse_is_the_hessian_times_a_vector(function, arguments):
    tangents = directions(arguments)
    (_, _), (_, found) = forward(reverse(function))(*arguments, *tangents)
    taped = through(function, anp)
    want = autograd.grad(lambda *xs: sum(
        anp.sum(v * g) for v, g in zip(tangents, autograd.grad(
            taped, tuple(range(len(xs))))(*xs))), tuple(range(len(arguments))))(*arguments)
    for got, exact in zip(found, want, strict=True):
        np.testing.assert_allclose(got, exact, rtol=1e-10, atol=1e-10 * np.max(np.abs(exact)))


# ---- points without derivative ----------------------------------------------------------------


def quotient(x, y):
    z = 1.0
    return z * x / y


def root_in_a_loop(x):
    s = 0.0
    for i in range(len(x)):
        s = s + math.sqrt(x[i])
    return s


def test_points_without_derivative_are_refused_with_the_line():
    line = inspect.getsourcelines(quotient)[1] + 2
    for call in (lambda: reverse(quotient)(1.0, 0.0),
                 lambda: forward(quotient)(1.0, 0.0, 1.0, 0.0)):
        with pytest.raises(NoDerivative) as caught:
            call()
        assert str(caught.value) == (
            "divide has no derivative at x = 1, y = 0: the divisor is 0\n"
            f"  line {line}: return z * x / y")
    line = inspect.getsourcelines(root_in_a_loop)[1] + 3
    with pytest.raises(NoDerivative, match=rf"line {line}: s = s \+ math.sqrt\(x\[i\]\)"):
        reverse(root_in_a_loop)([1.0, 0.0, 4.0])


BAD = {"divide": (1.0, 0.0), "remainder": (1.0, 0.0), "fmod": (1.0, 0.0), "power": (-1.0, 0.5),
       "float_power": (0.0, -1.0), "hypot": (0.0, 0.0), "arctan2": (0.0, 0.0), "log1p": (-1.0,),
       "arcsin": (1.0,), "arccos": (-1.0,), "arctanh": (1.0,), "arccosh": (1.0,)}


@pytest.mark.parametrize("function", {function: None for function, *_ in NOWHERE},
                         ids=lambda function: function.__name__)
def test_the_words_are_those_of_the_rule(function):
    point = BAD.get(function.__name__, (0.0,))
    names = RULES[function].arguments
    text = f"def g({names}):\n    return np.{function.__name__}({names})\n"
    with pytest.raises(NoDerivative) as caught:
        RULES[function].require_derivatives(point, [True] * len(point))
    words = str(caught.value).partition("\n")[0]
    transformed = defined(text, {"np": np})
    for call in (lambda: reverse(transformed)(*point),
                 lambda: forward(transformed)(*point, *point)):
        with pytest.raises(NoDerivative) as caught:
            call()
        assert str(caught.value).partition("\n")[0] == words


@pytest.mark.parametrize("exponent, bad, good", [
    ("0.5", 0.0, 1.0), ("1.5", -1.0, 0.0), ("-2", 0.0, -1.0), ("-0.5", -1.0, 1.0)])
def test_powers_with_a_constant_exponent(exponent, bad, good):
    power = defined(f"def g(x):\n    return x ** {exponent}\n", {})
    want = float(exponent) * good ** (float(exponent) - 1.0)
    assert reverse(power)(good)[1][0] == pytest.approx(want)
    with pytest.raises(NoDerivative, match="power has no derivative"):
        reverse(power)(bad)


def test_whole_powers_and_constant_divisors_are_not_checked():
    assert "no_derivative" not in reverse(defined(
        "def g(x):\n    return x ** 3 / 2 + x ** 2\n", {})).source


# ---- what is not understood -------------------------------------------------------------------


REFUSED = [
    ("def g(x):\n    with open(x) as y:\n        pass\n    return x", 2, "the statement 'with'"),
    ("def g(x):\n    for i in range(3):\n        break\n    return x", 3, "the statement 'break'"),
    ("def g(x):\n    def h(y):\n        return y\n    return h(x)", 2, "'def'"),
    ("def g(x):\n    y = lambda z: z\n    return y(x)", 2, "the expression lambda z: z"),
    ("def g(x):\n    return sum([y for y in x])", 2, "y for y in x"),
    ("def g(x):\n    print(x)\n    return x", 2, "run for its effect"),
    ("def g(x):\n    y = x[0]\n    return y * x", 3, "arithmetic on the whole array x"),
    ("def g(x):\n    y = x\n    return y[0] + x[1]", 2, "a second name for an array"),
    ("def g(x):\n    return x[1:][0]", 2, "x[1:]"),
    ("def g(x):\n    return x[0][1]", 2, "write x[i, j]"),
    ("def g(x, k):\n    return x[k] * k", 2, "an index that depends on the arguments"),
    ("def g(x):\n    return np.sum(x)", 2, "the function np.sum"),
    ("def g(x):\n    return x @ x", 2, "the operator in x @ x"),
    ("def g(x):\n    return (x or 1.0) * x", 2, "x or 1.0"),
    ("def g(x):\n    return math.log(x, 2)", 2, "other than 1 arguments"),
    ("def g(x):\n    return max(x, 1.0, x * x)", 2, "other than 2 arguments"),
    ("def g(x):\n    return g(x - 1) if x > 0 else x", 2, "g, which calls itself"),
    ("def g(x):\n    while True:\n        return x", 2, "return inside a loop"),
    ("def g(x):\n    if x > 0:\n        return x", 1, "may end without a result"),
    ("def g(x):\n    x = x * 2", 1, "without a result"),
    ("def g(x):\n    return x.T", 2, "x.T"),
    ("def g(x):\n    for y, z in zip(x, x):\n        pass\n    return y", 2,
     "a loop over anything"),
    ("def g(*x):\n    return x[0]", 1, "a parameter with *"),
    ("def g(x):\n    a, b = divmod(x, 2)\n    return a", 2, "taking a result apart"),
    ("def g(x):\n    for i in range(3):\n        x = x * i\n    else:\n        x = 1\n    return x",
     2, "else after a loop"),
]


@pytest.mark.parametrize("text, line, words", REFUSED, ids=[words for *_, words in REFUSED])
@pytest.mark.parametrize("mode", [forward, reverse])
def test_what_is_not_understood_is_refused_with_its_line(text, line, words, mode):
    function = defined(text, {"np": np, "math": math})
    with pytest.raises(Unsupported) as caught:
        mode(function)
    message = str(caught.value)
    assert words in message
    assert message.endswith(f", line {line}: {text.splitlines()[line - 1].strip()}")


def test_what_has_no_source_or_no_name_is_refused():
    with pytest.raises(Unsupported, match="the source of sin is not known"):
        reverse(math.sin)
    with pytest.raises(Unsupported, match="give the function a name"):
        reverse(lambda x: x)


def test_several_numbers_have_a_tangent_but_no_gradient():
    pair = defined("def g(x):\n    return x * x, (x, 2.0)\n", {})
    assert forward(pair)(3.0, 1.0) == ((9.0, (3.0, 2.0)), (6.0, (1.0, 0.0)))
    with pytest.raises(Unsupported, match=r"a result of several numbers(.|\n)*line 2: return x"):
        reverse(pair)
    with pytest.raises(Unsupported, match=r"stack(.|\n)*line 4: y = s.pop"):
        reverse(defined("def g(x):\n    s = []\n    s.append(x)\n    y = s.pop()\n    return y",
                        {}))


# ---- arguments --------------------------------------------------------------------------------


def test_arguments_are_checked_and_not_changed():
    with pytest.raises(TypeError, match=r"x1 is used as a number, but is of shape \(2,\)"):
        reverse(f)(np.ones(2), 1.0)
    with pytest.raises(TypeError, match=r"x is used with 1 index, but is of shape \(2, 2\)"):
        reverse(rosenbrock)(np.ones((2, 2)))
    with pytest.raises(TypeError, match=r"takes 2 arguments \(x1, x2\), but was given 1"):
        reverse(f)(1.0)
    writes = defined("def g(x):\n    x[0] = x[0] * x[1]\n    return x[0] * x[0]\n", {})
    x = np.array([2.0, 3.0])
    value, (gradient,) = reverse(writes)(x)
    assert value == 36.0 and gradient.tolist() == [36.0, 24.0] and x.tolist() == [2.0, 3.0]
    assert type(reverse(f)(np.float64(1.0), 2)[0]) is float


def test_whole_numbers_are_not_differentiated():
    power = defined("def g(x, n: int, shift=1.0):\n    return x ** n + shift * n\n", {})
    assert reverse(power)(-2.0, 3) == (-5.0, (12.0, 3.0))
    assert forward(power)(-2.0, 3, 1.0, 1.0, 0.0) == (-5.0, 12.0)


def test_what_is_overwritten_in_the_end_has_no_adjoint():
    constant = defined("def g(x):\n    y = x * x\n    y = FACTOR\n    return y\n",
                       {"FACTOR": FACTOR})
    assert reverse(constant)(2.0) == (FACTOR, (0.0,))
    assert forward(constant)(2.0, 1.0) == (FACTOR, 0.0)
    names = {}
    exec(reverse(constant).source, names)               # the text brings its numbers along
    assert names["g_reverse"](2.0) == (FACTOR, (0.0,))


@pytest.mark.parametrize("number", ["inf", "-inf", "nan", "1e300", "-3"])
def test_every_global_number_can_be_written_down(number):
    names = {"LIMIT": float(number)}
    cut = defined("def g(x):\n    y = x * x\n    if y > LIMIT:\n        y = LIMIT * x\n"
                  "    return y\n", names)
    want = (cut(2.0), (float(number) if 4.0 > float(number) else 4.0,))
    assert reverse(cut)(2.0) == want
    alone = {}
    exec(reverse(cut).source, alone)
    assert alone["g_reverse"](2.0) == want


def test_names_that_are_taken_are_left_alone():
    text = ("def g(x, dx, x_bar):\n    w4 = x * dx\n    stack = w4 * x_bar\n"
            "    for i in range(2):\n        stack = stack * stack * w4\n    return stack\n")
    program = defined(text, {})
    tangents = directions((0.5, 0.7, 0.9))
    want = [float(slope) for slope in autograd.grad(program, (0, 1, 2))(0.5, 0.7, 0.9)]
    assert reverse(program)(0.5, 0.7, 0.9)[1] == pytest.approx(want, rel=1e-13)
    assert forward(program)(0.5, 0.7, 0.9, *tangents)[1] == pytest.approx(np.dot(want, tangents))


def test_a_copy_depends_on_what_it_copies():
    """Also one of which no element is written."""
    copied = defined("def g(x, a):\n    y = x.copy()\n    z = y.copy()\n    z[0] = a * z[1]\n"
                     "    return y[0] * a + z[0] * y[1] + x[2]\n", {})
    x, a = np.array([0.7, -1.3, 0.4]), 1.5
    value, (x_bar, a_bar) = reverse(copied)(x, a)
    assert value == pytest.approx(0.7 * 1.5 + 1.5 * 1.69 + 0.4, rel=1e-14)
    assert x_bar == pytest.approx([1.5, 2 * 1.5 * -1.3, 1.0], rel=1e-14)
    assert a_bar == pytest.approx(0.7 + 1.69, rel=1e-14)
    tangent = forward(copied)(x, a, np.array([1.0, 2.0, 3.0]), 4.0)[1]
    assert tangent == pytest.approx(x_bar @ [1.0, 2.0, 3.0] + 4.0 * a_bar, rel=1e-14)


@pytest.mark.parametrize("text, want", [
    ("y = x.copy()\n    z = y.copy()\n    return z[0, 1] ** 2", [[0, 6], [0, 0]]),
    ("y = x.copy()\n    y[0, 0] = y[1, 0] * y[0, 1]\n    return y[0, 0] * x[0, 0]",
     [[15, 10], [6, 0]]),
    ("y = np.zeros_like(x)\n    n, m = y.shape\n    for i in range(n):\n        for j in range(m):\n"
     "            y[i, j] = x[j, i] * m\n    return y[0, 1] * y[1, 1]", [[0, 0], [28, 20]]),
])
def test_matrices_are_copied_and_measured(text, want):
    g = defined(f"def g(x):\n    {text}\n", {"np": np})
    x = np.array([[2.0, 3.0], [5.0, 7.0]])
    value, (x_bar,) = reverse(g)(x)
    assert value == g(x) and x_bar.tolist() == want
    tangents = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert forward(g)(x, tangents) == (value, np.sum(want * tangents))


def test_a_vector_that_is_only_copied_is_an_array():
    g = defined("def g(x):\n    y = x.copy()\n    return y[0] * y[1]\n", {})
    assert reverse(g)([2.0, 3.0])[1][0].tolist() == [3.0, 2.0]


def test_only_what_is_needed_is_recorded():
    """The values of an accumulator are overwritten, and no adjoint needs them: no stack."""
    assert "stack" not in reverse(rosenbrock).source
    assert reverse(newton).source.count("stack.append") == 1
    assert reverse(product).source.count("stack.append") == 1
    assert "y_log" not in reverse(defined(
        "def g(x):\n    y = [0.0] * len(x)\n    for i in range(len(x)):\n"
        "        y[i] = np.sin(x[i])\n    return y[0]\n", {"np": np})).source
