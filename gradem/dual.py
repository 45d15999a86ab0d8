"""Forward mode: numbers that carry their derivative along.

A dual number is value + tangent * d with d * d = 0. Every function acts on it as its Taylor
polynomial of degree one does, f(x + v d) = f(x) + f'(x) v d, so evaluating a program on duals
differentiates it (Griewank & Walther 2008, section 3.1; the rules stand in `gradem.rules`).
Unchanged Python and NumPy code accepts duals: see `gradem.traced`, also for nested derivatives.

Arrays and seeds: the last axes of a tangent are those of its value; axes before them count
seeds, that is directions of which all derivatives are carried at once.
"""

import math

import numpy as np

from gradem import arrays, linalg  # noqa: F401  (they enter their rules in the table)
from gradem.shapes import aligned, ndim, seeds, shape
from gradem.traced import Traced, apply, bare, real


class Dual(Traced):
    """A real number, or an array of them, with its tangent.

    Parameters
    ----------
    value : float or ndarray or Dual
        Whole numbers become floats. Arrays are copied.
    tangent : float or ndarray or Dual, shape (seeds..., shape of value)
        The derivative of the value in the direction of each seed.
    level : number, optional
        The transformation that the tangent belongs to. A dual made by hand gets the level
        just above those inside it, so all duals made by hand of plain numbers share one.

    Raises
    ------
    TypeError
        If value or tangent is complex, or no number.
    ValueError
        If the last axes of the tangent are not those of the value.

    Notes
    -----
    Comparisons, and ``if x:``, look at the value alone: ``Dual(2, 1) == Dual(2, 5)`` is True.
    A dual therefore has no hash, and cannot be a key of a dictionary. What would lose the
    tangent silently is refused: ``float(x)``, ``math.sin(x)``, ``np.array([x, y])``,
    ``out=``.

    Examples
    --------
    >>> x = Dual(3.0, 1.0)
    >>> x * x
    Dual(9.0, 6.0)
    """

    __slots__ = ("value", "tangent", "level")

    def __init__(self, value, tangent, level=None):
        self.value = real(value, "the value of a Dual")
        self.tangent = real(tangent, "the tangent of a Dual")
        axes = shape(self.value)
        if shape(self.tangent)[ndim(self.tangent) - len(axes):] != axes:
            raise ValueError(
                f"a value of shape {axes} cannot have a tangent of shape {shape(self.tangent)}: "
                "the last axes of the tangent must be those of the value")
        self.level = _level_above(self.value, self.tangent) if level is None else level

    def __repr__(self):
        return f"Dual({_shown(self.value)}, {_shown(self.tangent)})"

    def _carry(self, rule, args):
        """One operation of the level of this dual: its value, and the sum of the pushes."""
        values, tangents = [], []
        for x in args:
            ours = type(x) is Dual and x.level == self.level
            values.append(x.value if ours else x)
            tangents.append(x.tangent if ours else None)
        if rule.checked:
            rule.require_derivatives(values, [v is not None for v in tangents])
        out = apply(rule, *values)              # on the level below
        total = (pushed(rule, out, values, tangents) if rule.pushes is None
                 else rule.pushes(tangents, out, *values))
        if total is None:
            return out
        missing = ndim(total) - ndim(out)
        if missing < 0 or shape(total)[missing:] != shape(out):
            total = total + np.zeros(shape(out))
        return make(out, bare(total), self.level)


def pushed(rule, out, values, tangents):
    """The tangent of the result: the sum of what each tangent contributes."""
    total = None
    for i, (x, v) in enumerate(zip(values, tangents)):
        if v is None or rule.push[i] is None:
            continue
        if rule.broadcasts:
            v = aligned(v, x, out)
        term = rule.push[i](v, out, *values)
        total = term if total is None else total + term
    return total


def make(value, tangent, level):
    """Dual(value, tangent, level) without the checks that input needs."""
    dual = object.__new__(Dual)
    dual.value, dual.tangent, dual.level = value, tangent, level
    return dual


def _level_above(*parts):
    """The level of a dual made by hand: above its parts, below the next transformation."""
    inside = [x.level for x in parts if isinstance(x, Traced)]
    if not inside:
        return 0
    return (max(inside) + math.floor(max(inside)) + 1) / 2


def _shown(x):
    return float.__repr__(x) if isinstance(x, float) else repr(x)
