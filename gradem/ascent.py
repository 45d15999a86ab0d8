"""The likelihood of a mixture climbed by gradients, beside EM.

EM needs no gradient and no step size, but only because the M step happens to have a formula.
A gradient is always to be had: the log likelihood of `gradem.unconstrained`'s vector is an
ordinary NumPy program, and reverse mode differentiates it. An optimiser then climbs: L-BFGS,
which learns the curvature from the last gradients (Nocedal & Wright 2006, section 7.2). Near
the top it is faster than EM, far from it often slower (Xu & Jordan 1996); and it does whatever
is asked of the program, a prior or a constraint, where EM would need a new formula.
"""

import numpy as np

from gradem.families import FAMILIES
from gradem.solvers import minimize
from gradem.unconstrained import pack, parts, unpack


def log_likelihood(vector, X, K, covariance_type="full"):
    """Log likelihood of the points under the mixture of a vector.

    Parameters
    ----------
    vector : ndarray, shape (number of free parameters,)
        See `gradem.unconstrained.pack`; it may be traced.
    X : ndarray, shape (N, d)
    K : int
        Number of components.
    covariance_type : {"full", "tied", "diag", "spherical"}

    Returns
    -------
    float
        Sum over the points, natural logarithm.
    """
    family, d = FAMILIES[covariance_type], X.shape[1]
    log_weights, means, factors = parts(family, vector, K, d)
    constants = log_weights + family.log_determinants(factors, d) - 0.5 * d * np.log(2 * np.pi)
    joint = []
    for k, U in enumerate(family.of_components(factors, K)):
        z = family.whitened(U, (X - means[k]).T)
        joint.append(constants[k] - 0.5 * np.sum(z * z, axis=0))
    joint = np.stack(joint)
    largest = np.max(joint, axis=0)
    return np.sum(largest + np.log(np.sum(np.exp(joint - largest), axis=0)))


def climb(X, weights, means, covariances, covariance_type="full", max_iter=1000):
    """Climb the likelihood from given parameters with L-BFGS and our gradients.

    Parameters
    ----------
    X : ndarray, shape (N, d)
    weights, means, covariances : ndarray
        The start, of the shapes that the covariance type has; weights positive.
    covariance_type : {"full", "tied", "diag", "spherical"}
    max_iter : int
        Most iterations.

    Returns
    -------
    weights, means, covariances : ndarray
        The parameters reached.
    result : scipy.optimize.OptimizeResult
        What the optimiser says; ``-len(X) * result.fun`` is the log likelihood.
    """
    family, (K, d) = FAMILIES[covariance_type], np.shape(means)
    result = minimize(lambda vector: -log_likelihood(vector, X, K, covariance_type) / len(X),
                      pack(family, weights, means, covariances), method="L-BFGS-B",
                      options={"maxiter": max_iter, "ftol": 1e-15, "gtol": 1e-8})
    return *unpack(family, result.x, K, d), result
