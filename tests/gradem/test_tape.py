"""The tape: what is written on it, what is pulled back, and what memory and errors say."""

import re
import tracemalloc
import warnings

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradem import (
    NoDerivative, check_grads, custom_rule, derivative, grad, hessian, hvp, jacfwd, jacrev, jvp,
    value_and_grad, vjp)
from gradem.tape import MANY, Forgotten, Var, record

numbers = st.floats(-2.0, 2.0)


def lecture(x1, x2):
    return x1 * x2 + np.sin(x1)


# ---- what is written down -----------------------------------------------------------------------


def test_the_tape_is_the_evaluation_trace_of_the_lecture():
    out, tape = record(lecture, 2.0, 5.0)
    assert [(rule.name, parents) for rule, _, _, parents in tape.entries] == [
        ("input", ()), ("input", ()), ("multiply", (0, 1)), ("sin", (0,)), ("add", (2, 3))]
    assert out.value == lecture(2.0, 5.0) and out.index == 4
    assert tape.sweep({4: 1.0}) == [5.0 + np.cos(2.0), 2.0, 1.0, 1.0, 1.0]
    assert repr(out) == f"Var({np.float64(out.value)!r}, w5)"


def test_a_constant_has_no_parent():
    _, tape = record(lambda x: 3.0 * x - 1.0, 2.0)
    assert [parents for *_, parents in tape.entries] == [(), (-1, 0), (1, -1)]


def test_entries_are_dropped_in_the_last_sweep():
    out, tape = record(lecture, 2.0, 5.0)
    assert tape.sweep({out.index: 1.0}, last=True)[:2] == [5.0 + np.cos(2.0), 2.0]
    assert tape.entries[2:] == [None, None, None] and None not in tape.entries[:2]


def test_large_arrays_that_no_pull_looks_at_are_forgotten():
    x = np.linspace(0.1, 1.0, MANY + 1)
    _, tape = record(lambda x: np.sum(np.exp(x) * 2.0 + x), x)
    kept = {rule.name: [type(value) for value in (out, *args)]
            for rule, out, args, _ in tape.entries}
    assert kept["exp"] == [np.ndarray, Forgotten]           # v * out
    assert kept["multiply"] == [Forgotten, Forgotten, float]   # v * y, and y is no variable
    assert kept["add"] == [Forgotten, Forgotten, Forgotten]    # v
    assert kept["sum"][:2] == [np.float64, Forgotten]
    np.testing.assert_allclose(grad(lambda x: np.sum(np.exp(x) * 2.0 + x))(x),
                               2 * np.exp(x) + 1, rtol=1e-14)


def test_the_memory_of_a_gradient_is_that_of_what_is_remembered():
    x = np.ones(100_000)                                    # 0.8 MB

    def shifted(x):
        for _ in range(50):
            x = x + 1.0
        return np.sum(x)

    gradient = grad(shifted)
    gradient(x)
    tracemalloc.start()
    gradient(x)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10 * x.nbytes                             # not 50: a sum remembers nothing


def test_no_reference_cycles_are_left_to_the_collector():
    import gc
    gradient = value_and_grad(lambda x: sum(x[i] * x[i + 1] for i in range(len(x) - 1)))
    gradient(np.arange(5.0))
    gc.collect()
    gc.disable()
    try:
        gradient(np.arange(5.0))
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_a_long_trace_needs_no_deep_recursion():
    def repeated(x):
        for _ in range(20_000):
            x = 1.0001 * x
        return x
    assert grad(repeated)(1.0) == pytest.approx(1.0001**20_000, rel=1e-11)


# ---- vjp ----------------------------------------------------------------------------------------


def test_vjp_pulls_every_adjoint_back_as_often_as_wanted():
    value, pull = vjp(lambda x, y: np.stack([x[0] * y, x[1] + y, 2.0]), [3.0, 4.0], 5.0)
    np.testing.assert_array_equal(value, [15.0, 9.0, 2.0])
    for _ in range(2):
        x_bar, y_bar = pull([1.0, 10.0, 100.0])
        assert x_bar.tolist() == [5.0, 10.0] and y_bar == 13.0 and type(y_bar) is float
    rows, column = pull(np.eye(3))
    assert rows.tolist() == [[5.0, 0.0], [0.0, 1.0], [0.0, 0.0]]
    assert column.tolist() == [3.0, 1.0, 0.0]


def test_vjp_of_several_results():
    def f(p, q):
        return {"product": p * q, "both": (p + q, [np.sin(p)], p)}
    value, pull = vjp(f, 2.0, 3.0)
    assert value["product"] == 6.0 and value["both"][0] == 5.0 and value["both"][2] == 2.0
    p_bar, q_bar = pull({"product": 1.0, "both": (10.0, [100.0], 1000.0)})
    assert p_bar == pytest.approx(3.0 + 10.0 + 100 * np.cos(2.0) + 1000.0)
    assert q_bar == 2.0 + 10.0


