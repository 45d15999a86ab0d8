"""The derivatives of NumPy's functions: one table, one line an elementwise function.

An elementwise function has a diagonal Jacobian, and a diagonal matrix is its own transpose.
So one map, v -> v * (partial derivative), pushes a tangent v forward to the result and pulls
an adjoint v of the result back to the argument (Griewank & Walther 2008, chapter 3). The table
holds these maps as text, one for each argument, in terms of the arguments and of `out`, the
value of the function: as text they can be evaluated, printed, and pasted into generated code.
The formulas are those of NIST DLMF, sections 4.7, 4.20, 4.24, 4.34 and 4.38, written such that
they neither overflow nor cancel where the derivative itself does not. Functions that move, sum
or multiply the entries of an array have a push and a pull of their own: see `gradem.arrays`,
`gradem.indexing` and `gradem.linalg`, which are written with the same `Rule`.

What holds at points where a derivative does not exist
------------------------------------------------------
==========================  =========================================  =========================
function                    point                                      derivative
==========================  =========================================  =========================
absolute                    0                                          0, the mean of both sides
maximum, minimum, clip      a tie                                      1/2 to each argument
max, min of an array        a tie of k entries                         1/k to each of them
sort, median, quantile      a tie                                      that of one of the orders
power, in the base          0**0                                       0, since x**0 is 1
power, in the exponent      0**y with y > 0                            0, since 0**y is 0
remainder, fmod             a jump                                     that beside the jump
sign, floor, comparisons    everywhere (see `CONSTANT`)                0: the result is a plain
                                                                       number, not a traced one
where                       everywhere                                 that of the chosen branch
sqrt, cbrt, log, divide,    see `NOWHERE`, at the end of the module,   `NoDerivative` is raised
norm, inv, eigh, ...        and `gradem.linalg`
==========================  =========================================  =========================

All but the last are conventions: they give one of the slopes that the two sides suggest, so a
program goes on. The last line is not a matter of convention: the slope is infinite there, or
the function not real, and whatever number were returned would be wrong. A branch of Python
(``if x > 0:``) is no function: only the branch that is taken is differentiated.
"""

import functools
import linecache
import operator
import re
import sys

import numpy as np


class NoDerivative(ValueError):
    """A function was to be differentiated at a point where it has no derivative."""


class Rule:
    """How a function is evaluated, and how tangents and adjoints pass through it.

    Parameters
    ----------
    name : str
        The name of the function, for messages and traces.
    evaluate : callable
        Computes the function from its arguments.
    push, pull : sequence of callable, one for each argument
        ``push[i](v, out, *arguments)`` maps a tangent v of argument i to one of the result,
        ``pull[i](v, out, *arguments)`` an adjoint v of the result to one of argument i.
        Both are linear in v. Axes of v before those of the value count seeds, that is
        several tangents or adjoints at once.
    pushes : callable, optional
        ``pushes(tangents, out, *arguments)``: all pushes and their sum at once, for a function
        of any number of arguments. The tangent of a constant is None.
    broadcasts : bool
        Are arguments broadcast against each other? Then a tangent is aligned with the result
        before `push`, and what `pull` gives is summed over the broadcast axes.
    reduces : bool
        Can the result be much smaller than the first argument?
    saves : collection of int and "out", optional
        Which arguments, or the result, `pull` looks at for more than their shape. Others
        need not be remembered until the reverse sweep. By default all are.

    Attributes
    ----------
    nowhere : tuple of (callable, str) or None
        For each argument the condition ``condition(*arguments)`` under which there is no
        derivative, and the words that say why. None where there always is one.
    checked : bool
        Is there such a condition?
    """

    nowhere = ()
    checked = False

    def __init__(self, name, evaluate, push, pull, *, pushes=None, broadcasts=False,
                 reduces=False, saves=None):
        self.name, self.evaluate = name, evaluate
        self.push, self.pull, self.pushes = push, pull, pushes
        self.broadcasts, self.reduces = broadcasts, reduces
        self._saves = saves

    def saved(self, active):
        """Which arguments, or "out", to remember if those marked in `active` are traced."""
        return frozenset([*range(len(active)), "out"]) if self._saves is None else self._saves

    def require_derivatives(self, values, active):
        """Raise `NoDerivative` if there is none in an argument that is marked in `active`."""
        passed = None
        for position, traced in enumerate(active):
            if traced and self.nowhere[position] not in (None, passed):
                self.require_derivative(position, values)
                passed = self.nowhere[position]

    def require_derivative(self, position, values):
        """Raise `NoDerivative` if there is none in the argument at `position`."""
        if self.nowhere[position] is None:
            return
        condition, reason = self.nowhere[position]
        there = condition(*values)
        if there is not False and np.count_nonzero(there):
            point = _first(there, self.arguments.split(", "), values)
            raise NoDerivative(f"{self.name} has no derivative at {point}: {reason}"
                               f"{calling_line()}")

    def __repr__(self):
        return f"<rule of {self.name}>"


