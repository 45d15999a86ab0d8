"""Checkpointing: the same derivatives, less memory, and as few steps as any schedule."""

import tracemalloc
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradem import check_grads, grad, hessian, jvp
from gradem.checkpoint import checkpoint, iterate, split


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


@cache
def ours(n, snapshots):
    if n <= 1:
        return 0
    if snapshots == 0:
        return n * (n - 1) // 2
    first = split(n, snapshots)
    return first + ours(n - first, snapshots - 1) + ours(first, snapshots)


@given(st.integers(1, 90), st.integers(0, 7))
def test_no_schedule_computes_fewer_steps(n, snapshots):
    assert ours(n, snapshots) == least(n, snapshots)


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
        gradient = grad(f)
        gradient(x)
        tracemalloc.start()
        gradient(x)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most / x.nbytes
    n = 100
    whole = peak(lambda x: np.sum(plain(x, 1.0, 0.5, n)))
    kept = peak(lambda x: np.sum(iterate(step, x, n, 1.0, 0.5, snapshots=6)))
    assert whole > n and kept < n / 4


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


def test_what_is_differentiated_must_be_an_argument():
    for f in (lambda a: iterate(lambda x: x * a, 1.0, 3, snapshots=1),
              lambda a: checkpoint(lambda x: x * a)(a),
              lambda a: checkpoint(lambda x: x * a)(1.0)):
        with pytest.raises(TypeError, match="is none of its arguments: make it an argument"):
            grad(f)(2.0)
    with pytest.raises(ValueError, match="must not be negative"):
        iterate(np.sin, 1.0, -1, snapshots=1)
