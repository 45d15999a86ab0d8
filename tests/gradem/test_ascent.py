"""The likelihood of a mixture as a program, its gradient, and the climb, against EM."""

import numpy as np
import pytest
from scipy.special import logsumexp

from gradem import datasets, gaussian, grad
from gradem.ascent import climb, log_likelihood
from gradem.derivatives import check_grads
from gradem.families import FAMILIES
from gradem.mixture import GaussianMixture, e_step
from gradem.unconstrained import pack, unpack

KINDS = sorted(FAMILIES)


def problem(kind, N=60, K=3, d=2, seed=0):
    """Points, and the parameters of some mixture."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N, d)) * [1.0, 2.0] + rng.integers(3, size=(N, 1))
    weights = rng.dirichlet(np.ones(K) * 5)
    factors = rng.normal(size=(K, d, d))
    matrices = factors @ np.swapaxes(factors, 1, 2) + np.eye(d)
    covariances = {"full": matrices, "tied": matrices[0],
                   "diag": np.diagonal(matrices, 0, 1, 2).copy(),
                   "spherical": matrices[:, 0, 0].copy()}[kind]
    return X, weights, rng.normal(size=(K, d)), covariances


@pytest.mark.parametrize("kind", KINDS)
def test_packing_and_unpacking_are_inverse(kind):
    _, *parameters = problem(kind)
    family = FAMILIES[kind]
    vector = pack(family, *parameters)
    assert vector.shape == (3 + 6 + family.free_numbers(3, 2),)
    for got, want in zip(unpack(family, vector, 3, 2), parameters):
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
def test_every_vector_is_a_mixture(kind):
    family = FAMILIES[kind]
    rng = np.random.default_rng(1)
    weights, _, covariances = unpack(family, 3 * rng.normal(size=9 + family.free_numbers(3, 2)),
                                     3, 2)
    assert weights.sum() == pytest.approx(1.0) and (weights > 0).all()
    for covariance in family.of_components(covariances, 3):
        assert np.isfinite(gaussian.factor(covariance)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_program_computes_the_log_likelihood(kind):
    X, weights, means, covariances = problem(kind)
    family = FAMILIES[kind]
    vector = pack(family, weights, means, covariances)
    densities = [gaussian.log_density(X, mean, covariance) for mean, covariance
                 in zip(means, family.of_components(covariances, 3))]
    want = logsumexp(np.log(weights)[:, None] + densities, axis=0).sum()
    assert log_likelihood(vector, X, 3, kind) == pytest.approx(want, rel=1e-12)
    vector[:3] += 7.0                    # weights are known up to a common number
    assert log_likelihood(vector, X, 3, kind) == pytest.approx(want, rel=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_its_derivatives_are_right_to_second_order(kind):
    X, *parameters = problem(kind, N=12)
    vector = pack(FAMILIES[kind], *parameters)
    check_grads(lambda vector: log_likelihood(vector, X, 3, kind), (vector,))


def test_the_gradient_in_the_weights_is_what_the_e_step_computes():
    """d L / d log w_k = n_k - N w_k, with the counts n_k of the E step."""
    X, weights, means, covariances = problem("full")
    gradient = grad(lambda vector: log_likelihood(vector, X, 3))(
        pack(FAMILIES["full"], weights, means, covariances))
    responsibilities, _ = e_step(X, weights, means, covariances)
    np.testing.assert_allclose(gradient[:3], responsibilities.sum(axis=0) - len(X) * weights,
                               atol=1e-11)


@pytest.mark.parametrize("kind", KINDS)
def test_the_climb_ends_on_the_hilltop_of_em(kind):
    X = datasets.old_faithful()
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    means, weights = np.array([[-1.0, -1.0], [1.0, 1.0]]), np.array([0.5, 0.5])
    covariances = {"full": np.stack([np.eye(2)] * 2), "tied": np.eye(2),
                   "diag": np.ones((2, 2)), "spherical": np.ones(2)}[kind]
    by_em = GaussianMixture(2, covariance_type=kind, reg_covar=0, tol=1e-13, max_iter=2000,
                            weights_init=weights, means_init=means,
                            precisions_init=covariances).fit(X)
    *parameters, result = climb(X, weights, means, covariances, kind)
    assert -len(X) * result.fun == pytest.approx(by_em.history_[-1].log_likelihood, rel=1e-10)
    for got, want in zip(parameters, (by_em.weights_, by_em.means_, by_em.covariances_)):
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)
