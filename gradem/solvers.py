"""Solvers that live on derivatives: Newton's method, descent, SciPy's optimisers, stiff steps.

Each of them asks for a derivative that is tedious by hand and inaccurate by differences, and
gets it from gradem: f' for a root of one equation, the Jacobian for a system, the gradient for
a minimum, the Jacobian again for an implicit step of a stiff differential equation.
"""

from typing import NamedTuple

import numpy as np

from gradem.derivatives import hessian, hvp, jacfwd, value_and_grad
from gradem.traced import real


class NotConverged(RuntimeError):
    """A method stopped before it had what was asked for; `solution` holds what it had.

    Attributes
    ----------
    solution : Solution
    """

    def __init__(self, words, solution):
        super().__init__(words)
        self.solution = solution


class Solution(NamedTuple):
    """Where a method arrived, and how it got there."""

    x: float | np.ndarray         # the last point
    value: float | np.ndarray     # f there
    n_iter: int                   # iterations made
    points: list                  # all points, from the start to x


# ---- roots --------------------------------------------------------------------------------------


def newton(f, x, tol=1e-12, max_iter=50):
    """A root of f by Newton's method: f(x) = 0.

    A step goes to the root of the tangent: x - f(x) / f'(x), for a system x - J^-1 f(x). Near
    a simple root the error is squared at each step (Nocedal & Wright 2006, theorem 11.2).

    Parameters
    ----------
    f : callable
        Takes a number and returns a number, or an array of shape (n,) and returns another.
    x : float or ndarray, shape (n,)
        The start.
    tol : float
        The method ends when a step is at most tol times the size of x, or tol itself.
    max_iter : int
        Most steps.

    Returns
    -------
    Solution

    Raises
    ------
    NotConverged
        If `max_iter` steps were not enough, a step leads nowhere since the derivative is
        singular, or a value is no finite number.
    """
    x = real(x, "x")
    slope, points = jacfwd(f), [x]

    def stopped(reason, value):
        return NotConverged(f"Newton's method stopped after {len(points) - 1} steps: {reason}. "
                            "Try another start; the exception holds the points in `solution`",
                            Solution(x, value, len(points) - 1, points))

    for _ in range(max_iter):
        value, J = f(x), slope(x)
        if not np.all(np.isfinite(value)):
            raise stopped(f"f is {value} at x = {x}", value)
        try:
            step = np.linalg.solve(J, value) if np.ndim(x) else value / J
        except (np.linalg.LinAlgError, ZeroDivisionError):
            raise stopped(f"the derivative at x = {x} is singular", value) from None
        x = real(x - step, "x")
        points.append(x)
        if np.max(np.abs(step)) <= tol * max(1.0, np.max(np.abs(x))):
            return Solution(x, f(x), len(points) - 1, points)
    raise stopped(f"max_iter={max_iter} steps were not enough, the last one had size "
                  f"{np.max(np.abs(step)):.3g}", f(x))


# ---- minima -------------------------------------------------------------------------------------


def gradient_descent(f, x, step=1.0, tol=1e-6, max_iter=10_000):
    """A minimum of f by steps against its gradient, with a line search.

    A step of length t is taken if it lowers f by at least a small share of what the gradient
    promises, ``f(x - t g) <= f(x) - c t |g|^2`` (Armijo's condition; Nocedal & Wright 2006,
    algorithm 3.1), else t is halved. The next search begins at twice the last length.

    Parameters
    ----------
    f : callable
        Takes an array and returns a number.
    x : ndarray
        The start.
    step : float
        The first length to try.
    tol : float
        The method ends where no entry of the gradient is larger.
    max_iter : int
        Most steps.

    Returns
    -------
    Solution

    Raises
    ------
    NotConverged
        If `max_iter` steps were not enough, or no step lowers f any more.
    """
    x = real(x, "x")
    value, gradient = value_and_grad(f)(x)
    points = [x]
    for _ in range(max_iter):
        if np.max(np.abs(gradient)) <= tol:
            return Solution(x, value, len(points) - 1, points)
        square = np.sum(gradient * gradient)
        while not f(x - step * gradient) <= value - 1e-4 * step * square:
            step /= 2
            if np.all(x - step * gradient == x):
                raise NotConverged(
                    f"gradient descent stopped after {len(points) - 1} steps: no step against the "
                    "gradient lowers f. Is f smooth there, and tol not too small?",
                    Solution(x, value, len(points) - 1, points))
        x = x - step * gradient
        points.append(x)
        value, gradient = value_and_grad(f)(x)
        step *= 2
    raise NotConverged(
        f"gradient descent stopped after max_iter={max_iter} steps, where the gradient still has "
        f"an entry of {np.max(np.abs(gradient)):.3g}: try `minimize`, or scale the variables",
        Solution(x, value, len(points) - 1, points))


#: SciPy's methods that ask for second derivatives: as a matrix, or its product with a vector.
WITH_HESSIAN = frozenset({"dogleg", "trust-exact"})
WITH_PRODUCTS = frozenset({"newton-cg", "trust-ncg", "trust-krylov", "trust-constr"})


def minimize(f, x, method="BFGS", **options):
    """A minimum of f by one of SciPy's optimisers, fed with our derivatives.

    Parameters
    ----------
    f : callable
        Takes an array of the shape of x and returns a number.
    x : ndarray
        The start, of any shape.
    method : str
        The method of ``scipy.optimize.minimize``. It gets the gradient, and where it asks for
        second derivatives those, too.
    **options
        Handed on to SciPy.

    Returns
    -------
    scipy.optimize.OptimizeResult
        Its `x` has the shape of the start.
    """
    from scipy.optimize import minimize as scipy_minimize
    x = real(x, "x")

    def flat(y):
        return f(np.reshape(y, np.shape(x)))

    if method.lower() in WITH_HESSIAN:
        options["hess"] = hessian(flat)
    if method.lower() in WITH_PRODUCTS:
        options["hessp"] = lambda y, v: hvp(flat, y, v)
    result = scipy_minimize(value_and_grad(flat), np.ravel(x), jac=True, method=method, **options)
    result.x = np.reshape(result.x, np.shape(x))
    return result


# ---- stiff equations ----------------------------------------------------------------------------


def implicit_euler(f, y, times):
    """Steps of the implicit Euler method for y' = f(t, y).

    y_new = y + h f(t_new, y_new) is an equation for y_new; Newton's method solves it with the
    Jacobian 1 - h df/dy from gradem. It costs more than the explicit step y + h f(t, y), but
    does not explode where a fast part of the solution has long died out (Hairer & Wanner 1996,
    section IV.1). The error is of first order in h.

    Parameters
    ----------
    f : callable
        Takes t and an array of shape (n,), and returns one of shape (n,).
    y : array_like, shape (n,)
        The value at ``times[0]``.
    times : array_like, shape (m,)
        Where to compute the solution: one step from each to the next.

    Returns
    -------
    ndarray, shape (m, n)

    Raises
    ------
    NotConverged
        If Newton's method does not find a step: take smaller ones.
    """
    steps = [real(y, "y")]
    for before, after in zip(times[:-1], times[1:]):
        y, h = steps[-1], after - before
        steps.append(newton(lambda new: new - y - h * f(after, new), y).x)  # noqa: B023
    return np.stack(steps)
