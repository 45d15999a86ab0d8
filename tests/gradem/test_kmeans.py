"""k-means against scikit-learn from the same centres, by hand, and what holds of any clustering."""

import doctest
import math
import pickle
import tracemalloc
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse, stats
from scipy.spatial.distance import cdist
from sklearn import cluster as sklearn_cluster
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from gradem import datasets, kmeans
from gradem.kmeans import KMeans, assign, kmeans_plusplus, update
from gradem.mixture import ConvergenceWarning

seeds = st.integers(0, 2**32 - 1)
clusters = st.integers(1, 8)
dimensions = st.integers(1, 5)


def problem(seed, K, d, N=120):
    """Overlapping clusters, and centres to start from: some of the points."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, d)) + rng.choice([-1.5, 0.0, 2.0], size=(N, 1))
    return X, X[rng.choice(N, size=K, replace=False)]


def fitted(X, centres, sample_weight=None, **parameters):
    return KMeans(len(centres), init=centres, **parameters).fit(X, sample_weight=sample_weight)


def sklearns(X, centres, sample_weight=None, **parameters):
    return sklearn_cluster.KMeans(len(centres), init=centres, n_init=1, algorithm="lloyd",
                                  **parameters).fit(X, sample_weight=sample_weight)


def same_as_sklearns(X, centres, sample_weight=None, tolerance=1e-10, **parameters):
    """Fit both from the same centres, compare all they say, and return ours."""
    ours = fitted(X, centres, sample_weight, **parameters)
    theirs = sklearns(X, centres, sample_weight, **parameters)
    assert ours.n_iter_ == theirs.n_iter_
    assert np.array_equal(ours.labels_, theirs.labels_)
    close = dict(rtol=tolerance, atol=tolerance * np.ptp(X, axis=0).max())
    np.testing.assert_allclose(ours.cluster_centers_, theirs.cluster_centers_, **close)
    np.testing.assert_allclose(ours.transform(X), theirs.transform(X), rtol=tolerance,
                               atol=1e3 * close["atol"])      # theirs takes roots of differences
    assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=tolerance)
    assert ours.score(X, sample_weight=sample_weight) == pytest.approx(
        theirs.score(X, sample_weight=sample_weight), rel=tolerance)
    assert np.array_equal(ours.predict(X), theirs.predict(X))
    return ours


# ---- the two steps ------------------------------------------------------------------------


def test_an_example_by_hand():
    """Six points on a line: the first step gives 0, 1, 2 | 5, 6, 13, and then 13 stays alone."""
    X = np.array([[0.0], [1.0], [2.0], [5.0], [6.0], [13.0]])
    labels, squared = assign(X, [[1.0], [6.0]])
    assert labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert squared.tolist() == [1.0, 0.0, 1.0, 1.0, 0.0, 49.0]
    assert update(X, labels, [[1.0], [6.0]]).tolist() == [[1.0], [8.0]]
    fit = fitted(X, [[1.0], [6.0]], tol=0)
    # 5 is at 4 from the centre 1 and at 3 from 8; 1 and 8 are the means of their points
    assert [state.centres.ravel().tolist() for state in fit.history_] == [
        [1.0, 6.0], [1.0, 8.0], [1.0, 8.0]]
    assert [state.inertia for state in fit.history_] == [52.0, 40.0, 40.0]
    assert (fit.n_iter_, fit.inertia_) == (2, 40.0)


@given(seeds, clusters, dimensions)
def test_assign_is_the_smallest_of_all_squared_distances(seed, K, d):
    X, centres = problem(seed, K, d)
    distances = cdist(X, centres, "sqeuclidean")
    labels, squared = assign(X, centres)
    assert np.array_equal(labels, distances.argmin(axis=1))
    np.testing.assert_allclose(squared, distances.min(axis=1), rtol=1e-12, atol=1e-30)


def test_of_equally_near_centres_the_first_is_taken():
    X = np.array([[0.0, 0.0], [2.0, 2.0], [-2.0, 2.0], [2.0, -2.0], [-2.0, -2.0]])
    centres = [[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]]
    assert assign(X, centres)[0].tolist() == [0, 0, 3, 2, 1]


@pytest.mark.parametrize("K", [254, 255, 256, 300])
def test_labels_do_not_overflow(K):
    X = np.arange(2.0 * K).reshape(-1, 1)
    fit = fitted(X, X[::2] + 0.5)
    assert np.array_equal(fit.labels_, np.repeat(np.arange(K), 2))
    assert np.array_equal(fit.history_[-1].labels, fit.labels_)


@given(seeds, clusters, dimensions, st.booleans())
def test_update_takes_the_weighted_mean_of_each_cluster(seed, K, d, weighted):
    X, centres = problem(seed, K, d)
    weights = np.random.default_rng(seed).uniform(0.1, 2.0, size=len(X)) if weighted else None
    labels, _ = assign(X, centres)
    means = [np.average(X[labels == k], axis=0,
                        weights=None if weights is None else weights[labels == k])
             for k in range(K)]
    np.testing.assert_allclose(update(X, labels, centres, weights), means, rtol=1e-12, atol=1e-13)


# ---- the same as scikit-learn -------------------------------------------------------------


@given(seeds, clusters, dimensions, st.sampled_from([1e-2, 1e-4, 1e-8]),
       st.sampled_from([1, 2, 300]))
def test_the_same_as_scikit_learn(seed, K, d, tol, max_iter):
    X, centres = problem(seed, K, d)
    same_as_sklearns(X, centres, tol=tol, max_iter=max_iter)


@given(seeds, clusters, dimensions)
def test_the_same_as_scikit_learn_with_weights(seed, K, d):
    X, centres = problem(seed, K, d)
    weights = np.random.default_rng(seed).exponential(size=len(X))
    same_as_sklearns(X, centres, sample_weight=weights)


@pytest.mark.parametrize("N, d, K", [(10_000, 2, 5), (10_000, 10, 20), (3_000, 50, 5), (500, 1, 40),
                                     (70_000, 3, 3), (400, 200, 4)])
def test_the_same_as_scikit_learn_for_many_points(N, d, K):
    """More points than a block holds, and more iterations than the sums are made afresh in."""
    X, centres = problem(N, K, d, N)
    assert same_as_sklearns(X, centres, tol=0).n_iter_ > 2


@given(seeds, clusters, dimensions)
def test_single_precision_is_kept_and_the_same_as_scikit_learn(seed, K, d):
    rng = np.random.default_rng(seed)
    middles = 20.0 * np.eye(K, d) + 40.0 * np.arange(K)[:, None]      # no point is in doubt
    X = (middles[rng.integers(K, size=200)] + rng.normal(size=(200, d))).astype(np.float32)
    centres = (middles + 1.0).astype(np.float32)
    ours, theirs = fitted(X, centres), sklearns(X, centres)
    double = fitted(X.astype(float), centres)
    assert {ours.cluster_centers_.dtype, ours.transform(X).dtype, ours.history_[0].centres.dtype
            } == {np.dtype(np.float32)}
    assert ours.n_iter_ == theirs.n_iter_ and np.array_equal(ours.labels_, theirs.labels_)
    # sums in single precision; in which order, and so how they round, is the processor's choice
    rounding = 10 * np.spacing(np.abs(X).max())
    for single in (ours, theirs):
        np.testing.assert_allclose(single.cluster_centers_, double.cluster_centers_,
                                   atol=rounding)
    assert ours.inertia_ == pytest.approx(double.inertia_, rel=1e-5)
    assert ours.score(X) == pytest.approx(double.score(X), rel=1e-5)


def test_old_faithful_from_many_starts_ends_where_scikit_learn_ends():
    X = datasets.old_faithful()
    theirs = sklearn_cluster.KMeans(3, n_init=20, random_state=0, tol=0).fit(X)
    ours = KMeans(3, n_init=20, random_state=0, tol=0).fit(X)
    assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=1e-12)
    order, theirs_order = (np.argsort(fit.cluster_centers_[:, 1]) for fit in (ours, theirs))
    np.testing.assert_allclose(ours.cluster_centers_[order], theirs.cluster_centers_[theirs_order],
                               rtol=1e-12)


@pytest.mark.parametrize("init, n_starts", [("k-means++", 1), ("random", 10)])
def test_the_number_of_starts_is_that_of_scikit_learn(init, n_starts, monkeypatch):
    starts = []
    run = kmeans._lloyd
    monkeypatch.setattr(kmeans, "_lloyd", lambda *args: starts.append(args) or run(*args))
    KMeans(3, init=init, random_state=0).fit(datasets.old_faithful())
    assert len(starts) == n_starts
    starts.clear()
    KMeans(3, init=init, n_init=4, random_state=0).fit(datasets.old_faithful())
    assert len(starts) == 4


def test_parameters_and_their_defaults_are_those_of_scikit_learn():
    theirs = sklearn_cluster.KMeans().get_params()
    assert KMeans().get_params().items() <= theirs.items()


# ---- empty clusters -----------------------------------------------------------------------


def test_an_empty_cluster_takes_the_farthest_point_by_hand():
    X = np.array([[0.0], [1.0], [2.0], [9.0]])
    centres = [[1.0], [100.0], [-50.0]]
    # 9 is farthest from its centre 1, then 0 and 2 are equally far: 9 goes first
    new = update(X, [0, 0, 0, 0], centres)
    assert new[1:].min() in (0.0, 2.0) and new.max() == 9.0
    assert update(X, [0, 0, 0, 0], centres[:2]).tolist() == [[1.0], [9.0]]


def test_an_empty_cluster_takes_a_point_with_its_weight():
    X, weights = np.array([[0.0], [1.0], [2.0], [9.0]]), [1.0, 1.0, 4.0, 3.0]
    assert update(X, [0, 0, 0, 0], [[1.0], [100.0]], weights).tolist() == [[1.5], [9.0]]


@given(seeds, st.integers(3, 8), dimensions, st.booleans())
def test_empty_clusters_are_relocated_as_in_scikit_learn(seed, K, d, weighted):
    """All centres but one or two are far away, so their clusters are empty at once."""
    X, centres = problem(seed, K, d)
    weights = np.random.default_rng(seed).exponential(size=len(X)) if weighted else None
    centres[1 + seed % 2:] += 1e3
    fit = same_as_sklearns(X, centres, sample_weight=weights, tol=1e-4)
    assert len(np.unique(fit.history_[0].labels)) < K == len(np.unique(fit.labels_))


def test_a_point_without_weight_leaves_the_empty_cluster_in_the_largest():
    X, weights = np.array([[0.0], [1.0], [2.0], [9.0]]), [1.0, 1.0, 1.0, 0.0]
    assert update(X, [0, 0, 0, 0], [[1.0], [100.0]], weights).tolist() == [[1.0], [1.0]]


def test_a_cluster_that_loses_its_only_point_takes_the_centre_of_the_largest():
    """scikit-learn 1.9 means this too, but may take a sum not yet divided by its weight."""
    X = np.array([[0.0], [0.5], [1.0], [30.0]])
    new = update(X, [1, 1, 1, 0], [[20.0], [0.5], [100.0]])
    assert new.tolist() == [[0.5], [0.5], [30.0]]


@pytest.mark.parametrize("n_distinct", [1, 2, 3])
def test_fewer_different_points_than_clusters(n_distinct):
    X = np.repeat(np.arange(n_distinct) * [[1.0], [3.0]], 5, axis=1).T
    for init in ["k-means++", "random", X[:4] + 0.5]:
        with pytest.warns(ConvergenceWarning, match=f"only {n_distinct} of 4 clusters have points"):
            fit = KMeans(4, init=init, random_state=0).fit(X)
        assert fit.inertia_ == 0.0
        assert {tuple(centre) for centre in fit.cluster_centers_} == {tuple(x) for x in X}


# ---- what holds of any clustering ---------------------------------------------------------


@given(seeds, clusters, dimensions, st.booleans())
def test_inertia_never_rises(seed, K, d, far):
    X, centres = problem(seed, K, d)
    weights = np.random.default_rng(seed).exponential(size=len(X))
    fit = fitted(X, centres + (50.0 if far else 0.0), weights, tol=0)
    inertias = np.array([state.inertia for state in fit.history_])
    assert np.all(np.diff(inertias) <= 1e-13 * inertias[:-1])
    assert inertias[-1] == fit.inertia_


@given(seeds, clusters, dimensions)
def test_the_history_is_what_the_two_steps_give(seed, K, d):
    X, centres = problem(seed, K, d)
    fit = fitted(X, centres)
    assert len(fit.history_) == fit.n_iter_ + 1
    np.testing.assert_allclose(fit.history_[0].centres, centres, rtol=1e-13, atol=1e-15)
    for state, following in zip(fit.history_, fit.history_[1:]):
        np.testing.assert_allclose(following.centres, update(X, state.labels, state.centres),
                                   rtol=1e-11, atol=1e-13)
    for state in fit.history_:
        labels, squared = assign(X, state.centres)
        assert np.array_equal(state.labels, labels)
        assert state.inertia == pytest.approx(squared.sum(), rel=1e-12)


@given(seeds, clusters, dimensions)
def test_a_converged_clustering_is_a_fixed_point(seed, K, d):
    X, centres = problem(seed, K, d)
    fit = fitted(X, centres, tol=0)
    np.testing.assert_allclose(update(X, fit.labels_, fit.cluster_centers_), fit.cluster_centers_,
                               rtol=1e-12, atol=1e-13)
    assert np.array_equal(fit.predict(X), fit.labels_)


@given(seeds, clusters, dimensions)
def test_equivariance_under_shift_scale_and_rotation(seed, K, d):
    X, centres = problem(seed, K, d)
    Q = stats.special_ortho_group(d, seed=seed).rvs() if d > 1 else np.eye(1)
    shift = np.random.default_rng(seed).normal(size=d) * 10

    def moved(x):
        return 3.0 * x @ Q.T + shift
    fit, moved_fit = fitted(X, centres), fitted(moved(X), moved(centres))
    assert np.array_equal(fit.labels_, moved_fit.labels_)
    np.testing.assert_allclose(moved_fit.cluster_centers_, moved(fit.cluster_centers_), rtol=1e-11,
                               atol=1e-11)
    assert moved_fit.inertia_ == pytest.approx(9.0 * fit.inertia_, rel=1e-11)


@given(seeds, st.integers(2, 8), dimensions)
def test_relabelled_centres_give_relabelled_clusters(seed, K, d):
    X, centres = problem(seed, K, d)
    order = np.random.default_rng(seed).permutation(K)
    fit, relabelled = fitted(X, centres), fitted(X, centres[order])
    np.testing.assert_allclose(relabelled.cluster_centers_, fit.cluster_centers_[order],
                               rtol=1e-12, atol=1e-13)
    assert np.array_equal(order[relabelled.labels_], fit.labels_)


@given(seeds, clusters, dimensions)
def test_weights_do_what_repeated_points_do(seed, K, d):
    """Weight two is a point twice, weight zero a point that is not there."""
    X, centres = problem(seed, K, d)
    times = np.random.default_rng(seed).integers(0, 4, size=len(X))
    nearest = cdist(centres, X).argmin(axis=1)
    times[nearest] += 1                 # so that no cluster is empty: that follows other rules
    weighted = fitted(X, centres, times, tol=0)
    repeated = fitted(np.repeat(X, times, axis=0), centres, tol=0)
    np.testing.assert_allclose(weighted.cluster_centers_, repeated.cluster_centers_, rtol=1e-11,
                               atol=1e-12)
    assert np.array_equal(np.repeat(weighted.labels_, times), repeated.labels_)
    assert weighted.inertia_ == pytest.approx(repeated.inertia_, rel=1e-11)


@given(seeds, dimensions)
def test_one_cluster_is_the_mean(seed, d):
    X, _ = problem(seed, 1, d)
    fit = KMeans(1, random_state=0).fit(X)
    np.testing.assert_allclose(fit.cluster_centers_[0], X.mean(axis=0), rtol=1e-12, atol=1e-14)
    assert fit.inertia_ == pytest.approx(len(X) * X.var(axis=0).sum(), rel=1e-12)


@given(seeds, dimensions)
def test_as_many_clusters_as_points_leave_no_inertia(seed, d):
    X, _ = problem(seed, 1, d, N=12)
    fit = KMeans(12, random_state=seed).fit(X)
    assert fit.inertia_ <= 1e-28 * np.square(X).sum()
    assert sorted(fit.labels_) == list(range(12))


# ---- digits -------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1e-8, 1e-4, 1e4, 1e8, 1e100, 1e-100])
def test_extreme_scales(scale):
    X, centres = problem(3, 4, 3)
    fit, scaled = fitted(X, centres), fitted(scale * X, scale * centres)
    assert np.array_equal(fit.labels_, scaled.labels_) and fit.n_iter_ == scaled.n_iter_
    np.testing.assert_allclose(scaled.cluster_centers_, scale * fit.cluster_centers_, rtol=1e-12)
    assert scaled.inertia_ == pytest.approx(scale**2 * fit.inertia_, rel=1e-12)


@pytest.mark.parametrize("offset", [1e4, 1e8, 1e12])
def test_data_far_from_the_origin_lose_no_more_digits_than_they_have(offset):
    """Multiples of 1/64 stay exact at 1e12, so the shifted points are the same points."""
    X, centres = (np.round(64 * array) / 64 for array in problem(5, 4, 3))
    fit, far = fitted(X, centres), fitted(X + offset, centres + offset)
    assert np.array_equal(fit.labels_, far.labels_)
    np.testing.assert_allclose(far.cluster_centers_ - offset, fit.cluster_centers_,
                               atol=4e-16 * offset)
    assert far.inertia_ == pytest.approx(fit.inertia_, rel=1e-12)


@pytest.mark.parametrize("width", [1e-2, 1e-4, 1e-6])
def test_clusters_much_narrower_than_their_distance(width):
    """Two pairs of narrow clusters: within a pair labels follow from differences of width."""
    rng = np.random.default_rng(0)
    middles = np.array([[0.0, 0.0], [10 * width, 0.0], [1.0, 1.0], [1.0, 1.0 + 10 * width]])
    truth = rng.integers(4, size=400)
    X = middles[truth] + width * rng.normal(size=(400, 2))
    fit = fitted(X, middles)
    assert np.array_equal(fit.labels_, cdist(X, fit.cluster_centers_).argmin(axis=1))
    exact = sum(math.fsum(np.square(X[fit.labels_ == k] - math_mean(X[fit.labels_ == k])).ravel())
                for k in range(4))
    assert fit.inertia_ == pytest.approx(exact, rel=1e-11)


def math_mean(X):
    """The mean of the rows, with exact sums."""
    return [math.fsum(column) / len(column) for column in X.T]


@pytest.mark.parametrize("n_light", [400, 0])
def test_a_cluster_that_loses_its_weight_keeps_its_digits(n_light):
    """Two heavy points leave a cluster for those beside it; light points, or none, are left.

    The sums of 2e8 that they leave behind have rounding errors greater than the light sums.
    """
    beside, light = np.linspace(-0.5, 0.5, 1000), np.linspace(4.9, 5.2, n_light)
    X = np.concatenate([1.5 + beside, 8.5 + beside, light, [3.1, 6.9]])[:, None]
    weights = np.concatenate([np.full(2000, 0.1), np.full(n_light, 1e-8 / 3), [1e8 / 3, 1e8 / 3]])
    fit = fitted(X, np.array([[0.9], [5.0], [9.1]]), weights, tol=0, max_iter=2)
    states = [state.labels for state in fit.history_]
    assert states[0][-2:].tolist() == [1, 1] and states[1][-2:].tolist() == [0, 2]
    assert np.count_nonzero(states[1] == 1) == n_light
    if n_light:
        assert fit.cluster_centers_[1, 0] == pytest.approx(light.mean(), rel=1e-12)
    same_as_sklearns(X, np.array([[0.9], [5.0], [9.1]]), weights, max_iter=2)


def test_only_the_ratio_of_weights_moves_the_centres():
    X, centres = (array.astype(np.float32) for array in problem(0, 3, 2))
    weights = np.random.default_rng(0).exponential(size=len(X))
    fit = fitted(X, centres, weights)
    for factor in (1e-60, 1e60):
        scaled = fitted(X, centres, factor * weights)
        assert np.array_equal(scaled.labels_, fit.labels_)
        np.testing.assert_allclose(scaled.cluster_centers_, fit.cluster_centers_, rtol=1e-6)
        assert scaled.inertia_ == pytest.approx(factor * fit.inertia_, rel=1e-6)


def test_distances_too_large_for_the_type_are_refused():
    for X in (np.array([[0.0], [1e200]]), np.array([[0.0], [1e30]], dtype=np.float32),
              np.array([[-1.7e308], [1.7e308]])):
        with pytest.raises(ValueError, match="too large for numbers of type .*: divide X"):
            KMeans(1).fit(X)
    with pytest.raises(ValueError, match="too large for numbers of type float64: divide X"):
        assign([[1.0], [2.0]], [[0.0], [1e200]])


# ---- starts -------------------------------------------------------------------------------


def test_plusplus_returns_different_points_and_their_rows():
    X = datasets.old_faithful()
    centres, indices = kmeans_plusplus(X, 10, 0)
    assert np.array_equal(centres, X[indices]) and len(set(indices.tolist())) == 10
    again, _ = kmeans_plusplus(X, 10, 0)
    assert np.array_equal(centres, again)


def test_plusplus_takes_no_point_twice_while_others_are_left():
    """Rounding errors of ten thousand zero distances outweigh the one that is not zero."""
    rare = np.float32([[101.1, -50.3]])
    X = np.concatenate([np.tile(np.float32([[100.1, -50.3]]), (5000, 1)),
                        np.tile(np.float32([[-30.7, 60.9]]), (5000, 1)), rare])
    for seed in range(20):
        centres, _ = kmeans_plusplus(X, 3, seed)
        assert len(np.unique(centres, axis=0)) == 3


def test_the_first_centre_is_drawn_by_weight():
    X, weights = np.arange(4.0).reshape(-1, 1), np.array([1.0, 0.0, 3.0, 4.0])
    rng = np.random.default_rng(0)
    drawn = [kmeans_plusplus(X, 1, rng, weights)[1][0] for _ in range(4000)]
    counts = np.bincount(drawn, minlength=4)
    assert counts[1] == 0
    assert stats.chisquare(counts[weights > 0], 500 * weights[weights > 0]).pvalue > 1e-3


def test_the_second_centre_is_drawn_by_squared_distance_and_the_better_candidate_kept():
    """The probabilities of each pair of centres, by hand: two candidates, the better one kept."""
    X, weights = np.array([[0.0], [1.0], [3.0], [7.0]]), np.array([1.0, 2.0, 1.0, 1.0])
    squared = (X - X.T)**2
    expected = np.zeros((4, 4))
    for first in range(4):
        masses = weights * squared[first]
        chances = masses / masses.sum()
        inertias = np.minimum(squared, squared[first]) @ weights
        for a in range(4):
            for b in range(4):
                kept = b if inertias[b] < inertias[a] else a
                expected[first, kept] += weights[first] / 5 * chances[a] * chances[b]
    rng, counts = np.random.default_rng(1), np.zeros((4, 4))
    for _ in range(5000):
        counts[tuple(kmeans_plusplus(X, 2, rng, weights)[1])] += 1
    possible = expected > 0
    assert counts[~possible].sum() == 0
    assert stats.chisquare(counts[possible], 5000 * expected[possible]).pvalue > 1e-3


def test_plusplus_starts_are_as_good_as_those_of_scikit_learn():
    """Another stream of random numbers, the same distribution of the inertia of the start."""
    X, _ = problem(0, 1, 3, N=300)
    ours = [assign(X, kmeans_plusplus(X, 8, seed)[0])[1].sum() for seed in range(400)]
    theirs = [assign(X, sklearn_cluster.kmeans_plusplus(X, 8, random_state=seed)[0])[1].sum()
              for seed in range(400)]
    assert stats.ks_2samp(ours, theirs).pvalue > 1e-3
    random = [assign(X, X[np.random.default_rng(seed).choice(300, 8)])[1].sum()
              for seed in range(400)]
    assert stats.ks_2samp(ours, random).pvalue < 1e-10      # the comparison can tell


def test_random_starts_are_different_points_drawn_by_weight():
    X, weights = np.arange(6.0).reshape(-1, 1), [0.0, 1.0, 1.0, 0.0, 1.0, 5.0]
    starts = [KMeans(4, init="random", n_init=1, random_state=seed).fit(X, sample_weight=weights)
              .history_[0].centres.ravel() for seed in range(20)]
    for start in starts:
        np.testing.assert_allclose(np.sort(start), [1.0, 2.0, 4.0, 5.0], rtol=1e-15)


def test_a_callable_gives_the_centres():
    X, centres = problem(0, 3, 2)
    seen = []

    def init(points, n_clusters, random_state):
        seen.append((points, n_clusters, random_state))
        return centres
    fit = KMeans(3, init=init, random_state=0).fit(X)
    assert np.array_equal(fit.cluster_centers_, fitted(X, centres).cluster_centers_)
    assert len(seen) == 10 and isinstance(seen[0][2], np.random.Generator)
    assert np.array_equal(seen[0][0], X) and seen[0][1] == 3


def test_the_best_start_is_kept():
    X, _ = datasets.three_clusters()
    rng = np.random.default_rng(0)
    single = [KMeans(6, init="random", n_init=1, random_state=rng).fit(X).inertia_
              for _ in range(10)]
    assert KMeans(6, init="random", random_state=0).fit(X).inertia_ == min(single) < max(single)


def test_several_starts_from_one_array_are_one():
    X, centres = problem(0, 3, 2)
    with pytest.warns(RuntimeWarning, match="all n_init=5 starts are the same: only one"):
        fit = fitted(X, centres, n_init=5)
    assert np.array_equal(fit.labels_, fitted(X, centres).labels_)


# ---- using the fit ------------------------------------------------------------------------


def test_transform_is_the_distance_from_each_centre():
    X, centres = problem(0, 3, 2)
    fit = fitted(X, centres)
    np.testing.assert_allclose(fit.transform(X), cdist(X, fit.cluster_centers_), rtol=1e-14)
    assert np.array_equal(fit.transform(X), KMeans(3, init=centres).fit_transform(X))
    assert np.array_equal(fit.labels_, KMeans(3, init=centres).fit_predict(X))
    assert np.array_equal(fit.transform(X).argmin(axis=1), fit.predict(X))
    assert fit.score(X) == pytest.approx(-fit.inertia_, rel=1e-13)
    assert fit.score(X[:5], sample_weight=[1, 0, 2, 0, 1]) == pytest.approx(
        -(fit.transform(X[:5]).min(axis=1)**2 @ [1, 0, 2, 0, 1]), rel=1e-13)


def test_more_points_than_are_looked_at_in_one_go(monkeypatch):
    X, centres = problem(0, 3, 2)
    whole = assign(X, centres)
    monkeypatch.setattr(kmeans, "ROWS", 7)
    monkeypatch.setattr(kmeans, "BLOCK", 20)
    labels, squared = assign(X, centres)
    assert np.array_equal(labels, whole[0])
    np.testing.assert_allclose(squared, whole[1], rtol=1e-13)
    same_as_sklearns(X, centres)


def test_memory_is_one_copy_of_the_points_and_little_more():
    """The distances from all centres would take ten times the memory of these points."""
    X, centres = problem(0, 20, 2, N=200_000)
    tracemalloc.start()
    KMeans(20, init=centres, max_iter=3).fit(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * X.nbytes


def test_the_input_is_left_alone():
    X, centres = problem(0, 3, 2)
    copies = X.copy(), centres.copy()
    fitted(X, centres)
    assert np.array_equal(X, copies[0]) and np.array_equal(centres, copies[1])


def test_scikit_learns_tools_take_it():
    X = datasets.old_faithful()
    model = KMeans(2, random_state=0)
    assert clone(model).get_params() == model.get_params()
    assert model.set_params(n_clusters=3, tol=0).get_params()["n_clusters"] == 3
    assert repr(model) == "KMeans(n_clusters=3, tol=0, random_state=0)"
    pipeline = make_pipeline(StandardScaler(), KMeans(2, random_state=0)).fit(X)
    assert pipeline.transform(X).shape == (272, 2)
    fit = KMeans(2, random_state=0).fit(X)
    assert np.array_equal(pickle.loads(pickle.dumps(fit)).predict(X), fit.predict(X))


# ---- input --------------------------------------------------------------------------------


class Frame:
    """What a data frame is to NumPy."""

    def __init__(self, X):
        self.X = X

    def __array__(self, dtype=None, copy=None):
        return np.array(self.X, dtype=dtype)


def test_integers_lists_and_data_frames_are_taken():
    X, centres = (np.round(10 * array) for array in problem(0, 3, 2))
    want = fitted(X, centres)
    for same in (X.astype(int), X.tolist(), Frame(X), Frame(X.astype(object)),
                 np.asfortranarray(X), X.astype(np.float16)):
        fit = fitted(same, centres.tolist())
        assert np.array_equal(fit.labels_, want.labels_)
        assert fit.cluster_centers_.dtype == float
        np.testing.assert_allclose(fit.cluster_centers_, want.cluster_centers_, rtol=1e-13)
        assert np.array_equal(fit.predict(same), want.labels_)


@pytest.mark.parametrize("X, words", [
    ([[0.0, np.nan], [1.0, 2.0]], r"X\[0, 1\] is nan: remove .* or fill them in"),
    ([[0.0, 1.0], [np.inf, 2.0]], r"X\[1, 0\] is inf: remove"),
    ([1.0, 2.0, 3.0], r"X has shape \(3,\).* reshape a single feature"),
    (np.zeros((2, 2, 2)), r"X has shape \(2, 2, 2\), but it must have a row for each point"),
    (np.zeros((0, 2)), r"X has shape \(0, 2\): it holds no numbers"),
    ([["a", "b"], ["c", "d"]], "X must be a table of real numbers.* turn text"),
    ([[1.0, 2.0], [3.0]], "X must be a table of real numbers.* all rows of the same length"),
    (np.eye(2) * 1j, "X must be a table of real numbers"),
    (sparse.csr_array(np.eye(3)), r"a sparse matrix is made a table by X\.toarray"),
])
def test_points_that_cannot_be_used_are_refused_in_words(X, words):
    fit = KMeans(1).fit(np.eye(2))
    for use in (KMeans(2).fit, fit.predict, fit.transform, fit.score,
                lambda X: assign(X, np.eye(2)), lambda X: update(X, [0, 1], np.eye(2)),
                lambda X: kmeans_plusplus(X, 2, 0)):
        with pytest.raises(ValueError, match=words):
            use(X)


@pytest.mark.parametrize("weights, words", [
    ([1.0, 2.0], r"sample_weight has shape \(2,\), but X has 3 rows"),
    ([[1.0], [1.0], [1.0]], r"sample_weight has shape \(3, 1\)"),
    ([1.0, -1.0, 1.0], "sample weights must be finite and not negative"),
    ([1.0, np.nan, 1.0], "sample weights must be finite"),
    ([0.0, 0.0, 0.0], "all sample weights are zero"),
    (["a", "b", "c"], "sample_weight must hold a real number for each row"),
])
def test_weights_that_cannot_be_used_are_refused_in_words(weights, words):
    X = np.eye(3)
    fit = KMeans(2, random_state=0).fit(X)
    for use in (KMeans(2).fit, fit.score):
        with pytest.raises(ValueError, match=words):
            use(X, sample_weight=weights)
    with pytest.raises(ValueError, match=words):
        update(X, [0, 0, 1], X[:2], weights)
    with pytest.raises(ValueError, match=words):
        kmeans_plusplus(X, 2, 0, weights)


@pytest.mark.parametrize("parameters, words", [
    (dict(n_clusters=0), "n_clusters=0 must be a whole number that is at least 1"),
    (dict(n_clusters=2.0), "n_clusters=2.0 must be a whole number"),
    (dict(n_clusters=True), "n_clusters=True must be a whole number"),
    (dict(n_clusters=273), "273 clusters cannot be made of 272 points: use more points, or fewer"),
    (dict(max_iter=0), "max_iter=0 must be a whole number that is at least 1"),
    (dict(n_init=0), "n_init=0 must be a whole number that is at least 1"),
    (dict(n_init="many"), "n_init='many' must be a whole number"),
    (dict(tol=-1.0), "tol=-1.0 must be a finite number that is at least 0"),
    (dict(tol=np.nan), "tol=nan must be a finite number"),
    (dict(random_state="seed"), "random_state='seed' is no seed: use a whole number"),
    (dict(init="best"), "init='best' is not available: use 'k-means\\+\\+', 'random', an array"),
    (dict(init=[[0.0, 1.0]]), "init holds 1 centres, but n_clusters=2: give as many"),
    (dict(init=[[0.0], [1.0]]), "init has 1 columns, but X has 2"),
    (dict(init=[[0.0, np.nan], [1.0, 1.0]]), r"init must hold a row for each centre .* is nan"),
    (dict(init=lambda X, K, random_state: X[:5]), "init holds 5 centres"),
])
def test_parameters_that_cannot_be_meant_are_refused_in_words(parameters, words):
    with pytest.raises(ValueError, match=words):
        KMeans(**{"n_clusters": 2, **parameters}).fit(datasets.old_faithful())


def test_other_refusals():
    X = np.eye(3)
    with pytest.raises(ValueError, match=r"not fitted yet: call fit\(X\) first"):
        KMeans(2).predict(X)
    with pytest.raises(ValueError, match="X has 2 columns, but the KMeans was fitted to 3"):
        KMeans(2, random_state=0).fit(X).predict(X[:, :2])
    with pytest.raises(ValueError, match="centres has 2 columns, but X has 3"):
        assign(X, X[:, :2])
    for labels in ([0, 1], [0, 1, 2], [0.0, 1.0, 0.0], [0, -1, 1]):
        with pytest.raises(ValueError, match="labels must be 3 whole numbers from 0 to 1"):
            update(X, labels, X[:2])
    with pytest.raises(ValueError, match="KMeans has no parameter 'k': it has n_clusters, init"):
        KMeans().set_params(k=3)
    with pytest.raises(ValueError, match="2 different points cannot be drawn from 1 of positive"):
        KMeans(2, init="random").fit(X, sample_weight=[0, 1, 0])


# ---- scikit-learn's own checks ------------------------------------------------------------


EXPECTED = {
    "check_estimators_unfitted": "a ValueError with other words, since SciPy is all that is needed",
    "check_n_features_in_after_fitting": "other words, which say what to do",
    "check_complex_data": "other words, which say what to do",
    "check_dtype_object": "a ValueError with other words",
    "check_estimators_empty_data_messages": "other words, which say what to do",
    "check_fit2d_predict1d": "other words, which say what to do",
    "check_sample_weight_equivalence_on_dense_data":
        "fails for scikit-learn's too: rows in another order give another random start",
}


def test_scikit_learns_checks_of_estimators():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")         # too few different points; pandas is missing
        results = check_estimator(KMeans(), expected_failed_checks=EXPECTED, on_fail=None)
    status = {result["check_name"]: result["status"] for result in results}
    assert [name for name in status if status[name] == "failed"] == []
    assert {name for name in status if status[name] == "xfail"} == EXPECTED.keys()
    assert list(status.values()).count("passed") > 30


def test_the_examples_in_the_docstrings():
    assert doctest.testmod(kmeans).failed == 0
