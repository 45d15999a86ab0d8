"""One pass of EM over the points, fast: sufficient statistics, block by block.

The E step gives each point to the components, the M step needs nothing but sums over that:

    counts  n_k = sum_n r_nk,   first  sum_n r_nk (x_n - c_k),   squares  sum_n r_nk (x_n - c_k)^2

about any points c_k. So one pass over the points makes both steps, the points can come in
blocks from a disk or from many computers, and no array of all points and components is needed.

There are two ways to the sums. *By features*: the logarithm of a component's weighted density
is linear in phi(x) = (1, x, t(x)), where t(x) holds products of the features, because a
Gaussian is an exponential family (Bishop 2006, section 2.4). With the features of a block in a
matrix, both steps are one product of matrices each, around a softmax; the E step is what
back-propagation through log sum_k exp(theta_k phi(x)) computes. *Directly*: each component is
subtracted and whitened by itself, with c_k its present mean. The first is faster where t(x) is
short. It loses digits where components are narrow and far from the centre of the data, since
x^2 - m^2 is computed as a difference; then, and where it is slower, the second is taken.
"""

import numpy as np

#: By features, a relative error of 1e-16 in a square of the distance between a component's mean
#: and the centre of the data, measured in units of the component, is one in its density. Above
#: this square the direct way is taken; below it the sums keep 11 to 12 digits.
FARTHEST = 1e4

#: With more products than this for each component the direct way is faster (measured).
MOST_PRODUCTS = 100

#: Numbers in the arrays of one block: so many stay in the cache of a processor.
BLOCK = 2**15

#: Numbers in the features of all points that are computed once and kept: 8 MB.
KEPT = 2**20


class Sums:
    """Sums over points, each weighted by its responsibilities; see above.

    Attributes
    ----------
    log_likelihood : float
    counts : ndarray, shape (K,)
    first : ndarray, shape (K, d)
    squares : ndarray, shape (K, ...), as the family of covariances takes them
    """

    def __init__(self, log_likelihood, counts, first, squares):
        self.log_likelihood = log_likelihood
        self.counts, self.first, self.squares = counts, first, squares

    def __add__(self, other):
        return Sums(self.log_likelihood + other.log_likelihood, self.counts + other.counts,
                    self.first + other.first, self.squares + other.squares)


def softmax(joint):
    """Responsibilities, and the logarithms of the densities of the mixture.

    Parameters
    ----------
    joint : ndarray, shape (K, n)
        log P(y = k) p(x | y = k) for each component and point. Overwritten.

    Returns
    -------
    responsibilities : ndarray, shape (K, n)
        Each column sums to one.
    log_density : ndarray, shape (n,)
    """
    largest = joint.max(axis=0)
    joint -= largest
    np.exp(joint, out=joint)
    total = joint.sum(axis=0)
    joint /= total
    return joint, np.log(total) + largest


