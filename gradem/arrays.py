"""Functions of whole arrays: sums, products, shapes, joining, matrix products.

None of them is elementwise, so each rule has a push and a pull of its own, and the pull is the
transpose of the push (Griewank & Walther 2008, section 3.2): what sums in the one repeats in
the other, what multiplies by A in the one multiplies by A.T in the other. Few functions need a
rule. All others are written with these, as NumPy's documentation defines them, and are
differentiated with them.

Axes are counted from the back (see `gradem.shapes`), so that they mean the same axes of a
value, of its tangent and of its adjoint.
"""

import functools
import operator
from string import ascii_letters

import numpy as np

from gradem.indexing import PUT, gather, positions_of
from gradem.rules import RULES, Rule, plain
from gradem.shapes import (
    aligned, from_back, ndim, restored, seeds, shape, size, spread, unbroadcast)
from gradem.traced import Traced, apply, implements, operands


class Each:
    """The maps of a function of any number of arguments; `rule` takes the position first."""

    def __init__(self, rule):
        self.rule = rule

    def __getitem__(self, position):
        return functools.partial(self.rule, position)


def array(x):
    """x as an array, if it is no traced value."""
    return x if isinstance(x, Traced) else np.asarray(x)


def column(v):
    """A new last axis of length one, if v is no single number: ready to multiply rows."""
    return v[..., None] if ndim(v) else v


# ---- sums and extremes --------------------------------------------------------------------------

def _summed(x, axes, keepdims):
    """np.sum; a short last axis slice by slice, 3 to 20 times faster and to the same digits."""
    if axes != (-1,) or not 1 < x.shape[-1] < 8 or x.dtype != float or keepdims:
        return x.sum(axis=axes, keepdims=keepdims)
    result = x[..., 0] + x[..., 1]
    for i in range(2, x.shape[-1]):
        result += x[..., i]
    return result


SUM = Rule(
    "sum", _summed,
    push=[lambda v, out, x, axes, keepdims: np.sum(v, axis=axes, keepdims=keepdims)],
    pull=[lambda v, out, x, axes, keepdims: spread(restored(v, out, x, axes), x)],
    reduces=True, saves={1, 2})

CUMSUM = Rule(
    "cumsum", lambda x, axis: np.cumsum(x, axis=axis),
    push=[lambda v, out, x, axis: np.cumsum(v, axis=axis)],
    pull=[lambda v, out, x, axis: np.flip(np.cumsum(np.flip(v, axis), axis=axis), axis)],
    saves={1})


def _shares(out, x, axes):
    """The derivative of an extreme: 1 at its place, shared equally among k places of a tie."""
    hits = plain(x) == restored(plain(out), out, x, axes)
    return hits / hits.sum(axis=axes, keepdims=True)


def _extreme(name):
    return Rule(
        name, lambda x, axes, keepdims: getattr(x, name)(axis=axes, keepdims=keepdims),
        push=[lambda v, out, x, axes, keepdims:
              np.sum(v * _shares(out, x, axes), axis=axes, keepdims=keepdims)],
        pull=[lambda v, out, x, axes, keepdims:
              restored(v, out, x, axes) * _shares(out, x, axes)],
        reduces=True)


MAX, MIN = _extreme("max"), _extreme("min")


