"""Forward mode: numbers that carry their derivative along.

A dual number is value + tangent * d with d * d = 0. Every function acts on it as its Taylor
polynomial of degree one does, f(x + v d) = f(x) + f'(x) v d, so evaluating a program on duals
differentiates it (Griewank & Walther 2008, section 3.1; the rules stand in `gradem.rules`).
Unchanged NumPy functions accept duals through NumPy's protocols (NEP 13 and NEP 18).

Arrays and seeds: the last axes of a tangent are those of its value; axes before them count
seeds, that is directions of which all derivatives are carried at once. Axes are therefore
counted from the back, where seeds do not shift them.

Levels: each transformation (`derivative`, `grad`, ...) marks its duals with a level of its own,
and an operation belongs to the highest level among its arguments; duals of other levels are
constants to it. Without levels nested derivatives would mix up their tangents ("perturbation
confusion", Siskind & Pearlmutter 2005).
"""

import inspect
import math
import operator
from itertools import count

import numpy as np

from gradem.rules import CONSTANT, RULES, Rule, plain

_levels = count(1)


def new_level():
    """Return a level above all that exist: what a transformation marks its duals with."""
    return next(_levels)


class Dual:
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
    __hash__ = None

    def __init__(self, value, tangent, level=None):
        self.value = real(value, "the value of a Dual")
        self.tangent = real(tangent, "the tangent of a Dual")
        axes = shape(self.value)
        if shape(self.tangent)[ndim(self.tangent) - len(axes):] != axes:
            raise ValueError(
                f"a value of shape {axes} cannot have a tangent of shape {shape(self.tangent)}: "
                "the last axes of the tangent must be those of the value")
        self.level = _level_above(self.value, self.tangent) if level is None else level

    # -- what it looks like --

    @property
    def shape(self):
        """Shape of the value."""
        return shape(self.value)

    @property
    def ndim(self):
        """Number of axes of the value."""
        return ndim(self.value)

    @property
    def size(self):
        """Number of entries of the value."""
        return math.prod(shape(self.value))

    def __repr__(self):
        return f"Dual({_shown(self.value)}, {_shown(self.tangent)})"

    def __len__(self):
        return len(self.value)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    # -- operators --

    def _operator(function):
        """The methods of a binary operator and of its reflection."""
        def method(self, other):
            return function(self, other) if _is_real(other) else NotImplemented

        def reflected(self, other):
            return function(other, self) if _is_real(other) else NotImplemented
        return method, reflected

    def _comparison(compare):
        return lambda self, other: compare(plain(self), plain(other))

    __add__, __radd__ = _operator(lambda x, y: apply(RULES[np.add], x, y))
    __sub__, __rsub__ = _operator(lambda x, y: apply(RULES[np.subtract], x, y))
    __mul__, __rmul__ = _operator(lambda x, y: apply(RULES[np.multiply], x, y))
    __truediv__, __rtruediv__ = _operator(lambda x, y: apply(RULES[np.divide], x, y))
    __mod__, __rmod__ = _operator(lambda x, y: apply(RULES[np.remainder], x, y))
    __pow__, __rpow__ = _operator(lambda x, y: apply(RULES[np.power], x, y))
    __matmul__, __rmatmul__ = _operator(lambda x, y: _matmul(x, y))
    __floordiv__, __rfloordiv__ = _operator(lambda x, y: plain(x) // plain(y))

    __lt__ = _comparison(operator.lt)
    __le__ = _comparison(operator.le)
    __gt__ = _comparison(operator.gt)
    __ge__ = _comparison(operator.ge)
    __eq__ = _comparison(operator.eq)
    __ne__ = _comparison(operator.ne)

    del _operator, _comparison

    def __neg__(self):
        return apply(RULES[np.negative], self)

    def __pos__(self):
        return self

    def __abs__(self):
        return apply(RULES[np.absolute], self)

    def __bool__(self):
        return bool(self.value)

    # -- arrays --

    def __getitem__(self, index):
        index = index if type(index) is tuple else (index,)
        if self.ndim == 0:
            raise TypeError("a Dual of a single number has no entries to pick")
        picked = [i for i in index if not (i is None or i is Ellipsis or type(i) is slice)]
        if len(picked) > 1 and not all(isinstance(i, (int, np.integer)) for i in picked):
            raise TypeError("a Dual can be indexed by integers and slices, "
                            "or by one array of integers or truth values")
        seeds = (slice(None),) * (ndim(self.tangent) - self.ndim)
        return _make(self.value[index], self.tangent[seeds + index], self.level)

    def __setitem__(self, index, entry):
        raise TypeError("the entries of a Dual cannot be assigned: "
                        "make a new array, with np.stack, np.concatenate or np.where")

    def sum(self, axis=None, keepdims=False):
        """Sum over all or some axes: ``np.sum(self, axis, keepdims=keepdims)``."""
        return _sum(self, axis, keepdims=keepdims)

    def mean(self, axis=None, keepdims=False):
        """Mean over all or some axes: ``np.mean(self, axis, keepdims=keepdims)``."""
        return _mean(self, axis, keepdims=keepdims)

    # -- NumPy's protocols --

    def __array_ufunc__(self, ufunc, method, *args, **kwargs):
        name = f"np.{ufunc.__name__}"
        if method != "__call__":
            raise TypeError(f"{name}.{method} of a Dual is not supported; a sum is np.sum(x)")
        if kwargs:
            raise TypeError(
                f"{name} of a Dual does not take {', '.join(kwargs)}=: write the result to a new "
                "variable (for an array a, write a = a + x in place of a += x)")
        args = _operands(name, args)
        if ufunc in CONSTANT:
            return ufunc(*map(plain, args))
        if ufunc is np.matmul:
            return _matmul(*args)
        if ufunc in RULES:
            return apply(RULES[ufunc], *args)
        raise TypeError(_refusal(name))

    def __array_function__(self, function, types, args, kwargs):
        name = f"{function.__module__}.{function.__name__}".replace("numpy", "np")
        implementation = FUNCTIONS.get(function)
        if implementation is None:
            raise TypeError(_refusal(name))
        try:
            inspect.signature(implementation).bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{name} of a Dual: {error}") from None
        return implementation(*args, **kwargs)

    def __array__(self, dtype=None, copy=None):
        raise TypeError("NumPy wants to make a plain array of a Dual, which would lose its "
                        "tangent: join duals with np.stack or np.concatenate, not np.array")

    # -- conversions that would lose the tangent --

    def __float__(self):
        raise TypeError("a Dual cannot become a float, which would lose its tangent: use NumPy's "
                        "functions (np.sin) in place of math's (math.sin), and np.stack to "
                        "collect duals in an array; x.value is the number alone")

    __int__ = __index__ = __complex__ = __round__ = __float__


# ---- what is inside -------------------------------------------------------------------------


def shape(x):
    """Shape of a number, array or dual, ten times faster than np.shape on a number."""
    return getattr(x, "shape", ())


def ndim(x):
    """Number of axes of a number, array or dual."""
    return getattr(x, "ndim", 0)


def real(x, name):
    """Return x as a float, a fresh float64 array, or a dual; refuse everything else in words."""
    if type(x) is Dual:
        return x
    array = np.asarray(x)
    if array.dtype.kind == "c":
        raise TypeError(f"{name} is complex ({x}): real numbers are differentiated here")
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} should be a real number or an array of them, "
                        f"but it is of type {type(x).__name__}")
    return array.astype(float) if array.ndim else float(array)


