"""The problems on which gradem is timed: each a small function, and its derivative by hand.

Each function is written once, for NumPy. A package that cannot differentiate NumPy's own
functions gets its namespace through the parameter `np` (``autograd.numpy``, ``jax.numpy``,
``torch``); gradem gets the function as it stands. The derivatives by hand are what a careful
programmer would write without any package: the yardstick of speed, and the independent answer
against which every package is checked before it is timed.

Letters (a) to (g) are those of the book's table of problems. The goals are ratios, gradem's
time divided by that of the package named; "f" is one evaluation of the function itself.
"""

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Problem:
    """A function, a point, and what is asked of the packages there.

    Attributes
    ----------
    name : str
        Name and size, as in the table.
    task : str
        "gradient" (of a number, in each argument of `point`), "source" (the same from generated
        code, if the package generates any), "jacobian", "sparse" (a Jacobian that is mostly
        zero), "hessian", or "newton": `f` then takes a function's derivative, and is the
        program that calls it.
    f : callable
        The function, of the arguments `point` and `data`, for plain NumPy.
    point, data : tuple
        The arguments to differentiate in, and the others.
    by_hand : callable
        The derivative at (*point, *data), by other means than differentiating a program.
        For the tasks "gradient" and "source" a pair: the value and a tuple of gradients.
    goals : dict of str to float
        For names of peers: the largest ratio of gradem's time to theirs that is aimed at.
    time_by_hand : bool
        Whether `by_hand` is a fast program worth timing, or only a check.
    skip : dict of str to str
        For names of peers that are not timed here: the reason.
    """

    name: str
    task: str
    f: Callable
    point: tuple
    by_hand: Callable
    data: tuple = ()
    goals: dict = field(default_factory=dict)
    time_by_hand: bool = True
    skip: dict = field(default_factory=dict)

    @property
    def arguments(self):
        """All arguments of f, in order."""
        return (*self.point, *self.data)


# ---- (a) two numbers ------------------------------------------------------------------------


def two_numbers(x1, x2, np=np):
    """x1 x2 + sin x1, the first example of the lecture (Berland 2006)."""
    return x1 * x2 + np.sin(x1)


def two_numbers_by_hand(x1, x2):
    """Value and gradient of `two_numbers`."""
    return x1 * x2 + math.sin(x1), (x2 + math.cos(x1), x1)


# ---- (b) Rosenbrock's function --------------------------------------------------------------
# Rosenbrock, The Computer Journal 3 (1960) 175-184; as a sum over neighbours as in
# scipy.optimize.rosen.


def rosenbrock(x, np=np):
    """Sum over neighbours of 100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2, in whole vectors."""
    return np.sum(100.0 * (x[1:] - x[:-1]**2)**2 + (1.0 - x[:-1])**2)


def rosenbrock_by_hand(x):
    """Value and gradient of `rosenbrock`, in whole vectors."""
    valley = x[1:] - x[:-1]**2
    offset = 1.0 - x[:-1]
    gradient = np.zeros_like(x)
    gradient[1:] = 200.0 * valley
    gradient[:-1] -= 400.0 * x[:-1] * valley + 2.0 * offset
    return np.sum(100.0 * valley**2 + offset**2), (gradient,)


def rosenbrock_loop(x, np=np):
    """`rosenbrock` as a loop over entries, as one writes it first."""
    total = 0.0
    for i in range(len(x) - 1):
        total = total + 100.0 * (x[i + 1] - x[i]**2)**2 + (1.0 - x[i])**2
    return total


def rosenbrock_source(x):
    """`rosenbrock_loop` for a program that reads it: without the choice of a package."""
    total = 0.0
    for i in range(len(x) - 1):
        total = total + 100.0 * (x[i + 1] - x[i]**2)**2 + (1.0 - x[i])**2
    return total


def rosenbrock_loop_by_hand(x):
    """Value and gradient of `rosenbrock_loop`, as a loop too."""
    total, gradient = 0.0, np.zeros(len(x))
    for i in range(len(x) - 1):
        valley = x[i + 1] - x[i]**2
        offset = 1.0 - x[i]
        total = total + 100.0 * valley**2 + offset**2
        gradient[i + 1] += 200.0 * valley
        gradient[i] -= 400.0 * valley * x[i] + 2.0 * offset
    return total, (gradient,)


