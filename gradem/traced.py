"""What traced values share: they behave like the number or array inside.

Operator overloading (Griewank & Walther 2008, section 6.1): a traced value stands in the place
of a number, and every operation on it is seen. Python's operators are seen by their methods,
NumPy's functions through two protocols: ``__array_ufunc__`` for elementwise functions (NEP 13)
and ``__array_function__`` for all others (NEP 18). A `gradem.dual.Dual` then carries a tangent
on, a `gradem.tape.Var` writes the operation on a tape; both look up the same rule.

Levels: each transformation (`derivative`, `grad`, ...) marks its values with a level of its
own. An operation belongs to the highest level among its arguments, and values of other levels
are constants to it. Whatever is computed inside, by a rule or for a tangent, is an operation
on the next lower level: that is all there is to nesting. Without levels nested derivatives
would mix up their tangents ("perturbation confusion", Siskind & Pearlmutter 2005).
"""

import inspect
import operator
from itertools import count

import numpy as np

from gradem.rules import CONSTANT, RULES, plain, power
from gradem.shapes import shape, size

#: Types of numbers.
NUMBERS = frozenset({float, np.float64, int})

#: The functions, besides the elementwise ones of `RULES`, that take traced values.
FUNCTIONS = {}

_levels = count(1)


def new_level():
    """Return a level above all that exist: what a transformation marks its values with."""
    return next(_levels)


def implements(*functions):
    """Decorator: this is what the given functions of NumPy do with traced values."""
    def enter(implementation):
        for function in functions:
            FUNCTIONS[function] = implementation
        return implementation
    return enter


def apply(rule, *args):
    """Evaluate the function of a rule on numbers, arrays and traced values.

    The highest level among the arguments says what is done with it besides.
    """
    top, level = None, -1
    for x in args:
        if isinstance(x, Traced) and x.level > level:
            top, level = x, x.level
    return bare(rule.evaluate(*args)) if top is None else top._carry(rule, args)


