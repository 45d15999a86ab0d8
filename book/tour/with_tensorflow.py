"""TensorFlow: a tape watches variables; `tf.function` traces a program into a graph first."""

import sys

import tensorflow as tf
from problem import LOG_2PI, answer, read, report


def f(x1, x2):
    return x1 * x2 + tf.sin(x1)


def log_likelihood(theta, X):
    a, m, n, p, q, r = tf.unstack(theta, axis=1)
    x, y = X[:, :1] - m, X[:, 1:] - n
    distances = (tf.exp(p) * x)**2 + (r * x + tf.exp(q) * y)**2
    terms = tf.nn.log_softmax(a) + p + q - 0.5 * distances - LOG_2PI
    return tf.reduce_sum(tf.reduce_logsumexp(terms, axis=1))


def value_and_gradient(function, inputs, *constants):
    """The value, and its derivatives with respect to the inputs."""
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        y = function(*inputs, *constants)
    return y, tape.gradient(y, inputs)


def tangent(x1, x2):
    """Forward mode in the direction of the first input."""
    with tf.autodiff.ForwardAccumulator(x1, tf.constant(1.0)) as accumulator:
        y = f(x1, x2)
    return accumulator.jvp(y)


def operations(function):
    """The kinds of the operations in the graph that a traced function has become, in order."""
    return " ".join(operation.type for operation in function.graph.get_operations())


if __name__ == "__main__":
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    point, theta, X = read(sys.stdin)
    x1, x2 = tf.constant(point[0], tf.float32), tf.constant(point[1], tf.float32)
    theta, X = [tf.constant(theta)], tf.constant(X)

    example_gradient = tf.function(lambda x1, x2: value_and_gradient(f, [x1, x2]))
    mixture_gradient = tf.function(lambda: value_and_gradient(log_likelihood, theta, X))
    mixture_function = tf.function(lambda: log_likelihood(*theta, X))
    traced_f = tf.function(f)

    with tf.GradientTape() as tape:
        tape.watch(x1)
        y = f(x1, x2)
    tape.gradient(y, x1)
    try:
        tape.gradient(y, x1)
    except RuntimeError as error:
        again = str(error)

    def mixture():
        value, (slopes,) = mixture_gradient()
        return value, slopes

    report(
        {"tensorflow": tf.__version__},
        answer(lambda: traced_f(x1, x2), lambda: example_gradient(x1, x2), "float32",
               lambda: tangent(x1, x2)),
        answer(mixture_function, mixture, "float64"),
        {"graph of f": operations(traced_f.get_concrete_function(x1, x2)),
         "graph of f and its gradient": operations(
             example_gradient.get_concrete_function(x1, x2)),
         "gradient again": again})
