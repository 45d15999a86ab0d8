"""The four kinds of covariance of a mixture, and what EM has to know of each.

=========== ================================ ========== ======================
kind        covariances of the components    shape      free numbers
=========== ================================ ========== ======================
full        a matrix each                    (K, d, d)  K d (d + 1) / 2
tied        one matrix, shared by all        (d, d)     d (d + 1) / 2
diag        variances each, axes parallel    (K, d)     K d
spherical   one variance each, round         (K,)       K
=========== ================================ ========== ======================

The M step reads the covariances off sums over the points, each point weighted by its
responsibilities: how many points a component has, and how their squares and products are
spread (Bishop 2006, section 9.2.2; for shared and restricted covariances Celeux & Govaert
1995, models [lambda_k D_k A_k D_k^T], [lambda D A D^T], [lambda_k B_k] and [lambda_k I]).
These sums are *sufficient statistics*: added up over blocks of points, or over computers, they
are those of all points.
"""

import numpy as np
from scipy.linalg.lapack import dtrtri

from gradem import gaussian


def _factor_of(k, covariance):
    """The factor of the covariance of component k; an error names the component."""
    try:
        return gaussian.factor(covariance)
    except ValueError as error:
        raise ValueError(f"component {k}: {error}") from None


def _inverses(L):
    """The inverses of triangular matrices: one call for small ones, which cost less than it."""
    if L.shape[-1] <= 8:
        return np.linalg.inv(L)
    return np.stack([dtrtri(factor, lower=1)[0] for factor in L])


