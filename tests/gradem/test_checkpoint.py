"""Checkpointing: the same derivatives, less memory, and as few steps as any schedule."""

import tracemalloc
from functools import cache
from math import comb

import jax
import jax.numpy
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradem import check_grads, grad, hessian, jacfwd, jacrev, jvp, vjp
from gradem.checkpoint import checkpoint, iterate, schedule

jax.config.update("jax_enable_x64", True)


def step(x, rate, direction):
    return x + 0.05 * rate * np.sin(x + direction)


def plain(x, rate, direction, n):
    for _ in range(n):
        x = step(x, rate, direction)
    return x


X, DIRECTION = np.linspace(0.0, 1.0, 5), np.array([0.3, -0.1, 0.2, 0.0, 1.0])


@pytest.mark.parametrize("snapshots", [0, 1, 3, 50])
@pytest.mark.parametrize("n", [0, 1, 2, 37])
def test_gradients_are_those_of_the_plain_iteration(n, snapshots):
    def kept(x, rate, direction):
        return np.sum(iterate(step, x, n, rate, direction, snapshots=snapshots) ** 2)

    def whole(x, rate, direction):
        return np.sum(plain(x, rate, direction, n) ** 2)
    got = grad(kept, (0, 1, 2))(X, 2.0, DIRECTION)
    want = grad(whole, (0, 1, 2))(X, 2.0, DIRECTION)
    for a, b in zip(got, want):
        np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-15)


def test_second_derivatives_and_forward_mode():
    def f(rate):
        return np.sum(iterate(step, X, 12, rate, DIRECTION, snapshots=2) ** 2)

    def whole(rate):
        return np.sum(plain(X, rate, DIRECTION, 12) ** 2)
    assert hessian(f)(2.0) == pytest.approx(hessian(whole)(2.0), rel=1e-12)
    assert jvp(f, 2.0, 1.0)[1] == pytest.approx(grad(whole)(2.0), rel=1e-13)
    check_grads(lambda x, rate: iterate(step, x, 6, rate, DIRECTION, snapshots=1), (X, 2.0))


@cache
def least(n, snapshots):
    """The fewest steps that any schedule computes besides the recorded ones, by search."""
    if n <= 1:
        return 0
    if snapshots == 0:
        return n * (n - 1) // 2
    return min(first + least(n - first, snapshots - 1) + least(first, snapshots)
               for first in range(1, n))


def theory(n, snapshots):
    """The same by Griewank & Walther's formula, t = r n - binom(s + r, s + 1)."""
    s = snapshots + 1
    r = next(r for r in range(n + 1) if comb(s + r, s) >= n)
    return r * n - comb(s + r, s + 1)


def computed(n, snapshots):
    """Follow the schedule with what is allowed; return how many steps it computes."""
    kept, steps, reversed_steps, at = {0}, 0, [], None
    for action, k in schedule(n, snapshots):
        if action == "restore":
            assert k in kept
            at = k
        elif action == "advance":
            assert k > at
            steps, at = steps + k - at, k
        elif action == "store":
            assert at == k
            kept.add(k)
            assert len(kept) <= snapshots + 1
        else:
            assert (action, k) == ("reverse", at)
            reversed_steps.append(k)
            kept.discard(k)
    assert reversed_steps == list(range(n))[::-1]
    return steps


@given(st.integers(1, 90), st.integers(0, 7))
def test_no_schedule_computes_fewer_steps(n, snapshots):
    assert computed(n, snapshots) == least(n, snapshots) == theory(n, snapshots)


@pytest.mark.parametrize("n, snapshots", [(1000, 2), (2002, 4), (2003, 4), (3000, 3000)])
def test_long_schedules_compute_what_theory_says(n, snapshots):
    assert computed(n, snapshots) == theory(n, snapshots)


@pytest.mark.parametrize("s, r", [(1, 5), (3, 4), (5, 5)])
def test_so_many_steps_can_be_reversed_with_so_many_repetitions(s, r):
    def repetitions(n):
        """How often the schedule computes the step that it computes most often."""
        times, at = [0] * n, 0
        for action, k in schedule(n, s - 1):
            if action == "advance":
                for i in range(at, k):
                    times[i] += 1
            at = k
        return max(times)
    assert repetitions(comb(s + r, s)) == r
    assert repetitions(comb(s + r, s) + 1) == r + 1


@pytest.mark.parametrize("n, snapshots", [(20, 0), (20, 2), (60, 4)])
def test_the_steps_computed_are_those_of_the_schedule(n, snapshots):
    calls = []

    def counted(x):
        calls.append(1)
        return np.sin(x)
    grad(lambda x: iterate(counted, x, n, snapshots=snapshots))(0.5)
    assert len(calls) == n + least(n, snapshots) + n    # forward, again, and recorded


def test_memory_is_that_of_the_snapshots():
    x = np.ones(20_000)

    def peak(f):
        """The most memory that a gradient takes, in arrays like x."""
        gradient = grad(f)
        gradient(x)
        tracemalloc.start()
        gradient(x)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most / x.nbytes

    def kept(n):
        return peak(lambda x: np.sum(iterate(step, x, n, 1.0, 0.5, snapshots=6)))
    whole = peak(lambda x: np.sum(plain(x, 1.0, 0.5, 100)))
    assert whole > 100 and kept(100) < 25
    assert kept(400) < kept(100) + 1             # it is not the number of steps that counts


