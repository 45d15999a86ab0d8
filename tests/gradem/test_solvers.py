"""Solvers: against SciPy's and exact solutions, and how fast they arrive."""

from decimal import Decimal, getcontext

import numpy as np
import pytest
from scipy import integrate, optimize
from scipy.optimize import rosen, rosen_der

from gradem import custom_rule, derivative, grad, jacfwd, solvers
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

    def root(a):                                 # x0 = sqrt(a), x1 = 1 / x0
        return newton(lambda x: np.stack([x[0] ** 2 - a, x[1] * x[0] - 1.0]), [1.0, 1.0]).x[1]
    assert grad(root)(2.0) == pytest.approx(-0.5 * 2.0**-1.5, rel=1e-12)
    assert derivative(derivative(root))(2.0) == pytest.approx(0.75 * 2.0**-2.5, rel=1e-11)


def test_a_start_at_the_root_has_the_derivative_of_the_root():
    assert derivative(lambda a: newton(lambda x: x**2 - a, 2.0).x)(4.0) == 0.25


@pytest.mark.parametrize("f, start, words", [
    (lambda x: x * x + 1.0, 0.0, "after 0 steps: the derivative at x = 0.0 is singular"),
    (np.cos, 0.0, "after 0 steps: the derivative at x = 0.0 is singular"),
    (lambda x: 1e-320 * x + 1.0, 0.0, "the derivative at x = 0.0 is singular"),
    (lambda x: x * x + 1.0, 0.3, "max_iter=50 steps were not enough, f is"),
    (lambda x: np.stack([x[0], x[0]]), [1.0, 2.0], r"at x = \[1. 2.\] is singular"),
    (lambda x: 1e308 * x * 10.0, 1.0, "f is inf at x = 1.0"),
    (custom_rule(push=lambda v, out, x: v * np.inf)(np.square), 1.0, "and its derivative inf"),
])
def test_what_does_not_converge_says_why_and_keeps_what_it_had(f, start, words):
    with np.errstate(all="ignore"), pytest.raises(NotConverged, match=words) as caught:
        newton(f, start)
    solution = caught.value.solution
    assert np.array_equal(solution.points[0], start) and len(solution.points) > solution.n_iter
    assert np.array_equal(solution.x, solution.points[-1])


def test_newton_in_the_midst_of_a_derivative_says_why_it_stopped():
    with pytest.raises(NotConverged, match="is singular"):
        derivative(lambda a: newton(lambda x: x * x + a, 0.0).x)(1.0)
    with pytest.raises(NotConverged, match="is singular"):
        grad(lambda a: newton(lambda x: np.stack([x[0] * a, x[0]]), [1.0, 2.0]).x[0])(1.0)
    with pytest.raises(NotConverged, match="max_iter=0 steps"):
        newton(lambda x: x - 1.0, 2.0, max_iter=0)


@pytest.mark.parametrize("f, start", [
    (lambda x: x[:1], [1.0, 2.0]), (lambda x: x**2 - 2.0, np.ones((2, 2))),
    (lambda x: np.stack([x, x]), 1.0)])
def test_newton_needs_as_many_equations_as_unknowns(f, start):
    with pytest.raises(ValueError, match="as many equations as unknowns"):
        newton(f, start)


# ---- minima -------------------------------------------------------------------------------------


def test_gradient_descent_lowers_f_at_every_step_and_arrives():
    def f(x):
        return np.sum(np.array([1.0, 20.0]) * (x - np.array([1.0, -2.0])) ** 2)
    solution = gradient_descent(f, [5.0, 5.0])
    np.testing.assert_allclose(solution.x, [1.0, -2.0], atol=1e-6)
    assert np.all(np.diff([f(x) for x in solution.points]) < 0)


def test_gradient_descent_says_when_it_stops_early():
    words = "stopped after 10 steps: max_iter=10 steps were not enough, the gradient still"
    with pytest.raises(NotConverged, match=words) as caught:
        gradient_descent(rosenbrock, [-1.2, 1.0], max_iter=10)
    assert caught.value.solution.n_iter == 10 and len(caught.value.solution.points) == 11


def test_gradient_descent_takes_numbers():
    assert gradient_descent(lambda x: (x - 1.0) ** 2, 3.0).x == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("f, words", [
    (lambda x: x[0], "Does f have a minimum"),
    (lambda x: -np.sum(x**2), "Does f have a minimum"),
    (lambda x: np.sum(x) * np.nan, "f is nan .* at x = "),
])
def test_gradient_descent_ends_where_there_is_no_minimum(f, words):
    with np.errstate(all="ignore"), pytest.raises(NotConverged, match=words) as caught:
        gradient_descent(f, [1.0, 2.0])
    assert np.array_equal(caught.value.solution.points[0], [1.0, 2.0])


