"""Sparse Jacobians from few directions: columns that never meet share a seed.

If two columns of a Jacobian have no row in common, one direction that is the sum of both gives
both: each number of the result belongs to one of them only (Curtis, Powell & Reid 1974). To
give each column a colour, so that columns of one colour never meet, is to colour a graph. The
number of directions is the number of colours: for a banded Jacobian the width of the band, no
matter how large it is (Gebremedhin, Manne & Pothen 2005; Griewank & Walther 2008, chapter 8).
Rows are coloured in the same way, and then reverse mode takes the place of forward mode.
"""

import numpy as np

from gradem.derivatives import jvp, vjp
from gradem.traced import real

#: Columns of the Jacobian that are computed at once to see where it is not zero.
COLUMNS = 64


def sparsity(f, *points):
    """Where the Jacobian of f is not zero at one of the given points.

    All columns are computed once at each point, which costs as many evaluations of f as x has
    entries: the pattern is worth it if Jacobians are needed often. An entry may be zero at a
    point by accident (x**2 at 0) or in one branch only, so give points that are like those to
    come, not special ones. What is missed is found by `jacobian`, which checks.

    Parameters
    ----------
    f : callable
        Takes an array of shape (n,) and returns one of shape (m,).
    points : array_like, shape (n,)
        One point or more.

    Returns
    -------
    scipy.sparse.csr_array of bool, shape (m, n)
    """
    from scipy.sparse import csr_array
    if not points:
        raise TypeError("sparsity needs a point to look at: sparsity(f, x)")
    pattern = None
    for x in map(_vector, points):
        columns = []
        for start in range(0, len(x), COLUMNS):
            seeds = np.eye(len(x))[start:start + COLUMNS]
            columns.append(csr_array(_tangents(f, x, seeds) != 0))
        found = _stacked(columns)
        pattern = found if pattern is None else pattern + found
    return csr_array(pattern.T)


def colour(pattern):
    """Colours for the columns of a pattern: columns of one colour have no row in common.

    Greedy: each column in turn gets the first colour that none of those it meets has. The
    least number of colours is NP-hard to find; greedy needs at most one more than the largest
    number of columns that a column meets, and for a band exactly its width.

    Parameters
    ----------
    pattern : sparse array or array_like, shape (m, n)

    Returns
    -------
    ndarray of int, shape (n,)
        Colours 0, 1, 2, ...
    """
    from scipy.sparse import csc_array, csr_array
    by_row, by_column = csr_array(pattern), csc_array(pattern)
    colours = np.full(by_column.shape[1], -1)
    for j in range(len(colours)):
        rows = by_column.indices[by_column.indptr[j]:by_column.indptr[j + 1]]
        meets = np.concatenate([by_row.indices[by_row.indptr[i]:by_row.indptr[i + 1]]
                                for i in rows] or [[]]).astype(int)
        taken = set(colours[meets].tolist())
        colours[j] = next(c for c in range(len(colours)) if c not in taken)
    return colours


def jacobian(f, pattern):
    """The Jacobian of f as a sparse array, from one evaluation with a seed for each colour.

    Columns are coloured, and rows; the fewer colours decide between forward and reverse mode.
    One more seed, drawn at random, checks each result: the product with it must be the same.

    Parameters
    ----------
    f : callable
        Takes an array of shape (n,) and returns one of shape (m,).
    pattern : sparse array or array_like, shape (m, n)
        Where the Jacobian may differ from zero; see `sparsity`.

    Returns
    -------
    callable
        The function x -> J, a scipy.sparse.csr_array of shape (m, n).

    Raises
    ------
    ValueError
        By the function returned, if x or f(x) does not have the length that the pattern calls
        for, or the Jacobian is not zero outside of the pattern.
    """
    from scipy.sparse import csr_array
    pattern = csr_array(pattern, dtype=bool)
    rows, columns = pattern.nonzero()
    m, n = pattern.shape
    of_columns, of_rows = colour(pattern), colour(pattern.T)
    forward = of_columns.max(initial=0) <= of_rows.max(initial=0)
    colours, others = (of_columns, rows) if forward else (of_rows, columns)
    own = columns if forward else rows
    seeds = np.zeros((colours.max(initial=0) + 2, len(colours)))
    seeds[colours, np.arange(len(colours))] = 1.0
    rng = np.random.default_rng(0)
    seeds[-1] = rng.uniform(1.0, 2.0, len(colours))
    weights = rng.uniform(1.0, 2.0, m if forward else n)
    check = seeds[-1, own] * weights[others]
    places = colours[own] * len(weights) + others      # in the compressed Jacobian, flattened

    def sparse_jacobian(x):
        x = _vector(x)
        if len(x) != n:
            raise ValueError(f"the pattern has {n} columns, but x has {len(x)} entries")
        compressed = _tangents(f, x, seeds) if forward else _adjoints(f, x, seeds)
        if compressed.shape[1] != len(weights):
            raise ValueError(f"the pattern has {m} rows, but f(x) has {compressed.shape[1]}")
        entries = np.take(compressed, places)
        product, size = entries @ check, np.abs(entries) @ check
        if not abs(product - compressed[-1] @ weights) <= 1e-10 * size:
            raise ValueError("the Jacobian is not zero outside of the pattern: make the pattern "
                             f"with a point like x = {x}")
        return csr_array((entries, pattern.indices, pattern.indptr), shape=(m, n))
    return sparse_jacobian


def _tangents(f, x, seeds):
    value, tangents = jvp(f, x, seeds)
    return _of_vector(value, tangents)


def _adjoints(f, x, seeds):
    value, pull = vjp(f, x)
    if np.shape(value) != seeds.shape[1:]:
        raise ValueError(f"the pattern has {seeds.shape[1]} rows, but f(x) has shape "
                         f"{np.shape(value)}")
    return pull(seeds)[0]


def _of_vector(value, tangents):
    if np.ndim(value) != 1:
        raise ValueError(f"a sparse Jacobian needs f to return a vector, but f(x) has shape "
                         f"{np.shape(value)}: reshape it with np.ravel")
    return tangents


def _vector(x):
    x = real(x, "x")
    if np.ndim(x) != 1:
        raise ValueError(f"a sparse Jacobian needs a vector x, but it has shape {np.shape(x)}: "
                         "reshape it in f")
    return x


def _stacked(columns):
    from scipy.sparse import vstack
    return vstack(columns, format="csr")
