"""GaussianMixture against scikit-learn, the golden fits of Old Faithful, and EM's properties."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal
from sklearn.exceptions import ConvergenceWarning as ScikitWarning
from sklearn.mixture import GaussianMixture as ScikitMixture

from gradem import GaussianMixture, datasets, gaussian
from gradem.mixture import ConvergenceWarning, e_step, m_step


def start_for(X, K, seed):
    """An explicit start: equal weights, K of the points, the covariance of all."""
    rng = np.random.default_rng(seed)
    precision = np.linalg.inv(np.cov(X.T, bias=True).reshape(X.shape[1], -1))
    return {"weights_init": np.full(K, 1 / K),
            "means_init": X[rng.choice(len(X), K, replace=False)],
            "precisions_init": np.tile(precision, (K, 1, 1))}


def points(seed, d, N=200):
    """Three overlapping clouds in d dimensions."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(N, d)) * rng.uniform(0.5, 2.0, size=d) + rng.choice([-2.0, 0.0, 2.0], (N, 1))


@pytest.fixture(autouse=True)
def quiet_scikit():
    """Both packages warn when EM is stopped early; ours is tested below."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ScikitWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


# ---- scikit-learn ----------------------------------------------------------------


@pytest.mark.parametrize("d, K", [(1, 1), (1, 3), (2, 2), (3, 4), (6, 2)])
@pytest.mark.parametrize("options", [
    {}, {"tol": 0.0, "max_iter": 25}, {"max_iter": 1}, {"reg_covar": 1e-3, "tol": 1e-8}], ids=str)
def test_the_same_start_gives_scikit_learns_result(d, K, options):
    X = points(d + K, d)
    options = {**start_for(X, K, seed=K), **options}
    ours = GaussianMixture(K, **options).fit(X)
    theirs = ScikitMixture(K, **options).fit(X)
    new = points(99, d, N=50)
    assert (ours.n_iter_, ours.converged_) == (theirs.n_iter_, theirs.converged_)
    for name in ("weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_",
                 "lower_bound_"):
        assert getattr(ours, name) == pytest.approx(getattr(theirs, name), rel=1e-10, abs=1e-10), name
    for method in ("predict_proba", "score_samples", "predict", "score", "aic", "bic"):
        assert getattr(ours, method)(new) == pytest.approx(
            getattr(theirs, method)(new), rel=1e-10, abs=1e-10), method


def test_old_faithful_has_its_known_optimum():
    X = datasets.old_faithful()
    mixture = GaussianMixture(2, tol=0.0, reg_covar=0.0, max_iter=1000,
                              means_init=[[2.0, 55.0], [4.0, 80.0]]).fit(X)
    # golden values: scikit-learn, converged, best of several starts
    assert mixture.history_[-1].log_likelihood == pytest.approx(-1130.2639601847, abs=1e-9)
    assert mixture.bic(X) == pytest.approx(2322.1917430987, abs=1e-8)
    assert mixture.weights_ == pytest.approx([0.355872857106, 0.644127142894], abs=1e-9)
    assert mixture.means_[0] == pytest.approx([2.03638845462, 54.47851637697], rel=1e-9)
    assert mixture.means_[1] == pytest.approx([4.28966197310, 79.96811517385], rel=1e-9)
    assert mixture.covariances_[0] == pytest.approx(
        np.array([[0.06916767255931, 0.435167624444], [0.435167624444, 33.69728207230]]), rel=1e-8)


# ---- the steps -------------------------------------------------------------------


def test_the_e_step_is_bayes_rule():
    X = points(1, 2, N=20)
    weights, means = np.array([0.3, 0.7]), np.array([[0.0, 1.0], [1.0, -1.0]])
    covariances = np.array([[[1.0, 0.3], [0.3, 2.0]], [[0.5, 0.0], [0.0, 0.5]]])
    joint = np.stack([w * multivariate_normal(m, C).pdf(X)
                      for w, m, C in zip(weights, means, covariances)], axis=1)
    responsibilities, log_likelihood = e_step(X, weights, means, covariances)
    assert responsibilities == pytest.approx(joint / joint.sum(axis=1, keepdims=True), rel=1e-10)
    assert log_likelihood == pytest.approx(np.log(joint.sum(axis=1)).sum(), rel=1e-10)


def test_points_without_any_density_still_have_responsibilities():
    X = np.array([[1e3, 0.0], [-1e4, 1.0]])
    means, covariances = np.array([[1.0, 0.0], [-1.0, 0.0]]), np.tile(np.eye(2), (2, 1, 1))
    responsibilities, log_likelihood = e_step(X, np.array([0.5, 0.5]), means, covariances)
    assert responsibilities == pytest.approx(np.array([[1.0, 0.0], [0.0, 1.0]]))
    assert np.isfinite(log_likelihood)


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(1, 3), st.integers(1, 3))
def test_no_iteration_lowers_the_likelihood(seed, d, K):
    X = points(seed, d, N=200)                # so many that no component collapses
    mixture = GaussianMixture(K, tol=0.0, max_iter=15, reg_covar=0.0, **start_for(X, K, seed))
    path = np.array([state.log_likelihood for state in mixture.fit(X).history_])
    assert np.all(np.diff(path) > -1e-9 * np.abs(path[:-1]))


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(1, 3))
def test_steps_follow_scaling_shifting_relabelling_and_repetition(seed, d):
    rng = np.random.default_rng(seed)
    X = points(seed, d, N=40)
    A, b = rng.normal(size=(d, d)) + 3 * np.eye(d), 10 * rng.normal(size=d)
    start = e_step(X, np.array([0.4, 0.6]), X[:2], np.tile(2 * np.eye(d), (2, 1, 1)))[0]
    assert start.sum(axis=1) == pytest.approx(np.ones(40), rel=1e-12)
    weights, means, covariances = m_step(X, start)
    after, log_likelihood = e_step(X, weights, means, covariances)

    moved = m_step(X @ A.T + b, start)
    assert moved[1] == pytest.approx(means @ A.T + b, rel=1e-9, abs=1e-9)
    assert moved[2] == pytest.approx(A @ covariances @ A.T, rel=1e-9, abs=1e-9)
    moved_after, moved_likelihood = e_step(X @ A.T + b, *moved)
    assert moved_after == pytest.approx(after, rel=1e-6, abs=1e-9)
    assert moved_likelihood == pytest.approx(
        log_likelihood - 40 * np.log(abs(np.linalg.det(A))), rel=1e-9)

    swapped = m_step(X, start[:, ::-1])
    for part, other in zip(swapped, (weights, means, covariances)):
        assert part[::-1] == pytest.approx(other, rel=1e-12)
    twice = m_step(np.concatenate([X, X]), np.concatenate([start, start]))
    for part, other in zip(twice, (weights, means, covariances)):
        assert part == pytest.approx(other, rel=1e-9, abs=1e-12)


def test_one_component_is_maximum_likelihood():
    X = points(4, 3)
    mixture = GaussianMixture(1, reg_covar=0.0).fit(X)
    mean, covariance = gaussian.fit(X)
    assert mixture.means_[0] == pytest.approx(mean, rel=1e-12)
    assert mixture.covariances_[0] == pytest.approx(covariance, rel=1e-12)


@pytest.mark.parametrize("scale", [1e-8, 1e8])
def test_units_do_not_matter(scale):
    X = datasets.old_faithful()
    start = {"weights_init": [0.5, 0.5], "reg_covar": 0.0, "tol": 0.0, "max_iter": 20}
    here = GaussianMixture(2, means_init=X[[0, 1]], **start).fit(X)
    there = GaussianMixture(2, means_init=scale * X[[0, 1]], **start).fit(scale * X)
    assert there.means_ == pytest.approx(scale * here.means_, rel=1e-8)
    assert there.covariances_ == pytest.approx(scale**2 * here.covariances_, rel=1e-7)


# ---- the estimator ---------------------------------------------------------------


def test_the_history_starts_at_the_start_and_ends_at_the_result():
    X = datasets.old_faithful()
    start = start_for(X, 2, seed=0)
    mixture = GaussianMixture(2, max_iter=7, tol=0.0, **start).fit(X)
    assert len(mixture.history_) == 8
    assert (mixture.history_[0].means == start["means_init"]).all()
    assert (mixture.history_[-1].means == mixture.means_).all()
    for state in mixture.history_:
        assert state.log_likelihood == pytest.approx(
            ScikitMixtureAt(state).score(X) * len(X), rel=1e-10)


def ScikitMixtureAt(state):
    """scikit-learn's mixture with given parameters."""
    mixture = ScikitMixture(len(state.weights))
    mixture.weights_, mixture.means_ = state.weights, state.means
    mixture.precisions_cholesky_ = np.stack(
        [np.linalg.inv(np.linalg.cholesky(C)).T for C in state.covariances])
    return mixture


