"""Between forward and reverse mode: the chain rule in any order.

A program of numbers is a graph: each operation is a vertex, and the edge from an argument to
it carries the local partial derivative. A derivative of a result in an input is the sum over
all paths between them of the products along the path. To *eliminate* a vertex is to replace
the paths through it: for each edge in and each edge out their product goes to an edge past it.
When all intermediate vertices are gone, the edges that are left are the Jacobian (Griewank &
Walther 2008, sections 9.1 and 10.1).

Eliminating in the order of evaluation is forward mode, in reverse order reverse mode. Any other
order gives the same Jacobian, and may need fewer multiplications than both. The best order is
hard to find: to accumulate a Jacobian with the fewest operations is NP-complete (Naumann 2008).
On small graphs it can be searched.

Examples
--------
Two inputs and two results, and a chain of three vertices between them. Both modes carry two
numbers along the chain; it is cheaper to shorten the chain first.

>>> def bow_tie(x1, x2):
...     w3 = x1 * x2
...     w4 = np.sin(w3)
...     w5 = np.exp(w4)
...     return 2.0 * w5, w5**2
>>> graph = linearise(bow_tie, 1.0, 0.0)
>>> graph.inputs, graph.intermediates, graph.results
([0, 1], [2, 3, 4], [5, 6])
>>> for order in forward_order(graph), reverse_order(graph), cheapest_order(graph):
...     jacobian, multiplications = eliminate(graph, order)
...     print(order, multiplications)
[2, 3, 4] 8
[4, 3, 2] 8
[3, 2, 4] 7
>>> jacobian
array([[0., 2.],
       [0., 2.]])
"""

import numpy as np

from gradem.arrays import STACK
from gradem.shapes import ndim
from gradem.tape import Var, record
from gradem.traced import real

#: More intermediate vertices than this are not searched: there are 2**18 sets of them.
MOST_VERTICES = 18


class Graph:
    """The linearised graph of a program of numbers, at one point.

    Attributes
    ----------
    inputs, intermediates, results : list of int
        The vertices, by number of their entry on the tape: vertex k is w{k+1}.
    edges : dict of (int, int) to float
        ``edges[i, j]``: the partial derivative of vertex j in vertex i, its direct argument.
    """

    def __init__(self, inputs, intermediates, results, edges):
        self.inputs, self.intermediates, self.results = inputs, intermediates, results
        self.edges = edges


# ---- the graph ----------------------------------------------------------------------------------


def linearise(f, *xs):
    """The graph of f at a point.

    No edge leads on from a result. So a result that is an input, or from which others are
    computed, stands in the graph as a copy: a vertex of its own, at the end of an edge with the
    derivative 1. Operations that no result needs are left out.

    Parameters
    ----------
    f : callable
        Takes numbers, and returns a number, a tuple or list of numbers, or an np.stack of
        numbers. A function of a vector x that uses the entries x[i] is ``lambda *x: f(x)``.
    xs : float
        The arguments.

    Returns
    -------
    Graph

    Raises
    ------
    TypeError
        If an argument is no number, f uses arrays, or a result does not depend on the arguments.
    NoDerivative
        If f has no derivative at xs (see `gradem.rules`).
    """
    out, tape = record(f, *[_number(x) for x in xs])
    ends = _results(out, tape)
    edges, needed = {}, set(ends)
    for j in range(max(ends, default=-1), -1, -1):
        if j in needed:
            partials = _partials(*tape.entries[j])
            edges.update({(i, j): c for i, c in partials.items()})
            needed.update(partials)
    sources, results = {i for i, _ in edges}, []
    for j in ends:
        if j < len(xs) or j in sources:
            copy = len(tape.entries) + len(results)
            edges[j, copy] = 1.0
            j = copy
        results.append(j)
    inputs = list(range(len(xs)))
    return Graph(inputs, sorted(needed - {*inputs, *results}), results, edges)


def _number(x):
    x = real(x, "x")
    if ndim(x):
        raise TypeError("the vertices of a graph are single numbers, but an argument is an array: "
                        "linearise(lambda *x: f(x), *x) makes an input of each entry of x")
    return x


