"""Sparse Jacobians and patterns against the dense Jacobians of JAX and autograd."""

import autograd
import autograd.numpy
import jax
import jax.numpy
import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradem import custom_rule, grad, jvp
from gradem.sparse import colour, jacobian, sparsity

jax.config.update("jax_enable_x64", True)


def dense(f, x):
    """The Jacobian by JAX."""
    return numpy.asarray(jax.jacfwd(lambda x: f(x, jax.numpy))(jax.numpy.asarray(x, float)))


def tridiagonal(x, np=numpy):
    padded = np.concatenate([np.zeros(1), x, np.zeros(1)])
    return padded[2:] - 2.0 * x + padded[:-2] + x * (1.0 - x)


def burgers(u, np=numpy):
    """Burgers' equation on a ring of cells: a band of five diagonals, and two corners."""
    flux = u * u / 2.0
    fourth = np.roll(u, 2) - 4.0 * np.roll(u, 1) + 6.0 * u - 4.0 * np.roll(u, -1) + np.roll(u, -2)
    return (np.roll(flux, 1) - np.roll(flux, -1)) / 2.0 - 0.1 * fourth


def arrow(x, np=numpy):
    """The first row, the first column and the diagonal."""
    return np.concatenate([np.sum(x * x, keepdims=True), x[1:] * x[0]])


def wide_row(x, np=numpy):
    """A diagonal above a full row: n columns meet, but two colours do for the rows."""
    return np.concatenate([np.sin(x), np.sum(x, keepdims=True)])


def blocks(x, np=numpy):
    pairs = np.reshape(x, (-1, 2))
    return np.ravel(np.stack([pairs[:, 0] * pairs[:, 1], np.exp(pairs[:, 1])], axis=1))


def grid(x, np=numpy):
    """Neighbours on a square grid of points: five diagonals, some with gaps."""
    side = int(len(x) ** 0.5)
    u = np.pad(np.reshape(x, (side, side)), 1)
    return np.ravel(u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - u[1:-1, 1:-1]**3)


@pytest.mark.parametrize("f, n, by_column, by_row", [
    (lambda x, np: np.sin(x), 8, 1, 1), (tridiagonal, 30, 3, 3), (burgers, 20, 5, 5),
    (arrow, 7, 7, 7), (wide_row, 6, 6, 2), (blocks, 10, 2, 2),
    (lambda x, np: np.diff(x, 2), 20, 3, 3), (lambda x, np: np.cumsum(x * x), 5, 5, 5),
    (lambda x, np: np.exp(x[::3]), 9, 1, 1)])
def test_patterns_colours_and_jacobians(f, n, by_column, by_row):
    x = numpy.linspace(0.2, 0.9, n)
    expected = dense(f, x)
    pattern = sparsity(lambda x: f(x, numpy), x)
    assert pattern.dtype == bool and numpy.array_equal(pattern.toarray(), expected != 0)
    assert colour(pattern).max() + 1 == by_column and colour(pattern.T).max() + 1 == by_row
    J = jacobian(lambda x: f(x, numpy), pattern)(x)
    assert J.nnz == pattern.nnz
    numpy.testing.assert_allclose(J.toarray(), expected, rtol=1e-14, atol=1e-15)


def test_a_grid_of_two_dimensions():
    x = numpy.linspace(0.2, 0.9, 36)
    expected, pattern = dense(grid, x), sparsity(grid, x)
    assert numpy.array_equal(pattern.toarray(), expected != 0)
    assert colour(pattern).max() < 8
    numpy.testing.assert_allclose(jacobian(grid, pattern)(x).toarray(), expected, rtol=1e-14)


# ---- patterns -----------------------------------------------------------------------------------

BAND = numpy.array([[2.0, -1.0, 0.0], [-1.0, 2.0, -1.0], [0.0, -1.0, 2.0]])