class Elementwise(Rule):
    """The rule of an elementwise function: push and pull are the same map, given as text.

    Parameters
    ----------
    function : callable
        The function of NumPy that the rule belongs to.
    arguments : str
        The names of its arguments: ``"x, y"``.
    texts : sequence of str or None
        For each argument the text of its map, in the names `v`, `out` and `arguments`;
        None for an argument that is never differentiated.
    evaluate : callable, optional
        What evaluates the function, if that is not `function` itself: the operators of
        Python leave Python's numbers what they are, and are ten times faster on them.

    Attributes
    ----------
    maps : list of callable or None
        ``maps[i](v, out, *arguments)`` is v times the partial derivative in argument i.
    """

    def __init__(self, function, arguments, texts, evaluate=None):
        self.arguments, self.texts = arguments, tuple(texts)
        self.maps = [text and _compile(f"v, out, {arguments}", text) for text in texts]
        super().__init__(function.__name__, evaluate or function, self.maps, self.maps,
                         broadcasts=len(self.maps) > 1)
        self.nowhere = [None] * len(self.maps)
        self._saved = {}

    def saved(self, active):
        """What the texts of the active arguments speak of."""
        if active not in self._saved:
            words = {word for text, traced in zip(self.texts, active) if text and traced
                     for word in re.findall(r"\w+", text)}
            names = self.arguments.split(", ")
            saves = {i for i, name in enumerate(names) if name in words}
            self._saved[active] = frozenset(saves | ({"out"} & words))
        return self._saved[active]

    def forbid(self, position, condition, reason):
        """Say under which condition, a text, there is no derivative in one argument."""
        self.nowhere[position] = (_compile(self.arguments, condition), reason)
        self.checked = True

    def __repr__(self):
        return f"{self.name}({self.arguments}): " + "; ".join(str(text) for text in self.texts)


@functools.cache
def _compile(arguments, text):
    return eval(f"lambda {arguments}: {text}", {"np": np, "__name__": __name__})


def _first(there, names, values):
    """Show the first point at which the condition `there` holds."""
    there = np.asarray(there)
    index = tuple(int(i[0]) for i in np.nonzero(np.atleast_1d(there)))[:there.ndim]
    point = [np.broadcast_to(plain(x), there.shape)[index] for x in values]
    if len(point) == 1:
        shown = f"{point[0]:g}"
    else:
        shown = ", ".join(f"{name} = {x:g}" for name, x in zip(names, point))
    return shown + (f" (index {list(index)} of the array)" if index else "")


def plain(x):
    """The number or array inside any depth of traced values; everything else as it is."""
    while hasattr(x, "level"):
        x = x.value
    return x


def calling_line():
    """The line outside this package that is being run, on a line of its own, if it is known."""
    frame = sys._getframe(1)
    while frame and frame.f_globals.get("__name__", "").startswith(("gradem.", "numpy.")):
        frame = frame.f_back
    line = frame and linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
    return f"\n  line {frame.f_lineno}: {line}" if line else ""


# ---- the table ----------------------------------------------------------------------------

RULES = {}


def elementwise(function, arguments, *maps, evaluate=None):
    """Enter the rule of `function` in the table; the parameters are those of `Elementwise`."""
    RULES[function] = Elementwise(function, arguments, maps, evaluate)


