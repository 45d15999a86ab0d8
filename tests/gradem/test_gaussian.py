"""Gaussians against SciPy, their own definitions, and sampling theory."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2, multivariate_normal

from gradem import gaussian


def some_gaussian(seed, d):
    """Points, a mean and a well conditioned covariance."""
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(d, d))
    return rng.normal(size=(7, d)), rng.normal(size=d), A @ A.T + 0.1 * np.eye(d)


@given(st.integers(0, 10**6), st.integers(1, 6), st.sampled_from([1e-8, 1.0, 1e8]))
def test_log_density_is_scipys_at_any_scale(seed, d, scale):
    X, mean, covariance = some_gaussian(seed, d)
    X, mean, covariance = scale * X, scale * mean, scale**2 * covariance
    want = multivariate_normal(mean, covariance, allow_singular=False).logpdf(X)
    assert gaussian.log_density(X, mean, covariance) == pytest.approx(want, rel=1e-9, abs=1e-9)


def test_log_density_far_away_is_finite_where_the_density_is_zero():
    far = gaussian.log_density(np.array([[1e4, 0.0]]), np.zeros(2), np.eye(2))
    assert np.exp(far) == 0.0
    assert far[0] == pytest.approx(-0.5e8 - np.log(2 * np.pi), rel=1e-12)


@pytest.mark.parametrize("covariance, words", [
    ([[1.0, 2.0], [2.0, 1.0]], "not positive definite"),
    ([[1.0, 1.0], [1.0, 1.0]], "add a small number"),
    ([[1.0, 0.5], [0.0, 1.0]], "must be symmetric"),
])
def test_a_matrix_that_is_no_covariance_is_refused_with_what_to_do(covariance, words):
    with pytest.raises(ValueError, match=words):
        gaussian.log_density(np.zeros((1, 2)), np.zeros(2), np.array(covariance))


@given(st.integers(0, 10**6), st.integers(1, 4))
def test_fit_has_the_greatest_likelihood(seed, d):
    rng = np.random.default_rng(seed)
    X, weights = rng.normal(size=(30, d)), rng.uniform(0.1, 3.0, size=30)
    mean, covariance = gaussian.fit(X, weights)
    best = weights @ gaussian.log_density(X, mean, covariance)
    for _ in range(5):
        other = mean + 0.1 * rng.normal(size=d)
        A = np.eye(d) + 0.1 * rng.normal(size=(d, d))
        assert weights @ gaussian.log_density(X, other, covariance) < best
        assert weights @ gaussian.log_density(X, mean, A @ covariance @ A.T) <= best + 1e-9


def test_fit_is_numpys_and_whole_weights_repeat_points():
    X = np.random.default_rng(1).normal(size=(20, 3))
    mean, covariance = gaussian.fit(X)
    assert mean == pytest.approx(X.mean(axis=0), rel=1e-12)
    assert covariance == pytest.approx(np.cov(X.T, bias=True), rel=1e-12)
    counts = np.arange(20) % 4
    for weighted, repeated in zip(gaussian.fit(X, counts), gaussian.fit(np.repeat(X, counts, axis=0))):
        assert weighted == pytest.approx(repeated, rel=1e-12)


def test_samples_have_the_distances_of_a_gaussian():
    _, mean, covariance = some_gaussian(5, 3)
    N = 20_000
    X = gaussian.sample(mean, covariance, N, np.random.default_rng(2))
    deviation = X - mean
    squared = np.einsum("ni,ij,nj->n", deviation, np.linalg.inv(covariance), deviation)
    for share in (0.1, 0.5, 0.9):
        inside = np.mean(squared < chi2(3).ppf(share))
        assert abs(inside - share) < 5 * np.sqrt(share * (1 - share) / N)


@given(st.integers(0, 10**6), st.floats(0.1, 4.0))
def test_the_ellipse_lies_at_its_distance_and_turns_with_the_covariance(seed, deviations):
    _, mean, covariance = some_gaussian(seed, 2)
    boundary = gaussian.ellipse(mean, covariance, deviations, points=40) - mean
    squared = np.einsum("ni,ij,nj->n", boundary, np.linalg.inv(covariance), boundary)
    assert squared == pytest.approx(np.full(40, deviations**2), rel=1e-6)
    assert boundary[0] == pytest.approx(boundary[-1], abs=1e-9 * deviations)
