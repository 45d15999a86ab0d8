"""The multivariate Gaussian: its density, its samples, its maximum likelihood, its ellipse.

    N(x | mu, Sigma) = (2 pi)^(-d/2) |Sigma|^(-1/2) exp(-(x - mu)^T Sigma^-1 (x - mu) / 2)

(Bishop, Pattern Recognition and Machine Learning, 2006, section 2.3). All of it goes
through the Cholesky factor, Sigma = L L^T with L lower triangular: z = L^-1 (x - mu) has
(x - mu)^T Sigma^-1 (x - mu) = z^T z, the determinant is the squared product of L's
diagonal, and mu + L z is a sample when z is standard normal. No inverse is formed, no
determinant can underflow.
"""

import numpy as np
from scipy.linalg import solve_triangular


def log_density(X, mean, covariance):
    """Logarithm of the density at each point.

    Parameters
    ----------
    X : ndarray, shape (N, d)
    mean : ndarray, shape (d,)
    covariance : ndarray, shape (d, d)
        Symmetric and positive definite.

    Returns
    -------
    ndarray, shape (N,)
        Natural logarithms. They are positive where the density exceeds one.

    Raises
    ------
    ValueError
        If the covariance is not symmetric positive definite.
    """
    L = cholesky(covariance)
    z = solve_triangular(L, (X - mean).T, lower=True)
    half_log_determinant = np.log(np.diagonal(L)).sum()
    return -0.5 * (z * z).sum(axis=0) - half_log_determinant - 0.5 * len(L) * np.log(2 * np.pi)


def cholesky(covariance):
    """The lower triangular L with L L^T = covariance.

    Raises
    ------
    ValueError
        If there is none: the covariance is not symmetric positive definite.
    """
    covariance = np.asarray(covariance, dtype=float)
    if not np.allclose(covariance, covariance.T):
        raise ValueError("a covariance matrix must be symmetric")
    try:
        return np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        raise ValueError(
            "the covariance is not positive definite: the points it was estimated from lie in "
            "one place, on a line or in a plane; use more points, or add a small number such as "
            "1e-6 to its diagonal") from None


def sample(mean, covariance, size, rng):
    """Points drawn at random.

    Parameters
    ----------
    mean : ndarray, shape (d,)
    covariance : ndarray, shape (d, d)
    size : int
        Number N of points.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (N, d)
    """
    z = rng.normal(size=(size, len(mean)))
    return mean + z @ cholesky(covariance).T


def fit(X, weights=None):
    """Mean and covariance of greatest likelihood (Bishop 2006, section 2.3.4).

    Setting the derivatives of sum_n r_n log N(x_n | mu, Sigma) to zero gives the weighted
    mean and the weighted mean of (x - mu)(x - mu)^T: divided by the sum of the weights,
    not by N - 1.

    Parameters
    ----------
    X : ndarray, shape (N, d)
    weights : ndarray, shape (N,), optional
        How often each point counts; once by default.

    Returns
    -------
    mean : ndarray, shape (d,)
    covariance : ndarray, shape (d, d)
    """
    weights = np.ones(len(X)) if weights is None else weights
    share = weights / weights.sum()
    mean = share @ X
    deviation = X - mean
    return mean, (share[:, None] * deviation).T @ deviation


def ellipse(mean, covariance, deviations=1.0, points=100):
    """The curve on which a point is so many standard deviations away from the mean.

    The eigenvectors of the covariance are the axes of the ellipse, and the square roots of
    its eigenvalues their half lengths (not the eigenvalues themselves: those are variances).

    Parameters
    ----------
    mean : ndarray, shape (2,)
    covariance : ndarray, shape (2, 2)
    deviations : float
    points : int
        Number of corners of the polygon; the last is the first again.

    Returns
    -------
    ndarray, shape (points, 2)
    """
    variances, axes = np.linalg.eigh(covariance)
    angle = np.linspace(0.0, 2 * np.pi, points)
    circle = np.stack([np.cos(angle), np.sin(angle)])
    return mean + deviations * (axes @ (np.sqrt(variances)[:, None] * circle)).T
