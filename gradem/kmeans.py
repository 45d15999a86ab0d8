"""k-means: K centres that are close to all points, with scikit-learn's interface.

What is to be small is the inertia, the sum of the squared distances from the points to their
nearest centres::

    J(m_1, ..., m_K) = sum_n min_k |x_n - m_k|^2.

Lloyd's algorithm (Lloyd 1982, IEEE Trans. Inf. Theory 28, 129-137) repeats two steps, neither
of which raises J: `assign` gives each point to its nearest centre, `update` moves each centre
to the mean of its points. It is EM for Gaussians of one spherical covariance in the limit of
zero variance, where responsibilities become zeros and ones (Bishop 2006, section 9.3.2).

Lloyd's algorithm ends in a local minimum that depends on its start. `kmeans_plusplus` draws
centres one by one, each point with a probability proportional to its squared distance from the
centres drawn so far; the expected inertia of that start alone is at most 8 (log K + 2) times
the smallest one (Arthur and Vassilvitskii 2007, SODA, 1027-1035).
"""

import warnings
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from scipy.spatial.distance import cdist

from gradem.blocks import finite, table
from gradem.estimator import ConvergenceWarning, Estimator, generator, require_number

#: Numbers in the arrays of one block: so many stay in the cache of a processor.
BLOCK = 2**17

#: The inertia is computed as a difference. Where it loses more than this share of the digits, it
#: is computed anew from the distances themselves.
LOSS = 0.2

#: Of so few points sums are made afresh as fast as they can be kept up to date (measured).
FEW = 1000

#: Points that `assign` looks at in one go.
ROWS = 2**16


class State(NamedTuple):
    """Centres, the points nearest to each, and the inertia they leave."""

    centres: np.ndarray           #: (K, d)
    labels: np.ndarray            #: (N,)
    inertia: float                #: sum of ``w |x - m|^2``, in the squared unit of the data


# ---- the two steps ------------------------------------------------------------------------


def assign(X, centres):
    """Give each point to its nearest centre: the first step of Lloyd's algorithm.

    Parameters
    ----------
    X : array_like, shape (N, d)
    centres : array_like, shape (K, d)

    Returns
    -------
    labels : ndarray of int, shape (N,)
        The number of the nearest centre; of several nearest ones the first, as far as rounding
        leaves them equal.
    squared_distances : ndarray, shape (N,)
        ``|x_n - m_k|^2`` to that centre. Their sum is the inertia.

    Examples
    --------
    >>> labels, squared_distances = assign([[0, 0], [1, 0], [5, 4]], [[0, 0], [5, 5]])
    >>> labels.tolist(), squared_distances.tolist()
    ([0, 0, 1], [0.0, 1.0, 1.0])
    """
    X = finite(table(X))
    centres = _matching("centres", centres, X)
    labels, squared_distances = np.empty(len(X), dtype=np.int32), np.empty(len(X))
    for block in (slice(i, i + ROWS) for i in range(0, len(X), ROWS)):
        points = _Points(X[block])
        labels[block], _ = points.nearest(points.about_mean(centres))
        difference = X[block] - centres[labels[block]]
        squared_distances[block] = np.vecdot(difference, difference)
    return labels, squared_distances


