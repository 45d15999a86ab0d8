"""The axes of tangents and adjoints: seeds in front, broadcasting undone.

A tangent or an adjoint of a value has the axes of that value last. Axes before them count
seeds: several tangents, or several adjoints, that are carried at once. So axes are counted
from the back here, where seeds do not shift them, and -1 is the last axis of all three.

Broadcasting repeats the entries of an argument along new axes. Its transpose sums over them:
`aligned` prepares a tangent for the first, `unbroadcast` does the second to an adjoint.
"""

import math

import numpy as np


def shape(x):
    """Shape of a number, array or traced value, ten times faster than np.shape on a number."""
    return getattr(x, "shape", ())


def ndim(x):
    """Number of axes of a number, array or traced value."""
    return getattr(x, "ndim", 0)


def size(x):
    """Number of entries of a number, array or traced value."""
    return math.prod(shape(x))


def seeds(v, x):
    """Lengths of the seed axes of v, a tangent or adjoint of x."""
    return shape(v)[:ndim(v) - ndim(x)]


def behind(v, x, index):
    """An index of x as one of v, its tangent or adjoint: seeds are all kept."""
    return (slice(None),) * (ndim(v) - ndim(x)) + index


def from_back(axis, axes):
    """A tuple of axes counted from the back of an array of so many axes; None means all."""
    if axis is None:
        return tuple(range(-axes, 0))
    numbers = (axis,) if isinstance(axis, (int, np.integer)) else axis
    for a in numbers:
        if not -axes <= a < axes:
            raise np.exceptions.AxisError(a, axes)
    return tuple(int(a) if a < 0 else int(a) - axes for a in numbers)


def aligned(v, x, out):
    """Insert axes behind the seeds of v, if x has fewer axes than the result it broadcasts to."""
    missing = ndim(out) - ndim(x)
    count = ndim(v) - ndim(x)
    if missing <= 0 or count == 0:
        return v
    return v[(slice(None),) * count + (None,) * missing]


def unbroadcast(v, out, to):
    """Sum an adjoint of the axes of `out` to one of shape `to`, that was broadcast to them."""
    count = ndim(v) - ndim(out)
    lengths = shape(v)[count:]
    missing = len(lengths) - len(to)
    axes = tuple(i - len(lengths) for i, n in enumerate(lengths)
                 if i < missing or (to[i - missing] == 1 and n != 1))
    return np.reshape(total(v, axes), shape(v)[:count] + to) if axes else v


def total(v, axes):
    """np.sum over axes counted from the back, fast where NumPy is not.

    The sum along one of the last two axes is a product with ones, which is 5 to 20 times
    faster than np.sum if the axis is short. The order of summation differs, and with it the
    last digits: so sums that a program asks for are left to NumPy, and this is for adjoints.
    """
    if type(v) is np.ndarray and v.ndim > 1 and v.dtype == float:
        if axes == (-1,):
            return v @ np.ones(v.shape[-1])
        if axes == (-2,):
            return np.ones(v.shape[-2]) @ v
    return np.sum(v, axis=axes)


def restored(v, out, x, axes):
    """Give v, an adjoint of a reduction of x over `axes`, these axes back with length one."""
    if ndim(out) == ndim(x) or ndim(v) == 0:  # the axes are there still, or there are none
        return v
    kept = tuple(1 if i - ndim(x) in axes else n for i, n in enumerate(shape(x)))
    return np.reshape(v, seeds(v, out) + kept)


def spread(v, x):
    """v repeated along the axes of x, behind its seeds, where v has length one."""
    to = shape(v)[:ndim(v) - ndim(x)] + shape(x)
    # a view, of which no entry is written twice; np.broadcast_to would cost 6 us
    if isinstance(v, float):
        return np.ndarray(to, np.float64, np.float64(v), strides=(0,) * len(to))
    if type(v) is np.ndarray and v.ndim == len(to) and v.flags.c_contiguous:
        strides = [0 if n == 1 else step for n, step in zip(v.shape, v.strides)]
        return np.ndarray(to, v.dtype, v, strides=strides)
    return np.broadcast_to(v, to)
