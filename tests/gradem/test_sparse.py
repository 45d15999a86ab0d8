"""Coloured Jacobians against dense ones, and colourings against what a colouring is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradem import jacfwd, jvp
from gradem.sparse import colour, jacobian, sparsity


def tridiagonal(x):
    padded = np.concatenate([np.zeros(1), x, np.zeros(1)])
    return padded[2:] - 2.0 * x + padded[:-2] + x * (1.0 - x)


def arrow(x):
    """The first row and the first column are full."""
    return np.concatenate([np.sum(x * x, keepdims=True), x[1:] * x[0]])


def tall(x):
    """Rows that use one entry each, and one that uses all: best by rows."""
    return np.concatenate([np.sin(x), np.sum(x, keepdims=True)])


def blocks(x):
    pairs = np.reshape(x, (-1, 2))
    return np.ravel(np.stack([pairs[:, 0] * pairs[:, 1], np.exp(pairs[:, 1])], axis=1))


@pytest.mark.parametrize("f, n, by_column, by_row", [
    (tridiagonal, 30, 3, 3), (np.sin, 8, 1, 1), (arrow, 7, 7, 7), (blocks, 10, 2, 2),
    (tall, 6, 6, 2), (lambda x: np.diff(x, 2), 20, 3, 3)])
def test_patterns_colours_and_jacobians(f, n, by_column, by_row):
    x = np.linspace(0.2, 0.9, n)
    dense = jacfwd(f)(x)
    pattern = sparsity(f, x)
    assert np.array_equal(pattern.toarray(), dense != 0)
    assert colour(pattern).max() + 1 == by_column and colour(pattern.T).max() + 1 == by_row
    J = jacobian(f, pattern)(x + 0.1)
    assert J.nnz == pattern.nnz
    np.testing.assert_allclose(J.toarray(), jacfwd(f)(x + 0.1), rtol=1e-14, atol=1e-15)


def random_pattern(seed):
    rng = np.random.default_rng(seed)
    m, n = rng.integers(1, 12, size=2)
    return rng.uniform(size=(m, n)) < rng.uniform(0.05, 0.6)


@given(st.integers(0, 2**32 - 1))
def test_columns_of_one_colour_have_no_row_in_common(seed):
    pattern = random_pattern(seed)
    colours = colour(pattern)
    for c in range(colours.max() + 1):
        assert pattern[:, colours == c].sum(axis=1).max() <= 1
    meetings = (pattern.T.astype(int) @ pattern > 0).sum(axis=1).max()
    assert colours.max() + 1 <= max(1, meetings)


@given(st.integers(0, 2**32 - 1))
def test_the_jacobian_of_a_random_sparse_system(seed):
    pattern = random_pattern(seed)
    weights = pattern * np.random.default_rng(seed).normal(size=pattern.shape)

    def f(x):
        return np.sum(weights * np.sin(x * (1.0 + weights)), axis=1)
    x = np.linspace(0.3, 1.1, pattern.shape[1])
    np.testing.assert_allclose(jacobian(f, pattern)(x).toarray(), jacfwd(f)(x),
                               rtol=1e-12, atol=1e-13)


def test_the_number_of_evaluations_is_that_of_colours_not_of_columns():
    seeds = []

    def f(x):
        seeds.append(x.tangent.shape[0])
        return tridiagonal(x)
    pattern = sparsity(tridiagonal, np.linspace(0.1, 0.9, 500))
    jacobian(f, pattern)(np.linspace(0.1, 0.9, 500))
    assert seeds == [4]                              # three colours, and the check


def test_a_pattern_from_several_points_has_the_entries_of_all():
    def f(x):
        return np.where(x > 0, x * x[::-1], x)
    left, right = sparsity(f, [-1.0, -2.0]), sparsity(f, [1.0, 2.0])
    both = sparsity(f, [-1.0, -2.0], [1.0, 2.0])
    assert np.array_equal(both.toarray(), left.toarray() | right.toarray())


def test_an_entry_outside_of_the_pattern_is_noticed():
    f = jacobian(lambda x: x * x[0], np.eye(3))
    with pytest.raises(ValueError, match="not zero outside of the pattern: make the pattern with"):
        f([1.0, 2.0, 3.0])


@pytest.mark.parametrize("call, error, words", [
    (lambda: sparsity(np.sin), TypeError, "needs a point"),
    (lambda: sparsity(np.sin, np.ones((2, 2))), ValueError, r"shape \(2, 2\): reshape it in f"),
    (lambda: sparsity(np.sum, np.ones(3)), ValueError, "np.ravel"),
    (lambda: jacobian(np.sin, np.eye(3))(np.ones(2)), ValueError, "3 columns, but x has 2"),
    (lambda: jacobian(lambda x: x[:2], np.eye(3))(np.ones(3)), ValueError, "has 3 rows, but"),
])
def test_what_does_not_fit_is_refused_in_words(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_the_product_with_a_vector_is_that_of_forward_mode():
    x = np.linspace(0.1, 0.9, 40)
    J = jacobian(tridiagonal, sparsity(tridiagonal, x))(x)
    v = np.sin(np.arange(40.0))
    np.testing.assert_allclose(J @ v, jvp(tridiagonal, x, v)[1], rtol=1e-12, atol=1e-14)