class Full:
    """A covariance matrix for each component."""

    name = "full"

    @staticmethod
    def shape(K, d):
        """The shape of the covariances of K components."""
        return (K, d, d)

    @staticmethod
    def free_numbers(K, d):
        """How many numbers in the covariances can be chosen."""
        return K * d * (d + 1) // 2

    @staticmethod
    def of_components(covariances, K):
        """The covariance of each component, as `gradem.gaussian` takes it."""
        return list(covariances)

    @staticmethod
    def squares(r, deviation):
        """sum_n r_n (x_n - c)(x_n - c)^T for one component; `deviation` has a column a point."""
        return (r * deviation) @ deviation.T

    @staticmethod
    def covariances(counts, shifts, squares):
        """The covariances of greatest likelihood.

        Parameters
        ----------
        counts : ndarray, shape (K,)
            Sums of the responsibilities.
        shifts : ndarray, shape (K, d)
            The new means, seen from the points c that the squares are taken about.
        squares : ndarray, shape (K, ...)
            What `squares` gives for each component.
        """
        return squares / counts[:, None, None] - shifts[:, :, None] * shifts[:, None, :]

    @staticmethod
    def regularised(covariances, reg_covar):
        """The covariances with `reg_covar` added to each variance."""
        return covariances + reg_covar * np.eye(covariances.shape[-1])

    @staticmethod
    def precision_factors(covariances):
        """Upper triangular U with U U^T = inverse of the covariance, for each component.

        Raises
        ------
        ValueError
            If a covariance is not positive definite; the text names the component.
        """
        try:
            L = np.linalg.cholesky(covariances)
        except np.linalg.LinAlgError:
            L = np.nan
        if not np.isfinite(L).all():
            L = np.stack([_factor_of(k, C) for k, C in enumerate(covariances)])
        return np.swapaxes(_inverses(L), -1, -2)

    @staticmethod
    def squared_distances(factors, shifts):
        """The squared length of each shift in units of its component: ``|U^T shift|^2``."""
        z = np.einsum("kij,ki->kj", factors, shifts)
        return np.einsum("kj,kj->k", z, z)

    @staticmethod
    def log_determinants(factors, d):
        """log det U for each component."""
        return np.log(np.diagonal(factors, 0, -2, -1)).sum(axis=-1)

    @staticmethod
    def precisions(factors):
        """The inverses of the covariances, from their factors U."""
        return factors @ np.swapaxes(factors, -1, -2)

    @staticmethod
    def from_factors(factors):
        """The covariances whose precisions have the factors U."""
        L = np.linalg.inv(factors)
        return np.swapaxes(L, -1, -2) @ L

    @staticmethod
    def whitened(U, deviation):
        """U^T (x - mu): the deviations in units of a component, one column a point."""
        return U.T @ deviation

    @staticmethod
    def logs_shape(K, d):
        """The shape of `logs`."""
        return (K, d * (d + 1) // 2)

    @staticmethod
    def logs(factors):
        """The factors U without conditions: their upper triangles, with log U_ii for U_ii."""
        i, j = np.triu_indices(factors.shape[-1])
        entries = factors[..., i, j]
        return np.where(i == j, np.log(np.where(i == j, entries, 1.0)), entries)

    @staticmethod
    def from_logs(logs, d):
        """The factors U whose `logs` these are."""
        i, j = np.triu_indices(d)
        entries = np.where(i == j, np.exp(np.where(i == j, logs, 0.0)), logs)
        place = np.zeros((d, d), dtype=int)              # of (i, j) in (0, upper triangle)
        place[i, j] = np.arange(1, len(i) + 1)
        return np.concatenate([np.zeros(np.shape(logs)[:-1] + (1,)), entries], axis=-1)[..., place]

    # -- as an exponential family: t(x) holds the products x_i x_j with i <= j --

    @staticmethod
    def n_products(d):
        """The length of t(x)."""
        return d * (d + 1) // 2

    @staticmethod
    def products(x, out):
        """Write t(x) of each column of x into `out`."""
        row, d = 0, len(x)
        for i in range(d):
            np.multiply(x[i], x[i:], out=out[row:row + d - i])
            row += d - i

    @staticmethod
    def coefficients(precisions, K):
        """The vectors that make -x^T P x / 2 of t(x), shape (K, length of t(x))."""
        i, j = np.triu_indices(precisions.shape[-1])
        return np.where(i == j, -0.5, -1.0) * precisions[:, i, j]

    @staticmethod
    def unpacked(sums, d):
        """The squares about the origin from sums of t(x), shape (K, length of t(x))."""
        i, j = np.triu_indices(d)
        squares = np.empty((len(sums), d, d))
        squares[:, i, j] = squares[:, j, i] = sums
        return squares

    @staticmethod
    def applied(precisions, means):
        """P m for each component."""
        return np.einsum("kij,kj->ki", precisions, means)


class Tied:
    """One covariance matrix, shared by all components."""

    name = "tied"
    squares = Full.squares
    regularised = Full.regularised
    precisions = Full.precisions
    log_determinants = Full.log_determinants
    whitened = Full.whitened
    from_factors = Full.from_factors
    logs = Full.logs
    from_logs = Full.from_logs

    @staticmethod
    def logs_shape(K, d):
        """The shape of `logs`."""
        return (d * (d + 1) // 2,)

    @staticmethod
    def shape(K, d):
        """The shape of the one covariance."""
        return (d, d)

    @staticmethod
    def free_numbers(K, d):
        """How many numbers in the covariance can be chosen."""
        return d * (d + 1) // 2

    @staticmethod
    def of_components(covariances, K):
        """The covariance of each component: K times the same."""
        return [covariances] * K

    @staticmethod
    def covariances(counts, shifts, squares):
        """The covariance of greatest likelihood: the mean over the components, by counts."""
        between = np.einsum("k,ki,kj->ij", counts, shifts, shifts)
        return (squares.sum(axis=0) - between) / counts.sum()

    @staticmethod
    def precision_factors(covariances):
        """Upper triangular U with U U^T = inverse of the covariance."""
        try:
            L = gaussian.factor(covariances)
        except ValueError as error:
            raise ValueError(f"the shared covariance: {error}") from None
        return np.linalg.inv(L).T

    @staticmethod
    def squared_distances(factors, shifts):
        """The squared length of each shift in units of the components."""
        z = shifts @ factors
        return np.einsum("kj,kj->k", z, z)

    # -- as an exponential family: x^T P x is common to all components, so t(x) is empty --

    @staticmethod
    def n_products(d):
        """The length of t(x)."""
        return 0

    @staticmethod
    def products(x, out):
        """Nothing is to be written."""

    @staticmethod
    def coefficients(precisions, K):
        """No coefficients, K times."""
        return np.empty((K, 0))

    @staticmethod
    def applied(precisions, means):
        """P m for each component."""
        return means @ precisions


class Diagonal:
    """Variances of independent features for each component."""

    name = "diag"

    @staticmethod
    def shape(K, d):
        """The shape of the variances of K components."""
        return (K, d)

    @staticmethod
    def free_numbers(K, d):
        """How many variances there are."""
        return K * d

    @staticmethod
    def of_components(covariances, K):
        """The variances of each component."""
        return list(covariances)

    @staticmethod
    def squares(r, deviation):
        """sum_n r_n (x_n - c)^2, feature by feature, for one component."""
        return (deviation * deviation) @ r

    @staticmethod
    def covariances(counts, shifts, squares):
        """The variances of greatest likelihood; see `Full.covariances`."""
        return squares / counts[:, None] - shifts**2

    @staticmethod
    def regularised(covariances, reg_covar):
        """The variances with `reg_covar` added."""
        return covariances + reg_covar

    @staticmethod
    def precision_factors(covariances):
        """One over the standard deviations."""
        if not (np.all(covariances > 0) and np.isfinite(covariances).all()):
            for k, variances in enumerate(covariances):
                _factor_of(k, variances)                 # says which, and what to do
        return 1.0 / np.sqrt(covariances)

    @staticmethod
    def squared_distances(factors, shifts):
        """The squared length of each shift in units of its component."""
        return np.einsum("kj,kj->k", factors * shifts, factors * shifts)

    @staticmethod
    def log_determinants(factors, d):
        """log det U for each component."""
        return np.log(factors).sum(axis=1)

    @staticmethod
    def precisions(factors):
        """One over the variances, from one over the standard deviations."""
        return factors**2

    @staticmethod
    def from_factors(factors):
        """The variances, from one over the standard deviations."""
        return factors**-2.0

    @staticmethod
    def whitened(U, deviation):
        """The deviations in units of a component, one column a point."""
        return U[:, None] * deviation

    @staticmethod
    def logs_shape(K, d):
        """The shape of `logs`."""
        return (K, d)

    @staticmethod
    def logs(factors):
        """The logarithms of the factors, numbers without conditions."""
        return np.log(factors)

    @staticmethod
    def from_logs(logs, d):
        """The factors whose `logs` these are."""
        return np.exp(logs)

    # -- as an exponential family: t(x) holds the squares of the features --

    @staticmethod
    def n_products(d):
        """The length of t(x)."""
        return d

    @staticmethod
    def products(x, out):
        """Write t(x) of each column of x into `out`."""
        np.multiply(x, x, out=out)

    @staticmethod
    def coefficients(precisions, K):
        """The vectors that make -x^T P x / 2 of t(x), shape (K, length of t(x))."""
        return -0.5 * precisions

    @staticmethod
    def unpacked(sums, d):
        """The squares about the origin from sums of t(x), shape (K, length of t(x))."""
        return sums

    @staticmethod
    def applied(precisions, means):
        """P m for each component."""
        return precisions * means


class Spherical:
    """One variance for each component: it is round."""

    name = "spherical"
    regularised = Diagonal.regularised
    precision_factors = Diagonal.precision_factors
    precisions = Diagonal.precisions
    of_components = Diagonal.of_components
    from_factors = Diagonal.from_factors
    logs = Diagonal.logs
    from_logs = Diagonal.from_logs

    @staticmethod
    def logs_shape(K, d):
        """The shape of `logs`."""
        return (K,)

    @staticmethod
    def squared_distances(factors, shifts):
        """The squared length of each shift in units of its component."""
        return factors**2 * np.einsum("kj,kj->k", shifts, shifts)

    @staticmethod
    def log_determinants(factors, d):
        """log det U for each component."""
        return d * np.log(factors)

    @staticmethod
    def shape(K, d):
        """The shape of the variances of K components."""
        return (K,)

    @staticmethod
    def free_numbers(K, d):
        """How many variances there are."""
        return K

    @staticmethod
    def squares(r, deviation):
        """``sum_n r_n |x_n - c|^2`` for one component."""
        return np.einsum("in,in->n", deviation, deviation) @ r

    @staticmethod
    def covariances(counts, shifts, squares):
        """The variances of greatest likelihood; see `Full.covariances`."""
        d = shifts.shape[1]
        return (squares / counts - np.einsum("ki,ki->k", shifts, shifts)) / d

    @staticmethod
    def whitened(U, deviation):
        """The deviations in units of a component, one column a point."""
        return U * deviation

    # -- as an exponential family: t(x) = |x|^2 --

    @staticmethod
    def n_products(d):
        """The length of t(x)."""
        return 1

    @staticmethod
    def products(x, out):
        """Write t(x) of each column of x into `out`."""
        np.einsum("in,in->n", x, x, out=out[0])

    @staticmethod
    def coefficients(precisions, K):
        """The vectors that make -x^T P x / 2 of t(x), shape (K, length of t(x))."""
        return -0.5 * precisions[:, None]

    @staticmethod
    def unpacked(sums, d):
        """The squares about the origin from sums of t(x), shape (K, length of t(x))."""
        return sums[:, 0]

    @staticmethod
    def applied(precisions, means):
        """P m for each component."""
        return precisions[:, None] * means


#: The kinds by the name that scikit-learn gives them.
FAMILIES = {family.name: family for family in (Full, Tied, Diagonal, Spherical)}