def _is_real(x):
    """Can x take part in an operation with a dual?"""
    if type(x) in (Dual, float, int, np.float64):
        return True
    return (isinstance(x, (bool, np.bool_, np.integer, np.floating))
            or isinstance(x, np.ndarray) and x.dtype.kind in "iufb")


def _operands(name, args):
    """The arguments of a function of NumPy, lists among them as arrays; refuse what is not real."""
    args = [np.asarray(x) if isinstance(x, (list, tuple)) else x for x in args]
    for x in args:
        if not _is_real(x):
            raise TypeError(f"{name} of a Dual and a {type(x).__name__} is not supported: "
                            "real numbers and arrays of them are differentiated here")
    return args


def _make(value, tangent, level):
    """Dual(value, tangent, level) without the checks that input needs."""
    dual = object.__new__(Dual)
    dual.value, dual.tangent, dual.level = value, tangent, level
    return dual


def _level_above(*parts):
    """The level of a dual made by hand: above its parts, below the next transformation."""
    inside = [x.level for x in parts if type(x) is Dual]
    if not inside:
        return 0
    return (max(inside) + math.floor(max(inside)) + 1) / 2


def _bare(x):
    """An array without axes as the number it holds."""
    return x[()] if type(x) is np.ndarray and x.ndim == 0 else x


def _from_back(axis, axes):
    """Axes counted from the back of an array of so many axes."""
    numbers = (axis,) if isinstance(axis, (int, np.integer)) else axis
    return tuple(a if a < 0 else a - axes for a in numbers)


def _shown(x):
    return float.__repr__(x) if isinstance(x, float) else repr(x)


def _refusal(name):
    return (f"{name} is not among the functions that can be differentiated. Write it with "
            "operators, the functions in gradem.rules.RULES, or those in gradem.dual.FUNCTIONS; "
            "if its derivative is not wanted, give it x.value")