@pytest.mark.parametrize("f, expected", [
    (lambda x: x * x, "100 010 001"),                            # zero by accident at this point
    (lambda x: x - x, "100 010 001"),
    (lambda x: np_where(x), "110 111 011"),                      # both sides of a choice
    (lambda x: numpy.maximum(x, x[::-1]), "101 010 101"),
    (lambda x: numpy.max(x, keepdims=True), "111"),
    (lambda x: numpy.abs(x) * (x > 0), "100 010 001"),
    (lambda x: BAND @ x, "110 111 011"),                         # a plain matrix: its zeros count
    (lambda x: x @ BAND, "110 111 011"),
    (lambda x: (BAND @ numpy.diag(x))[1], "100 010 001"),
    (lambda x: numpy.einsum("i,j,j->i", x, x, numpy.array([1.0, -1.0, 0.0])), "110 110 111"),
    (lambda x: numpy.prod(numpy.stack([x[:2], x[1:]]), axis=0), "110 011"),
    (lambda x: numpy.stack([x[0] * x[2], 1.0, x[1]]), "101 000 010"),
    (lambda x: numpy.concatenate([numpy.ones(1), x[:1], x[:1] + x[1:2]]), "000 100 110"),
    (lambda x: x[numpy.array([2, 2, 0])], "001 001 100"),
    (lambda x: numpy.outer(x, x)[0], "100 110 101"),
    (lambda x: numpy.sum(numpy.outer(x, x[:2]), axis=0), "111 111"),
    (lambda x: numpy.linalg.solve(BAND, x), "111 111 111"),
    (lambda x: numpy.sign(x), "000 000 000"),
    (lambda x: numpy.ones(2), "000 000"),
    (lambda x: x + jvp(lambda y: y * x[::-1], x, numpy.ones(3))[1], "101 010 101"),
    (grad(lambda x: numpy.sum(x[1:]**2 * x[:-1])), "010 111 011"),        # a Hessian's
    (grad(lambda x: numpy.sum(numpy.take(x, [0, 0, 2])**3)), "100 000 001"),
])
def test_patterns_do_not_depend_on_values(f, expected):
    """At 0, where derivatives are zero by accident, as at a point where they are not."""
    expected = [[int(entry) for entry in row] for row in expected.split()]
    for x in numpy.zeros(3), numpy.array([0.3, -0.7, 1.1]):
        assert sparsity(f, x).toarray().astype(int).tolist() == expected


def np_where(x):
    return numpy.where(x > 0.5, BAND @ x, x)


def test_a_function_with_a_rule_of_its_own_may_use_all_of_its_argument():
    double = custom_rule(push=lambda v, out, x: 2.0 * v)(lambda x: 2.0 * x)
    assert sparsity(lambda x: double(x[:2]), numpy.ones(3)).toarray().tolist() == [
        [True, True, False]] * 2


def test_a_branch_is_in_the_pattern_of_the_points_that_take_it():
    def f(x):
        return x * x[0] if x[0] > 0 else x
    left, right = sparsity(f, [-1.0, 2.0]), sparsity(f, [1.0, 2.0])
    assert left.toarray().tolist() == [[True, False], [False, True]]
    assert (left + right).toarray().tolist() == [[True, False], [True, True]]


def test_a_pattern_takes_one_evaluation():
    calls = []
    pattern = sparsity(lambda x: calls.append(1) or tridiagonal(x), numpy.zeros(20_000))
    assert len(calls) == 1 and pattern.nnz == 3 * 20_000 - 2


def polynomials(seed):
    """A random system of sparse polynomials, and a point."""
    rng = numpy.random.default_rng(seed)
    m, n = rng.integers(1, 12, size=2)
    monomials = [[(rng.normal(), rng.integers(n, size=rng.integers(1, 4)))
                  for _ in range(rng.integers(4))] for _ in range(m)]

    def f(x, np=numpy):
        return np.stack([sum((c * np.prod(x[factors]) for c, factors in row), start=0.0 * x[0])
                         for row in monomials])
    return f, rng.uniform(0.5, 1.5, n)


@given(st.integers(0, 2**32 - 1))
def test_random_sparse_polynomials(seed):
    f, x = polynomials(seed)
    expected = autograd.jacobian(lambda x: f(x, autograd.numpy))(x)
    pattern = sparsity(f, x)
    assert not numpy.any((expected != 0) & ~pattern.toarray())
    assert numpy.array_equal(pattern.toarray(), sparsity(f, numpy.zeros(len(x))).toarray())
    numpy.testing.assert_allclose(jacobian(f, pattern)(x).toarray(), expected,
                                  rtol=1e-12, atol=1e-13)


# ---- colours ------------------------------------------------------------------------------------


@given(st.integers(0, 2**32 - 1))
def test_columns_of_one_colour_have_no_row_in_common(seed):
    rng = numpy.random.default_rng(seed)
    pattern = rng.uniform(size=rng.integers(1, 12, size=2)) < rng.uniform(0.05, 0.6)
    colours = colour(pattern)
    assert colours.min() == 0
    for c in range(colours.max() + 1):
        assert pattern[:, colours == c].sum(axis=1).max() <= 1
    meetings = (pattern.T.astype(int) @ pattern > 0).sum(axis=1).max()
    assert colours.max() + 1 <= max(1, meetings)


