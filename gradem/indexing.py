"""Picking entries out of an array, and its transpose: adding them back where they came from.

Indexing is linear: each entry of ``x[index]`` is an entry of x. The pull is the transpose, an
array of zeros to which the adjoint is added at `index`, since an index may pick an entry more
than once (Griewank & Walther 2008, section 3.2, incremental adjoints). In the reverse sweep
that array of zeros is never made for each single ``x[i]``: a `Piece` says where to add, and a
loop over the entries of x costs time proportional to their number, not to its square.

Many functions only move entries: flip, roll, repeat, sort, ... They are all done in one way:
the function is applied to the positions 0, 1, 2, ... of the entries, and the result says
which entry to pick.
"""

import inspect
import operator

import numpy as np

from gradem.rules import Rule, plain
from gradem.shapes import behind, ndim, seeds, shape, size
from gradem.traced import Traced, apply, implements, name_of


class Piece:
    """An adjoint of shape `to` that is zero but at an index, where it is v."""

    __slots__ = ("v", "index", "to")

    def __init__(self, v, index, to):
        self.v, self.index, self.to = v, index, to

    def added_to(self, total, owned):
        """Add to an adjoint, in place if it is owned; return it, and whether it is owned now."""
        if isinstance(self.v, Traced) or isinstance(total, Traced):
            dense = apply(SCATTER, self.v, self.index, self.to)
            return (dense if total is None else total + dense), False
        if not owned:
            total = np.zeros(self.to) if total is None else np.array(total)
        total[self.index] += self.v
        return total, True


def _scatter(v, index, to):
    total = np.zeros(to)
    total[index] = v
    return total


def _piece(v, out, x, index):
    leading = ndim(v) - ndim(out)
    if not leading:
        return Piece(v, index, x.shape)
    return Piece(v, (slice(None),) * leading + index, shape(v)[:leading] + shape(x))


#: x[index] for a tuple of integers, slices, None and Ellipsis: it picks no entry twice.
GETITEM = Rule(
    "getitem", operator.getitem,
    push=[lambda v, out, x, index: v[behind(v, x, index)]],
    pull=[_piece])

#: Zeros of shape `to` with v at `index`: the transpose of GETITEM.
SCATTER = Rule(
    "scatter", _scatter,
    push=[lambda v, out, x, index, to: apply(SCATTER, v, behind(v, x, index), seeds(v, x) + to)],
    pull=[lambda v, out, x, index, to: v[behind(v, out, index)]],
    saves={1, 2})


def _put(v, positions, length):
    leading = shape(v)[:ndim(v) - ndim(positions)]
    if not leading and size(positions):       # of nothing it would count in whole numbers
        return np.bincount(np.ravel(positions), np.ravel(v), length)
    total = np.zeros(leading + (length,))
    np.add.at(total, (..., positions), v)
    return total


#: The entries of the last axis of x at an array of positions.
TAKE = Rule(
    "take", lambda x, positions: x[..., positions],
    push=[lambda v, out, x, positions: apply(TAKE, v, positions)],
    pull=[lambda v, out, x, positions: apply(PUT, v, positions, shape(x)[-1])],
    saves={1})

#: An axis of zeros with v added at an array of positions: the transpose of TAKE.
PUT = Rule(
    "put", _put,
    push=[lambda v, out, x, positions, length: apply(PUT, v, positions, length)],
    pull=[lambda v, out, x, positions, length: apply(TAKE, v, positions)],
    saves={1, 2})


@implements(operator.getitem)
def pick(x, index):
    """x[index], for every index that NumPy takes."""
    index = index if type(index) is tuple else (index,)
    if x.ndim == 0:
        raise TypeError(f"a {type(x).__name__} of a single number has no entries to pick")
    if all(i is None or i is Ellipsis or type(i) in (int, slice) or isinstance(i, np.integer)
           for i in index):
        return apply(GETITEM, x, index)
    return gather(x, positions_of(x)[index])


def positions_of(x):
    """An array of the shape of x that holds the positions 0, 1, 2, ... of its entries."""
    return np.arange(size(x)).reshape(shape(x))


def gather(x, positions):
    """The entries of x at an array of positions, counted along its flattened entries."""
    return apply(TAKE, np.ravel(x), positions)


def _moves(function):
    """How a function that only moves, repeats or leaves out entries acts on a traced array."""
    name = next(iter(inspect.signature(function).parameters))

    def moved(*args, **kwargs):
        x = args[0] if args else kwargs.pop(name)
        if not isinstance(x, Traced):
            raise TypeError(f"{name_of(function)} can move the entries of a traced array, but a "
                            "traced value cannot say where to: give it x.value")
        places = function(positions_of(x), *args[1:], **kwargs)
        if isinstance(places, (list, tuple)):
            return type(places)(gather(x, place) for place in places)
        return gather(x, places)
    return moved


for _function in (np.flip, np.fliplr, np.flipud, np.rot90, np.roll, np.repeat, np.tile, np.resize,
                  np.take, np.take_along_axis, np.delete, np.diagonal, np.linalg.diagonal,
                  np.split, np.array_split, np.hsplit, np.vsplit, np.dsplit, np.unstack,
                  np.lib.stride_tricks.sliding_window_view):
    implements(_function)(_moves(_function))


@implements(np.compress)
def _compress(condition, a, axis=None):
    return gather(a, np.compress(np.ravel(plain(condition)), positions_of(a), axis))


@implements(np.extract)
def _extract(condition, arr):
    return _compress(condition, arr)


@implements(np.sort)
def _sort(a, axis=-1, **kind):
    order = np.argsort(plain(a), axis, **kind)
    return np.take_along_axis(a, order, axis)


@implements(np.partition)
def _partition(a, kth, axis=-1, **kind):
    order = np.argpartition(plain(a), kth, axis, **kind)
    return np.take_along_axis(a, order, axis)