class Traced:
    """A number or array whose operations are seen; see `gradem.dual` and `gradem.tape`."""

    __slots__ = ()
    __hash__ = None

    # -- what it looks like --

    @property
    def shape(self):
        """Shape of the value."""
        return shape(self.value)

    @property
    def ndim(self):
        """Number of axes of the value."""
        return len(shape(self.value))

    @property
    def size(self):
        """Number of entries of the value."""
        return size(self.value)

    @property
    def T(self):
        """The value with its axes in reverse order."""
        return np.transpose(self)

    @property
    def dtype(self):
        """The type of the entries: all that is differentiated here is float64."""
        return np.dtype(float)

    def __len__(self):
        return len(self.value)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    # -- operators --

    def _operator(ufunc):
        """The methods of a binary operator and of its reflection."""
        rule = RULES[ufunc]

        def method(self, other):
            if type(other) in NUMBERS:                     # nothing to find out
                return self._carry(rule, (self, other))
            return apply(rule, self, other) if is_real(other) else NotImplemented

        def reflected(self, other):
            if type(other) in NUMBERS:
                return self._carry(rule, (other, self))
            return apply(rule, other, self) if is_real(other) else NotImplemented
        return method, reflected

    def _comparison(compare):
        return lambda self, other: compare(plain(self), plain(other))

    __add__, __radd__ = _operator(np.add)
    __sub__, __rsub__ = _operator(np.subtract)
    __mul__, __rmul__ = _operator(np.multiply)
    __truediv__, __rtruediv__ = _operator(np.divide)
    __mod__, __rmod__ = _operator(np.remainder)

    __lt__ = _comparison(operator.lt)
    __le__ = _comparison(operator.le)
    __gt__ = _comparison(operator.gt)
    __ge__ = _comparison(operator.ge)
    __eq__ = _comparison(operator.eq)
    __ne__ = _comparison(operator.ne)

    del _operator, _comparison

    def __pow__(self, other):
        return _power(self, other) if is_real(other) else NotImplemented

    def __rpow__(self, other):
        return _power(other, self) if is_real(other) else NotImplemented

    def __matmul__(self, other):
        return FUNCTIONS[np.matmul](self, other) if is_real(other) else NotImplemented

    def __rmatmul__(self, other):
        return FUNCTIONS[np.matmul](other, self) if is_real(other) else NotImplemented

    def __floordiv__(self, other):
        return plain(self) // plain(other)

    def __rfloordiv__(self, other):
        return plain(other) // plain(self)

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
        return FUNCTIONS[operator.getitem](self, index)

    def __setitem__(self, index, entry):
        raise TypeError(f"the entries of a {type(self).__name__} cannot be assigned: "
                        "make a new array, with np.stack, np.concatenate or np.where")

    def _method(function):
        """The method of an array that is a function of NumPy: ``x.sum(axis=0)``."""
        def method(self, *args, **kwargs):
            return function(self, *args, **kwargs)
        method.__name__ = function.__name__
        method.__doc__ = f"``np.{function.__name__}(self, ...)``"
        return method

    sum, mean, prod, max, min = map(_method, (np.sum, np.mean, np.prod, np.max, np.min))
    std, var, cumsum, cumprod, dot = map(_method, (np.std, np.var, np.cumsum, np.cumprod, np.dot))
    argmax, argmin, clip, trace = map(_method, (np.argmax, np.argmin, np.clip, np.trace))
    ravel, squeeze, swapaxes, take = map(_method, (np.ravel, np.squeeze, np.swapaxes, np.take))
    diagonal, repeat, copy, flatten = map(_method, (np.diagonal, np.repeat, np.copy, np.ravel))
    all, any = map(_method, (np.all, np.any))

    del _method

    def reshape(self, *lengths):
        """``np.reshape(self, lengths)``, or ``self.reshape(2, 3)``."""
        return np.reshape(self, lengths[0] if len(lengths) == 1 else lengths)

    def transpose(self, *axes):
        """``np.transpose(self, axes)``, or ``self.transpose(1, 0)``."""
        return np.transpose(self, (axes[0] if len(axes) == 1 else axes) or None)

    # -- NumPy's protocols --

    def __array_ufunc__(self, ufunc, method, *args, **kwargs):
        if method == "__call__" and not kwargs:
            if len(args) == 1 and ufunc in RULES:          # the argument is self
                return self._carry(RULES[ufunc], args)
            if ufunc in FUNCTIONS:
                return FUNCTIONS[ufunc](*operands(ufunc, args))
            if ufunc in RULES:
                return apply(RULES[ufunc], *operands(ufunc, args))
            if ufunc in CONSTANT:
                return ufunc(*map(plain, operands(ufunc, args)))
        elif method == "reduce" and ufunc in REDUCTIONS:
            return _reduce(REDUCTIONS[ufunc], *args, **kwargs)
        kind, name = type(self).__name__, name_of(ufunc)
        if method != "__call__":
            raise TypeError(f"{name}.{method} of a {kind} is not supported: "
                            f"{'a sum is np.sum(x)' if ufunc is np.add else refusal(name)}")
        if kwargs:
            advice = (": write the result to a new variable (for an array a, write a = a + x in "
                      "place of a += x)") if "out" in kwargs else ""
            raise TypeError(f"{name} of a {kind} does not take {', '.join(kwargs)}={advice}")
        raise TypeError(refusal(name))

    def __array_function__(self, function, types, args, kwargs):
        if function in FUNCTIONS:
            try:
                return FUNCTIONS[function](*args, **kwargs)
            except TypeError:
                _explain(type(self).__name__, name_of(function), FUNCTIONS[function], args, kwargs)
                raise
        name = name_of(function)
        if function not in RULES:
            raise TypeError(refusal(name))
        if kwargs:
            raise TypeError(f"{name} of a {type(self).__name__} does not take {', '.join(kwargs)}=")
        return apply(RULES[function], *operands(function, args))

    def __array__(self, dtype=None, copy=None):
        kind = type(self).__name__
        raise TypeError(f"NumPy wants to make a plain array of a {kind}, which would lose its "
                        "derivative: join numbers with np.stack, arrays with np.concatenate, "
                        "not np.array")

    # -- conversions that would lose the derivative --

    def __float__(self):
        raise TypeError(
            f"a {type(self).__name__} cannot become a float, which would lose its derivative: use "
            "NumPy's functions (np.sin) in place of math's (math.sin), and np.stack to collect "
            "numbers in an array; x.value is the number alone")

    __int__ = __index__ = __complex__ = __round__ = __float__


