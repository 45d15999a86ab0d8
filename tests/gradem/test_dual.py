"""Duals: algebra, shapes and seeds, levels, NumPy's protocols, and what is refused."""

import math
import operator

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gradem import Dual, derivative, grad, jvp

numbers = st.floats(-10.0, 10.0).map(lambda x: round(x, 3))
duals = st.builds(Dual, numbers, numbers)


def close(got, want, rtol=1e-12):
    scale = max(1.0, abs(want.value), abs(want.tangent))
    assert got.value == pytest.approx(want.value, rel=rtol, abs=rtol * scale)
    assert got.tangent == pytest.approx(want.tangent, rel=rtol, abs=rtol * scale)


# ---- algebra ----------------------------------------------------------------------------------


@given(duals, duals)
def test_sum_and_difference_act_on_each_part(x, y):
    close(x + y, Dual(x.value + y.value, x.tangent + y.tangent))
    close(x - y, Dual(x.value - y.value, x.tangent - y.tangent))


@given(duals, duals)
def test_products_follow_from_d_squared_0(x, y):
    close(x * y, Dual(x.value * y.value, x.value * y.tangent + x.tangent * y.value))


@given(duals, duals, duals)
def test_ring_laws(x, y, z):
    close(x * y, y * x)
    close((x + y) * z, x * z + y * z, rtol=1e-11)
    close((x + y) * (x - y), x * x - y * y, rtol=1e-11)
    close((x * y) * z, x * (y * z), rtol=1e-11)


@given(duals, duals)
def test_division_undoes_multiplication(x, y):
    assume(abs(y.value) > 0.1)
    close((x / y) * y, x, rtol=1e-10)


@given(numbers, numbers)
def test_duals_are_the_matrices_of_their_multiplication(a, b):
    """a + b d behaves as the matrix [[a, b], [0, a]]: an algebra that was not written here."""
    matrix = np.array([[a, b], [0.0, a]])
    x = Dual(a, b)
    cube = np.linalg.matrix_power(matrix, 3)
    close(x**3, Dual(cube[0, 0], cube[0, 1]), rtol=1e-11)
    polynomial = 2 * cube - matrix + 5 * np.eye(2)
    close(2 * x**3 - x + 5, Dual(polynomial[0, 0], polynomial[0, 1]), rtol=1e-11)


@given(duals, numbers)
def test_constants_are_duals_without_tangent(x, c):
    for operation in (operator.add, operator.sub, operator.mul):
        close(operation(x, c), operation(x, Dual(c, 0.0)))
        close(operation(c, x), operation(Dual(c, 0.0), x))
    assume(abs(c) > 0.1 and abs(x.value) > 0.1)
    close(x / c, x / Dual(c, 0.0))
    close(c / x, Dual(c, 0.0) / x)


@given(duals, duals, numbers, numbers)
def test_the_tangent_is_linear_in_the_seed(x, y, a, b):
    def f(s, t):
        return np.sin(s * t) + s * s - t
    one = f(Dual(x.value, 1.0), Dual(y.value, 0.0)).tangent
    two = f(Dual(x.value, 0.0), Dual(y.value, 1.0)).tangent
    close(f(Dual(x.value, a), Dual(y.value, b)),
          Dual(f(x.value, y.value), a * one + b * two), rtol=1e-11)


@given(duals)
def test_the_chain_rule(x):
    inner = np.sin(x)
    outer = np.exp(inner)
    close(outer, Dual(math.exp(math.sin(x.value)),
                      math.exp(math.sin(x.value)) * math.cos(x.value) * x.tangent))


@pytest.mark.parametrize("left", [3, 3.0, np.float64(3.0), np.int64(3), True])
@pytest.mark.parametrize("operation", [operator.add, operator.sub, operator.mul,
                                       operator.truediv, operator.pow, operator.mod])
def test_reflected_operators_with_every_kind_of_number(operation, left):
    x = Dual(2.0, 5.0)
    for got, a, b in [(operation(left, x), float(left), x), (operation(x, left), x, float(left))]:
        want = operation(a, b)
        assert type(got) is Dual
        assert (got.value, got.tangent) == (want.value, want.tangent)


def test_reflected_results_by_hand():
    x = Dual(2.0, 5.0)
    for got, want in [(3 - x, (1.0, -5.0)), (3 / x, (1.5, -3.75)), (3 + x, (5.0, 5.0)),
                      (3 * x, (6.0, 15.0)), (2**x, (4.0, 4 * math.log(2) * 5)),
                      (7 % x, (1.0, -15.0)), (-x, (-2.0, -5.0)), (abs(-x), (2.0, 5.0)),
                      (+x, (2.0, 5.0)), (x - 3, (-1.0, 5.0))]:
        assert (got.value, got.tangent) == pytest.approx(want, rel=1e-15)
    assert 7 // x == 3 and type(7 // x) is float
    assert x // 2 == 1


