"""Between forward and reverse mode: the chain rule in any order.

A program of numbers is a graph: each operation is a vertex, and the edge from an argument to
it carries the local partial derivative. A derivative of a result in an input is the sum over
all paths between them of the products along the path. To *eliminate* a vertex is to replace
the paths through it: for each edge in and each edge out their product goes to an edge past it.
When all intermediate vertices are gone, the edges that are left are the Jacobian (Griewank &
Walther 2008, sections 9.1 and 10.1).

Eliminating in the order of evaluation is forward mode, in reverse order reverse mode. Any other
order gives the same Jacobian, and may need fewer multiplications than both. The best order is
hard to find: the problem is NP-complete (Naumann 2008). On small graphs it can be searched.
"""

from functools import cache

import numpy as np

from gradem.shapes import ndim
from gradem.tape import Tape, Var

#: More intermediate vertices than this are not searched: there are 2**18 sets of them.
MOST_VERTICES = 18


class Graph:
    """The linearised graph of a program of numbers, at one point.

    Attributes
    ----------
    inputs, intermediates, results : list of int
        The vertices, by number of their entry on the tape.
    edges : dict of (int, int) to float
        ``edges[i, j]``: the derivative of vertex j in vertex i, its direct argument.
    """

    def __init__(self, inputs, intermediates, results, edges):
        self.inputs, self.intermediates, self.results = inputs, intermediates, results
        self.edges = edges


def linearise(f, *xs):
    """The graph of f at a point.

    Parameters
    ----------
    f : callable
        Takes numbers, and returns a number or a tuple of numbers.
    xs : float
        The arguments.

    Returns
    -------
    Graph
    """
    tape = Tape()
    out = f(*[tape.variable(float(x)) for x in xs])
    results = out if isinstance(out, (tuple, list)) else [out]
    edges = {}
    for j, (rule, value, args, parents) in enumerate(tape.entries):
        for position, i in enumerate(parents):
            if i >= 0 and rule.pull[position] is not None:
                if ndim(value) or any(map(ndim, args)):
                    raise TypeError(f"{rule.name} makes or takes an array: a graph can be "
                                    "linearised if all its vertices are single numbers")
                partial = rule.pull[position](1.0, value, *args)
                edges[i, j] = edges.get((i, j), 0.0) + float(partial)
    ends = [y.index for y in results if isinstance(y, Var)]
    if len(ends) < len(results):
        raise TypeError("a result of f does not depend on its arguments: leave it out")
    inputs = list(range(len(xs)))
    needed = _ancestors(edges, ends)
    edges = {(i, j): c for (i, j), c in edges.items() if j in needed}
    middle = [v for v in sorted(needed) if v not in inputs and v not in ends]
    return Graph(inputs, middle, ends, edges)


def _ancestors(edges, ends):
    """The ends, and all vertices from which a path leads to one of them."""
    found = set(ends)
    for i, j in sorted(edges, key=lambda edge: -edge[1]):
        if j in found:
            found.add(i)
    return found


def eliminate(graph, order):
    """The Jacobian by eliminating the intermediate vertices in a given order.

    Parameters
    ----------
    graph : Graph
    order : sequence of int
        Each intermediate vertex once.

    Returns
    -------
    jacobian : ndarray, shape (number of results, number of inputs)
    multiplications : int
        How many products of edges were formed.
    """
    if sorted(order) != sorted(graph.intermediates):
        raise ValueError(f"the order must hold each of the vertices {graph.intermediates} once, "
                         f"but it is {list(order)}")
    edges, multiplications = dict(graph.edges), 0
    for v in order:
        before = [(i, c) for (i, j), c in edges.items() if j == v]
        after = [(j, c) for (i, j), c in edges.items() if i == v]
        for i, incoming in before:
            for j, outgoing in after:
                edges[i, j] = edges.get((i, j), 0.0) + incoming * outgoing
                multiplications += 1
        edges = {edge: c for edge, c in edges.items() if v not in edge}
    jacobian = np.array([[edges.get((i, j), float(i == j)) for i in graph.inputs]
                         for j in graph.results])
    return jacobian, multiplications


def forward_order(graph):
    """The order of evaluation: forward mode."""
    return list(graph.intermediates)


def reverse_order(graph):
    """The order of evaluation backwards: reverse mode."""
    return graph.intermediates[::-1]


def _neighbours(pairs, v):
    return [i for i, j in pairs if j == v], [j for i, j in pairs if i == v]


def _without(pairs, v):
    """The edges after the elimination of a vertex, and how many products that takes."""
    before, after = _neighbours(pairs, v)
    left = {edge for edge in pairs if v not in edge}
    return frozenset(left | {(i, j) for i in before for j in after}), len(before) * len(after)


def markowitz_order(graph):
    """The next vertex is always one of least cost: Markowitz' rule, good but not best.

    Griewank & Walther 2008, section 10.1; of equal costs the first in the order of evaluation.
    """
    pairs, left, order = frozenset(graph.edges), list(graph.intermediates), []
    while left:
        v = min(left, key=lambda v: _without(pairs, v)[1])
        pairs, _ = _without(pairs, v)
        left.remove(v)
        order.append(v)
    return order


def cheapest_order(graph):
    """An order that needs the fewest multiplications, by search.

    The edges that are left depend on which vertices were eliminated, not on their order. So
    the least cost for each set of vertices is found once: 2**n sets in place of n! orders
    (dynamic programming; Held & Karp 1962 do so for the travelling salesman).

    Raises
    ------
    ValueError
        If there are too many vertices to search.
    """
    n = len(graph.intermediates)
    if n > MOST_VERTICES:
        raise ValueError(f"the graph has {n} intermediate vertices, and the search takes time "
                         f"2**n: it is done up to {MOST_VERTICES}. Use markowitz_order")

    @cache
    def best(pairs, left):
        """Least cost, and the order, for eliminating the vertices that are left."""
        if not left:
            return 0, ()
        plans = []
        for v in left:
            rest, cost = _without(pairs, v)
            later, order = best(rest, left - {v})
            plans.append((cost + later, (v, *order)))
        return min(plans)

    return list(best(frozenset(graph.edges), frozenset(graph.intermediates))[1])
