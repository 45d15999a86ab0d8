"""autograd: its own copy of NumPy passes boxes along, each with its place in a graph."""

import sys
from importlib.metadata import version

import autograd.numpy as np
from autograd import make_jvp, value_and_grad
from autograd.scipy.special import logsumexp
from problem import LOG_2PI, answer, read, report


def f(x1, x2):
    return x1 * x2 + np.sin(x1)


def log_likelihood(theta, X):
    a, m, n, p, q, r = theta.T
    x, y = X[:, :1] - m, X[:, 1:] - n
    distances = (np.exp(p) * x)**2 + (r * x + np.exp(q) * y)**2
    terms = a - logsumexp(a) + p + q - 0.5 * distances - LOG_2PI
    return np.sum(logsumexp(terms, axis=1))


if __name__ == "__main__":
    point, theta, X = read(sys.stdin)
    x1, x2 = map(float, point)
    example_gradient = value_and_grad(f, argnum=(0, 1))
    mixture_gradient = value_and_grad(log_likelihood)
    report(
        {"autograd": version("autograd"), "numpy": version("numpy")},
        answer(lambda: f(x1, x2), lambda: example_gradient(x1, x2), "float64",
               lambda: make_jvp(f)(x1, x2)(1.0)[1]),
        answer(lambda: log_likelihood(theta, X), lambda: mixture_gradient(theta, X), "float64"),
        {})