def test_a_result_that_is_returned_twice_or_is_an_argument():
    _, pull = vjp(lambda x: (x, x, x * x), 3.0)
    assert pull((1.0, 10.0, 100.0)) == (611.0,)
    assert grad(lambda x: x)(3.0) == 1.0


def test_what_f_ignores_has_adjoint_zero():
    value, pull = vjp(lambda x, y: 7.0, np.ones(3), 2.0)
    assert value == 7.0
    x_bar, y_bar = pull(1.0)
    assert x_bar.tolist() == [0.0, 0.0, 0.0] and y_bar == 0.0
    x_bar, _ = pull(np.ones(4))
    assert x_bar.shape == (4, 3)


@pytest.mark.parametrize("adjoint, words", [
    (np.ones(3), r"result of shape \(2,\) cannot have an adjoint of shape \(3,\)"),
    (1.0, "last axes must be those of the result"),
])
def test_adjoints_that_do_not_fit_are_refused(adjoint, words):
    _, pull = vjp(lambda x: 2 * x, np.ones(2))
    with pytest.raises(ValueError, match=words):
        pull(adjoint)


def test_adjoints_and_tangents_have_the_form_of_what_they_belong_to():
    value, pull = vjp(lambda x: [x[0] * x[1], x[1]], [3.0, 4.0])
    assert value == [12.0, 4.0]
    assert pull([1.0, 0.0])[0].tolist() == [4.0, 3.0] and pull(value)[0].tolist() == [48.0, 40.0]
    for wrong in ([1.0], 1.0, {"a": 1.0}):
        with pytest.raises(ValueError, match="the adjoint should be a list of 2 parts"):
            pull(wrong)
    assert jvp(lambda x: x[0] * x[1], (3.0, 4.0), [1.0, 2.0]) == (12.0, 10.0)
    with pytest.raises(ValueError, match="the tangent should be a dict of 1 parts"):
        jvp(lambda x: x["a"], {"a": 1.0}, {"b": 1.0})


# ---- arguments ----------------------------------------------------------------------------------


def model(parameters, x, *, power=1):
    return np.sum(np.tanh(parameters["layer"][0] @ x + parameters["layer"][1]) ** power
                  * parameters["scale"])


def test_gradients_have_the_form_of_their_argument():
    parameters = {"layer": (np.arange(6.0).reshape(2, 3) / 10, np.array([0.1, 0.2])), "scale": 2.0}
    x = np.array([1.0, -1.0, 0.5])
    value, gradient = value_and_grad(model)(parameters, x, power=2)
    assert value == pytest.approx(model(parameters, x, power=2))
    assert list(gradient) == ["layer", "scale"] and type(gradient["layer"]) is tuple

    def theirs(w, b, s):
        return anp.sum(anp.tanh(anp.dot(w, x) + b) ** 2 * s)
    want = autograd.grad(theirs, (0, 1, 2))(parameters["layer"][0], np.array([0.1, 0.2]), 2.0)
    for got, expected in zip((*gradient["layer"], gradient["scale"]), want):
        np.testing.assert_allclose(got, expected, rtol=1e-12)
    np.testing.assert_allclose(grad(model, argnums=1)(parameters, x, power=2),
                               jacfwd(lambda x: model(parameters, x, power=2))(x), rtol=1e-12)


def test_argnums_choose_the_arguments():
    f = lambda a, b, c: a * b**2 + np.sin(c)  # noqa: E731
    assert grad(f)(3.0, 2.0, 0.0) == 4.0
    assert grad(f, argnums=1)(3.0, 2.0, 0.0) == 12.0
    assert grad(f, argnums=-1)(3.0, 2.0, 0.0) == 1.0
    assert grad(f, argnums=(2, 0))(3.0, 2.0, 0.0) == (1.0, 4.0)
    assert grad(f, argnums=(0,))(3.0, 2.0, 0.0) == (4.0,)
    with pytest.raises(TypeError, match="argnums=3, but there are 3 positional"):
        grad(f, argnums=3)(3.0, 2.0, 0.0)


def test_a_list_of_numbers_is_an_array_and_a_list_of_arrays_is_not():
    assert grad(lambda x: np.sum(x * x))([[1, 2], [3, 4]]).tolist() == [[2.0, 4.0], [6.0, 8.0]]
    gradient = grad(lambda xs: np.sum(xs[0]) * xs[1])([np.ones(2), 3.0])
    assert type(gradient) is list and gradient[0].tolist() == [3.0, 3.0] and gradient[1] == 2.0


