"""Points in blocks: arrays, files larger than memory, and Dask arrays, in one way.

What EM needs of the points are sums over them. So it does not matter whether they lie in one
array, in an array on the disk (``numpy.load(..., mmap_mode="r")``), in a sequence of arrays of
which each is loaded when it is asked for, or in a Dask array, whose blocks are worked on
wherever Dask's client puts them. Here all of these become blocks, and a sum over the points is
a sum over the blocks.
"""

from typing import NamedTuple

import numpy as np

#: Rows of a large array that are looked at in one go.
ROWS = 2**16


class Points:
    """Points and their weights, block by block.

    Parameters
    ----------
    X : array_like, shape (N, d); sequence of arrays, shapes (n, d); or Dask array
        A sequence may load each array when it is indexed; only one is asked for at a time.
    sample_weight : like X without the columns, optional
        How often each point counts; once by default.

    Attributes
    ----------
    n_points, n_features : int
    weight : float
        The sum of the weights: N without any.
    in_memory : bool
        Is X an ordinary array?
    dtype : dtype
        float32 if X is of that type, else float64.
    mean : ndarray, shape (d,)
    scatter : ndarray, shape (d, d)
        sum of w (x - mean)(x - mean)^T.

    Raises
    ------
    ValueError
        If the points or weights cannot be used; the text says what to do.
    """

    def __init__(self, X, sample_weight=None):
        self._dask = _dask_of(X)
        if self._dask is not None:
            self._blocks, self._weights = _dask_blocks(X, sample_weight)
        elif _is_sequence_of_blocks(X):
            self._blocks, self._weights = X, sample_weight
            if sample_weight is None:
                self._weights = [None] * len(X)
            elif len(sample_weight) != len(X):
                raise ValueError(f"X has {len(X)} blocks, sample_weight {len(sample_weight)}: give "
                                 "the weights block by block")
        else:
            X = table(X)
            weights = None if sample_weight is None else np.asarray(sample_weight)
            if weights is not None and weights.shape != (len(X),):
                raise ValueError(f"sample_weight has shape {weights.shape}, but X has {len(X)} "
                                 "rows: give a number for each")
            cuts = [slice(i, i + ROWS) for i in range(0, len(X), ROWS)]
            self._blocks = [X[cut] for cut in cuts]
            self._weights = [None if weights is None else weights[cut] for cut in cuts]
        self.in_memory = isinstance(self._blocks, list) and self._dask is None and not any(
            isinstance(block, np.memmap) for block in self._blocks)
        try:
            looks = self._compute(_look_at)
        except ValueError:
            if isinstance(X, np.ndarray):
                finite(X)              # its words count the rows from the first of all
            raise
        self._look(looks)

    def _look(self, looks):
        """Put together what was seen in each block."""
        widths = {len(look.mean) for look in looks}
        if len(widths) > 1:
            raise ValueError(f"the blocks have different numbers of columns: {sorted(widths)}")
        self.n_features, = widths
        self.n_points = sum(look.n_points for look in looks)
        self.dtype = np.result_type(*(look.dtype for look in looks))
        self.weight = sum(look.weight for look in looks)
        if not self.weight > 0:
            raise ValueError("all sample weights are zero: no point counts")
        self.mean = sum(look.weight * look.mean for look in looks) / self.weight
        self.scatter = sum(look.scatter + look.weight * np.outer(look.mean - self.mean,
                                                                 look.mean - self.mean)
                           for look in looks)

    def sums(self, task):
        """Add up ``task(block, weights)`` over all blocks.

        Parameters
        ----------
        task : callable
            Takes an array of shape (n, d) and weights of shape (n,), or None, and returns
            something that can be added.
        """
        first, *rest = self._compute(task)
        return sum(rest, start=first)

    def some(self, most, rng):
        """The points and their weights, if there are more than `most` about so many of them.

        Returns
        -------
        X : ndarray, shape (n, d)
            In their order; drawn at random from each block, those of weight zero left out.
        weights : ndarray, shape (n,)
        """
        share, seed = min(1.0, most / self.n_points), int(rng.integers(2**32))

        def drawn(block, weights):
            weights = np.ones(len(block)) if weights is None else np.asarray(weights, dtype=float)
            chosen = np.flatnonzero(weights > 0)
            if share < 1:
                rng = np.random.default_rng([seed, len(block)])
                count = int(np.ceil(share * len(chosen)))
                chosen = np.sort(rng.choice(chosen, count, replace=False))
            return np.asarray(block)[chosen].astype(float), weights[chosen]
        return tuple(map(np.concatenate, zip(*self.each(drawn))))

    def each(self, task):
        """A list of what ``task(block, weights)`` returns for each block."""
        return list(self._compute(task))

    def _compute(self, task):
        if self._dask is None:
            return [task(block, weights) for block, weights in zip(self._blocks, self._weights)]
        delayed = self._dask.delayed(task)
        return self._dask.compute(*map(delayed, self._blocks, self._weights))


