"""The evaluation trace of a program: one line an operation, as one does it by hand.

    w1 = x1          dw1 = 1                         w1_bar = w3_bar * w2 + w4_bar * cos(w1)
    w2 = x2          dw2 = 0                         w2_bar = w3_bar * w1
    w3 = w1 * w2     dw3 = dw1 * w2 + dw2 * w1       w3_bar = w5_bar
    w4 = sin(w1)     dw4 = dw1 * cos(w1)             w4_bar = w5_bar
    w5 = w3 + w4     dw5 = dw3 + dw4                 w5_bar = 1

Forward mode goes down the lines once more with a tangent for each. Reverse mode goes up: the
adjoint of a line is the sum of what the lines that use it give back (Griewank & Walther 2008,
sections 1.3 and 3.2; Baydin et al. 2018, tables 2 and 3). The lines are the entries of the
tape, the formulas come from the table of rules.
"""

import ast
import html
import inspect
from typing import NamedTuple

import numpy as np

from gradem.dual import pushed
from gradem.rules import Elementwise
from gradem.shapes import ndim
from gradem.tape import Var, record
from gradem.traced import real

#: Operations that are written with a sign between their arguments.
SIGNS = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "power": "**",
         "remainder": "%", "matmul": "@", "dot": "@", "matvec": "@"}


class Line(NamedTuple):
    """One line of a trace; texts and numbers of a mode that was not asked for are None."""

    name: str                              #: such as w3
    text: str                              #: the operation, such as w1 * w2
    value: float | np.ndarray              #: its result
    tangent_text: str | None               #: how the tangent comes from those of the arguments
    tangent: float | np.ndarray | None     #: in the direction of the seed
    adjoint_text: str | None               #: the sum of what later lines hand back
    adjoint: float | np.ndarray | None     #: derivative of the result, times its seed


class Edge(NamedTuple):
    """Line `start` is an argument of line `end`; `partial` is the derivative between them.

    The text of a mode that was not asked for is None.
    """

    start: int                    #: number of a line
    end: int                      #: number of a later one
    partial: float | None         #: None where arrays are involved
    push_text: str | None         #: what it adds to the tangent of `end`
    pull_text: str | None         #: what it adds to the adjoint of `start`


class Trace:
    """The lines of an evaluation, and the graph they make.

    Attributes
    ----------
    lines : list of Line
        In order of evaluation, the inputs first.
    edges : list of Edge
    """

    def __init__(self, lines, edges):
        self.lines, self.edges = lines, edges

    def _table(self):
        """Titles of the columns, and their cells as text: a list a line."""
        titles, columns = ["trace", "value"], [
            [f"{line.name} = {line.text}" for line in self.lines],
            [shown(line.value) for line in self.lines]]
        if self.lines[0].tangent_text is not None:
            titles += ["tangent, downwards", "value"]
            columns += [[f"d{line.name} = {line.tangent_text}" for line in self.lines],
                        [shown(line.tangent) for line in self.lines]]
        if self.lines[0].adjoint_text is not None:
            titles += ["adjoint, upwards", "value"]
            columns += [[f"{line.name}_bar = {line.adjoint_text}" for line in self.lines],
                        [shown(line.adjoint) for line in self.lines]]
        return titles, list(zip(*columns))

    def __str__(self):
        titles, rows = self._table()
        widths = [max(map(len, column)) for column in zip(titles, *rows)]
        written = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
                   for row in (titles, *rows)]
        return "\n".join([written[0], "-" * max(map(len, written)), *written[1:]])

    __repr__ = __str__

    def _repr_html_(self):
        titles, rows = self._table()
        head = "".join(f'<th scope="col">{html.escape(title)}</th>' for title in titles)
        body = "".join(
            "<tr>" + "".join(f"<td><code>{html.escape(cell)}</code></td>" for cell in row) + "</tr>"
            for row in rows)
        return (f"<table><caption>Evaluation trace</caption><thead><tr>{head}</tr></thead>"
                f"<tbody>{body}</tbody></table>")