# ---- (c) Speelpenning's product -------------------------------------------------------------


def speelpenning(x, np=np):
    """x[0] x[1] ... x[n-1] (Speelpenning 1980; Griewank & Walther 2008, section 3.3)."""
    product = 1.0
    for i in range(len(x)):
        product = product * x[i]
    return product


def speelpenning_by_hand(x):
    """Value and gradient of `speelpenning`: products of all before and all after each entry."""
    n = len(x)
    gradient = [1.0] * n
    before = after = 1.0
    for i in range(n):
        gradient[i] *= before
        before = before * x[i]
        gradient[n - 1 - i] *= after
        after = after * x[n - 1 - i]
    return before, (gradient,)


# ---- (d) a Gaussian mixture -----------------------------------------------------------------
# Srajer, Kukelova, Fitzgibbon, "A benchmark of selected algorithmic differentiation tools on
# some problems in computer vision and machine learning", Optimization Methods and Software
# (2018), arXiv 1807.10129, section 4.1; the prior's terms as in their programs (ADBench).


def log_sum_exp(terms, axis, np):
    """log(sum(exp(terms))) along an axis, without overflow."""
    if hasattr(np, "logsumexp"):            # PyTorch has it in one operation
        return np.logsumexp(terms, axis)
    largest = np.max(terms, axis=axis)
    return largest + np.log(np.sum(np.exp(terms - np.expand_dims(largest, axis)), axis=axis))


@functools.cache
def triangle(d):
    """Where entry (i, j) of a strictly lower triangle stands in (0, columns one by one)."""
    place = np.zeros((d, d), dtype=int)
    columns, rows = np.triu_indices(d, k=1)
    place[rows, columns] = np.arange(1, len(rows) + 1)
    return place


def whitening(icf, d, np):
    """The lower triangular matrices Q of `gmm`, shape (K, d, d), and the logs of their diagonals.

    Q Q^T turned round is the inverse covariance: Q^T Q. Its diagonal is exp(icf[:, :d]), and
    below it stand the other entries of icf, column by column.
    """
    logs = icf[:, :d]
    below = np.concatenate((np.zeros((icf.shape[0], 1)), icf[:, d:]), axis=1)
    return below[:, triangle(d)] + np.exp(logs)[:, :, None] * np.eye(d), logs


def gmm(alphas, means, icf, x, gamma=1.0, m=0.0, np=np):
    """Log likelihood of a Gaussian mixture with a Wishart prior: the objective of ADBench.

    Parameters
    ----------
    alphas : array, shape (K,)
        The weights are the softmax of these.
    means : array, shape (K, d)
    icf : array, shape (K, d (d + 1) / 2)
        Factors of the inverse covariances, see `whitening`.
    x : array, shape (n, d)
        The data.
    gamma, m : float
        Parameters of the prior; ADBench takes 1 and 0.
    """
    n, d = x.shape
    factors, logs = whitening(icf, d, np)
    whitened = (x - means[:, None, :]) @ np.swapaxes(factors, 1, 2)             # (K, n, d)
    log_determinants = np.sum(logs, axis=1)
    terms = (alphas + log_determinants)[:, None] - 0.5 * np.sum(whitened**2, axis=2)
    likelihood = np.sum(log_sum_exp(terms, 0, np)) - n * log_sum_exp(alphas, 0, np)
    prior = (0.5 * gamma**2 * (np.sum(np.exp(logs)**2) + np.sum(icf[:, d:]**2))
             - m * np.sum(logs))
    return likelihood + prior + gmm_constant(n, d, alphas.shape[0], gamma, m)


@functools.cache
def gmm_constant(n, d, K, gamma, m):
    """The part of the objective that does not depend on the parameters."""
    freedom = d + m + 1
    log_gamma = (0.25 * d * (d - 1) * math.log(math.pi)          # the multivariate gamma function
                 + sum(math.lgamma(0.5 * (freedom - j)) for j in range(d)))
    return (-0.5 * n * d * math.log(2 * math.pi)
            - K * (freedom * d * math.log(gamma / math.sqrt(2)) - log_gamma))


