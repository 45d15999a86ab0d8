"""pandas' Series and DataFrames as plain data, and back.

A column of numbers, truth values or times is an array; one of words or mixed objects is
a list. What has another form (categories, time zones, several levels of an index) is not
taken apart: it stays in the sandbox, where a test can ask it for something plainer. The
judge builds a new frame from the parts, so nothing of the learner's comes with it.
"""

import sys

import numpy as np

NUMBERS = "biufcMm"                        # kinds of NumPy's that a column may have
WORDS = {"object", "str", "string"}        # types of columns that are sent as lists
PLAIN = {str, int, float, bool, type(None)}


def taken_apart(value):
    """The parts of a Series or DataFrame.

    Parameters
    ----------
    value : object

    Returns
    -------
    tuple of str and list, or None
        ``("series", ...)`` or ``("frame", ...)``; None if it is neither, or of a form that
        is not sent.
    """
    pandas = sys.modules.get("pandas")
    if pandas is None or type(value) not in (pandas.Series, pandas.DataFrame):
        return None
    series = type(value) is pandas.Series
    columns = [value] if series else [value.iloc[:, i] for i in range(value.shape[1])]
    parts = [_values(value.index), *map(_values, columns)]
    names = [value.index.name, *([value.name] if series else value.columns)]
    if None in [part if part is None else 0 for part in parts] or not all(map(_is_label, names)):
        return None
    return "series" if series else "frame", [names, parts]


def put_together(kind, content):
    """The Series or DataFrame that these parts make.

    Parameters
    ----------
    kind : str
        "series" or "frame".
    content : list
        As `taken_apart` gives it; it may come from somebody who means harm.

    Returns
    -------
    pandas.Series or pandas.DataFrame

    Raises
    ------
    ValueError, TypeError, KeyError, ImportError
        If they make none.
    """
    import pandas
    names, parts = content
    if not all(map(_is_label, names)) or len(names) != len(parts):
        raise ValueError("a name of a column that is no plain data")
    own, *columns = [pandas.Series(_checked(*part), dtype=part[0]) for part in parts]
    index = pandas.Index(own, name=names[0])
    if any(len(column) != len(index) for column in columns):
        raise ValueError("columns of different lengths")
    columns = [column.set_axis(index) for column in columns]
    if kind == "series":
        column, = columns
        return column.rename(names[1])
    frame = pandas.concat(columns, axis=1) if columns else pandas.DataFrame(index=index)
    return frame.set_axis(pandas.Index(names[1:]) if columns else frame.columns, axis=1)


def _values(column):
    """The type of a column or an index and its values, or None if it is not sent."""
    kind = str(column.dtype)
    if getattr(column, "nlevels", 1) > 1:
        return None
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in NUMBERS:
        return kind, column.to_numpy()
    values = column.tolist()
    if kind in WORDS and all(type(value) in PLAIN for value in values):
        return kind, values
    return None


def _checked(kind, values):
    """The values of a part, if they are what its type says."""
    if type(values) is np.ndarray:
        plain = values.ndim == 1 and values.dtype.kind in NUMBERS and str(values.dtype) == kind
    else:
        plain = (type(values) is list and kind in WORDS
                 and all(type(value) in PLAIN for value in values))
    if not plain:
        raise ValueError("a column that is no plain data")
    return values


def _is_label(name):
    return type(name) in PLAIN