def trace(f, *xs, tangent=None, adjoint=None):
    """The evaluation trace of f at a point, with tangents and adjoints if they are asked for.

    Parameters
    ----------
    f : callable
        Returns one number or array.
    xs : float or ndarray
        The arguments of f.
    tangent : sequence of float or ndarray, one for each of xs, optional
        The direction of forward mode.
    adjoint : float or ndarray, optional
        The adjoint of the result, to start reverse mode from.

    Returns
    -------
    Trace
        It shows itself as a table, as text and in notebooks.

    Raises
    ------
    TypeError
        If f does not return one number or array that depends on its arguments.
    ValueError
        If there is not one tangent for each argument, of its shape.
    """
    xs = [real(x, "x") for x in xs]
    if tangent is not None and list(map(np.shape, tangent)) != list(map(np.shape, xs)):
        raise ValueError(f"tangent={tangent!r} should hold a number or array like each of the "
                         f"{len(xs)} arguments")
    out, tape = record(f, *xs)
    if not (isinstance(out, Var) and out.tape is tape):
        raise TypeError("a trace needs a function that returns one number or array which depends "
                        f"on its arguments, but f returned {out!r}")
    entries = tape.entries
    texts = _parameter_names(f, len(xs)) + [
        _text(rule, _names(args, parents)) for rule, _, args, parents in entries[len(xs):]]
    count, edges = len(entries), _edges(entries, tangent is not None, adjoint is not None)
    tangents = tangent_texts = adjoints = adjoint_texts = [None] * count
    if tangent is not None:
        tangents = _tangents(entries, [real(v, "the tangent") for v in tangent])
        tangent_texts = _tangent_texts(edges, count, tangent)
    if adjoint is not None:
        found = tape.sweep({out.index: real(adjoint, "the adjoint")})
        found += [None] * (count - len(found))
        adjoints = [np.zeros(np.shape(entry[1])) if v is None else v
                    for v, entry in zip(found, entries)]
        adjoint_texts = _adjoint_texts(edges, count, out.index, adjoint)
    lines = [Line(f"w{k + 1}", texts[k], entries[k][1], tangent_texts[k], tangents[k],
                  adjoint_texts[k], adjoints[k]) for k in range(count)]
    return Trace(lines, edges)


def shown(x):
    """A number, or the beginning of an array, as text."""
    if ndim(x) == 0:
        return f"{float(x):.6g}"
    return np.array2string(np.asarray(x), precision=4, threshold=6, edgeitems=2).replace("\n", "")


# ---- the text of an operation -------------------------------------------------------------------


def _parameter_names(f, count):
    """The names of f's parameters; x1, x2, ... where it does not tell."""
    try:
        names = [name for name, parameter in inspect.signature(f).parameters.items()
                 if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)]
    except (TypeError, ValueError):
        names = []
    return names[:count] if len(names) >= count else [f"x{i + 1}" for i in range(count)]


def _names(args, parents):
    """Each argument by the name of its line; a constant as it is written."""
    return [f"w{parent + 1}" if parent >= 0 else _constant(x) for x, parent in zip(args, parents)]


def _constant(x):
    if isinstance(x, (int, float)):
        return f"({x:.12g})" if x < 0 else f"{x:.12g}"
    if isinstance(x, tuple):
        return ", ".join(map(_index, x))
    return shown(x) if isinstance(x, np.ndarray) else repr(x)


def _index(i):
    """A part of an index as it is written in brackets."""
    if i is Ellipsis:
        return "..."
    if not isinstance(i, slice):
        return repr(i)
    ends = ["" if end is None else repr(end) for end in (i.start, i.stop, i.step)]
    return ":".join(ends if ends[2] else ends[:2])


