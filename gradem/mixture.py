"""Gaussian mixtures and EM, with scikit-learn's interface.

A mixture says that each point comes from one of K Gaussians, nobody tells which:

    p(x) = sum_k p_k N(x | mu_k, Sigma_k).

EM climbs the likelihood in two steps (Dempster, Laird and Rubin 1977; Bishop 2006, section
9.2). The E step computes the responsibilities P(y = k | x) under the present parameters, the
M step fits each Gaussian to the points by maximum likelihood, each point counting by its
responsibility. No step lowers the likelihood.
"""

import warnings
from typing import NamedTuple

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import logsumexp

from gradem import gaussian


class ConvergenceWarning(UserWarning):
    """EM stopped at its last iteration while the likelihood still rose."""


class State(NamedTuple):
    """The parameters of a mixture, and the log likelihood they give."""

    weights: np.ndarray           # (K,)
    means: np.ndarray             # (K, d)
    covariances: np.ndarray       # (K, d, d)
    log_likelihood: float         # total, natural logarithm


# ---- the two steps ------------------------------------------------------------


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
    for k, (weight, mean, covariance) in enumerate(zip(weights, means, covariances)):
        try:
            columns.append(np.log(weight) + gaussian.log_density(X, mean, covariance))
        except ValueError as error:
            raise ValueError(
                f"component {k} has collapsed: {error}. Here: give a larger reg_covar, another "
                "start, or fewer components") from None
    return np.stack(columns, axis=1)