def products_of_others(x):
    """For each entry along the last axis the product of all others, without a division.

    The entries are multiplied in pairs, and the products of the other pairs are found in the
    same way; a zero among the entries does no harm. For n entries this takes 3 n products.
    """
    n = shape(x)[-1]
    if n <= 1:
        return np.ones(shape(x))
    if n % 2:
        others = products_of_others(np.concatenate([x, np.ones(shape(x)[:-1] + (1,))], axis=-1))
        return others[..., :n]
    left, right = x[..., :n // 2], x[..., n // 2:]
    others = products_of_others(left * right)
    return np.concatenate([others * right, others * left], axis=-1)


#: The product along the last axis; Speelpenning's example (Griewank & Walther 2008, 3.3).
PROD = Rule(
    "prod", lambda x: np.prod(x, axis=-1),
    push=[lambda v, out, x: np.sum(v * products_of_others(x), axis=-1)],
    pull=[lambda v, out, x: column(v) * products_of_others(x)],
    saves={0})


def _reduction(rule, a, axis, keepdims):
    """A sum or an extreme; of a single number it is that number."""
    a = array(a)
    return apply(rule, a, from_back(axis, ndim(a)), keepdims) if ndim(a) else a


@implements(np.sum)
def _sum(a, axis=None, *, keepdims=False):
    return _reduction(SUM, a, axis, keepdims)


@implements(np.max, np.amax)
def _max(a, axis=None, *, keepdims=False):
    return _reduction(MAX, a, axis, keepdims)


@implements(np.min, np.amin)
def _min(a, axis=None, *, keepdims=False):
    return _reduction(MIN, a, axis, keepdims)


@implements(np.mean)
def _mean(a, axis=None, *, keepdims=False):
    return _sum(a, axis, keepdims=keepdims) / _reduced(a, axis)


@implements(np.average)
def _average(a, axis=None, weights=None, *, keepdims=False):
    if weights is None:
        return _mean(a, axis, keepdims=keepdims)
    a, weights = operands(np.average, (a, weights))
    if shape(weights) != shape(a):
        axis, = from_back(axis, ndim(a))
        weights = np.reshape(weights, shape(weights) + (1,) * (-1 - axis))
    weights = weights + np.zeros(shape(a))
    return (_sum(a * weights, axis, keepdims=keepdims)
            / _sum(weights, axis, keepdims=keepdims))


@implements(np.var)
def _var(a, axis=None, *, ddof=0, keepdims=False):
    deviation = a - _mean(a, axis, keepdims=True)
    return _sum(deviation * deviation, axis, keepdims=keepdims) / (_reduced(a, axis) - ddof)


@implements(np.std)
def _std(a, axis=None, *, ddof=0, keepdims=False):
    return np.sqrt(_var(a, axis, ddof=ddof, keepdims=keepdims))


@implements(np.ptp)
def _ptp(a, axis=None, *, keepdims=False):
    return _max(a, axis, keepdims=keepdims) - _min(a, axis, keepdims=keepdims)


@implements(np.prod)
def _prod(a, axis=None, *, keepdims=False):
    axes = from_back(axis, ndim(a))
    rest = [i - ndim(a) for i in range(ndim(a)) if i - ndim(a) not in axes]
    rows = np.reshape(np.transpose(a, [*rest, *axes]),
                      [shape(a)[i] for i in rest] + [_reduced(a, axis)])
    result = apply(PROD, rows)
    return np.reshape(result, [1 if i - ndim(a) in axes else n for i, n in enumerate(shape(a))]
                      ) if keepdims else result


@implements(np.cumsum, np.cumulative_sum)
def _cumsum(a, axis=None):
    if axis is None:
        a, axis = np.ravel(a), 0
    return apply(CUMSUM, a, *from_back(axis, ndim(a)))


@implements(np.cumprod, np.cumulative_prod)
def _cumprod(a, axis=None):
    """Products of 1, 2, 4, 8, ... neighbours in turn (Hillis & Steele 1986): no division."""
    if axis is None:
        a, axis = np.ravel(a), 0
    a = np.moveaxis(a, axis, -1)
    reach = 1
    while reach < shape(a)[-1]:
        a = np.concatenate([a[..., :reach], a[..., reach:] * a[..., :-reach]], axis=-1)
        reach *= 2
    return np.moveaxis(a, -1, axis)


@implements(np.quantile)
def _quantile(a, q, axis=None, *, keepdims=False):
    if np.ndim(q):
        return np.stack([_quantile(a, each, axis, keepdims=keepdims) for each in q])
    q = float(q)
    if not 0 <= q <= 1:
        raise ValueError("a quantile lies between 0 and 1, and a percentile between 0 and 100, but "
                         f"np.quantile was given q={q:g}")
    axes = from_back(axis, ndim(a))
    if len(axes) != 1:
        if len(axes) != ndim(a) or keepdims:
            raise TypeError("np.quantile and np.median of a traced array take one axis, or all "
                            "without keepdims")
        a, axes = np.ravel(a), (-1,)
    ordered = np.moveaxis(np.sort(a, axis=axes[0]), axes[0], -1)
    place = q * (shape(ordered)[-1] - 1)
    below = min(int(place), shape(ordered)[-1] - 1)
    above = min(below + 1, shape(ordered)[-1] - 1)
    result = _between(ordered[..., below], ordered[..., above], place - below)
    unordered = np.isnan(plain(ordered)[..., -1])          # np.sort puts nan last
    if unordered.any():
        result = np.where(unordered, np.nan, result)
    return np.expand_dims(result, axes[0]) if keepdims else result


def _between(a, b, fraction):
    """Linear interpolation from the nearer end, as NumPy does it."""
    return a + (b - a) * fraction if fraction < 0.5 else b - (b - a) * (1 - fraction)


@implements(np.percentile)
def _percentile(a, q, axis=None, *, keepdims=False):
    return _quantile(a, np.true_divide(q, 100), axis, keepdims=keepdims)


@implements(np.median)
def _median(a, axis=None, *, keepdims=False):
    return _quantile(a, 0.5, axis, keepdims=keepdims)


def _reduced(a, axis):
    """The number of entries of a that go into one entry of a reduction."""
    lengths = shape(a)
    return int(np.prod([lengths[i] for i in from_back(axis, ndim(a))]))


# ---- shapes -------------------------------------------------------------------------------------

RESHAPE = Rule(
    "reshape", lambda x, lengths: np.reshape(x, lengths),
    push=[lambda v, out, x, lengths: np.reshape(v, seeds(v, x) + shape(out))],
    pull=[lambda v, out, x, lengths: np.reshape(v, seeds(v, out) + shape(x))],
    saves=())


def _permuted(v, out, order):
    leading = ndim(v) - ndim(out)
    return np.transpose(v, (*range(leading), *order))


TRANSPOSE = Rule(
    "transpose", lambda x, order: np.transpose(x, order),
    push=[lambda v, out, x, order: _permuted(v, out, order)],
    pull=[lambda v, out, x, order: _permuted(
        v, out, [order.index(i - len(order)) - len(order) for i in range(len(order))])],
    saves={1})

BROADCAST = Rule(
    "broadcast_to", lambda x, to: np.broadcast_to(x, to),
    push=[lambda v, out, x, to: np.broadcast_to(aligned(v, x, out), seeds(v, x) + to)],
    pull=[lambda v, out, x, to: unbroadcast(v, out, shape(x))],
    saves=())


@implements(np.reshape)
def _reshape(a, shape):
    return apply(RESHAPE, a, tuple(shape) if np.iterable(shape) else shape)


@implements(np.ravel)
def _ravel(a):
    return a if ndim(a) == 1 else apply(RESHAPE, a, -1)


@implements(np.squeeze)
def _squeeze(a, axis=None):
    return apply(RESHAPE, a, np.squeeze(np.empty(shape(a)), axis).shape)


@implements(np.expand_dims)
def _expand_dims(a, axis):
    return apply(RESHAPE, a, np.expand_dims(np.empty(shape(a)), axis).shape)


def _at_least(function):
    def shaped(*arrays):
        results = [np.reshape(a, function(np.empty(shape(a))).shape)
                   for a in operands(function, arrays)]
        return results[0] if len(results) == 1 else tuple(results)
    return shaped


for _function in (np.atleast_1d, np.atleast_2d, np.atleast_3d):
    implements(_function)(_at_least(_function))


@implements(np.transpose, np.permute_dims)
def _transpose(a, axes=None):
    axes = range(ndim(a))[::-1] if axes is None else axes
    return apply(TRANSPOSE, a, from_back(tuple(axes), ndim(a)))


@implements(np.swapaxes)
def _swapaxes(a, axis1, axis2):
    order = list(range(-ndim(a), 0))
    i, j = from_back((axis1, axis2), ndim(a))
    order[i], order[j] = order[j], order[i]
    return _transpose(a, order)


@implements(np.matrix_transpose, np.linalg.matrix_transpose)
def turned(x):
    """Each matrix in a stack of them transposed."""
    return np.swapaxes(x, -1, -2)


@implements(np.moveaxis)
def _moveaxis(a, source, destination):
    places = from_back(source, ndim(a)), from_back(destination, ndim(a))
    goal = dict(zip(places[1], places[0]))
    rest = (i - ndim(a) for i in range(ndim(a)) if i - ndim(a) not in places[0])
    return _transpose(a, [goal[i - ndim(a)] if i - ndim(a) in goal else next(rest)
                          for i in range(ndim(a))])


@implements(np.broadcast_to)
def _broadcast_to(array, shape):
    return apply(BROADCAST, array, tuple(shape) if np.iterable(shape) else (shape,))


@implements(np.broadcast_arrays)
def _broadcast_arrays(*arrays):
    arrays = operands(np.broadcast_arrays, arrays)
    to = np.broadcast_shapes(*map(shape, arrays))
    return tuple(_broadcast_to(a, to) if isinstance(a, Traced) else np.broadcast_to(a, to)
                 for a in arrays)


@implements(np.copy)
def _copy(a):
    return a


@implements(np.real)
def _real(val):
    return val


# ---- joining ------------------------------------------------------------------------------------


def _joined(function):
    """All pushes of a function that joins arrays, at once: zeros stand for the constants."""
    def pushes(tangents, out, *args):
        *parts, axis = args
        leading = next(seeds(v, x) for v, x in zip(tangents, parts) if v is not None)
        return function([np.zeros(leading + shape(x)) if v is None else v
                         for v, x in zip(tangents, parts)], axis=axis)
    return pushes


def _part_of_concatenation(i, v, out, *args):
    axis = args[-1]
    start = 0
    for x in args[:i]:
        start += x.shape[axis]
    part = slice(start, start + args[i].shape[axis])
    return v[(slice(None),) * (ndim(v) + axis) + (part,)]


def _part_of_stack(i, v, out, *args):
    return v[(slice(None),) * (ndim(v) + args[-1]) + (i,)]


CONCATENATE = Rule(
    "concatenate", lambda *args: np.concatenate(args[:-1], axis=args[-1]),
    push=None, pull=Each(_part_of_concatenation), pushes=_joined(np.concatenate), saves=())

STACK = Rule(
    "stack", lambda *args: np.stack(args[:-1], axis=args[-1]),
    push=None, pull=Each(_part_of_stack), pushes=_joined(np.stack), saves=())


@implements(np.concatenate)
def _concatenate(arrays, axis=0):
    if axis is None:
        arrays, axis = [np.ravel(a) for a in arrays], 0
    arrays = operands(np.concatenate, arrays)
    return apply(CONCATENATE, *arrays, *from_back(axis, ndim(arrays[0])))


@implements(np.stack)
def _stack(arrays, axis=0):
    arrays = operands(np.stack, arrays)
    return apply(STACK, *arrays, *from_back(axis, ndim(arrays[0]) + 1))


@implements(np.vstack)
def _vstack(tup):
    return _concatenate([np.atleast_2d(a) for a in tup])


@implements(np.hstack)
def _hstack(tup):
    parts = [np.atleast_1d(a) for a in tup]
    return _concatenate(parts, axis=0 if ndim(parts[0]) == 1 else 1)


@implements(np.dstack)
def _dstack(tup):
    return _concatenate([np.atleast_3d(a) for a in tup], axis=2)


@implements(np.column_stack)
def _column_stack(tup):
    arrays = operands(np.column_stack, tup)
    return _concatenate([a if ndim(a) > 1 else np.reshape(a, (-1, 1)) for a in arrays], axis=1)


@implements(np.append)
def _append(arr, values, axis=None):
    return _concatenate([arr, values], axis=axis)


@implements(np.pad)
def _pad(array, pad_width, mode="constant", constant_values=0):
    if mode in ("edge", "reflect", "symmetric", "wrap"):
        return gather(array, np.pad(positions_of(array), pad_width, mode))
    if mode != "constant" or ndim(constant_values):
        raise TypeError("np.pad of a traced array takes mode='constant' with one constant, "
                        "'edge', 'reflect', 'symmetric' or 'wrap'")
    entries = _concatenate([np.reshape(constant_values, (1,)), np.ravel(array)])
    return gather(entries, np.pad(positions_of(array) + 1, pad_width))


# ---- diagonals and triangles --------------------------------------------------------------------


@implements(np.diag)
def _diag(v, k=0):
    if ndim(v) == 2:
        return np.diagonal(v, k)
    n = size(v) + abs(k)
    positions = np.diag(np.ones(size(v), bool), k).ravel().nonzero()[0]
    return np.reshape(apply(PUT, v, positions, n * n), (n, n))


@implements(np.diagflat)
def _diagflat(v, k=0):
    return _diag(np.ravel(v), k)


@implements(np.tril)
def _tril(m, k=0):
    return np.where(np.tril(np.ones(shape(m)[-2:], bool), k), m, 0.0)


@implements(np.triu)
def _triu(m, k=0):
    return np.where(np.triu(np.ones(shape(m)[-2:], bool), k), m, 0.0)


@implements(np.trace)
def _trace(a, offset=0, axis1=0, axis2=1):
    return np.sum(np.diagonal(a, offset, axis1, axis2), axis=-1)


@implements(np.linalg.trace)
def _linalg_trace(x, offset=0):
    return _trace(x, offset, -2, -1)


# ---- choices ------------------------------------------------------------------------------------


@implements(np.where)
def _where(condition, x, y):
    condition = plain(condition)
    if not isinstance(x, Traced) and not isinstance(y, Traced):
        return np.where(condition, x, y)
    return apply(RULES[np.where], *operands(np.where, (condition, x, y)))


@implements(np.clip)
def _clip(a, a_min=None, a_max=None, *, min=None, max=None):
    lower, upper = (a_min if min is None else min), (a_max if max is None else max)
    a = a if lower is None else np.maximum(a, lower)
    return a if upper is None else np.minimum(a, upper)


@implements(np.select)
def _select(condlist, choicelist, default=0):
    result = default
    for condition, choice in reversed(list(zip(condlist, choicelist))):
        result = np.where(condition, choice, result)
    return result


# ---- products -----------------------------------------------------------------------------------

#: Products of matrices, or of stacks of them, which are broadcast.
MATMUL = Rule(
    "matmul", operator.matmul,
    push=[lambda v, out, x, y: v @ y, lambda v, out, x, y: x @ v],
    pull=[lambda v, out, x, y: v @ turned(y), lambda v, out, x, y: turned(x) @ v],
    broadcasts=True)

#: The product of two vectors.
DOT = Rule(
    "dot", operator.matmul,
    push=[lambda v, out, x, y: v @ y, lambda v, out, x, y: v @ x],
    pull=[lambda v, out, x, y: column(v) * y, lambda v, out, x, y: column(v) * x])

#: The product of a matrix and a vector.
MATVEC = Rule(
    "matvec", operator.matmul,
    push=[lambda v, out, x, y: v @ y, lambda v, out, x, y: v @ turned(x)],
    pull=[lambda v, out, x, y: column(v) * y, lambda v, out, x, y: v @ x])


@implements(np.matmul)
def _matmul(x1, x2):
    """A vector becomes a matrix of one row or one column, if the other is a stack of matrices."""
    x, y = x1, x2
    if ndim(x) == 0 or ndim(y) == 0:
        raise ValueError("matmul needs vectors or matrices: multiply by a number with *")
    if ndim(y) == 1:
        if ndim(x) <= 2:
            return apply(DOT if ndim(x) == 1 else MATVEC, x, y)
        return _matmul(x, y[:, None])[..., 0]
    if ndim(x) == 1:
        return apply(MATVEC, turned(y), x) if ndim(y) == 2 else _matmul(x[None, :], y)[..., 0, :]
    return apply(MATMUL, x, y)


@implements(np.linalg.matmul)
def _linalg_matmul(x1, x2):
    return _matmul(*operands(np.linalg.matmul, (x1, x2)))


@implements(np.dot)
def _dot(a, b):
    a, b = operands(np.dot, (a, b))
    if ndim(a) == 0 or ndim(b) == 0:
        return a * b
    if ndim(b) == 1 or ndim(a) <= 2 >= ndim(b):
        return _matmul(a, b)
    return np.tensordot(a, b, (-1, -2))


@implements(np.vdot)
def _vdot(a, b):
    return _matmul(np.ravel(a), np.ravel(b))


@implements(np.inner)
def _inner(a, b):
    a, b = operands(np.inner, (a, b))
    return a * b if ndim(a) == 0 or ndim(b) == 0 else np.tensordot(a, b, (-1, -1))


@implements(np.outer, np.linalg.outer)
def _outer(a, b):
    return np.ravel(a)[:, None] * np.ravel(b)


@implements(np.tensordot, np.linalg.tensordot)
def _tensordot(a, b, axes=2):
    a, b = operands(np.tensordot, (a, b))
    if isinstance(axes, int):
        axes = range(-axes, 0), range(axes)
    summed = [from_back(i if isinstance(i, int) else tuple(i), n)
              for i, n in zip(axes, (ndim(a), ndim(b)))]
    kept = [[i - n for i in range(n) if i - n not in axes]
            for axes, n in zip(summed, (ndim(a), ndim(b)))]
    left = np.transpose(a, [*kept[0], *summed[0]])
    right = np.transpose(b, [*summed[1], *kept[1]])
    lengths = [shape(a)[i] for i in kept[0]], [shape(b)[i] for i in kept[1]]
    common = _reduced(a, summed[0])
    product = _matmul(np.reshape(left, (-1, common)), np.reshape(right, (common, -1)))
    return np.reshape(product, lengths[0] + lengths[1])[()] if lengths[0] + lengths[1] else (
        product[0, 0])


@implements(np.vecdot, np.linalg.vecdot)
def _vecdot(x1, x2, *, axis=-1):
    return np.sum(np.multiply(x1, x2), axis=axis)


@implements(np.matvec)
def _matvec(x1, x2):
    return _matmul(x1, x2[..., None])[..., 0]


@implements(np.vecmat)
def _vecmat(x1, x2):
    return _matmul(x1[..., None, :], x2)[..., 0, :]


@implements(np.kron)
def _kron(a, b):
    a, b = operands(np.kron, (a, b))
    n = max(ndim(a), ndim(b))
    a, b = (np.reshape(x, (1,) * (n - ndim(x)) + shape(x)) for x in (a, b))
    spaced = np.reshape(a, [m for length in shape(a) for m in (length, 1)])
    woven = np.reshape(b, [m for length in shape(b) for m in (1, length)])
    return np.reshape(spaced * woven, [i * j for i, j in zip(shape(a), shape(b))])


@implements(np.cross, np.linalg.cross)
def _cross(a, b, *, axis=-1):
    a, b = operands(np.cross, (a, b))
    if shape(a)[axis] != 3 or shape(b)[axis] != 3:
        raise ValueError("np.cross of a traced array takes vectors of three numbers")
    (a0, a1, a2), (b0, b1, b2) = (np.unstack(x, axis=axis) for x in (a, b))
    return np.stack([a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0], axis=axis)


def _fresh_letters(subscripts, count):
    """Letters for the seed axes: such as no index has yet."""
    return "".join([c for c in ascii_letters if c not in subscripts][:count])


def _einsum_push(i, v, out, subscripts, *args):
    """The sum is linear in each operand: v takes its place, with its seeds in front."""
    inputs, output = subscripts.split("->")
    inputs = inputs.split(",")
    leading = _fresh_letters(subscripts, ndim(v) - ndim(args[i - 1]))
    inputs[i - 1] = leading + inputs[i - 1]
    return np.einsum(",".join(inputs) + "->" + leading + output, *args[:i - 1], v, *args[i:])


def _einsum_pull(i, v, out, subscripts, *args):
    """The adjoint takes the place of the result, and the result that of operand i.

    An index of operand i that occurs nowhere else was summed there: its adjoint is repeated.
    """
    inputs, output = subscripts.split("->")
    inputs = inputs.split(",")
    leading = _fresh_letters(subscripts, ndim(v) - ndim(out))
    mine, others = inputs[i - 1], inputs[:i - 1] + inputs[i:]
    operands = [*args[:i - 1], *args[i:]]
    alone = [letter for letter in mine if letter not in output and letter not in "".join(others)]
    others += alone
    operands += [np.ones(shape(args[i - 1])[mine.index(letter)]) for letter in alone]
    return np.einsum(",".join([leading + output, *others]) + "->" + leading + mine, v, *operands)


EINSUM = Rule(
    "einsum", lambda subscripts, *args: np.einsum(subscripts, *args),
    push=Each(_einsum_push), pull=Each(_einsum_pull))


@implements(np.einsum)
def _einsum(subscripts, *operands, optimize=False):
    """Einstein's sum, with an explicit output and without a repeated index in one operand."""
    if not isinstance(subscripts, str):
        raise TypeError("np.einsum of a traced array takes its indices as text: 'ij,jk->ik'")
    subscripts = subscripts.replace(" ", "")
    inputs, arrow, output = subscripts.partition("->")
    if "." in subscripts:
        raise TypeError("np.einsum of a traced array takes no ellipsis: name all indices")
    if not arrow:
        letters = inputs.replace(",", "")
        output = "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    inputs, arrays = zip(*map(_without_repetition, inputs.split(","), map(array, operands)))
    return apply(EINSUM, ",".join(inputs) + "->" + output, *arrays)


def _without_repetition(letters, x):
    """Take the diagonal of x for a letter that names two of its axes: ``"ii"``."""
    for letter in letters:
        while letters.count(letter) > 1:
            first, second = letters.index(letter), letters.rindex(letter)
            x = np.diagonal(x, 0, first, second)
            letters = letters[:first] + letters[first + 1:second] + letters[second + 1:] + letter
    return letters, x


# ---- differences and sums of sequences ----------------------------------------------------------


@implements(np.diff)
def _diff(a, n=1, axis=-1):
    for _ in range(n):
        length = shape(a)[axis]
        a = np.take(a, range(1, length), axis) - np.take(a, range(length - 1), axis)
    return a


@implements(np.ediff1d)
def _ediff1d(ary):
    return _diff(np.ravel(ary))


@implements(np.trapezoid)
def _trapezoid(y, x=None, dx=1.0, axis=-1):
    y = np.moveaxis(y, axis, -1)
    if x is not None:
        x = array(x)
        dx = _diff(x if ndim(x) == 1 else np.moveaxis(x, axis, -1))
    return np.sum(dx * (y[..., 1:] + y[..., :-1]) / 2.0, axis=-1)


@implements(np.convolve)
def _convolve(a, v, mode="full"):
    a, v = operands(np.convolve, (a, v))
    if size(v) > size(a):
        a, v = v, a
    n, m = size(a), size(v)
    padded = np.pad(a, m - 1)
    rows = np.arange(m)[::-1] + np.arange(n + m - 1)[:, None]
    first, last = {"full": (0, n + m - 1), "same": ((m - 1) // 2, (m - 1) // 2 + n),
                   "valid": (m - 1, n)}[mode]
    return padded[rows[first:last]] @ v


@implements(np.polyval)
def _polyval(p, x):
    """The polynomial with coefficients p, highest degree first, by Horner's scheme."""
    x, y = array(x) if isinstance(x, (list, tuple)) else x, 0.0
    for coefficient in p:
        y = y * x + coefficient
    return y


@implements(np.linspace)
def _linspace(start, stop, num=50, endpoint=True):
    fractions = np.linspace(0.0, 1.0, num, endpoint)
    if ndim(start) or ndim(stop):
        raise TypeError("np.linspace between traced values takes numbers, not arrays")
    return start + (stop - start) * fractions


@implements(np.cov)
def _cov(m, *, rowvar=True, bias=False, ddof=None):
    m = np.atleast_2d(m)
    m = m if rowvar else m.T
    deviation = m - _mean(m, 1, keepdims=True)
    divisor = shape(m)[1] - (ddof if ddof is not None else 0 if bias else 1)
    return np.squeeze(deviation @ deviation.T / divisor)


# ---- functions that are constant ----------------------------------------------------------------


def _constant(function):
    """What a function does whose result does not change with the entries, or only in jumps."""
    def constant(*args, **kwargs):
        return function(*map(_untraced, args), **{name: _untraced(x) for name, x in kwargs.items()})
    return constant


def _untraced(x):
    """What is inside a traced value; also inside those in a list or tuple."""
    return type(x)(map(_untraced, x)) if type(x) in (list, tuple) else plain(x)


for _function in (
        np.shape, np.ndim, np.size, np.zeros_like, np.ones_like, np.empty_like, np.iscomplexobj,
        np.isrealobj, np.isreal, np.iscomplex, np.isposinf, np.isneginf, np.imag,
        np.argmax, np.argmin, np.argsort, np.argpartition, np.argwhere, np.nonzero,
        np.flatnonzero, np.count_nonzero, np.searchsorted, np.digitize, np.lexsort,
        np.all, np.any, np.allclose, np.isclose, np.array_equal, np.array_equiv, np.isin,
        np.round, np.around, np.fix, np.histogram, np.linalg.matrix_rank, np.result_type,
        np.tril_indices_from, np.triu_indices_from, np.diag_indices_from,
        np.array_repr, np.array_str, np.array2string):
    implements(_function)(_constant(_function))
