"""The multivariate Gaussian: its density, its samples, its maximum likelihood, its ellipse.

The density is ::

    N(x | mu, Sigma) = (2 pi)^(-d/2) |Sigma|^(-1/2) exp(-(x - mu)^T Sigma^-1 (x - mu) / 2)

(Bishop, Pattern Recognition and Machine Learning, 2006, section 2.3). All of it goes
through the Cholesky factor, Sigma = L L^T with L lower triangular: a Gaussian is mu + L z
with z standard normal. Then (x - mu)^T Sigma^-1 (x - mu) = z^T z, and ``log |Sigma|`` is twice
the sum of the logarithms on L's diagonal: the covariance is never inverted, and no
determinant underflows.

A covariance is a matrix, shape (d, d); or the variances of independent features, shape (d,),
for a diagonal matrix; or one variance, a number, for a multiple of the identity. Its factor is
of the same kind: a matrix, standard deviations, one standard deviation.
"""

import numpy as np
from scipy.linalg import solve_triangular


def cholesky(covariance):
    """The lower triangular L with L L^T = covariance.

    Parameters
    ----------
    covariance : array_like, shape (d, d)

    Returns
    -------
    ndarray, shape (d, d)

    Raises
    ------
    ValueError
        If there is none: the covariance is not symmetric positive definite.
    """
    covariance = np.asarray(covariance, dtype=float)
    if covariance.ndim != 2 or covariance.shape[0] != covariance.shape[1]:
        raise ValueError(f"a covariance must be a square matrix, but it has shape "
                         f"{covariance.shape}; a single variance v is [[v]]")
    if not np.isfinite(covariance).all():
        raise ValueError("the covariance holds NaN or infinite entries: look for them in the "
                         "points, or the sums, that it was computed from")
    # The factorisation reads only the lower triangle, so it would not notice.
    if np.abs(covariance - covariance.T).max() > 1e-9 * np.abs(covariance).max():
        raise ValueError("a covariance must be symmetric, but it differs from its transpose")
    try:
        return np.linalg.cholesky(covariance)
    except np.linalg.LinAlgError:
        raise ValueError(
            "the covariance has collapsed (it is not positive definite): the points behind it lie "
            "at one place, on a line or in a plane. Add a small variance to its diagonal, as "
            "reg_covar does, or use more points or fewer features; for a mixture also try "
            "another start or fewer components") from None


def inverse_factor(covariance):
    """The upper triangular U with U U^T = inverse of the covariance; U = L^-T.

    Parameters, result and errors are those of `cholesky`.
    """
    L = cholesky(covariance)
    return solve_triangular(L, np.eye(len(L)), lower=True).T


def factor(covariance):
    """The factor L of a covariance of any kind, L L^T = covariance, of the same kind.

    Parameters
    ----------
    covariance : array_like, shape (d, d), (d,) or ()

    Returns
    -------
    ndarray, shape (d, d), (d,) or ()
        The Cholesky factor, the standard deviations, or the standard deviation.

    Raises
    ------
    ValueError
        If the covariance is not symmetric positive definite, or a variance not positive.
    """
    covariance = np.asarray(covariance, dtype=float)
    if covariance.ndim > 1:
        return cholesky(covariance)
    if not np.isfinite(covariance).all():
        raise ValueError("the variances hold NaN or infinite entries: look for them in the "
                         "points, or the sums, that they were computed from")
    if not np.all(covariance > 0):
        raise ValueError(
            f"the covariance has collapsed: a variance is {covariance.min():g}, so the points "
            "behind it lie at one place, at least in one feature. Add a small variance, as "
            "reg_covar does, or use more points or fewer features; for a mixture also try "
            "another start or fewer components")
    return np.sqrt(covariance)


def whiten(L, deviation):
    """z = L^-1 (x - mu): the deviations in units of the Gaussian, one column a point.

    Parameters
    ----------
    L : ndarray, shape (d, d), (d,) or ()
        A factor of the covariance.
    deviation : ndarray, shape (d, N)
        x - mu for each point.

    Returns
    -------
    ndarray, shape (d, N)
    """
    if L.ndim == 2:
        return solve_triangular(L, deviation, lower=True)
    return deviation / (L[:, None] if L.ndim else L)


def log_determinant(L, d):
    """log det L, half of log det of the covariance, for d features."""
    if L.ndim == 2:
        return np.log(np.diagonal(L)).sum()
    return np.log(L).sum() * (1 if L.ndim else d)


