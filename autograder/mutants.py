"""Generic wrong answers: what the tests must refuse, whatever they ask.

A mutant is a right answer whose results are changed on their way out: numbers and
arrays, those in tuples, lists, dictionaries and data frames, the numeric attributes of an
object, and the results of a function that is returned. A class is changed in its methods and
operators. None is left alone, as is an exception. Some mutants put one wrong value in the
place of each result (KINDS), one hands back what it was given (ARGUMENT), and three only
repeat what they saw (MEMORIES): their rule is gone, their memory is perfect. A change is
counted only where it makes a difference, so that a test whose answer is 0 is not blamed
for accepting zeros. This module is sent into the sandbox by `rehearsal`.
"""

import copy
import functools
import inspect
import sys

import numpy as np

CONSTANT = -98765.0
BROADCASTS = "an empty array that broadcasts"
AGREES = "an object that agrees with everything"
EMPTY = "empty"
ARGUMENT = "the argument itself"
FIRST = "the first result again"
BEFORE = "the result of the call before"
TABLE = "read from a table of what the check shows"
RECORD = "noted down"            # right results, from which the table is made
MEMORIES = (FIRST, BEFORE, TABLE)
DEPTH = 6                        # to which objects within objects are told apart

# Methods that make, show or look into an object; their results are no answers.
_SPARED = {"__new__", "__init__", "__init_subclass__", "__repr__", "__str__", "__hash__",
           "__getattribute__", "__getattr__", "__setattr__", "__delattr__", "__format__"}

_changes = 0                     # how often a result was changed so that it differs
_depth = 0                       # of calls of changed functions by each other
_memory = {}                     # what the mutants in MEMORIES saw
_undo = []                       # what puts the original back
_names = set()                   # of the notebook when it was empty


# ---- the wrong values ---------------------------------------------------------


def _true(self, *operands, **options):
    return True


def _itself(self, *operands, **options):
    return self


class Agreeable:
    """Equal to anything, a number, an array, a function: as long as the right result."""

    def __init__(self, right):
        self._length = len(np.atleast_1d(right))

    def __len__(self):
        return self._length

    def __iter__(self):
        return iter([self] * self._length)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __array__(self, *kinds, **options):
        return np.ones((0,))

    def __array_ufunc__(self, ufunc, method, *arguments, **options):
        return True if ufunc.nout == 1 and "?" in {form[-1] for form in ufunc.types} else self

    def __hash__(self):
        return 0

    def __float__(self):
        return 0.0

    def __int__(self):
        return 0

    __index__ = __int__
    __array_function__ = _true
    for _name in ("eq", "ne", "lt", "le", "gt", "ge", "bool", "contains"):
        locals()[f"__{_name}__"] = _true
    for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"):
        locals()[f"__{_name}__"] = locals()[f"__r{_name}__"] = _itself
    for _name in ("neg", "pos", "abs", "round", "call", "getitem", "enter"):
        locals()[f"__{_name}__"] = _itself
    del _name


#: What becomes of a number or a numeric array.
KINDS = {
    "None": lambda value: None,
    "NaN": lambda value: _filled(value, np.nan),
    "infinity": lambda value: _filled(value, np.inf),
    BROADCASTS: lambda value: np.zeros((0, *np.shape(value))),
    "zeros": lambda value: value * 0,
    "the sign flipped": lambda value: -value,
    "one per cent off": lambda value: value * 1.01,
    "a constant": lambda value: CONSTANT,
    "True": lambda value: True,
    "a text": lambda value: "9",
    "one axis too many": lambda value: np.asarray(value)[np.newaxis],
    AGREES: Agreeable,
    EMPTY: lambda value: value,
}
#: Of these, what is done to each number by itself.
FOR_EACH = ("NaN", "infinity", "zeros", "the sign flipped", "one per cent off")


def _filled(value, number):
    return np.full(np.shape(value), number) if np.ndim(value) else number


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
    if kind == EMPTY and isinstance(value, (list, tuple, dict, set, frozenset, str)):
        _changes += bool(value)
        return type(value)()
    if _is_table(value):
        return _changed_table(value, kind)
    if _is_numeric(value) or (kind == AGREES and isinstance(value, (bool, np.bool_, str))):
        wrong = KINDS[kind](value)
        _changes += not _same(value, wrong)
        return wrong
    if type(value) in (tuple, list):
        return type(value)(changed(item, kind) for item in value)
    if type(value) is dict:
        return {key: changed(item, kind) for key, item in value.items()}
    if inspect.isfunction(value):
        return _wrapped(value, kind)
    if type(value).__module__ == "__main__" and kind != EMPTY:
        return _changed_object(value, kind)
    return value


def _is_table(value):
    """Is this a Series or DataFrame of pandas?"""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, (pandas.Series, pandas.DataFrame))