# ---- Jacobians ----------------------------------------------------------------------------------


def test_there_are_as_many_seeds_as_colours_and_one():
    seeds = []

    def f(x):
        seeds.append(x.tangent.shape[0])
        return tridiagonal(x)
    x = numpy.linspace(0.1, 0.9, 500)
    jacobian(f, sparsity(tridiagonal, x))(x)
    assert seeds == [4]                              # three colours, and the check


def test_jacobians_belong_to_the_caller():
    J = jacobian(lambda x: x * (x - 1.0), numpy.eye(3))
    J([0.5, 1.0, 2.0]).eliminate_zeros()             # changes indices in place
    assert J([1.0, 2.0, 3.0]).diagonal().tolist() == [1.0, 3.0, 5.0]


def test_a_pattern_may_repeat_places_and_store_zeros():
    from scipy.sparse import csr_array
    pattern = csr_array(([1, 0, 1, 1, 1], [0, 1, 1, 1, 2], [0, 2, 4, 5]), shape=(3, 3))
    J = jacobian(lambda x: x * x, pattern)([1.0, 2.0, 3.0])
    assert J.nnz == 3 and J.diagonal().tolist() == [2.0, 4.0, 6.0]
    assert pattern.nnz == 5                          # the caller's is left alone


def test_nothing_to_differentiate():
    assert sparsity(numpy.sin, []).shape == (0, 0)
    assert jacobian(numpy.sin, numpy.zeros((0, 0)))([]).shape == (0, 0)
    assert jacobian(lambda x: numpy.ones(2), numpy.zeros((2, 3)))(numpy.ones(3)).nnz == 0


@pytest.mark.parametrize("f, pattern, place", [
    (lambda x: x * x[0], numpy.eye(3), "row 1"),
    # beside a row that is larger by far
    (lambda x: numpy.stack([1e13 * x[0], x[1] + x[0], x[2]]), numpy.eye(3), "row 1"),
    (lambda x: numpy.stack([x[0] + x[1] + x[2], x[2] + x[0]]), [[1, 1, 1], [0, 0, 1]], "column 0"),
])
def test_an_entry_outside_of_the_pattern_is_noticed(f, pattern, place):
    with pytest.raises(ValueError, match=f"not zero outside of the pattern in {place}: make"):
        jacobian(f, pattern)([1.0, 2.0, 3.0])


def test_what_is_no_number_is_returned_and_is_no_entry_outside_of_the_pattern():
    x = [numpy.nan, 1.0, 2.0]
    J = jacobian(tridiagonal, sparsity(tridiagonal, x))(x).toarray()
    assert numpy.isnan(J[0, 0]) and numpy.isfinite(J[1:]).all()


@pytest.mark.parametrize("call, error, words", [
    (lambda: sparsity(numpy.sin, numpy.ones((2, 2))), ValueError, r"shape \(2, 2\): reshape it in"),
    (lambda: sparsity(numpy.sum, numpy.ones(3)), ValueError, r"shape \(\): reshape it with"),
    (lambda: sparsity(lambda x: (x, x), numpy.ones(3)), ValueError, "tuple: join .* np.stack"),
    (lambda: colour(numpy.ones(3)), ValueError, r"a pattern has a row .* shape \(3,\)"),
    (lambda: jacobian(numpy.sin, numpy.ones((2, 2, 2))), ValueError, r"shape \(2, 2, 2\)"),
    (lambda: jacobian(numpy.sin, numpy.eye(3))(numpy.ones(2)), ValueError, "3 columns, but x has"),
    (lambda: jacobian(lambda x: x[:2], numpy.eye(3))(numpy.ones(3)), ValueError, "has 3 rows, but"),
    (lambda: jacobian(lambda x: x[:2], [[1, 1, 1]])(numpy.ones(3)), ValueError, "1 rows, but"),
    (lambda: jacobian(lambda x: x[:, None], numpy.eye(3))(numpy.ones(3)), ValueError, "np.ravel"),
    (lambda: grad(lambda x: jacobian(numpy.sin, numpy.eye(3))(x).sum())(numpy.ones(3)), TypeError,
     "cannot be made of a Var"),
])
def test_what_does_not_fit_is_refused_in_words(call, error, words):
    with pytest.raises(error, match=words):
        call()
