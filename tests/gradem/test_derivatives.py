"""derivative, grad, value_and_grad and jvp, against autograd, the complex step and by hand."""

import doctest

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gradem
from gradem import (
    Dual, derivative, derivatives, dual, grad, jacfwd, jacrev, jvp, value_and_grad)
from gradem.differences import complex_step

numbers = st.floats(-2.0, 2.0)


def newton_sqrt(x, np=np):
    """A program with a loop: Heron's square root, cut off after three steps."""
    y = 1.0 + 0 * x
    for _ in range(3):
        y = (y + x / y) / 2
    return y


FUNCTIONS = [
    lambda x, np=np: x * np.sin(x) + np.exp(-x * x),
    lambda x, np=np: np.log(2 + np.cos(x)) / (1 + x**2) ** 0.5,
    lambda x, np=np: np.tanh(x) ** 3 - np.arctan(2 * x),
    lambda x, np=np: newton_sqrt(3 + x, np),
    lambda x, np=np: 1 / (1 + 1 / (2 + x * x)),
    lambda x, np=np: 2**x + np.sinh(x) * np.sqrt(4 + x),
]


@pytest.mark.parametrize("f", FUNCTIONS)
@given(x=numbers)
def test_derivative_agrees_with_autograd_and_the_complex_step(f, x):
    slope = derivative(f)(x)
    assert type(slope) is float
    assert slope == pytest.approx(complex_step(f, x), rel=1e-12, abs=1e-13)
    theirs = autograd.grad(lambda x: f(x, anp))
    assert slope == pytest.approx(theirs(x), rel=1e-12, abs=1e-13)
    assert derivative(derivative(f))(x) == pytest.approx(
        autograd.grad(theirs)(x), rel=1e-11, abs=1e-12)


@given(x=numbers, a=numbers, b=numbers)
def test_linearity_product_and_chain_rule(x, a, b):
    f, g = FUNCTIONS[0], FUNCTIONS[2]
    D = derivative
    expected = [
        (lambda x: a * f(x) + b * g(x), a * D(f)(x) + b * D(g)(x)),
        (lambda x: f(x) * g(x), D(f)(x) * g(x) + f(x) * D(g)(x)),
        (lambda x: f(g(x)), D(f)(g(x)) * D(g)(x)),
    ]
    for program, want in expected:
        assert D(program)(x) == pytest.approx(want, rel=1e-11, abs=1e-12)


def test_derivative_of_an_array_is_taken_entry_by_entry():
    x = np.linspace(-1, 1, 5)
    np.testing.assert_allclose(derivative(np.sin)(x), np.cos(x), rtol=1e-15)
    np.testing.assert_array_equal(derivative(lambda x: np.ones(5))(x), np.zeros(5))
    for f in (np.sum, lambda x: x[1:], lambda x: 3.0):
        with pytest.raises(ValueError, match="use grad or jvp"):
            derivative(f)(x)


def test_derivative_of_a_curve():
    curve = derivative(lambda t: np.stack([np.cos(t), np.sin(t), 1.0]))
    np.testing.assert_allclose(curve(0.3), [-np.sin(0.3), np.cos(0.3), 0.0], rtol=1e-15)


def test_the_jacobian_of_a_matrix_in_a_number_keeps_its_axes():
    A = np.arange(24.0).reshape(2, 3, 4)
    for jacobian in (jacfwd, jacrev):
        np.testing.assert_allclose(jacobian(lambda s: s**3 * A)(2.0), 12 * A, rtol=1e-14)
        np.testing.assert_allclose(jacobian(jacobian(lambda s: s**3 * A))(2.0), 12 * A, rtol=1e-14)


def rosenbrock(x):
    return sum(100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2 for i in range(len(x) - 1))


def rosenbrock_arrays(x, np=np):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


@given(st.lists(numbers, min_size=2, max_size=5))
def test_gradients_agree_with_autograd(x):
    want = autograd.grad(lambda x: rosenbrock_arrays(x, anp))(np.array(x))
    for f in (rosenbrock, rosenbrock_arrays):
        np.testing.assert_allclose(grad(f)(x), want, rtol=1e-12, atol=1e-10)
    value, gradient = value_and_grad(rosenbrock)(x)
    assert value == pytest.approx(rosenbrock(x), rel=1e-14) and type(value) is float
    np.testing.assert_array_equal(gradient, grad(rosenbrock)(x))


