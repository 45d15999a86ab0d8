"""The corpus of hostile and clumsy submissions, graded by stock nbgrader and by this grader.

Each case of tests/autograder/corpus answers the same small course. Stock nbgrader runs in a
sandbox of ours, without a network and with bounds, so that nothing happens to this machine;
within it, it runs as it always does. Cases that would harm even so, or that look for what only
another kind of grader has, are not tried with it, and the table says so. What is compared is what
becomes of each: the points it deserves, more, less, or no mark at all, and whether secrets of the
course stand in what it shows.

    .venv/bin/python benchmarks/attacks.py                     # all, some ten minutes
    .venv/bin/python benchmarks/attacks.py --group forging     # one group, only printed
"""

import argparse
import contextlib
import importlib.metadata
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from autograder.classroom import grade_class          # noqa: E402
from autograder.course import Course                  # noqa: E402
from tests.autograder import corpus                   # noqa: E402
from tests.autograder.corpus import markers           # noqa: E402

PACKAGES = ("nbgrader", "nbclient", "ipykernel", "ipython")
CELL_SECONDS, WHOLE_SECONDS = 10, 90          # for stock nbgrader
MEMORY = 6 << 30
VERDICTS = {                                  # in the order in which they are looked for
    "leak": "secrets shown",
    "more": "undeserved points",
    "none": "no mark",
    "less": "points lost",
    "spoilt": "own answers destroyed",
    "right": "as deserved",
}
STUDENT = "student"


# ---- stock nbgrader ------------------------------------------------------------------


def make_template(folder):
    """A course as nbgrader's own documentation sets it up, before anybody handed in."""
    course = markers.marked_course(folder)
    with (folder / "nbgrader_config.py").open("a", encoding="utf-8") as config:
        config.write(f"c.ExecutePreprocessor.timeout = {CELL_SECONDS}\n")
    done = subprocess.run(["nbgrader", "generate_assignment", "ps1"], cwd=folder,
                          capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"nbgrader generate_assignment failed:\n{done.stderr[-2000:]}")
    markers.mark_gradebook(folder)
    course.hand_in("neighbour", markers.neighbour())


def stock(case, template):
    """What becomes of a case with stock nbgrader.

    Returns
    -------
    dict
        "points" of the two exercises or None, "leaks", "seconds".
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        course = Path(temporary, "course")
        shutil.copytree(template, course)
        if case.earlier:
            hand_in(corpus.case.Case("plain"), course)
            autograde(course)
        hand_in(case, course)
        seconds = autograde(course)
        return {"points": points(course), "leaks": leaks(course), "seconds": round(seconds, 1)}


def hand_in(case, course):
    folder = course / "submitted" / STUDENT / "ps1"
    if case.place:
        (folder / "p1.ipynb").unlink(missing_ok=True)
    case.hand_in(folder)


def autograde(course):
    """Run `nbgrader autograde` in a sandbox; returns the seconds it took."""
    start = time.monotonic()
    process = subprocess.Popen(
        ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--ro-bind", "/", "/",
         "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", "--bind", course, course,
         "--setenv", "HOME", course, "--setenv", markers.VARIABLE, markers.TOKEN,
         "--chdir", course, "nbgrader", "autograde", "ps1", "--student", STUDENT, "--force"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        preexec_fn=bounded, start_new_session=True)
    try:
        process.wait(WHOLE_SECONDS)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return time.monotonic() - start


def bounded():
    """Limits on memory and files of what runs next."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, 1 << 30))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def points(course):
    """Points of the two exercises in the gradebook, or None if there is no mark."""
    if not (course / "autograded" / STUDENT / "ps1" / "p1.ipynb").is_file():
        return None
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", "small") as book:
        try:
            found = book.find_submission_notebook("p1", "ps1", STUDENT)
        except MissingEntry:
            return None
        return [sum(grade.auto_score or 0.0 for grade in found.grades
                    if grade.name.startswith(exercise)) for exercise in ("square", "mean")]


def leaks(course):
    """The secrets in what the learner's cells show, which their feedback would hold."""
    import nbformat
    path = course / "autograded" / STUDENT / "ps1" / "p1.ipynb"
    if not path.is_file():
        return []
    notebook = nbformat.read(path, as_version=4)
    shown = [json.dumps(cell.get("outputs", [])) for cell in notebook.cells
             if not cell.metadata.get("nbgrader", {}).get("grade")]
    return markers.stolen("\n".join(shown))


# ---- this grader ---------------------------------------------------------------------