def test_whole_numbers_become_floats_and_python_sum_works():
    x = Dual(3, 1)
    assert type(x.value) is float and type(x.tangent) is float
    assert (x / 2).value == 1.5
    total = sum([x, x * x, 1])
    assert (total.value, total.tangent) == (13.0, 7.0)


def test_operations_leave_their_arguments_alone():
    x, y = Dual(3.0, 1.0), Dual(2.0, 4.0)
    z = x
    x += y
    assert (z.value, z.tangent) == (3.0, 1.0)
    assert (y.value, y.tangent) == (2.0, 4.0)
    data = np.array([1.0, 2.0])
    kept = Dual(data, data)
    data[0] = 9.0
    assert kept.value.tolist() == [1.0, 2.0]


# ---- comparisons ------------------------------------------------------------------------------


def test_comparisons_and_truth_look_at_the_value():
    x, y = Dual(2.0, 1.0), Dual(2.0, 7.0)
    assert x == y and x <= y and x >= 2 and not x != 2.0 and not x < y and 3 > x
    assert x != None and not x == "2.0"  # noqa: E711
    assert bool(x) and not Dual(0.0, 1.0)
    assert (Dual([1.0, 3.0], [0.0, 0.0]) > 2).tolist() == [False, True]
    assert (np.array([1.0, 3.0]) < Dual(2.0, 1.0)).tolist() == [True, False]
    assert max([Dual(1.0, 5.0), Dual(2.0, 6.0)]).tangent == 6.0


def test_a_dual_has_no_hash():
    with pytest.raises(TypeError, match="unhashable"):
        {Dual(1.0, 1.0): 1}


def test_it_prints_as_it_is_written():
    assert repr(np.sin(Dual(0.0, 2))) == "Dual(0.0, 2.0)"
    assert repr(Dual([1, 2], [3, 4])) == "Dual(array([1., 2.]), array([3., 4.]))"


# ---- arrays and seeds ---------------------------------------------------------------------------

shapes = hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3)


@given(shapes, st.integers(0, 2), st.randoms(use_true_random=False))
def test_seeds_are_carried_as_if_one_at_a_time(shapes, seed_axes, random):
    rng = np.random.default_rng(random.randrange(2**32))
    seeds = (2, 3)[:seed_axes]
    a, b = (rng.uniform(0.5, 2.0, size=s) for s in shapes.input_shapes)
    u, v = (rng.normal(size=seeds + s) for s in shapes.input_shapes)

    def f(x, y):
        return np.sin(x) * y + y**2 / x - np.maximum(x, y)

    out = f(Dual(a, u), Dual(b, v))
    np.testing.assert_allclose(out.value, f(a, b), rtol=1e-14)
    assert np.shape(out.tangent) == seeds + shapes.result_shape
    for seed in np.ndindex(seeds):
        one = f(Dual(a, u[seed]), Dual(b, v[seed]))
        np.testing.assert_allclose(np.asarray(out.tangent)[seed], one.tangent, rtol=1e-14)


@given(shapes, st.randoms(use_true_random=False))
def test_one_active_argument_broadcasts_like_two(shapes, random):
    rng = np.random.default_rng(random.randrange(2**32))
    a, b = (rng.uniform(0.5, 2.0, size=s) for s in shapes.input_shapes)
    u = rng.normal(size=(2,) + a.shape)
    for operation in (operator.add, operator.sub, operator.mul, operator.truediv, operator.pow):
        alone = operation(Dual(a, u), b)
        both = operation(Dual(a, u), Dual(b, np.zeros((2,) + b.shape)))
        assert np.shape(alone.tangent) == (2,) + np.shape(alone.value)
        np.testing.assert_allclose(alone.tangent, both.tangent, rtol=1e-14)


