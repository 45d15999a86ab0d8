"""What users call: the derivative of a function, and its derivative in a direction.

Each transformation takes a function and gives x a tangent on a level of its own, so they nest:
``derivative(derivative(f))`` is f''. All of them work in forward mode: the function is evaluated
once, on duals (see `gradem.dual`). `grad` carries one seed for each entry of x, and so costs
about as many evaluations of f as x has entries.

Results are fresh: a float, or a float64 array that belongs to the caller.
"""

import functools
import math

import numpy as np

from gradem.dual import Dual, ndim, new_level, real, shape


def jvp(f, x, tangent):
    """Value of f at x, and its derivative in a direction: the product J(x) @ tangent.

    Parameters
    ----------
    f : callable
        A function of one number or array, that returns one number or array.
    x : float or ndarray
        The point. Whole numbers are taken as floats.
    tangent : float or ndarray, shape (seeds..., shape of x)
        The direction; several directions may be stacked along leading axes.

    Returns
    -------
    value : float or ndarray
        f(x).
    tangent : float or ndarray, shape (seeds..., shape of value)
        The derivative of f at x in each direction. Zero if f ignores x.

    Raises
    ------
    TypeError
        If x or f(x) is not real, or f uses what cannot be differentiated.
    NoDerivative
        If f has no derivative at x (see `gradem.rules`).

    References
    ----------
    Griewank & Walther, Evaluating Derivatives, 2nd ed., SIAM 2008, section 3.1.

    Examples
    --------
    >>> jvp(lambda x: x[0] * x[1], [3.0, 4.0], [1.0, 0.0])
    (12.0, 4.0)
    """
    level = new_level()
    x = Dual(real(x, "x"), real(tangent, "the tangent"), level)
    out = f(x)
    if type(out) is Dual and out.level > level:
        raise TypeError("f returned a Dual that it made by hand of x: return its value or tangent")
    if type(out) is Dual and out.level == level:
        return _fresh(out.value), _fresh(out.tangent)
    out = real(out, "the result of f")
    seeds = shape(x.tangent)[:ndim(x.tangent) - x.ndim]
    return out, _fresh(np.zeros(seeds + shape(out)))


def derivative(f):
    """The derivative of a function of one number.

    Parameters
    ----------
    f : callable
        A function of a number x that returns a number or an array.

    Returns
    -------
    callable
        The function x -> f'(x), of the shape of f(x). For an array x, f must treat each
        entry alone, and the result holds the derivative at each entry.

    Raises
    ------
    ValueError
        By the function returned, if x is an array and the shape of f(x) another one.

    Examples
    --------
    >>> derivative(lambda x: x**3)(2)
    12.0
    >>> derivative(derivative(np.sin))(np.pi / 2)
    -1.0
    """
    @functools.wraps(f, assigned=("__name__",), updated=())
    def slope(x):
        x = real(x, "x")
        out, tangent = jvp(f, x, np.ones(shape(x)))
        if ndim(x) and shape(out) != shape(x):
            raise ValueError(f"f takes an array of shape {shape(x)} to one of shape {shape(out)}, "
                             "so it does not act on each entry alone: use grad or jvp")
        return tangent
    return slope


def grad(f):
    """The gradient of a function of many variables.

    Parameters
    ----------
    f : callable
        A function of an array x that returns a single number.

    Returns
    -------
    callable
        The function x -> gradient of f at x, of the shape of x.

    Raises
    ------
    ValueError
        By the function returned, if f(x) is not a single number.

    Examples
    --------
    >>> grad(lambda x: x[0] * x[1] + np.sin(x[0]))([0.0, 2.0])
    array([3., 0.])
    """
    value_and_gradient = value_and_grad(f)

    @functools.wraps(f, assigned=("__name__",), updated=())
    def gradient(x):
        return value_and_gradient(x)[1]
    return gradient


def value_and_grad(f):
    """The value and the gradient of a function of many variables, in one evaluation.

    Parameters and errors are those of `grad`.

    Returns
    -------
    callable
        The function x -> (f(x), gradient of f at x).
    """
    @functools.wraps(f, assigned=("__name__",), updated=())
    def value_and_gradient(x):
        x = real(x, "x")
        axes = shape(x)
        basis = np.eye(math.prod(axes)).reshape(axes + axes)
        value, gradient = jvp(f, x, basis)
        if shape(value) != ():
            raise ValueError("a gradient needs a function whose result is a single number, but "
                             f"f(x) has shape {shape(value)}: use jvp for a direction at a time")
        return value, gradient
    return value_and_gradient


def _fresh(x):
    """x as a float or an array of its own; a dual of an outer transformation as it is."""
    return x if type(x) is Dual else real(x, "the result of f")
