"""What a function does besides returning a value: change, print, warn, draw.

A test can only compare data. Here a call is watched and what it did becomes data: its
result, its arguments afterwards, what it printed and what it warned of. A figure becomes
the numbers and words in it. When a notebook is graded, the call happens in the sandbox;
an object that lives there says so by its method ``__elsewhere__``, which carries out a
function of this module beside the object.
"""

import contextlib
import copy
import io
import re
import sys
import warnings
from dataclasses import dataclass

import numpy as np

_cells = None                 # the notebook's cells when it is graded; None in a notebook


# ---- a call ---------------------------------------------------------------------


@dataclass
class Observed:
    """What a call did.

    Attributes
    ----------
    result : object
    arguments : list
        The positional arguments as the call left them.
    keywords : dict
        The keyword arguments as the call left them.
    printed : str
    warnings : list of str
        ``"RuntimeWarning: divide by zero"``, in the order in which they came.
    """

    result: object
    arguments: list
    keywords: dict
    printed: str
    warnings: list


def call(function, *arguments, **keywords):
    """Call a function and observe what it does besides returning a value.

    The function gets copies of lists, sets, dicts and arrays, so the test's own stay as
    they are, and what became of the copies is in the outcome.

    Parameters
    ----------
    function : callable
    *arguments, **keywords
        Handed to `function`.

    Returns
    -------
    Observed

    Raises
    ------
    Exception
        What the function raises.
    """
    outcome = _beside(function, "watched", arguments, keywords)
    if type(outcome) is not tuple:
        raise TypeError("the call returned, changed or printed more than can be compared")
    return Observed(*outcome)


def watched(function, arguments, keywords):
    """The parts of `Observed`, for a call made here."""
    arguments = [_own(value) for value in arguments]
    keywords = {name: _own(value) for name, value in keywords.items()}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = function(*arguments, **keywords)
    warned = [f"{warning.category.__name__}: {warning.message}" for warning in caught]
    return result, arguments, keywords, printed.getvalue(), warned


def _own(value):
    return copy.deepcopy(value) if isinstance(value, (list, set, dict, np.ndarray)) else value


def _beside(value, name, *arguments):
    """Carry out a function of this module where an object lives: here, or elsewhere."""
    elsewhere = getattr(type(value), "__elsewhere__", None)
    if elsewhere:
        return elsewhere(value, name, *arguments)
    return globals()[name](value, *arguments)


# ---- a figure -------------------------------------------------------------------


@dataclass
class Drawing:
    """What is drawn in one pair of axes.

    Attributes
    ----------
    title, xlabel, ylabel : str
    xlim, ylim : tuple of float
    xscale, yscale : str
        ``"linear"``, ``"log"``, ...
    lines, points : list of tuple
        ``(x, y, label)`` of each curve (`plot`) and of each cloud of points (`scatter`);
        x and y are arrays of shape (n,), the label is '' if none was given.
    bars : list of tuple of float
        ``(left, bottom, width, height)`` of each bar, also of a histogram.
    images : list of ndarray
    texts : list of str
        Words placed in the axes, other than title and labels.
    legend : list of str
    """

    title: str
    xlabel: str
    ylabel: str
    xlim: tuple
    ylim: tuple
    xscale: str
    yscale: str
    lines: list
    points: list
    bars: list
    images: list
    texts: list
    legend: list


def drawing(made, *arguments, **keywords):
    """The data of a figure, to be compared like any other.

    Parameters
    ----------
    made : Figure, Axes or callable
        A callable is called with the arguments; the figure is what it returns or, if that
        is none, what it drew with pyplot.
    *arguments, **keywords

    Returns
    -------
    list of Drawing
        One for each pair of axes.
    """
    outcome = _beside(made, "drawn", arguments, keywords)
    if type(outcome) is not list:
        raise TypeError("the figure holds more than can be compared")
    return [Drawing(**axes) for axes in outcome]


def drawn(made, arguments, keywords):
    """For each pair of axes the parts of `Drawing`, for a figure that is here."""
    from matplotlib import pyplot
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    if callable(made):
        pyplot.close("all")
        made = made(*arguments, **keywords)
        made = made if isinstance(made, (Axes, Figure)) else pyplot.gcf()
    parts = [_parts(axes) for axes in ([made] if isinstance(made, Axes) else made.axes)]
    pyplot.close("all")           # a check shows no figure
    return parts


def _parts(axes):
    legend = axes.get_legend()
    return {
        "title": axes.get_title(), "xlabel": axes.get_xlabel(), "ylabel": axes.get_ylabel(),
        "xlim": _floats(axes.get_xlim()), "ylim": _floats(axes.get_ylim()),
        "xscale": axes.get_xscale(), "yscale": axes.get_yscale(),
        "lines": [(*map(_numbers, line.get_data()), _label(line)) for line in axes.lines],
        "points": [(*_numbers(cloud.get_offsets()).T, _label(cloud))
                   for cloud in axes.collections if hasattr(cloud, "get_sizes")],
        "bars": [_floats((*bar.get_xy(), bar.get_width(), bar.get_height()))
                 for bar in axes.patches if hasattr(bar, "get_height")],
        "images": [_numbers(image.get_array()) for image in axes.images],
        "texts": [text.get_text() for text in axes.texts],
        "legend": [text.get_text() for text in legend.get_texts()] if legend else [],
    }


def _numbers(values):
    """An array of floats, in which masked entries are not a number."""
    return np.ma.filled(np.ma.asarray(values, dtype=float), np.nan)


def _floats(values):
    return tuple(float(value) for value in values)


def _label(artist):
    label = str(artist.get_label())
    return "" if label.startswith("_") else label      # Matplotlib's own names begin so


# ---- the text of an answer -------------------------------------------------------


def use_cells(texts):
    """Set the cells in which `source` looks: the grader does so before each test."""
    global _cells
    _cells = texts


def source(name):
    """The text of the last cell that defines a name at its top level.

    A text shows what was written, not what runs: what must hold is better tested by what
    the answer does.

    Parameters
    ----------
    name : str

    Returns
    -------
    str

    Raises
    ------
    NameError
        If no cell defines it.
    """
    # IPython keeps the cells that ran; the last of them is the test that asks
    cells = getattr(sys.modules["__main__"], "In", [])[:-1] if _cells is None else _cells
    defines = re.compile(rf"^(?:(?:async )?def|class) +{name}\b|^{name} *(?::[^=\n]*)?=(?!=)", re.M)
    for text in reversed(cells):
        if defines.search(text):
            return text
    raise NameError(f"no cell of the notebook defines {name}", name=name)