PROGRAMS = [
    lambda n, x: n.sum(x),
    lambda n, x: n.sum(n.sum(x * x, axis=0) * x[0]),
    lambda n, x: n.sum(n.sum(x, axis=-1, keepdims=True) * x * x),
    lambda n, x: n.sum(n.sum(x, axis=(0, 1)) ** 2),
    lambda n, x: n.mean(x * x) + n.sum(n.mean(x, axis=1) ** 2),
    lambda n, x: n.sum(x[1:, ::2] * x[:-1, 0:3:2]),
    lambda n, x: n.sum(x[..., None] * x[:, None, :]) + x[-1, -1] * x[0][1],
    lambda n, x: n.sum(x[n.array([0, 0, 2])] ** 2) + n.sum(x[n.array([True, False, True])] ** 3),
    lambda n, x: n.sum(n.concatenate([x, x * x, n.ones((1, 3))], axis=0) ** 2),
    lambda n, x: n.sum(n.concatenate([x, n.ones((3, 2))], axis=1) ** 2),
    lambda n, x: n.sum(n.stack([x, 2 * x * x], axis=1) ** 3),
    lambda n, x: n.sum(n.stack([x[0, 0], x[1, 1] ** 2, 3.0]) ** 2),
    lambda n, x: n.sum(n.dot(x, x) ** 2),
    lambda n, x: n.sum((x @ x[0]) * (x[1] @ x)) + x[0] @ x[1],
    lambda n, x: n.sum(n.arange(6.0).reshape(2, 3) @ x @ n.array([1.0, -2.0, 0.5])),
    lambda n, x: n.sum((n.arange(18.0).reshape(2, 3, 3) @ x) ** 2),
    lambda n, x: n.sum(n.where(x > 0.3, x * x, n.sin(x))),
    lambda n, x: n.dot(2.0, x[0, 0]) * n.dot(x[1], x[2]),
]


@pytest.mark.filterwarnings("ignore:Output seems independent of input")
@pytest.mark.parametrize("program", PROGRAMS, ids=range(len(PROGRAMS)))
def test_array_programs_agree_with_autograd_to_second_order(program):
    x = np.random.default_rng(5).normal(size=(3, 3))
    np.testing.assert_allclose(grad(lambda x: program(np, x))(x),
                               autograd.grad(lambda x: program(anp, x))(x), rtol=1e-12, atol=1e-14)
    direction = np.random.default_rng(6).normal(size=(3, 3))

    def slope(n, gradient):
        return lambda x: n.sum(gradient(lambda x: program(n, x))(x) * direction)

    np.testing.assert_allclose(
        grad(slope(np, grad))(x), autograd.grad(slope(anp, autograd.grad))(x),
        rtol=1e-12, atol=1e-13)


def test_polyval_is_horner_on_duals():
    p = [2.0, -1.0, 0.0, 5.0]
    out = np.polyval(p, Dual(1.5, 2.0))
    assert out.value == pytest.approx(np.polyval(p, 1.5))
    assert out.tangent == pytest.approx(2 * np.polyval(np.polyder(p), 1.5))
    np.testing.assert_allclose(grad(lambda p: np.polyval(p, 1.5))(p), 1.5 ** np.arange(3, -1, -1))


def test_shapes_and_their_like():
    x = Dual(np.ones((2, 3)), np.zeros((4, 2, 3)))
    assert (x.shape, x.ndim, x.size, len(x)) == ((2, 3), 2, 6, 2)
    assert (np.shape(x), np.ndim(x), np.size(x)) == ((2, 3), 2, 6)
    assert [row.tangent.shape for row in x] == [(4, 3), (4, 3)]
    assert np.zeros_like(x).tolist() == np.zeros((2, 3)).tolist()
    assert np.ones_like(x).tolist() == np.ones((2, 3)).tolist()
    assert x.sum(axis=0).tangent.shape == (4, 3)
    assert x.mean().tangent.shape == (4,)


# ---- levels -------------------------------------------------------------------------------------


def test_perturbations_are_not_confused():
    D = derivative
    assert D(lambda x: x * D(lambda y: x + y)(1))(1) == 1.0
    assert D(lambda x: D(lambda y: x * y)(2.0))(3.0) == 1.0
    assert D(lambda x: x * D(lambda y: x * y * y)(x))(2.0) == 2 * 3 * 2.0**2
    assert D(lambda x: D(lambda y: D(lambda z: x * y * z)(1.0))(1.0))(1.0) == 1.0