def test_gradient_descent_ends_where_no_step_lowers_f():
    """The gradient says down, but f rises on both sides."""
    f = custom_rule(push=lambda v, out, x: v, pull=lambda v, out, x: v)(np.abs)
    with pytest.raises(NotConverged, match="after 1 steps: no step against the gradient lowers f"):
        gradient_descent(f, 1.0)


def test_the_line_search_keeps_its_promise():
    """Each step lowers f by a share of what the gradient promises (Armijo's condition)."""
    with pytest.raises(NotConverged) as caught:
        gradient_descent(rosenbrock, [-1.2, 1.0], max_iter=60)
    points = caught.value.solution.points
    assert len(points) == 61
    for before, after in zip(points, points[1:]):
        g, moved = rosen_der(before), after - before
        t = -(moved @ g) / (g @ g)
        np.testing.assert_allclose(moved, -t * g, rtol=1e-6, atol=1e-12)
        assert rosen(after) <= rosen(before) - 1e-4 * t * (g @ g) * (1 - 1e-9)


def test_gradient_descent_reaches_the_end_of_the_valley():
    solution = gradient_descent(rosenbrock, [-1.2, 1.0], max_iter=50_000)
    np.testing.assert_allclose(solution.x, 1.0, atol=1e-5)
    assert np.max(np.abs(rosen_der(solution.x))) <= 1e-6


@pytest.mark.parametrize("method", ["BFGS", "L-BFGS-B", "CG", "Newton-CG", "trust-exact",
                                    "trust-ncg", "trust-krylov"])
def test_scipys_optimisers_take_our_derivatives(method):
    start = np.array([[0.5, 0.7], [1.2, 1.1]])
    result = minimize(lambda x: rosenbrock(np.ravel(x)), start, method=method)
    assert result.x.shape == (2, 2)
    np.testing.assert_allclose(result.x, 1.0, atol=2e-4)


@pytest.mark.parametrize("method", ["dogleg", "trust-constr", "SLSQP", "TNC"])
def test_further_optimisers_find_the_minimum_of_a_convex_function(method):
    c = np.array([0.5, -0.3])
    result = minimize(lambda x: np.sum(np.cosh(x)) - np.sum(c * x), [1.0, 1.0], method=method)
    np.testing.assert_allclose(result.x, np.arcsinh(c), atol=1e-3)


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


def robertson(t, y):
    """Three reactions, whose speeds differ by nine orders of magnitude."""
    slow, back, fast = 0.04 * y[0], 1e4 * y[1] * y[2], 3e7 * y[1] ** 2
    return np.stack([back - slow, slow - back - fast, fast])


def test_robertsons_reactions_are_scipys():
    times = np.concatenate([[0.0], np.geomspace(1e-6, 40.0, 2000)])
    y = implicit_euler(robertson, [1.0, 0.0, 0.0], times)
    want = integrate.solve_ivp(robertson, (0, 40), [1.0, 0.0, 0.0], "Radau", rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(y[-1], want.y[:, -1], rtol=2e-3)
    np.testing.assert_allclose(y.sum(axis=1), 1.0, rtol=1e-12)      # no mass is lost


def test_scipys_implicit_methods_take_our_jacobian():
    def solved(jacobian):
        calls = []

        def counted(t, y):
            calls.append(t)
            return robertson(t, y)
        solution = integrate.solve_ivp(counted, (0, 40), [1.0, 0.0, 0.0], "Radau", rtol=1e-8,
                                       atol=1e-12, jac=jacobian and jacobian(counted))
        return solution.y[:, -1], len(calls)
    ours, our_calls = solved(lambda f: lambda t, y: jacfwd(lambda y: f(t, y))(y))
    by_differences, more_calls = solved(None)
    np.testing.assert_allclose(ours, by_differences, rtol=1e-6)
    assert our_calls < more_calls


def test_implicit_steps_can_be_differentiated():
    """y' = -k y in n steps gives (1 + h k)^-n exactly."""
    def end(k):
        return implicit_euler(lambda t, y: -k * y, [1.0], np.linspace(0.0, 1.0, 5))[-1, 0]
    want = -4 * 0.25 * 1.5**-5
    assert grad(end)(2.0) == pytest.approx(want, rel=1e-12)
    assert derivative(end)(2.0) == pytest.approx(want, rel=1e-12)


def test_a_step_that_is_not_found_keeps_those_before():
    """y' = y^2: y_new = y + h y_new^2 has a real root only if 4 h y <= 1."""
    with pytest.raises(NotConverged, match="from t = 0.25 to 4.0 was not found") as caught:
        implicit_euler(lambda t, y: y * y, [0.5], [0.0, 0.25, 4.0])
    y = (1 - np.sqrt(1 - 4 * 0.25 * 0.5)) / (2 * 0.25)
    np.testing.assert_allclose(caught.value.solution.points, [[0.5], [y]], rtol=1e-12)


def test_the_module_does_not_load_scipy():
    assert "scipy" not in vars(solvers)