def _results(out, tape):
    """The entries of the results on the tape."""
    if isinstance(out, Var) and tape.entries[out.index][0] is STACK:
        ends = tape.entries[out.index][3][:-1]           # the last argument is the axis
    else:
        ends = [y.index if isinstance(y, Var) else -1
                for y in (out if isinstance(out, (tuple, list)) else [out])]
    if -1 in ends:
        raise TypeError("a result of f does not depend on its arguments: leave it out")
    return ends


def _partials(rule, value, args, parents):
    """The partial derivative of one entry in each entry that it is computed from."""
    if ndim(value) or any(map(ndim, args)):
        raise TypeError(f"{rule.name} makes or takes an array: a graph can be linearised if all "
                        "its vertices are single numbers")
    partials = {}
    for position, i in enumerate(parents):
        if i >= 0 and rule.pull[position] is not None:
            partial = rule.pull[position](1.0, value, *args)
            partials[i] = partials.get(i, 0.0) + float(partial)     # x * x has x twice
    return partials


# ---- elimination --------------------------------------------------------------------------------


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
        How many products of edges were formed, those with an edge of value 1 among them.

    Raises
    ------
    ValueError
        If the order does not hold each intermediate vertex once.
    """
    if sorted(order) != graph.intermediates:
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
    jacobian = np.array([[edges.get((i, j), 0.0) for i in graph.inputs] for j in graph.results])
    return jacobian, multiplications


# ---- orders -------------------------------------------------------------------------------------


def forward_order(graph):
    """The order of evaluation: forward mode."""
    return list(graph.intermediates)


def reverse_order(graph):
    """The order of evaluation backwards: reverse mode."""
    return graph.intermediates[::-1]


def markowitz_order(graph):
    """The next vertex is always one of least cost: Markowitz' rule, good but not always best.

    Griewank & Walther 2008, section 10.1; of equal costs the first in the order of evaluation.
    """
    costs, order, gone = _costs_in(graph), [], 0
    for _ in graph.intermediates:
        now = costs(gone)
        v = min(now, key=now.get)
        order.append(v)
        gone |= 1 << v
    return order


def cheapest_order(graph):
    """An order that needs the fewest multiplications, by search.

    Which edges are left depends on the set of vertices that are gone, not on their order. So
    it is enough to keep the best order for each set: 2**n sets in place of n! orders (dynamic
    programming; Held & Karp 1962 do so for the travelling salesman). A set is dropped if it
    can only lead to more than the other orders take: each vertex left takes one at least.

    Raises
    ------
    ValueError
        If there are too many vertices to search.
    """
    n = len(graph.intermediates)
    if n > MOST_VERTICES:
        raise ValueError(f"the graph has {n} intermediate vertices, and the search takes time "
                         f"2**n: it is done up to {MOST_VERTICES}. Use markowitz_order")
    costs = _costs_in(graph)
    bound = min(eliminate(graph, order_of(graph))[1]
                for order_of in (forward_order, reverse_order, markowitz_order))
    best = {0: (0, ())}                       # for each set of vertices gone: its cost and order
    for left in reversed(range(n)):
        longer = {}
        for gone, (so_far, order) in best.items():
            for v, products in costs(gone).items():
                plan, key = (so_far + products, (*order, v)), gone | 1 << v
                if plan[0] + left <= bound and (key not in longer or plan < longer[key]):
                    longer[key] = plan
        best = longer
    (_, order), = best.values()
    return list(order)


def _costs_in(graph):
    """What each vertex would cost, as a function of the set of vertices that are gone.

    Once some vertices are gone, an edge leads from i to v if a path does that has only these
    between its ends. Sets are the bits of an int, so that a union is a single operation.
    """
    arguments = {v: [i for i, j in graph.edges if j == v] for v in graph.intermediates}
    users = {v: [j for i, j in graph.edges if i == v] for v in graph.intermediates}

    def costs(gone):
        before = _ends(arguments, graph.intermediates, gone)
        after = _ends(users, reversed(graph.intermediates), gone)
        return {v: before[v].bit_count() * after[v].bit_count()
                for v in graph.intermediates if not gone >> v & 1}
    return costs


def _ends(neighbours, vertices, gone):
    """For each vertex the set of those at the other end of its edges, in one direction."""
    ends = {}
    for v in vertices:                        # those behind it have been there before
        ends[v] = 0
        for i in neighbours[v]:
            ends[v] |= ends[i] if gone >> i & 1 else 1 << i
    return ends
