"""What every tool of the tour is asked, and how its answer is reported.

The lecture's example x1 x2 + sin x1 at a point, and the log likelihood of a mixture of Gaussians
in the plane for the data of Old Faithful. A mixture is a table `theta` with a line of six numbers
for each component, of which any will do:

    a     logarithm of its weight, up to a number that all components share
    m, n  its mean
    p, q  logarithms of the diagonal of L, the inverse Cholesky factor of its covariance
    r     the number below the diagonal of L

so that a point (x, y) has the density w |L| exp(-|L (x - m, y - n)|^2 / 2) / 2 pi in it, with
|L| = exp(p + q) and the weights w proportional to exp(a).

The runner, tools/tour.py, sends the numbers on the standard input: the point, then the
number of components and theta, then the number of data points and the data. A program answers
with one object in JSON.
"""

import json
import math
import statistics
import sys
import time

import numpy as np

LOG_2PI = math.log(2 * math.pi)


def read(stream):
    """The point (2,), theta (K, 6) and the data (N, 2) from a stream of numbers."""
    numbers = np.array(stream.read().split(), dtype=float)
    point, rest = numbers[:2], numbers[2:]
    K, rest = int(rest[0]), rest[1:]
    theta, rest = rest[:6 * K].reshape(K, 6), rest[6 * K:]
    return point, theta, rest[1:].reshape(int(rest[0]), 2)


def text(point, theta, X):
    """What `read` reads: every number with all its digits."""
    numbers = [*point, len(theta), *theta.ravel(), len(X), *X.ravel()]
    return "\n".join(repr(float(number)) for number in numbers) + "\n"


def seconds(program, rounds=9, least=0.02):
    """CPU seconds of one call: the median of some rounds of calls.

    A round takes `least` seconds or more, so that the clock is fine enough.
    """
    calls, spent = 1, 0.0
    while spent < least:
        calls *= 2
        spent = repeat(program, calls)
    return statistics.median(repeat(program, calls) for _ in range(rounds)) / calls


def repeat(program, calls):
    """CPU seconds of this process for some calls."""
    start = time.process_time()
    for _ in range(calls):
        program()
    return time.process_time() - start


def first(program):
    """CPU seconds of the first call, and its result: here tools compile."""
    start = time.process_time()
    result = program()
    return time.process_time() - start, result


def answer(function, gradient, dtype, tangent=None):
    """The part of a report for one problem.

    Parameters
    ----------
    function, gradient : callable
        Without arguments: the value alone; the pair of value and gradient.
    dtype : str
        In what the tool computes: "float64" or "float32".
    tangent : callable, optional
        The derivative in the direction of the first input, by the tool's forward mode.
    """
    prepared, (value, slopes) = first(gradient)
    report = {
        "value": float(value),
        "gradient": np.asarray(slopes, dtype=float).tolist(),
        "dtype": dtype,
        "seconds": {"first": prepared, "function": seconds(function),
                    "gradient": seconds(gradient)},
    }
    if tangent is not None:
        report["tangent"] = float(tangent())
    return report


def report(versions, example, mixture, shows):
    """Print the whole answer of a tool.

    Parameters
    ----------
    versions : dict of str to str
    example, mixture : dict
        See `answer`.
    shows : dict of str to str
        What the tool says about itself: its graph, its tape, its complaints.
    """
    json.dump({"versions": versions, "example": example, "mixture": mixture, "shows": shows},
              sys.stdout)
