"""Every rule against SymPy, exactly, and against autograd; kinks; refusals in words."""

import warnings

import autograd
import autograd.numpy as anp
import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from gradem import Dual, derivative, jvp
from gradem.rules import CONSTANT, NOWHERE, RULES, NoDerivative

# function -> (SymPy's expression of the same function, an interval for each argument)
ANYWHERE, POSITIVE, INSIDE = (-3.0, 3.0), (0.1, 5.0), (-0.99, 0.99)
log2 = sympy.log(2)
EXACT = {
    np.add: (lambda x, y: x + y, ANYWHERE, ANYWHERE),
    np.subtract: (lambda x, y: x - y, ANYWHERE, ANYWHERE),
    np.multiply: (lambda x, y: x * y, ANYWHERE, ANYWHERE),
    np.divide: (lambda x, y: x / y, ANYWHERE, POSITIVE),
    np.remainder: (lambda x, y: x - 2 * y, (4.1, 5.9), (2.0, 2.0)),
    np.fmod: (lambda x, y: x + 2 * y, (-5.9, -4.1), (2.0, 2.0)),
    np.negative: (lambda x: -x, ANYWHERE),
    np.positive: (lambda x: x, ANYWHERE),
    np.reciprocal: (lambda x: 1 / x, POSITIVE),
    np.square: (lambda x: x**2, ANYWHERE),
    np.power: (lambda x, y: x**y, POSITIVE, ANYWHERE),
    np.float_power: (lambda x, y: x**y, POSITIVE, ANYWHERE),
    np.sqrt: (lambda x: sympy.sqrt(x), POSITIVE),
    np.cbrt: (lambda x: x ** sympy.Rational(1, 3), POSITIVE),
    np.hypot: (lambda x, y: sympy.sqrt(x**2 + y**2), ANYWHERE, POSITIVE),
    np.exp: (lambda x: sympy.exp(x), ANYWHERE),
    np.exp2: (lambda x: 2**x, ANYWHERE),
    np.expm1: (lambda x: sympy.exp(x) - 1, (-40.0, 3.0)),
    np.log: (lambda x: sympy.log(x), POSITIVE),
    np.log2: (lambda x: sympy.log(x) / log2, POSITIVE),
    np.log10: (lambda x: sympy.log(x) / sympy.log(10), POSITIVE),
    np.log1p: (lambda x: sympy.log(1 + x), INSIDE),
    np.logaddexp: (lambda x, y: sympy.log(sympy.exp(x) + sympy.exp(y)), ANYWHERE, ANYWHERE),
    np.logaddexp2: (lambda x, y: sympy.log(2**x + 2**y) / log2, ANYWHERE, ANYWHERE),
    np.sin: (lambda x: sympy.sin(x), ANYWHERE),
    np.cos: (lambda x: sympy.cos(x), ANYWHERE),
    np.tan: (lambda x: sympy.tan(x), (-1.5, 1.5)),
    np.arcsin: (lambda x: sympy.asin(x), INSIDE),
    np.arccos: (lambda x: sympy.acos(x), INSIDE),
    np.arctan: (lambda x: sympy.atan(x), ANYWHERE),
    np.arctan2: (lambda y, x: sympy.atan(y / x), ANYWHERE, POSITIVE),
    np.deg2rad: (lambda x: x * sympy.pi / 180, ANYWHERE),
    np.radians: (lambda x: x * sympy.pi / 180, ANYWHERE),
    np.rad2deg: (lambda x: x * 180 / sympy.pi, ANYWHERE),
    np.degrees: (lambda x: x * 180 / sympy.pi, ANYWHERE),
    np.sinh: (lambda x: sympy.sinh(x), ANYWHERE),
    np.cosh: (lambda x: sympy.cosh(x), ANYWHERE),
    np.tanh: (lambda x: sympy.tanh(x), (-15.0, 15.0)),
    np.arcsinh: (lambda x: sympy.asinh(x), ANYWHERE),
    np.arccosh: (lambda x: sympy.acosh(x), (1.01, 5.0)),
    np.arctanh: (lambda x: sympy.atanh(x), INSIDE),
    np.absolute: (lambda x: -x, (-3.0, -0.1)),
    np.fabs: (lambda x: x, POSITIVE),
    np.maximum: (lambda x, y: y, (-3.0, 0.0), POSITIVE),
    np.minimum: (lambda x, y: x, (-3.0, 0.0), POSITIVE),
    np.fmax: (lambda x, y: y, (-3.0, 0.0), POSITIVE),
    np.fmin: (lambda x, y: x, (-3.0, 0.0), POSITIVE),
    np.conjugate: (lambda x: x, ANYWHERE),
    np.nan_to_num: (lambda x: x, ANYWHERE),
}
ELEMENTARY = sorted(EXACT, key=lambda function: function.__name__)
CASES = pytest.mark.parametrize("function", ELEMENTARY, ids=lambda function: function.__name__)