# arithmetic
elementwise(np.add, "x, y", "v", "v", evaluate=operator.add)
elementwise(np.subtract, "x, y", "v", "-v", evaluate=operator.sub)
elementwise(np.multiply, "x, y", "v * y", "v * x", evaluate=operator.mul)
elementwise(np.divide, "x, y", "v / y", "-v * out / y", evaluate=operator.truediv)
elementwise(np.remainder, "x, y", "v", "-v * np.floor_divide(x, y)", evaluate=operator.mod)
elementwise(np.fmod, "x, y", "v", "-v * np.rint((x - out) / y)")
elementwise(np.negative, "x", "-v", evaluate=operator.neg)
elementwise(np.positive, "x", "v", evaluate=operator.pos)
elementwise(np.reciprocal, "x", "-v * out * out")
elementwise(np.square, "x", "v * (2 * x)", evaluate=lambda x: x * x)
elementwise(np.conjugate, "x", "v")

# powers: the bracket makes 0**0 from 0**(-1), and log(1) from log(0), so that 0 times it is 0
_power = ("v * (y * x ** (y - 1 + ((x == 0) & (y == 0))))", "v * (out * np.log(x + (x == 0)))")
elementwise(np.power, "x, y", *_power, evaluate=operator.pow)
elementwise(np.float_power, "x, y", *_power, evaluate=operator.pow)

#: Powers with a plain number other than 0 in the exponent: the usual case, and the cheaper.
CONSTANT_EXPONENT = Elementwise(np.power, "x, y", ("v * (y * x ** (y - 1))", None),
                                evaluate=operator.pow)


def power(x, y):
    """The rule for x ** y, and the arguments to apply it to."""
    if isinstance(y, (int, float)) and y != 0:
        return (RULES[np.square], (x,)) if y == 2 else (CONSTANT_EXPONENT, (x, y))
    return RULES[np.power], (x, y)


elementwise(np.sqrt, "x", "v / (2 * out)")
elementwise(np.cbrt, "x", "v / (3 * out * out)")
elementwise(np.hypot, "x, y", "v * (x / out)", "v * (y / out)")

# exponentials and logarithms
elementwise(np.exp, "x", "v * out")
elementwise(np.exp2, "x", "v * out * np.log(2.0)")
elementwise(np.expm1, "x", "v * np.exp(x)")
elementwise(np.log, "x", "v / x")
elementwise(np.log2, "x", "v / (x * np.log(2.0))")
elementwise(np.log10, "x", "v / (x * np.log(10.0))")
elementwise(np.log1p, "x", "v / (1 + x)")
elementwise(np.logaddexp, "x, y", "v * np.exp(x - out)", "v * np.exp(y - out)")
elementwise(np.logaddexp2, "x, y", "v * np.exp2(x - out)", "v * np.exp2(y - out)")

# trigonometric functions and their inverses
elementwise(np.sin, "x", "v * np.cos(x)")
elementwise(np.cos, "x", "-v * np.sin(x)")
elementwise(np.tan, "x", "v * (1 + out * out)")
elementwise(np.arcsin, "x", "v / np.sqrt((1 - x) * (1 + x))")
elementwise(np.arccos, "x", "-v / np.sqrt((1 - x) * (1 + x))")
elementwise(np.arctan, "x", "v / (1 + x * x)")
elementwise(np.arctan2, "y, x", "v * (x / np.hypot(x, y) / np.hypot(x, y))",
            "-v * (y / np.hypot(x, y) / np.hypot(x, y))")
elementwise(np.deg2rad, "x", "v * (np.pi / 180)")
elementwise(np.radians, "x", "v * (np.pi / 180)")
elementwise(np.rad2deg, "x", "v * (180 / np.pi)")
elementwise(np.degrees, "x", "v * (180 / np.pi)")

# hyperbolic functions and their inverses
elementwise(np.sinh, "x", "v * np.cosh(x)")
elementwise(np.cosh, "x", "v * np.sinh(x)")
elementwise(np.tanh, "x", "v * (1 / np.cosh(x)) ** 2")
elementwise(np.arcsinh, "x", "v / np.hypot(x, 1.0)")
elementwise(np.arccosh, "x", "v / (np.sqrt(x - 1) * np.sqrt(x + 1))")
elementwise(np.arctanh, "x", "v / ((1 - x) * (1 + x))")

# kinks and choices
elementwise(np.absolute, "x", "v * np.sign(x)")
elementwise(np.fabs, "x", "v * np.sign(x)")
elementwise(np.maximum, "x, y", "v * ((x > y) + 0.5 * (x == y))", "v * ((y > x) + 0.5 * (x == y))")
elementwise(np.minimum, "x, y", "v * ((x < y) + 0.5 * (x == y))", "v * ((y < x) + 0.5 * (x == y))")
elementwise(np.fmax, "x, y", "v * ((x > y) + 0.5 * (x == y) + np.isnan(y))",
            "v * ((y > x) + 0.5 * (x == y) + np.isnan(x))")
