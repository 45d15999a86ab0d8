"""Vertex elimination: the Jacobian of JAX and autograd in every order, costs by brute force."""

from itertools import permutations

import autograd
import autograd.numpy
import jax
import jax.numpy
import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradem import NoDerivative
from gradem.elimination import (
    MOST_VERTICES, Graph, cheapest_order, eliminate, forward_order, linearise, markowitz_order,
    reverse_order)

jax.config.update("jax_enable_x64", True)

ORDERS = forward_order, reverse_order, markowitz_order, cheapest_order


def lecture(x1, x2, np=numpy):
    return (x1 * x2 + np.sin(x1),)


def bow_tie(x1, x2, x3, x4, np=numpy):
    """Many inputs meet in a few vertices, from which many results come."""
    waist = np.sin(x1 * x2 + x3 * x4)
    wave = np.exp(waist)
    return wave * 1.5, wave * wave, np.cos(wave), wave + waist


def diamond(x1, np=numpy):
    """One input and one result, the graph wide between."""
    u, v, w = np.sin(x1), np.cos(x1), np.exp(x1)
    return (u * v + v * w,)


def results_of_results(x1, x2, np=numpy):
    """A result is an input, one is computed from another, and one is returned twice."""
    y = x1 * x2
    z = np.exp(np.sin(y)) / x2
    return x1, y, z, y, y * z


def cost(graph, order_of):
    return eliminate(graph, order_of(graph))[1]


# ---- Jacobians ----------------------------------------------------------------------------------


@pytest.mark.parametrize("f, point", [
    (lecture, (2.0, 5.0)), (bow_tie, (1.0, 2.0, 0.3, 0.4)), (diamond, (0.7,)),
    (results_of_results, (0.6, 1.3)), (lambda x, y, np: (y,), (2.0, 3.0)),
    (lambda x, y, np: [np.sin(x * y)] * 2, (2.0, 3.0)),
    (lambda x, y, np: ((x / y) ** 3 - 2.0 * y, np.where(x > y, x, y)), (2.0, 3.0))])
def test_every_order_gives_the_jacobian(f, point):
    graph = linearise(lambda *xs: f(*xs, numpy), *point)
    expected = jax.jacfwd(lambda x: jax.numpy.stack(f(*x, jax.numpy)))(jax.numpy.asarray(point))
    for order_of in ORDERS:
        jacobian, _ = eliminate(graph, order_of(graph))
        numpy.testing.assert_allclose(jacobian, expected, rtol=1e-13, atol=1e-14)


def program(seed, length):
    """A random program of numbers, and a point: results may be anything that it computes."""
    rng = numpy.random.default_rng(seed)
    inputs = rng.integers(1, 4)
    steps = [(rng.integers(4), *rng.integers(inputs + k, size=2)) for k in range(length)]
    chosen = rng.integers(inputs + length, size=rng.integers(1, 4))

    def f(*xs, np=numpy):
        values = list(xs)
        for kind, i, j in steps:
            x, y = values[i], values[j]
            values.append([x * y, x + y, np.sin(x), x / (2.0 + y * y)][kind])
        return [values[k] for k in chosen]
    return f, rng.uniform(0.5, 1.5, inputs)


@given(st.integers(0, 2**32 - 1))
def test_random_programs_in_random_orders(seed):
    f, point = program(seed, 8)
    graph = linearise(f, *point)
    expected = autograd.jacobian(lambda x: autograd.numpy.stack(f(*x, np=autograd.numpy)))(point)
    shuffled = numpy.random.default_rng(seed).permutation(graph.intermediates).astype(int).tolist()
    for order in [order_of(graph) for order_of in ORDERS[:3]] + [shuffled]:
        numpy.testing.assert_allclose(eliminate(graph, order)[0], expected, rtol=1e-12, atol=1e-13)


def test_results_may_be_one_number_a_list_or_a_stack():
    graphs = [linearise(f, 2.0, 5.0) for f in (
        lambda x, y: x * y, lambda x, y: [x * y], lambda x, y: numpy.stack([x * y]))]
    for graph in graphs:
        assert (graph.inputs, graph.intermediates, graph.results) == ([0, 1], [], [2])
        assert graph.edges == {(0, 2): 5.0, (1, 2): 2.0}


def test_a_number_used_twice_has_one_edge():
    assert linearise(lambda x: x * x, 3.0).edges == {(0, 1): 6.0}


def test_what_no_result_needs_is_left_out_and_may_use_arrays():
    def f(x, y):
        numpy.sum(numpy.stack([x, y]))
        z = numpy.sin(x)
        numpy.exp(z)
        return z * y
    graph = linearise(f, 1.0, 2.0)
    assert len(graph.intermediates) == 1 and len(graph.edges) == 3


# ---- costs --------------------------------------------------------------------------------------


