"""Mixtures with every kind of covariance, in blocks, with weights, accelerated."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import mixture as sklearn_mixture

from gradem import GaussianMixture, datasets
from gradem.em import Pass
from gradem.families import FAMILIES

KINDS = sorted(FAMILIES)
kinds = pytest.mark.parametrize("kind", KINDS)
seeds = st.integers(0, 2**32 - 1)
whole_fits = settings(max_examples=15, deadline=None)


def precisions(kind, K, d):
    """Unit precisions of a kind."""
    return {"full": np.stack([np.eye(d)] * K), "tied": np.eye(d), "diag": np.ones((K, d)),
            "spherical": np.ones(K)}[kind]


def problem(kind, seed, K=3, d=2, N=150):
    """Points of a mixture, and parameters that start a fit near it."""
    rng = np.random.default_rng(seed)
    centres = 3 * rng.normal(size=(K, d))
    X = centres[rng.integers(K, size=N)] + rng.normal(size=(N, d))
    return X, dict(n_components=K, covariance_type=kind, weights_init=np.full(K, 1 / K),
                   means_init=centres + 0.5, precisions_init=precisions(kind, K, d))


@pytest.mark.filterwarnings("ignore::gradem.estimator.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@kinds
@pytest.mark.parametrize("N, d, K", [(150, 2, 3), (60, 1, 2), (400, 7, 4), (300, 25, 2), (5, 2, 1)])
def test_the_same_start_gives_the_same_fit_as_scikit_learn(kind, N, d, K):
    X, parameters = problem(kind, 3, K, d, N)
    ours = GaussianMixture(max_iter=20, tol=1e-6, **parameters).fit(X)
    theirs = sklearn_mixture.GaussianMixture(max_iter=20, tol=1e-6, **parameters).fit(X)
    assert (ours.n_iter_, ours.converged_) == (theirs.n_iter_, theirs.converged_)
    for name in ("weights_", "means_", "covariances_", "precisions_", "precisions_cholesky_",
                 "lower_bound_"):
        want = getattr(theirs, name)
        np.testing.assert_allclose(getattr(ours, name), want, rtol=1e-10,
                                   atol=1e-10 * np.abs(want).max(), err_msg=name)
    if kind in ("full", "tied"):
        assert not np.tril(ours.precisions_cholesky_, -1).any()
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-10)
    assert ours.aic(X) == pytest.approx(theirs.aic(X), rel=1e-10)
    assert ours.bic(X) == pytest.approx(theirs.bic(X), rel=1e-10)


# log likelihood and BIC of scikit-learn's converged fits, best of several starts
OLD_FAITHFUL = {"full": (-1130.2639601847, 2322.1917430987),
                "tied": (-1140.1867594371, 2325.2199354045),
                "diag": (-1147.8063525378, 2346.0649236723),
                "spherical": (-1709.5292821774, 3458.2991788189)}


@pytest.mark.parametrize("accelerate", [False, True])
@kinds
def test_the_fits_of_old_faithful(kind, accelerate):
    X = datasets.old_faithful()
    fit = GaussianMixture(2, covariance_type=kind, reg_covar=0, tol=1e-12, max_iter=3000, n_init=3,
                          random_state=0, accelerate=accelerate).fit(X)
    log_likelihood, bic = OLD_FAITHFUL[kind]
    assert fit.history_[-1].log_likelihood == pytest.approx(log_likelihood, abs=1e-7)
    assert fit.bic(X) == pytest.approx(bic, abs=1e-7)


# ---- both ways of a pass ------------------------------------------------------------------------


@kinds
@given(seed=seeds)
@whole_fits
def test_both_ways_to_the_sums_agree(kind, seed):
    X, parameters = problem(kind, seed)
    family = FAMILIES[kind]
    centre = X.mean(axis=0)
    scatter = (X - centre).T @ (X - centre)
    start = (parameters["weights_init"], parameters["means_init"], parameters["precisions_init"])
    fast, direct = (Pass(family, *start, centre, scatter) for _ in range(2))
    assert fast.by_features
    direct.by_features, direct.shared = False, None
    results = []
    for way in (fast, direct):
        sums = way.completed(way.sums(X, None))
        results.append((sums.log_likelihood, *way.step(sums, 0.0)))
    for got, want in zip(*results):
        np.testing.assert_allclose(got, want, rtol=1e-11, atol=1e-11)


@kinds
def test_narrow_components_far_from_the_centre_keep_their_digits(kind):
    """A shift of the points shifts the fit, and no more: the features would lose six digits."""
    X, parameters = problem(kind, 5, K=2, d=2)
    far = np.where(np.arange(len(X))[:, None] < 75, 0.0, 2.0**23)
    parameters["means_init"] = np.array([[0.0, 0.0], [2.0**23, 2.0**23]])
    left = GaussianMixture(1, covariance_type=kind, reg_covar=0, tol=1e-9).fit(X[:75])
    right = GaussianMixture(1, covariance_type=kind, reg_covar=0, tol=1e-9).fit(X[75:])
    both = GaussianMixture(reg_covar=0, tol=1e-9, **parameters).fit(X + far)
    if kind == "tied":
        want = (left.covariances_ + right.covariances_) / 2
    else:
        want = np.concatenate([left.covariances_, right.covariances_])
    np.testing.assert_allclose(both.covariances_, want, rtol=1e-8, atol=1e-9)


# ---- weights and blocks -------------------------------------------------------------------------


@kinds
@given(seed=seeds)
@whole_fits
@pytest.mark.filterwarnings("ignore::gradem.estimator.ConvergenceWarning")
def test_a_weight_says_how_often_a_point_counts(kind, seed):
    X, parameters = problem(kind, seed)
    counts = np.random.default_rng(seed).integers(0, 3, size=len(X))
    counts[0] = 1
    weighted = GaussianMixture(max_iter=5, tol=0, **parameters).fit(X, sample_weight=counts)
    repeated = GaussianMixture(max_iter=5, tol=0, **parameters).fit(np.repeat(X, counts, axis=0))
    for name in ("weights_", "means_", "covariances_", "lower_bound_"):
        np.testing.assert_allclose(getattr(weighted, name), getattr(repeated, name),
                                   rtol=1e-9, atol=1e-11)


class Lazy:
    """Blocks that are made when they are asked for, and counts how many are alive."""

    def __init__(self, X, cuts):
        self.parts, self.asked = np.split(X, cuts), 0

    def __len__(self):
        return len(self.parts)

    def __getitem__(self, i):
        self.asked += 1
        return self.parts[i].copy()


@pytest.mark.parametrize("kind", ["full", "tied"])
def test_a_thin_component_of_single_precision_can_be_used(kind):
    """Its covariance, rounded to float32, is singular."""
    x, noise = np.random.default_rng(0).normal(size=(2, 500)) * [[1000.0], [0.1]]
    X = np.stack([x, x + noise], axis=1).astype(np.float32)
    fit = GaussianMixture(1, covariance_type=kind, warm_start=True).fit(X)
    assert fit.covariances_.dtype == np.float32
    height = fit.history_[-1].log_likelihood / 500
    assert fit.score(X) == pytest.approx(height, abs=1e-4)
    assert np.std(np.diff(fit.sample(5000)[0], axis=1)) == pytest.approx(0.1, rel=0.1)
    assert fit.fit(X).score(X) == pytest.approx(height, abs=1e-4)


@kinds
def test_points_in_blocks_give_the_same_fit(kind, tmp_path):
    X, parameters = problem(kind, 9, N=1000)
    weights = np.random.default_rng(0).uniform(size=1000)
    whole = GaussianMixture(tol=1e-9, max_iter=300, **parameters).fit(X, sample_weight=weights)
    np.save(tmp_path / "X.npy", X)
    cuts = [100, 101, 777]
    for blocks, w in ((np.split(X, cuts), np.split(weights, cuts)),
                      (Lazy(X, cuts), np.split(weights, cuts)),
                      (np.load(tmp_path / "X.npy", mmap_mode="r"), weights)):
        fit = GaussianMixture(tol=1e-9, max_iter=300, **parameters).fit(blocks, sample_weight=w)
        assert fit.n_iter_ == whole.n_iter_
        for name in ("weights_", "means_", "covariances_"):
            np.testing.assert_allclose(getattr(fit, name), getattr(whole, name), rtol=1e-9,
                                       atol=1e-11)


@pytest.mark.parametrize("X, w, words", [
    ([np.ones((3, 2)), np.ones((3, 1))], None, "different numbers of columns"),
    ([np.ones((3, 2)), np.full((1, 2), np.nan)], None, r"X\[0, 0\] is nan"),
    ([np.ones((3, 2))], [np.ones(3)] * 2, "X has 1 blocks, sample_weight 2"),
    (np.ones((3, 2)), np.ones(2), r"sample_weight has shape \(2,\), but X has 3 rows"),
    (np.ones((3, 2)), [1.0, -1.0, 1.0], "finite and not negative"),
    (np.ones((3, 2)), np.zeros(3), "no point counts"),
    ([np.ones((3, 2)), np.ones((4, 2))], [np.ones(4), np.ones(3)],
     r"weights of a block have shape \(4,\), but it has 3 rows"),
])
def test_blocks_and_weights_that_do_not_fit_are_refused(X, w, words):
    with pytest.raises(ValueError, match=words):
        GaussianMixture(1).fit(X, sample_weight=w)


def test_the_row_that_cannot_be_used_is_counted_from_the_first():
    X = np.zeros((100_000, 2), dtype=np.float32)
    X[90_000, 1] = np.nan
    with pytest.raises(ValueError, match=r"X\[90000, 1\] is nan: remove"):
        GaussianMixture(1).fit(X)


@pytest.mark.parametrize("init_params", ["kmeans", "k-means++", "random", "random_from_data"])
def test_points_without_weight_start_no_component(init_params):
    X, weights = np.arange(10.0).reshape(5, 2), [0.0, 1.0, 0.0, 2.0, 0.0]
    with pytest.raises(ValueError, match="3 components .* to 2 points of positive weight: use more"):
        GaussianMixture(3, init_params=init_params, random_state=0).fit(X, sample_weight=weights)


@kinds
def test_equal_points_are_named_without_reg_covar(kind):
    who = "the shared covariance" if kind == "tied" else "component 0"
    with pytest.raises(ValueError, match=f"{who}: the covariance has collapsed"):
        GaussianMixture(2, covariance_type=kind, reg_covar=0, init_params="random",
                        random_state=0).fit(np.zeros((6, 2)))


# ---- acceleration and going on ------------------------------------------------------------------


@kinds
def test_accelerated_em_never_falls_and_needs_fewer_passes(kind):
    """Components that overlap: where EM creeps."""
    rng = np.random.default_rng(3)
    centres = 2.0 * rng.normal(size=(5, 2))
    X = centres[rng.integers(5, size=3000)] + rng.normal(size=(3000, 2))
    parameters = dict(n_components=5, covariance_type=kind, reg_covar=0, tol=0,
                      weights_init=np.full(5, 0.2), means_init=centres + 0.3,
                      precisions_init=precisions(kind, 5, 2) / 2)
    with pytest.warns(match="max_iter"):
        plain = GaussianMixture(max_iter=4000, **parameters).fit(X)
        quick = GaussianMixture(max_iter=600, accelerate=True, **parameters).fit(X)
    climbs = [np.array([state.log_likelihood for state in fit.history_]) for fit in (plain, quick)]
    assert np.all(np.diff(climbs[1]) >= -1e-9 * abs(climbs[1][0]))
    top = max(climb[-1] for climb in climbs)
    assert climbs[1][-1] == pytest.approx(top, abs=1e-6)
    reached = [np.argmax(climb >= top - 1e-6) if climb[-1] >= top - 1e-6 else len(climb)
               for climb in climbs]
    passes = reached[1] * quick.n_passes_ / quick.n_iter_
    assert passes <= 0.4 * reached[0]


def test_a_warm_start_goes_on_where_the_last_fit_ended():
    X, parameters = problem("full", 4)
    whole = GaussianMixture(max_iter=10, tol=0, **parameters)
    halves = GaussianMixture(max_iter=5, tol=0, warm_start=True, **parameters)
    with pytest.warns(match="max_iter"):
        whole.fit(X)
        halves.fit(X).fit(X)
    np.testing.assert_allclose(halves.means_, whole.means_, rtol=1e-12)


def test_a_warm_start_needs_the_form_of_the_last_fit():
    X, _ = problem("full", 4)
    fit = GaussianMixture(2, warm_start=True, random_state=0).fit(X)
    means = fit.means_
    for changed, points in [(dict(n_components=3), X), (dict(covariance_type="diag"), X),
                            ({}, np.hstack([X, X]))]:
        asked = GaussianMixture(2, warm_start=True, random_state=0)
        vars(asked).update(vars(fit))
        with pytest.raises(ValueError, match="warm_start=True goes on from .*: set warm_start=False"):
            asked.set_params(**changed).fit(points)
        assert asked.means_ is means


def test_no_iterations_leave_the_start():
    X, parameters = problem("diag", 4)
    with pytest.warns(match="max_iter=0"):
        fit = GaussianMixture(max_iter=0, **parameters).fit(X)
    assert fit.n_iter_ == 0 and not fit.converged_
    np.testing.assert_allclose(fit.means_, parameters["means_init"], rtol=1e-15)


def test_scikit_learns_tools_take_the_mixture():
    from sklearn.base import clone
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    X = datasets.old_faithful()
    mixture = GaussianMixture(2, covariance_type="tied", random_state=0)
    assert repr(clone(mixture)) == (
        "GaussianMixture(n_components=2, covariance_type='tied', random_state=0)")
    labels = make_pipeline(StandardScaler(), mixture).fit_predict(X)
    assert sorted(np.bincount(labels)) == sorted(np.bincount(mixture.fit_predict(X)))
    search = GridSearchCV(GaussianMixture(random_state=0), {"n_components": [1, 2]}, cv=3).fit(X)
    assert search.best_params_ == {"n_components": 2}
    with pytest.raises(ValueError, match="no parameter 'components': it has n_components, "):
        mixture.set_params(components=3)


@pytest.mark.parametrize("scheduler", ["synchronous", "threads"])
def test_a_dask_array_gives_the_same_fit(scheduler):
    import dask
    import dask.array
    X, parameters = problem("full", 11, N=900)
    weights = np.random.default_rng(1).uniform(size=900)
    whole = GaussianMixture(tol=1e-9, max_iter=300, **parameters).fit(X, sample_weight=weights)
    with dask.config.set(scheduler=scheduler):
        blocks = dask.array.from_array(X, chunks=(250, 1))
        fit = GaussianMixture(tol=1e-9, max_iter=300, **parameters).fit(
            blocks, sample_weight=weights)
        assert fit.n_iter_ == whole.n_iter_
        np.testing.assert_allclose(fit.covariances_, whole.covariances_, rtol=1e-9, atol=1e-11)
        started = GaussianMixture(3, random_state=0).fit(blocks)      # the start from the blocks
        assert np.isfinite(started.lower_bound_)
        unknown = blocks[blocks[:, 0] > 0]
        with pytest.raises(ValueError, match="compute_chunk_sizes"):
            GaussianMixture(2).fit(unknown)


WORDED = "the words, or the class, of the error are gradem's own"
ESTIMATOR_CHECKS = dict.fromkeys([
    "check_estimators_unfitted", "check_n_features_in_after_fitting", "check_complex_data",
    "check_dtype_object", "check_estimators_empty_data_messages", "check_fit2d_predict1d"], WORDED)


@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_own_checks_of_estimators():
    from sklearn.utils.estimator_checks import check_estimator
    results = check_estimator(GaussianMixture(), expected_failed_checks=ESTIMATOR_CHECKS,
                              on_fail=None, on_skip=None)
    status = {result["check_name"]: result["status"] for result in results}
    assert sum(state == "passed" for state in status.values()) >= 35
    assert {name for name, state in status.items() if state == "xfail"} == set(ESTIMATOR_CHECKS)
    assert "failed" not in status.values()