def test_confusing_cases_of_forwarddiff():
    """Gradients in Jacobians, and derivatives of closures, after ForwardDiff.jl's tests."""
    rng = np.random.default_rng(83)
    matrix, x, y = rng.normal(size=(4, 3)), rng.normal(size=3), rng.normal(size=4)
    columns = jvp(lambda x: grad(lambda y: y @ (matrix @ x))(y), x, np.eye(3))[1]
    np.testing.assert_allclose(columns, matrix.T, rtol=1e-14)

    def scaled(v):                                  # 2 |v|^2 v[0], by a closure over v
        return derivative(lambda t: np.sum(v * v) * t * t)(v[0])

    np.testing.assert_allclose(grad(scaled)([1.0, 2.0]), [4 * 1 + 2 * 5, 4 * 1 * 2])

    square = matrix.T @ matrix
    hessian = jvp(grad(lambda z: z @ square @ z / 2), x, np.eye(3))[1]
    np.testing.assert_allclose(hessian, square, rtol=1e-13)
    assert derivative(lambda x: grad(lambda y: x * y[0] * y[1])([2.0, 3.0])[1])(5.0) == 2.0
    mixed = grad(lambda y: derivative(lambda x: x * x * y[0] * y[1])(5.0))([2.0, 3.0])
    np.testing.assert_allclose(mixed, [30.0, 20.0])


def test_a_function_that_keeps_its_argument_does_not_leak_a_level():
    kept = []
    derivative(lambda x: kept.append(x) or x)(1.0)
    assert derivative(lambda x: x * kept[0])(3.0).value == 1.0


def test_duals_made_by_hand_share_a_level_and_nest():
    x, y = Dual(2.0, 1.0), Dual(3.0, 10.0)
    assert x.level == y.level == (x * y).level
    twice = Dual(Dual(2.0, 1.0), Dual(1.0, 0.0))      # second derivative of x**3 at 2
    cube = twice**3
    assert cube.tangent.tangent == 12.0
    thrice = Dual(twice, Dual(Dual(1.0, 0.0), Dual(0.0, 0.0)))
    assert (thrice**3).tangent.tangent.tangent == 6.0
    slope = derivative(lambda t: t * x)(5.0)          # by hand inside a transformation: a constant
    assert (slope.value, slope.tangent) == (2.0, 1.0)
    inside = derivative(lambda t: derivative(lambda s: s * s * Dual(t, 1.0).value)(3.0))(4.0)
    assert inside == 6.0


# ---- refusals -----------------------------------------------------------------------------------

ARRAY = Dual([1.0, 2.0], [1.0, 0.0])
ONE = Dual(1.0, 1.0)


@pytest.mark.parametrize("call, words", [
    (lambda: float(ONE), "np.sin"),
    (lambda: math.sin(ONE), "in place of math's"),
    (lambda: int(ONE), "lose its derivative"),
    (lambda: round(ONE), "lose its derivative"),
    (lambda: complex(ONE), "lose its derivative"),
    (lambda: [1, 2][ONE], "lose its derivative"),
    (lambda: np.array([ONE, ONE]), "np.stack"),
    (lambda: np.asarray(ARRAY), "np.stack"),
    (lambda: np.sum([ONE, ONE]), "np.stack"),
    (lambda: np.sinc(ARRAY), "np.sinc is not among"),
    (lambda: np.linalg.svd(ARRAY), "np.linalg.svd is not among"),
    (lambda: np.frexp(ONE), "np.frexp is not among"),
    (lambda: np.sum(ARRAY, dtype=float), "np.sum of a Dual: got an unexpected.*dtype"),
    (lambda: np.add(ARRAY, 1.0, out=np.ones(2)), "does not take out="),
    (lambda: np.ones(2).__iadd__(ARRAY), "write a = a [+] x"),
    (lambda: np.add.accumulate(ARRAY), "np.sum"),
    (lambda: np.arctan2.reduce(ARRAY), "np.arctan2 is not among"),
    (lambda: ARRAY.__setitem__(0, 1.0), "np.stack"),
    (lambda: ONE[0], "single number"),
    (lambda: Dual(1j, 1.0), "complex"),
    (lambda: Dual(1.0, np.array([1j])), "complex"),
    (lambda: Dual("one", 1.0), "type str"),
    (lambda: Dual(None, 1.0), "NoneType"),
    (lambda: ONE + 1j, "complex"),
    (lambda: np.array([1j]) * ONE, "real numbers"),
    (lambda: np.add(ONE, "one"), "Dual and a str"),
    (lambda: np.where(np.array([True]), ONE, "one"), "np.where of a Dual and a str"),
    (lambda: ONE + "one", "unsupported operand"),
])
def test_what_would_lose_the_tangent_is_refused_in_words(call, words):
    with pytest.raises(TypeError, match=words):
        call()


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"value of shape \(2,\) cannot have a tangent of shape"):
        Dual([1.0, 2.0], 1.0)
    with pytest.raises(ValueError, match="last axes"):
        Dual(np.ones((2, 3)), np.ones((3, 2)))
    with pytest.raises(ValueError, match=r"with \*"):
        ARRAY @ 2.0
