"""Time gradem's clustering against scikit-learn's: ``python benchmarks/mixture.py``.

Both fit the same points from the same start, and must arrive at the same parameters before
anything is timed. An iteration is the difference between a fit of some iterations and one of
few, divided by their number; a whole fit includes everything else: checks of the input, the
start, what is kept at the end. Programs take turns, as in `autodiff`; what counts is the median
CPU time on one thread. Two more tables say how much memory a fit takes beyond the points, and
how many passes over the points accelerated EM saves.

A complete run writes mixture.md and mixture.json into the folder of this program.
"""

import argparse
import json
import pathlib
import random
import tempfile
import time
import warnings

from autodiff import FIXED, fix_environment, machine, peak_memory, say, take_turns

if __name__ == "__main__":
    fix_environment()

import numpy as np                              # noqa: E402  after the environment is fixed
from sklearn import cluster, mixture            # noqa: E402

import gradem                                   # noqa: E402

KINDS = ("full", "tied", "diag", "spherical")
SIZES = [(N, d, K) for N in (272, 10_000, 1_000_000) for d in (2, 10, 50) for K in (2, 5, 20)]
MOST = 2e7                                      # N d K: what is larger takes minutes
GOAL_SMALL, GOAL = 0.35, 1.0                    # of scikit-learn's time an iteration: d <= 10, all
GOAL_PASSES = 0.4                               # of plain EM's passes


def points(N, d, K, seed=0):
    """Points around K centres, and the centres moved a little: a start."""
    rng = np.random.default_rng(seed)
    centres = 3.0 * rng.normal(size=(K, d))
    X = centres[rng.integers(K, size=N)] + rng.normal(size=(N, d))
    return X, centres + 0.3 * rng.normal(size=(K, d))


def start(kind, means):
    """Parameters of a mixture to start from."""
    K, d = means.shape
    return {"n_components": K, "covariance_type": kind, "means_init": means, "tol": 0.0,
            "weights_init": np.full(K, 1 / K),
            "precisions_init": {"full": np.stack([np.eye(d)] * K), "tied": np.eye(d),
                                "diag": np.ones((K, d)), "spherical": np.ones(K)}[kind]}


def fits(kind, X, means):
    """For each package a function from a number of iterations to a fitted estimator."""
    if kind == "k-means":
        parameters = {"n_clusters": len(means), "init": means, "n_init": 1, "tol": 0.0}
        return {"gradem": lambda n: gradem.KMeans(max_iter=n, **parameters).fit(X),
                "scikit-learn": lambda n: cluster.KMeans(
                    max_iter=n, algorithm="lloyd", **parameters).fit(X)}
    parameters = start(kind, means)
    return {"gradem": lambda n: gradem.GaussianMixture(max_iter=n, **parameters).fit(X),
            "scikit-learn": lambda n: mixture.GaussianMixture(max_iter=n, **parameters).fit(X)}


def require_equal(kind, fitted, name):
    """Stop if the two packages do not arrive at the same means or centres."""
    attribute = "cluster_centers_" if kind == "k-means" else "means_"
    ours, theirs = (getattr(fitted[package], attribute) for package in ("gradem", "scikit-learn"))
    error = np.max(np.abs(ours - theirs)) / np.max(np.abs(theirs))
    if not error <= 1e-8:
        raise SystemExit(f"gradem and scikit-learn differ by {error:.1e} for {name}. Nothing was "
                         "timed.")