def points(function, count=8):
    """Random points of the intervals, the ends among them."""
    intervals = np.array(EXACT[function][1:])
    inner = np.random.default_rng(3).uniform(intervals[:, 0], intervals[:, 1],
                                             size=(count, len(intervals)))
    return np.vstack([intervals.T, inner]).tolist()


def exact(function, orders, point):
    """The mixed partial derivative of the given orders, to 40 digits, rounded once."""
    expression, *intervals = EXACT[function]
    names = sympy.symbols("x y", real=True)[:len(intervals)]
    partial = sympy.diff(expression(*names), *zip(names, orders))
    with mpmath.workdps(40):
        return float(sympy.lambdify(names, partial, "mpmath")(*map(mpmath.mpf, point)))


@CASES
def test_value_and_first_derivatives_are_exact(function):
    for point in points(function):
        for position in range(len(point)):
            orders = [int(i == position) for i in range(len(point))]
            value, tangent = jvp(lambda x: function(*point[:position], x, *point[position + 1:]),
                                 point[position], 0.7)
            assert value == pytest.approx(float(function(*point)), rel=1e-15)
            assert tangent == pytest.approx(0.7 * exact(function, orders, point), rel=1e-12)


@CASES
def test_both_arguments_active_add_their_derivatives(function):
    for point in points(function):
        seeds = [0.7, -1.3][:len(point)]
        partials = [exact(function, np.eye(len(point), dtype=int)[i].tolist(), point)
                    for i in range(len(point))]
        terms = [partial * v for partial, v in zip(partials, seeds)]
        dual = function(*map(Dual, point, seeds))
        assert dual.tangent == pytest.approx(sum(terms), rel=1e-12,
                                             abs=1e-12 * max(map(abs, terms)))


@CASES
def test_second_derivatives_are_exact_by_nesting(function):
    for point in points(function, count=4):
        for first in range(len(point)):
            for second in range(len(point)):
                orders = [int(i == first) + int(i == second) for i in range(len(point))]

                def along(position, f, at):
                    return derivative(lambda x: f(*at[:position], x, *at[position + 1:]))(
                        at[position])

                got = along(second, lambda *at: along(first, function, at), point)
                scale = max(1e-3, abs(got))
                assert got == pytest.approx(exact(function, orders, point),
                                            rel=1e-11, abs=1e-12 * scale)


@pytest.mark.filterwarnings("ignore:Output seems independent of input")
@CASES
def test_first_and_second_derivatives_agree_with_autograd(function):
    theirs = getattr(anp, function.__name__)
    for point in points(function):
        if max(np.abs(point)) > 6:      # where autograd's tanh and expm1 cancel
            continue
        for position in range(len(point)):
            def alone(f):
                return lambda x: f(*point[:position], x, *point[position + 1:])

            slope = autograd.grad(alone(theirs))
            try:
                want = [slope(point[position]), autograd.grad(slope)(point[position])]
            except NotImplementedError:
                pytest.skip(f"autograd has no rule for {function.__name__}")
            mine = derivative(alone(function))
            got = [mine(point[position]), derivative(mine)(point[position])]
            np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12)


def test_where_takes_the_chosen_branch():
    x = Dual([1.0, -2.0, 3.0], [0.1, 0.2, 0.3])
    chosen = np.where(x > 0, x * x, -x)
    np.testing.assert_array_equal(chosen.value, [1.0, 2.0, 9.0])
    np.testing.assert_allclose(chosen.tangent, [0.2, -0.2, 1.8], rtol=1e-15)
    assert np.where(Dual(0.0, 1.0), 1.0, 2.0) == 2.0
    assert np.where(Dual(3.0, 1.0), x, 2.0).tangent.tolist() == [0.1, 0.2, 0.3]
    overflows = np.where([False, True, True], Dual([np.inf, 1.0, 1.0], [np.inf, 2.0, 3.0]), 0.0)
    np.testing.assert_array_equal(overflows.tangent, [0.0, 2.0, 3.0])