def test_results_are_fresh_and_arguments_untouched():
    x = np.array([1.0, 2.0])
    for transformed in (grad(np.sum), jacrev(lambda x: x), jacfwd(lambda x: x),
                        hessian(lambda x: np.sum(x * x))):
        result = transformed(x)
        result += 1.0
    value, pull = vjp(lambda x: x, x)
    value += 1.0
    adjoint = np.ones(2)
    pull(adjoint)[0][:] = 7.0
    assert x.tolist() == [1.0, 2.0] and adjoint.tolist() == [1.0, 1.0]


# ---- second derivatives -------------------------------------------------------------------------


@given(st.lists(numbers, min_size=3, max_size=5))
def test_hessians_and_their_products_agree_with_autograd(x):
    x = np.array(x)

    def f(x, np=np):
        return np.sum(np.sin(x[1:] * x[:-1]) + x[0] * x[1:] ** 3)
    want = autograd.hessian(lambda x: f(x, anp))(x)
    np.testing.assert_allclose(hessian(f)(x), want, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(jacrev(grad(f))(x), want, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(jacrev(jacfwd(f))(x), want, rtol=1e-12, atol=1e-12)
    v = np.arange(1.0, len(x) + 1)
    np.testing.assert_allclose(hvp(f, x, v), want @ v, rtol=1e-12, atol=1e-11)
    np.testing.assert_allclose(hvp(f, x, np.eye(len(x))), want, rtol=1e-12, atol=1e-12)


def test_jacobians_have_the_axes_of_the_result_before_those_of_x():
    x = np.arange(6.0).reshape(2, 3)
    for jacobian in (jacfwd, jacrev):
        assert jacobian(lambda x: x.T @ x)(x).shape == (3, 3, 2, 3)
        assert jacobian(lambda t: np.stack([t, t * t]))(3.0).tolist() == [1.0, 6.0]
        assert jacobian(np.sin)(0.0) == 1.0
        np.testing.assert_allclose(jacobian(np.sum)(x), np.ones((2, 3)))
        assert jacobian(lambda x: np.ones(2))(x).tolist() == np.zeros((2, 2, 3)).tolist()
    np.testing.assert_allclose(jacfwd(lambda x: x.T @ x)(x), jacrev(lambda x: x.T @ x)(x))


# ---- custom rules -------------------------------------------------------------------------------


def test_a_custom_rule_replaces_the_derivative_in_both_modes():
    def slope(v, out, x):
        return v / (1.0 + np.exp(-x))

    @custom_rule(push=slope, pull=slope)
    def softplus(x):
        """log(1 + exp(x))"""
        return np.log1p(np.exp(-np.abs(plain_value(x)))) + max(plain_value(x), 0.0)

    def plain_value(x):
        while hasattr(x, "value"):
            x = x.value
        return x

    assert softplus.__name__ == "softplus" and softplus.__doc__ == "log(1 + exp(x))"
    for x in (-800.0, -1.0, 0.0, 800.0):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "overflow")
            want = 1.0 / (1.0 + np.exp(-x))
            assert softplus(x) == np.logaddexp(0.0, x)
            assert grad(softplus)(x) == derivative(softplus)(x) == want
    second = 1.0 / (2 + 2 * np.cosh(1.0))
    assert derivative(derivative(softplus))(1.0) == pytest.approx(second, rel=1e-14)
    assert grad(grad(softplus))(1.0) == pytest.approx(second, rel=1e-14)


def test_a_custom_rule_of_two_arguments_and_what_is_missing():
    @custom_rule(pull=[lambda v, out, x, y: v * y, None])
    def product(x, y):
        return x * y
    assert product(2.0, 3.0) == 6.0
    assert grad(product)(2.0, 3.0) == 3.0
    with pytest.raises(TypeError, match="product has no pull for argument 1"):
        grad(product, argnums=1)(2.0, 3.0)
    with pytest.raises(TypeError, match="product has no push for argument 0"):
        jvp(lambda x: product(x, 3.0), 2.0, 1.0)


# ---- errors -------------------------------------------------------------------------------------


def test_a_point_without_a_derivative_names_operation_entry_and_line():
    def distance(x):
        square = np.sum(x * x)
        return np.sqrt(square)  # here
    with pytest.raises(NoDerivative) as caught:
        grad(distance)(np.zeros(2))
    words = str(caught.value)
    assert re.fullmatch(r"sqrt has no derivative at 0: it is real for positive numbers only, and "
                        r"its slope is infinite at 0\n  line \d+: return np.sqrt\(square\)  "
                        r"# here\n  entry w4 of the trace", words)


@pytest.mark.parametrize("call, error, words", [
    (lambda: grad(lambda x: float(x))(1.0), TypeError, "a Var cannot become a float"),
    (lambda: grad(lambda x: np.array([x, x])[0])(1.0), TypeError, "np.stack"),
    (lambda: grad(lambda x: np.frexp(x)[0])(1.0), TypeError, "np.frexp is not among"),
    (lambda: grad(lambda x: np.linalg.svd(x)[1][0])(np.eye(2)), TypeError, "np.linalg.svd is not"),
    (lambda: grad(lambda x: np.sum(x, where=[True]))(np.ones(1)), TypeError,
     "np.sum of a Var: got an unexpected.*where"),
    (lambda: grad(lambda x: x * 1j)(1.0), TypeError, "complex"),
    (lambda: grad(lambda x: x * np.array([1j]))(1.0), TypeError, "np.multiply of a Var"),
    (lambda: grad(lambda x: x.__setitem__(0, 1.0))(np.ones(2)), TypeError, "cannot be assigned"),
    (lambda: grad(lambda x: x[0])(1.0), TypeError, "a Var of a single number has no entries"),
    (lambda: grad(lambda x: x[0][0])(np.ones(2)), TypeError, "a Var of a single number has no"),
    (lambda: grad(lambda x: x[2])(np.ones(2)), IndexError, "out of bounds"),
    (lambda: grad(lambda a, b: a * b, [0, 1])(1.0, 2.0), TypeError, "or a tuple of them"),
    (lambda: grad(lambda a, b: a * b, (0, 1.0))(1.0, 2.0), TypeError, "argnums=.* whole number"),
    (lambda: grad(lambda x: np.einsum(x, [0]))(np.ones(2)), TypeError, "indices as text"),
    (lambda: grad(lambda x: 2 * x)(np.ones(2)), ValueError, r"shape \(2,\): use jacrev"),
    (lambda: grad(lambda x: (x, x))(1.0), ValueError, "is a tuple: use jacrev"),
    (lambda: grad(lambda x: None)(1.0), TypeError, "result of f.*NoneType"),
    (lambda: grad(np.sin)(1j), TypeError, "x is complex"),
    (lambda: grad(np.sin)("1"), TypeError, "x should be a real number"),
])
def test_errors_say_what_is_wrong(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_a_variable_behaves_like_its_value():
    seen = []

    def f(x):
        seen.append((x.shape, x.ndim, x.size, len(x), x.dtype, bool(x[0] > 1), type(x[0] > 1)))
        return np.sum(x)
    grad(f)(np.array([2.0, 3.0]))
    assert seen == [((2,), 1, 2, 2, np.dtype(float), True, np.bool_)]
    with pytest.raises(TypeError, match="unhashable"):
        grad(lambda x: {x: 1}[x])(1.0)


def test_a_variable_of_a_finished_trace_is_a_constant_elsewhere():
    kept = []
    grad(lambda x: kept.append(x) or x * x)(3.0)
    assert isinstance(kept[0], Var)
    assert derivative(lambda y: y * y)(2.0) == 4.0


# ---- check_grads --------------------------------------------------------------------------------


def test_check_grads_passes_what_is_right_and_names_what_is_wrong():
    check_grads(lambda a, b: np.sum(np.sin(a) * b), (np.linspace(0, 1, 4), 2.0), order=3)
    check_grads(lambda p: (p["a"] * p["b"], p["b"]), ({"a": 2.0, "b": np.ones(2)},))
    wrong = custom_rule(push=lambda v, out, x: v * np.cos(x), pull=lambda v, out, x: v * 2.0)(np.sin)
    check_grads(wrong, (0.5,), order=1, modes=("fwd",))
    with pytest.raises(AssertionError, match="in reverse mode: along a random direction it is"):
        check_grads(wrong, (0.5,), order=1)
    second = custom_rule(push=lambda v, out, x: v * np.cos(float_of(x)),
                         pull=lambda v, out, x: v * np.cos(float_of(x)))(np.sin)
    with pytest.raises(AssertionError, match="derivative in"):
        check_grads(second, (0.5,), order=2)


def test_check_grads_finds_a_wrong_slope_of_a_large_value():
    check_grads(lambda x: 1e6 + np.sum(np.sin(x)), (np.linspace(0, 1, 4),))
    wrong = custom_rule(push=lambda v, out, x: v * 1.1 * np.cos(x),
                        pull=lambda v, out, x: v * 1.1 * np.cos(x))(lambda x: 1e6 + np.sin(x))
    with pytest.raises(AssertionError, match="derivative in forward mode"):
        check_grads(wrong, (0.5,), order=1)


def float_of(x):
    """The number inside: what is computed from it is not differentiated again."""
    while hasattr(x, "value"):
        x = x.value
    return x
