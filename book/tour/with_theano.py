"""Theano: a graph of symbols, a gradient that is a graph of symbols, and a compiler."""

import io
import sys

import numpy
import theano
import theano.tensor as T
from problem import LOG_2PI, answer, read, report


def log_likelihood(theta, X):
    a, m, n, p, q, r = [theta[:, column] for column in range(6)]
    x, y = T.shape_padright(X[:, 0]) - m, T.shape_padright(X[:, 1]) - n
    log_weights = a - T.log(T.sum(T.exp(a)))
    distances = (T.exp(p) * x)**2 + (r * x + T.exp(q) * y)**2
    terms = log_weights + p + q - 0.5 * distances - LOG_2PI
    largest = T.max(terms, axis=1, keepdims=True)
    return T.sum(T.log(T.sum(T.exp(terms - largest), axis=1)) + largest[:, 0])


def picture(graph):
    """A graph as Theano prints it."""
    stream = io.StringIO()
    theano.printing.debugprint(graph, file=stream)
    return stream.getvalue()


if __name__ == "__main__":
    point, theta, X = read(sys.stdin)

    x1, x2 = T.dscalars("x1", "x2")
    y = x1 * x2 + T.sin(x1)
    slopes = T.grad(y, [x1, x2])
    tangent = T.Rop(y, [x1, x2], [T.constant(1.0), T.constant(0.0)])
    gradient = theano.function([x1, x2], [y, *slopes])
    shows = {"graph": picture(y), "gradient": picture(slopes[0]),
             "gradient, compiled": picture(theano.function([x1, x2], slopes[0]))}

    table, data = T.dmatrices("theta", "X")
    total = log_likelihood(table, data)
    total_slopes = T.grad(total, table)

    # compiling is part of the first call, as it is for the other tools
    compiled = {}

    def run(name, inputs, outputs, *arguments):
        if name not in compiled:
            compiled[name] = theano.function(inputs, outputs)
        return compiled[name](*arguments)

    def example_gradient():
        value, *derivatives = run("example", [x1, x2], [y, *slopes], *point)
        return value, derivatives

    report(
        {"theano": theano.__version__, "numpy": numpy.__version__},
        answer(lambda: run("f", [x1, x2], y, *point), example_gradient, "float64",
               lambda: tangent.eval({x1: point[0], x2: point[1]})),
        answer(lambda: run("l", [table, data], total, theta, X),
               lambda: run("L", [table, data], [total, total_slopes], theta, X),
               "float64"),
        shows)
