"""The data: their digits, their seeds, and that EM moves on them as the docstring says."""

import numpy as np
import pytest

from gradem import GaussianMixture, datasets


def test_old_faithful_is_the_published_table():
    X = datasets.old_faithful()
    assert X.shape == (272, 2) and X.dtype == np.float64
    assert X[0].tolist() == [3.6, 79.0] and X[-1].tolist() == [4.467, 74.0]
    np.testing.assert_allclose(X.mean(axis=0), [3.48778, 70.8971], rtol=1e-5)
    assert X.min(axis=0).tolist() == [1.6, 43.0] and X.max(axis=0).tolist() == [5.1, 96.0]


def test_blobs_follow_the_stated_mixture():
    """Shares and means within five standard errors."""
    N = 30_000
    weights, means = np.array([0.2, 0.8]), np.array([[0.0, 5.0], [10.0, -5.0]])
    covariances = np.array([np.eye(2), [[2.0, 0.7], [0.7, 0.5]]])
    X, labels = datasets.blobs(weights, means, covariances, N, seed=1)
    assert X.shape == (N, 2) and labels.shape == (N,) and labels.dtype.kind == "i"
    for k in range(2):
        own = X[labels == k]
        error = np.sqrt(weights[k] * (1 - weights[k]) / N)
        assert abs(len(own) / N - weights[k]) < 5 * error
        variances = np.diagonal(covariances[k])
        assert np.all(np.abs(own.mean(axis=0) - means[k]) < 5 * np.sqrt(variances / len(own)))
        spread = np.sqrt((covariances[k]**2 + np.outer(variances, variances)) / len(own))
        assert np.all(np.abs(np.cov(own.T) - covariances[k]) < 5 * spread)


def test_blobs_follow_the_seed():
    mixture = dict(weights=[0.5, 0.5], means=[[0.0], [9.0]], covariances=[[[1.0]], [[2.0]]])
    X, labels = datasets.blobs(**mixture, size=20, seed=3)
    again, labels_again = datasets.blobs(**mixture, size=20, seed=np.random.default_rng(3))
    other, _ = datasets.blobs(**mixture, size=20, seed=4)
    assert np.array_equal(X, again) and np.array_equal(labels, labels_again)
    assert not np.array_equal(X, other)


@pytest.fixture(scope="module")
def climb():
    X, _ = datasets.three_clusters()
    start = dict(weights_init=[1 / 3] * 3, means_init=[[1, 1.5], [1.5, 1], [1, 1]],
                 precisions_init=[np.eye(2)] * 3)
    return GaussianMixture(3, tol=1e-9, max_iter=500, **start).fit(X).history_


def test_em_visibly_moves_on_three_clusters(climb):
    X, labels = datasets.three_clusters()
    assert X.shape == (150, 2) and np.bincount(labels).min() > 30
    for before, after in zip(climb[:6], climb[1:7]):
        steps = np.linalg.norm(after.means - before.means, axis=1)
        assert 0.1 < steps.max() < 2.0
    assert np.abs(climb[20].means - climb[6].means).max() > 0.5
    assert np.abs(climb[20].means - climb[-1].means).max() < 0.1


def test_em_finds_the_three_clusters(climb):
    X, labels = datasets.three_clusters()
    own = [X[labels == k].mean(axis=0) for k in range(3)]
    for mean in climb[-1].means:
        assert min(np.linalg.norm(mean - other) for other in own) < 0.3