#: Ufuncs whose ``reduce`` is a function of its own.
REDUCTIONS = {np.add: np.sum, np.multiply: np.prod, np.maximum: np.max, np.minimum: np.min}


def _power(x, y):
    rule, args = power(x, y)
    return apply(rule, *args)


@implements(np.power)
def _np_power(x1, x2):
    return _power(x1, x2)


def _reduce(function, array, axis=0, dtype=None, out=None, keepdims=False):
    """``ufunc.reduce``, as a function of its own: it runs over axis 0 if none is said."""
    for name, given in (("dtype", dtype), ("out", out)):
        if given is not None:
            raise TypeError(f"{name_of(function)} of a traced array does not take {name}=")
    return function(array, axis=axis, keepdims=keepdims)


def name_of(function):
    """The name of a function as it is written: np.linalg.solve."""
    name = function.__name__
    if isinstance(function, np.ufunc):        # it does not know its module
        return f"np.{name}" if getattr(np, name, None) is function else name
    return f"{function.__module__}.{name}".replace("numpy", "np")


def _explain(kind, name, implementation, args, kwargs):
    """If the call of a function of NumPy itself is wrong, say so."""
    try:
        inspect.signature(implementation).bind(*args, **kwargs)
    except TypeError as error:
        raise TypeError(f"{name} of a {kind}: {error}") from None


def refusal(name):
    """Words for a function of NumPy that has no rule."""
    return (f"{name} is not among the functions that can be differentiated. Write it with "
            "operators and the functions in gradem.rules.RULES and gradem.traced.FUNCTIONS, or "
            "give it a rule of its own with gradem.custom_rule; if its derivative is not wanted, "
            "give it x.value")


# ---- what may take part -----------------------------------------------------------------------


def is_real(x):
    """Can x take part in an operation with a traced value?"""
    if isinstance(x, np.ndarray):
        return x.dtype.kind in "iufb"
    return isinstance(x, (Traced, float, int, np.bool_, np.integer, np.floating))


def operands(function, args):
    """The arguments of a function of NumPy, lists among them as arrays; refuse what is not real."""
    args = [np.asarray(x) if isinstance(x, (list, tuple)) else x for x in args]
    for x in args:
        if not is_real(x):
            kind = next(type(x).__name__ for x in args if isinstance(x, Traced))
            raise TypeError(
                f"{name_of(function)} of a {kind} and a {type(x).__name__} is not supported: "
                "real numbers and arrays of them are differentiated here")
    return args


def real(x, name, copy=True):
    """Return x as a float, a float64 array of its own, or as it is if traced; refuse all else."""
    if isinstance(x, Traced) or type(x) is float:
        return x
    array = np.asarray(x)
    if array.dtype.kind == "c":
        raise TypeError(f"{name} is complex ({x}): real numbers are differentiated here")
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} should be a real number or an array of them, "
                        f"but it is of type {type(x).__name__}")
    return array.astype(float, copy=copy) if array.ndim else float(array)


def bare(x):
    """An array without axes as the number it holds."""
    return x[()] if type(x) is np.ndarray and x.ndim == 0 else x

