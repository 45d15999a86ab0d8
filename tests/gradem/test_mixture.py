"""EM against scikit-learn from the same start, published fits, and what holds of any mixture."""

import doctest
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import mixture as sklearn_mixture

import gradem
from gradem import GaussianMixture, datasets, gaussian, mixture
from gradem.mixture import ConvergenceWarning, e_step, log_joint, m_step

seeds = st.integers(0, 2**32 - 1)
components = st.integers(1, 3)
dimensions = st.integers(1, 3)
whole_fits = settings(max_examples=30)      # a fit takes fifty times as long as a step


def problem(seed, K, d, N=100):
    """Overlapping clusters, and a start that is wrong."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, d)) + rng.choice([-1.5, 0.0, 2.0], size=(N, 1))
    weights = rng.dirichlet(np.full(K, 5.0))
    means = rng.normal(size=(K, d))
    root = rng.normal(size=(K, d, d)) * 0.5 + np.eye(d)
    return X, weights, means, root @ root.swapaxes(1, 2) + 0.3 * np.eye(d)


def start(weights, means, covariances):
    """The start as parameters of either GaussianMixture."""
    return dict(n_components=len(weights), weights_init=weights, means_init=means,
                precisions_init=np.linalg.inv(covariances))


def fitted(estimator, X):
    """Fit without a word about convergence, which these tests do not ask for."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning)
        return estimator.fit(X)


# ---- the two steps -------------------------------------------------------------------


@given(seeds, components, dimensions)
def test_the_e_step_is_bayes_rule_on_scipys_densities(seed, K, d):
    X, weights, means, covariances = problem(seed, K, d)
    joint = np.stack([p * stats.multivariate_normal(m, C).pdf(X).reshape(len(X))
                      for p, m, C in zip(weights, means, covariances)], axis=1)
    density = joint.sum(axis=1)
    responsibilities, log_likelihood = e_step(X, weights, means, covariances)
    np.testing.assert_allclose(responsibilities, joint / density[:, None], rtol=1e-9, atol=1e-14)
    assert log_likelihood == pytest.approx(np.log(density).sum(), rel=1e-10)
    np.testing.assert_allclose(np.exp(log_joint(X, weights, means, covariances)), joint, rtol=1e-9)


@given(seeds, components, dimensions)
def test_responsibilities_are_probabilities(seed, K, d):
    responsibilities, _ = e_step(*problem(seed, K, d))
    assert np.all(responsibilities >= 0)
    np.testing.assert_allclose(responsibilities.sum(axis=1), 1.0, rtol=1e-12)


def test_far_points_have_responsibilities():
    X = np.array([[1e3, 0.0], [-1e8, 1e8]])
    weights, means = [0.3, 0.7], np.array([[0.0, 0.0], [1.0, 0.0]])
    covariances = np.stack([np.eye(2)] * 2)
    assert np.all(np.exp(gaussian.log_density(X, means[0], covariances[0])) == 0.0)
    responsibilities, log_likelihood = e_step(X, weights, means, covariances)
    ratio = 0.3 / 0.7 * np.exp(-999.5)
    assert responsibilities[0].tolist() == [ratio, 1.0]
    assert responsibilities[1].tolist() == [1.0, 0.0]
    assert np.isfinite(log_likelihood)