def test_more_starts_are_never_worse_and_the_seed_repeats():
    X, _ = datasets.three_clusters()
    bounds = [GaussianMixture(3, n_init=n, random_state=5).fit(X).lower_bound_ for n in (1, 4, 8)]
    assert bounds == sorted(bounds)
    again = GaussianMixture(3, n_init=4, random_state=5).fit(X).lower_bound_
    assert again == bounds[1]


def test_samples_have_the_mixtures_moments():
    X = datasets.old_faithful()
    mixture = GaussianMixture(2, means_init=[[2.0, 55.0], [4.0, 80.0]], random_state=0).fit(X)
    drawn, labels = mixture.sample(20_000)
    share = np.mean(labels == 0)
    assert abs(share - mixture.weights_[0]) < 5 * np.sqrt(0.25 / 20_000)
    for k in range(2):
        part = drawn[labels == k]
        error = np.abs(part.mean(axis=0) - mixture.means_[k])
        assert np.all(error < 5 * np.sqrt(np.diag(mixture.covariances_[k]) / len(part)))


def test_stopping_early_is_said_in_words():
    with pytest.warns(ConvergenceWarning, match="larger max_iter"):
        GaussianMixture(2, max_iter=2, random_state=0).fit(datasets.old_faithful())


@pytest.mark.parametrize("X, words", [
    ([[1.0, np.nan], [2.0, 3.0]], r"X\[0, 1\] is nan"),
    ([[np.inf], [2.0]], "missing or infinite"),
    ([1.0, 2.0], "X.reshape"),
    ([["a"], ["b"]], "table of numbers"),
    (np.empty((0, 2)), "empty"),
    ([[1.0, 2.0]], "fewer components"),
], ids=["nan", "inf", "flat", "text", "empty", "few"])
def test_data_that_cannot_be_used_are_refused_with_what_to_do(X, words):
    with pytest.raises(ValueError, match=words):
        GaussianMixture(2).fit(X)