def measure(kind, N, d, K, rounds, order):
    """Ratios of the times of an iteration and of a whole fit."""
    X, means = points(N, d, K)
    name = f"{kind}, N = {N}, d = {d}, K = {K}"
    few, many = (1, 4) if N > 100_000 else (2, 12)
    programs = fits(kind, X, means)
    require_equal(kind, {package: fit(few) for package, fit in programs.items()}, name)
    done = {package: fit(many).n_iter_ for package, fit in programs.items()}
    repeats = max(1, round(3e4 / (N * K)))
    runs = {(package, n): (lambda fit=fit, n=n: fit(n))
            for package, fit in programs.items() for n in (few, many)}
    times = take_turns(runs, dict.fromkeys(runs, repeats), rounds, order)
    iteration = {p: (times[p, many] - times[p, few]) / max(1, done[p] - few) for p in programs}
    known = min(done.values()) > few + 1 and min(iteration.values()) > 0
    return {"name": name, "kind": kind, "N": N, "d": d, "K": K,
            "iteration": iteration["gradem"] / iteration["scikit-learn"] if known else None,
            "fit": times["gradem", many] / times["scikit-learn", many],
            "seconds": times["gradem", many]}


def memory():
    """Peak memory of a fit beyond the points, in units of the points."""
    X, means = points(300_000, 5, 4)
    return {kind: {package: peak_memory(lambda fit=fit: fit(3)) / X.nbytes
                   for package, fit in fits(kind, X, means).items()}
            for kind in (*KINDS, "k-means")}


def acceleration():
    """Passes over the points until the log likelihood is within 1e-6 of its top."""
    rows = []
    for N, d, K, spread in [(5000, 2, 5, 2.0), (10_000, 5, 4, 1.3), (20_000, 10, 5, 1.0)]:
        rng = np.random.default_rng(3)
        centres = spread * rng.normal(size=(K, d))
        X = centres[rng.choice(K, size=N, p=rng.dirichlet(np.full(K, 5.0)))]
        X = X + rng.normal(size=(N, d))
        for kind in KINDS:
            say(f"acceleration: {kind}, d = {d}")
            parameters = {**start(kind, centres + 0.3), "reg_covar": 0.0}
            runs = {"EM": gradem.GaussianMixture(max_iter=3000, **parameters).fit(X),
                    "accelerated": gradem.GaussianMixture(max_iter=300, accelerate=True,
                                                          **parameters).fit(X)}
            climbs = {name: np.array([state.log_likelihood for state in run.history_])
                      for name, run in runs.items()}
            top = max(climb[-1] for climb in climbs.values())
            passes = {}
            for name, run in runs.items():
                reached = np.flatnonzero(climbs[name] >= top - 1e-6)
                passes[name] = (float(reached[0]) * run.n_passes_ / run.n_iter_
                                if len(reached) else float("inf"))
            rows.append({"name": f"{kind}, N = {N}, d = {d}, K = {K}", **passes})
    return rows


def large(N=10_000_000, d=10, K=5):
    """Seconds of a pass over ten million points on the disk, and the memory it takes, in MB."""
    rng = np.random.default_rng(0)
    centres = 4.0 * rng.normal(size=(K, d))
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "points.npy"
        file = np.lib.format.open_memmap(path, "w+", dtype=float, shape=(N, d))
        for i in range(0, N, 500_000):
            n = min(500_000, N - i)
            file[i:i + n] = centres[rng.integers(K, size=n)] + rng.normal(size=(n, d))
        del file
        X = np.load(path, mmap_mode="r")
        fit = gradem.GaussianMixture(max_iter=3, **start("full", centres))
        begin = time.process_time()
        fit.fit(X)
        passes = time.process_time() - begin
        return {"N": N, "d": d, "K": K, "seconds": passes / (fit.n_passes_ + 1),
                "peak": peak_memory(lambda: fit.fit(X)) / 1e6, "points": X.nbytes / 1e6}


# ---- the report -------------------------------------------------------------------------------


def verdict(row):
    """Met or missed, in words."""
    if row["iteration"] is None:
        return "too few iterations to tell"
    goal = GOAL_SMALL if row["d"] <= 10 and row["kind"] != "k-means" else GOAL
    return f"met (<= {goal})" if row["iteration"] <= goal else f"missed (> {goal})"


def shown(number):
    """Two digits, or a dash."""
    return "–" if number is None else f"{number:.2g}"


