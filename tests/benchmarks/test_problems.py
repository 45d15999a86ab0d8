"""The benchmark's problems: functions, derivatives by hand, gradem and JAX agree."""

import functools

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
from scipy.special import logsumexp, multigammaln

import gradem
import problems

jax.config.update("jax_enable_x64", True)

GRADIENTS = {
    "two numbers": (problems.two_numbers, problems.two_numbers_by_hand, (1.5, 0.5), ()),
    "rosenbrock": (problems.rosenbrock, problems.rosenbrock_by_hand,
                   (problems.near(1.0, 6),), ()),
    "rosenbrock loop": (problems.rosenbrock_loop, problems.rosenbrock_loop_by_hand,
                        (problems.near(1.0, 6),), ()),
    "speelpenning": (problems.speelpenning, problems.speelpenning_by_hand,
                     (problems.near(1.0, 5),), ()),
    "gmm": (problems.gmm, problems.gmm_by_hand, *problems.random_gmm(7, 3, K=4)),
    "gmm in one dimension": (problems.gmm, problems.gmm_by_hand,
                             *problems.random_gmm(5, 1, K=2)),
    "network": (problems.network, problems.network_by_hand,
                *problems.random_network(5, 4, 3, 6)),
    "newton": (problems.newton_by_formula, problems.newton_by_hand, (2.0,), ()),
    "brachistochrone": (problems.brachistochrone, problems.brachistochrone_by_hand,
                        (problems.path(6),), ()),
}


def assert_same(found, expected):
    """Equal up to rounding, each gradient in turn."""
    assert len(found) == len(expected)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradient_by_hand_is_that_of_jax(name):
    f, by_hand, point, data = GRADIENTS[name]
    numbers = tuple(range(len(point)))
    f_of_jax = functools.partial(f, np=jnp)
    value, gradient = by_hand(*point, *data)
    np.testing.assert_allclose(value, f(*point, *data), rtol=1e-12)
    expected, slopes = jax.value_and_grad(f_of_jax, numbers)(*point, *data)
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    assert_same(gradient, slopes)


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradient_of_gradem_is_that_by_hand(name):
    f, by_hand, point, data = GRADIENTS[name]
    value, gradient = gradem.value_and_grad(f, argnums=tuple(range(len(point))))(*point, *data)
    expected, slopes = by_hand(*point, *data)
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    assert_same(gradient, slopes)


def test_both_rosenbrocks_are_the_same_function():
    x = problems.near(0.3, 9)
    np.testing.assert_allclose(problems.rosenbrock(x), problems.rosenbrock_loop(x), rtol=1e-14)


def test_newton_finds_the_cube_root_with_the_slope_of_gradem():
    root = problems.newton(2.0, gradem.derivative(problems.cube))
    assert root == pytest.approx(2.0 ** (1 / 3), rel=1e-15)
    assert problems.newton_by_hand(2.0)[1][0] == pytest.approx(2.0 ** (-2 / 3) / 3, rel=1e-14)