def test_a_component_of_weight_zero_is_responsible_for_nothing():
    X, _, means, covariances = problem(0, 2, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        responsibilities, log_likelihood = e_step(X, [1.0, 0.0], means, covariances)
    assert np.array_equal(responsibilities, np.tile([1.0, 0.0], (len(X), 1)))
    assert log_likelihood == pytest.approx(
        gaussian.log_density(X, means[0], covariances[0]).sum(), rel=1e-13)


@given(seeds, components, dimensions)
def test_the_m_step_is_the_weighted_maximum_likelihood_of_each_component(seed, K, d):
    rng = np.random.default_rng(seed)
    X, responsibilities = rng.normal(size=(30, d)), rng.dirichlet(np.ones(K), size=30)
    weights, means, covariances = m_step(X, responsibilities, reg_covar=0.25)
    np.testing.assert_allclose(weights, responsibilities.mean(axis=0), rtol=1e-12)
    for r, mean, covariance in zip(responsibilities.T, means, covariances):
        np.testing.assert_allclose(mean, np.average(X, axis=0, weights=r), rtol=1e-10, atol=1e-12)
        expected = np.cov(X.T, aweights=r, ddof=0).reshape(d, d) + 0.25 * np.eye(d)
        np.testing.assert_allclose(covariance, expected, rtol=1e-10, atol=1e-12)


# ---- the same as scikit-learn --------------------------------------------------------


def compare_with_sklearn(X, rtol=1e-10, **parameters):
    """Fit both from one start, and compare all that they say about the points."""
    ours = fitted(GaussianMixture(**parameters), X)
    theirs = fitted(sklearn_mixture.GaussianMixture(**parameters), X)
    assert (ours.n_iter_, ours.converged_) == (theirs.n_iter_, theirs.converged_)
    for name in ["weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_",
                 "lower_bound_"]:
        want = getattr(theirs, name)
        np.testing.assert_allclose(getattr(ours, name), want, rtol=rtol,
                                   atol=rtol * np.abs(want).max(), err_msg=name)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=rtol)
    np.testing.assert_allclose(ours.score_samples(X), theirs.score_samples(X), rtol=rtol, atol=rtol)
    for name in ["score", "aic", "bic"]:
        assert getattr(ours, name)(X) == pytest.approx(getattr(theirs, name)(X), rel=rtol), name
    assert np.array_equal(ours.predict(X), theirs.predict(X))
    return ours, theirs


@whole_fits
@given(seeds, components, dimensions)
def test_the_same_start_gives_the_same_fit(seed, K, d):
    X, *parameters = problem(seed, K, d)
    compare_with_sklearn(X, max_iter=20, **start(*parameters))


@pytest.mark.parametrize("N, K, d", [(4000, 5, 2), (4000, 3, 10), (300, 2, 30), (5, 5, 1)])
def test_the_same_fit_in_other_sizes(N, K, d):
    X, *parameters = problem(7, K, d, N)
    compare_with_sklearn(X, max_iter=15, **start(*parameters))


@pytest.mark.parametrize("tol, max_iter", [(1e-3, 100), (1e-8, 1000), (0.0, 30), (1e-3, 1)])
def test_the_same_fit_of_old_faithful_by_any_stop_rule(tol, max_iter):
    X = datasets.old_faithful()
    ours, theirs = compare_with_sklearn(
        X, tol=tol, max_iter=max_iter,
        **start([0.5, 0.5], X[:2], np.stack([np.cov(X.T)] * 2)))
    assert len(X) * theirs.lower_bounds_[-1] == pytest.approx(
        ours.history_[-2].log_likelihood, rel=1e-12)


@pytest.mark.parametrize("unit", [1e-8, 1e-4, 1e4, 1e8])
def test_the_same_fit_in_extreme_units(unit):
    X, weights, means, covariances = problem(3, 3, 2, 200)
    compare_with_sklearn(X * unit, reg_covar=1e-6 * unit**2, tol=1e-6, max_iter=50,
                         **start(weights, means * unit, covariances * unit**2))


def test_parts_of_the_start_may_be_left_out():
    """From points alone: equal weights, and covariances that are reg_covar, as scikit-learn's."""
    X, _, means, _ = problem(5, 3, 2)
    compare_with_sklearn(X, n_components=3, means_init=means, init_params="random_from_data",
                         reg_covar=0.5, max_iter=20)


# ---- published fits ------------------------------------------------------------------


@pytest.fixture(scope="module")
def old_faithful_fit():
    return fitted(GaussianMixture(2, reg_covar=0, tol=0, max_iter=200, random_state=0),
                  datasets.old_faithful())


def test_the_converged_fit_of_old_faithful(old_faithful_fit):
    """To the digits of scikit-learn 1.9, run to convergence without reg_covar."""
    X, fit = datasets.old_faithful(), old_faithful_fit
    short, long = np.argsort(fit.means_[:, 0])
    assert fit.score(X) * len(X) == pytest.approx(-1130.2639601847, rel=1e-13)
    assert fit.bic(X) == pytest.approx(2322.1917430987, rel=1e-13)
    np.testing.assert_allclose(fit.weights_[[short, long]], [0.355872857106, 0.644127142894],
                               rtol=1e-10)
    np.testing.assert_allclose(fit.means_[[short, long]], [[2.03638845462, 54.47851637697],
                                                           [4.28966197310, 79.96811517385]],
                               rtol=1e-10)
    np.testing.assert_allclose(
        fit.covariances_[[short, long]],
        [[[0.06916767255931, 0.435167624444], [0.435167624444, 33.69728207230]],
         [[0.16996843574710, 0.940609319270], [0.940609319270, 36.04621131755]]], rtol=1e-9)


