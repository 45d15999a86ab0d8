"""Solvers: against SciPy's and exact solutions, and how fast they arrive."""

from decimal import Decimal, getcontext

import numpy as np
import pytest
from scipy import integrate, optimize
from scipy.optimize import rosen, rosen_der

from gradem import derivative, solvers
from gradem.solvers import NotConverged, gradient_descent, implicit_euler, minimize, newton


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


# ---- Newton's method ----------------------------------------------------------------------------


@pytest.mark.parametrize("f, start, bracket", [
    (lambda x: x**3 - 2.0, 2.0, (0.0, 2.0)),
    (lambda x: np.cos(x) - x, 1.0, (0.0, 1.0)),
    (lambda x: np.exp(x) - 5.0 + x, 0.0, (0.0, 2.0)),
    (lambda x: x - 0.8 * np.sin(x) - 1.0, 1.0, (0.0, 3.0)),
])
def test_roots_of_one_equation_are_scipys(f, start, bracket):
    solution = newton(f, start)
    assert solution.x == pytest.approx(optimize.brentq(f, *bracket, xtol=1e-14), rel=1e-13)
    assert type(solution.x) is float and abs(solution.value) < 1e-13
    assert solution.n_iter == len(solution.points) - 1 and solution.points[0] == start


def test_newton_squares_the_error():
    getcontext().prec = 50
    root = Decimal(2) ** (Decimal(1) / Decimal(3))
    errors = [abs(Decimal(x) - root) for x in newton(lambda x: x**3 - 2.0, 2.0).points[2:5]]
    for before, after in zip(errors, errors[1:]):
        # the limit of after / before**2 is f''/(2 f') = 1 / root
        assert float(after / before**2) == pytest.approx(float(1 / root), rel=0.05)


def test_roots_of_a_system_are_scipys():
    def f(x):
        return np.stack([x[0] ** 2 + x[1] ** 2 - 4.0, np.exp(x[0]) + x[1] - 1.0])
    solution = newton(f, [1.0, -1.7])
    want = optimize.root(lambda x: np.array(f(x)), [1.0, -1.7], tol=1e-13).x
    np.testing.assert_allclose(solution.x, want, rtol=1e-10)


def test_newtons_iteration_can_be_differentiated():
    assert derivative(lambda a: newton(lambda x: x**3 - a, 2.0).x)(2.0) == pytest.approx(
        2 ** (-2 / 3) / 3, rel=1e-12)


@pytest.mark.parametrize("f, start, words", [
    (lambda x: x * x + 1.0, 0.0, "after 0 steps: the derivative at x = 0.0 is singular"),
    (lambda x: x * x + 1.0, 0.3, "max_iter=50 steps were not enough"),
    (lambda x: np.stack([x[0], x[0]]), [1.0, 2.0], "singular"),
    (lambda x: 1e308 * x * 10.0, 1.0, "f is inf at x = 1.0"),
])
def test_what_does_not_converge_says_why_and_keeps_what_it_had(f, start, words):
    with np.errstate(all="ignore"), pytest.raises(NotConverged, match=words) as caught:
        newton(f, start)
    assert np.array_equal(caught.value.solution.points[0], start)


# ---- minima -------------------------------------------------------------------------------------


def test_gradient_descent_lowers_f_at_every_step_and_arrives():
    def f(x):
        return np.sum(np.array([1.0, 20.0]) * (x - np.array([1.0, -2.0])) ** 2)
    solution = gradient_descent(f, [5.0, 5.0])
    np.testing.assert_allclose(solution.x, [1.0, -2.0], atol=1e-6)
    assert np.all(np.diff([f(x) for x in solution.points]) < 0)


def test_gradient_descent_says_when_it_stops_early():
    with pytest.raises(NotConverged, match="max_iter=10 steps, where the gradient still has"):
        gradient_descent(rosenbrock, [-1.2, 1.0], max_iter=10)


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B", "CG", "Newton-CG", "trust-exact",
                                    "trust-ncg", "trust-krylov"])
def test_scipys_optimisers_take_our_derivatives(method):
    start = np.array([[0.5, 0.7], [1.2, 1.1]])
    result = minimize(lambda x: rosenbrock(np.ravel(x)), start, method=method)
    assert result.x.shape == (2, 2)
    np.testing.assert_allclose(result.x, 1.0, atol=2e-4)


def test_our_gradients_save_the_evaluations_for_differences():
    x = np.full(10, -0.7)
    ours = minimize(rosenbrock, x)
    by_hand = optimize.minimize(rosen, x, jac=rosen_der)
    by_differences = optimize.minimize(rosen, x)
    assert abs(ours.nfev - by_hand.nfev) <= 3
    assert by_differences.nfev > 8 * ours.nfev


# ---- stiff equations ----------------------------------------------------------------------------


def test_the_implicit_step_is_stable_where_the_explicit_one_explodes():
    """y' = -1000 (y - cos t), after Prothero & Robinson: steps a hundred times too long."""
    times = np.linspace(0.0, 1.0, 11)
    y = implicit_euler(lambda t, y: -1000.0 * (y - np.cos(t)), [0.0], times)[:, 0]
    assert np.max(np.abs(y[2:] - np.cos(times[2:]))) < 2e-3
    explicit = [0.0]
    for t, h in zip(times[:-1], np.diff(times)):
        explicit.append(explicit[-1] - 1000.0 * h * (explicit[-1] - np.cos(t)))
    assert abs(explicit[-1]) > 1e15


def test_the_error_of_the_implicit_step_is_of_first_order():
    def van_der_pol(t, y):
        return np.stack([y[1], 5.0 * (1.0 - y[0] ** 2) * y[1] - y[0]])
    want = integrate.solve_ivp(lambda t, y: np.array(van_der_pol(t, y)), (0, 1), [2.0, 0.0],
                               method="Radau", rtol=1e-11, atol=1e-12).y[:, -1]
    errors = [np.max(np.abs(implicit_euler(van_der_pol, [2.0, 0.0], np.linspace(0, 1, n))[-1]
                            - want)) for n in (101, 201, 401)]
    for before, after in zip(errors, errors[1:]):
        assert before / after == pytest.approx(2.0, rel=0.05)


def test_the_module_does_not_load_scipy():
    assert "scipy" not in vars(solvers)
