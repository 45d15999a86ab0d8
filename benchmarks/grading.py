"""Submissions a minute: this grader and stock nbgrader, side by side on the same class.

Each round grades the same submissions once with ``nbgrader autograde`` and once with
``autograder grade``, in turn, each in a fresh copy of the course; both commands are timed
from start to end, as an instructor would wait for them. Honest answers must get the same
marks from both. Beside the whole class the rate is given without the fixed start, from
two class sizes: that is what counts for a large course.

    .venv/bin/python benchmarks/grading.py            # a class of 100, 3 rounds: ten minutes
    .venv/bin/python benchmarks/grading.py --students 8 --rounds 1
"""

import argparse
import csv
import importlib.metadata
import json
import math
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from autograder.course import Course
from autograder.demo import Homework

HERE = Path(__file__).parent
ROOT = HERE.parent
ASSIGNMENT = "01-differences"
LARGE = (100, 10_000, 1_000_000)      # for the table of sizes
HOURS = (1, 8)
GOAL = 8.0                            # times as many submissions a minute as stock nbgrader
PACKAGES = ("nbgrader", "nbclient", "ipykernel", "ipython", "numpy")

CONFIGURATION = """
c = get_config()
c.CourseDirectory.course_id = "benchmark"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "exercises"
"""


def honest(work, number):
    """Fill a learner's notebook: every answer right, in another style, wrong, or not answered."""
    codes = {}
    for place, name in enumerate(work.exercises):
        choice = (number + place) % 5
        if choice == 4 and number % 2:
            continue                                          # not answered
        codes[name] = work.choose(name, choice < 3, choice % 3) if choice else work.solutions[name]
    work.fill(codes)
    return work.text()


def make_course(folder, students):
    """A course with one assignment that so many students have handed in."""
    for name in ("solutions", "exercises"):
        shutil.copytree(ROOT / name / ASSIGNMENT, folder / name / ASSIGNMENT)
    (folder / "nbgrader_config.py").write_text(CONFIGURATION)
    source = Course(folder).assignment(ASSIGNMENT).notebooks[0]
    released = folder / "exercises" / ASSIGNMENT / source.path.name
    for number in range(students):
        place = folder / "submitted" / f"student{number:03}" / ASSIGNMENT
        place.mkdir(parents=True)
        (place / source.path.name).write_text(honest(Homework(source, released), number))
    # nbgrader grades what its gradebook knows as an assignment
    run(folder, "nbgrader", "generate_assignment", ASSIGNMENT, "--force")