def gmm_by_hand(alphas, means, icf, x, gamma=1.0, m=0.0):
    """Value and gradient of `gmm`, written as matrix calculus."""
    (n, d), K = x.shape, len(alphas)
    factors, logs = whitening(icf, d, np)
    diagonal = np.exp(logs)
    centred = x - means[:, None, :]
    whitened = centred @ np.swapaxes(factors, 1, 2)
    terms = (alphas + logs @ np.ones(d))[:, None] - 0.5 * (whitened * whitened) @ np.ones(d)

    largest = np.max(terms, axis=0)
    shares = np.exp(terms - largest)                       # of the components in each point
    totals = np.ones(K) @ shares
    shares /= totals
    weights = np.exp(alphas - np.max(alphas))
    value = (np.sum(largest + np.log(totals))
             - n * (np.max(alphas) + math.log(np.sum(weights)))
             + 0.5 * gamma**2 * (np.sum(diagonal**2) + np.sum(icf[:, d:]**2))
             - m * np.sum(logs) + gmm_constant(n, d, K, gamma, m))

    counts = shares @ np.ones(n)
    whitened *= -shares[:, :, None]                        # the adjoint of `whitened`
    in_factors = np.swapaxes(whitened, 1, 2) @ centred
    in_means = -((np.ones(n) @ whitened)[:, None, :] @ factors)[:, 0]
    in_logs = (counts[:, None] - m + gamma**2 * diagonal**2
               + np.diagonal(in_factors, axis1=1, axis2=2) * diagonal)
    columns, rows = np.triu_indices(d, k=1)
    below = in_factors[:, rows, columns] + gamma**2 * icf[:, d:]
    in_icf = np.concatenate((in_logs, below), axis=1)
    return value, (counts - n * weights / np.sum(weights), in_means, in_icf)


# ---- (e) a network --------------------------------------------------------------------------


def network(W1, b1, W2, b2, images, labels, np=np):
    """Mean cross entropy of a network with one hidden layer of tanh units (Bishop 2006, 5.2).

    `images` has shape (batch, inputs), `labels` shape (batch, classes), a one in each row.
    """
    scores = np.tanh(images @ W1 + b1) @ W2 + b2
    return np.mean(log_sum_exp(scores, 1, np) - np.sum(labels * scores, axis=1))


def network_by_hand(W1, b1, W2, b2, images, labels):
    """Value and gradient of `network`: back propagation (Bishop 2006, section 5.3)."""
    hidden = np.tanh(images @ W1 + b1)
    scores = hidden @ W2 + b2
    scores -= np.max(scores, axis=1, keepdims=True)
    odds = np.exp(scores)
    totals = np.sum(odds, axis=1)
    value = np.mean(np.log(totals) - np.sum(labels * scores, axis=1))

    in_scores = (odds / totals[:, None] - labels) / len(images)
    in_hidden = (in_scores @ W2.T) * (1.0 - hidden**2)
    return value, (images.T @ in_hidden, np.sum(in_hidden, axis=0),
                   hidden.T @ in_scores, np.sum(in_scores, axis=0))


# ---- (f) Newton's method --------------------------------------------------------------------


def cube(x, a, np=np):
    """x^3 - a, zero at the cube root of a."""
    return x * x * x - a


def newton(a, slope, steps=30):
    """Cube root of a by Newton's method from a; `slope` is the derivative of `cube` in x."""
    x = a
    for _ in range(steps):
        x = x - cube(x, a) / slope(x, a)
    return x


def newton_by_formula(a, np=np):
    """`newton` with its slope written by hand."""
    return newton(a, lambda x, a: 3.0 * x * x)


def newton_by_hand(a):
    """Value of `newton_by_formula` and its derivative: each line differentiated in turn."""
    x, dx = a, 1.0
    for _ in range(30):
        residual, slope = x * x * x - a, 3.0 * x * x
        step = residual / slope
        dx = dx - (slope * dx - 1.0 - step * 6.0 * x * dx) / slope
        x = x - step
    return x, (dx,)


# ---- (g) the brachistochrone, and a stiff equation -------------------------------------------

GRAVITY = 9.81