def test_saturated_functions_neither_overflow_nor_cancel():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert derivative(np.tanh)(20.0) == pytest.approx(4 * np.exp(-40.0), rel=1e-12)
        assert derivative(np.tanh)(700.0) == 0.0
        assert derivative(np.expm1)(-50.0) == pytest.approx(np.exp(-50.0), rel=1e-12)
        assert derivative(lambda x: np.logaddexp(x, 0.0))(1e4) == 1.0
        assert derivative(np.arctanh)(1 - 1e-9) == pytest.approx(0.5e9, rel=1e-6)


@pytest.mark.parametrize("scale", [1e-200, 1e-160, 1e160, 1e200])
def test_squares_that_over_or_underflow_do_no_harm(scale):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for x, y in [(scale, scale), (2 * scale, -scale), (scale, 0.0)]:
            length = np.hypot(x, y)
            assert derivative(lambda y: np.arctan2(y, x))(y) == pytest.approx(
                x / length / length, rel=1e-12)
            assert derivative(lambda x: np.arctan2(y, x))(x) == pytest.approx(
                -y / length / length, rel=1e-12)
        if scale > 1:
            assert derivative(np.arccosh)(scale) == pytest.approx(1 / scale, rel=1e-12)


# ---- the table is complete --------------------------------------------------------------------

# of two results, of whole numbers, or not worth a rule: duals refuse them by name
REFUSED = {
    "bitwise_and", "bitwise_count", "bitwise_or", "bitwise_xor", "copysign", "divmod", "frexp", "gcd", "invert", "isnat", "lcm", "ldexp", "left_shift",
    "matmul", "matvec", "modf", "nextafter", "right_shift", "spacing", "vecdot", "vecmat",
}


def test_every_ufunc_of_numpy_has_a_rule_or_is_constant_or_is_refused():
    ufuncs = {getattr(np, name) for name in dir(np) if isinstance(getattr(np, name), np.ufunc)}
    unknown = {u.__name__ for u in ufuncs if u not in RULES and u not in CONSTANT} - REFUSED
    assert not unknown


def test_every_rule_is_tested():
    assert set(EXACT) | {np.where} == set(RULES)


def test_a_rule_can_be_read():
    assert repr(RULES[np.multiply]) == "multiply(x, y): v * y; v * x"
    for rule in RULES.values():
        assert len(rule.arguments.split(", ")) == len(rule.maps) == len(rule.texts)


@pytest.mark.parametrize("function", sorted(CONSTANT, key=str), ids=lambda f: f.__name__)
def test_constant_functions_return_plain_numbers(function):
    point = (2.5, 0.5)[:function.nin]
    result = function(*(Dual(x, 1.0) for x in point))
    assert type(result) is not Dual
    assert result == function(*point)


# ---- kinks ------------------------------------------------------------------------------------


@pytest.mark.parametrize("f, x, want", [
    (abs, 0.0, 0.0),
    (np.absolute, 0.0, 0.0),
    (np.fabs, 0.0, 0.0),
    (lambda x: np.maximum(x, 0.0), 0.0, 0.5),
    (lambda x: np.minimum(0.0, x), 0.0, 0.5),
    (lambda x: np.maximum(x, x), 3.0, 1.0),
    (lambda x: np.minimum(x, x), 3.0, 1.0),
    (lambda x: x**0, 0.0, 0.0),
    (lambda x: x**0.0, 0.0, 0.0),
    (lambda x: x**1, 0.0, 1.0),
    (lambda x: x**2, 0.0, 0.0),
    (lambda x: x**3, -2.0, 12.0),
    (lambda x: x**2.0, -2.0, -4.0),
    (lambda x: x**-1, -2.0, -0.25),
    (lambda y: 0.0**y, 2.0, 0.0),
    (lambda x: x % 2.0, 4.0, 1.0),
    (lambda x: np.fmod(x, 2.0), -4.0, 1.0),
    (lambda x: np.floor(x) + x, 2.0, 1.0),
    (lambda x: np.sign(x) * x, 0.0, 0.0),
    (lambda x: x * x if x > 0 else -x, 0.0, -1.0),
])
def test_conventions_at_kinks(f, x, want):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert derivative(f)(x) == want