elementwise(np.fmin, "x, y", "v * ((x < y) + 0.5 * (x == y) + np.isnan(y))",
            "v * ((y < x) + 0.5 * (x == y) + np.isnan(x))")
elementwise(np.nan_to_num, "x", "v * np.isfinite(x)")
elementwise(np.where, "condition, x, y",
            None, "np.where(condition, v, 0.0)", "np.where(condition, 0.0, v)")


# ---- piecewise constant functions -----------------------------------------------------------

#: Functions whose derivative is 0 wherever it exists; their result is a plain number or array.
CONSTANT = frozenset({
    np.sign, np.signbit, np.floor, np.ceil, np.trunc, np.rint, np.floor_divide, np.heaviside,
    np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal,
    np.logical_and, np.logical_or, np.logical_xor, np.logical_not,
    np.isfinite, np.isinf, np.isnan,
})


# ---- where there is no derivative -----------------------------------------------------------

_INFINITE_AT_0 = "its slope is infinite there"
_HALF_LINE = "it is real for positive numbers only, and its slope is infinite at 0"
_INVERSE = "it is real between -1 and 1 only, and its slope is infinite at both ends"
_ZERO_DIVISOR = "the divisor is 0"
_ORIGIN = "its slope at the origin depends on the direction"
_BASE = ("the base is negative and the exponent is not an integer, "
         "or the base is 0 and the exponent below 1")
_EXPONENT = ("as a function of its exponent a power needs a positive base, "
             "or the base 0 and a positive exponent")

#: (function, argument, condition, reason)
NOWHERE = [
    (np.divide, "x", "y == 0", _ZERO_DIVISOR),
    (np.divide, "y", "y == 0", _ZERO_DIVISOR),
    (np.remainder, "x", "y == 0", _ZERO_DIVISOR),
    (np.remainder, "y", "y == 0", _ZERO_DIVISOR),
    (np.fmod, "x", "y == 0", _ZERO_DIVISOR),
    (np.fmod, "y", "y == 0", _ZERO_DIVISOR),
    (np.reciprocal, "x", "x == 0", _ZERO_DIVISOR),
    (np.power, "x", "(x < 0) & (y % 1 != 0) | (x == 0) & (y < 1) & (y != 0)", _BASE),
    (np.power, "y", "(x < 0) | (x == 0) & (y <= 0)", _EXPONENT),
    (np.float_power, "x", "(x < 0) & (y % 1 != 0) | (x == 0) & (y < 1) & (y != 0)", _BASE),
    (np.float_power, "y", "(x < 0) | (x == 0) & (y <= 0)", _EXPONENT),
    (np.sqrt, "x", "x <= 0", _HALF_LINE),
    (np.cbrt, "x", "x == 0", _INFINITE_AT_0),
    (np.hypot, "x", "(x == 0) & (y == 0)", _ORIGIN),
    (np.hypot, "y", "(x == 0) & (y == 0)", _ORIGIN),
    (np.arctan2, "x", "(x == 0) & (y == 0)", _ORIGIN),
    (np.arctan2, "y", "(x == 0) & (y == 0)", _ORIGIN),
    (np.log, "x", "x <= 0", _HALF_LINE),
    (np.log2, "x", "x <= 0", _HALF_LINE),
    (np.log10, "x", "x <= 0", _HALF_LINE),
    (np.log1p, "x", "x <= -1", "it is real above -1 only, and its slope is infinite at -1"),
    (np.arcsin, "x", "(x <= -1) | (x >= 1)", _INVERSE),
    (np.arccos, "x", "(x <= -1) | (x >= 1)", _INVERSE),
    (np.arctanh, "x", "(x <= -1) | (x >= 1)", _INVERSE),
    (np.arccosh, "x", "x <= 1", "it is real above 1 only, and its slope is infinite at 1"),
]

for _function, _argument, _condition, _reason in NOWHERE:
    _rule = RULES[_function]
    _position = _rule.arguments.split(", ").index(_argument)
    _rule.forbid(_position, _condition, _reason)

CONSTANT_EXPONENT.forbid(
    0, "(y < 1 or y % 1 != 0) and (x < 0) & (y % 1 != 0) | (x == 0) & (y < 1)", _BASE)
