"""Objects of the learner's, as a test sees them: never data, never able to decide.

What is not plain data stays in the sandbox, and the test gets a `Handle`. Calls,
attributes, items and arithmetic are carried out there, while comparison, truth and
conversion are refused, so that a test can only ever decide on data. Arithmetic is for the
classes that the notebook is about: an object in the place of a number must not be able to
answer ``answer - expected`` with 0.0, nor ``np.allclose(answer, expected)`` with True. Nor
must it show two faces: what it said of its length and its items holds until it is handed
to learner code again.
"""

import ast
import inspect
import operator

import numpy as np

MAX_ITEMS = 10_000            # items taken from a learner's iterator
#: Methods of text, sets, arrays and frames by which a test compares them with what it expects.
COMPARING = {"equals", "identical", "startswith", "endswith", "issubset", "issuperset",
             "isdisjoint", "dot"}
OWN = {"_channel", "_number", "_kind", "_informed", "_said"}    # what the judge keeps about an object


def refused(name):
    def refuse(self, *arguments):
        self._channel.refuse(f"the answer is {self!r}, not plain data: it cannot be used with "
                             f"{name}; compare its attributes or what its functions return")
    return refuse


def _carried_out(name, swapped=False):
    """An operator that works in the sandbox, such as ``operator.__add__``."""
    function = getattr(operator, f"__{name}__")

    def operate(self, *arguments):
        both = (*arguments, self) if swapped else (self, *arguments)
        return self._channel.operate(self, name, function, both)
    return operate


def _compared(name):
    function = getattr(operator, name)

    def compare(self, other):
        result = self._channel.call(function, self, other)     # it may raise what a test expects
        # A branch in a function that learner code calls decides nothing about the mark.
        if self._channel.depth == 0 or type(result) is not bool:
            refused(name)(self)
        return result
    return compare


class Handle:
    """An object in the sandbox that is not plain data.

    ``_informed`` says that an operator has shown it plain data of the test, which may be
    what the test expects; ``_said`` is what it answered to questions about its items.
    """

    def __init__(self, channel, number, kind):
        self._channel = channel
        self._number = number
        self._kind = kind
        self._informed = False
        self._said = {}

    def __repr__(self):
        return f"an object of the learner's type {self._kind}"

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        if name in COMPARING and self._kind not in self._channel.classes:
            refused(name)(self)
        return self._channel.call(getattr, self, name)

    def __setattr__(self, name, value):
        if name in OWN or name.startswith("__"):
            super().__setattr__(name, value)
        else:
            self._channel.call(setattr, self, name, value)

    def __elsewhere__(self, name, *arguments):
        """Carry out a function of gradem.observe beside the object."""
        return self._channel.beside("gradem.observe", name, self, *arguments)

    def __len__(self):
        length = self._once("length", lambda: self._channel.call(len, self))
        if type(length) is not int or length < 0:
            raise TypeError(f"the length of {self!r} is not a whole number")
        return length

    def __iter__(self):
        items = self._items()
        if len(items) > MAX_ITEMS:
            raise ValueError(f"{self!r} yields more than {MAX_ITEMS} items")
        if self._said.get("length", len(items)) != len(items):
            self._channel.refuse(f"{self!r} has another length than items")
        return iter(items)

    def _items(self):
        return self._once("items", lambda: self._channel.first(self, MAX_ITEMS + 1))

    def _once(self, question, ask):
        """What the object says to a question; one in the place of data always says the same."""
        if self._channel.depth > 0 or self._kind in self._channel.classes:
            return ask()
        if question not in self._said:
            said = self._said
            answer = ask()            # which hands it over, so that what it said is forgotten
            self._said = {**said, question: answer}
        return self._said[question]

    def __next__(self):
        try:
            return self._channel.call(next, self)
        except Exception as error:
            if getattr(error, "learner_kind", "") == "StopIteration":
                raise StopIteration from None
            raise

    def __getitem__(self, key):
        if type(key) in (int, slice) and self._kind not in self._channel.classes \
                and self._channel.depth == 0:
            items = self._as_sequence(key)
            if items is not None:
                return items[key] if type(key) is int else self._part(key, items[key])
        return self._item(key)

    def _item(self, key):
        return self._once(("item", repr(key)),
                          lambda: self._channel.call(operator.getitem, self, key))

    def _part(self, places, items):
        """A part of it, as of whatever kind it comes, with the items that it has as a whole."""
        part = self._item(places)
        if isinstance(part, Handle):
            part._said = {"items": items}
        elif type(part) in (list, tuple):
            return type(part)(items)
        elif not any(isinstance(item, Handle) for item in items) \
                and not np.array_equal(list(part) if type(part) is str else part, items):
            self._channel.refuse(f"{self!r} has other items in its parts than as a whole")
        return part

    def _as_sequence(self, place):
        """The items, of which one is at this place; None if it has no items but answers to keys."""
        try:
            items = self._items()
        except Exception as error:
            if hasattr(error, "learner_line"):            # it cannot be iterated
                return None
            raise
        if self._once("keys", lambda: self._channel.call(hasattr, self, "keys")) is True:
            if not any(type(item) is type(place) and item == place for item in items):
                self._channel.refuse(f"{self!r} has keys, and {place} is none of them")
            return None
        return items if len(items) <= MAX_ITEMS else None

    def __setitem__(self, key, value):
        self._channel.call(operator.setitem, self, key, value)

    def __array_ufunc__(self, ufunc, method, *arguments, **keywords):
        if method != "__call__" or keywords:
            raise TypeError(f"np.{ufunc.__name__}.{method} is not carried out on {self!r}")
        return self._channel.operate(self, f"np.{ufunc.__name__}", ufunc, arguments,
                                     plain_data=False)

    def __array_function__(self, function, types, arguments, keywords):
        return self._channel.operate(self, f"np.{function.__name__}", function, arguments,
                                     keywords, plain_data=False)

    for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul",
                  "and", "or", "xor", "lshift", "rshift"):
        locals()[f"__{_name}__"] = _carried_out(_name)
        locals()[f"__r{_name}__"] = _carried_out(_name, swapped=True)
        locals()[f"__i{_name}__"] = _carried_out(f"i{_name}")
    for _name in ("neg", "pos", "abs", "invert"):
        locals()[f"__{_name}__"] = _carried_out(_name)
    for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
        locals()[f"__{_name}__"] = _compared(_name)
    for _name in ("bool", "float", "int", "complex", "index", "contains", "array", "round", "hash"):
        locals()[f"__{_name}__"] = refused(_name)
    del _name