def run(folder, *command):
    """Run a command in a course; returns the seconds it took."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}"
                                         f"{os.environ['PATH']}"}
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return time.perf_counter() - start


def marks(folder):
    """The score of each student, as nbgrader exports it."""
    run(folder, "nbgrader", "export", "--to", "marks.csv")
    with open(folder / "marks.csv", encoding="utf-8") as file:
        return {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}


GRADERS = {
    "nbgrader": ("nbgrader", "autograde", ASSIGNMENT),
    "autograder": ("autograder", "grade", ASSIGNMENT),
}


def measure(students, rounds, say=print):
    """Seconds of each grader in each round, and whether marks were equal.

    Returns
    -------
    seconds : dict of str to list of float
    equal : bool
    """
    seconds, found = {name: [] for name in GRADERS}, {}
    with tempfile.TemporaryDirectory() as temporary:
        course = Path(temporary, "course")
        make_course(course, students)
        for number in range(rounds):
            for name in sorted(GRADERS, reverse=number % 2):
                copy = Path(temporary, "copy")
                shutil.copytree(course, copy)
                seconds[name].append(run(copy, *GRADERS[name]))
                found[name] = marks(copy)
                shutil.rmtree(copy)
                say(f"{students} submissions, round {number + 1}, {name}: "
                    f"{seconds[name][-1]:.1f} s")
    return seconds, found["nbgrader"] == found["autograder"]


def result(students, rounds, say=print):
    """Everything that is reported, as plain data."""
    few = max(2, students // 5)
    small, equal = measure(few, rounds, say)
    large, also_equal = measure(students, rounds, say)
    ratios = [stock / ours for stock, ours in zip(large["nbgrader"], large["autograder"])]
    each = {name: (statistics.median(large[name]) - statistics.median(small[name]))
            / (students - few) for name in GRADERS}
    return {
        "assignment": ASSIGNMENT, "students": students, "few": few, "rounds": rounds,
        "cores": len(os.sched_getaffinity(0)), "equal marks": equal and also_equal,
        "seconds": large, "seconds of few": small,
        "a minute": {name: 60 * students / statistics.median(large[name]) for name in GRADERS},
        "seconds each": each, "ratio": statistics.median(ratios),
        "ratio each": each["nbgrader"] / each["autograder"], "goal": GOAL,
        "machine": {"processor": processor(), "system": platform.platform(terse=True),
                    "python": platform.python_version()},
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
    }


def processor():
    """The name of the processor, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def markdown(data):
    """The report as text."""
    lines = ["Whole commands, from start to end, on the same submissions; median over rounds in",
             "which both graders take turns.", "",
             f"| class of {data['students']} | nbgrader autograde | autograder grade | ratio |",
             "|---|---:|---:|---:|",
             "| submissions a minute | {nbgrader:.1f} | {autograder:.0f} ".format(**data["a minute"])
             + f"| {data['ratio']:.1f} |",
             "| seconds for one more | {nbgrader:.2f} | {autograder:.2f} ".format(
                 **data["seconds each"]) + f"| {data['ratio each']:.1f} |", "",
             *sizes(data), "",
             f"- Goal: {data['goal']:g} times as many a minute: "
             f"{'met' if data['ratio'] >= data['goal'] else 'missed'}. Marks of honest answers: "
             f"{'equal' if data['equal marks'] else 'DIFFERENT'}.",
             f"- \"One more\" is the difference between classes of {data['students']} and "
             f"{data['few']}, without the start of the command.",
             f"- {data['assignment']}, {data['rounds']} rounds, {data['cores']} cores, "
             f"{data['machine']['processor']}, {data['machine']['system']}, "
             f"Python {data['machine']['python']}, "
             + ", ".join(f"{name} {version}" for name, version in data["versions"].items()) + "."]
    return "\n".join(lines) + "\n"


def sizes(data):
    """The lines of a table: how long large courses take, and with how many cores."""
    start = statistics.median(data["seconds"]["autograder"]) \
        - data["students"] * data["seconds each"]["autograder"]
    yield (f"| submissions | on these {data['cores']} cores | cores for the result within "
           f"{HOURS[0]} h | within {HOURS[1]} h |")
    yield "|---:|---:|---:|---:|"
    for number in LARGE:
        seconds = start + number * data["seconds each"]["autograder"]
        cores = [max(1, math.ceil(data["cores"] * seconds / (3600 * hours))) for hours in HOURS]
        yield f"| {number:,} | {duration(seconds)} | {cores[0]} | {cores[1]} |"


def duration(seconds):
    """A time in the unit that suits it."""
    for unit, size in (("h", 3600.0), ("min", 60.0)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"


def main():
    """Measure, print the table, and keep it unless fewer submissions were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--students", type=int, default=100, help="size of the class (default 100)")
    parser.add_argument("--rounds", type=int, default=3, help="how often (default 3)")
    chosen = parser.parse_args()
    data = result(chosen.students, chosen.rounds, say=lambda text: print(text, file=sys.stderr))
    print(markdown(data))
    if chosen.students >= 100 and chosen.rounds >= 3:
        (HERE / "grading.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
        (HERE / "grading.md").write_text(markdown(data), encoding="utf-8")


if __name__ == "__main__":
    main()
