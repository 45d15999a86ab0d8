"""Time gradem against its peers: ``python benchmarks/autodiff.py``.

Every package differentiates the same functions at the same points (see `problems` and
`peers`). First each answer is compared with one obtained without the packages, and the run
stops if one is wrong. Then, a problem at a time, the programs take turns for some rounds, in
random order within each round, so that whatever else the machine does falls on all of them
alike. What counts is the CPU time of the process, and of all rounds the median. All packages
compute in float64 with one thread and the same settings of the memory allocator; Python's
garbage collector rests while a program is timed, as in `timeit`.

The result is a table of ratios, gradem's time divided by that of the peer, with the goals
beside them. A complete run writes it to autodiff.md, with a figure (autodiff.svg) and the raw
medians (autodiff.json), into the folder of this program; a partial run only prints it.
"""

import argparse
import gc
import itertools
import json
import math
import os
import pathlib
import platform
import random
import statistics
import sys
import time
import tracemalloc

FIXED = {
    # one thread for every library
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    "NPROC": "1",                              # XLA's own pool of threads
    "JAX_PLATFORMS": "cpu",
    # glibc keeps freed memory: else each large array costs page faults, charged to whichever
    # package happens to allocate next
    "MALLOC_TRIM_THRESHOLD_": "1000000000",
    "MALLOC_MMAP_THRESHOLD_": "1000000000",
}

TOLERANCE = {"differences": 1e-5}              # of the answers, relative; others:
EXACT = 1e-10
SLOW = 0.5                                     # seconds: a slower program is timed only once


def fix_environment():
    """Start this program again, with the same arguments, in the environment of `FIXED`.

    Libraries read these variables when they are loaded, and the C library when the process
    starts: too late to set them here.
    """
    if any(os.environ.get(name) != value for name, value in FIXED.items()):
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, **FIXED})


def parse(arguments):
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        description="Time gradem against other packages for automatic differentiation, "
                    "and print the ratios of their times.")
    parser.add_argument("--quick", action="store_true",
                        help="few rounds and short ones: about a minute, for a first look")
    parser.add_argument("--only", metavar="PROBLEM", action="append", default=[],
                        help="only problems whose name contains this, such as 'mixture' or "
                             "'(b)'; may be given several times")
    parser.add_argument("--without", metavar="PACKAGE", action="append", default=[],
                        help="leave out a package, such as torch; may be given several times")
    parser.add_argument("--rounds", type=int, metavar="N",
                        help="how often each program is timed (11; with --quick 3)")
    parser.add_argument("--seed", type=int, default=0, metavar="N",
                        help="seed of the random order of the programs (0)")
    options = parser.parse_args(arguments)
    if options.rounds is None:
        options.rounds = 3 if options.quick else 11
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    return options


def say(*words):
    """Report progress, apart from the results."""
    print(*words, file=sys.stderr, flush=True)


# ---- before timing --------------------------------------------------------------------------


def prepare(problem, compared):
    """The programs for one problem, each run once and its answer checked.

    Returns
    -------
    programs : dict of str to callable
    errors : dict of str to float
        The largest difference of each answer from the independent one, see `difference`; under
        the name "gradem and JAX" that between those two.
    first : dict of str to float
        CPU seconds of the first call, which for compilers is mostly compilation.
    """
    expected = peers.derivative_of(problem, problem.by_hand(*problem.arguments))
    programs, answers, errors, first = {}, {}, {}, {}
    for peer in compared:
        make = getattr(peer, problem.task, None)
        if make is None or peer.name in problem.skip:
            continue
        if peer.name == "by hand" and not problem.time_by_hand:
            continue
        program = make(problem)
        start = time.process_time()
        result = program()
        first[peer.name] = time.process_time() - start
        answer = peers.derivative_of(problem, result)
        error = difference(answer, expected)
        if not error <= TOLERANCE.get(peer.name, EXACT):
            raise SystemExit(f"{peer.name} gives a wrong answer for {problem.name}: off by "
                             f"{error:.1e}. Nothing was timed.")
        programs[peer.name], answers[peer.name], errors[peer.name] = program, answer, error
    if {"gradem", "JAX jit"} <= answers.keys():
        errors["gradem and JAX"] = difference(answers["gradem"], answers["JAX jit"])
    if problem.task != "newton":
        programs["f"] = lambda: problem.f(*problem.arguments)
    return programs, errors, first


def difference(found, expected):
    """Largest |x - y| / max(1, |x| + |y|) of two vectors: ADBench's measure of accuracy."""
    if found.shape != expected.shape:
        return math.inf
    scale = np.maximum(1.0, np.abs(found) + np.abs(expected))
    return float(np.max(np.abs(found - expected) / scale))


# ---- timing ---------------------------------------------------------------------------------