class Named(tuple):
    """A tuple whose items have names, such as a namedtuple: data, and an object besides.

    It is compared by its items. What else it has, its names above all, is asked of the
    object in the sandbox, and that is what learner code gets when it is handed back.
    """

    @classmethod
    def of(cls, whole, items):
        """The tuple of these items, for a Handle; its class has the name that it has there."""
        made = type(whole._kind, (cls,), {})(items)
        made._whole = whole
        return made

    def __getattr__(self, name):
        # NumPy asks for such methods, and a copy that is being made has no whole yet
        if name.startswith("__") or name == "_whole":
            raise AttributeError(name)
        return getattr(self._whole, name)

    # a tuple has methods of these names, and SciPy has results with such items
    count = property(lambda self: self._whole.count)
    index = property(lambda self: self._whole.index)


class Callable(Handle):
    """A function or class in the sandbox; it looks like the function it stands for."""

    def __init__(self, channel, number, kind, name, doc, signature):
        super().__init__(channel, number, kind)
        self.__name__ = self.__qualname__ = name
        self.__doc__ = doc
        self.__signature__ = signature_from(signature)

    def __repr__(self):
        return f"the learner's {self._kind} {self.__name__}"

    def __call__(self, *arguments, **keywords):
        return self._channel.call(self, *arguments, **keywords)

    def __instancecheck__(self, value):
        return self._is(isinstance, value)

    def __subclasscheck__(self, value):
        return self._is(issubclass, value)

    def _is(self, function, value):
        """Whether something is of this class: as the class says, which is the learner's."""
        answer = self._channel.call(function, value, self)
        if type(answer) is not bool:
            raise TypeError(f"{self!r} does not say whether something is of it")
        return answer


def signature_from(text):
    """The signature that a text such as ``(x, *, h=0.1)`` describes, with its defaults.

    Parameters
    ----------
    text : str
        As `str` gives a signature; it may be anything.

    Returns
    -------
    inspect.Signature or None
        None if the text describes none. A default that is no plain value is its text.
    """
    try:
        function, = ast.parse(f"def f{text}: pass").body
        arguments = function.args
    except (SyntaxError, ValueError, RecursionError, MemoryError, AttributeError):
        return None
    positional = [*arguments.posonlyargs, *arguments.args]
    required = [inspect.Parameter.empty] * (len(positional) - len(arguments.defaults))
    defaults = [*required, *map(_default, arguments.defaults)]
    kinds = [inspect.Parameter.POSITIONAL_ONLY] * len(arguments.posonlyargs) \
        + [inspect.Parameter.POSITIONAL_OR_KEYWORD] * len(arguments.args)
    parameters = [inspect.Parameter(each.arg, kind, default=default)
                  for each, kind, default in zip(positional, kinds, defaults)]
    if arguments.vararg:
        parameters.append(inspect.Parameter(arguments.vararg.arg,
                                            inspect.Parameter.VAR_POSITIONAL))
    parameters += [inspect.Parameter(each.arg, inspect.Parameter.KEYWORD_ONLY,
                                     default=_default(default))
                   for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults)]
    if arguments.kwarg:
        parameters.append(inspect.Parameter(arguments.kwarg.arg, inspect.Parameter.VAR_KEYWORD))
    return inspect.Signature(parameters)


def _default(node):
    if node is None:
        return inspect.Parameter.empty
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return ast.unparse(node)
