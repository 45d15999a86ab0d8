"""A class is graded to its end, whatever is among it, and nothing is left running."""

import multiprocessing.util
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from nbgrader.api import Gradebook

from autograder import job
from autograder.classroom import grade_class, read_results
from autograder.course import Course

from .conftest import make_course, submitted_notebook

LOOP = "while True:\n    pass"
ZEROS = "def square(x):\n    return 0.0"

#: What is handed in, and words of the reason for which it is not graded.
MALFORMED = {
    "cut": ('{"cells": [{"cell_type": "code", "sour', "not valid JSON"),
    "empty": ("", "not valid JSON"),
    "deep": ("[" * 200_000, "nested too deeply"),
    "list": ("[1, 2]", "not a notebook"),
    "no-cells": ('{"nbformat": 4, "metadata": {}}', "no cells"),
    "huge": (" " * 11_000_000, "11 MB"),
    "folder": (None, "not a plain file"),
    "absent": (None, "There is no notebook p1.ipynb"),
    "link": (None, "not a plain file"),
}


def scores(course):
    with Gradebook(course.db_url, "small") as book:
        return {each.student.id: each.score for each in book.assignment_submissions("ps1")}


def grade(course, **options):
    return {result.student: result
            for result in grade_class(course, course.assignment("ps1"), **options)}


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A class with everything that is malformed in it, between two honest learners."""
    small = make_course(tmp_path_factory.mktemp("class") / "course")
    small.hand_in("ada", submitted_notebook())
    for student, (text, _) in MALFORMED.items():
        path = small.hand_in(student, text or "")
        if text is None:
            path.unlink()
    (small.root / "submitted/folder/ps1/p1.ipynb").mkdir()
    (small.root / "submitted/link/ps1/p1.ipynb").symlink_to(small.source)
    small.hand_in("foreign", '{"cells": [{"cell_type": "code", "source": "1"}]}')
    small.hand_in("renamed", submitted_notebook(), "my homework (1).ipynb")
    small.hand_in("zoe", submitted_notebook(square=ZEROS))
    course = Course(small.root)
    return course, grade(course, seed=4711)


@pytest.mark.parametrize("student", MALFORMED)
def test_what_is_malformed_gets_0_with_its_reason(graded, student):
    course, results = graded
    report = results[student].reports["p1"]
    assert (report.status, report.points, report.max_points) == ("rejected", 0, 10)
    assert MALFORMED[student][1] in report.reason and "\n" not in report.reason
    assert scores(course)[student] == 0


def test_the_class_goes_on_and_everybody_is_in_it(graded):
    course, results = graded
    assert list(results) == sorted(["ada", "foreign", "renamed", "zoe", *MALFORMED])
    points = {student: result.points for student, result in results.items() if result.points}
    assert points == {"ada": 10, "renamed": 10, "zoe": 5}
    assert {student: score for student, score in scores(course).items() if score} == points


def test_a_foreign_notebook_is_graded_and_a_renamed_one_is_taken(graded):
    _, results = graded
    assert results["foreign"].graded and results["foreign"].points == 0
    assert "my homework (1).ipynb" in results["renamed"].reports["p1"].notes[0]


def test_reports_can_be_read_again_and_hold_the_seed(graded):
    course, results = graded
    again = read_results(course, course.assignment("ps1"))
    assert {each.student: each for each in again} == results
    assert {result.seed for result in results.values()} == {4711}
    left = [path.name for path in Path(course.root, "autograded").rglob("*") if path.is_file()]
    assert set(left) == {"report.json"}


def test_a_seed_repeats_the_hidden_inputs_and_a_new_run_draws_others(graded):
    course, results = graded

    def message(**options):
        result = grade(course, students=["zoe"], **options)["zoe"]
        return result.seed, result.reports["p1"].cells[1].message

    first = results["zoe"].reports["p1"].cells[1].message
    assert message(seed=4711) == (4711, first)
    (seed, words), (other, others) = message(), message()
    assert len({4711, seed, other}) == len({first, words, others}) == 3


# ---- no old mark ------------------------------------------------------------------


def test_what_is_handed_in_later_and_fails_does_not_keep_the_old_mark(small_course):
    course = Course(small_course.root)
    path = small_course.hand_in("ada", submitted_notebook())
    assert grade(course)["ada"].points == 10 == scores(course)["ada"]
    path.write_text(path.read_text()[:300])
    assert grade(course)["ada"].points == 0 == scores(course)["ada"]
    small_course.hand_in("ada", submitted_notebook())
    assert grade(course)["ada"].points == 10 == scores(course)["ada"]
    (small_course.root / "submitted").rename(small_course.root / "elsewhere")
    assert "There is no notebook" in grade(course)["ada"].reports["p1"].reason
    assert scores(course)["ada"] == 0


# ---- jobs that do not end well ----------------------------------------------------


@pytest.fixture
def a_job(small_course):
    course = Course(small_course.root)
    small_course.hand_in("ada", submitted_notebook(square=LOOP))
    return job.Job("ada", "ps1", course.folder("submitted", "ada", "ps1"),
                   course.folder("autograded", "ada", "ps1"), course.assignment("ps1").notebooks,
                   seed=1, sandbox="bubblewrap")


def descendants():
    """Processes below this one, but for the servers that multiprocessing keeps."""
    return [process for process in psutil.Process().children(recursive=True)
            if process.status() != psutil.STATUS_ZOMBIE
            and not any("multiprocessing" in word for word in process.cmdline())]


@pytest.fixture
def temporary(monkeypatch):
    """A folder for temporary files; its path is short, since sockets lie below it."""
    multiprocessing.util.get_temp_dir()     # it outlives this test
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


def test_a_job_that_takes_too_long_is_ended_with_everything_it_started(a_job, temporary):
    start = time.monotonic()
    result = job.mark(replace(a_job, wall_clock=4))
    report = result.reports["p1"]
    assert time.monotonic() - start < 15
    assert (report.status, result.points, report.max_points) == ("failed", 0, 10)
    assert report.reason == "Marking took longer than 4 s and was stopped."
    assert report.incidents[0].kind == "total-time"
    assert descendants() == []
    assert list(temporary.iterdir()) == []


def test_a_grader_that_fails_itself_says_so(a_job):
    (source,) = a_job.notebooks
    broken = replace(a_job, notebooks=(replace(source, path=source.path.with_name("gone.ipynb")),))
    report = job.mark(broken).reports["p1"]
    assert (report.status, report.points, report.max_points) == ("failed", 0, 10)
    assert report.reason == "The grader failed: FileNotFoundError."
    assert report.incidents[0].kind == "grader-failed"
    assert "gone.ipynb" in report.incidents[0].detail


def test_an_assignment_of_two_notebooks(small_course):
    second = small_course.source.with_name("p2.ipynb")
    second.write_text(small_course.source.read_text())
    small_course.hand_in("ada", submitted_notebook())
    small_course.hand_in("ada", submitted_notebook(square=ZEROS), "p2.ipynb")
    small_course.hand_in("bob", submitted_notebook())
    course = Course(small_course.root)
    results = grade(course)
    assert {name: report.points for name, report in results["ada"].reports.items()} == {
        "p1": 10, "p2": 5}
    assert results["bob"].points == 10 and not results["bob"].graded
    assert scores(course) == {"ada": 15, "bob": 10}


# ---- interrupted --------------------------------------------------------------------


@pytest.fixture
def running(small_course):
    """The command, as it marks a notebook that never ends after one that is right."""
    small_course.hand_in("ada", submitted_notebook())
    small_course.hand_in("bob", submitted_notebook(square=LOOP))
    command = [sys.executable, "-m", "autograder", "grade", "ps1", "--course", small_course.root]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    started = []
    while not started and time.monotonic() < deadline:
        time.sleep(0.1)
        if (small_course.root / "autograded/ada/ps1/report.json").exists():
            started = [child for child in psutil.Process(process.pid).children(recursive=True)
                       if child.name() == "bwrap"]
    assert started
    yield process
    process.kill()
    process.communicate()


def family(process):
    return psutil.Process(process.pid).children(recursive=True)


def gone(processes):
    return not psutil.wait_procs(processes, timeout=15)[1]


def test_control_c_loses_the_submission_in_hand_at_most(running, small_course):
    everybody = family(running)
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=30)
    assert running.returncode == 130
    assert "interrupted; what was finished is saved" in errors and "Traceback" not in errors
    assert gone(everybody)
    assert scores(Course(small_course.root)) == {"ada": 10}
    assert small_course.report("ada")["reports"]["p1"]["status"] == "graded"
    assert not (small_course.root / "autograded/bob/ps1/report.json").exists()


def test_a_grader_that_is_killed_leaves_nothing_running(running):
    everybody = family(running)
    running.kill()
    assert gone(everybody)


# ---- writing ------------------------------------------------------------------------


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "report.json"
    job.write_whole(path, "old")
    with pytest.raises(UnicodeEncodeError):
        job.write_whole(path, "new \ud800")
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["report.json"]
