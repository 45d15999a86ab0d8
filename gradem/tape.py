"""Reverse mode: write every operation down, then walk back through them.

A `Var` stands in the place of a number and writes each operation on a `Tape`: the evaluation
trace w1, w2, ... of Griewank & Walther 2008, section 2.2. Its entries are recipes, (rule, out,
arguments, parents), in order of evaluation. So no search for an order is needed afterwards:
the reverse sweep walks the list backwards, and pulls the adjoint of each result back to its
arguments, where contributions are added up (section 3.2, incremental adjoints). One sweep
gives the derivative in all inputs, at a cost of a few evaluations (section 4.5, and Baur &
Strassen 1983). The price is memory: arguments are kept until the sweep has passed them.
"""

import numpy as np

from gradem import arrays, linalg  # noqa: F401  (they enter their rules in the table)
from gradem.indexing import GETITEM, Piece
from gradem.rules import RULES, NoDerivative, Rule
from gradem.shapes import shape, size, unbroadcast
from gradem.traced import NUMBERS, Traced, apply, is_real, new_level

#: What stands on the tape for an input: nothing is pulled further back from there.
INPUT = Rule("input", None, push=(), pull=(), saves=())

SQUARE = RULES[np.square]

#: Arrays with more entries are forgotten if no pull will look at them (8 bytes an entry).
MANY = 10_000


class Forgotten:
    """What is left on the tape of an array that no pull will look at: its shape."""

    __slots__ = ("shape", "ndim")

    def __init__(self, shape):
        self.shape, self.ndim = shape, len(shape)


class Tape:
    """The operations of one evaluation, in order.

    Attributes
    ----------
    entries : list of (rule, out, args, parents)
        One for each input and operation; entry k is called w{k+1}. ``parents[i]`` is the
        number of the entry whose result ``args[i]`` is, -1 if that is a constant.
        Large arrays that no pull looks at are `Forgotten`.
    level : int
        The level of its variables; see `gradem.traced`.
    """

    __slots__ = ("entries", "level")

    def __init__(self):
        self.entries = []
        self.level = new_level()

    def variable(self, x):
        """A new input with value x."""
        self.entries.append((INPUT, x, (), ()))
        return Var(x, self, len(self.entries) - 1)

    def record(self, rule, out, args, parents):
        """Write one operation down, and return the variable that holds its result."""
        kept = out
        if type(out) is np.ndarray and out.size > MANY:
            kept, args = _essence(rule, out, args, parents)
        entries = self.entries
        entries.append((rule, kept, args, parents))
        return Var(out, self, len(entries) - 1)

    def require_derivative(self, rule, values, parents):
        """Raise `NoDerivative` if the next entry has none in an argument that is no constant."""
        try:
            rule.require_derivatives(values, [parent >= 0 for parent in parents])
        except NoDerivative as error:
            entry = f"entry w{len(self.entries) + 1} of the trace"
            raise NoDerivative(f"{error}\n  {entry}") from None

    def sweep(self, starts, last=False):
        """The reverse sweep, from results back to the inputs.

        Parameters
        ----------
        starts : dict of int to float or ndarray, shape (seeds..., shape of the result)
            For the entry of each result the adjoint to start from; leading axes carry
            several adjoints at once.
        last : bool
            Is it the last sweep over this tape? Then entries are dropped on the way, and
            their memory is free again.

        Returns
        -------
        list
            The adjoints of all entries up to the last result; None where nothing arrived.
            After the last sweep those of the inputs only.
        """
        entries = self.entries
        length = max(starts) + 1
        adjoints = [None] * length
        owned = [False] * length          # may it be changed in place: is it nobody else's?
        for index, adjoint in starts.items():
            adjoints[index] = adjoint
        for k in range(length - 1, -1, -1):
            v = adjoints[k]
            rule, out, args, parents = entries[k]
            if v is None or not parents:
                continue
            if last:
                adjoints[k] = entries[k] = None
            pulls = rule.pull
            broadcasts = rule.broadcasts and type(out) not in NUMBERS
            for i, parent in enumerate(parents):
                if parent < 0 or pulls[i] is None:
                    continue
                term = pulls[i](v, out, *args)
                so_far = adjoints[parent]
                if type(term) is Piece:
                    adjoints[parent], owned[parent] = term.added_to(so_far, owned[parent])
                    continue
                if broadcasts and getattr(term, "shape", ()) != getattr(args[i], "shape", ()):
                    term = unbroadcast(term, out, shape(args[i]))
                if so_far is None:
                    adjoints[parent] = term
                elif owned[parent] and type(so_far) is type(term) is np.ndarray:
                    so_far += term
                else:
                    adjoints[parent], owned[parent] = so_far + term, True
        return adjoints


