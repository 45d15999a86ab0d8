"""PyTensor, Theano's heir: the same graph of symbols, compiled by way of Numba."""

import io
import sys

import numpy
import pytensor
import pytensor.tensor as pt
from problem import LOG_2PI, answer, read, report
from pytensor.gradient import pushforward


def log_likelihood(theta, X):
    a, m, n, p, q, r = [theta[:, column] for column in range(6)]
    x, y = X[:, 0][:, None] - m, X[:, 1][:, None] - n
    distances = (pt.exp(p) * x)**2 + (r * x + pt.exp(q) * y)**2
    terms = a - pt.logsumexp(a) + p + q - 0.5 * distances - LOG_2PI
    return pt.sum(pt.logsumexp(terms, axis=1))


def picture(graph):
    """A graph as PyTensor prints it."""
    stream = io.StringIO()
    pytensor.printing.debugprint(graph, file=stream)
    return stream.getvalue()


if __name__ == "__main__":
    point, theta, X = read(sys.stdin)

    x1, x2 = pt.dscalars("x1", "x2")
    y = x1 * x2 + pt.sin(x1)
    slopes = pytensor.grad(y, [x1, x2])
    tangent = pushforward(y, [x1, x2], [pt.constant(1.0), pt.constant(0.0)])
    shows = {"graph": picture(y), "gradient": picture(slopes[0]),
             "gradient, compiled": picture(pytensor.function([x1, x2], slopes[0], mode="NUMBA"))}

    table, data = pt.dmatrices("theta", "X")
    total = log_likelihood(table, data)
    total_slopes = pytensor.grad(total, table)
    compiled = {}                   # compiling is part of the first call

    def run(name, inputs, outputs, *arguments):
        if name not in compiled:
            compiled[name] = pytensor.function(inputs, outputs, mode="NUMBA")
        return compiled[name](*arguments)

    def example_gradient():
        value, *derivatives = run("example", [x1, x2], [y, *slopes], *point)
        return value, derivatives

    report(
        {"pytensor": pytensor.__version__, "numpy": numpy.__version__},
        answer(lambda: run("f", [x1, x2], y, *point), example_gradient, "float64",
               lambda: tangent.eval({x1: point[0], x2: point[1]})),
        answer(lambda: run("l", [table, data], total, theta, X),
               lambda: run("L", [table, data], [total, total_slopes], theta, X),
               "float64"),
        shows)
