"""Marks are written so that nbgrader's own programs read them right."""

import csv
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import nbformat
import pytest
from nbgrader import api

from autograder import Unusable
from autograder.course import Course
from autograder.gradebook import Gradebook
from autograder.report import HandMark
from autograder.job import Result
from autograder.report import CellMark, LearnerCell, Report

from .conftest import cell, make_course, source_notebook


def report(*points, status="graded", reason="", essay="A limit."):
    """A report with points for the four tests of the small course."""
    names = [("square-check", "square", 2), ("square-hidden", "square", 3),
             ("mean-check", "mean", 2), ("mean-hidden", "mean", 3)]
    cells = [CellMark(name, exercise, got, most, got == most, "" if got == most else f"not {name}")
             for (name, exercise, most), got in zip(names, points or [2, 3, 2, 3])]
    return Report(status, 1, "bubblewrap", reason=reason, cells=cells,
                  notebook=[LearnerCell("essay", "markdown", essay)])


def result(student="ada", *points, timestamp="", **options):
    return Result(student, "ps1", 1, "bubblewrap", timestamp, {"p1": report(*points, **options)})


@pytest.fixture(scope="session")
def new_gradebook(tmp_path_factory):
    """A gradebook as nbgrader makes it, which takes it a second or two."""
    small = make_course(tmp_path_factory.mktemp("new") / "course")
    with Gradebook(Course(small.root)):
        return small.root / "gradebook.db"


@pytest.fixture
def course(small_course, new_gradebook):
    shutil.copy(new_gradebook, small_course.root)
    return Course(small_course.root)


@pytest.fixture
def write(course):
    """Enter the assignment and write results, as a grading run does."""
    def write(*results):
        with Gradebook(course) as gradebook:
            gradebook.enter(course.assignment("ps1"))
            for each in results:
                gradebook.write(each)
    return write


@pytest.fixture
def read(course):
    """Look into the gradebook with nbgrader's own class."""
    opened = []

    def read():
        opened.append(api.Gradebook(course.db_url, "small"))
        return opened[-1]
    yield read
    for book in opened:
        book.close()


def test_the_scores_that_nbgrader_reads(write, read):
    write(result("ada"), result("bob", 2, 0, 0, 3), result("eve", 0, 0, 0, 0))
    (assignment,) = read().assignments
    assert (assignment.name, assignment.max_score) == ("ps1", 14)
    scores = {s.student.id: (s.score, s.max_score) for s in read().assignment_submissions("ps1")}
    assert scores == {"ada": (10, 14), "bob": (5, 14), "eve": (0, 14)}
    grade = read().find_grade("mean-check", "p1", "ps1", "bob")
    assert (grade.auto_score, grade.max_score, grade.needs_manual_grade) == (0, 2, False)