def test_the_gradient_has_the_shape_of_x():
    x = np.arange(6.0).reshape(2, 3)
    np.testing.assert_allclose(grad(lambda x: np.sum(x * x))(x), 2 * x)
    assert grad(lambda x: x * x)(3) == 6.0
    assert type(grad(lambda x: x * x)(3)) is float
    assert grad(lambda x: np.sum(x))(np.ones((0,))).shape == (0,)


def test_jvp_takes_one_direction_or_many():
    f = lambda x: np.stack([x[0] * x[1], np.sin(x[0]), 2.0])  # noqa: E731
    x = [3.0, 4.0]
    jacobian = np.array([[4.0, 3.0], [np.cos(3.0), 0.0], [0.0, 0.0]])
    value, tangent = jvp(f, x, [0.5, -2.0])
    np.testing.assert_allclose(value, [12.0, np.sin(3.0), 2.0])
    np.testing.assert_allclose(tangent, jacobian @ [0.5, -2.0])
    np.testing.assert_allclose(jvp(f, x, np.eye(2))[1], jacobian.T)
    with pytest.raises(ValueError, match="last axes of the tangent"):
        jvp(f, x, 1.0)


def test_the_function_is_evaluated_once():
    calls = []

    def f(x):
        calls.append(x)
        return np.sum(x * x)
    grad(f)([1.0, 2.0, 3.0])
    assert len(calls) == 1


@pytest.mark.parametrize("x", [2, 2.0, np.int32(2), np.float32(2), np.array(2), np.float64(2)])
def test_every_kind_of_number_is_taken_as_a_float(x):
    slope = derivative(lambda x: x**3)(x)
    assert slope == 12.0 and type(slope) is float


def test_whole_numbers_in_arrays_are_taken_as_floats():
    for x in ([1, 2], np.array([1, 2]), np.array([1, 2], dtype=np.float32)):
        gradient = grad(lambda x: x[0] / x[1])(x)
        assert gradient.dtype == np.float64
        np.testing.assert_allclose(gradient, [0.5, -0.25])


def test_a_function_that_ignores_x_has_derivative_0():
    assert derivative(lambda x: 5)(2.0) == 0.0
    assert derivative(lambda x: derivative(lambda y: x)(1.0))(2.0) == 0.0
    assert grad(lambda x: 1.0)([1.0, 2.0]).tolist() == [0.0, 0.0]
    assert jvp(lambda x: np.ones(3), 1.0, 1.0)[1].tolist() == [0.0, 0.0, 0.0]
    assert derivative(np.floor)(1.5) == 0.0


def test_results_belong_to_the_caller():
    weights = np.ones(3)
    for gradient in (grad(lambda x: np.sum(x * weights))(np.zeros(3)),
                     grad(lambda x: np.sum(x))(np.zeros(3)),
                     jvp(lambda x: weights, 1.0, 1.0)[0],
                     jvp(lambda x: x + weights, 1.0, 1.0)[1]):
        gradient += 7.0
    assert weights.tolist() == [1.0, 1.0, 1.0]


def test_the_returned_function_keeps_its_name():
    assert derivative(rosenbrock).__name__ == "rosenbrock"


@pytest.mark.parametrize("call, error, words", [
    (lambda: grad(lambda x: x)([1.0, 2.0]), ValueError, "single number.*use jacrev"),
    (lambda: grad(lambda x: np.ones(2))([1.0, 2.0]), ValueError, "single number"),
    (lambda: derivative(lambda x: None)(1.0), TypeError, "result of f.*NoneType"),
    (lambda: jacfwd(lambda x: [x, x])(1.0), TypeError, "np.stack"),
    (lambda: jacrev(lambda x: (x, x))(1.0), TypeError, "np.stack"),
    (lambda: derivative(np.sin)(1j), TypeError, "x is complex"),
    (lambda: derivative(np.sin)("1"), TypeError, "x should be a real number"),
    (lambda: derivative(np.sin)(True), TypeError, "x should be a real number"),
    (lambda: grad(np.sum)([1.0, 2j]), TypeError, "x is complex"),
    (lambda: jvp(np.sin, 1.0, 1j), TypeError, "tangent is complex"),
    (lambda: derivative(lambda x: 1j)(1.0), TypeError, "result of f is complex"),
    (lambda: derivative(lambda x: Dual(x, 1.0))(1.0), TypeError, "by hand"),
])
def test_errors_say_what_is_wrong(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_the_package_offers_these_names():
    for name in ("Dual", "derivative", "grad", "jvp", "value_and_grad"):
        assert getattr(gradem, name).__doc__


@pytest.mark.parametrize("module", [dual, derivatives])
def test_the_examples_of_the_docstrings(module):
    results = doctest.testmod(module)
    assert results.attempted and not results.failed