@pytest.mark.parametrize("n, k, m", [(1, 4, 1), (3, 2, 3), (5, 4, 2), (2, 5, 5), (4, 1, 3)])
def test_costs_on_a_chain(n, k, m):
    """n inputs, k vertices in a chain, m results: formulae by counting.

    Forward mode takes n products for each link of the chain, and n m at its end; reverse mode
    m for each link, and n m; the cheapest order shortens the chain first, one product a link.
    """
    inputs, chain = list(range(n)), list(range(n, n + k))
    results = list(range(n + k, n + k + m))
    pairs = [*((i, chain[0]) for i in inputs), *zip(chain, chain[1:]),
             *((chain[-1], j) for j in results)]
    graph = Graph(inputs, chain, results, {pair: 1.0 + sum(pair) for pair in pairs})
    assert cost(graph, forward_order) == n * (k - 1) + n * m
    assert cost(graph, reverse_order) == m * (k - 1) + n * m
    cheapest = n * m if k == 1 else k - 2 + min(n, m) + n * m
    assert cost(graph, cheapest_order) == cost(graph, markowitz_order) == cheapest


def test_speelpennings_product():
    """One result of n inputs: a number of products like n**2 in forward mode, like n in reverse.

    In forward mode the vertex x1 ... xk costs k, since k inputs are behind it; in reverse mode
    each vertex costs 2, since it has two arguments and the result alone is before it.
    """
    def product(*xs):
        y = xs[0]
        for x in xs[1:]:
            y = y * x
        return y
    for n in (3, 6, 9):
        graph = linearise(product, *numpy.linspace(0.5, 1.5, n))
        assert cost(graph, forward_order) == sum(range(2, n))
        assert cost(graph, reverse_order) == cost(graph, cheapest_order) == 2 * (n - 2)


def test_a_mixed_order_is_cheaper_than_both_modes():
    graph = linearise(bow_tie, 1.0, 2.0, 0.3, 0.4)
    assert cost(graph, cheapest_order) < min(cost(graph, forward_order),
                                             cost(graph, reverse_order))


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1))
def test_the_search_finds_the_cheapest_of_all_orders(seed):
    f, point = program(seed, 8)
    graph = linearise(f, *point)
    while len(graph.intermediates) > 6:
        f, point = program(seed := seed + 1, 8)
        graph = linearise(f, *point)
    costs = [eliminate(graph, order)[1] for order in permutations(graph.intermediates)]
    assert cost(graph, cheapest_order) == min(costs)
    assert min(costs) <= cost(graph, markowitz_order) <= max(costs)


def test_markowitz_rule_may_miss_the_cheapest_order():
    """Both vertices cost 2 at first. Only the second makes the other one cheaper."""
    def f(x1, x2):
        w3 = numpy.sin(x2)
        w4 = x1 * w3
        return w3 * w4
    graph = linearise(f, 1.0, 2.0)
    assert (markowitz_order(graph), cost(graph, markowitz_order)) == ([2, 3], 4)
    assert (cheapest_order(graph), cost(graph, cheapest_order)) == ([3, 2], 3)


def test_the_largest_graph_that_is_searched():
    """MOST_VERTICES in a chain: each takes one product, and one more is refused."""
    def chain(length):
        def f(x):
            for _ in range(length + 1):
                x = numpy.sin(x)
            return x
        return linearise(f, 1.0)
    assert cost(chain(12), cheapest_order) == 12
    with pytest.raises(ValueError, match=f"{MOST_VERTICES + 1} intermediate .* markowitz_order"):
        cheapest_order(chain(MOST_VERTICES + 1))


# ---- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize("call, error, words", [
    (lambda: linearise(lambda x: numpy.sum(numpy.stack([x, x])), 1.0), TypeError,
     "sum makes or takes an array: .* single numbers"),
    (lambda: linearise(lambda x: numpy.stack([x, x]) * 2.0, 1.0), TypeError, "multiply makes or"),
    (lambda: linearise(lambda x: x[0], numpy.ones(2)), TypeError, r"lambda \*x: f\(x\), \*x"),
    (lambda: linearise(lambda x: (x, 1.0), 1.0), TypeError, "does not depend on its arguments"),
    (lambda: linearise(lambda x: numpy.stack([x, 1.0]), 1.0), TypeError, "does not depend on"),
    (lambda: linearise(lambda x: x, "1"), TypeError, "x should be a real number"),
    (lambda: linearise(numpy.sqrt, 0.0), NoDerivative, "sqrt has no derivative"),
    (lambda: eliminate(linearise(lecture, 1.0, 2.0), [2]), ValueError,
     r"each of the vertices \[2, 3\] once, but it is \[2\]"),
])
def test_what_cannot_be_done_is_refused_in_words(call, error, words):
    with pytest.raises(error, match=words):
        call()