def brachistochrone(depth, np=np):
    """Time to slide from (0, 0) to one metre across and one metre down, without friction.

    The path is a polygon with the depths given at equal steps across. On a straight piece the
    speed, sqrt(2 g depth), grows evenly in time, so the piece takes its length divided by the
    mean of the speeds at its ends (Bernoulli, Acta Eruditorum 1696, set the problem).
    """
    across = 1.0 / (depth.shape[0] + 1)
    depths = np.concatenate((np.zeros(1), depth, np.ones(1)))
    # the start, at speed 0, is put in afterwards: the square root has no derivative there
    fast = np.sqrt(2.0 * GRAVITY * depths[1:])
    speeds = np.concatenate((np.zeros(1), fast))
    lengths = np.sqrt(across**2 + (depths[1:] - depths[:-1])**2)
    return np.sum(2.0 * lengths / (speeds[1:] + speeds[:-1]))


def brachistochrone_by_hand(depth):
    """Value and gradient of `brachistochrone`; `depth` may be complex."""
    across = 1.0 / (len(depth) + 1)
    depths = np.concatenate(([0.0], depth, [1.0]))
    speeds = np.sqrt(2.0 * GRAVITY * depths)
    drops = depths[1:] - depths[:-1]
    lengths = np.sqrt(across**2 + drops**2)
    sums = speeds[1:] + speeds[:-1]
    times = 2.0 * lengths / sums
    in_drops = 2.0 * drops / (lengths * sums)
    in_sums = -times / sums
    return np.sum(times), (in_drops[:-1] - in_drops[1:]
                           + (in_sums[:-1] + in_sums[1:]) * GRAVITY / speeds[1:-1],)


def brachistochrone_hessian(depth):
    """Hessian of `brachistochrone`: a complex step in its gradient, exact up to rounding.

    Squire & Trapp, SIAM Review 40 (1998) 110-112.
    """
    step = 1e-30
    return np.array([brachistochrone_by_hand(depth + 1j * step * e)[1][0].imag / step
                     for e in np.eye(len(depth))])


def fisher(u, np=np):
    """du/dt of Fisher's equation u_t = u_xx / 100 + u (1 - u) on a grid, the method of lines.

    u is 1 at the left end and 0 at the right one. Stiff: the fastest time scale shrinks with
    the square of the grid (Fisher, Annals of Eugenics 7 (1937) 355-369; Hairer & Wanner,
    Solving Ordinary Differential Equations II, 2nd ed. 1996, section IV.1).
    """
    rate = 0.01 * (u.shape[0] + 1)**2
    padded = np.concatenate((np.ones(1), u, np.zeros(1)))
    return rate * (padded[2:] - 2.0 * u + padded[:-2]) + u * (1.0 - u)


def fisher_by_hand(u):
    """Jacobian of `fisher`: tridiagonal, written as a dense matrix."""
    n = len(u)
    rate = 0.01 * (n + 1)**2
    jacobian = np.zeros((n, n))
    entries = jacobian.reshape(-1)
    entries[::n + 1] = 1.0 - 2.0 * u - 2.0 * rate
    entries[1::n + 1] = rate
    entries[n::n + 1] = rate
    return jacobian


# ---- the list -------------------------------------------------------------------------------

SMALL = {"autograd": 0.25, "PyTorch": 0.5}
VECTORS = {**SMALL, "f": 10}
NUMPY_LOOPS = {**SMALL, "f": 50}           # where f itself computes with NumPy's scalars
FLOAT_LOOPS = {**SMALL, "f": 150}          # where f computes with Python's floats

GMM_1000 = {"autograd": 0.6, "PyTorch": 0.9, "f": 4}
GMM_10_000 = {"autograd": 0.85, "PyTorch": 1.0, "f": 3}
NETWORK = {"autograd": 0.95, "PyTorch": 0.95, "f": 2.6, "by hand": 1.25}
HESSIAN = {"autograd": 0.05, "PyTorch": 0.12, "f": 45}
GENERATED = {"autograd": 0.01, "PyTorch": 0.01, "f": 4}
JACOBIAN = {"autograd": 0.05, "PyTorch": 0.35, "PyTorch jacfwd": 0.15, "differences": 0.25}

MEMORY = "(d) mixture, n = 10000, d = 10"    # the problem whose peak memory is measured

UNROLLED = "JAX unrolls the loop, and takes minutes to trace and compile it"