def log_density(X, mean, covariance):
    """Logarithm of the density at each point.

    With z = L^-1 (x - mu) it is -(z^T z + d log(2 pi)) / 2 - log det L.

    Parameters
    ----------
    X : array_like, shape (N, d)
    mean : array_like, shape (d,)
    covariance : array_like, shape (d, d), (d,) or ()
        A symmetric positive definite matrix, variances, or one variance.

    Returns
    -------
    ndarray, shape (N,)
        Natural logarithms. They are positive where the density exceeds one.

    Raises
    ------
    ValueError
        If the covariance is not positive definite, or the shapes do not match.
    """
    L, X = factor(covariance), np.asarray(X, dtype=float)
    d = X.shape[1] if X.ndim == 2 else 0
    if d == 0 or np.shape(mean) != (d,) or L.ndim and len(L) != d:
        raise ValueError(
            f"X has shape {X.shape}, the mean {np.shape(mean)} and the covariance "
            f"{L.shape}; they should have shapes (N, d), (d,), and (d, d), (d,) or ()")
    z = whiten(L, (X - mean).T)
    return -0.5 * ((z * z).sum(axis=0) + d * np.log(2 * np.pi)) - log_determinant(L, d)


def sample(mean, covariance, size, rng):
    """Points drawn at random: mu + L z with z standard normal has covariance L L^T.

    Parameters
    ----------
    mean : array_like, shape (d,)
    covariance : array_like, shape (d, d), (d,) or ()
    size : int
        Number N of points.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (N, d)

    Raises
    ------
    ValueError
        If the covariance is not positive definite, or the shapes do not match.
    """
    L = factor(covariance)
    if np.ndim(mean) != 1 or L.ndim and len(L) != len(mean):
        raise ValueError(f"the mean has shape {np.shape(mean)} and the covariance {L.shape}; they "
                         "should have shapes (d,), and (d, d), (d,) or ()")
    z = rng.normal(size=(size, len(mean)))
    return mean + (z @ L.T if L.ndim == 2 else z * L)


def fit(X, weights=None, kind="full"):
    """Mean and covariance of greatest likelihood (Bishop 2006, section 2.3.4).

    Where the derivatives of sum_n r_n log N(x_n | mu, Sigma) vanish, mu is the weighted mean
    of the points, and Sigma the weighted mean of (x - mu)(x - mu)^T with this new mu; if
    Sigma is to be diagonal, the diagonal of that, and if a multiple of the identity, the mean
    of the diagonal. The divisor is the sum of the weights; N - 1 would be unbiased, but less
    likely.

    Parameters
    ----------
    X : array_like, shape (N, d)
    weights : array_like, shape (N,), optional
        How often each point counts; once by default. Not negative, not all zero.
    kind : {"full", "diag", "spherical"}
        Which covariance: a matrix, variances, or one variance.

    Returns
    -------
    mean : ndarray, shape (d,)
    covariance : ndarray, shape (d, d), (d,) or ()
        Singular if the points lie on a line or in a plane.

    Raises
    ------
    ValueError
        If the shapes do not match, the weights are negative, or all zero, or there is no such
        kind.
    """
    if kind not in ("full", "diag", "spherical"):
        raise ValueError(f"kind={kind!r} is no kind of covariance: use 'full', 'diag' or "
                         "'spherical'")
    X = np.asarray(X, dtype=float)
    weights = np.ones(X.shape[:1]) if weights is None else np.asarray(weights, dtype=float)
    if X.ndim != 2 or weights.shape != X.shape[:1]:
        raise ValueError(f"X has shape {X.shape} and the weights {weights.shape}; they should have "
                         "shapes (N, d) and (N,): reshape a single feature with X.reshape(-1, 1)")
    if not (np.all(weights >= 0) and weights.sum() > 0):
        raise ValueError("the weights of the points must not be negative, nor all zero")
    share = weights / weights.sum()
    mean = share @ X
    deviation = X - mean
    if kind == "full":
        # A^T A is symmetric to the last bit; weighting one factor alone would not be.
        root = np.sqrt(share)[:, None] * deviation
        return mean, root.T @ root
    variances = share @ deviation**2
    return mean, variances if kind == "diag" else variances.mean()


def ellipse(mean, covariance, deviations=1.0, points=100):
    """The curve that lies so many standard deviations from the mean: z^T z = deviations^2.

    The eigenvectors of the covariance are the axes of the ellipse. Its half axes are
    deviations times the square roots of the eigenvalues, which are variances.

    Parameters
    ----------
    mean : array_like, shape (2,)
    covariance : array_like, shape (2, 2), (2,) or ()
    deviations : float
        One standard deviation encloses 39 % of a Gaussian in the plane, two 86 %.
    points : int
        Number of corners of the polygon; the last is the first again.

    Returns
    -------
    ndarray, shape (points, 2)

    Raises
    ------
    ValueError
        If the covariance is not a symmetric positive definite matrix of the plane.
    """
    L = factor(covariance)
    if L.ndim and len(L) != 2:
        raise ValueError("an ellipse needs a covariance of two features: choose two, that is two "
                         "rows and the same two columns")
    matrix = covariance if L.ndim == 2 else np.diag(np.broadcast_to(covariance, 2))
    variances, axes = np.linalg.eigh(matrix)
    angle = np.linspace(0.0, 2 * np.pi, points)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return mean + deviations * (circle * np.sqrt(variances)) @ axes.T