def test_one_component_is_the_maximum_likelihood_of_all_points():
    X = datasets.old_faithful()
    fit = GaussianMixture(1, reg_covar=0).fit(X)
    mean, covariance = gaussian.fit(X)
    np.testing.assert_allclose(fit.weights_, [1.0], rtol=1e-12)
    np.testing.assert_allclose(fit.means_[0], mean, rtol=1e-12)
    np.testing.assert_allclose(fit.covariances_[0], covariance, rtol=1e-12)
    assert fit.converged_ and np.array_equal(fit.history_[1].means, fit.means_)


def test_swapping_the_import_is_enough_on_separate_clusters():
    """The default starts differ, and both find the clusters."""
    X, labels = datasets.blobs([0.5, 0.5], [[0, 0], [9, 9]], [np.eye(2)] * 2, 200, seed=0)
    for home in (gradem, sklearn_mixture):
        found = home.GaussianMixture(2, n_init=3, random_state=0).fit(X).predict(X)
        assert max((found == labels).mean(), (found != labels).mean()) == 1.0


# ---- what holds of every mixture -----------------------------------------------------


@whole_fits
@given(seeds, components, dimensions)
def test_the_log_likelihood_never_falls(seed, K, d):
    X, *parameters = problem(seed, K, d)
    fit = fitted(GaussianMixture(reg_covar=0, tol=0, max_iter=15, **start(*parameters)), X)
    climb = np.array([state.log_likelihood for state in fit.history_])
    assert np.all(np.diff(climb) >= -1e-11 * np.abs(climb).max())


@whole_fits
@given(seeds, components)
def test_history_holds_the_start_every_iteration_and_the_result(seed, K):
    X, *parameters = problem(seed, K, 2)
    fit = fitted(GaussianMixture(max_iter=5, **start(*parameters)), X)
    assert len(fit.history_) == fit.n_iter_ + 1
    for got, want in zip(fit.history_[0], parameters):
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-12)
    for before, after in zip(fit.history_, fit.history_[1:]):
        responsibilities, log_likelihood = e_step(X, *before[:3])
        assert before.log_likelihood == pytest.approx(log_likelihood, rel=1e-12)
        for got, want in zip(after, m_step(X, responsibilities, fit.reg_covar)):
            np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-12)
    for got, want in zip((fit.weights_, fit.means_, fit.covariances_), fit.history_[-1]):
        assert np.array_equal(got, want)
    assert fit.lower_bound_ == fit.history_[-2].log_likelihood / len(X)
    assert fit.score(X) == pytest.approx(fit.history_[-1].log_likelihood / len(X), rel=1e-12)


