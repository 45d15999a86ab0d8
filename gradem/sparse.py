"""Sparse Jacobians from few directions: columns that never meet share a seed.

If two columns of a Jacobian have no row in common, one direction that is the sum of both gives
both: each number of the result belongs to one of them only (Curtis, Powell & Reid 1974). To
give each column a colour, so that columns of one colour never meet, is to colour a graph. The
number of directions is the number of colours: for a banded Jacobian the width of the band, no
matter how large it is (Gebremedhin, Manne & Pothen 2005; Griewank & Walther 2008, chapter 8).
Rows are coloured in the same way, and then reverse mode takes the place of forward mode.

`sparsity` finds where the Jacobian can differ from zero, `colour` gives the colours, and
`jacobian` does all the rest.
"""

from itertools import count

import numpy as np

from gradem.arrays import (
    BROADCAST, CONCATENATE, CUMSUM, DOT, EINSUM, MATMUL, MATVEC, MAX, MIN, PROD, RESHAPE, STACK,
    SUM, TRANSPOSE)
from gradem.derivatives import jvp, vjp
from gradem.dual import pushed
from gradem.indexing import GETITEM, PUT, SCATTER, TAKE, positions_of
from gradem.rules import Elementwise
from gradem.shapes import ndim, restored, shape, size, spread
from gradem.traced import Traced, apply, new_level, real

# ---- the pattern --------------------------------------------------------------------------------

# Each entry of the result is an entry of an argument, or a constant.
MOVES = frozenset({GETITEM, SCATTER, TAKE, RESHAPE, TRANSPOSE, BROADCAST, CONCATENATE, STACK})

# Each entry of the result comes from the entries along some axes.
REDUCTIONS = frozenset({SUM, MAX, MIN})

# Each entry of the result is a sum of products of entries.
PRODUCTS = frozenset({CUMSUM, PROD, DOT, MATVEC, MATMUL, EINSUM, PUT})

#: Directions that are pushed at once through a rule of `PRODUCTS`.
SEEDS = 64

#: What a product with the Jacobian may be off by, relative to the sizes of its terms.
ROUNDING = 1e-8


def sparsity(f, x):
    """Where the Jacobian of f can differ from zero.

    One evaluation of f, in which each entry of each array carries the set of those entries of x
    that it was computed from (Griewank & Walther 2008, chapter 7: index domains). Values play
    no part in it. So no entry is left out because it happens to be zero at x (x**2 at 0), and
    both sides of `np.where`, `np.maximum` and the like are in the pattern. What the values
    decide is which branch of a Python ``if`` is taken, and where `np.sort`, `np.median` or an
    index computed from x lead: for such a function take the union of the patterns at several
    points, ``sparsity(f, a) + sparsity(f, b)``.

    The pattern may be larger than need be. A product with a plain array counts also where that
    is zero, as in ``x * (x > 0)``; only the zeros of a plain matrix A in ``A @ x`` are seen. In
    linear algebra, and in a function with a rule of its own, each entry of the result counts
    as computed from all that went in.

    Parameters
    ----------
    f : callable
        Takes an array of shape (n,) and returns one of shape (m,).
    x : array_like, shape (n,)
        A point.

    Returns
    -------
    scipy.sparse.csr_array of bool, shape (m, n)

    Raises
    ------
    ValueError
        If x or f(x) is no vector.

    Examples
    --------
    >>> sparsity(lambda x: x[1:] * x[:-1], [0.0, 0.0, 0.0]).toarray()
    array([[ True,  True, False],
           [False,  True,  True]])
    """
    from scipy.sparse import csr_array, eye_array
    x = _vector(x)
    level = new_level()
    out = f(Dependent(x, eye_array(len(x), dtype=bool, format="csr"), level))
    m = _length(out)
    if not (isinstance(out, Dependent) and out.level == level):
        return csr_array((m, len(x)), dtype=bool)
    return _canonical(out.domains)


class Dependent(Traced):
    """A number or array, and the entries of x that each of its entries was computed from.

    Attributes
    ----------
    value : float or ndarray
    domains : scipy.sparse.csr_array of bool, shape (size of value, n)
        A row for each entry of the value, in the order of ``np.ravel``.
    level : int
        The call of `sparsity` that it belongs to; see `gradem.traced`.
    """

    __slots__ = ("value", "domains", "level")

    def __init__(self, value, domains, level):
        self.value, self.domains, self.level = value, domains, level

    def _carry(self, rule, args):
        """One operation: the union of what each argument brings. It is the chain rule, too:
        products of patterns in the place of products of Jacobians."""
        ours = [type(x) is Dependent and x.level == self.level for x in args]
        values = [x.value if mine else x for x, mine in zip(args, ours)]
        out = apply(rule, *values)
        domains = [_local_pattern(rule, i, out, values, ours) @ args[i].domains
                   for i, mine in enumerate(ours) if mine]
        return Dependent(out, sum(domains[1:], start=domains[0]), self.level)


