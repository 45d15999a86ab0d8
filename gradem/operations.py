"""Operations: which rule belongs to ``x * y``, ``np.sin(x)``, ``math.sin(x)`` or ``x ** 2``.

The texts of `gradem.rules` speak of v, x, y and out. Here they are written in the names of a
program: for ``w4 = np.sin(x1)`` the text ``v * np.cos(x)`` becomes ``w4_bar * np.cos(x1)``.
"""

import ast
import math
from collections.abc import Hashable

import numpy as np

from gradem.reading import lookup
from gradem.rules import CONSTANT, CONSTANT_EXPONENT, NOWHERE, RULES, Elementwise, NoDerivative
from gradem.syntax import is_number, load, reads, simplified, substituted

OPERATORS = {ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.divide,
             ast.Mod: np.remainder, ast.Pow: np.power, ast.USub: np.negative, ast.UAdd: np.positive}

_RENAMED = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2",
            "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh", "pow": "power"}

_SAME = ("sin cos tan sinh cosh tanh exp exp2 expm1 log log2 log10 log1p sqrt cbrt hypot fabs "
         "fmod degrees radians").split()

#: Functions of Python that are functions of NumPy under another name, or for numbers alone.
TWINS = {abs: np.absolute, max: np.maximum, min: np.minimum, float: np.positive, pow: np.power,
         **{getattr(math, name): getattr(np, _RENAMED.get(name, name))
            for name in (*_RENAMED, *_SAME) if hasattr(math, name)}}

#: Functions with derivative 0 beside those of NumPy.
PASSIVE = {len, range, int, bool, round, isinstance, math.floor, math.ceil, math.trunc,
           math.isnan, math.isfinite, math.isinf, *CONSTANT}

#: (function, position of an argument) -> the condition under which there is no derivative.
CONDITIONS = {(function, RULES[function].arguments.split(", ").index(argument)): condition
              for function, argument, condition, _ in NOWHERE}


def is_creation(called):
    """Does a function make a new array?"""
    return any(called is function for function in
               (np.zeros, np.ones, np.empty, np.zeros_like, np.ones_like, np.empty_like))


def operation(value, namespace):
    """The function of NumPy that an elementary expression applies, and its arguments.

    Returns
    -------
    function, arguments : callable, list of ast.expr
        ``(None, [])`` if the expression is not an elementary function.
    """
    if isinstance(value, ast.BinOp):
        return OPERATORS.get(type(value.op)), [value.left, value.right]
    if isinstance(value, ast.UnaryOp):
        return OPERATORS.get(type(value.op)), [value.operand]
    if isinstance(value, ast.Call):
        called = lookup(value.func, namespace)
        if isinstance(called, Hashable):
            function = TWINS.get(called, called)
            if isinstance(RULES.get(function), Elementwise):
                return function, value.args
    return None, []


def rule_of(value, namespace):
    """The rule of an elementary expression, and the arguments that its texts speak of."""
    function, args = operation(value, namespace)
    if function is None:
        return None, []
    if function is np.power and is_number(args[1]):
        exponent = ast.literal_eval(args[1])
        if exponent == 2:
            return RULES[np.square], args[:1]
        if exponent != 0:
            return CONSTANT_EXPONENT, args
    return RULES[function], args


def needs_result(rule):
    """Do the texts of a rule speak of the value of the function?"""
    return any("out" in (text or "") for text in rule.texts)


def partial(rule, position, args, v, out):
    """The map of a rule for one argument, as a tree, in the names of the program."""
    replacements = dict(zip(rule.arguments.split(", "), args))
    return simplified(substituted(rule.texts[position],
                                  {**replacements, "v": v, "out": load(out)}))


def trouble(function, position, args):
    """The condition, as a tree, under which there is no derivative; None if there always is."""
    if (function, position) not in CONDITIONS:
        return None
    if function is np.power and position == 0 and is_number(args[1]):
        exponent = ast.literal_eval(args[1])
        whole = exponent % 1 == 0
        if whole and (exponent >= 1 or exponent == 0):
            return None
        condition = "x == 0" if whole else "x < 0" if exponent > 1 else "x <= 0"
    else:
        condition = CONDITIONS[function, position]
    condition = substituted(condition, dict(zip(RULES[function].arguments.split(", "), args)))
    if not reads(condition) and not eval(ast.unparse(condition)):       # x / 2
        return None
    return condition


def no_derivative(name, position, values, line):
    """Raise `NoDerivative` in the words of the rule, with the line of the original function."""
    try:
        RULES[getattr(np, name)].require_derivative(position, values)
    except NoDerivative as error:
        words = str(error).partition("\n")[0]
        raise NoDerivative(f"{words}\n  {line}") from None
