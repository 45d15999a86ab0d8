"""Vertex elimination: one Jacobian in every order, and the cheapest order by brute force."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradem import jacfwd
from gradem.elimination import (
    MOST_VERTICES, cheapest_order, eliminate, forward_order, linearise, markowitz_order,
    reverse_order)


def lecture(x1, x2):
    return x1 * x2 + np.sin(x1)


def bow_tie(x1, x2, x3, x4):
    """Many inputs meet in a few vertices, from which many results come."""
    waist = np.sin(x1 * x2 + x3 * x4)
    wave = np.exp(waist)
    return wave * 1.5, wave * wave, np.cos(wave), wave + waist


def narrow_ends(x1):
    """One input and one result, the graph wide between."""
    u, v, w = np.sin(x1), np.cos(x1), np.exp(x1)
    return u * v + v * w


def dense(f, point):
    """The Jacobian of a function of numbers, by forward mode."""
    def stacked(x):
        out = f(*x)
        return np.stack(out) if isinstance(out, tuple) else np.stack([out])
    return jacfwd(stacked)(np.array(point))


@pytest.mark.parametrize("f, point", [
    (lecture, (2.0, 5.0)), (bow_tie, (1.0, 2.0, 0.3, 0.4)), (narrow_ends, (0.7,)),
    (lambda x, y: (x, x * y), (2.0, 3.0)), (lambda x, y: (x / y) ** 3 - 2.0 * y, (2.0, 3.0))])
def test_every_order_gives_the_jacobian(f, point):
    graph = linearise(f, *point)
    for order_of in (forward_order, reverse_order, markowitz_order, cheapest_order):
        jacobian, _ = eliminate(graph, order_of(graph))
        np.testing.assert_allclose(jacobian, dense(f, point), rtol=1e-13, atol=1e-14)


def test_a_mixed_order_is_cheaper_than_both_modes_on_the_bow_tie():
    graph = linearise(bow_tie, 1.0, 2.0, 0.3, 0.4)
    cost = {order_of: eliminate(graph, order_of(graph))[1]
            for order_of in (forward_order, reverse_order, cheapest_order)}
    assert cost[cheapest_order] < min(cost[forward_order], cost[reverse_order])


def test_the_modes_cost_what_they_should_on_a_chain():
    """n inputs, a chain of m vertices, one result: forward n m products, reverse n + m - 1."""
    def chain(*xs):
        y = sum(xs[1:], start=xs[0])
        for _ in range(5):
            y = np.sin(y)
        return y
    graph = linearise(chain, 0.1, 0.2, 0.3, 0.4)
    vertices = len(graph.intermediates)
    assert vertices == 3 + 4
    assert eliminate(graph, reverse_order(graph))[1] == 4 + 2 * 3
    assert eliminate(graph, forward_order(graph))[1] == 2 + 3 + 4 * 5


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1))
def test_the_search_finds_the_cheapest_of_all_orders(seed):
    rng = np.random.default_rng(seed)

    def f(*xs):
        values = list(xs)
        for _ in range(6):
            i, j = rng_of_program.integers(len(values), size=2)
            values.append(values[i] * values[j] if i != j else np.sin(values[i]))
        return tuple(values[-2:])

    rng_of_program = np.random.default_rng(seed)
    graph = linearise(f, *rng.uniform(0.5, 1.5, size=rng.integers(1, 4)))
    costs = [eliminate(graph, order)[1] for order in permutations(graph.intermediates)]
    assert eliminate(graph, cheapest_order(graph))[1] == min(costs)
    assert min(costs) <= eliminate(graph, markowitz_order(graph))[1] <= max(costs)


def test_what_cannot_be_linearised_is_refused_in_words():
    with pytest.raises(TypeError, match="stack makes or takes an array"):
        linearise(lambda x: np.sum(np.stack([x, x])), 1.0)
    with pytest.raises(TypeError, match="does not depend on its arguments"):
        linearise(lambda x: (x, 1.0), 1.0)
    graph = linearise(lecture, 1.0, 2.0)
    with pytest.raises(ValueError, match=r"each of the vertices \[2, 3\] once"):
        eliminate(graph, [2])

    def long(x):
        for _ in range(MOST_VERTICES + 2):
            x = np.sin(x)
        return x
    with pytest.raises(ValueError, match="Use markowitz_order"):
        cheapest_order(linearise(long, 1.0))