def _local_pattern(rule, i, out, values, ours):
    """Which entries of argument i each entry of the result is computed from, as a matrix."""
    from scipy.sparse import coo_array, csr_array, vstack
    x = values[i]
    form = size(out), size(x)
    if isinstance(rule, Elementwise):
        rows = positions_of(out)
        columns = np.broadcast_to(positions_of(x), shape(out))
    elif rule in MOVES:                      # entries 1, 2, ... are sent through, 0 is a constant
        sources = np.ravel(_push(rule, i, positions_of(x) + 1, out, values)).astype(int)
        rows, = sources.nonzero()
        columns = sources[rows] - 1
    elif rule in REDUCTIONS:
        rows = spread(restored(positions_of(out), out, x, values[1]), x)
        columns = positions_of(x)
    elif rule in PRODUCTS:
        # ones for all that can change, and no sign: then nothing is zero by accident
        values = [np.ones(shape(y)) if mine else abs(y) if isinstance(y, np.ndarray) else y
                  for y, mine in zip(values, ours)]
        found = []
        for start in range(0, size(x), SEEDS):
            seeds = np.eye(min(SEEDS, size(x) - start), size(x), start)
            terms = _push(rule, i, seeds.reshape(-1, *shape(x)), np.ones(shape(out)), values)
            found.append(csr_array(np.reshape(terms, (len(seeds), -1)) != 0))
        return vstack(found, format="csr").T.tocsr()
    else:
        return csr_array(np.ones(form, bool))
    return coo_array((np.ones(np.size(rows), bool), (np.ravel(rows), np.ravel(columns))),
                     shape=form).tocsr()


def _push(rule, i, v, out, values):
    """The push of argument i alone."""
    tangents = [v if j == i else None for j in range(len(values))]
    return (pushed(rule, out, values, tangents) if rule.pushes is None
            else rule.pushes(tangents, out, *values))


# ---- the colours --------------------------------------------------------------------------------


def colour(pattern):
    """Colours for the columns of a pattern: columns of one colour have no row in common.

    Greedy: each column in turn gets the first colour that none of those it meets has. The
    least number of colours is NP-hard to find; greedy needs at most one more than the largest
    number of columns that a column meets, and for a band exactly its width. (Columns that meet
    are two edges apart in the graph that joins each row to its columns, hence "distance-2
    colouring" in Gebremedhin, Manne & Pothen 2005.) ``colour(pattern.T)`` colours the rows.

    Parameters
    ----------
    pattern : sparse array or array_like, shape (m, n)

    Returns
    -------
    ndarray of int, shape (n,)
        Colours 0, 1, 2, ...

    Raises
    ------
    ValueError
        If the pattern is no matrix.

    Examples
    --------
    >>> colour([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]])
    array([0, 1, 0, 1])
    """
    by_row = _canonical(pattern)
    by_column = by_row.tocsc()
    colours = np.full(by_column.shape[1], -1)
    for j in range(len(colours)):
        rows = by_column.indices[by_column.indptr[j]:by_column.indptr[j + 1]]
        taken = set()
        for i in rows:
            taken.update(colours[by_row.indices[by_row.indptr[i]:by_row.indptr[i + 1]]].tolist())
        colours[j] = next(c for c in count() if c not in taken)
    return colours


# ---- the Jacobian -------------------------------------------------------------------------------