def update(X, labels, centres, sample_weight=None):
    """Move each centre to the mean of its points: the second step of Lloyd's algorithm.

    For given labels the mean is the point of least summed squared distance. A cluster without
    points has no mean. As in scikit-learn, its centre moves to the point farthest from its own
    centre, which thereby leaves its cluster; several empty clusters take the farthest points
    in turn. If every point lies on its centre, there is nothing to win, and the empty cluster
    takes the centre of the largest one; so does a cluster that has lost its only point.

    Parameters
    ----------
    X : array_like, shape (N, d)
    labels : array_like of int, shape (N,)
        The cluster of each point, as from `assign`.
    centres : array_like, shape (K, d)
        The present centres, from which the farthest points are measured.
    sample_weight : array_like, shape (N,), optional
        How often each point counts; once by default.

    Returns
    -------
    ndarray, shape (K, d)

    Examples
    --------
    >>> update([[0, 0], [1, 0], [5, 4]], [0, 0, 1], [[0, 0], [5, 5]]).tolist()
    [[0.5, 0.0], [5.0, 4.0]]
    """
    X = finite(table(X))
    centres = _matching("centres", centres, X)
    labels = np.asarray(labels)
    if labels.shape != (len(X),) or labels.dtype.kind not in "iu" or not np.all(
            (0 <= labels) & (labels < len(centres))):
        raise ValueError(f"labels must be {len(X)} whole numbers from 0 to {len(centres) - 1}, "
                         "one for each point: take those that assign returns")
    points = _Points(X, sample_weight)
    sums = _Sums(points, len(centres), labels.astype(np.intp))
    return (points.mean + sums.means(points.about_mean(centres))).astype(X.dtype)


def kmeans_plusplus(X, n_clusters, rng=None, sample_weight=None):
    """Draw points to start from, with probabilities by squared distance.

    The first is drawn by weight alone. For each further one, as in scikit-learn,
    2 + floor(log K) candidates are drawn, each with a probability proportional to its weight
    times its squared distance from the nearest centre so far, and the one that lowers the
    inertia most is kept. This greedy choice does better in practice than a single draw, for
    which the bound in Arthur and Vassilvitskii (2007) is proved.

    Parameters
    ----------
    X : array_like, shape (N, d)
    n_clusters : int
        Number K of points to draw.
    rng : int or numpy.random.Generator, optional
    sample_weight : array_like, shape (N,), optional
        How often each point counts; once by default.

    Returns
    -------
    centres : ndarray, shape (K, d)
    indices : ndarray of int, shape (K,)
        The rows of X that the centres are.
    """
    X = finite(table(X))
    require_number("n_clusters", n_clusters, Integral, 1)
    _require_enough(X, n_clusters)
    indices = _plusplus(_Points(X, sample_weight), n_clusters, generator(rng))
    return X[indices], indices


def _plusplus(points, K, rng):
    """The indices for `kmeans_plusplus`."""
    n_candidates = 2 + int(np.log(K))
    indices = [_drawn(points.weights, 1, rng)[0]]
    closest = points.squared_distances_from(indices)[0]
    while len(indices) < K:
        masses = points.weights * closest
        if not masses.any():            # every point lies on a centre: any other will do
            masses = points.weights
        candidates = _drawn(masses, n_candidates, rng)
        distances = points.squared_distances_from(candidates)
        np.minimum(distances, closest, out=distances)
        best = np.argmin(distances @ points.weights)
        indices.append(candidates[best])
        closest = distances[best]
    return np.array(indices)


def _drawn(masses, size, rng):
    """Indices drawn with probabilities proportional to masses, never one of mass zero."""
    cumulated = np.cumsum(masses, dtype=float)
    total = cumulated[-1]
    heights = np.minimum(rng.uniform(size=size) * total, np.nextafter(total, 0))
    return np.searchsorted(cumulated, heights, side="right")


# ---- fast passes over the points ----------------------------------------------------------


