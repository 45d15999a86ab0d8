"""Divided differences: what they are on polynomials, the order of their error, the best step."""

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from gradem.differences import (
    best_central_step, best_forward_step, central_difference, complex_step, forward_difference)

numbers = st.floats(-10.0, 10.0)
steps = st.floats(0.01, 1.0)


@given(numbers, numbers, numbers, steps, st.sampled_from([-1, 1]))
def test_differences_of_a_parabola(a, b, x, h, sign):
    def parabola(t):
        return a * t * t + b * t
    h = sign * h
    slope = 2 * a * x + b
    assert forward_difference(parabola, x, h) == pytest.approx(slope + a * h, abs=1e-9)
    assert central_difference(parabola, x, h) == pytest.approx(slope, abs=1e-9)


@pytest.mark.parametrize("difference, order", [(forward_difference, 1), (central_difference, 2)])
def test_the_order_of_the_error(difference, order):
    h = np.array([1e-1, 1e-2, 1e-3])
    errors = np.abs([difference(np.exp, 1.0, step) - np.e for step in h])
    slopes = np.diff(np.log(errors)) / np.diff(np.log(h))
    np.testing.assert_allclose(slopes, order, atol=0.05)


def test_the_leading_term_of_the_error():
    assert forward_difference(np.exp, 1.0, 1e-3) - np.e == pytest.approx(
        1e-3 * np.e / 2, rel=1e-2)
    assert central_difference(np.exp, 1.0, 1e-2) - np.e == pytest.approx(
        1e-4 * np.e / 6, rel=1e-2)


@given(st.floats(-3.0, 3.0))
def test_the_complex_step_is_exact(x):
    z = sympy.Symbol("z")
    slope = sympy.lambdify(z, sympy.diff(z**3 * sympy.exp(-z) + sympy.sin(z), z), "math")(x)
    got = complex_step(lambda z: z**3 * np.exp(-z) + np.sin(z), x)
    assert got == pytest.approx(slope, rel=1e-13, abs=1e-14)


def test_the_complex_step_takes_arrays_and_other_steps():
    x = np.array([0.5, 2.0])
    np.testing.assert_allclose(complex_step(np.log, x), 1 / x, rtol=1e-15)
    assert complex_step(lambda z: z**3, 2.0, 0.5) == 12.0 - 0.25
    assert isinstance(complex_step(lambda z: z**3, 2.0), float)


def test_the_best_steps_are_the_roots_of_the_bounds():
    h, f0, f2, f3, eps = sympy.symbols("h f0 f2 f3 eps", positive=True)
    forward, = sympy.solve(sympy.diff(h * f2 / 2 + 2 * eps * f0 / h, h), h)
    central, = sympy.solve(sympy.diff(h**2 * f3 / 6 + eps * f0 / h, h), h)
    at = {f0: 7.0, f2: 3.0, f3: 5.0, eps: 1e-12}
    assert best_forward_step(7.0, 3.0, 1e-12) == pytest.approx(float(forward.subs(at)), rel=1e-13)
    assert best_central_step(7.0, 5.0, 1e-12) == pytest.approx(float(central.subs(at)), rel=1e-13)


@pytest.mark.parametrize("x", [10.0, 0.1, 0.001])
@pytest.mark.parametrize("kind", ["forward", "central"])
def test_the_best_step_lies_at_the_minimum_of_the_measured_errors_of_the_cube(x, kind):
    def cube(t):
        return t * t * t

    if kind == "forward":
        difference, best = forward_difference, best_forward_step(x**3, 6 * x)
    else:
        difference, best = central_difference, best_central_step(x**3, 6.0)

    def error(step):
        """The worst error at steps near this one, since a single one may be lucky."""
        near = step * np.linspace(0.8, 1.25, 60)
        return max(abs(difference(cube, x, h) - 3 * x * x) for h in near)

    curve = {factor: error(factor * best) for factor in 10.0 ** np.arange(-3, 3.5, 0.5)}
    assert curve[1.0] <= 3 * min(curve.values())
    assert curve[1e3] > 20 * curve[1.0] and curve[1e-3] > 20 * curve[1.0]


def test_no_step_is_best_without_truncation_error():
    for best in (best_forward_step, best_central_step):
        with pytest.raises(ValueError, match="no truncation error"):
            best(1.0, 0.0)
        assert best(0.0, 1.0) == 0.0
        assert type(best(1.0, 1.0)) is float