def _text(rule, names):
    if rule.name in SIGNS:
        return f"{names[0]} {SIGNS[rule.name]} {names[1]}"
    if rule.name == "square":
        return f"{names[0]} ** 2"
    if rule.name == "negative":
        return f"-{names[0]}"
    if rule.name == "getitem":
        return f"{names[0]}[{names[1]}]"
    if isinstance(rule, Elementwise):
        return f"{rule.name}({', '.join(names)})"
    return f"{rule.name}({', '.join(name for name in names if name.startswith('w'))})"


# ---- the formulas of the two modes ------------------------------------------------------------


class _Renamed(ast.NodeTransformer):
    """A map's text in the names of the trace: v, out and the arguments replaced, np. left out."""

    def __init__(self, names):
        self.names = names

    def visit_Name(self, node):
        text = self.names.get(node.id)
        if text is None:
            return node
        # an array as NumPy shows it is no expression of Python
        return ast.Name(text) if text.startswith("[") else ast.parse(text, mode="eval").body

    def visit_Attribute(self, node):
        return ast.Name(node.attr)

    def visit_BinOp(self, node):
        """Numbers are computed: the 3 - 1 in x ** (3 - 1)."""
        node = self.generic_visit(node)
        if isinstance(node.left, ast.Constant) and isinstance(node.right, ast.Constant):
            return ast.Constant(eval(ast.unparse(node)))
        return node


def _map_text(rule, position, v, out, names, mode):
    """What v becomes on the way through one argument of an operation, as text."""
    if isinstance(rule, Elementwise):
        replaced = dict(zip(rule.arguments.split(", "), names), v=v, out=out)
        tree = _Renamed(replaced).visit(ast.parse(rule.texts[position], mode="eval"))
        return ast.unparse(tree)
    if rule.name == "getitem":
        return f"{v}[{names[1]}]" if mode == "push" else f"{v} at [{names[1]}]"
    return f"{mode}_{rule.name}({v})"


def _sum_text(terms):
    text = " + ".join(terms) or "0"
    return text.replace("+ -", "- ")


def _passing(rule, parents):
    """The positions of the arguments through which derivatives pass."""
    return [i for i, parent in enumerate(parents)
            if parent >= 0 and (rule.pull[i] is not None)]


def _tangents(entries, tangents):
    """The tangents of all entries, from those of the first."""
    tangents = list(tangents)
    for rule, out, args, parents in entries[len(tangents):]:
        own = [tangents[parent] if parent >= 0 else None for parent in parents]
        v = (pushed(rule, out, args, own) if rule.pushes is None
             else rule.pushes(own, out, *args))
        tangents.append(v + np.zeros(np.shape(out)) if ndim(out) else v)
    return tangents


def _tangent_texts(edges, count, tangent):
    """The formulas of all tangents."""
    terms = [[shown(v)] for v in tangent] + [[] for _ in range(len(tangent), count)]
    for edge in edges:
        terms[edge.end].append(edge.push_text)
    return list(map(_sum_text, terms))


def _adjoint_texts(edges, count, index, adjoint):
    """The formulas of all adjoints: what the lines that use a line give back to it."""
    terms = [[] for _ in range(count)]
    terms[index].append(shown(adjoint))
    for edge in reversed(edges):
        if terms[edge.end]:
            terms[edge.start].insert(0, edge.pull_text)
    return list(map(_sum_text, terms))


def _edges(entries, push, pull):
    """What each line has from each of its arguments, in order of the lines."""
    edges = []
    for k, (rule, out, args, parents) in enumerate(entries):
        names = _names(args, parents)
        for i in _passing(rule, parents):
            start, own = parents[i], f"w{k + 1}"
            numbers = ndim(out) == 0 and ndim(args[i]) == 0
            edges.append(Edge(
                start, k, float(rule.pull[i](1.0, out, *args)) if numbers else None,
                _map_text(rule, i, f"dw{start + 1}", own, names, "push") if push else None,
                _map_text(rule, i, f"{own}_bar", own, names, "pull") if pull else None))
    return edges