def random_gmm(n, d, K=5, seed=0):
    """Parameters and data of a mixture at random, of ADBench's sizes."""
    rng = np.random.default_rng(seed)
    parameters = (rng.normal(size=K), rng.normal(size=(K, d)),
                  0.3 * rng.normal(size=(K, d * (d + 1) // 2)))
    return parameters, (rng.normal(size=(n, d)),)


def random_network(inputs, hidden, classes, batch, seed=0):
    """Weights, images and labels at random."""
    rng = np.random.default_rng(seed)
    weights = (rng.normal(size=(inputs, hidden)) / math.sqrt(inputs), np.zeros(hidden),
               rng.normal(size=(hidden, classes)) / math.sqrt(hidden), np.zeros(classes))
    images = rng.uniform(size=(batch, inputs))
    labels = np.eye(classes)[rng.integers(classes, size=batch)]
    return weights, (images, labels)


def near(centre, n, seed=0):
    """n numbers within 0.1 of a centre."""
    return np.random.default_rng(seed).uniform(centre - 0.1, centre + 0.1, size=n)


def path(n):
    """Depths of a path that is steep at first, for `brachistochrone`."""
    return (np.arange(1, n + 1) / (n + 1))**0.7


def front(n):
    """A smooth step from 1 to 0, for `fisher`."""
    return 1.0 / (1.0 + np.exp(10.0 * (np.arange(1, n + 1) / (n + 1) - 0.5)))


def all_problems():
    """The problems, in the order of the table."""
    a_gmm = {(n, d): random_gmm(n, d) for n in (1000, 10_000) for d in (2, 10)}
    weights, batch = random_network(784, 100, 10, 256)
    return [
        Problem("(a) x1 x2 + sin x1", "gradient", two_numbers, (1.5, 0.5),
                two_numbers_by_hand, goals=NUMPY_LOOPS),
        *(Problem(f"(b) Rosenbrock, vector, n = {n}", "gradient", rosenbrock, (near(1.0, n),),
                  rosenbrock_by_hand, goals=VECTORS) for n in (10, 1000)),
        *(Problem(f"(b) Rosenbrock, loop, n = {n}", "gradient", rosenbrock_loop,
                  (near(1.0, n),), rosenbrock_loop_by_hand, goals=NUMPY_LOOPS,
                  skip={"JAX": UNROLLED, "JAX jit": UNROLLED} if n > 100 else {})
          for n in (10, 1000)),
        Problem("(b) the same from generated code", "source", rosenbrock_loop, (near(1.0, 1000),),
                rosenbrock_loop_by_hand, goals=GENERATED),
        *(Problem(f"(c) Speelpenning, n = {n}", "gradient", speelpenning, (near(1.0, n),),
                  speelpenning_by_hand, goals=NUMPY_LOOPS) for n in (10, 100)),
        *(Problem(f"(d) mixture, n = {n}, d = {d}", "gradient", gmm, point, gmm_by_hand, data,
                  goals=GMM_1000 if n == 1000 else GMM_10_000)
          for (n, d), (point, data) in a_gmm.items()),
        Problem("(e) network 784-100-10, batch 256", "gradient", network, weights,
                network_by_hand, batch, goals=NETWORK,
                skip={"differences": "two evaluations for each of 79510 weights"}),
        Problem("(f) Newton, slope by package", "newton", newton, (2.0,),
                newton_by_formula, goals=FLOAT_LOOPS),
        Problem("(f) derivative through Newton", "gradient", newton_by_formula, (2.0,),
                newton_by_hand, goals=FLOAT_LOOPS),
        *(Problem(f"(g) brachistochrone, n = {n}", "gradient", brachistochrone, (path(n),),
                  brachistochrone_by_hand, goals=VECTORS) for n in (50, 1000)),
        Problem("(g) its Hessian, n = 50", "hessian", brachistochrone, (path(50),),
                brachistochrone_hessian, goals=HESSIAN, time_by_hand=False),
        *(Problem(f"(g) stiff equation, Jacobian, n = {n}", "jacobian", fisher, (front(n),),
                  fisher_by_hand, goals=JACOBIAN if n == 100 else {}) for n in (10, 100)),
        Problem("(g) stiff equation, sparse Jacobian, n = 2000", "sparse", fisher, (front(2000),),
                fisher_by_hand, goals={"f": 10}, time_by_hand=False),
    ]
