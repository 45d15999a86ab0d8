"""Objects of the learner's, as a test sees them: never data, never able to decide.

What is not plain data stays in the sandbox, and the test gets a `Handle`. Calls,
attributes, items and arithmetic are carried out there, while comparison, truth and
conversion are refused, so that a test can only ever decide on data. Arithmetic is for the
classes that the notebook is about: an object in the place of a number must not be able to
answer ``answer - expected`` with 0.0, nor ``np.allclose(answer, expected)`` with True.
"""

import operator

MAX_ITEMS = 10_000            # items taken from a learner's iterator


def refused(name):
    def refuse(self, *arguments):
        raise TypeError(f"the answer is {self!r}, not plain data: it cannot be used with {name}; "
                        "compare its attributes or what its functions return")
    return refuse


def _carried_out(name, swapped=False):
    """An operator that works in the sandbox: ``operator.name`` of handle and arguments."""
    function = getattr(operator, name)

    def operate(self, *arguments):
        both = (*arguments, self) if swapped else (self, *arguments)
        return self._channel.operate(self, name, function, both)
    return operate


def _compared(name):
    function = getattr(operator, name)

    def compare(self, other):
        # A branch in a function that learner code calls decides nothing about the mark.
        if self._channel.depth == 0:
            refused(name)(self)
        result = self._channel.call(function, self, other)
        if type(result) is not bool:
            refused(name)(self)
        return result
    return compare


class Handle:
    """An object in the sandbox that is not plain data.

    ``_informed`` says that an operator has shown it plain data of the test, which may be
    what the test expects.
    """

    __hash__ = None

    def __init__(self, channel, number, kind):
        self._channel = channel
        self._number = number
        self._kind = kind
        self._informed = False

    def __repr__(self):
        return f"an object of the learner's type {self._kind}"

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self._channel.call(getattr, self, name)

    def __len__(self):
        length = self._channel.call(len, self)
        if type(length) is not int or length < 0:
            raise TypeError(f"the length of {self!r} is not a whole number")
        return length

    def __iter__(self):
        items = self._channel.first(self, MAX_ITEMS + 1)
        if len(items) > MAX_ITEMS:
            raise ValueError(f"{self!r} yields more than {MAX_ITEMS} items")
        return iter(items)

    def __getitem__(self, key):
        return self._channel.call(operator.getitem, self, key)

    def __array_ufunc__(self, ufunc, method, *arguments, **keywords):
        if method != "__call__" or keywords:
            raise TypeError(f"np.{ufunc.__name__}.{method} is not carried out on {self!r}")
        return self._channel.operate(self, f"np.{ufunc.__name__}", ufunc, arguments,
                                     plain_data=False)

    def __array_function__(self, function, types, arguments, keywords):
        return self._channel.operate(self, f"np.{function.__name__}", function, arguments,
                                     keywords, plain_data=False)

    for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"):
        locals()[f"__{_name}__"] = _carried_out(_name)
        locals()[f"__r{_name}__"] = _carried_out(_name, swapped=True)
    for _name in ("neg", "pos", "abs"):
        locals()[f"__{_name}__"] = _carried_out(_name)
    for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
        locals()[f"__{_name}__"] = _compared(_name)
    for _name in ("bool", "float", "int", "complex", "index", "contains", "array", "round"):
        locals()[f"__{_name}__"] = refused(_name)
    del _name


class Callable(Handle):
    """A function or class in the sandbox; it looks like the function it stands for."""

    def __init__(self, channel, number, kind, name, doc, signature):
        super().__init__(channel, number, kind)
        self.__name__ = self.__qualname__ = name
        self.__doc__ = doc
        self.__text_signature__ = signature

    def __repr__(self):
        return f"the learner's {self._kind} {self.__name__}"

    def __call__(self, *arguments, **keywords):
        return self._channel.call(self, *arguments, **keywords)