# ---- one operation ----------------------------------------------------------------------------


def apply(rule, *args):
    """Evaluate an elementwise function on numbers, arrays and duals, with its tangent.

    The operation belongs to the highest level among the arguments. Its value, and everything
    in its rule, is computed with what is inside the duals of that level, which may be duals
    of lower levels: that is all there is to nesting.
    """
    level, values, tangents = _split(args)
    for position, v in enumerate(tangents):
        if v is not None:
            rule.require_derivative(position, values)
    out = _bare(rule.evaluate(*values))
    total = None
    for push, x, v in zip(rule.maps, values, tangents):
        if v is None or push is None:
            continue
        term = push(_aligned(v, x, out), out, *values)
        total = term if total is None else total + term
    if shape(total)[max(ndim(total) - ndim(out), 0):] != shape(out):
        total = total + np.zeros(shape(out))
    return _make(out, _bare(total), level)


def _split(args):
    """The highest level among args, and for each its value and its tangent at that level.

    The tangent of what does not belong to the level is None: it is a constant.
    """
    level = max(x.level for x in args if type(x) is Dual)
    ours = [type(x) is Dual and x.level == level for x in args]
    values = [x.value if mine else x for x, mine in zip(args, ours)]
    tangents = [x.tangent if mine else None for x, mine in zip(args, ours)]
    return level, values, tangents


def _aligned(v, x, out):
    """Insert axes behind the seeds of v, if x has fewer axes than the result it broadcasts to."""
    missing = ndim(out) - ndim(x)
    seeds = ndim(v) - ndim(x)
    if missing == 0 or seeds == 0:
        return v
    return v[(slice(None),) * seeds + (None,) * missing]


# ---- functions of arrays ----------------------------------------------------------------------
# A linear function acts on the tangent as it does on the value.

_MATMUL = Rule(np.matmul, "x, y", ("v @ y", "x @ v"))


def _matmul(x, y):
    """x @ y: vectors become matrices of one row or one column."""
    if ndim(y) == 1:
        return _matmul(x, y[:, None])[..., 0]
    if ndim(x) == 1:
        return _matmul(x[None, :], y)[..., 0, :]
    if ndim(x) == 0 or ndim(y) == 0:
        raise ValueError("matmul needs vectors or matrices: multiply by a number with *")
    return apply(_MATMUL, x, y)


def _dot(a, b):
    if ndim(a) == 0 or ndim(b) == 0:
        return a * b
    if ndim(a) > 2 or ndim(b) > 2:
        raise TypeError("np.dot of a Dual takes vectors and matrices: use @ for stacks of matrices")
    return _matmul(a, b)


def _sum(a, axis=None, *, keepdims=False):
    axes = _from_back(range(a.ndim) if axis is None else axis, a.ndim)
    return _make(np.sum(a.value, axis=axes, keepdims=keepdims),
                 np.sum(a.tangent, axis=axes, keepdims=keepdims), a.level)


def _mean(a, axis=None, *, keepdims=False):
    total = _sum(a, axis, keepdims=keepdims)
    return total / (a.size / total.size)


def _concatenate(arrays, axis=0):
    return _join(np.concatenate, arrays, axis, np.ndim(arrays[0]))


def _stack(arrays, axis=0):
    return _join(np.stack, arrays, axis, np.ndim(arrays[0]) + 1)


def _join(function, arrays, axis, axes):
    """Join values and tangents, the latter with zeros for the constants among them."""
    level, values, tangents = _split([x if type(x) is Dual else np.asarray(x) for x in arrays])
    seeds = next(shape(v)[:ndim(v) - ndim(x)] for x, v in zip(values, tangents) if v is not None)
    tangents = [np.zeros(seeds + shape(x)) if v is None else v for x, v in zip(values, tangents)]
    axis, = _from_back(axis, axes)
    return _make(function(values, axis=axis), function(tangents, axis=axis), level)


def _where(condition, x, y):
    if type(condition) is Dual:
        return np.where(condition.value, x, y)
    return apply(RULES[np.where], *_operands("np.where", (condition, x, y)))


def _polyval(p, x):
    """The polynomial with coefficients p, highest degree first, by Horner's scheme."""
    y = 0.0
    for coefficient in p:
        y = y * x + coefficient
    return y


#: NumPy's functions, other than ufuncs, that accept duals.
FUNCTIONS = {
    np.sum: _sum, np.mean: _mean, np.dot: _dot, np.polyval: _polyval,
    np.stack: _stack, np.concatenate: _concatenate, np.where: _where,
    np.shape: shape, np.ndim: ndim, np.size: lambda a: a.size,
    np.zeros_like: lambda a: np.zeros(shape(a)), np.ones_like: lambda a: np.ones(shape(a)),
}