class Pass:
    """What one pass of EM has to know: the present parameters, and how to use them on a block.

    Parameters
    ----------
    family : class of `gradem.families`
    weights, means, covariances : ndarray
        The present parameters.
    centre, scatter : ndarray, shapes (d,) and (d, d)
        The mean of all points, and their products about it; see `gradem.blocks`.

    Raises
    ------
    ValueError
        If a component has collapsed; the text names it and says what to do.
    """

    def __init__(self, family, weights, means, covariances, centre, scatter):
        self.family, self.centre, self.scatter = family, centre, scatter
        self.weights, self.means, self.covariances = weights, means, covariances
        self.factors = family.precision_factors(covariances)
        K, d = means.shape
        with np.errstate(divide="ignore"):       # a weight of zero is allowed
            self.constants = (np.log(weights) - 0.5 * d * np.log(2 * np.pi)
                              + family.log_determinants(self.factors, d))
        shifted = means - centre
        distances = family.squared_distances(self.factors, shifted)
        self.by_features = (distances.max() <= FARTHEST
                            and family.n_products(d) <= MOST_PRODUCTS * K)
        self.shared = None
        if self.by_features:
            precisions = family.precisions(self.factors)
            self.theta = np.column_stack([
                self.constants - 0.5 * distances, family.applied(precisions, shifted),
                family.coefficients(precisions, K)])
            self.shared = precisions if family.name == "tied" else None

    def log_joint(self, block):
        """log P(y = k) p(x | y = k) for each component and point of a block, shape (K, n)."""
        return self._directly(np.ascontiguousarray(block.T, dtype=float))[0]

    def sums(self, block, point_weights):
        """The sums over the points of a block.

        Parameters
        ----------
        block : ndarray, shape (n, d)
        point_weights : ndarray, shape (n,), or None
            How often each point counts; once if None.
        """
        way = self._sums_by_features if self.by_features else self._sums_directly
        parts = slices(self.family, len(self.means), block, point_weights)
        first, *rest = (way(self._prepared(part), w) for part, w in parts)
        return sum(rest, start=first)

    def _prepared(self, part):
        if self.by_features:
            return features_of(self.family, part, self.centre)
        return np.ascontiguousarray(part.T, dtype=float)

    def _sums_directly(self, x, point_weights):
        joint, deviations = self._directly(x)
        r, log_likelihood = _weighted(joint, point_weights)
        first = np.stack([deviation @ column for deviation, column in zip(deviations, r)])
        squares = np.stack([self.family.squares(column, deviation)
                            for deviation, column in zip(deviations, r)])
        return Sums(log_likelihood, r.sum(axis=1), first, squares)

    def _directly(self, x):
        """The joint log density by subtracting and whitening, and the deviations."""
        K = len(self.means)
        deviations = [x - mean[:, None] for mean in self.means]
        joint = np.empty((K, x.shape[1]))
        for k, U in enumerate(self.family.of_components(self.factors, K)):
            z = self.family.whitened(U, deviations[k])
            joint[k] = self.constants[k] - 0.5 * np.einsum("in,in->n", z, z)
        return joint, deviations

    def _sums_by_features(self, phi, point_weights):
        d = self.means.shape[1]
        r, log_likelihood = _weighted(self.theta @ phi, point_weights)
        S = r @ phi.T
        squares = self.family.unpacked(S[:, 1 + d:], d) if self.shared is None else 0.0
        return Sums(log_likelihood, S[:, 0], S[:, 1:1 + d], squares)

    def completed(self, sums):
        """The sums over all points with what no block adds.

        With a shared covariance -x^T P x / 2 is common to all components. It cancels from the
        responsibilities, and its sum is known without the points: -tr(P scatter) / 2.
        """
        if self.shared is None:
            return sums
        common = 0.5 * np.sum(self.shared * self.scatter)
        return Sums(sums.log_likelihood - common, sums.counts, sums.first, self.scatter[None])

    def step(self, sums, reg_covar):
        """The M step: parameters of greatest expected log likelihood.

        Returns
        -------
        weights, means, covariances : ndarray

        Raises
        ------
        ValueError
            If a component has lost all its points.
        """
        counts = sums.counts
        if not np.all(counts > 0):
            raise ValueError(empty(int(np.argmin(counts))))
        reference = self.centre if self.by_features else self.means
        shifts = sums.first / counts[:, None]
        covariances = self.family.covariances(counts, shifts, sums.squares)
        return (counts / counts.sum(), reference + shifts,
                self.family.regularised(covariances, reg_covar))


class Expectation:
    """The E step over given points, for whatever parameters.

    Parameters
    ----------
    family : class of `gradem.families`
    points : Points
    """

    def __init__(self, family, points, K):
        self.family, self.points = family, points
        self.n_passes = 0
        self._kept = None
        if points.in_memory and points.n_points * n_features(family, points.n_features) <= KEPT:
            # a little data: its features are computed once
            self._kept = [(features_of(family, part, points.mean), w)
                          for parts in points.each(lambda *block: slices(family, K, *block))
                          for part, w in parts]

    def __call__(self, parameters):
        """The pass for these parameters, and its sums over all points."""
        self.n_passes += 1
        step = Pass(self.family, *parameters, self.points.mean, self.points.scatter)
        if step.by_features and self._kept is not None:
            first, *rest = (step._sums_by_features(phi, w) for phi, w in self._kept)
            return step, step.completed(sum(rest, start=first))
        return step, step.completed(self.points.sums(step.sums))


def n_features(family, d):
    """The length of phi(x) = (1, x, t(x))."""
    return 1 + d + family.n_products(d)


def slices(family, K, block, point_weights):
    """Cut a block, and the weights of its points, such that each part fits the cache: a list."""
    n = max(256, BLOCK // (n_features(family, block.shape[1]) + K))
    return [(block[i:i + n], None if point_weights is None else point_weights[i:i + n])
            for i in range(0, len(block), n)]


def empty(k):
    """Words for a component without points."""
    return (f"component {k} is empty: it has no responsibility for any point. Use fewer "
            "components, or another start")


def features_of(family, block, centre):
    """phi(x - centre) = (1, x - centre, t(x - centre)) of each point: a column a point."""
    n, d = block.shape
    phi = np.empty((n_features(family, d), n))
    phi[0] = 1.0
    np.subtract(block.T, centre[:, None], out=phi[1:1 + d])
    family.products(phi[1:1 + d], phi[1 + d:])
    return phi


def _weighted(joint, point_weights):
    """Responsibilities times the weights of the points, and the log likelihood of a block."""
    r, log_density = softmax(joint)
    if point_weights is None:
        return r, float(log_density.sum())
    r *= point_weights
    return r, float(log_density @ point_weights)
