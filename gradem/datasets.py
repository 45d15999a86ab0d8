"""The data of the book: Old Faithful, and points drawn from mixtures that are known.

Points from a known mixture come with the labels that nobody has in practice; they show
whether a method finds what is there. Everything is seeded: every run sees the same points.
"""

from importlib.resources import files

import numpy as np

from gradem import gaussian


def old_faithful():
    """Eruptions of the geyser Old Faithful in Yellowstone National Park.

    Returns
    -------
    ndarray, shape (272, 2)
        For each eruption its duration and the waiting time to the next, both in minutes.

    References
    ----------
    Haerdle, Smoothing Techniques with Implementation in S, Springer 1991. A more complete record
    is in Azzalini and Bowman, A look at some data on the Old Faithful geyser, Applied Statistics
    39 (1990) 357-365.
    """
    with files("gradem").joinpath("data", "old_faithful.csv").open() as table:
        return np.loadtxt(table, delimiter=",", skiprows=1)


def blobs(weights, means, covariances, size, seed):
    """Points drawn from a Gaussian mixture, with the component each one comes from.

    Parameters
    ----------
    weights : array_like, shape (K,)
        Probabilities of the components; they sum to one.
    means : array_like, shape (K, d)
    covariances : array_like, shape (K, d, d)
    size : int
        Number N of points.
    seed : int or numpy.random.Generator

    Returns
    -------
    X : ndarray, shape (N, d)
    labels : ndarray of int, shape (N,)
        The component of each point.
    """
    rng = np.random.default_rng(seed)
    labels = rng.choice(len(weights), size=size, p=weights)
    X = np.empty((size, np.shape(means)[1]))
    for k, (mean, covariance) in enumerate(zip(means, covariances)):
        own = labels == k
        X[own] = gaussian.sample(mean, covariance, own.sum(), rng)
    return X, labels


def three_clusters():
    """Three overlapping Gaussians in the plane, on which EM visibly takes its time.

    From equal weights, means (1, 1.5), (1.5, 1), (1, 1) and identity covariances the
    components crawl apart in iterations 1 to 6, and after 20 their means are within 0.1 of
    where they end.

    Returns
    -------
    X : ndarray, shape (150, 2)
        Coordinates without a unit.
    labels : ndarray of int, shape (150,)
        The component of each point.
    """
    return blobs(
        weights=[0.4, 0.3, 0.3],
        means=[[0.0, 0.0], [3.0, 1.5], [0.5, 3.5]],
        covariances=[[[1.0, 0.6], [0.6, 0.8]],
                     [[0.7, -0.4], [-0.4, 1.2]],
                     [[1.6, 0.3], [0.3, 0.4]]],
        size=150, seed=14)
