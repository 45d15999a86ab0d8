"""Gaussian mixtures and EM, with scikit-learn's interface.

A mixture says that each point comes from one of K Gaussians, and does not say from which:

    p(x) = sum_k p_k N(x | mu_k, Sigma_k).

EM climbs its likelihood in two steps (Dempster, Laird and Rubin 1977; Bishop 2006, section
9.2). The E step computes the responsibilities P(y = k | x) under the present parameters. The
M step fits each Gaussian to all points by maximum likelihood, where a point counts as much as
its responsibility says. No iteration lowers the likelihood.

`e_step` and `m_step` are these two steps as they stand in the book. `GaussianMixture` makes
the same steps with `gradem.em`, where both are one pass over the points in blocks.
"""

import warnings
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

from gradem import gaussian
from gradem.acceleration import Anderson
from gradem.blocks import Points, finite, table
from gradem.em import Expectation, Pass, empty, slices, softmax
from gradem.estimator import ConvergenceWarning, Estimator, generator, require_number
from gradem.families import FAMILIES
from gradem.kmeans import KMeans, kmeans_plusplus


STARTS = ("kmeans", "k-means++", "random", "random_from_data")

#: Points to look at for a first guess.
FIRST_GUESS = 100_000


class State(NamedTuple):
    """The parameters of a mixture, and the log likelihood of the points under them."""

    weights: np.ndarray           #: (K,)
    means: np.ndarray             #: (K, d)
    covariances: np.ndarray       #: (K, d, d), or what the kind of covariance has
    log_likelihood: float         #: sum over the points, natural logarithm


# ---- the two steps ------------------------------------------------------------------------


def log_joint(X, weights, means, covariances):
    """Logarithm of P(y = k) p(x | y = k) for each point and component.

    Parameters
    ----------
    X : ndarray, shape (N, d)
    weights : ndarray, shape (K,)
    means : ndarray, shape (K, d)
    covariances : sequence of K covariances
        Each a matrix, variances, or one variance, as for `gradem.gaussian.log_density`.

    Returns
    -------
    ndarray, shape (N, K)

    Raises
    ------
    ValueError
        If a component has collapsed; the text names it and says what to do.
    """
    columns = []
    for k, (mean, covariance) in enumerate(zip(means, covariances)):
        try:
            columns.append(gaussian.log_density(X, mean, covariance))
        except ValueError as error:
            raise ValueError(f"component {k}: {error}") from None
    with np.errstate(divide="ignore"):       # a weight of zero is allowed: its logarithm is -inf
        return np.log(weights) + np.stack(columns, axis=1)


def e_step(X, weights, means, covariances):
    """Responsibilities of the components for the points (Bishop 2006, eq. 9.23).

    Everything stays in logarithms until the last line. A point far from all components has
    densities that are zero as floats, and 0/0 would be its responsibilities.

    Parameters
    ----------
    X, weights, means, covariances
        As for `log_joint`.

    Returns
    -------
    responsibilities : ndarray, shape (N, K)
        P(y = k | x_n); each row sums to one.
    log_likelihood : float
        Sum over the points of log p(x_n), natural logarithm.
    """
    joint = log_joint(X, weights, means, covariances)
    marginal = logsumexp(joint, axis=1)
    return np.exp(joint - marginal[:, None]), float(marginal.sum())


def m_step(X, responsibilities, reg_covar=0.0, kind="full"):
    """Parameters of greatest expected log likelihood (Bishop 2006, eqs. 9.24 to 9.26).

    Parameters
    ----------
    X : ndarray, shape (N, d)
    responsibilities : ndarray, shape (N, K)
    reg_covar : float
        Added to each variance, in the squared unit of the data, so that none falls to zero.
    kind : {"full", "tied", "diag", "spherical"}
        The kind of covariance: see `gradem.families`.

    Returns
    -------
    weights : ndarray, shape (K,)
    means : ndarray, shape (K, d)
    covariances : ndarray, shape (K, d, d), (d, d), (K, d) or (K,)

    Raises
    ------
    ValueError
        If a component has lost all its points.
    """
    counts = responsibilities.sum(axis=0)
    if not np.all(counts > 0):
        raise ValueError(empty(int(np.argmin(counts))))
    fits = [gaussian.fit(X, column, "full" if kind == "tied" else kind)
            for column in responsibilities.T]
    means = np.stack([mean for mean, _ in fits])
    covariances = np.stack([covariance for _, covariance in fits])
    if kind == "tied":
        covariances = np.average(covariances, axis=0, weights=counts)
    return counts / counts.sum(), means, FAMILIES[kind].regularised(covariances, reg_covar)


# ---- the estimator ------------------------------------------------------------------------