def ours(cases, folder, say):
    """What becomes of the cases as one class of this grader, by name."""
    markers.marked_course(folder)
    course = Course(folder)
    assignment = course.assignment("ps1")
    names = {f"s{number:03}": case for number, case in enumerate(cases)}
    earlier = [name for name, case in names.items() if case.earlier]
    for name in earlier:
        corpus.case.Case("plain").hand_in(folder / "submitted" / name / "ps1")
    if earlier:
        list(grade_class(course, assignment, students=earlier))
        markers.mark_gradebook(folder)
    for name, case in names.items():
        if case.place:
            (folder / "submitted" / name / "ps1/p1.ipynb").unlink(missing_ok=True)
        case.hand_in(folder / "submitted" / name / "ps1")
    found = {}
    for result in grade_class(course, assignment, seed=4711):
        report = result.reports["p1"]
        pages = [path.read_text(encoding="utf-8")
                 for path in (folder / "feedback" / result.student).rglob("*") if path.is_file()]
        found[names[result.student].name] = {
            "points": [sum(cell.points for cell in report.cells if cell.exercise == exercise)
                       for exercise in ("square", "mean")],
            "leaks": markers.stolen("\n".join(pages)), "seconds": round(report.seconds, 1),
            "incidents": sorted({incident.kind for incident in report.incidents})}
        say(f"autograder: {names[result.student].name}")
    return found


# ---- what came out -------------------------------------------------------------------


def verdict(case, outcome):
    """What became of a case, as a key of VERDICTS."""
    if outcome["leaks"]:
        return "leak"
    if outcome["points"] is None:
        return "right" if case["rejected"] else "none"
    if case["oversized"]:              # right answers in too large a file: a mark is in order
        return "right"
    pairs = list(zip(outcome["points"], case["deserves"], strict=True))
    if any(got > due for got, due in pairs):
        return "more"
    if any(got < due for got, due in pairs):
        return "spoilt" if case["spoils"] else "less"
    return "right"


def result(groups, say):
    """Everything that is reported, as plain data."""
    chosen = [(group, case) for group in groups for case in corpus.GROUPS[group]]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        template = Path(temporary, "template")
        make_template(template)
        own = ours([case for _, case in chosen], Path(temporary, "course"), say)

        def tried(case):
            say(f"nbgrader: {case.name}")
            return {"unfit": case.unfit} if case.unfit else stock(case, template)

        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            others = list(pool.map(tried, [case for _, case in chosen]))
    return {
        "cases": [{"group": group, "name": case.name, "deserves": list(case.deserves),
                   "spoils": case.spoils, "rejected": case.rejected,
                   "oversized": case.oversized, "nbgrader": other,
                   "autograder": own[case.name]}
                  for (group, case), other in zip(chosen, others, strict=True)],
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
    }


def counts(cases, grader):
    """How many cases ended in which verdict."""
    return Counter("unfit" if "unfit" in case[grader] else verdict(case, case[grader])
                   for case in cases)


def summary(data):
    """The table of counts: a line for each group of cases."""
    lines = ["| submissions | | " + " | ".join(VERDICTS.values()) + " | not tried |",
             "|---|---|" + "---:|" * (len(VERDICTS) + 1)]
    for group in dict.fromkeys(case["group"] for case in data["cases"]):
        cases = [case for case in data["cases"] if case["group"] == group]
        for grader, title in (("nbgrader", f"{group} ({len(cases)})"), ("autograder", "")):
            found = counts(cases, grader)
            lines.append(f"| {title} | {grader} | "
                         + " | ".join(str(found[key] or "–") for key in [*VERDICTS, "unfit"])
                         + " |")
    return "\n".join(lines) + "\n"


def table(data):
    """The table of cases: what each deserves, and what became of it."""
    lines = ["| case | deserves | nbgrader | autograder |", "|---|---|---|---|"]
    for case in data["cases"]:
        cells = [case["name"], due(case),
                 *(told(case, case[grader]) for grader in ("nbgrader", "autograder"))]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def due(case):
    """What a case deserves, in words."""
    if case["oversized"]:
        return "rejection, or its marks"
    return "rejection" if case["rejected"] else score(case["deserves"])


def score(found):
    return " + ".join(f"{number:g}" for number in found)


def told(case, outcome):
    """What became of a case, in words."""
    if "unfit" in outcome:
        return f"not tried: {outcome['unfit']}"
    key = verdict(case, outcome)
    points = "no mark" if outcome["points"] is None else score(outcome["points"])
    if case["rejected"] and not any(outcome["points"] or ()):
        points = "rejected"
    words = "" if key in ("right", "none") else f", {VERDICTS[key]}"
    incidents = outcome.get("incidents")
    return f"{points}{words}" + (f" ({', '.join(incidents)})" if incidents else "")


def markdown(data):
    """The report as text."""
    made = ", ".join(f"{name} {version}" for name, version in data["versions"].items())
    return (f"{summary(data)}\nEach case hands in answers to two exercises of five points. Stock "
            f"nbgrader: {made}, {CELL_SECONDS} s a cell, {WHOLE_SECONDS} s a submission.\n\n"
            f"<!-- each case -->\n\n{table(data)}")


def main():
    """Grade, print the table, and keep it unless some groups only were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--group", action="append", choices=corpus.GROUPS,
                        help="only this group of cases; may be repeated")
    chosen = parser.parse_args()
    # nbgrader looks for the programs of this environment on the path
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    data = result(chosen.group or list(corpus.GROUPS),
                  say=lambda text: print(text, file=sys.stderr))
    print(markdown(data))
    if not chosen.group:
        (HERE / "attacks.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
        (HERE / "attacks.md").write_text(markdown(data), encoding="utf-8")


if __name__ == "__main__":
    main()
