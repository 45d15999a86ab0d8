"""A stepped figure: frames that the reader walks through, and a table that says the same.

What a notebook keeps of such a figure is HTML: a table that is complete by itself, on paper
and wherever no script runs, and next to it the frames as JSON. In the book
`book/_static/stepper.js` draws the frames and adds buttons, keys and a slider; it needs no
kernel and no network.

The JSON of a figure has these parts. Colours and dashes are numbers, 0 the first::

    unit      what a frame is called: "step", "iteration"
    panels    what stays: a list of
                {kind: "table", title, head: [text], rows: number of rows}
                {kind: "graph", title, nodes: [[x, y, name]], longest: letters of a text,
                 edges: [[start, end, [places between], partial]]}
                {kind: "matrix", title, values: [[number]], rows, columns: names}
                {kind: "plot", title, x, y: {label, low, high, log, ticks}, points, marks}
    routes    ways through the figure: {name, first: frame shown first, frames, still: marks that
              stay on this route, a list a panel}
    frames    {says: the frame in words, panels: what changes, an object a panel}

What changes, a panel of each kind::

    table     set: [[row, column, text]], which stays; lit: [[row, column]], in this frame alone
    graph     set: [[node, row of text, text]]; lit: [node]; edges: [edge]; back: against them
    matrix    show: [[row, column]], which stays; rows, columns: the seed, in this frame alone
    plot      marks, drawn over those of the panel

A mark has a kind, and a colour or `colours`, one a point; without `points` it takes the panel's::

    line      points, dash; perhaps a name, beside point number `at`
    dots      points, size
    pies      points, shares: [[number]], a slice a component, in its colour
    ellipses  of: [[x, y, a, b, c]], a Gaussian each: mean, Cholesky factor ((a, 0), (b, c))
    crosses   points, a colour each
    rule      x: an upright line
"""

import html
import json
from typing import NamedTuple

import numpy as np

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class Table(NamedTuple):
    """What the frames show, in a table: titles, rows of texts as long, and a caption."""

    titles: list                  #: of the columns
    rows: list                    #: lists of texts
    caption: str                  #: what the rows are


class Stepped:
    """A figure in frames.

    Attributes
    ----------
    panels, routes, unit
        What stays, what changes, and what a frame is called: see the module's docstring.
    tables : list of Table
        The same without frames, for readers and places without a script.
    """

    def __init__(self, panels, routes, titles, rows, caption, unit="step"):
        self.panels, self.routes, self.unit = panels, routes, unit
        self.tables = [Table(titles, rows, caption)]

    def __repr__(self):
        return "\n\n".join(map(_as_text, self.tables))

    def _repr_html_(self):
        tables = "".join(map(_as_html, self.tables))
        return (f'<div class="stepper"><div class="stepper-table">{tables}</div>'
                f'<script type="application/json">{self.to_json()}</script></div>')

    def to_json(self):
        """The frames, on one line, so that no text in them ends the script they stand in.

        Returns
        -------
        str
        """
        scene = {"unit": self.unit, "panels": self.panels, "routes": self.routes}
        text = json.dumps(scene, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        return text.replace("<", "\\u003c")


def _as_text(table):
    widths = [max(map(len, column)) for column in zip(table.titles, *table.rows)]
    written = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
               for row in (table.titles, *table.rows)]
    return "\n".join([written[0], "-" * max(map(len, written)), *written[1:]])


def _as_html(table):
    head = "".join(f'<th scope="col">{html.escape(title)}</th>' for title in table.titles)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
                   for row in table.rows)
    return (f"<table><caption>{html.escape(table.caption)}</caption><thead><tr>{head}</tr>"
            f"</thead><tbody>{body}</tbody></table>")


def side_by_side(left, right):
    """Two stepped figures as one: a step moves both, and the shorter one waits at its end.

    Parameters
    ----------
    left, right : Stepped
        With one route each, and as many panels, which alternate.

    Returns
    -------
    Stepped
    """
    routes = [figure.routes[0] for figure in (left, right)]
    length = max(len(route["frames"]) for route in routes)
    pairs = [[route["frames"][min(i, len(route["frames"]) - 1)] for route in routes]
             for i in range(length)]
    frames = [{"says": f"{a['says']} {b['says']}", "panels": [
        each for pair in zip(a["panels"], b["panels"]) for each in pair]}
              for a, b in pairs]
    first = max(route["first"] for route in routes)
    panels = [panel for pair in zip(left.panels, right.panels) for panel in pair]
    both = Stepped(panels, [route_of(frames, first=first)], *left.tables[0], left.unit)
    both.tables = left.tables + right.tables
    return both


def route_of(frames, name="", first=0, still=()):
    """A way through a figure.

    Parameters
    ----------
    frames : list of dict
    name : str
        Needed where there are several.
    first : int
        The frame that is shown first.
    still : list of list of dict
        Marks that stay, a list a panel.

    Returns
    -------
    dict
    """
    return {"name": name, "first": first, "still": list(still), "frames": frames}


def rounded(x, digits=4):
    """Numbers as short as a picture needs them: lists of floats with a few digits.

    Parameters
    ----------
    x : array_like
    digits : int
        Significant digits.

    Returns
    -------
    list or float
    """
    if np.ndim(x):
        return [rounded(entry, digits) for entry in x]
    return float(f"{float(x):.{digits}g}")


def axis(label, values, log=False):
    """The axis of a plot, with room for values and with ticks.

    Parameters
    ----------
    label : str
    values : array_like
        What is to be seen; on a logarithmic axis positive.
    log : bool

    Returns
    -------
    dict
        With label, low, high, log and ticks: [[value, text]].
    """
    values = np.asarray(values, dtype=float)
    low, high = values[np.isfinite(values)].min(), values[np.isfinite(values)].max()
    if log:
        low, high = 10.0**np.floor(np.log10(low)), 10.0**np.ceil(np.log10(high))
        powers = range(round(np.log10(low)), round(np.log10(high)) + 1)
        powers = [k for k in powers if k % (1 + len(powers) // 6) == 0]
        ticks = [[10.0**k, "10" + str(k).translate(SUPERSCRIPTS)] for k in powers]
    else:
        margin = 0.06 * (high - low) or 1.0
        low, high = low - margin, high + margin
        # the ticks are 1, 2 or 5 times a power of ten apart, and about five
        size = 10.0**np.floor(np.log10((high - low) / 4))
        size *= max(m for m in (1, 2, 5) if m * size <= (high - low) / 3)
        ticks = [[rounded(k * size, 12), f"{rounded(k * size, 12):g}"]
                 for k in range(int(np.ceil(low / size)), int(np.floor(high / size)) + 1)]
    return {"label": label, "low": rounded(low, 6), "high": rounded(high, 6), "log": log,
            "ticks": ticks}
