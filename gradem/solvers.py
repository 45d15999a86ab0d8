"""Solvers that live on derivatives: Newton's method, descent, SciPy's optimisers, stiff steps.

Each of them asks for a derivative that is tedious by hand and inaccurate by differences, and
gets it from gradem: f' for a root of one equation, the Jacobian for a system, the gradient for
a minimum, the Jacobian again for an implicit step of a stiff differential equation.
"""

from typing import NamedTuple

import numpy as np

from gradem.derivatives import hessian, hvp, jacfwd, value_and_grad
from gradem.rules import NoDerivative
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

    x: float | np.ndarray         #: the last point
    value: float | np.ndarray     #: f there
    n_iter: int                   #: iterations made
    points: list                  #: all points, from the start to x


# ---- roots --------------------------------------------------------------------------------------


def newton(f, x, tol=1e-12, max_iter=50):
    """A root of f by Newton's method: f(x) = 0.

    A step goes to the root of the tangent: x - f(x) / f'(x), for a system x - J^-1 f(x). Near
    a simple root the error is squared at each step (Nocedal & Wright 2006, theorem 11.2). The
    root can be differentiated with respect to whatever f depends on: the steps carry tangents
    and adjoints along like any other program.

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
        If `max_iter` steps were not enough, the derivative is singular, or a value or
        derivative is no finite number.
    ValueError
        If there are not as many equations as unknowns.

    Examples
    --------
    >>> newton(lambda x: x**2 - 9.0, 4.0).points
    [4.0, 3.125, 3.0025, 3.000001040799334, 3.0000000000001803, 3.0]
    """
    x = real(x, "x")
    slope, points = jacfwd(f), [x]

    def stopped(reason, value):
        return NotConverged(f"Newton's method stopped after {len(points) - 1} steps: {reason}. "
                            "Try another start; the exception holds the points in `solution`",
                            Solution(x, value, len(points) - 1, points))

    for _ in range(max_iter):
        value, J = real(f(x), "f(x)"), slope(x)
        if np.shape(value) != np.shape(x) or np.ndim(x) > 1:
            raise ValueError("Newton's method needs a number, or as many equations as unknowns in "
                             f"one axis, but x has shape {np.shape(x)} and f(x) {np.shape(value)}")
        if not (np.all(np.isfinite(value)) and np.all(np.isfinite(J))):
            raise stopped(f"f is {value} at x = {x}, and its derivative {J}", value)
        try:
            step = np.linalg.solve(J, value) if np.ndim(x) else value / J
        except (np.linalg.LinAlgError, ZeroDivisionError, NoDerivative):
            step = np.inf
        if not np.all(np.isfinite(step)):
            raise stopped(f"the derivative at x = {x} is singular", value)
        x = real(x - step, "x")
        points.append(x)
        if np.max(np.abs(step)) <= tol * max(1.0, np.max(np.abs(x))):
            return Solution(x, real(f(x), "f(x)"), len(points) - 1, points)
    value = real(f(x), "f(x)")
    raise stopped(f"max_iter={max_iter} steps were not enough, f is {value} at x = {x}", value)


# ---- minima -------------------------------------------------------------------------------------


def gradient_descent(f, x, step=1.0, tol=1e-6, max_iter=10_000):
    """A minimum of f by steps against its gradient, with a line search.

    A step of length t is taken if it lowers f by at least a small share of what the gradient
    promises, ``f(x - t g) <= f(x) - c t |g|^2`` (Armijo's condition; Nocedal & Wright 2006,
    algorithm 3.1), else t is halved. The next search begins at twice the last length.

    Parameters
    ----------
    f : callable
        Takes an array (or number) and returns a number.
    x : ndarray or float
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
        If `max_iter` steps were not enough, no step lowers f any more, or f falls without
        bound or is no finite number.
    """
    x = real(x, "x")
    value, gradient = value_and_grad(f)(x)
    points = [x]

    def stopped(reason):
        return NotConverged(f"gradient descent stopped after {len(points) - 1} steps: {reason}",
                            Solution(x, value, len(points) - 1, points))

    while not np.max(np.abs(gradient)) <= tol:       # an entry may be nan
        if len(points) > max_iter:
            raise stopped(f"max_iter={max_iter} steps were not enough, the gradient still has an "
                          f"entry of {np.max(np.abs(gradient)):.3g}: try `minimize`, or scale the "
                          "variables")
        if not (np.isfinite(value) and np.all(np.isfinite(step * gradient))):
            raise stopped(f"f is {value} and its gradient {gradient} at x = {x}. Does f have a "
                          "minimum, and is it defined at the start?")
        square = np.sum(gradient * gradient)
        while not f(x - step * gradient) <= value - 1e-4 * step * square:
            step /= 2
            if np.all(x - step * gradient == x):
                raise stopped("no step against the gradient lowers f. Is f smooth there, and tol "
                              "not too small?")
        x = x - step * gradient
        points.append(x)
        value, gradient = value_and_grad(f)(x)
        step *= 2
    return Solution(x, value, len(points) - 1, points)


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
    Jacobian 1 - h df/dy from gradem (Hairer & Wanner 1996, section IV.8). It costs more than
    the explicit step y + h f(t, y), but does not explode where a fast part of the solution has
    long died out (section IV.1). The error is of first order in h.

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
        If Newton's method does not find a step; the points of its solution are the values of
        y before.

    Notes
    -----
    SciPy's implicit methods choose their steps, are of higher order, and take the Jacobian,
    too: ``solve_ivp(f, (0, 1), y, "Radau", jac=lambda t, y: jacfwd(lambda y: f(t, y))(y))``.
    """
    values = [real(y, "y")]
    for before, after in zip(times[:-1], times[1:]):
        try:
            values.append(_implicit_step(f, after, after - before, values[-1]))
        except NotConverged as error:
            raise NotConverged(
                f"the implicit step from t = {before} to {after} was not found: take smaller "
                "steps; the exception holds those before in `solution`",
                Solution(values[-1], f(before, values[-1]), len(values) - 1, values)) from error
    return np.stack(values)


def _implicit_step(f, t, h, y):
    """The root y_new of y_new - y - h f(t, y_new)."""
    return newton(lambda new: new - y - h * f(t, new), y).x