@whole_fits
@given(seeds, components, dimensions)
def test_a_change_of_coordinates_changes_nothing_else(seed, K, d):
    """Shift, rotation, shear and units: x -> A x + b."""
    X, weights, means, covariances = problem(seed, K, d)
    rng = np.random.default_rng(seed)
    A = np.diag(10 ** rng.uniform(-1, 1, size=d)) @ np.linalg.qr(rng.normal(size=(d, d)))[0]
    b = rng.normal(size=d) * 10
    plain = fitted(GaussianMixture(reg_covar=0, tol=0, max_iter=8,
                                   **start(weights, means, covariances)), X)
    moved = fitted(GaussianMixture(reg_covar=0, tol=0, max_iter=8,
                                   **start(weights, means @ A.T + b, A @ covariances @ A.T)),
                   X @ A.T + b)
    np.testing.assert_allclose(moved.weights_, plain.weights_, rtol=1e-6)
    np.testing.assert_allclose(moved.means_, plain.means_ @ A.T + b, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(moved.covariances_, A @ plain.covariances_ @ A.T,
                               rtol=1e-6, atol=1e-6)
    unit = np.log(abs(np.linalg.det(A)))
    np.testing.assert_allclose(moved.score_samples(X @ A.T + b), plain.score_samples(X) - unit,
                               atol=1e-6)


@whole_fits
@given(seeds, dimensions)
def test_the_order_of_components_and_points_does_not_matter(seed, d):
    X, weights, means, covariances = problem(seed, 3, d)
    rng = np.random.default_rng(seed)
    k, n = rng.permutation(3), rng.permutation(len(X))
    plain = fitted(GaussianMixture(max_iter=8, **start(weights, means, covariances)), X)
    other = fitted(GaussianMixture(max_iter=8, **start(weights[k], means[k], covariances[k])), X[n])
    np.testing.assert_allclose(other.weights_, plain.weights_[k], rtol=1e-9)
    np.testing.assert_allclose(other.means_, plain.means_[k], rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(other.covariances_, plain.covariances_[k], rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(other.predict_proba(X[n]), plain.predict_proba(X)[n][:, k],
                               atol=1e-9)


@whole_fits
@given(seeds, components)
def test_duplicated_points_count_twice(seed, K):
    X, *parameters = problem(seed, K, 2)
    once = fitted(GaussianMixture(max_iter=8, **start(*parameters)), X)
    twice = fitted(GaussianMixture(max_iter=8, **start(*parameters)), np.repeat(X, 2, axis=0))
    np.testing.assert_allclose(twice.means_, once.means_, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(twice.covariances_, once.covariances_, rtol=1e-9, atol=1e-10)
    assert twice.lower_bound_ == pytest.approx(once.lower_bound_, rel=1e-10)


@whole_fits
@given(seeds, components)
def test_after_an_m_step_the_mixture_has_the_moments_of_the_points(seed, K):
    """sum p_k mu_k is the mean, and the total covariance that of all points."""
    X, *parameters = problem(seed, K, 3)
    fit = fitted(GaussianMixture(reg_covar=0, max_iter=3, **start(*parameters)), X)
    mean, covariance = gaussian.fit(X)
    np.testing.assert_allclose(fit.weights_ @ fit.means_, mean, atol=1e-10)
    between = fit.means_ - mean
    total = np.einsum("k,kij->ij", fit.weights_, fit.covariances_) + np.einsum(
        "k,ki,kj->ij", fit.weights_, between, between)
    np.testing.assert_allclose(total, covariance, atol=1e-10)


# ---- starts --------------------------------------------------------------------------


def test_fitting_and_predicting_in_one_call():
    X = datasets.old_faithful()
    fit = GaussianMixture(2, random_state=0)
    labels = fit.fit_predict(X)
    assert np.array_equal(labels, fit.predict(X))
    assert np.array_equal(labels, fit.predict_proba(X).argmax(axis=1))


def test_several_starts_keep_the_best_and_its_history():
    X, _ = datasets.three_clusters()
    rng = np.random.default_rng(11)
    alone = [fitted(GaussianMixture(3, random_state=rng, max_iter=20), X) for _ in range(6)]
    best = max(alone, key=lambda fit: fit.lower_bound_)
    assert best is not alone[0] and best is not alone[-1]
    several = fitted(GaussianMixture(3, random_state=11, n_init=6, max_iter=20), X)
    assert np.array_equal(several.means_, best.means_)
    assert several.lower_bound_ == best.lower_bound_ and several.n_iter_ == best.n_iter_
    assert np.array_equal(several.history_[0].means, best.history_[0].means)


def test_starts_are_points_and_follow_the_seed():
    X, _ = datasets.three_clusters()
    first, again, other = (
        fitted(GaussianMixture(3, init_params="random_from_data", random_state=seed),
               X).history_[0] for seed in (1, 1, 2))
    assert np.array_equal(first.means, again.means)
    assert not np.array_equal(first.means, other.means)
    assert len(np.unique(first.means, axis=0)) == 3
    assert all(np.min(np.abs(mean - X).max(axis=1)) < 1e-12 for mean in first.means)
    np.testing.assert_allclose(first.weights, 1 / 3, rtol=1e-15)
    np.testing.assert_allclose(first.covariances, [1e-6 * np.eye(2)] * 3, atol=1e-12)


def test_points_may_come_as_lists_integers_and_single_precision():
    whole = np.round(datasets.old_faithful() * 10)
    expected = fitted(GaussianMixture(2, random_state=0), whole).means_
    for same in (whole.tolist(), whole.astype(int)):
        assert np.array_equal(fitted(GaussianMixture(2, random_state=0), same).means_, expected)
    single = fitted(GaussianMixture(2, random_state=0), whole.astype(np.float32))
    for name in ("weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_"):
        assert getattr(single, name).dtype == np.float32
    np.testing.assert_allclose(single.means_, expected, rtol=1e-6)


# ---- sampling ------------------------------------------------------------------------


def test_samples_follow_the_fitted_mixture(old_faithful_fit):
    """Shares and means within five standard errors."""
    N, fit = 20_000, old_faithful_fit
    X, labels = fit.sample(N)
    assert X.shape == (N, 2) and np.array_equal(labels, np.sort(labels))
    for k in range(2):
        own = X[labels == k]
        error = np.sqrt(fit.weights_[k] * (1 - fit.weights_[k]) / N)
        assert abs(len(own) / N - fit.weights_[k]) < 5 * error
        errors = np.sqrt(np.diagonal(fit.covariances_[k]) / len(own))
        assert np.all(np.abs(own.mean(axis=0) - fit.means_[k]) < 5 * errors)


def test_samples_follow_the_seed(old_faithful_fit):
    first, again = old_faithful_fit.sample(5)[0], old_faithful_fit.sample(5)[0]
    assert np.array_equal(first, again)
    X, labels = old_faithful_fit.sample()
    assert X.shape == (1, 2) and labels.shape == (1,)


# ---- components that collapse or empty -----------------------------------------------


def two_places():
    """Twenty points, the last of them far away, and a start that gives that one a component."""
    X = np.concatenate([np.random.default_rng(0).normal(size=(19, 2)), [[50.0, 50.0]]])
    return X, dict(n_components=2, weights_init=[0.9, 0.1], means_init=[[0, 0], [50, 50]],
                   precisions_init=[np.eye(2)] * 2)


def test_a_component_that_collapses_is_named():
    X, alone = two_places()
    with pytest.raises(ValueError, match="component 1.*has collapsed.*reg_covar.*"
                                         "another start or fewer components"):
        GaussianMixture(reg_covar=0, **alone).fit(X)


def test_reg_covar_holds_a_component_open():
    X, alone = two_places()
    fit = GaussianMixture(reg_covar=0.01, **alone).fit(X)
    np.testing.assert_allclose(fit.covariances_[1], 0.01 * np.eye(2), atol=1e-12)
    assert fit.weights_[1] == pytest.approx(0.05, rel=1e-9)


def test_a_component_that_empties_is_named():
    X, alone = two_places()
    alone["means_init"] = [[0, 0], [-1e6, 1e6]]
    with pytest.raises(ValueError, match="component 1 is empty.*fewer components"):
        GaussianMixture(**alone).fit(X)


def test_equal_points_need_reg_covar():
    X = np.ones((6, 2))
    with pytest.raises(ValueError, match="component 0.*at one place"):
        GaussianMixture(2, init_params="random", reg_covar=0, random_state=0).fit(X)
    with pytest.warns(ConvergenceWarning), pytest.raises(ValueError, match="1 is empty"):
        GaussianMixture(2, random_state=0).fit(X)
    fit = GaussianMixture(2, init_params="random", random_state=0).fit(X)
    np.testing.assert_allclose(fit.means_, 1.0, rtol=1e-12)
    assert np.isfinite(fit.score(X))


def test_a_constant_column_is_fitted_with_reg_covar():
    X = np.column_stack([datasets.old_faithful()[:, 0], np.full(272, 3.0)])
    fit = GaussianMixture(2, random_state=0).fit(X)
    np.testing.assert_allclose(fit.covariances_[:, 1, 1], 1e-6, rtol=1e-6)


# ---- words ---------------------------------------------------------------------------


def test_stopping_early_warns_in_words():
    X = datasets.old_faithful()
    with pytest.warns(ConvergenceWarning, match="max_iter=2 .* raise max_iter or tol"):
        fit = GaussianMixture(2, max_iter=2, tol=1e-9, random_state=0).fit(X)
    assert not fit.converged_ and fit.n_iter_ == 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert GaussianMixture(2, random_state=0).fit(X).converged_


@pytest.mark.parametrize("X, words", [
    ([1.0, 2.0, 3.0], r"shape \(3,\).*reshape\(-1, 1\)"),
    (np.zeros((2, 2, 2)), "a row for each point and a column for each feature"),
    (np.zeros((0, 2)), "holds no numbers"),
    (np.zeros((3, 0)), "holds no numbers"),
    ([[1.0, 2.0], [3.0, np.nan]], r"X\[1, 1\] is nan: remove the points"),
    ([[1.0, -np.inf], [3.0, 2.0]], r"X\[0, 1\] is -inf: remove the points"),
    ([["short", 54], ["long", 80]], "turn text and dates into numbers"),
    ([[1.0, 2.0], [3.0]], "all rows of the same length"),
    ([[1 + 2j], [2.0]], "a table of real numbers"),
    (None, r"X has shape \(\)"),
])
def test_points_that_cannot_be_used_are_refused_in_words(X, words):
    with pytest.raises(ValueError, match=words):
        GaussianMixture(2).fit(X)
    fit = GaussianMixture(1).fit([[0.0, 1.0], [1.0, 3.0], [2.0, 2.0]])
    for use in (fit.predict, fit.predict_proba, fit.score, fit.score_samples, fit.aic, fit.bic):
        with pytest.raises(ValueError, match=words):
            use(X)


def test_there_must_be_as_many_points_as_components():
    with pytest.raises(ValueError, match="3 components cannot be fitted to 2 points"):
        GaussianMixture(3).fit(np.eye(2))


def test_the_features_must_be_those_of_the_fit():
    fit = GaussianMixture(1).fit(datasets.old_faithful())
    for use in (fit.predict, fit.predict_proba, fit.score, fit.score_samples, fit.aic, fit.bic):
        with pytest.raises(ValueError, match="X has 3 columns, but .* fitted to 2"):
            use(np.zeros((4, 3)))


def test_an_unfitted_mixture_says_so():
    new = GaussianMixture(2)
    for use in (new.predict, new.predict_proba, new.score, new.score_samples, new.aic, new.bic):
        with pytest.raises(ValueError, match=r"not fitted yet: call fit\(X\)"):
            use(np.eye(2))
    with pytest.raises(ValueError, match=r"not fitted yet: call fit\(X\)"):
        new.sample(2)


@pytest.mark.parametrize("parameters, words", [
    (dict(covariance_type="round"), "covariance_type='round' is not available: use .* 'tied'"),
    (dict(init_params="guess"), "init_params='guess' is not available: use one of 'kmeans'"),
    (dict(n_components=True), "n_components=True must be a whole number"),
    (dict(random_state="seed"), "random_state='seed' is no seed: use a whole number"),
    (dict(reg_covar=np.inf), "reg_covar=inf must be a finite number"),
    (dict(n_components=0), "n_components=0 must be a whole number that is at least 1"),
    (dict(n_components=2.0), "n_components=2.0 must be a whole number"),
    (dict(max_iter=-1), "max_iter=-1 must be a whole number that is at least 0"),
    (dict(n_init=None), "n_init=None must be a whole number"),
    (dict(tol=-1e-3), "tol=-0.001 must be a finite number that is at least 0"),
    (dict(tol="small"), "tol='small' must be a finite number"),
    (dict(reg_covar=float("nan")), "reg_covar=nan must be a finite number that is at least 0"),
    (dict(weights_init=[0.5, 0.3, 0.2]), r"weights_init has shape \(3,\), but .* for \(2,\)"),
    (dict(weights_init=[2.0, 3.0]), "weights_init.*must sum to one: divide"),
    (dict(weights_init=[1.5, -0.5]), "weights_init.*must not be negative"),
    (dict(means_init=[[0.0], [1.0]]), r"means_init has shape \(2, 1\), but .* for \(2, 2\)"),
    (dict(means_init=[[0.0, np.nan], [1.0, 1.0]]), "means_init holds NaN"),
    (dict(precisions_init=np.eye(2)), r"precisions_init has shape .* for \(2, 2, 2\)"),
    (dict(precisions_init=np.ones((2, 2, 2))), "precisions_init.*positive definite"),
    (dict(precisions_init=[[[1.0, 2.0], [0.0, 9.0]]] * 2), "precisions_init.*symmetric"),
])
def test_parameters_that_cannot_be_meant_are_refused_in_words(parameters, words):
    with pytest.raises(ValueError, match=words):
        GaussianMixture(**{"n_components": 2, **parameters}).fit(datasets.old_faithful())


@pytest.mark.parametrize("n_samples", [0, -1, 2.5, None])
def test_the_size_of_a_sample_is_checked(n_samples, old_faithful_fit):
    with pytest.raises(ValueError, match="n_samples=.* must be a whole number"):
        old_faithful_fit.sample(n_samples)


def test_the_examples_in_the_docstrings():
    assert doctest.testmod(mixture).failed == 0