def _changed_table(value, kind):
    """A data frame with its numbers changed, or what stands in the place of one."""
    global _changes
    if kind == EMPTY:
        wrong = value.iloc[:, :0] if value.ndim == 2 else value.iloc[:0]
    elif kind in FOR_EACH:
        wrong = value.copy()
        parts = wrong.items() if value.ndim == 2 else [(None, wrong)]
        numeric = {name: KINDS[kind](column) for name, column in parts if column.dtype.kind in "iufc"}
        wrong = wrong.assign(**numeric) if value.ndim == 2 else numeric.get(None, wrong)
    else:
        wrong = value.iloc[:0] if kind == BROADCASTS else KINDS[kind](value)
    _changes += not (type(wrong) is type(value) and value.equals(wrong))
    return wrong


def _changed_object(value, kind):
    """A copy of an object whose numeric attributes are changed."""
    wrong = copy.copy(value)
    for name, attribute in _attributes(value).items():
        object.__setattr__(wrong, name, changed(attribute, kind))
    return wrong


def _attributes(value):
    slots = [name for base in type(value).__mro__ for name in getattr(base, "__slots__", ())]
    return {name: getattr(value, name) for name in [*getattr(value, "__dict__", {}), *slots]
            if hasattr(value, name)}


def _is_numeric(value):
    if isinstance(value, (np.ndarray, np.generic)):
        return value.dtype.kind in "iufc"
    return isinstance(value, (int, float, complex)) and not isinstance(value, bool)


def _same(value, wrong):
    """Is the changed number or array still the same answer?"""
    return (_is_numeric(wrong) and np.shape(value) == np.shape(wrong)
            and bool(np.array_equal(value, wrong, equal_nan=True)))


# ---- repeating what was seen ----------------------------------------------------


def recalled(result, kind, place, question):
    """What an answer gives that remembers results, but not how they come about.

    Parameters
    ----------
    result : object
        The right result. It is given where the memory is still empty.
    kind : str
        RECORD or one of MEMORIES.
    place : tuple
        Names the function.
    question : tuple
        `told_apart` of what it was given.

    Returns
    -------
    object
    """
    global _changes
    if inspect.isfunction(result):
        return _wrapped(result, kind, (*place, question) if kind in (RECORD, TABLE) else place)
    if kind == FIRST:
        recalled = _memory.setdefault(place, result)
    elif kind == BEFORE:
        recalled, _memory[place] = _memory.get(place, result), result
    else:
        table = _memory.setdefault(place, {})
        if kind == RECORD:
            table[question] = result
        recalled = table.get(question, next(iter(table.values()), None))
    _changes += told_apart(recalled) != told_apart(result)
    return recalled


def told_apart(value, depth=DEPTH):
    """A value as something hashable: equal for values that cannot be told apart.

    Functions that are handed in all look alike, and so do foreign objects.
    """
    kind = type(value).__name__
    if isinstance(value, np.ndarray):
        return kind, value.shape, value.dtype.str, value.tobytes()
    if isinstance(value, np.generic):
        return told_apart(value.item(), depth)
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
        return kind, repr(value)
    if not depth or inspect.isroutine(value) or isinstance(value, type):
        return (kind,)
    if type(value) in (tuple, list):
        return kind, *(told_apart(item, depth - 1) for item in value)
    if type(value) is dict:
        return kind, *((repr(name), told_apart(item, depth - 1)) for name, item in value.items())
    if type(value).__module__ == "__main__":
        return kind, told_apart(_attributes(value), depth - 1)
    return (kind,)


# ---- changing functions and classes -------------------------------------------


def _wrapped(function, kind, place=()):
    """The function with its results changed, except where changed functions call each other."""
    place = (*place, function.__name__)

    @functools.wraps(function)
    def mutant(*arguments, **keywords):
        global _depth
        question = told_apart((arguments, keywords)) if kind not in KINDS else ()
        _depth += 1
        try:
            result = function(*arguments, **keywords)
        finally:
            _depth -= 1
        if _depth:
            return result
        if kind in KINDS:
            return changed(result, kind)
        if kind == ARGUMENT:
            return _returned(result, [*arguments, *keywords.values()])
        return recalled(result, kind, place, question)
    return mutant


def _returned(result, arguments):
    """The first argument in the place of a result."""
    global _changes
    if result is None or not arguments:
        return result
    differs = told_apart(arguments[0]) != told_apart(result)
    _changes += arguments[0] is not result and (differs or callable(result))
    return arguments[0]


def install(name, kind):
    """Change what the notebook has under a name, after `restore`."""
    global _changes
    restore()
    _changes = 0
    if kind != TABLE:
        _memory.clear()
    namespace = sys.modules["__main__"].__dict__
    value = namespace[name]
    _undo.append(functools.partial(namespace.__setitem__, name, value))
    if isinstance(value, type):
        _change_class(value, kind)
    elif inspect.isfunction(value):
        namespace[name] = _wrapped(value, kind)
    elif kind in KINDS:
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


def require_a_table():
    """Raise LookupError unless the check showed a result since RECORD was installed."""
    if not any(_memory.values()):
        raise LookupError("no result was shown")


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