def seconds(program, number):
    """CPU seconds of one call, as the mean of `number` calls, after some that do not count.

    The first calls bring the program and its data back into the caches; on tasks this small
    they can take twice as long as all others.
    """
    for _ in itertools.repeat(None, number // 5):
        program()
    start = time.process_time()
    for _ in itertools.repeat(None, number):
        program()
    return (time.process_time() - start) / number


def calls_for(program, duration):
    """How many calls of a program take about `duration` seconds, and how long one takes."""
    number = 1
    while (one := seconds(program, number)) * number < duration / 2 and one < SLOW:
        number *= 4
    return max(1, round(duration / one)), one


def take_turns(programs, numbers, rounds, order):
    """Time programs in turn, in a new random order each round; the medians in seconds."""
    times = {name: [] for name in programs}
    names = list(programs)
    for _ in range(rounds):
        order.shuffle(names)
        gc.collect()
        gc.disable()
        for name in names:
            times[name].append(seconds(programs[name], numbers[name]))
        gc.enable()
    return {name: statistics.median(values) for name, values in times.items()}


def peak_memory(program):
    """Bytes that Python and NumPy hold at most, beyond what was there before, in one call."""
    gc.collect()
    tracemalloc.start()
    program()
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    result = program()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del result
    return peak - before


# ---- the run --------------------------------------------------------------------------------


def measure(chosen, compared, options):
    """Check all programs, then time them: the raw results, one dict a problem."""
    duration = 0.01 if options.quick else 0.03
    prepared = []
    for count, problem in enumerate(chosen, 1):
        say(f"checking {count} of {len(chosen)}: {problem.name}")
        programs, errors, first = prepare(problem, compared)
        plans = {name: calls_for(program, duration) for name, program in programs.items()}
        prepared.append((problem, programs, errors, first, plans))

    gc.freeze()                                 # collections need not look at all this again
    costs = [options.rounds * sum(number * one for number, one in plans.values() if one < SLOW)
             for *_, plans in prepared]
    order, results, began = random.Random(options.seed), [], time.perf_counter()
    for count, (problem, programs, errors, first, plans) in enumerate(prepared, 1):
        left = 1.4 * sum(costs[count - 1:])     # collections, and calls that do not count
        say(f"timing {count} of {len(chosen)}: {problem.name} (about {left:.0f} s left)")
        quick = {name: program for name, program in programs.items() if plans[name][1] < SLOW}
        once = {name: plans[name][1] for name in programs if name not in quick}
        numbers = {name: plans[name][0] for name in quick}
        medians = once | take_turns(quick, numbers, options.rounds, order)
        if problem.task == "newton":
            medians["f"] = medians["by hand"]
        results.append({
            "name": problem.name,
            "seconds": medians,
            "timed once": sorted(once),
            "first call, seconds": first,
            "error": errors,
            "goals": problem.goals,
            "skipped": problem.skip,
        })
    say(f"timed in {time.perf_counter() - began:.0f} s")
    return results


def memory(compared):
    """Peak memory of one gradient of the largest mixture, for packages that use NumPy."""
    problem = next(p for p in problems.all_problems() if p.name == problems.MEMORY)
    seen = {peer.name: peak_memory(peer.gradient(problem)) for peer in compared
            if peer.name in ("gradem", "autograd", "by hand")}
    seen["f"] = peak_memory(lambda: problem.f(*problem.arguments))
    return {"name": problem.name, "bytes": seen, "goals": {"autograd": 1.0}}


def machine():
    """What was measured on: processor, system and Python."""
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as lines:
            model = next(line.split(":")[1].strip() for line in lines
                         if line.startswith("model name"))
    except (OSError, StopIteration):
        pass                                    # not Linux: what Python knows must do
    return {"processor": model, "system": platform.system(),
            "python": platform.python_version()}


def main(arguments=None):
    """Run the benchmark; print the table, and write the files if the run is complete."""
    options = parse(arguments)
    chosen = [p for p in problems.all_problems()
              if not options.only or any(text in p.name for text in options.only)]
    if not chosen:
        names = "\n  ".join(p.name for p in problems.all_problems())
        raise SystemExit(f"No problem's name contains that. The problems are:\n  {names}")
    compared, missing = peers.available(options.without)
    if compared[0].name != "gradem":
        raise SystemExit(f"gradem: {missing['gradem']}; there is nothing to compare.")
    for name, reason in missing.items():
        say(f"without {name}: {reason}")

    run = {
        "machine": machine(),
        "versions": peers.versions(compared),
        "rounds": options.rounds,
        "environment": FIXED,
        "missing": missing,
        "problems": measure(chosen, compared, options),
        "memory": memory(compared),
    }
    table = report.markdown(run)
    print(table)
    if options.quick or options.only or options.without:
        say("A partial run: nothing was written.")
        return
    here = pathlib.Path(__file__).parent
    (here / "autodiff.md").write_text(table + "\n")
    (here / "autodiff.json").write_text(json.dumps(run, indent=1) + "\n")
    report.figure(run).savefig(here / "autodiff.svg", metadata={"Date": None})
    say("Written: autodiff.md, autodiff.svg, autodiff.json")


if __name__ == "__main__":
    fix_environment()

import numpy as np                              # noqa: E402  after the environment is fixed

import peers                                    # noqa: E402
import problems                                 # noqa: E402
import report                                   # noqa: E402

if __name__ == "__main__":
    main()
