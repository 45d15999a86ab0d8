"""Gaussian mixtures and EM, with scikit-learn's interface.

A mixture says that each point comes from one of K Gaussians, and does not say from which:

    p(x) = sum_k p_k N(x | mu_k, Sigma_k).

EM climbs its likelihood in two steps (Dempster, Laird and Rubin 1977; Bishop 2006, section
9.2). The E step computes the responsibilities P(y = k | x) under the present parameters. The
M step fits each Gaussian to all points by maximum likelihood, where a point counts as much as
its responsibility says. No iteration lowers the likelihood.
"""

import warnings
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

from gradem import gaussian


class ConvergenceWarning(UserWarning):
    """EM stopped at its last iteration while the likelihood still rose."""


class State(NamedTuple):
    """The parameters of a mixture, and the log likelihood of the points under them."""

    weights: np.ndarray           # (K,)
    means: np.ndarray             # (K, d)
    covariances: np.ndarray       # (K, d, d)
    log_likelihood: float         # sum over the points, natural logarithm


# ---- the two steps ------------------------------------------------------------------------


def log_joint(X, weights, means, covariances):
    """Logarithm of P(y = k) p(x | y = k) for each point and component.

    Parameters
    ----------
    X : ndarray, shape (N, d)
    weights : ndarray, shape (K,)
    means : ndarray, shape (K, d)
    covariances : ndarray, shape (K, d, d)

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


def m_step(X, responsibilities, reg_covar=0.0):
    """Parameters of greatest expected log likelihood (Bishop 2006, eqs. 9.24 to 9.26).

    Parameters
    ----------
    X : ndarray, shape (N, d)
    responsibilities : ndarray, shape (N, K)
    reg_covar : float
        Added to each variance, in the squared unit of the data, so that none falls to zero.

    Returns
    -------
    weights : ndarray, shape (K,)
    means : ndarray, shape (K, d)
    covariances : ndarray, shape (K, d, d)

    Raises
    ------
    ValueError
        If a component has lost all its points.
    """
    counts = responsibilities.sum(axis=0)
    if not np.all(counts > 0):
        raise ValueError(f"component {int(np.argmin(counts))} is empty: it has no responsibility "
                         "for any point. Use fewer components, or another start")
    fits = [gaussian.fit(X, column) for column in responsibilities.T]
    means = np.stack([mean for mean, _ in fits])
    covariances = np.stack([covariance for _, covariance in fits])
    return counts / len(X), means, covariances + reg_covar * np.eye(X.shape[1])


# ---- the estimator ------------------------------------------------------------------------


class GaussianMixture:
    """A Gaussian mixture fitted by EM, with the names of scikit-learn's GaussianMixture.

    From the same start (`weights_init`, `means_init`, `precisions_init`) it makes the same
    iterations. Without one it starts elsewhere: see `init_params`.

    Parameters
    ----------
    n_components : int
        Number K of Gaussians.
    covariance_type : {"full"}
        Each component has a covariance matrix of its own.
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
    init_params : {"random_from_data"}
        The means start at K of the points, drawn at random, with equal weights and the
        covariance of all points. (scikit-learn's default is "kmeans".)
    weights_init, means_init, precisions_init : array_like, optional
        A start of your own, shapes (K,), (K, d) and (K, d, d); a precision is the inverse of
        a covariance. What is not given comes from `init_params`.
    random_state : int or numpy.random.Generator, optional
        Seed of the starts and of `sample`.

    Attributes
    ----------
    weights_, means_, covariances_ : ndarray, shapes (K,), (K, d), (K, d, d)
    precisions_, precisions_cholesky_ : ndarray, shape (K, d, d)
        The inverses of the covariances, P = U U^T, and the upper triangular U.
    converged_ : bool
    n_iter_ : int
        Iterations made from the best start.
    lower_bound_ : float
        Mean log likelihood of a point at the last E step, which came before the last M step.
    history_ : list of State
        (weights, means, covariances, log_likelihood) at the best start and after each of its
        iterations: ``history_[0]`` is the start, ``history_[n_iter_]`` the result.

    Examples
    --------
    >>> from gradem.datasets import old_faithful
    >>> mixture = GaussianMixture(2, random_state=0).fit(old_faithful())
    >>> sorted(mixture.means_[:, 1].round(1).tolist())
    [54.5, 80.0]
    """

    def __init__(self, n_components=1, *, covariance_type="full", tol=1e-3, reg_covar=1e-6,
                 max_iter=100, n_init=1, init_params="random_from_data", weights_init=None,
                 means_init=None, precisions_init=None, random_state=None):
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

    # -- fitting --

    def fit(self, X, y=None):
        """Fit the mixture to points.

        Parameters
        ----------
        X : array_like, shape (N, d)
        y : ignored
            For pipelines that hand over labels.

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
        X = _as_points(X)
        if len(X) < self.n_components:
            raise ValueError(f"{self.n_components} components cannot be fitted to {len(X)} points: "
                             "use more points, or fewer components")
        rng = np.random.default_rng(self.random_state)
        climbs = [self._climb(X, self._start(X, rng)) for _ in range(self.n_init)]
        self.history_, self.lower_bound_, self.converged_ = max(climbs, key=lambda climb: climb[1])
        self.n_iter_ = len(self.history_) - 1
        self.weights_, self.means_, self.covariances_, _ = self.history_[-1]
        self.precisions_cholesky_ = np.stack(
            [gaussian.inverse_factor(covariance) for covariance in self.covariances_])
        self.precisions_ = np.stack([U @ U.T for U in self.precisions_cholesky_])
        if not self.converged_:
            warnings.warn(
                f"EM stopped after max_iter={self.max_iter} iterations while the likelihood still "
                "changed by more than tol: raise max_iter or tol, and look at history_",
                ConvergenceWarning, stacklevel=2)
        return self

    def _climb(self, X, start):
        """EM from one start: its history, its lower bound, and whether it converged."""
        responsibilities, log_likelihood = e_step(X, *start)
        history, bound = [State(*start, log_likelihood)], -np.inf
        for _ in range(self.max_iter):
            previous, bound = bound, log_likelihood / len(X)
            parameters = m_step(X, responsibilities, self.reg_covar)
            responsibilities, log_likelihood = e_step(X, *parameters)
            history.append(State(*parameters, log_likelihood))
            if abs(bound - previous) < self.tol:
                return history, bound, True
        return history, bound, False

    def _start(self, X, rng):
        """The parameters before the first E step: what the user gave, the rest by default."""
        K, d = self.n_components, X.shape[1]
        drawn = X[rng.choice(len(X), size=K, replace=False)]
        weights = _given("weights_init", self.weights_init, np.full(K, 1 / K))
        means = _given("means_init", self.means_init, drawn)
        if np.any(weights < 0) or abs(weights.sum() - 1) > 1e-8:
            raise ValueError(f"weights_init={weights.tolist()} must not be negative and must sum "
                             "to one: divide positive weights by their sum")
        if self.precisions_init is None:
            _, covariance = gaussian.fit(X)
            return weights, means, np.tile(covariance + self.reg_covar * np.eye(d), (K, 1, 1))
        precisions = _given("precisions_init", self.precisions_init, np.empty((K, d, d)))
        try:
            factors = [gaussian.inverse_factor(precision) for precision in precisions]
        except ValueError as error:
            raise ValueError("precisions_init must hold symmetric positive definite matrices, the "
                             f"inverses of covariances ({error})") from None
        return weights, means, np.stack([U @ U.T for U in factors])

    def _check_parameters(self):
        """Refuse parameters that cannot be meant, with what can."""
        if self.covariance_type != "full":
            raise ValueError(f"covariance_type={self.covariance_type!r} is not available here: "
                             "use 'full', a covariance matrix for each component")
        if self.init_params != "random_from_data":
            raise ValueError(f"init_params={self.init_params!r} is not available here: gradem has "
                             "no k-means or other start yet. Use 'random_from_data', or give "
                             "means_init a start of your own")
        for name, kind, least in [("n_components", Integral, 1), ("n_init", Integral, 1),
                                  ("max_iter", Integral, 1), ("tol", Real, 0),
                                  ("reg_covar", Real, 0)]:
            value = getattr(self, name)
            if not (isinstance(value, kind) and value >= least):
                what = "a whole number" if kind is Integral else "a number"
                raise ValueError(f"{name}={value!r} must be {what} that is at least {least}")

    # -- using the fit --

    def fit_predict(self, X, y=None):
        """Fit the mixture and return the component of greatest responsibility, shape (N,)."""
        return self.fit(X).predict(X)

    def predict_proba(self, X):
        """Responsibilities of the components for the points, shape (N, K)."""
        return e_step(self._points(X), self.weights_, self.means_, self.covariances_)[0]

    def predict(self, X):
        """The component of greatest responsibility for each point, shape (N,)."""
        return self._log_joint(X).argmax(axis=1)

    def score_samples(self, X):
        """Logarithm of the mixture's density at each point, shape (N,)."""
        return logsumexp(self._log_joint(X), axis=1)

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
        self._require_fit()
        if not (isinstance(n_samples, Integral) and n_samples >= 1):
            raise ValueError(f"n_samples={n_samples!r} must be a whole number that is at least 1")
        rng = np.random.default_rng(self.random_state)
        sizes = rng.multinomial(n_samples, self.weights_)
        X = np.concatenate([gaussian.sample(mean, covariance, size, rng) for mean, covariance, size
                            in zip(self.means_, self.covariances_, sizes)])
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
        """Free numbers: weights that sum to one, means, symmetric covariances."""
        K, d = self.means_.shape
        return (K - 1) + K * d + K * d * (d + 1) // 2

    def _log_joint(self, X):
        return log_joint(self._points(X), self.weights_, self.means_, self.covariances_)

    def _points(self, X):
        """X as the points of a fitted mixture."""
        self._require_fit()
        X, d = _as_points(X), self.means_.shape[1]
        if X.shape[1] != d:
            raise ValueError(f"X has {X.shape[1]} columns, but the mixture was fitted to {d}: give "
                             "the same features in the same order")
        return X

    def _require_fit(self):
        if not hasattr(self, "means_"):
            raise ValueError("this GaussianMixture is not fitted yet: call fit(X) first")


# ---- input ----------------------------------------------------------------------------------


def _as_points(X):
    """X as a matrix of finite floats."""
    try:
        X = np.asarray(X)
        if X.dtype.kind == "c":
            raise ValueError("X is complex")
        X = X.astype(float)
    except (TypeError, ValueError):
        raise ValueError("X must be a table of real numbers with a row for each point, all rows of "
                         "the same length: turn text and dates into numbers first") from None
    if X.ndim != 2:
        raise ValueError(f"X has shape {X.shape}, but it must have a row for each point and a "
                         "column for each feature: reshape a single feature with "
                         "X.reshape(-1, 1), a single point with X.reshape(1, -1)")
    if X.size == 0:
        raise ValueError(f"X has shape {X.shape}: it holds no numbers")
    if not np.isfinite(X).all():
        row, column = np.argwhere(~np.isfinite(X))[0]
        raise ValueError(f"X[{row}, {column}] is {X[row, column]}: remove the points with missing "
                         "or infinite entries, or fill them in")
    return X


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