class _Look(NamedTuple):
    """What is to be known of a block before the first pass."""

    n_points: int
    dtype: np.dtype
    weight: float
    mean: np.ndarray
    scatter: np.ndarray


def _look_at(block, weights):
    block = finite(table(block))
    if weights is None:
        mean, weight = block.mean(axis=0, dtype=float), float(len(block))
        scaled = deviation = block - mean
    else:
        weights = _usable(weights)
        if weights.shape != (len(block),):
            raise ValueError(f"the weights of a block have shape {weights.shape}, but it has "
                             f"{len(block)} rows: give a number for each")
        weight = float(weights.sum())
        mean = weights @ block / weight if weight > 0 else np.zeros(block.shape[1])
        deviation = block - mean
        scaled = weights[:, None] * deviation
    return _Look(len(block), block.dtype, weight, mean, scaled.T @ deviation)


# ---- what comes in ------------------------------------------------------------------------------


def table(X):
    """X as a matrix of float64 or float32 numbers, not copied if it is one."""
    try:
        X = np.asarray(X)
        if X.dtype.kind == "c":
            raise ValueError("X is complex")
        if X.dtype not in (np.float64, np.float32):
            X = X.astype(float)
    except (TypeError, ValueError):
        raise ValueError("X must be a table of real numbers with a row for each point, all rows of "
                         "the same length: turn text and dates into numbers first; a sparse "
                         "matrix is made a table by X.toarray()") from None
    if X.ndim != 2:
        raise ValueError(f"X has shape {X.shape}, but it must have a row for each point and a "
                         "column for each feature: reshape a single feature with "
                         "X.reshape(-1, 1), a single point with X.reshape(1, -1)")
    if X.size == 0:
        raise ValueError(f"X has shape {X.shape}: it holds no numbers")
    return X


def finite(X):
    """X itself, if all its entries are finite numbers."""
    if not np.isfinite(X).all():
        row, column = np.argwhere(~np.isfinite(X))[0]
        raise ValueError(f"X[{row}, {column}] is {X[row, column]}: remove the points with missing "
                         "or infinite entries, or fill them in")
    return X


def _usable(weights):
    weights = np.asarray(weights, dtype=float)
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise ValueError("sample weights must be finite and not negative: a weight says how often "
                         "a point counts")
    return weights


def _is_sequence_of_blocks(X):
    """A sequence, other than an array or table, whose items are tables themselves."""
    if hasattr(X, "__array__") or not (hasattr(X, "__getitem__") and hasattr(X, "__len__")):
        return False
    return len(X) > 0 and not isinstance(X, (str, dict)) and getattr(X[0], "ndim", 0) == 2


def _dask_of(X):
    """The module dask, if X is one of its arrays."""
    if not hasattr(X, "__dask_graph__"):
        return None
    import dask
    return dask


def _dask_blocks(X, sample_weight):
    """The blocks of a Dask array, each with all columns, and the weights of their points."""
    X = X.rechunk({1: -1})
    lengths = X.chunks[0]
    if np.isnan(lengths).any():
        raise ValueError("the Dask array does not know the lengths of its blocks: call "
                         "X.compute_chunk_sizes() first")
    blocks = X.to_delayed().ravel().tolist()
    if sample_weight is None:
        return blocks, [None] * len(blocks)
    if np.shape(sample_weight) != (X.shape[0],):
        raise ValueError(f"sample_weight has shape {np.shape(sample_weight)}, but X has "
                         f"{X.shape[0]} rows: give a number for each")
    ends = np.cumsum(lengths)
    return blocks, [np.asarray(sample_weight[end - n:end]) for n, end in zip(lengths, ends)]