@pytest.mark.parametrize("degree", range(5))
def test_all_derivatives_of_an_integer_power_at_0(degree):
    f = lambda x: x**degree  # noqa: E731
    for order in range(1, 5):
        f = derivative(f)
        assert f(0.0) == (np.prod(np.arange(1.0, degree + 1)) if order == degree else 0.0)


REFUSED_POINTS = [
    (np.divide, "x", (1.0, 0.0)), (np.divide, "y", (1.0, 0.0)),
    (np.remainder, "x", (1.0, 0.0)), (np.remainder, "y", (1.0, 0.0)),
    (np.fmod, "x", (1.0, 0.0)), (np.fmod, "y", (1.0, 0.0)),
    (np.reciprocal, "x", (0.0,)),
    (np.power, "x", (-2.0, 0.5)), (np.power, "x", (0.0, 0.5)), (np.power, "x", (0.0, -1.0)),
    (np.power, "y", (-2.0, 2.0)), (np.power, "y", (0.0, 0.0)), (np.power, "y", (0.0, -1.0)),
    (np.float_power, "x", (0.0, 0.5)), (np.float_power, "y", (-2.0, 2.0)),
    (np.sqrt, "x", (0.0,)), (np.sqrt, "x", (-1.0,)), (np.cbrt, "x", (0.0,)),
    (np.hypot, "x", (0.0, 0.0)), (np.hypot, "y", (0.0, 0.0)),
    (np.arctan2, "x", (0.0, 0.0)), (np.arctan2, "y", (0.0, 0.0)),
    (np.log, "x", (0.0,)), (np.log, "x", (-1.0,)), (np.log2, "x", (0.0,)),
    (np.log10, "x", (-1.0,)), (np.log1p, "x", (-1.0,)),
    (np.arcsin, "x", (1.0,)), (np.arcsin, "x", (-1.0,)), (np.arcsin, "x", (2.0,)),
    (np.arccos, "x", (1.0,)), (np.arctanh, "x", (-1.0,)), (np.arccosh, "x", (1.0,)),
]


@pytest.mark.parametrize("function, argument, point", REFUSED_POINTS,
                         ids=lambda case: getattr(case, "__name__", str(case)))
def test_points_without_a_derivative_are_refused_in_words(function, argument, point):
    names = RULES[function].arguments.split(", ")
    reason = next(r for f, name, _, r in NOWHERE if (f, name) == (function, argument))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(NoDerivative) as caught:
            function(*(Dual(x, 1.0) if name == argument else x for name, x in zip(names, point)))
    assert str(caught.value).startswith(f"{function.__name__} has no derivative at ")
    assert f": {reason}\n  line " in str(caught.value)


def test_every_condition_is_tested():
    assert {(f, argument) for f, argument, _, _ in NOWHERE} == {
        (f, argument) for f, argument, _ in REFUSED_POINTS}


def test_the_refused_entry_of_an_array_is_named():
    with pytest.raises(NoDerivative, match=r"sqrt has no derivative at -4 \(index \[1, 0\]"):
        np.sqrt(Dual([[1.0, 2.0], [-4.0, 3.0]], np.ones((2, 2))))
    with pytest.raises(NoDerivative, match=r"divide has no derivative at x = 5, y = 0 \(index"):
        5.0 / Dual([1.0, 0.0], [1.0, 1.0])


def test_a_constant_may_lie_where_there_is_no_derivative():
    assert derivative(lambda x: x + np.sqrt(0.0))(0.0) == 1.0
    assert derivative(lambda x: 0.0 / x)(2.0) == 0.0


@given(st.floats(1e-100, 1e3), st.floats(-1e3, 1e3))
def test_a_map_is_linear_in_the_tangent(v, x):
    # doubling is exact in floating point, except where numbers are so small that digits are lost
    rule = RULES[np.arctan]
    push = rule.maps[0]
    assert push(2 * v, np.arctan(x), x) == 2 * push(v, np.arctan(x), x)
    assert push(0.0, np.arctan(x), x) == 0.0
