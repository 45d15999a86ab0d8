"""Arguments and results that hold several arrays: tuples, dictionaries and lists of them.

The parameters of a model are seldom one array. A function may take and return them in a tuple,
a dictionary, or a list of arrays, nested at will; its derivative then has the same form. Here
such a container is taken apart into its leaves, the numbers and arrays, and put together again.

A list of numbers, or of lists of numbers, is an array, as everywhere in NumPy. A list that
holds an array, a tuple, a dictionary or a traced value is a container.
"""

import numpy as np

from gradem.traced import Traced

#: Types that are leaves without a further look.
LEAVES = frozenset({float, int, np.float64, np.ndarray})


def leaves(x):
    """The numbers and arrays in x, in order: a list."""
    parts = _parts(x)
    return [x] if parts is None else [leaf for part in parts for leaf in leaves(part)]


def leaves_like(form, x, name):
    """What x holds in the places where `form` has leaves; x must have the same form.

    The places count, not what stands there: a list of floats is a container, too, if it stands
    for a list of arrays.
    """
    parts = _parts(form)
    if parts is None:
        return [x]
    if isinstance(form, dict):
        fits = isinstance(x, dict) and x.keys() == form.keys()
        own = [x[key] for key in form] if fits else ()
    else:
        fits = isinstance(x, (tuple, list)) and len(x) == len(form)
        own = x
    if not fits:
        raise ValueError(f"{name} should be a {type(form).__name__} of {len(form)} parts, "
                         f"like what it belongs to, but it is {x!r}")
    return [leaf for part, piece in zip(parts, own) for leaf in leaves_like(part, piece, name)]


def rebuild(like, new):
    """A container of the form of `like`, with the leaves in the list `new`."""
    return new[0] if _parts(like) is None else _filled(like, iter(new))


def _filled(like, new):
    parts = _parts(like)
    if parts is None:
        return next(new)
    filled = [_filled(part, new) for part in parts]
    if isinstance(like, dict):
        return dict(zip(like, filled))
    if hasattr(like, "_fields"):              # a named tuple
        return type(like)(*filled)
    return type(like)(filled)


def _parts(x):
    """What a container holds, None for a leaf."""
    if type(x) in LEAVES or isinstance(x, Traced):
        return None
    if isinstance(x, dict):
        return list(x.values())
    if isinstance(x, tuple) or isinstance(x, list) and _holds_arrays(x):
        return x
    return None


def _holds_arrays(x):
    return any(_holds_arrays(part) if isinstance(part, list)
               else isinstance(part, (tuple, dict, np.ndarray, Traced)) for part in x)
