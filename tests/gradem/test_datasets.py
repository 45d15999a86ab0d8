"""The data sets are the ones they claim to be."""

import numpy as np
import pytest

from gradem import datasets


def test_old_faithful_is_the_data_set_of_r():
    X = datasets.old_faithful()
    assert X.shape == (272, 2)
    # summary(faithful) in R: means 3.488 and 70.9, ranges 1.6 to 5.1 and 43 to 96
    assert X.mean(axis=0) == pytest.approx([3.487783, 70.897059], abs=1e-6)
    assert X.min(axis=0).tolist() == [1.6, 43.0]
    assert X.max(axis=0).tolist() == [5.1, 96.0]


def test_blobs_have_the_moments_of_their_components():
    weights, means = [0.25, 0.75], np.array([[0.0, 5.0], [-3.0, 1.0]])
    covariances = np.array([[[2.0, -0.5], [-0.5, 0.4]], [[1.0, 0.9], [0.9, 1.0]]])
    N = 40_000
    X, labels = datasets.blobs(weights, means, covariances, N, seed=3)
    for k in range(2):
        points = X[labels == k]
        # five standard errors of a share, a mean and a variance
        assert abs(len(points) / N - weights[k]) < 5 * np.sqrt(0.25 * 0.75 / N)
        assert np.all(np.abs(points.mean(axis=0) - means[k])
                      < 5 * np.sqrt(np.diag(covariances[k]) / len(points)))
        assert np.cov(points.T) == pytest.approx(covariances[k], abs=5 * 2 * np.sqrt(2 / len(points)))


def test_seeds_decide_and_every_call_gives_fresh_arrays():
    first, _ = datasets.three_clusters()
    second, labels = datasets.three_clusters()
    assert first.shape == (150, 2) and (first == second).all() and first is not second
    assert set(labels.tolist()) == {0, 1, 2}
