"""An invented class hands in: the right, the wrong, the clumsy and the hostile.

The learners' notebooks are made from the released ones and from answers.toml, always in
the same way. Everything happens in a copy of the course in _build/demo: what is handed
in, nbgrader's gradebook, the reports and the feedback pages. A learner's name says what
to expect of his or her notebook.
"""

import os
import re
import shutil
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder import Unusable, exports, overview, rehearsal, tables
from autograder.classroom import grade_class
from autograder.course import CONFIGURATIONS, Course
from autograder.cells import names_bound
from autograder.sandbox import require_bubblewrap
from autograder.submission import MAX_BYTES, grade_id, is_answer, is_test
from autograder.summary import Summary

FOLDER = Path("_build", "demo")
SEED = 20180222
MARKERS = re.compile(r"^\s*### (BEGIN|END) SOLUTION.*\n?", re.MULTILINE)


# ---- a learner's notebook ---------------------------------------------------


class Homework:
    """What a learner works with: the released notebook, and answers to choose from.

    Parameters
    ----------
    source : SourceNotebook
    released : path
    """

    def __init__(self, source, released):
        notebook = nbformat.read(source.path, as_version=4)
        self.solutions = {grade_id(cell): MARKERS.sub("", cell.source)
                          for cell in notebook.cells if is_answer(cell)}
        self.answers, _ = rehearsal.read_answers(source)
        self.notebook = nbformat.read(released, as_version=4)
        self.exercises = [exercise.name for exercise in source.exercises if exercise.tests]

    def choose(self, exercise, right, number):
        """The right or wrong answer with this number, or the solution if there is none."""
        codes = [answer.code for answer in self.answers
                 if answer.exercise == exercise and answer.right == right]
        return codes[number] if number < len(codes) else self.solutions[exercise]

    def fill(self, codes):
        """Put code into answer cells, by the exercise's name."""
        for cell in self.notebook.cells:
            if grade_id(cell) in codes:
                cell.source = codes[grade_id(cell)]

    def solve(self):
        """Answer every exercise with the solution."""
        self.fill(self.solutions)

    def text(self):
        """The notebook as it is handed in."""
        return nbformat.writes(self.notebook)


# ---- the class --------------------------------------------------------------


def all_right(work):
    """Every exercise as the solution has it."""
    work.solve()


def other_style(work):
    """Every exercise right, in another style."""
    work.fill({name: work.choose(name, True, 0) for name in work.exercises})


def third_style(work):
    """Every exercise right, in a third style."""
    work.fill({name: work.choose(name, True, 1) for name in work.exercises})


def mistakes(work):
    """A mistake in every exercise."""
    work.fill({name: work.choose(name, False, 0) for name in work.exercises})


def one_slip(work):
    """All right but for the last exercise."""
    work.solve()
    work.fill({work.exercises[-1]: work.choose(work.exercises[-1], False, 1)})