def markdown(run):
    """The tables."""
    lines = ["gradem's time divided by scikit-learn's: below 1 gradem is faster.", "",
             "| kind | N | d | K | an iteration | a whole fit | goal, an iteration |",
             "|---|---:|---:|---:|---:|---:|---|"]
    lines += [f"| {row['kind']} | {row['N']} | {row['d']} | {row['K']} | {shown(row['iteration'])} "
              f"| {shown(row['fit'])} | {verdict(row)} |" for row in run["times"]]
    told = [verdict(row) for row in run["times"] if row["iteration"] is not None]
    lines += ["", f"- Goals: {sum(v.startswith('met') for v in told)} of {len(told)} met.",
              f"- Left out: sizes with N d K above {MOST:.0e}."]
    if run["memory"]:
        lines += ["", "Peak memory of a fit beyond the points, divided by the size of the points:",
                  "", "| kind | gradem | scikit-learn |", "|---|---:|---:|"]
        lines += [f"| {kind} | {shown(peaks['gradem'])} | {shown(peaks['scikit-learn'])} |"
                  for kind, peaks in run["memory"].items()]
    if run["acceleration"]:
        lines += ["", "Passes over the points until the log likelihood is within 1e-6 of its top "
                  f"(goal: a share of at most {GOAL_PASSES}):", "",
                  "| mixture | EM | accelerated | share |", "|---|---:|---:|---:|"]
        lines += [f"| {row['name']} | {row['EM']:.0f} | {row['accelerated']:.0f} | "
                  f"{row['accelerated'] / row['EM']:.2f} |" for row in run["acceleration"]]
    if run["large"]:
        big = run["large"]
        lines += ["", f"{big['N']} points in {big['d']} dimensions, K = {big['K']}, from a file of "
                  f"{big['points']:.0f} MB: {big['seconds']:.1f} s a pass, and at most "
                  f"{big['peak']:.0f} MB of memory."]
    where = run["machine"]
    lines += ["", f"Medians of {run['rounds']} rounds, CPU time, one thread, {where['processor']}, "
              f"{where['system']}, Python {where['python']}."]
    return "\n".join(lines)


def main():
    """Run the benchmark; print the tables, and write them if the run is complete."""
    parser = argparse.ArgumentParser(
        description="Time gradem's mixtures and k-means against scikit-learn's.")
    parser.add_argument("--quick", action="store_true",
                        help="small sizes and few rounds: a minute, for a first look")
    parser.add_argument("--rounds", type=int, default=None,
                        help="how often each program is timed (5; with --quick 3)")
    parser.add_argument("--large", action="store_true",
                        help="fit ten million points from a temporary file of 800 MB, too")
    options = parser.parse_args()
    options.rounds = options.rounds or (3 if options.quick else 5)
    warnings.simplefilter("ignore")             # fits that are stopped before they converge
    order = random.Random(0)
    sizes = [size for size in SIZES if np.prod(size) <= (3e5 if options.quick else MOST)]
    cases = [(kind, *size) for kind in (*KINDS, "k-means") for size in sizes]
    times = []
    for count, case in enumerate(cases, 1):
        say(f"{count} of {len(cases)}: {case[0]}, N = {case[1]}, d = {case[2]}, K = {case[3]}")
        times.append(measure(*case, options.rounds, order))
    run = {"machine": machine(), "environment": FIXED, "rounds": options.rounds, "times": times,
           "memory": None if options.quick else memory(),
           "acceleration": None if options.quick else acceleration(),
           "large": large() if options.large else None}
    table = markdown(run)
    print(table)
    if options.quick:
        say("A quick run: nothing was written.")
        return
    here = pathlib.Path(__file__).parent
    (here / "mixture.md").write_text(table + "\n")
    (here / "mixture.json").write_text(json.dumps(run, indent=1) + "\n")
    say("Written: mixture.md, mixture.json")


if __name__ == "__main__":
    main()