class _Points:
    """Points about their mean, and the passes over them.

    In |x - m|^2 = |x|^2 + (|m|^2 - 2 m.x) the bracket alone decides which centre is nearest.
    With a row of ones below the features it is one matrix product for all points and centres.

    The bracket has a rounding error of about 1e-16 |x|^2. So centres that are closer to each
    other than 1e-8 times the radius of the data cannot be told apart (of float32: 1e-7 |x|^2,
    and 3e-4). Subtracting the mean makes |x| small, wherever the data lie.

    Attributes
    ----------
    mean : ndarray, shape (d,)
    features : ndarray, shape (d + 1, N)
        The long axis last, so that each pass runs along memory.
    squares : ndarray, shape (N,)
        |x|^2 about the mean.
    weights : ndarray, shape (N,)
    inertia : float
        The inertia of one centre in the mean.
    variance : float
        The mean variance of the features, without weights.
    """

    def __init__(self, X, sample_weight=None):
        self.weights = _weights(sample_weight, X)
        with np.errstate(over="ignore", invalid="ignore"):
            self.mean = X.mean(axis=0, dtype=float).astype(X.dtype)
            self.features = np.ones((X.shape[1] + 1, len(X)), dtype=X.dtype)
            self.squares = np.empty(len(X))
            for block in self.blocks(0):
                centred = self.features[:-1, block]
                np.subtract(X[block].T, self.mean[:, None], out=centred)
                np.einsum("in,in->n", centred, centred, out=self.squares[block])
        self._require_small(self.squares)
        self.inertia = float(self.weights @ self.squares)
        self.variance = float(self.squares.mean()) / X.shape[1]

    def about_mean(self, centres):
        """The centres as the passes take them."""
        shifted = centres - self.mean
        with np.errstate(over="ignore"):
            self._require_small(np.vecdot(shifted, shifted))
        return shifted

    def _require_small(self, squares):
        """Refuse distances from the mean whose squares, or sums of a few, overflow."""
        dtype = self.features.dtype
        if not squares.max() < np.finfo(dtype).max / 8:
            raise ValueError(f"squared distances are too large for numbers of type {dtype}: divide "
                             "X, and any centres you give, by the largest entry")

    def block_size(self, K):
        """So many points stay in the cache with an array for them and K centres."""
        return max(1, BLOCK // (K + len(self.features)))

    def blocks(self, K):
        """Slices of so many points."""
        size = self.block_size(K)
        return [slice(i, i + size) for i in range(0, len(self.weights), size)]

    def nearest(self, centres):
        """The labels of the nearest centres, of several the first, and the inertia."""
        K = len(centres)
        factors = self._bracket_factors(centres)
        ranks = np.arange(K, 0, -1, dtype=np.min_scalar_type(K))[:, None]
        labels, brackets_sum = np.empty(len(self.weights), dtype=ranks.dtype), 0.0
        for block in self.blocks(K):
            brackets = factors @ self.features[:, block]
            least = brackets.min(axis=0)
            first = ((brackets == least) * ranks).max(axis=0)      # its rank is K - label
            np.subtract(ranks[0], first, out=labels[block])
            brackets_sum += float(self.weights[block] @ least)
        inertia = self.inertia + brackets_sum
        if inertia < float(np.finfo(self.features.dtype).eps)**LOSS * self.inertia:
            inertia = float(self.weights @ self.squared_distances(centres, labels))
        return labels, inertia

    def _bracket_factors(self, centres):
        """The matrix whose product with the features is |m|^2 - 2 m.x, shape (K, d + 1)."""
        factors = np.empty((len(centres), len(self.features)), dtype=self.features.dtype)
        factors[:, :-1] = centres
        factors[:, -1] = np.vecdot(factors[:, :-1], factors[:, :-1])
        factors[:, :-1] *= -2
        return factors

    def squared_distances(self, centres, labels):
        """|x - m|^2 of each point and the centre of its label, by subtraction."""
        squared, columns = np.empty(len(labels)), np.ascontiguousarray(centres.T)
        for block in self.blocks(len(columns)):
            difference = self.features[:-1, block] - columns.take(labels[block], axis=1)
            np.einsum("in,in->n", difference, difference, out=squared[block])
        return squared

    def squared_distances_from(self, indices):
        """|x - y|^2 of all points x and the points y of those indices, shape (L, N).

        What may be a rounding error alone becomes zero, so that equal points are.
        """
        factors = self._bracket_factors(self.features[:-1, indices].T)
        rounding = 2 * len(self.features) * np.finfo(self.features.dtype).eps
        squared = np.empty((len(indices), len(self.weights)))
        for block in self.blocks(len(indices)):
            part = squared[:, block]
            np.add(factors @ self.features[:, block], self.squares[block], out=part)
            part *= part > rounding * self.squares[block]
        return squared


class _Sums:
    """The sums of w (x, 1) over the points of each cluster, which follow as points move.

    After a few iterations hardly any point still moves, so it is cheap to subtract it from one
    sum and add it to another. Where large numbers are subtracted, digits are lost; so the sums
    are made afresh when a cluster has lost half its weight. An empty one then has the sum 0.
    """

    def __init__(self, points, K, labels):
        self.points, self.labels = points, labels
        relative = points.weights / points.weights.max()        # float32 can hold these
        self.weights = relative.astype(points.features.dtype, copy=False)
        self.clusters = np.arange(K, dtype=labels.dtype)[:, None]
        self._afresh()

    def _afresh(self):
        self.sums = self._of(self.labels)
        self.largest_weights = self.sums[:, -1].copy()

    def _of(self, labels):
        features, K = self.points.features, len(self.clusters)
        sums = np.zeros((K, len(features)))
        for block in self.points.blocks(K):
            memberships = (labels[block] == self.clusters) * self.weights[block]
            sums += memberships @ features[:, block].T
        return sums

    def follow(self, labels):
        """Take up new labels, and return how many points moved."""
        moved = np.flatnonzero(labels != self.labels)
        old, self.labels = self.labels, labels
        if 4 * len(moved) > len(labels) - FEW:
            self._afresh()
            return len(moved)
        features, size = self.points.features, self.points.block_size(len(self.clusters))
        for start in range(0, len(moved), size):
            part = moved[start:start + size]
            change = (labels[part] == self.clusters) * self.weights[part]
            change -= (old[part] == self.clusters) * self.weights[part]
            self.sums += change @ features[:, part].T
        np.maximum(self.largest_weights, self.sums[:, -1], out=self.largest_weights)
        if (2 * self.sums[:, -1] < self.largest_weights).any():
            self._afresh()
        return len(moved)

    def means(self, centres):
        """The mean of each cluster, the empty ones relocated as `update` says."""
        sums = self.sums
        if not sums[:, -1].all():
            sums = self._relocated(centres)
        return sums[:, :-1] / sums[:, -1:]

    def _relocated(self, centres):
        """The sums after each empty cluster has taken one of the farthest points."""
        empty = np.flatnonzero(self.sums[:, -1] == 0)
        distances = self.points.squared_distances(centres, self.labels)
        sums = self.sums.copy()
        if distances.any():
            # in the order of scikit-learn, which sorts no more than it must
            farthest = np.argpartition(distances, -len(empty))[:-len(empty) - 1:-1]
            labels = self.labels.copy()
            labels[farthest] = empty
            sums = self._of(labels)
        sums[sums[:, -1] == 0] = sums[np.argmax(sums[:, -1])]
        return sums


def _lloyd(points, centres, max_iter, tol):
    """The states of Lloyd's algorithm, from the first centres to the last.

    It stops when no point has moved, or when the squared shifts of the centres add up to no
    more than tol.
    """
    labels, inertia = points.nearest(centres)
    sums, n_moved = _Sums(points, len(centres), labels), len(labels)
    history = [State(centres, labels, inertia)]
    while len(history) <= max_iter:
        if n_moved == 0:
            history.append(history[-1])     # no point has moved, so no centre will
            break
        centres = sums.means(history[-1].centres)
        labels, inertia = points.nearest(centres)
        n_moved = sums.follow(labels)
        history.append(State(centres, labels, inertia))
        if ((centres - history[-2].centres)**2).sum() <= tol:
            break
    return history


# ---- the estimator ------------------------------------------------------------------------


class KMeans(Estimator):
    """k-means by Lloyd's algorithm, with the names of scikit-learn's KMeans.

    From the same centres it makes the same iterations as scikit-learn's. Random starts are
    drawn in the same way, but from another stream of random numbers. Besides it keeps the
    history of its iterations.

    Parameters
    ----------
    n_clusters : int
        Number K of centres.
    init : {"k-means++", "random"}, array_like of shape (K, d), or callable
        The first centres: drawn by `kmeans_plusplus`; K different points drawn by weight; the
        centres themselves; or what ``init(X, n_clusters, random_state=rng)`` returns, where
        rng is a numpy.random.Generator.
    n_init : "auto" or int
        Number of starts; the result of least inertia is kept. "auto" is 1 for "k-means++" and
        an array, 10 otherwise.
    max_iter : int
        Most iterations from each start.
    tol : float
        It stops when the squared shifts of all centres add up to no more than tol times the
        mean variance of the features. It always stops when no point changes its cluster.
    random_state : int or numpy.random.Generator, optional
        Seed of the starts.

    Attributes
    ----------
    cluster_centers_ : ndarray, shape (K, d)
    labels_ : ndarray of int, shape (N,)
        The number of the nearest centre for each point.
    inertia_ : float
        Sum of the weighted squared distances from the points to their nearest centres.
    n_iter_ : int
        Iterations made from the best start.
    history_ : list
        (centres, labels, inertia) at the best start and after each of its iterations:
        ``history_[0]`` is the start, ``history_[n_iter_]`` the result. The labels are of the
        smallest integer type: a byte for each point while K < 256.
    n_features_in_ : int

    Examples
    --------
    >>> from gradem.datasets import old_faithful
    >>> clusters = KMeans(2, random_state=0).fit(old_faithful())
    >>> sorted(clusters.cluster_centers_[:, 1].round(1).tolist())
    [54.8, 80.3]
    """

    kind = "clusterer"
    transforms = True

    def __init__(self, n_clusters=8, *, init="k-means++", n_init="auto", max_iter=300, tol=1e-4,
                 random_state=None):
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    # -- fitting --

    def fit(self, X, y=None, sample_weight=None):
        """Find centres for points.

        Parameters
        ----------
        X : array_like, shape (N, d)
        y : ignored
            For pipelines that hand over labels.
        sample_weight : array_like, shape (N,), optional
            How often each point counts; once by default. Weights that are whole numbers do
            what repeated points would.

        Returns
        -------
        KMeans
            Itself.

        Raises
        ------
        ValueError
            If parameters or points cannot be used; the text says what to do.

        Warns
        -----
        ConvergenceWarning
            If there are fewer different points than clusters, so that centres coincide.
        """
        self._check_parameters()
        X = finite(table(X))
        _require_enough(X, self.n_clusters)
        points, rng = _Points(X, sample_weight), generator(self.random_state)
        tol = self.tol * points.variance
        starts = (self._start(X, points, rng) for _ in range(self._n_starts()))
        runs = (_lloyd(points, start, self.max_iter, tol) for start in starts)
        best = min(runs, key=lambda history: history[-1].inertia)
        self.history_ = [state._replace(centres=(points.mean + state.centres).astype(X.dtype))
                         for state in best]
        self.cluster_centers_, labels, self.inertia_ = self.history_[-1]
        self.labels_ = labels.astype(np.int32)
        self.n_iter_, self.n_features_in_ = len(best) - 1, X.shape[1]
        n_distinct = len(np.unique(labels))
        if n_distinct < self.n_clusters:
            warnings.warn(
                f"only {n_distinct} of {self.n_clusters} clusters have points: if there are not "
                "more different points, ask for fewer clusters",
                ConvergenceWarning, stacklevel=2)
        return self

    def _start(self, X, points, rng):
        """The first centres, about the mean of the points."""
        K = self.n_clusters
        if isinstance(self.init, str):
            if self.init == "k-means++":
                indices = _plusplus(points, K, rng)
            else:
                n_usable = np.count_nonzero(points.weights)
                if n_usable < K:
                    raise ValueError(f"{K} different points cannot be drawn from {n_usable} of "
                                     "positive weight: use fewer clusters, or init='k-means++'")
                indices = rng.choice(len(X), size=K, replace=False,
                                     p=points.weights / points.weights.sum())
            return points.features[:-1, indices].T.astype(float)
        centres = self.init(X, K, random_state=rng) if callable(self.init) else self.init
        centres = _matching("init", centres, X)
        if len(centres) != K:
            raise ValueError(f"init holds {len(centres)} centres, but n_clusters={K}: give as many")
        return points.about_mean(centres)

    def _n_starts(self):
        given = not isinstance(self.init, str) and not callable(self.init)
        if self.n_init == "auto":
            return 1 if given or self.init == "k-means++" else 10
        if given and self.n_init > 1:
            warnings.warn(f"init gives the centres, so all n_init={self.n_init} starts are the "
                          "same: only one is made", RuntimeWarning, stacklevel=3)
            return 1
        return self.n_init

    def _check_parameters(self):
        """Refuse parameters that cannot be meant, with what can."""
        if isinstance(self.init, str) and self.init not in ("k-means++", "random"):
            raise ValueError(f"init={self.init!r} is not available: use 'k-means++', 'random', an "
                             "array of centres, or a function that returns one")
        require_number("n_clusters", self.n_clusters, Integral, 1)
        require_number("max_iter", self.max_iter, Integral, 1)
        require_number("tol", self.tol, Real, 0)
        if self.n_init != "auto":
            require_number("n_init", self.n_init, Integral, 1)

    # -- using the fit --

    def fit_predict(self, X, y=None, sample_weight=None):
        """Find centres, and return the number of the nearest one for each point, shape (N,)."""
        return self.fit(X, sample_weight=sample_weight).labels_

    def fit_transform(self, X, y=None, sample_weight=None):
        """Find centres, and return the distance of each point from each centre, shape (N, K)."""
        return self.fit(X, sample_weight=sample_weight).transform(X)

    def predict(self, X):
        """The number of the nearest centre for each point, shape (N,)."""
        return assign(self._checked(X), self.cluster_centers_)[0]

    def transform(self, X):
        """The distance (not squared) of each point from each centre, shape (N, K)."""
        X = self._checked(X)
        return cdist(X, self.cluster_centers_).astype(X.dtype)

    def score(self, X, y=None, sample_weight=None):
        """Minus the inertia of the points about their nearest centres: greater is better."""
        X = self._checked(X)
        return -float(_weights(sample_weight, X) @ assign(X, self.cluster_centers_)[1])

    def _checked(self, X):
        """X as a table with the columns of the fit."""
        self._require_fit("cluster_centers_", None)
        X = finite(table(X))
        self._require_fit("cluster_centers_", X)
        return X


# ---- input ----------------------------------------------------------------------------------


def _require_enough(X, n_clusters):
    if len(X) < n_clusters:
        raise ValueError(f"{n_clusters} clusters cannot be made of {len(X)} points: use more "
                         "points, or fewer clusters")


def _matching(name, centres, X):
    """Centres as a table of float64 with the columns of X."""
    try:
        centres = finite(table(centres)).astype(float)
    except ValueError as error:
        raise ValueError(f"{name} must hold a row for each centre ({error})") from None
    if centres.shape[1] != X.shape[1]:
        raise ValueError(f"{name} has {centres.shape[1]} columns, but X has {X.shape[1]}: give a "
                         "value of each feature for each centre")
    return centres


def _weights(sample_weight, X):
    if sample_weight is None:
        return np.ones(len(X))
    try:
        weights = np.asarray(sample_weight, dtype=float)
    except (TypeError, ValueError):
        raise ValueError("sample_weight must hold a real number for each row of X") from None
    if weights.shape != (len(X),):
        raise ValueError(f"sample_weight has shape {weights.shape}, but X has {len(X)} rows: give "
                         "a number for each")
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise ValueError("sample weights must be finite and not negative: a weight says how often "
                         "a point counts")
    if not weights.any():
        raise ValueError("all sample weights are zero: no point counts")
    return weights