def half_done(work):
    """The first half right, the rest as it was released."""
    half = work.exercises[:len(work.exercises) // 2]
    work.fill({name: work.solutions[name] for name in half})


def tests_deleted(work):
    """All right; test cells are gone, prints and warnings everywhere."""
    work.solve()
    work.notebook.cells = [cell for cell in work.notebook.cells if not is_test(cell)]
    for cell in filter(is_answer, work.notebook.cells):
        cell.source += "\nimport warnings; warnings.warn('is this right?')\nprint('here', 1 / 3)"


def copied_cells(work):
    """All right; each answer cell stands twice, the first time as it was released."""
    stubs = {grade_id(cell): cell.source for cell in work.notebook.cells if is_answer(cell)}
    work.solve()
    cells = []
    for cell in work.notebook.cells:
        if is_answer(cell):
            first = nbformat.from_dict(cell)
            first.id, first.source = f"{cell.id}-copy", stubs[grade_id(cell)]
            cells.append(first)
        cells.append(cell)
    work.notebook.cells = cells


def new_cells(work):
    """All right; the answers stand in new cells, below the released ones."""
    cells = []
    for cell in work.notebook.cells:
        cells.append(cell)
        if is_answer(cell):
            cells.append(new_code_cell(work.solutions[grade_id(cell)]))
    work.notebook.cells = cells


def always_equal(work):
    """Objects that claim to be equal to whatever they are compared with."""
    for name in work.exercises:
        lines = ["class Always(float):",
                 "    def __eq__(self, other): return True",
                 "    __lt__ = __le__ = __gt__ = __ge__ = __eq__",
                 "    __hash__ = None",
                 "    def __getattr__(self, name): return self"]
        lines += [f"{bound} = lambda *a, **k: Always(1.0)"
                  for bound in sorted(names_bound(work.solutions[name]))]
        work.fill({name: "\n".join(lines)})


def patched_check(work):
    """No answers, but a check module in which nothing ever fails."""
    work.fill({work.exercises[0]: "import gradem.check as check\n"
               "for name in ('close', 'equal', 'true', 'raises', 'returns'):\n"
               "    setattr(check, name, lambda *a, **k: None)"})


def thief(work):
    """Looks for solutions, marks and secrets, and hands in what it finds."""
    work.fill({name: "import glob, os\n"
               "places = ['/', os.getcwd(), os.path.expanduser('~'), '/home/*', '/root', '/tmp']\n"
               "names = ['solutions/*/*', 'gradebook.db', '*.ipynb', '*/*.ipynb', '.ssh/*']\n"
               "found = [path for place in places for name in names\n"
               "         for path in glob.glob(os.path.join(place, name))]\n"
               "print(os.environ, found)\n"
               "exec(open(found[0]).read())" for name in work.exercises})


def exits(work):
    """The first answer ends the kernel; the others are right."""
    work.solve()
    work.fill({work.exercises[0]: "import os\nos._exit(0)"})


def endless_loop(work):
    """The first answer never ends; the others are right."""
    work.solve()
    work.fill({work.exercises[0]: "while True:\n    pass"})


def cut_off(work):
    """A file of which only the first half arrived."""
    work.solve()
    text = work.text()
    return text[:len(text) // 2]


def foreign(work):
    """A notebook from another course."""
    work.notebook = new_notebook(cells=[new_markdown_cell("# Organic chemistry"),
                                        new_code_cell("print('C6H6')")])


def oversized(work):
    """A notebook with a picture of eleven megabytes."""
    work.solve()
    return work.text() + " " * (MAX_BYTES + 10**6)


LEARNERS = {
    "ada-right": all_right, "emmy-other-style": other_style, "leonhard-third-style": third_style,
    "isaac-mistakes": mistakes, "carl-one-slip": one_slip, "blaise-half-done": half_done,
    "grace-tests-deleted": tests_deleted, "alan-copied-cells": copied_cells,
    "kurt-new-cells": new_cells, "mallory-always-equal": always_equal,
    "eve-patched-check": patched_check, "oscar-thief": thief, "trudy-exits": exits,
    "zeno-endless-loop": endless_loop, "pierre-cut-off": cut_off, "fritz-foreign": foreign,
    "olga-oversized": oversized,
}

# These hand in the first assignment only: one is enough to see what becomes of them.
ONCE = {"zeno-endless-loop", "pierre-cut-off", "fritz-foreign", "olga-oversized"}


# ---- the demonstration --------------------------------------------------------


def run(root):
    """Grade the invented class of the course at `root`, and say where to look.

    Parameters
    ----------
    root : Path

    Returns
    -------
    list of Result
    """
    require_bubblewrap()
    course = copy_of(Course(root))
    assignments = [course.assignment(name) for name in course.assignments()]
    for place, assignment in enumerate(assignments):
        hand_in(course, assignment, LEARNERS.keys() - (ONCE if place else set()))
    everything = []
    for assignment in assignments:
        results = []
        summary = Summary(assignment)
        for result in grade_class(course, assignment, seed=SEED):
            summary.add(result)
            results.append(result)
        results.sort(key=lambda result: result.student)
        print(f"\n{tables.marks(assignment, results)}\n{tables.noticed(results)}\n\n"
              f"{summary.text()}\n", flush=True)
        everything += results
        pages = overview.write(course, assignment, results).parent
        exports.export(course, assignment, "canvas", None,
                       course.root / f"{assignment.name}-canvas.csv")
    first = course.folder("feedback", "isaac-mistakes", assignments[0].name)
    book = Path(root, "_build", "html", "index.html")
    print(f"Feedback:   {_shown(first / (assignments[0].notebooks[0].name + '.html'))}, "
          "and its neighbours")
    print(f"Overview:   {_shown(pages)}/overview-*.html")
    print(f"Gradebook:  {course.gradebook}")
    print(f"For Canvas: {_shown(course.root)}/*-canvas.csv")
    print(f"Book:       {_shown(book)}" if book.is_file() else "Book:       run  make book")
    return everything


def copy_of(course):
    """A fresh copy of a course without its learners, in _build/demo.

    Parameters
    ----------
    course : Course

    Returns
    -------
    Course

    Raises
    ------
    Unusable
        If the copy's configuration leads out of the copy.
    """
    folder = course.root / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in CONFIGURATIONS:
        if (course.root / name).is_file():
            shutil.copy(course.root / name, folder)
    for name in (course.directory.source_directory, course.directory.release_directory):
        if not (course.root / name).is_dir():
            raise Unusable(f"There is no folder {name}: release the assignments first.")
        shutil.copytree(course.root / name, folder / name)
    copy = Course(folder)
    if copy.root != folder or str(folder) not in copy.db_url:
        raise Unusable("The course's configuration names its folders or its gradebook by fixed "
                       "paths, so that a demonstration would touch the real ones.")
    return copy


def hand_in(course, assignment, learners):
    """Write the submissions of some learners to an assignment."""
    for source in assignment.notebooks:
        released = course.folder("release", ".", assignment.name) / source.path.name
        if not released.is_file():
            raise Unusable(f"{assignment.name} is not released: there is no "
                           f"{released.relative_to(course.root)}.")
        for learner in learners:
            work = Homework(source, released)
            text = LEARNERS[learner](work) or work.text()
            folder = course.folder("submitted", learner, assignment.name)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / source.path.name).write_text(text, encoding="utf-8")


def _shown(path):
    return os.path.relpath(path)