def jacobian(f, pattern):
    """The Jacobian of f as a sparse array, from one evaluation with a seed for each colour.

    Columns are coloured, and rows; the fewer colours decide between forward and reverse mode.
    One more seed r, drawn at random, checks each result: J @ r must be the derivative in the
    direction r (in reverse mode r @ J the adjoint). A row with an entry outside of the pattern
    fails, unless that entry is smaller than 1e-8 of the row. Where an entry is infinite or nan,
    nothing is compared.

    Parameters
    ----------
    f : callable
        Takes an array of shape (n,) and returns one of shape (m,).
    pattern : sparse array or array_like, shape (m, n)
        Where the Jacobian may differ from zero; see `sparsity`.

    Returns
    -------
    callable
        The function x -> J, a scipy.sparse.csr_array of shape (m, n) that belongs to the
        caller. All entries of the pattern are stored, zero or not.

    Raises
    ------
    ValueError
        If the pattern is no matrix. By the function returned, if x or f(x) does not have the
        length that the pattern calls for, or the Jacobian is not zero outside of the pattern.

    Examples
    --------
    >>> J = jacobian(lambda x: x[1:] * x[:-1], [[1, 1, 0], [0, 1, 1]])
    >>> J([1.0, 2.0, 3.0]).toarray()
    array([[2., 1., 0.],
           [0., 3., 2.]])
    """
    from scipy.sparse import csr_array
    pattern = _canonical(pattern)
    rows, columns = pattern.nonzero()
    m, n = pattern.shape
    of_columns, of_rows = colour(pattern), colour(pattern.T)
    forward = of_columns.max(initial=-1) <= of_rows.max(initial=-1)
    colours, compress = (of_columns, _tangents) if forward else (of_rows, _adjoints)
    own, other = (columns, rows) if forward else (rows, columns)
    width, length = colours.max(initial=-1) + 1, m if forward else n
    seeds = np.zeros((width + 1, len(colours)))
    seeds[colours, np.arange(len(colours))] = 1.0
    seeds[-1] = np.random.default_rng(0).uniform(1.0, 2.0, len(colours))
    places = colours[own] * length + other     # of each entry in the compressed Jacobian, flat
    weights = np.zeros((width, length))
    weights[colours[own], other] = seeds[-1, own]

    def sparse_jacobian(x):
        x = _vector(x)
        if len(x) != n:
            raise ValueError(f"the pattern has {n} columns, but x has {len(x)} entries")
        compressed = compress(f, x, seeds, m)
        entries = np.take(compressed, places)
        with np.errstate(invalid="ignore"):
            terms = compressed[:-1] * weights
            error = terms.sum(axis=0) - compressed[-1]
            wrong = ~(abs(error) <= ROUNDING * abs(terms).sum(axis=0))
        if wrong.any():
            wrong[other[~np.isfinite(entries)]] = False      # no comparison with inf or nan
        if wrong.any():
            raise ValueError(
                f"the Jacobian is not zero outside of the pattern in "
                f"{'row' if forward else 'column'} {wrong.argmax()}: make the pattern with a point "
                "like this one (or half of the digits are lost to rounding there)")
        return csr_array((entries, pattern.indices.copy(), pattern.indptr.copy()), shape=(m, n))
    return sparse_jacobian


def _tangents(f, x, seeds, m):
    value, tangents = jvp(f, x, seeds)
    _require_length(value, m)
    return tangents


def _adjoints(f, x, seeds, m):
    value, pull = vjp(f, x)
    _require_length(value, m)
    return pull(seeds)[0]


def _require_length(value, m):
    if _length(value) != m:
        raise ValueError(f"the pattern has {m} rows, but f(x) has {len(value)} entries")


def _length(value):
    """The length of a result of f; refuse what is no vector."""
    if isinstance(value, (tuple, list, dict)):
        raise ValueError(f"a sparse Jacobian needs f to return a vector, but f(x) is a "
                         f"{type(value).__name__}: join its numbers with np.stack, its arrays "
                         "with np.concatenate")
    if ndim(value) != 1:
        raise ValueError(f"a sparse Jacobian needs f to return a vector, but f(x) has shape "
                         f"{shape(value)}: reshape it with np.ravel or np.reshape(y, (-1,))")
    return len(value)


def _vector(x):
    x = real(x, "x")
    if isinstance(x, Traced):
        raise TypeError(f"a sparse Jacobian holds plain numbers, so it cannot be made of a "
                        f"{type(x).__name__}: for derivatives of it use jacfwd or jacrev")
    if ndim(x) != 1:
        raise ValueError(f"a sparse Jacobian needs a vector x, but it has shape {shape(x)}: "
                         "reshape it in f")
    return x


def _canonical(pattern):
    """A pattern as a csr_array of its own: each place once, in order, and no stored zeros."""
    from scipy.sparse import csr_array
    if np.ndim(pattern) != 2:
        raise ValueError(f"a pattern has a row for each entry of f(x) and a column for each of "
                         f"x, but this one has shape {np.shape(pattern)}")
    pattern = csr_array(pattern, dtype=bool, copy=True)
    pattern.sum_duplicates()
    pattern.eliminate_zeros()
    return pattern
