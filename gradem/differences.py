"""Divided differences and the complex step: derivatives without differentiation.

A divided difference with step h makes two errors. Truncating Taylor's series costs
``h |f''| / 2`` (forward) or ``h^2 |f'''| / 6`` (central). Rounding costs at most ``eps |f|``
for each value of f, hence ``2 eps |f| / h`` (forward) or ``eps |f| / h`` (central). One falls
with h and the other grows, and the best step balances them (Nocedal & Wright, Numerical
Optimization, 2nd ed. 2006, section 8.1). The complex step subtracts nothing, so its step can be
as small as one likes (Squire & Trapp, SIAM Review 40, 1998, 110-112).
"""

import numpy as np

EPS = float(np.finfo(float).eps)


def forward_difference(f, x, h):
    """Slope of f between x and x + h.

    Parameters
    ----------
    f : callable
    x, h : float
        The point, and the step, which is not zero.

    Returns
    -------
    float or ndarray
        (f(x + h) - f(x)) / h, which is f'(x) + h f''(x) / 2 + O(h^2).
    """
    return (f(x + h) - f(x)) / h


def central_difference(f, x, h):
    """Slope of f between x - h and x + h.

    Parameters
    ----------
    f : callable
    x, h : float
        The point, and the step, which is not zero.

    Returns
    -------
    float or ndarray
        (f(x + h) - f(x - h)) / (2 h), which is f'(x) + h^2 f'''(x) / 6 + O(h^4).
    """
    return (f(x + h) - f(x - h)) / (2 * h)


def complex_step(f, x, h=1e-200):
    """Derivative of f at x, from one evaluation at the complex point x + i h.

    From f(x + i h) = f(x) + i h f'(x) - h^2 f''(x) / 2 - ... the imaginary part over h is f'(x)
    up to O(h^2), and nothing was subtracted. It needs a function that is analytic, and is
    written for complex numbers: abs, max and comparisons break it.

    Parameters
    ----------
    f : callable
        A function that is real on the real line and takes complex numbers.
    x, h : float
        The point, and the step; the square of 1e-200 is so small that it vanishes.

    Returns
    -------
    float or ndarray
        Im f(x + i h) / h.
    """
    return np.imag(f(x + 1j * h)) / h


def best_forward_step(f0, f2, eps=EPS):
    """Step that makes the error bound of a forward difference smallest.

    The bound E(h) = h f2 / 2 + 2 eps f0 / h has the derivative f2 / 2 - 2 eps f0 / h^2, whose
    root is h = 2 sqrt(eps f0 / f2). There E = 2 sqrt(eps f0 f2): half of the digits are lost.

    Parameters
    ----------
    f0, f2 : float
        ``|f(x)|`` and ``|f''(x)|``.
    eps : float
        The relative error of a value of f, at least that of float64.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If f2 is 0: without truncation error a larger step is always better.
    """
    if f2 == 0:
        raise ValueError("f'' is 0, so there is no truncation error to balance: no step is best")
    return 2 * float(np.sqrt(eps * f0 / f2))


def best_central_step(f0, f3, eps=EPS):
    """Step that makes the error bound of a central difference smallest.

    The bound E(h) = h^2 f3 / 6 + eps f0 / h has the derivative h f3 / 3 - eps f0 / h^2, whose
    root is h = (3 eps f0 / f3)^(1/3). There E is of the order of eps^(2/3): a third of the
    digits is lost.

    Parameters
    ----------
    f0, f3 : float
        ``|f(x)|`` and ``|f'''(x)|``.
    eps : float
        The relative error of a value of f, at least that of float64.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If f3 is 0: without truncation error a larger step is always better.
    """
    if f3 == 0:
        raise ValueError("f''' is 0, so there is no truncation error to balance: no step is best")
    return float(np.cbrt(3 * eps * f0 / f3))
