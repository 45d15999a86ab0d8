"""The page that a learner gets back: points, words, and his or her own text.

Everything on the page that a learner could have chosen, the names of files and students
among it, is written as escaped text, never as markup; the page runs no script, loads
nothing, and a content policy in it tells the browser to refuse both. Nothing of a test
is on it but the words that the test said. It needs no network, follows the light or
dark setting of its reader, and fits a phone.
"""

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

import jinja2

from autograder.gradebook import Gradebook, HandMark
from autograder.job import write_whole

MAX_TEXT = 50_000                # characters of an answer that are shown

# What may be said of a cell that had to be stopped; other incidents are the instructor's.
STOPPED = {"timeout", "output-limit", "kernel-died"}

_folder = Path(__file__).parent
_style = (_folder / "feedback.css").read_text(encoding="utf-8")
_template = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(
    (_folder / "feedback.html").read_text(encoding="utf-8"))

# Only this one style sheet counts, recognised by its hash; there is nothing else to load.
_policy = ("default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-"
           + base64.b64encode(hashlib.sha256(_style.encode()).digest()).decode() + "'")


@dataclass
class Row:
    """An exercise as the page shows it."""

    title: str
    points: float
    max_points: float
    tests: list                  # of (label, CellMark)
    answer: str
    hand: HandMark | None
    waiting: bool                # for points given by hand

    @property
    def message(self):
        """The first thing to look at."""
        said = [mark.message for _, mark in self.tests if not mark.passed]
        if said:
            return said[0] or "A test failed."
        return "Not marked yet." if self.waiting else "All right." if self.tests else ""


def write(course, assignment, result):
    """Write the pages of one submission, with what a human entered in the gradebook.

    Parameters
    ----------
    course : Course
    assignment : Assignment
    result : Result

    Returns
    -------
    list of Path
        One page for each notebook.
    """
    with Gradebook(course) as gradebook:
        by_hand = gradebook.by_hand(assignment.name, result.student)
    folder = course.folder("feedback", result.student, assignment.name)
    folder.mkdir(parents=True, exist_ok=True)
    pages = []
    for source in assignment.notebooks:
        path = folder / f"{source.name}.html"
        hand = {name: mark for (notebook, name), mark in by_hand.items() if notebook == source.name}
        write_whole(path, page(source, result.student, result.reports[source.name], hand))
        pages.append(path)
    return pages


def page(source, student, report, by_hand=None):
    """The page for one notebook of a submission.

    Parameters
    ----------
    source : SourceNotebook
    student : str
    report : Report
    by_hand : dict of str to HandMark, optional
        What a human entered, by the name of the cell.

    Returns
    -------
    str
        HTML.
    """
    rows = [_row(exercise, report, by_hand or {}) for exercise in source.exercises]
    return _template.render(
        policy=_policy, style=jinja2.filters.Markup(_style), source=source, student=student,
        report=report, rows=rows, stopped=_stopped(source, report),
        points=sum(row.points for row in rows), max_points=source.points)


def _row(exercise, report, by_hand):
    marks = {mark.grade_id: mark for mark in report.cells}
    tests = [("Hidden tests" if test.hidden else "Check", marks[test.name])
             for test in exercise.tests]
    names = [exercise.name, *(test.name for test in exercise.tests)]
    given = {name: by_hand[name].points for name in names
             if name in by_hand and by_hand[name].points is not None}
    points = sum(given.values()) + sum(mark.points for _, mark in tests
                                       if mark.grade_id not in given)
    text = report.answers.get(exercise.name, "")
    answer = text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "\n... (shortened)"
    waiting = exercise.by_hand > 0 and exercise.name not in given and bool(text.strip())
    return Row(exercise.title, points, exercise.points, tests, answer,
               by_hand.get(exercise.name), waiting)


def _stopped(source, report):
    """Sentences on cells of the learner that had to be stopped."""
    tests = {test.name for exercise in source.exercises for test in exercise.tests}
    answers = {exercise.name for exercise in source.exercises}
    return [f"{f'The cell {incident.cell}' if incident.cell in answers else 'A cell of your own'} "
            f"{incident.detail}." for incident in report.incidents
            if incident.kind in STOPPED and incident.cell not in tests]