def test_checkpoint_of_a_function_of_several_arguments():
    @checkpoint
    def f(x, y):
        """A function."""
        return np.sin(x) * y
    assert f.__doc__ == "A function." and f(1.0, 2.0) == np.sin(1.0) * 2.0
    assert grad(f, (0, 1))(1.0, 2.0) == (np.cos(1.0) * 2.0, np.sin(1.0))
    assert hessian(lambda x: f(x, x))(1.0) == pytest.approx(2 * np.cos(1.0) - np.sin(1.0))
    nested = checkpoint(lambda x: f(f(x, 2.0), x))
    check_grads(nested, (0.7,))


def test_gradients_are_those_of_jax():
    def in_jax(x, rate, direction):
        @jax.checkpoint
        def one(x):
            return x + 0.05 * rate * jax.numpy.sin(x + direction)
        for _ in range(37):
            x = one(x)
        return jax.numpy.sum(x ** 2)

    def kept(x, rate, direction):
        return np.sum(iterate(step, x, 37, rate, direction, snapshots=3) ** 2)
    want = jax.grad(in_jax, (0, 1, 2))(X, 2.0, DIRECTION)
    for a, b in zip(grad(kept, (0, 1, 2))(X, 2.0, DIRECTION), want):
        np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.parametrize("n", [0, 1, 5])
def test_jacobians_of_states_and_parameters(n):
    for kept, whole in [
            (lambda x: iterate(step, x, n, 2.0, DIRECTION, snapshots=1),
             lambda x: plain(x, 2.0, DIRECTION, n)),
            (lambda d: iterate(step, X, n, 2.0, d, snapshots=1),
             lambda d: plain(X, 2.0, d, n))]:
        want = jacfwd(whole)(DIRECTION)
        np.testing.assert_allclose(jacrev(kept)(DIRECTION), want, rtol=1e-13, atol=1e-15)
        np.testing.assert_allclose(jacfwd(kept)(DIRECTION), want, rtol=1e-13, atol=1e-15)


def test_iterations_within_iterations():
    def outer(x, rate):
        return iterate(step, x, 3, rate, DIRECTION, snapshots=1) * rate

    def whole(rate):
        x = X
        for _ in range(4):
            x = plain(x, rate, DIRECTION, 3) * rate
        return np.sum(x)
    assert grad(lambda rate: np.sum(iterate(outer, X, 4, rate, snapshots=1)))(0.9) == (
        pytest.approx(grad(whole)(0.9), rel=1e-13))


def test_mixed_levels():
    f = checkpoint(lambda z, b: z * z * b)
    assert grad(lambda a: grad(lambda x: f(x * a, a))(1.0))(2.0) == pytest.approx(24.0)   # 2 a^3
    assert grad(lambda a: jvp(lambda x: f(x * a, a), 1.0, 1.0)[1])(2.0) == pytest.approx(24.0)


def test_parameters_that_are_not_differentiated_may_be_anything():
    def one(x, rate, times, bounds, way):
        for _ in range(times):
            x = np.clip(rate * x, *bounds)
        return x if way == "up" else -x
    assert grad(lambda x, rate: iterate(one, x, 3, rate, 2, (0.0, np.inf), "up", snapshots=1),
                (0, 1))(1.0, 2.0) == (2.0**6, 6 * 2.0**5)
    limited = grad(lambda hi: iterate(lambda x, hi: 1.5 * np.minimum(x, hi), 1.0, 3, hi,
                                      snapshots=1))
    assert limited(np.inf) == 0.0


def test_nothing_is_remembered_from_one_call_to_the_next():
    scale = 2.0
    f = checkpoint(lambda x: np.sum(scale * x**2))
    x = np.array([1.0, 2.0])
    np.testing.assert_array_equal(grad(f)(x), [4.0, 8.0])
    scale = 5.0
    np.testing.assert_array_equal(grad(f)(x), [10.0, 20.0])
    x[0] = 3.0
    np.testing.assert_array_equal(grad(f)(x), [30.0, 20.0])
    _, pull = vjp(f, x)
    for v in (1.0, 2.0, 1.0):
        np.testing.assert_array_equal(pull(v)[0], [30.0 * v, 20.0 * v])


def test_more_snapshots_than_python_can_recurse():
    assert grad(lambda x: iterate(lambda x: 0.999 * x, x, 3000, snapshots=3000))(1.0) == (
        pytest.approx(0.999**3000, rel=1e-12))


def test_what_is_differentiated_must_be_an_argument():
    for f in (lambda a: iterate(lambda x: x * a, 1.0, 3, snapshots=1),
              lambda a: checkpoint(lambda x: x * a)(a),
              lambda a: checkpoint(lambda x: x * a)(1.0),
              lambda a: iterate(lambda x, p: x * p["a"], 1.0, 3, {"a": a}, snapshots=1),
              lambda a: grad(lambda x: checkpoint(lambda z: z * z * a)(x * a))(1.0)):
        with pytest.raises(TypeError, match="is none of its arguments: make it an argument"):
            grad(f)(2.0)
    with pytest.raises(TypeError, match="returns a tuple, but should return one array"):
        iterate(lambda z: (z[1], z[0]), (1.0, 2.0), 3, snapshots=1)
    with pytest.raises(ValueError, match="must not be negative"):
        iterate(np.sin, 1.0, -1, snapshots=1)