@pytest.mark.parametrize("options, words", [
    ({"covariance_type": "tied"}, "'full' covariances only"),
    ({"init_params": "kmeans"}, "random_from_data"),
    ({"n_components": 0}, "n_components=0"),
    ({"max_iter": 0}, "max_iter=0"),
    ({"tol": -1.0}, "tol=-1.0"),
    ({"means_init": [[0.0, 0.0, 0.0]]}, "means_init has shape"),
], ids=lambda value: str(value)[:20])
def test_parameters_that_cannot_be_used_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        GaussianMixture(**{"n_components": 2, **options}).fit(datasets.old_faithful())


def test_a_component_that_collapses_or_empties_is_named():
    X = np.array([[0.0, 0.0], [5.0, 5.0], [5.1, 4.9], [4.9, 5.2], [5.2, 5.1]])
    lonely = {"means_init": [[0.0, 0.0], [5.0, 5.0]], "reg_covar": 0.0,
              "precisions_init": np.tile(50 * np.eye(2), (2, 1, 1))}
    with pytest.raises(ValueError, match="component 0 has collapsed.*reg_covar"):
        GaussianMixture(2, **lonely).fit(X)
    with pytest.raises(ValueError, match="component 1 has no points left"):
        m_step(X, np.stack([np.ones(5), np.zeros(5)], axis=1))


def test_a_mixture_is_used_only_after_fitting_and_on_as_many_columns():
    with pytest.raises(ValueError, match="call fit"):
        GaussianMixture(2).predict([[1.0]])
    mixture = GaussianMixture(1).fit(datasets.old_faithful())
    with pytest.raises(ValueError, match="3 columns"):
        mixture.predict([[1.0, 2.0, 3.0]])
