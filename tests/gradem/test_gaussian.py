"""The multivariate Gaussian against SciPy, its own moments, and the shapes of ellipses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gradem import gaussian

seeds = st.integers(0, 2**32 - 1)


def random_gaussian(rng, d):
    """A mean, and a covariance with axes of very different lengths in any direction."""
    axes, _ = np.linalg.qr(rng.normal(size=(d, d)))
    scaled = axes * np.exp(rng.uniform(-2.0, 2.0, size=d))
    return rng.normal(size=d) * 3, scaled @ scaled.T


# ---- density --------------------------------------------------------------------------


@given(seeds, st.integers(1, 6))
def test_the_density_is_scipys(seed, d):
    rng = np.random.default_rng(seed)
    mean, covariance = random_gaussian(rng, d)
    X = rng.normal(size=(7, d)) * 5
    expected = stats.multivariate_normal(mean, covariance).logpdf(X)
    np.testing.assert_allclose(gaussian.log_density(X, mean, covariance), expected, rtol=1e-10)


def test_the_density_of_one_feature_is_the_bell_curve():
    x = np.array([-1.0, 0.5, 4.0])
    np.testing.assert_allclose(gaussian.log_density(x[:, None], [0.5], [[4.0]]),
                               stats.norm(0.5, 2.0).logpdf(x), rtol=1e-13)


def test_the_density_integrates_to_one():
    covariance = np.array([[1.0, 0.6], [0.6, 0.5]])
    step = 0.05
    axis = np.arange(-8.0, 8.0, step)
    X = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    total = np.exp(gaussian.log_density(X, [0.3, -0.2], covariance)).sum() * step**2
    assert total == pytest.approx(1.0, abs=1e-12)


def test_no_determinant_underflows_and_no_density_vanishes():
    d = 60
    covariance = 1e-12 * np.eye(d)
    assert np.linalg.det(covariance) == 0.0
    at_the_mean, far = gaussian.log_density(np.stack([np.zeros(d), np.ones(d)]),
                                            np.zeros(d), covariance)
    assert at_the_mean == pytest.approx(-d / 2 * np.log(2 * np.pi * 1e-12), rel=1e-13)
    assert far == pytest.approx(at_the_mean - d / 2 * 1e12, rel=1e-13)


@given(seeds, st.sampled_from([1e-8, 1e-3, 1e8]))
def test_a_change_of_units_adds_its_logarithm(seed, unit):
    rng = np.random.default_rng(seed)
    mean, covariance = random_gaussian(rng, 3)
    X = rng.normal(size=(5, 3))
    np.testing.assert_allclose(
        gaussian.log_density(unit * X, unit * mean, unit**2 * covariance),
        gaussian.log_density(X, mean, covariance) - 3 * np.log(unit), rtol=1e-10)


# ---- factors and samples ----------------------------------------------------------------


@given(seeds, st.integers(1, 6))
def test_the_factors_multiply_to_the_covariance_and_its_inverse(seed, d):
    _, covariance = random_gaussian(np.random.default_rng(seed), d)
    L, U = gaussian.cholesky(covariance), gaussian.inverse_factor(covariance)
    np.testing.assert_allclose(L @ L.T, covariance, rtol=1e-12, atol=1e-12 * covariance.max())
    np.testing.assert_allclose(covariance @ U @ U.T, np.eye(d), atol=1e-10)
    assert np.array_equal(L, np.tril(L)) and np.array_equal(U, np.triu(U))


def test_samples_have_the_mean_and_the_covariance():
    """Bounds of five standard errors: sqrt(C_ii / N), sqrt((C_ij^2 + C_ii C_jj) / N)."""
    mean, covariance = random_gaussian(np.random.default_rng(1), 3)
    N = 20_000
    X = gaussian.sample(mean, covariance, N, np.random.default_rng(2))
    variances = np.diagonal(covariance)
    assert X.shape == (N, 3)
    assert np.all(np.abs(X.mean(axis=0) - mean) < 5 * np.sqrt(variances / N))
    spread = np.sqrt((covariance**2 + np.outer(variances, variances)) / N)
    assert np.all(np.abs(np.cov(X.T) - covariance) < 5 * spread)


def test_samples_follow_the_seed():
    first, again = (gaussian.sample([0.0, 1.0], np.eye(2), 4, np.random.default_rng(3))
                    for _ in range(2))
    assert np.array_equal(first, again)
    assert gaussian.sample([0.0], [[2.0]], 0, np.random.default_rng(3)).shape == (0, 1)


# ---- maximum likelihood -------------------------------------------------------------------


@given(seeds, st.integers(1, 5))
def test_the_fit_is_numpys_weighted_mean_and_covariance(seed, d):
    rng = np.random.default_rng(seed)
    X, weights = rng.normal(size=(9, d)) * 10 + 100, rng.uniform(size=9)
    mean, covariance = gaussian.fit(X, weights)
    np.testing.assert_allclose(mean, np.average(X, axis=0, weights=weights), rtol=1e-13)
    expected = np.cov(X.T, aweights=weights, ddof=0).reshape(d, d)
    np.testing.assert_allclose(covariance, expected, rtol=1e-10, atol=1e-10)
    assert np.array_equal(covariance, covariance.T)


def test_points_count_once_by_default_and_duplicates_as_weights():
    rng = np.random.default_rng(4)
    X, times = rng.normal(size=(6, 2)), np.array([1, 3, 2, 1, 4, 1])
    for got, want in zip(gaussian.fit(X, times), gaussian.fit(np.repeat(X, times, axis=0))):
        np.testing.assert_allclose(got, want, rtol=1e-12)
    for got, want in zip(gaussian.fit(X), gaussian.fit(X, np.full(6, 0.5))):
        np.testing.assert_allclose(got, want, rtol=1e-12)


@given(seeds)
def test_no_other_gaussian_is_more_likely(seed):
    rng = np.random.default_rng(seed)
    X, weights = rng.normal(size=(12, 2)), rng.uniform(0.1, 1.0, size=12)

    def log_likelihood(mean, covariance):
        return weights @ gaussian.log_density(X, mean, covariance)

    mean, covariance = gaussian.fit(X, weights)
    best = log_likelihood(mean, covariance)
    change = rng.normal(size=(2, 2)) * 0.05
    moved = (np.eye(2) + change) @ covariance @ (np.eye(2) + change).T
    assert log_likelihood(mean + rng.normal(size=2) * 0.05, moved) < best
    assert log_likelihood(mean, covariance * len(X) / (len(X) - 1)) < best


# ---- the ellipse ----------------------------------------------------------------------------


def test_half_axes_are_deviations_times_roots_of_eigenvalues():
    boundary = gaussian.ellipse([1.0, 2.0], [[9.0, 0.0], [0.0, 0.25]], deviations=2.0, points=401)
    assert boundary.shape == (401, 2)
    np.testing.assert_allclose(boundary.max(axis=0) - [1.0, 2.0], [6.0, 1.0], rtol=1e-12)
    np.testing.assert_allclose([1.0, 2.0] - boundary.min(axis=0), [6.0, 1.0], rtol=1e-12)
    np.testing.assert_allclose(boundary[0], boundary[-1], atol=1e-12)


@given(seeds, st.floats(0.1, 5.0))
def test_all_points_of_an_ellipse_are_equally_likely(seed, deviations):
    mean, covariance = random_gaussian(np.random.default_rng(seed), 2)
    boundary = gaussian.ellipse(mean, covariance, deviations)
    at_the_mean, = gaussian.log_density(mean[None], mean, covariance)
    np.testing.assert_allclose(gaussian.log_density(boundary, mean, covariance),
                               np.full(100, at_the_mean - deviations**2 / 2), rtol=1e-10)


def test_one_and_two_deviations_enclose_39_and_86_percent():
    """1 - exp(-r^2 / 2) in the plane, within five standard errors."""
    mean, covariance = np.zeros(2), np.array([[2.0, 0.9], [0.9, 1.0]])
    N = 20_000
    X = gaussian.sample(mean, covariance, N, np.random.default_rng(5))
    depth = gaussian.log_density(mean[None], mean, covariance) - gaussian.log_density(
        X, mean, covariance)
    for deviations, share in [(1.0, 0.393469), (2.0, 0.864665)]:
        inside = (2 * depth <= deviations**2).mean()
        assert abs(inside - share) < 5 * np.sqrt(share * (1 - share) / N)


# ---- variances in the place of a matrix -------------------------------------------------------


@given(seeds, st.integers(2, 5))
def test_variances_mean_a_diagonal_matrix_and_one_variance_a_multiple_of_the_identity(seed, d):
    rng = np.random.default_rng(seed)
    mean, variances = rng.normal(size=d) * 3, np.exp(rng.uniform(-2.0, 2.0, size=d))
    X = rng.normal(size=(7, d)) * 5
    for covariance, matrix in [(variances, np.diag(variances)),
                               (variances[0], variances[0] * np.eye(d))]:
        expected = stats.multivariate_normal(mean, matrix).logpdf(X)
        np.testing.assert_allclose(gaussian.log_density(X, mean, covariance), expected, rtol=1e-11)
        np.testing.assert_allclose(
            gaussian.sample(mean, covariance, 4, np.random.default_rng(seed)),
            gaussian.sample(mean, matrix, 4, np.random.default_rng(seed)), rtol=1e-12)
        if d == 2:
            distance = gaussian.ellipse(mean, covariance, deviations=1.5) - mean
            np.testing.assert_allclose((distance**2 / np.diag(matrix)).sum(axis=1), 1.5**2)


@given(seeds, st.integers(1, 4))
def test_the_restricted_fits_are_more_likely_than_their_neighbours(seed, d):
    rng = np.random.default_rng(seed)
    X, weights = rng.normal(size=(9, d)) * 3 + 1, rng.uniform(0.1, 2.0, size=9)
    _, full = gaussian.fit(X, weights)
    for kind in ("diag", "spherical"):
        mean, covariance = gaussian.fit(X, weights, kind)

        def likelihood(mean, covariance):
            return weights @ gaussian.log_density(X, mean, covariance)
        best = likelihood(mean, covariance)
        assert best >= likelihood(mean + 0.01 * rng.normal(size=d), covariance)
        for factor in (0.98, 1.02):
            assert best >= likelihood(mean, covariance * factor)
        np.testing.assert_allclose(np.sum(covariance) * (d if kind == "spherical" else 1),
                                   np.trace(full), rtol=1e-12)


# ---- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize("covariance, words", [
    ([[1.0, 2.0], [2.0, 4.0]], "collapsed.*on a line.*reg_covar"),
    ([[0.0]], "collapsed.*Add a small variance"),
    ([[1.0, 2.0], [2.0, 1.0]], "not positive definite"),
    ([[1.0, 0.5], [0.4, 1.0]], "symmetric"),
    ([[1e-16, 0.5e-16], [0.4e-16, 1e-16]], "symmetric"),
    ([[np.nan]], "NaN"),
    ([[1.0, np.inf], [np.inf, 1.0]], "infinite"),
    ([[1.0, 0.0]], "square"),
])
def test_what_is_no_covariance_is_refused_in_words(covariance, words):
    for use in (gaussian.cholesky, gaussian.inverse_factor,
                lambda C: gaussian.log_density(np.zeros((1, 2)), np.zeros(2), C),
                lambda C: gaussian.sample(np.zeros(2), C, 1, np.random.default_rng(0)),
                lambda C: gaussian.ellipse(np.zeros(2), C)):
        with pytest.raises(ValueError, match=words):
            use(covariance)


@pytest.mark.parametrize("X, mean", [
    (np.zeros(2), np.zeros(2)), (np.zeros((4, 1)), np.zeros(1)), (np.zeros((2, 3)), np.zeros(3)),
    (np.zeros((4, 2)), np.zeros(3)), (np.zeros((2, 2)), np.zeros((2, 2))), ([[0, 0]], [0.0]),
])
def test_shapes_that_do_not_match_are_refused(X, mean):
    with pytest.raises(ValueError, match=r"covariance \(2, 2\); they should have shapes \(N, d\)"):
        gaussian.log_density(X, mean, np.eye(2))


@pytest.mark.parametrize("variances, words", [
    ([1.0, 0.0], "collapsed: a variance is 0"),
    (-1.0, "collapsed: a variance is -1"),
    ([1.0, np.nan], "NaN"),
    (np.inf, "infinite"),
])
def test_what_is_no_variance_is_refused_in_words(variances, words):
    for use in (gaussian.factor,
                lambda C: gaussian.log_density(np.zeros((1, 2)), np.zeros(2), C),
                lambda C: gaussian.sample(np.zeros(2), C, 1, np.random.default_rng(0)),
                lambda C: gaussian.ellipse(np.zeros(2), C)):
        with pytest.raises(ValueError, match=words):
            use(variances)
    with pytest.raises(ValueError, match="use 'full', 'diag' or 'spherical'"):
        gaussian.fit(np.eye(2), kind="round")


@pytest.mark.parametrize("weights", [[0.0, 0.0], [1.0, -0.5], [1.0, np.nan]])
def test_weights_that_count_nothing_are_refused(weights):
    with pytest.raises(ValueError, match="must not be negative, nor all zero"):
        gaussian.fit(np.eye(2), weights)


def test_only_the_ratio_of_the_weights_counts():
    X, weights = np.random.default_rng(0).normal(size=(5, 2)), np.array([0.1, 0.0, 0.2, 0.05, 0.3])
    for got, want in zip(gaussian.fit(X, weights), gaussian.fit(X, 1e-9 * weights)):
        np.testing.assert_allclose(got, want, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("X, weights", [
    (np.ones(3), None), (1.0, None), (np.ones((2, 2, 2)), None), (np.ones((3, 2)), np.ones(2)),
    (np.ones((3, 2)), np.ones((3, 1))), (np.ones((3, 2)), 1.0),
])
def test_a_fit_needs_a_table_and_a_weight_for_each_row(X, weights):
    with pytest.raises(ValueError, match=r"they should have shapes \(N, d\) and \(N,\): reshape"):
        gaussian.fit(X, weights)


@pytest.mark.parametrize("mean, covariance", [
    (np.zeros(2), np.eye(3)), (np.zeros(2), np.ones(3)), (np.zeros((2, 2)), np.eye(2)), (0.0, 1.0)])
def test_a_sample_needs_a_mean_of_the_length_of_the_covariance(mean, covariance):
    with pytest.raises(ValueError, match=r"they should have shapes \(d,\), and \(d, d\)"):
        gaussian.sample(mean, covariance, 5, np.random.default_rng(0))


def test_an_ellipse_is_drawn_in_the_plane():
    with pytest.raises(ValueError, match="needs a covariance of two features"):
        gaussian.ellipse(np.zeros(3), np.eye(3))