def test_hessian_of_the_brachistochrone():
    depth = problems.path(6)
    expected = problems.brachistochrone_hessian(depth)
    of_jax = jax.hessian(functools.partial(problems.brachistochrone, np=jnp))(depth)
    np.testing.assert_allclose(expected, of_jax, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(gradem.hessian(problems.brachistochrone)(depth), expected,
                               rtol=1e-10, atol=1e-12)


def test_a_straight_path_takes_the_time_of_an_inclined_plane():
    # sqrt(2) metres with the acceleration g / sqrt(2): t^2 = 2 * sqrt(2) / (g / sqrt(2))
    straight = np.arange(1, 8) / 8
    assert problems.brachistochrone(straight) == pytest.approx((4 / problems.GRAVITY) ** 0.5)


def test_jacobian_of_fishers_equation():
    u = problems.front(7)
    expected = problems.fisher_by_hand(u)
    np.testing.assert_allclose(jax.jacfwd(functools.partial(problems.fisher, np=jnp))(u),
                               expected, rtol=1e-12)
    np.testing.assert_allclose(gradem.jacfwd(problems.fisher)(u), expected, rtol=1e-12)


# ---- ADBench's objective, written anew from its paper, an entry at a time --------------------


def published(alphas, means, icf, x, gamma, m, log, exp, log_gamma, pi):
    """arXiv 1807.10129, section 4.1, for numbers of any kind: floats or those of mpmath."""
    K, n, d = len(alphas), len(x), len(x[0])
    total = -n * d * log(2 * pi) / 2
    total -= n * log(sum(exp(a) for a in alphas))
    for point in x:
        likelihoods = []
        for k in range(K):
            square = 0
            for i in range(d):
                row = exp(icf[k][i]) * (point[i] - means[k][i])
                for j in range(i):
                    place = d + sum(d - 1 - c for c in range(j)) + i - j - 1
                    row += icf[k][place] * (point[j] - means[k][j])
                square += row * row
            likelihoods.append(exp(alphas[k] + sum(icf[k][:d]) - square / 2))
        total += log(sum(likelihoods))
    freedom = d + m + 1
    for k in range(K):
        squares = sum(exp(q)**2 for q in icf[k][:d]) + sum(e * e for e in icf[k][d:])
        total += gamma * gamma * squares / 2 - m * sum(icf[k][:d])
        total -= freedom * d * (log(gamma) - log(2) / 2) - log_gamma(freedom / 2, d)
    return total


@pytest.mark.parametrize(("n", "d", "K"), [(6, 1, 2), (5, 3, 2), (4, 4, 3)])
def test_mixture_is_the_published_formula(n, d, K):
    (alphas, means, icf), (x,) = problems.random_gmm(n, d, K)
    expected = published(alphas, means, icf, x, 1.3, 2.0, np.log, np.exp, multigammaln, np.pi)
    assert problems.gmm(alphas, means, icf, x, 1.3, 2.0) == pytest.approx(expected, rel=1e-13)


def test_gradient_of_the_mixture_is_that_of_the_published_formula():
    parameters, (x,) = problems.random_gmm(3, 3, K=2)
    flat = [float(p) for array in parameters for p in array.ravel()]

    def objective(*numbers):
        alphas, rest = numbers[:2], numbers[2:]
        means, icf = [rest[:3], rest[3:6]], [rest[6:12], rest[12:18]]
        return published(alphas, means, icf, x.tolist(), mpmath.mpf(1.3), mpmath.mpf(2.0),
                         mpmath.log, mpmath.exp, mp_log_gamma, mpmath.pi)

    with mpmath.workdps(50):
        expected = [float(mpmath.diff(objective, flat, tuple(int(i == j) for j in range(20))))
                    for i in range(20)]
    f = functools.partial(problems.gmm, x=x, gamma=1.3, m=2.0)
    for gradient in (gradem.grad(f, argnums=(0, 1, 2))(*parameters),
                     problems.gmm_by_hand(*parameters, x, 1.3, 2.0)[1]):
        found = np.concatenate([np.ravel(part) for part in gradient])
        np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10)


def mp_log_gamma(a, d):
    """Logarithm of the multivariate gamma function (Wishart 1928)."""
    return (d * (d - 1) * mpmath.log(mpmath.pi) / 4
            + sum(mpmath.loggamma(a - mpmath.mpf(j) / 2) for j in range(d)))


def test_mixture_does_not_overflow():
    (alphas, means, icf), (x,) = problems.random_gmm(4, 2)
    far = problems.gmm(alphas, means + 1e4, icf, x)
    assert np.isfinite(far)
    terms = np.array([[-1e5, -1e5 - 1.0], [2.0, 3.0]])
    np.testing.assert_allclose(problems.log_sum_exp(terms, 1, np), logsumexp(terms, axis=1))