def _is_real_array(x):
    return type(x) is np.ndarray and x.dtype.kind in "iufb"


def _essence(rule, out, args, parents):
    """Result and arguments without the large arrays that no pull will look at."""
    saved = rule.saved(tuple([parent >= 0 for parent in parents]))
    return (out if "out" in saved else _without_entries(out),
            tuple([x if i in saved else _without_entries(x) for i, x in enumerate(args)]))


def _without_entries(x):
    return Forgotten(x.shape) if type(x) is np.ndarray and x.size > MANY else x


class Var(Traced):
    """The result of one entry of a tape.

    Attributes
    ----------
    value : float or ndarray, or traced value of a lower level
    tape : Tape
    index : int
        The number of its entry.
    """

    __slots__ = ("value", "tape", "index", "level")

    def __init__(self, value, tape, index):
        self.value, self.tape, self.index, self.level = value, tape, index, tape.level

    def __repr__(self):
        return f"Var({self.value!r}, w{self.index + 1})"

    def _carry(self, rule, args):
        """One operation of the level of this variable: evaluate it and write it down."""
        tape, values, parents = self.tape, [], []
        for x in args:
            ours = type(x) is Var and x.tape is tape
            values.append(x.value if ours else x)
            parents.append(x.index if ours else -1)
        if rule.checked:
            tape.require_derivative(rule, values, parents)
        out = apply(rule, *values)              # on the level below
        if rule.reduces and size(values[0]) > MANY:
            _, values = _essence(rule, out, values, parents)
        return tape.record(rule, out, tuple(values), tuple(parents))

    # An operation on Python's numbers costs 60 ns, and finding out in `apply` what to do with
    # it 1 us. So loops over numbers would spend their time there, if the most frequent cases
    # were not written out once more.

    def __getitem__(self, index):
        if type(index) is not int and type(index) is not slice or type(self.value) in NUMBERS:
            return Traced.__getitem__(self, index)
        tape, entries, index = self.tape, self.tape.entries, (index,)
        out = self.value[index]
        entries.append((GETITEM, out, (self.value, index), (self.index, -1)))
        return Var(out, tape, len(entries) - 1)

    def _operator(ufunc):
        rule = RULES[ufunc]
        evaluate, checked = rule.evaluate, rule.checked

        def method(self, other):
            a, tape = self.value, self.tape
            if type(other) is Var and other.tape is tape:
                b, parents = other.value, (self.index, other.index)
            elif type(other) in NUMBERS or _is_real_array(other):
                b, parents = other, (self.index, -1)
            else:
                return apply(rule, self, other) if is_real(other) else NotImplemented
            if checked:
                tape.require_derivative(rule, (a, b), parents)
            return tape.record(rule, evaluate(a, b), (a, b), parents)

        def reflected(self, other):
            if type(other) not in NUMBERS:
                return apply(rule, other, self) if is_real(other) else NotImplemented
            b, tape, parents = self.value, self.tape, (-1, self.index)
            if checked:
                tape.require_derivative(rule, (other, b), parents)
            return tape.record(rule, evaluate(other, b), (other, b), parents)
        return method, reflected

    __add__, __radd__ = _operator(np.add)
    __sub__, __rsub__ = _operator(np.subtract)
    __mul__, __rmul__ = _operator(np.multiply)
    __truediv__, __rtruediv__ = _operator(np.divide)

    del _operator

    def __pow__(self, other):
        if type(other) is int and other == 2:
            a = self.value
            return self.tape.record(SQUARE, a * a, (a,), (self.index,))
        return Traced.__pow__(self, other)


def record(f, *xs):
    """Evaluate f on new variables.

    Parameters
    ----------
    f : callable
    xs : float or ndarray
        Its arguments.

    Returns
    -------
    out
        What f returns: a `Var`, or a plain number or array if it ignores its arguments.
    tape : Tape
        The evaluation trace; its first entries are the arguments.
    """
    tape = Tape()
    return f(*[tape.variable(x) for x in xs]), tape
