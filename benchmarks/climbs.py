"""Passes and seconds to the top of a mixture's likelihood: ``python benchmarks/climbs.py``.

Chapter 18 counts the passes over the points that EM, accelerated EM, L-BFGS and gradient ascent
need from the same start. A pass costs each of them something else, so this program also takes
the time: of a climb that ends as soon as the log likelihood is within 0.0001 of the top. Programs
take turns, as in `autodiff`; what counts is the median CPU time on one thread. It takes a minute
and writes `book/climbs.json`, which the chapter reads.
"""

import datetime
import json
import math
import pathlib
import random
import warnings

from autodiff import fix_environment, machine, say, take_turns

if __name__ == "__main__":
    fix_environment()

import numpy as np                              # noqa: E402  after the environment is fixed
import scipy.optimize                           # noqa: E402

import gradem                                   # noqa: E402
from gradem.ascent import log_likelihood        # noqa: E402
from gradem.families import FAMILIES            # noqa: E402
from gradem.unconstrained import pack           # noqa: E402

RESULTS = pathlib.Path(__file__).resolve().parent.parent / "book" / "climbs.json"
NEAR = 1e-4                                     # of the top, in units of the log likelihood
ROUNDS = 7
STEPS = 2.0, 1.0, 0.5                           # of gradient ascent, times the mean gradient a point
MOST = 5000                                     # passes of gradient ascent


def problems():
    """Points and a start, by name: the data sets of the chapter, the second also larger."""
    eye = np.eye(2)
    first = (np.full(3, 1 / 3), np.array([[1.0, 1.5], [1.5, 1.0], [1.0, 1.0]]), np.array([eye] * 3))
    second = (np.full(2, 0.5), np.array([[-0.5, 0.0], [2.0, 0.0]]), np.array([eye] * 2))

    def overlapping(N):
        return gradem.datasets.blobs(np.full(2, 0.5), [[0.0, 0.0], [2.0, 0.5]], [eye, 2 * eye], N,
                                     seed=3)[0]
    return {"three groups, 150 points": (np.asarray(gradem.datasets.three_clusters()[0]), first),
            "overlapping, 400 points": (overlapping(400), second),
            "overlapping, 40 000 points": (overlapping(40_000), second)}


def em(X, start, iterations, accelerate):
    """A fit with so many iterations."""
    weights, means, covariances = start
    return gradem.GaussianMixture(
        len(weights), weights_init=weights, means_init=means, tol=0.0, reg_covar=0.0,
        precisions_init=np.linalg.inv(covariances), max_iter=iterations,
        accelerate=accelerate).fit(X)


class Near(Exception):
    """The climb is near the top."""


def l_bfgs(X, start, goal):
    """Climb by L-BFGS with our gradients until the goal; returns the evaluations it took."""
    climb = gradem.value_and_grad(lambda vector: -log_likelihood(vector, X, len(start[0])))
    evaluations = 0

    def down(vector):
        nonlocal evaluations
        evaluations += 1
        value, gradient = climb(vector)
        if -value >= goal:
            raise Near
        return value, gradient

    try:
        scipy.optimize.minimize(down, pack(FAMILIES["full"], *start), jac=True, method="L-BFGS-B",
                                options={"ftol": 0.0, "gtol": 0.0, "maxfun": 10_000})
    except Near:
        return evaluations
    raise SystemExit("L-BFGS stopped before it was near the top")


def gradient_ascent(X, start, goal, step):
    """Climb along the gradient, with a fixed step, until the goal; returns the passes it took."""
    climb = gradem.value_and_grad(lambda vector: log_likelihood(vector, X, len(start[0])))
    vector = pack(FAMILIES["full"], *start)
    for passes in range(1, MOST + 1):
        value, gradient = climb(vector)
        if value >= goal:
            return passes
        vector = vector + step / len(X) * gradient
    return math.inf


def measure(X, start, order):
    """Passes and seconds of each climber, by name."""
    runs = {name: em(X, start, most, accelerate)
            for name, most, accelerate in [("EM", 3000, False), ("accelerated EM", 300, True)]}
    heights = {name: np.array([state.log_likelihood for state in run.history_])
               for name, run in runs.items()}
    goal = max(climb.max() for climb in heights.values()) - NEAR
    needed = {name: int(np.argmax(climb >= goal)) for name, climb in heights.items()}
    step = min(STEPS, key=lambda step: gradient_ascent(X, start, goal, step))
    programs = {"EM": lambda: em(X, start, needed["EM"], False),
                "accelerated EM": lambda: em(X, start, needed["accelerated EM"], True),
                "L-BFGS": lambda: l_bfgs(X, start, goal),
                "gradient ascent": lambda: gradient_ascent(X, start, goal, step)}
    passes = {"EM": programs["EM"]().n_passes_,
              "accelerated EM": programs["accelerated EM"]().n_passes_,
              "L-BFGS": programs["L-BFGS"](),
              "gradient ascent": programs["gradient ascent"]()}
    times = take_turns(programs, dict.fromkeys(programs, 1), ROUNDS, order)
    return {name: {"passes": int(passes[name]), "seconds": times[name]} for name in programs}


def main():
    """Measure, and write the results."""
    order, found = random.Random(0), {}
    with warnings.catch_warnings(action="ignore"):              # the climbs are to stop early
        for name, (X, start) in problems().items():
            say(name)
            found[name] = measure(X, start, order)
    run = {"date": f"{datetime.date.today()}", "machine": machine(), "numpy": np.__version__,
           "near": NEAR, "climbs": found}
    RESULTS.write_text(json.dumps(run, indent=1) + "\n")


if __name__ == "__main__":
    main()