def test_nbgrader_export(write, course, tmp_path):
    write(result("ada"), result("bob", 2, 0, 0, 3))
    scripts = Path(sys.executable).parent
    run = subprocess.run([scripts / "nbgrader", "export", "--to", tmp_path / "marks.csv"],
                         cwd=course.root, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    with open(tmp_path / "marks.csv") as file:
        rows = {row["student_id"]: (row["score"], row["max_score"])
                for row in csv.DictReader(file)}
    assert rows == {"ada": ("10.0", "14.0"), "bob": ("5.0", "14.0")}


def test_the_assignment_looks_as_if_nbgrader_had_released_it(write, read, course, tmp_path):
    write()
    ours = read().find_notebook("p1", "ps1")
    run = subprocess.run([Path(sys.executable).parent / "nbgrader", "generate_assignment", "ps1",
                          f"--db=sqlite:///{tmp_path}/stock.db"],
                         cwd=course.root, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    with api.Gradebook(f"sqlite:///{tmp_path}/stock.db", "small") as stock:
        theirs = stock.find_notebook("p1", "ps1")
        for kind in ("grade_cells", "solution_cells", "task_cells", "source_cells"):
            mine, stocks = ({each.name: each.to_dict() for each in getattr(notebook, kind)}
                            for notebook in (ours, theirs))
            assert mine.keys() == stocks.keys()
            for name in mine:
                for key in mine[name].keys() - {"id"}:
                    assert mine[name][key] == stocks[name][key], (kind, name, key)


def test_a_text_answer_waits_for_a_human_and_an_empty_one_does_not(write, read):
    write(result("ada"), result("bob", essay=" "), result("cut", 0, 0, 0, 0, status="rejected"))
    needs = {student: read().find_grade("essay", "p1", "ps1", student).needs_manual_grade
             for student in ("ada", "bob", "cut")}
    assert needs == {"ada": True, "bob": False, "cut": False}


def test_what_a_human_entered_stays_and_is_flagged(write, read, course):
    write(result())
    book = read()
    book.find_grade("essay", "p1", "ps1", "ada").manual_score = 3.5
    book.find_grade("mean-hidden", "p1", "ps1", "ada").manual_score = 1.0
    book.find_comment("essay", "p1", "ps1", "ada").manual_comment = "Good."
    book.db.commit()
    write(result("ada", 2, 0, 2, 3))
    submission = read().find_submission("ps1", "ada")
    assert submission.score == 2 + 0 + 2 + 1 + 3.5
    for name in ("essay", "mean-hidden"):
        assert read().find_grade(name, "p1", "ps1", "ada").needs_manual_grade
    with Gradebook(course) as gradebook:
        assert gradebook.by_hand("ps1", "ada") == {
            ("p1", "essay"): HandMark(3.5, "Good."), ("p1", "mean-hidden"): HandMark(1.0, "")}
        assert gradebook.by_hand("ps1", "nobody") == {}


def test_a_later_run_replaces_every_earlier_mark(write, read):
    write(result("ada", 2, 3, 2, 3))
    write(result("ada", 0, 0, 0, 0, status="rejected", reason="It is not a notebook."))
    assert read().find_submission("ps1", "ada").score == 0
    assert read().find_comment("square", "p1", "ps1", "ada").comment == "It is not a notebook."
    write(result("ada", 2, 3, 2, 0))
    assert read().find_submission("ps1", "ada").score == 7
    assert read().find_comment("square", "p1", "ps1", "ada").comment is None
    assert read().find_comment("mean", "p1", "ps1", "ada").comment == "not mean-hidden"


@pytest.mark.parametrize("text, time", [
    ("2026-11-23 10:00:00 UTC", datetime(2026, 11, 23, 10)),
    ("2026-11-23T12:00:00+02:00", datetime(2026, 11, 23, 10)), ("", None), ("yesterday?", None)])
def test_the_time_of_handing_in(write, read, text, time):
    write(result(timestamp=text))
    assert read().find_submission("ps1", "ada").timestamp == time


def test_changed_points_count_and_changed_cells_are_refused(write, read, small_course):
    write(result())
    notebook = source_notebook()
    notebook.cells[4].metadata.nbgrader.points = 7
    nbformat.write(notebook, small_course.source)
    write()
    assert read().find_submission("ps1", "ada").max_score == 19
    notebook.cells.append(cell("assert True", "new", points=1))
    nbformat.write(notebook, small_course.source)
    with pytest.raises(Unusable, match="nbgrader refuses p1.ipynb: .*move the gradebook away"):
        write()


def test_cells_may_change_before_anybody_handed_in(write, read, small_course):
    write()
    notebook = source_notebook()
    notebook.cells.append(cell("assert True", "new", points=1))
    nbformat.write(notebook, small_course.source)
    write(result())
    assert read().find_submission("ps1", "ada").max_score == 15


# ---- late ---------------------------------------------------------------------

LATE = """
from nbgrader.plugins import BasePlugin
class OnePointAnHour(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return {expression}
"""
HOUR = "2026-11-23 12:00:00 UTC"        # an hour after the due date


@pytest.fixture
def late(small_course, course, read):
    """A course with a due date and a plugin; returns a function that writes results."""
    def late(expression, *results, config="c.AssignLatePenalties.plugin_class = "
                                          "'late.OnePointAnHour'"):
        sys.modules.pop("late", None)
        (small_course.root / "late.py").write_text(LATE.format(expression=expression))
        with open(small_course.root / "nbgrader_config.py", "a") as file:
            file.write(f"{config}\n")
        configured = Course(small_course.root)
        with Gradebook(configured) as gradebook:
            gradebook.enter(configured.assignment("ps1"))
            gradebook.book.update_or_create_assignment("ps1", duedate="2026-11-23 11:00:00 UTC")
            for each in results:
                gradebook.write(each)
        return configured
    yield late
    while str(small_course.root) in sys.path:
        sys.path.remove(str(small_course.root))
    sys.modules.pop("late", None)


def penalties(book):
    return {each.student.id: (each.score, each.late_submission_penalty)
            for each in book.assignment_submissions("ps1")}


def test_penalties_of_the_course_s_plugin(late, read):
    late("total_seconds_late / 3600", result("ada", timestamp=HOUR),
         result("bob", timestamp="2026-11-23 10:59:59 UTC"), result("eve"))
    assert penalties(read()) == {"ada": (10, 1), "bob": (10, 0), "eve": (10, 0)}


@pytest.mark.parametrize("expression, penalty", [("None", 0), ("-3", 0), ("score + 5", 10)])
def test_penalties_lie_between_nothing_and_the_score(late, read, expression, penalty):
    late(expression, result("ada", timestamp=HOUR))
    assert penalties(read()) == {"ada": (10, penalty)}


def test_nbgrader_s_own_plugin_and_its_export(late, course, tmp_path):
    late("0", result("ada", timestamp=HOUR), result("bob"),
         config="c.LateSubmissionPlugin.penalty_method = 'zero'")
    scripts = Path(sys.executable).parent
    subprocess.run([scripts / "nbgrader", "export", "--to", tmp_path / "marks.csv"],
                   cwd=course.root, check=True, capture_output=True)
    with open(tmp_path / "marks.csv") as file:
        rows = {row["student_id"]: (row["raw_score"], row["late_submission_penalty"], row["score"])
                for row in csv.DictReader(file)}
    assert rows == {"ada": ("10.0", "10.0", "0.0"), "bob": ("10.0", "0.0", "10.0")}


def test_penalties_follow_due_dates_extensions_and_points_by_hand(late, read, course):
    configured = late("score / 2", result("ada", timestamp=HOUR), result("bob", timestamp=HOUR))
    book = read()
    book.find_grade("essay", "p1", "ps1", "ada").manual_score = 4
    book.grant_extension("ps1", "bob", hours=2)
    book.db.commit()
    with Gradebook(configured) as gradebook:
        gradebook.penalise("ps1")
    assert penalties(read()) == {"ada": (14, 7), "bob": (10, 0)}
    book.update_or_create_assignment("ps1", duedate="2026-11-24 11:00:00 UTC")
    with Gradebook(configured) as gradebook:
        gradebook.penalise("ps1")
    assert penalties(read()) == {"ada": (14, 0), "bob": (10, 0)}
    with Gradebook(course) as gradebook:
        gradebook.write(result("ada", timestamp="2026-11-25 11:00:00 UTC"))
        gradebook.write(result("ada"))
    assert penalties(read())["ada"] == (14, 0)


def test_a_plugin_that_is_broken_or_missing(late):
    with pytest.raises(Unusable, match="plugin for late submissions .* ZeroDivisionError"):
        late("1 / 0", result("ada", timestamp=HOUR))
    with pytest.raises(Unusable, match="plugin for late submissions .*no_such_module"):
        late("0", result("ada", timestamp=HOUR),
             config="c.AssignLatePenalties.plugin_class = 'no_such_module.Plugin'")


# ---- trouble ------------------------------------------------------------------


def test_what_the_grader_failed_at_is_no_mark(write, read):
    write(result("ada", 0, 0, 0, 0, status="failed", reason="The grader ended."))
    submission = read().find_submission("ps1", "ada")
    assert (submission.score, submission.needs_manual_grade) == (0, True)
    assert read().find_grade("mean-check", "p1", "ps1", "ada").auto_score is None
    write(result("ada", essay=""))
    assert read().find_submission("ps1", "ada").needs_manual_grade is False


def test_a_notebook_that_came_later_and_one_that_went(write, read, small_course, course):
    write(result())
    second = small_course.source.with_name("p2.ipynb")
    nbformat.write(source_notebook(), second)
    both = result()
    both.reports["p2"] = report(2, 0, 2, 3)
    write(both)
    assert read().find_submission("ps1", "ada").score == 17
    second.unlink()
    with pytest.raises(Unusable, match="The notebook p2 is gone .* put it back"):
        write(result())


def test_a_notebook_that_went_before_anybody_handed_in(write, read, small_course):
    second = small_course.source.with_name("p2.ipynb")
    nbformat.write(source_notebook(), second)
    write()
    second.unlink()
    write(result())
    assert [notebook.name for notebook in read().find_assignment("ps1").notebooks] == ["p1"]


def test_a_gradebook_that_cannot_be_opened_or_written(small_course, course, write):
    write(result())
    with Gradebook(course) as gradebook:
        gradebook.book.db.connection().exec_driver_sql("DROP TABLE grade")
        gradebook.book.db.commit()
        with pytest.raises(Unusable, match="cannot be written"):
            gradebook.write(result("bob"))
    (small_course.root / "gradebook.db").write_text("this is no database, but text" * 100)
    with pytest.raises(Unusable, match="The gradebook cannot be opened: "):
        Gradebook(course)


def test_any_name_and_text_goes_into_the_gradebook(write, read):
    name = "Ünï'; DROP TABLE grade; -- <b>"
    odd = result(name, 0, 0, 0, 0)
    odd.reports["p1"].cells[0].message = "' \0 \u202e \U0001f600"
    write(odd)
    assert read().find_submission("ps1", name).score == 0
    assert read().find_comment("square", "p1", "ps1", name).comment.startswith("' ")
