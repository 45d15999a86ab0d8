"""A mixture as a vector of any numbers.

Weights are positive and sum to one, covariances are positive definite. A vector without such
conditions says the same: logarithms of the weights, up to a common number; the means; and for
each covariance the upper triangular U with U U^T = inverse of the covariance, with the
logarithms of its diagonal (Pinheiro & Bates 1996, the log-Cholesky parametrisation). Every
vector is a mixture, so a step of any length stays among mixtures: what a line search of an
optimiser needs (see `gradem.ascent`), and an extrapolation of EM (see `gradem.acceleration`).
"""

import numpy as np


def pack(family, weights, means, covariances):
    """The vector of a mixture.

    Parameters
    ----------
    family : class of `gradem.families`
    weights, means, covariances : ndarray
        Of the shapes that the family has. Weights are positive.

    Returns
    -------
    ndarray, shape (K + K d + free numbers in the covariances,)
    """
    logs = family.logs(family.precision_factors(covariances))
    return np.concatenate([np.log(weights), np.ravel(means), np.ravel(logs)])


def parts(family, vector, K, d):
    """Logarithms of the weights, means, and factors U of the precisions of a vector's mixture.

    Written with functions that gradem differentiates: the vector may be traced.

    Returns
    -------
    log_weights : shape (K,)
    means : shape (K, d)
    factors : of the shape of the family's covariances
    """
    scores, means, logs = vector[:K], vector[K:K + K * d], vector[K + K * d:]
    largest = np.max(scores)
    log_weights = scores - largest - np.log(np.sum(np.exp(scores - largest)))
    factors = family.from_logs(np.reshape(logs, family.logs_shape(K, d)), d)
    return log_weights, np.reshape(means, (K, d)), factors


def unpack(family, vector, K, d):
    """Weights, means and covariances of a vector's mixture; the inverse of `pack`."""
    log_weights, means, factors = parts(family, vector, K, d)
    return np.exp(log_weights), means, family.from_factors(factors)