def e_step(X, weights, means, covariances):
    """Responsibilities of the components for the points (Bishop 2006, eq. 9.23).

    Everything stays in logarithms until the last step, so that points far from all
    components, whose densities are zero as floats, still have responsibilities.

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
    """Parameters of greatest expected likelihood (Bishop 2006, eqs. 9.24 to 9.26).

    Parameters
    ----------
    X : ndarray, shape (N, d)
    responsibilities : ndarray, shape (N, K)
    reg_covar : float
        Added to the diagonal of each covariance, so that none collapses.

    Returns
    -------
    weights : ndarray, shape (K,)
    means : ndarray, shape (K, d)
    covariances : ndarray, shape (K, d, d)

    Raises
    ------
    ValueError
        If a component has no points left.
    """
    counts = responsibilities.sum(axis=0)
    if not np.all(counts > 0):
        raise ValueError(
            f"component {int(np.argmin(counts))} has no points left: its responsibilities are all "
            "zero. Give another start, or fewer components")
    fits = [gaussian.fit(X, column) for column in responsibilities.T]
    means = np.stack([mean for mean, _ in fits])
    covariances = np.stack([covariance for _, covariance in fits])
    return counts / len(X), means, covariances + reg_covar * np.eye(X.shape[1])


# ---- the estimator --------------------------------------------------------------


class GaussianMixture:
    """A Gaussian mixture fitted by EM; swap the import, and it stands in for scikit-learn's.

    Parameters
    ----------
    n_components : int
        Number K of Gaussians.
    covariance_type : {"full"}
        Each component has a covariance matrix of its own.
    tol : float
        EM stops when the mean log likelihood of a point rises by less.
    reg_covar : float
        Added to the variances, so that no component collapses onto a point.
    max_iter : int
        Most iterations of EM.
    n_init : int
        Number of starts; the best result is kept.
    init_params : {"random_from_data"}
        Means start at K points drawn at random, with the covariance of all the data.
    weights_init, means_init, precisions_init : array_like, optional
        A start of your own, shapes (K,), (K, d) and (K, d, d); a precision is the inverse
        of a covariance. What is not given comes from `init_params`.
    random_state : int or numpy.random.Generator, optional
        Seed of the starts and of `sample`.

    Attributes
    ----------
    weights_, means_, covariances_ : ndarray, shapes (K,), (K, d), (K, d, d)
    precisions_, precisions_cholesky_ : ndarray, shape (K, d, d)
        Inverses of the covariances, P = U U^T, and the upper triangular U.
    converged_ : bool
    n_iter_ : int
    lower_bound_ : float
        Mean log likelihood of a point at the last E step, natural logarithm.
    history_ : list of State
        Parameters and log likelihood before each iteration of the best start, and after
        the last one.
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
        """Fit the mixture to the points.

        Parameters
        ----------
        X : array_like, shape (N, d)
        y : ignored

        Returns
        -------
        GaussianMixture
            Itself.

        Raises
        ------
        ValueError
            If parameters or data cannot be used, or a component collapses; the text says
            what to do.
        """
        self._check_parameters()
        X = _checked(X)
        if len(X) < self.n_components:
            raise ValueError(f"{len(X)} points cannot be shared by {self.n_components} components: "
                             "give more points, or fewer components")
        rng = np.random.default_rng(self.random_state)
        runs = [self._climb(X, self._start(X, rng)) for _ in range(self.n_init)]
        history, self.converged_, self.lower_bound_ = max(runs, key=lambda run: run[2])
        self.history_ = history
        self.n_iter_ = len(history) - 1
        self.weights_, self.means_, self.covariances_, _ = history[-1]
        self.precisions_cholesky_ = np.stack([
            solve_triangular(gaussian.cholesky(covariance), np.eye(X.shape[1]), lower=True).T
            for covariance in self.covariances_])
        self.precisions_ = self.precisions_cholesky_ @ self.precisions_cholesky_.swapaxes(1, 2)
        if not self.converged_:
            warnings.warn(
                f"EM was stopped after {self.max_iter} iterations while the likelihood still rose: "
                "give a larger max_iter or tol, or look at history_", ConvergenceWarning,
                stacklevel=2)
        return self

    def _start(self, X, rng):
        """The parameters before the first E step."""
        K, d = self.n_components, X.shape[1]
        weights = np.full(K, 1 / K) if self.weights_init is None else np.array(self.weights_init)
        means = (X[rng.choice(len(X), size=K, replace=False)] if self.means_init is None
                 else np.array(self.means_init, dtype=float))
        if self.precisions_init is None:
            _, covariance = gaussian.fit(X)
            covariances = np.tile(covariance + self.reg_covar * np.eye(d), (K, 1, 1))
        else:
            covariances = np.linalg.inv(np.array(self.precisions_init, dtype=float))
        for name, given, shape in [("weights_init", weights, (K,)), ("means_init", means, (K, d)),
                                   ("precisions_init", covariances, (K, d, d))]:
            if given.shape != shape:
                raise ValueError(f"{name} has shape {given.shape}, but {K} components in {d} "
                                 f"dimensions need {shape}")
        return weights, means, covariances

    def _climb(self, X, parameters):
        """EM from one start: its history, whether it converged, and its lower bound."""
        responsibilities, log_likelihood = e_step(X, *parameters)
        history, bound, converged = [State(*parameters, log_likelihood)], -np.inf, False
        for _ in range(self.max_iter):
            before, bound = bound, log_likelihood / len(X)
            parameters = m_step(X, responsibilities, self.reg_covar)
            responsibilities, log_likelihood = e_step(X, *parameters)
            history.append(State(*parameters, log_likelihood))
            if abs(bound - before) < self.tol:
                converged = True
                break
        return history, converged, bound

    def _check_parameters(self):
        if self.covariance_type != "full":
            raise ValueError(f"covariance_type={self.covariance_type!r} is not available: "
                             "this version fits 'full' covariances only")
        if self.init_params != "random_from_data":
            raise ValueError(f"init_params={self.init_params!r} is not available: use "
                             "'random_from_data', or give means_init")
        for name, least in [("n_components", 1), ("max_iter", 1), ("n_init", 1),
                            ("tol", 0.0), ("reg_covar", 0.0)]:
            if not getattr(self, name) >= least:
                raise ValueError(f"{name}={getattr(self, name)!r} must be at least {least}")

    # -- using the fit --

    def fit_predict(self, X, y=None):
        """Fit the mixture, and return the component of greatest responsibility for each point."""
        return self.fit(X).predict(X)

    def predict_proba(self, X):
        """Responsibilities of the components, shape (N, K); each row sums to one."""
        joint = self._log_joint(X)
        return np.exp(joint - logsumexp(joint, axis=1, keepdims=True))

    def predict(self, X):
        """The component of greatest responsibility for each point, shape (N,)."""
        return self._log_joint(X).argmax(axis=1)

    def score_samples(self, X):
        """Logarithm of the mixture's density at each point, shape (N,)."""
        return logsumexp(self._log_joint(X), axis=1)

    def score(self, X, y=None):
        """Mean log likelihood of a point: the total divided by N, as in scikit-learn."""
        return float(self.score_samples(X).mean())

    def sample(self, n_samples=1):
        """Points drawn from the fitted mixture, and the components they come from.

        Returns
        -------
        X : ndarray, shape (n_samples, d)
        labels : ndarray of int, shape (n_samples,)
            In ascending order, as in scikit-learn.
        """
        self._require_fit()
        rng = np.random.default_rng(self.random_state)
        labels = np.repeat(np.arange(self.n_components), rng.multinomial(n_samples, self.weights_))
        X = np.concatenate([
            gaussian.sample(mean, covariance, int((labels == k).sum()), rng)
            for k, (mean, covariance) in enumerate(zip(self.means_, self.covariances_))])
        return X, labels

    def aic(self, X):
        """Akaike's criterion, smaller is better: 2 (parameters) - 2 log likelihood."""
        return 2 * self._n_parameters() - 2 * float(self.score_samples(X).sum())

    def bic(self, X):
        """Bayes' criterion, smaller is better: log(N) (parameters) - 2 log likelihood."""
        log_likelihoods = self.score_samples(X)
        return self._n_parameters() * np.log(len(log_likelihoods)) - 2 * float(log_likelihoods.sum())

    def _n_parameters(self):
        """Free numbers: weights that sum to one, means, symmetric covariances."""
        K, d = self.means_.shape
        return (K - 1) + K * d + K * d * (d + 1) // 2

    def _log_joint(self, X):
        self._require_fit()
        X = _checked(X)
        if X.shape[1] != self.means_.shape[1]:
            raise ValueError(f"X has {X.shape[1]} columns, but the mixture was fitted to "
                             f"{self.means_.shape[1]}")
        return log_joint(X, self.weights_, self.means_, self.covariances_)

    def _require_fit(self):
        if not hasattr(self, "means_"):
            raise ValueError("this GaussianMixture is not fitted yet: call fit(X) first")


def _checked(X):
    """X as a matrix of finite floats, or ValueError with what to do."""
    try:
        X = np.asarray(X, dtype=float)
    except (TypeError, ValueError):
        raise ValueError("X must be a table of numbers, one row for each point") from None
    if X.ndim != 2:
        raise ValueError(f"X has shape {X.shape}, but it must have two axes: a row for each point, "
                         "a column for each feature. A single feature is X.reshape(-1, 1), "
                         "a single point X.reshape(1, -1)")
    if X.size == 0:
        raise ValueError("X is empty: there is nothing to fit")
    if not np.isfinite(X).all():
        row, column = np.argwhere(~np.isfinite(X))[0]
        raise ValueError(f"X[{row}, {column}] is {X[row, column]}: remove or replace the points that "
                         "are missing or infinite")
    return X
