"""The corpus, graded as a class between honest learners, and what becomes of each case.

Honest submissions, plain and odd ones, stand before and after each hostile one in the
class. Cases that are over only when a limit is reached are marked one by one, with short
limits; one of each sort is in the class, too.
"""

import os
import time

import nbformat
import psutil
import pytest

from autograder.classroom import grade_class
from autograder.course import Course
from autograder.limits import Limits
from autograder.marking import mark
from autograder.templates import close_all

from . import corpus
from .corpus import markers
from .corpus.case import ALL, Case

SHORT = Limits(cell_seconds=3, test_seconds=3, total_seconds=60)
WAITS = [case for case in corpus.CASES if case.waits]
IN_CLASS = [case for case in corpus.HOSTILE
            if not case.waits or case.name in ("a loop without end in the function",
                                               "a loop that ignores interrupts")]
PLAIN = Case("plain", deserves=ALL)


def seats():
    """Who sits where: names of students in the order in which they are graded, with cases."""
    between = iter(corpus.HONEST)
    for number, case in enumerate(IN_CLASS):
        yield f"s{number:03}-before", next(between, PLAIN)
        yield f"s{number:03}-case", case
    yield "s999-last", PLAIN


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The class, after it was graded: results by case, texts of the folders, who called."""
    small = markers.marked_course(tmp_path_factory.mktemp("corpus") / "course")
    course, placed = Course(small.root), dict(seats())
    earlier = [student for student, case in placed.items() if case.earlier]
    for student in earlier:
        PLAIN.hand_in(small.root / "submitted" / student / "ps1")
    assignment = course.assignment("ps1")
    assert [result.points for result in grade_class(course, assignment, students=earlier)] \
        == [10.0] * len(earlier)
    markers.mark_gradebook(small.root)
    for student, case in placed.items():
        if case is PLAIN:
            small.hand_in(student, markers.neighbour())
        else:
            if case.place:
                (small.root / "submitted" / student / "ps1/p1.ipynb").unlink(missing_ok=True)
            case.hand_in(small.root / "submitted" / student / "ps1")
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    os.environ[markers.VARIABLE] = markers.TOKEN
    began = time.monotonic()
    with markers.listening() as called:
        results = {result.student: result for result in grade_class(course, assignment, seed=4711)}
    del os.environ[markers.VARIABLE]
    return {"course": small, "placed": placed, "results": results, "called": called,
            "seconds": time.monotonic() - began, "before": before}


def student_of(graded, case):
    return next(student for student, other in graded["placed"].items() if other is case)


def report_of(graded, case):
    return graded["results"][student_of(graded, case)].reports["p1"]


def points_of(report):
    return tuple(sum(cell.points for cell in report.cells if cell.exercise == exercise)
                 for exercise in ("square", "mean"))


def assert_deserved(case, report, limits):
    """The points it deserves, no more and no less, and the instructor knows what happened."""
    status, points = "rejected" if case.rejected else "graded", points_of(report)
    said = [cell.message for cell in report.cells]
    assert report.status == status, (report.reason, report.incidents)
    assert all(got <= most for got, most in zip(points, case.deserves, strict=True)), said
    assert case.spoils or points == case.deserves, (points, said, report.notes, report.incidents)
    kinds = {incident.kind for incident in report.incidents}
    assert kinds & case.incidents or not case.incidents, report.incidents
    assert kinds <= case.incidents | case.may, report.incidents
    told = " ".join([report.reason, *report.notes])
    assert all(words in told for words in case.told), told
    waited = 2 * limits.test_seconds if case.waits else 0.0          # one exercise has two tests
    assert report.seconds < case.seconds + waited
    assert len(report.to_json()) < 5_000_000


@pytest.mark.parametrize("case", IN_CLASS + corpus.HONEST[:len(IN_CLASS)],
                         ids=lambda case: case.name)
def test_each_gets_what_it_deserves(graded, case):
    assert_deserved(case, report_of(graded, case), Limits())


def learners_part(path):
    """The text of a file, of a graded notebook without the source of the hidden tests.

    The notebook is the instructor's: nbgrader's formgrader shows the tests in it.
    """
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    notebook = nbformat.reads(text, as_version=4)
    for cell in notebook.cells:
        asked = cell.metadata.get("nbgrader", {})
        if asked.get("grade") and not asked.get("solution"):
            cell.source = ""
    return nbformat.writes(notebook)


@pytest.mark.parametrize("case", IN_CLASS, ids=lambda case: case.name)
def test_nothing_gets_out(graded, case):
    small, student = graded["course"], student_of(graded, case)
    for folder in ("autograded", "feedback"):
        for path in (small.root / folder / student).rglob("*"):
            if path.is_file():
                assert path.suffix in (".json", ".html", ".ipynb")
                assert markers.stolen(learners_part(path)) == [], path.name


def test_honest_learners_between_them_lose_nothing(graded):
    lost = {student: result.points for student, result in graded["results"].items()
            if graded["placed"][student] is PLAIN
            and (result.points != 10 or result.reports["p1"].incidents)}
    assert lost == {}


def test_the_class_is_graded_to_its_end(graded):
    assert set(graded["results"]) == set(graded["placed"])
    assert graded["called"] == []


def test_nothing_is_left(graded):
    close_all()
    left = [child for child in psutil.Process().children(recursive=True)
            if child.pid not in graded["before"] and child.status() != psutil.STATUS_ZOMBIE
            and "bwrap" in child.name()]
    assert left == []
    names = {path.name for path in graded["course"].root.iterdir()}
    assert names <= {"source", "submitted", "autograded", "feedback", "gradebook.db",
                     "gradebook.db.lock", "nbgrader_config.py"}, names
    config = (graded["course"].root / "nbgrader_config.py").read_text()
    assert config == 'c = get_config()\nc.CourseDirectory.course_id = "small"\n'


@pytest.mark.parametrize("case", WAITS, ids=lambda case: case.name)
def test_what_waits_for_a_limit(small_course, case):
    path = case.hand_in(small_course.root / "submitted/student/ps1")
    assert_deserved(case, mark(path, small_course.source, seed=4711, limits=SHORT), SHORT)
