"""Generic wrong results: what every test must refuse, whatever it asks.

A mutant is a right answer whose results are changed on their way out: numbers and
arrays, those in tuples, lists and dictionaries, the numeric attributes of an object, and
the results of a function that is returned. A class is changed in its methods and
operators. Text, truth values and None are left alone, as is an exception. The change is
counted only where it makes a difference, so that a test whose answer is 0 is not blamed
for accepting zeros. This module is sent into the sandbox by `rehearsal`.
"""

import copy
import functools
import inspect
import sys

import numpy as np

CONSTANT = -98765.0

#: What becomes of a number or a numeric array.
KINDS = {
    "None": lambda value: None,
    "NaN": lambda value: _filled(value, np.nan),
    "infinity": lambda value: _filled(value, np.inf),
    "an empty array that broadcasts": lambda value: np.zeros((0, *np.shape(value))),
    "zeros": lambda value: value * 0,
    "the sign flipped": lambda value: -value,
    "one per cent off": lambda value: value * 1.01,
    "a constant": lambda value: CONSTANT,
    "True": lambda value: True,
    "a text": lambda value: "9",
    "one axis too many": lambda value: np.asarray(value)[np.newaxis],
}

# Methods that make, show or look into an object; their results are no answers.
_SPARED = {"__new__", "__init__", "__init_subclass__", "__repr__", "__str__", "__hash__",
           "__getattribute__", "__getattr__", "__setattr__", "__delattr__", "__format__"}

_changes = 0                     # how often a result was changed so that it differs
_depth = 0                       # of calls of changed functions by each other
_undo = []                       # what puts the original back
_names = set()                   # of the notebook when it was empty


# ---- changing a result --------------------------------------------------------


def changed(value, kind):
    """The value with everything numeric in it changed.

    Parameters
    ----------
    value : object
    kind : str
        One of KINDS.

    Returns
    -------
    object
        A new object, or the value itself where there is nothing to change.
    """
    global _changes
    if _is_numeric(value):
        wrong = KINDS[kind](value)
        _changes += not _same(value, wrong)
        return wrong
    if type(value) in (tuple, list):
        return type(value)(changed(item, kind) for item in value)
    if type(value) is dict:
        return {key: changed(item, kind) for key, item in value.items()}
    if inspect.isfunction(value):
        return _wrapped(value, kind)
    if type(value).__module__ == "__main__":
        return _changed_object(value, kind)
    return value


def _changed_object(value, kind):
    """A copy of an object whose numeric attributes are changed."""
    slots = [name for base in type(value).__mro__ for name in getattr(base, "__slots__", ())]
    wrong = copy.copy(value)
    for name in [*getattr(value, "__dict__", {}), *slots]:
        if hasattr(value, name):
            object.__setattr__(wrong, name, changed(getattr(value, name), kind))
    return wrong


def _is_numeric(value):
    if isinstance(value, (np.ndarray, np.generic)):
        return value.dtype.kind in "iufc"
    return isinstance(value, (int, float, complex)) and not isinstance(value, bool)


def _filled(value, number):
    return np.full(np.shape(value), number) if np.ndim(value) else number


def _same(value, wrong):
    """Is the changed number or array still the same answer?"""
    return (_is_numeric(wrong) and np.shape(value) == np.shape(wrong)
            and bool(np.array_equal(value, wrong, equal_nan=True)))


# ---- changing functions and classes -------------------------------------------


def _wrapped(function, kind):
    """The function with its results changed, except where changed functions call each other."""
    @functools.wraps(function)
    def mutant(*arguments, **keywords):
        global _depth
        _depth += 1
        try:
            result = function(*arguments, **keywords)
        finally:
            _depth -= 1
        return result if _depth else changed(result, kind)
    return mutant


def install(name, kind):
    """Change what the notebook has under a name, after `restore`."""
    global _changes
    restore()
    _changes = 0
    namespace = sys.modules["__main__"].__dict__
    value = namespace[name]
    _undo.append(functools.partial(namespace.__setitem__, name, value))
    if isinstance(value, type):
        _change_class(value, kind)
    else:
        namespace[name] = changed(value, kind)


def _change_class(target, kind):
    for name, member in list(vars(target).items()):
        if name in _SPARED:
            continue
        if inspect.isfunction(member):
            wrong = _wrapped(member, kind)
        elif isinstance(member, (staticmethod, classmethod)):
            wrong = type(member)(_wrapped(member.__func__, kind))
        elif isinstance(member, property) and member.fget:
            wrong = property(_wrapped(member.fget, kind), member.fset, member.fdel)
        else:
            continue
        _undo.append(functools.partial(setattr, target, name, member))
        setattr(target, name, wrong)


def restore():
    """Put everything back that `install` changed."""
    while _undo:
        _undo.pop()()


def require_a_change():
    """Raise LookupError unless a result was changed since `install`."""
    if not _changes:
        raise LookupError("no result was changed")


# ---- an empty notebook ----------------------------------------------------------


def begin():
    """Remember which names an empty notebook has."""
    _names.update(sys.modules["__main__"].__dict__)


def forget():
    """Forget every name that the notebook's cells defined."""
    hidden = get_ipython().user_ns_hidden  # noqa: F821 (IPython defines it in the sandbox)
    namespace = sys.modules["__main__"].__dict__
    for name in set(namespace) - _names - set(hidden):
        del namespace[name]
