"""What is to be seen on a figure, in words computed from what is drawn.

The functions of `gradem.plots` make of these pieces the alternative texts of their figures, for
readers who do not see them. A text says what one would look at: where a curve rises, falls and
turns, where an ellipse lies and how long it is.
"""

import re

import numpy as np


def number(x):
    """A number with three digits, and an exponent without zeros before it.

    Parameters
    ----------
    x : float

    Returns
    -------
    str

    Examples
    --------
    >>> number(1234567.0), number(0.5)
    ('1.23e+6', '0.5')
    """
    return re.sub(r"e([-+])0", r"e\1", f"{float(x) + 0.0:.3g}")      # -0.0 + 0.0 is 0.0


def plain(text):
    """A label of a plot without the signs that set it: dollars, braces, backslashes.

    Parameters
    ----------
    text : str

    Returns
    -------
    str

    Examples
    --------
    >>> plain(r"step $h_{10}$")
    'step h_10'
    """
    return re.sub(r"[${}\\]", "", text)


def listed(items):
    """Texts, or numbers, in one sentence.

    Parameters
    ----------
    items : sequence of str or float

    Returns
    -------
    str

    Examples
    --------
    >>> listed(["a", "b", 0.25])
    'a, b and 0.25'
    """
    *others, last = [item if isinstance(item, str) else number(item) for item in items]
    return f"{', '.join(others)} and {last}" if others else last


def curve(name, x, y):
    """The course of a curve: where it begins, turns and ends.

    Parameters
    ----------
    name : str
        What is in the first place of the sentence.
    x, y : array_like, shape (n,)
        Points of the curve, x rising. Gaps, where y is no finite number, are left out.

    Returns
    -------
    str

    Examples
    --------
    >>> x = np.linspace(-1.0, 2.0, 7)
    >>> curve("The parabola", x, x**2)
    'The parabola falls from 1 at -1 to 0 at 0, then rises to 4 at 2.'
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    x, y = x[np.isfinite(y)], y[np.isfinite(y)]
    name = plain(name)
    if y.min() < 0 < y.max():
        y = np.where(abs(y) < 1e-12 * abs(y).max(), 0.0, y)     # what rounding left of a zero
    at = [f"{number(b)} at {number(a)}" for a, b in zip(x, y)]
    low, high, last = int(np.argmin(y)), int(np.argmax(y)), len(y) - 1
    if y[low] == y[high]:
        return f"{name} stays at {number(y[0])}."
    slopes = np.sign(np.diff(y))
    slopes = slopes[slopes != 0]
    turns = int(np.sum(slopes[1:] != slopes[:-1]))
    if turns > 8:
        greatest = "" if high in (0, last) else f"greatest with {at[high]}, "
        return (f"{name} begins, jagged, with {at[0]}, is least with {at[low]}, {greatest}and "
                f"ends with {at[last]}.")
    if turns > 1:
        return (f"{name} begins with {at[0]}, turns {turns} times between {at[low]} and "
                f"{at[high]}, and ends with {at[last]}.")
    if turns == 0:
        return f"{name} {'rises' if y[last] > y[0] else 'falls'} from {at[0]} to {at[last]}."
    falls = slopes[0] < 0
    return (f"{name} {'falls' if falls else 'rises'} from {at[0]} to {at[low if falls else high]}, "
            f"then {'rises' if falls else 'falls'} to {at[last]}.")


def point(x):
    """A place in the plane.

    Parameters
    ----------
    x : array_like, shape (2,)

    Returns
    -------
    str

    Examples
    --------
    >>> point([0.5, 80.0])
    '(0.5, 80)'
    """
    return f"({number(x[0])}, {number(x[1])})"


def ellipse(mean, covariance, unit=1.0):
    """Where the ellipse of a Gaussian in the plane lies, and how.

    Parameters
    ----------
    mean : array_like, shape (2,)
    covariance : array_like, shape (2, 2)
    unit : float or array_like, shape (2,)
        What is drawn as long across as up, where the axes have different scales.

    Returns
    -------
    str

    Examples
    --------
    >>> ellipse([0.0, 1.0], [[4.0, 0.0], [0.0, 1.0]])
    'around (0, 1), 2 times as wide as high'
    >>> ellipse([0.0, 1.0], [[2.0, 1.5], [1.5, 2.0]])
    'around (0, 1), along a line that rises, 2.6 times as long as broad'
    """
    unit = np.broadcast_to(unit, 2)
    covariance = np.asarray(covariance, dtype=float) / np.outer(unit, unit)
    place = f"around {point(mean)}"
    across, up = np.sqrt(np.diag(covariance))
    correlation = covariance[0, 1] / (across * up)
    if abs(correlation) > 0.2:
        small, large = np.sqrt(np.linalg.eigvalsh(covariance))
        return (f"{place}, along a line that {'rises' if correlation > 0 else 'falls'}, "
                f"{large / small:.2g} times as long as broad")
    if 0.8 < across / up < 1.25:
        return f"{place}, about as wide as high"
    if across > up:
        return f"{place}, {across / up:.2g} times as wide as high"
    return f"{place}, {up / across:.2g} times as high as wide"