class GaussianMixture(Estimator):
    """A Gaussian mixture fitted by EM, with the names of scikit-learn's GaussianMixture.

    From the same start it makes the same iterations as scikit-learn's. Besides it takes sample
    weights and data larger than memory, keeps the history of its parameters, and can
    accelerate EM.

    Parameters
    ----------
    n_components : int
        Number K of Gaussians.
    covariance_type : {"full", "tied", "diag", "spherical"}
        A matrix for each component, one matrix for all, variances, or one variance each.
    tol : float
        EM stops when an iteration changes the mean log likelihood of a point by less; with 0
        it makes all `max_iter` iterations.
    reg_covar : float
        Added to each variance, in the squared unit of the data, so that no component
        collapses onto a point. Data in very small units need a smaller one.
    max_iter : int
        Most iterations of EM.
    n_init : int
        Number of starts; the result of greatest likelihood is kept.
    init_params : {"kmeans", "k-means++", "random", "random_from_data"}
        How responsibilities are found to start from: the clusters of k-means; points chosen by
        its k-means++ start, one for each component; at random; points chosen at random. From
        more than 100 000 points so many are drawn for it.
    weights_init, means_init, precisions_init : array_like, optional
        A start of your own, of the shapes of `weights_`, `means_` and `precisions_`. What is
        not given comes from `init_params`.
    random_state : int or numpy.random.Generator, optional
        Seed of the starts and of `sample`.
    warm_start : bool
        Does `fit` go on from the last fit, if there is one?
    accelerate : bool
        Extrapolate the iterations of EM (see `gradem.acceleration`)? Where components overlap
        this saves most of them. The likelihood still never falls.

    Attributes
    ----------
    weights_, means_ : ndarray, shapes (K,), (K, d)
    covariances_ : ndarray, shape (K, d, d), (d, d), (K, d) or (K,) by `covariance_type`
    precisions_ : ndarray, of the shape of `covariances_`
        The inverses of the covariances.
    precisions_cholesky_ : ndarray, of the shape of `covariances_`
        The upper triangular U in P = U U^T; square roots where P is no matrix.
    converged_ : bool
    n_iter_ : int
        Iterations made from the best start.
    lower_bound_ : float
        Mean log likelihood of a point at the last E step, which came before the last M step.
    lower_bounds_ : list of float
        The same at the E step of each iteration from the best start.
    history_ : list
        States (weights, means, covariances, log_likelihood) at the best start and after each of its
        iterations: ``history_[0]`` is the start, ``history_[n_iter_]`` the result.
    n_passes_ : int
        How often all points were looked at from the best start.
    n_features_in_ : int

    Examples
    --------
    >>> from gradem.datasets import old_faithful
    >>> mixture = GaussianMixture(2, random_state=0).fit(old_faithful())
    >>> sorted(mixture.means_[:, 1].round(1).tolist())
    [54.5, 80.0]
    """

    kind = "density_estimator"

    def __init__(self, n_components=1, *, covariance_type="full", tol=1e-3, reg_covar=1e-6,
                 max_iter=100, n_init=1, init_params="kmeans", weights_init=None,
                 means_init=None, precisions_init=None, random_state=None, warm_start=False,
                 accelerate=False):
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.tol = tol
        self.reg_covar = reg_covar
        self.max_iter = max_iter
        self.n_init = n_init
        self.init_params = init_params
        self.weights_init = weights_init
        self.means_init = means_init
        self.precisions_init = precisions_init
        self.random_state = random_state
        self.warm_start = warm_start
        self.accelerate = accelerate

    # -- fitting --

    def fit(self, X, y=None, sample_weight=None):
        """Fit the mixture to points.

        Parameters
        ----------
        X : array_like, shape (N, d); sequence of arrays, shapes (n, d); or Dask array
            The points; see `gradem.blocks.Points` for more than fit into memory.
        y : ignored
            For pipelines that hand over labels.
        sample_weight : like X without the columns, optional
            How often each point counts; once by default.

        Returns
        -------
        GaussianMixture
            Itself.

        Raises
        ------
        ValueError
            If parameters or points cannot be used, or a component collapses or empties; the
            text says what to do.

        Warns
        -----
        ConvergenceWarning
            If `max_iter` iterations were not enough.
        """
        self._check_parameters()
        points = Points(X, sample_weight)
        if points.n_points < self.n_components:
            raise ValueError(f"{self.n_components} components cannot be fitted to "
                             f"{points.n_points} points: use more points, or fewer components")
        if self.warm_start and hasattr(self, "weights_"):
            starts = [self._last_fit(points)]
        else:
            rng = generator(self.random_state)
            starts = (self._start(points, rng) for _ in range(self.n_init))
        climbs = [self._climb(points, start) for start in starts]
        best = max(climbs, key=lambda climb: climb.bounds[-1])
        self.history_, self.converged_ = best.history, best.converged
        self.lower_bound_, self.lower_bounds_ = best.bounds[-1], best.bounds[1:]
        self.n_iter_, self.n_passes_ = len(best.history) - 1, best.n_passes
        self.n_features_in_ = points.n_features
        family = self._family
        self.weights_, self.means_, self.covariances_ = (
            array.astype(points.dtype) for array in best.history[-1][:3])
        factors = family.precision_factors(best.history[-1].covariances)
        if family.name in ("full", "tied"):
            factors = np.triu(factors)                 # without what rounding left below
        self.precisions_cholesky_ = factors.astype(points.dtype)
        self.precisions_ = family.precisions(factors).astype(points.dtype)
        if not self.converged_:
            warnings.warn(
                f"EM stopped after max_iter={self.max_iter} iterations while the likelihood still "
                "changed by more than tol: raise max_iter or tol, and look at history_",
                ConvergenceWarning, stacklevel=2)
        return self

    def _climb(self, points, parameters):
        """EM from one start."""
        expectation = Expectation(self._family, points, self.n_components)
        accelerated = Anderson(self._family) if self.accelerate else None
        step, sums = expectation(parameters)
        climb = _Climb([State(*parameters, sums.log_likelihood)])
        for _ in range(self.max_iter):
            climb.bounds.append(sums.log_likelihood / points.weight)
            parameters = step.step(sums, self.reg_covar)
            if accelerated is None:
                step, sums = expectation(parameters)
            else:
                parameters, step, sums = accelerated.advance(climb.history[-1], parameters,
                                                             expectation)
            climb.history.append(State(*parameters, sums.log_likelihood))
            if abs(climb.bounds[-1] - climb.bounds[-2]) < self.tol:
                climb.converged = True
                break
        climb.n_passes = expectation.n_passes
        return climb

    def _start(self, points, rng):
        """The parameters before the first E step: what the user gave, the rest by default."""
        K, d, family = self.n_components, points.n_features, self._family
        given = (self.weights_init, self.means_init, self.precisions_init)
        if all(part is not None for part in given):
            weights, means, covariances = np.empty(K), np.empty((K, d)), np.empty(
                family.shape(K, d))
        else:
            weights, means, covariances = m_step(*self._first_guess(points, rng), self.reg_covar,
                                                 family.name)
        weights = _given("weights_init", self.weights_init, weights)
        means = _given("means_init", self.means_init, means)
        if np.any(weights < 0) or abs(weights.sum() - 1) > 1e-8:
            raise ValueError(f"weights_init={weights.tolist()} must not be negative and must sum "
                             "to one: divide positive weights by their sum")
        if self.precisions_init is None:
            return weights, means, covariances
        precisions = _given("precisions_init", self.precisions_init, covariances)
        try:
            for precision in family.of_components(precisions, K):
                gaussian.factor(precision)
        except ValueError as error:
            raise ValueError("precisions_init must hold inverses of covariances, symmetric and "
                             f"positive definite ({error})") from None
        return weights, means, family.precisions(family.precision_factors(precisions))

    def _last_fit(self, points):
        """The parameters of the last fit, if they are of the form that is asked for now."""
        K, d = self.n_components, points.n_features
        if self.means_.shape != (K, d) or self.covariances_.shape != self._family.shape(K, d):
            raise ValueError(
                f"warm_start=True goes on from the last fit, with means of shape "
                f"{self.means_.shape} and covariances of shape {self.covariances_.shape}, but "
                f"n_components, covariance_type and the columns of X call for {(K, d)} and "
                f"{self._family.shape(K, d)}: set warm_start=False")
        return self.weights_, self.means_, self._covariances

    def _first_guess(self, points, rng):
        """Points, and responsibilities for them to start from."""
        K = self.n_components
        X, sample_weight = points.some(FIRST_GUESS, rng)
        N = len(X)
        if N < K:
            raise ValueError(f"{K} components cannot be fitted to {N} points of positive weight: "
                             "use more points, or fewer components")
        if self.init_params == "random":
            R = rng.uniform(size=(N, K))
            R /= R.sum(axis=1, keepdims=True)
        else:
            if self.init_params == "kmeans":
                clusters = KMeans(K, n_init=1, random_state=rng).fit(X, sample_weight=sample_weight)
                rows, labels = np.arange(N), clusters.labels_
            elif self.init_params == "k-means++":
                rows, labels = kmeans_plusplus(X, K, rng)[1], np.arange(K)
            else:
                rows, labels = rng.choice(N, size=K, replace=False), np.arange(K)
            R = np.zeros((N, K))
            R[rows, labels] = 1.0
        return X, R * sample_weight[:, None]

    @property
    def _family(self):
        return FAMILIES[self.covariance_type]

    @property
    def _covariances(self):
        """The covariances to compute with.

        Rounded to float32, the covariance of a thin component may be singular; its factor is not.
        """
        if self.covariances_.dtype == np.float32:
            return self._family.from_factors(self.precisions_cholesky_.astype(float))
        return self.covariances_

    def _check_parameters(self):
        """Refuse parameters that cannot be meant, with what can."""
        for name, allowed in [("covariance_type", tuple(FAMILIES)), ("init_params", STARTS)]:
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name}={getattr(self, name)!r} is not available: use one of "
                                 f"{', '.join(map(repr, allowed))}")
        for name, kind, least in [("n_components", Integral, 1), ("n_init", Integral, 1),
                                  ("max_iter", Integral, 0), ("tol", Real, 0),
                                  ("reg_covar", Real, 0)]:
            require_number(name, getattr(self, name), kind, least)

    # -- using the fit --

    def fit_predict(self, X, y=None, sample_weight=None):
        """Fit the mixture and return the component of greatest responsibility, shape (N,)."""
        return self.fit(X, sample_weight=sample_weight).predict(X)

    def predict_proba(self, X):
        """Responsibilities of the components for the points, shape (N, K)."""
        return self._for_each_point(X, lambda joint: softmax(joint)[0].T)

    def predict(self, X):
        """The component of greatest responsibility for each point, shape (N,)."""
        return self._for_each_point(X, lambda joint: joint.argmax(axis=0))

    def score_samples(self, X):
        """Logarithm of the mixture's density at each point, shape (N,)."""
        return self._for_each_point(X, lambda joint: softmax(joint)[1])

    def score(self, X, y=None):
        """Mean log likelihood of a point: the total divided by N."""
        return float(self.score_samples(X).mean())

    def sample(self, n_samples=1):
        """Points drawn from the mixture, and the components they come from.

        Parameters
        ----------
        n_samples : int

        Returns
        -------
        X : ndarray, shape (n_samples, d)
        labels : ndarray of int, shape (n_samples,)
            In ascending order: shuffle the points together with them if order matters.
        """
        self._require_fit("means_", None)
        if not (isinstance(n_samples, Integral) and n_samples >= 1):
            raise ValueError(f"n_samples={n_samples!r} must be a whole number that is at least 1")
        rng = generator(self.random_state)
        weights = self.weights_.astype(float)
        sizes = rng.multinomial(n_samples, weights / weights.sum())
        covariances = self._family.of_components(self._covariances, len(sizes))
        X = np.concatenate([gaussian.sample(mean, covariance, size, rng) for mean, covariance, size
                            in zip(self.means_, covariances, sizes)])
        return X, np.repeat(np.arange(len(sizes)), sizes)

    def aic(self, X):
        """Akaike's criterion, smaller is better: 2 (parameters) - 2 log likelihood."""
        log_likelihood = float(self.score_samples(X).sum())
        return 2 * self._n_parameters() - 2 * log_likelihood

    def bic(self, X):
        """Bayes' criterion, smaller is better: log(N) (parameters) - 2 log likelihood."""
        log_densities = self.score_samples(X)
        log_likelihood = float(log_densities.sum())
        return self._n_parameters() * float(np.log(len(log_densities))) - 2 * log_likelihood

    def _n_parameters(self):
        """Free numbers: weights that sum to one, means, covariances."""
        K, d = self.means_.shape
        return (K - 1) + K * d + self._family.free_numbers(K, d)

    def _for_each_point(self, X, task):
        """Join what task(log joint density, shape (K, n)) returns for the blocks of X."""
        self._require_fit("means_", None)
        X, d = finite(table(X)), self.means_.shape[1]
        self._require_fit("means_", X)
        parameters = (array.astype(float) for array in
                      (self.weights_, self.means_, self._covariances))
        step = Pass(self._family, *parameters, np.zeros(d), None)
        return np.concatenate([task(step.log_joint(part)) for part, _ in
                               slices(self._family, self.n_components, X, None)])


class _Climb:
    """What EM did from one start."""

    def __init__(self, history):
        self.history, self.bounds = history, [-np.inf]
        self.converged, self.n_passes = False, 0


# ---- input ----------------------------------------------------------------------------------


def _given(name, given, default):
    """The user's array, if there is one, of the shape of the default."""
    if given is None:
        return default
    given = np.array(given, dtype=float)
    if given.shape != default.shape:
        raise ValueError(f"{name} has shape {given.shape}, but n_components and the columns of X "
                         f"call for {default.shape}")
    if not np.isfinite(given).all():
        raise ValueError(f"{name} holds NaN or infinite entries")
    return given
