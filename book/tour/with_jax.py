"""JAX: a function is traced once into a program of its own, which is transformed and compiled."""

import sys
from importlib.metadata import version

import jax
import jax.numpy as jnp
from jax.scipy.special import logsumexp
from problem import LOG_2PI, answer, read, report


def f(x1, x2):
    return x1 * x2 + jnp.sin(x1)


def log_likelihood(theta, X):
    a, m, n, p, q, r = theta.T
    x, y = X[:, :1] - m, X[:, 1:] - n
    distances = (jnp.exp(p) * x)**2 + (r * x + jnp.exp(q) * y)**2
    terms = a - logsumexp(a) + p + q - 0.5 * distances - LOG_2PI
    return jnp.sum(logsumexp(terms, axis=1))


def ready(program, *arguments):
    """A call that returns when the result is there, and not only promised."""
    return lambda: jax.block_until_ready(program(*arguments))


if __name__ == "__main__":
    point, theta, X = read(sys.stdin)
    # numbers become float32, as JAX would have it
    x1, x2 = jnp.float32(point[0]), jnp.float32(point[1])
    example_gradient = jax.jit(jax.value_and_grad(f, argnums=(0, 1)))
    example = answer(ready(jax.jit(f), x1, x2), ready(example_gradient, x1, x2), "float32",
                     lambda: jax.jvp(f, (x1, x2), (jnp.float32(1), jnp.float32(0)))[1])
    # for the mixture we ask for float64
    jax.config.update("jax_enable_x64", True)
    theta, X = jnp.asarray(theta), jnp.asarray(X)
    mixture_gradient = jax.jit(jax.value_and_grad(log_likelihood))
    report(
        {"jax": jax.__version__, "numpy": version("numpy")},
        example,
        answer(ready(jax.jit(log_likelihood), theta, X), ready(mixture_gradient, theta, X),
               "float64"),
        {})
