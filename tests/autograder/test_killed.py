"""What is killed, full or started twice costs nobody a mark: with real processes and a real disk."""

import json
import multiprocessing.forkserver
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from autograder import apart
from autograder.classroom import grade_class
from autograder.course import Course

from .conftest import submitted_notebook

ROOT = Path(__file__).resolve().parents[2]
STUDENTS = [f"s{number:02}" for number in range(8)]
SLOW = "import time\ntime.sleep(0.5)\n\n\ndef square(x):\n    return x * x"

# What is done on the small disk: a class is graded while it is full, and again afterwards.
FULL = """
import json, os, sys, tempfile
from pathlib import Path

place, students, left, where = Path(sys.argv[1]), sys.argv[2].split(), int(sys.argv[3]), sys.argv[4]
from nbformat.v4 import new_code_cell
from tests.autograder.conftest import make_course, submitted_notebook
from autograder.cli import main

course = make_course((place if where == "course" else Path(tempfile.gettempdir())) / "course")
for student in students:
    notebook = submitted_notebook()
    notebook.cells.insert(2, new_code_cell("print('x' * 200_000)"))
    course.hand_in(student, notebook)
if where == "temporary":
    tempfile.tempdir = os.environ["TMPDIR"] = str(place)

def grade():
    code = main(["grade", "ps1", "--course", str(course.root), "--workers", "1"])
    return {"code": code, "marked": {path.parts[-3]: json.loads(path.read_text())["reports"]["p1"]
                                     ["status"] for path in course.root.glob(
                                     "autograded/*/ps1/report.json")},
            "left over": [str(path) for path in course.root.rglob("*.json-*")]}

def room():
    disk = os.statvfs(place)
    return disk.f_bavail * disk.f_frsize

(place / "filler").write_bytes(b"0" * (room() - left))
first = grade()
(place / "filler").unlink()
print("RESULT", json.dumps([first, grade()]))
"""


@pytest.fixture
def small_disk():
    """Run a program that has a disk of 40 MB at a place; returns what it printed, and complaints."""
    with tempfile.TemporaryDirectory() as place, tempfile.TemporaryDirectory() as other:
        disk = ["bwrap", "--dev-bind", "/", "/", "--size", "40000000", "--tmpfs", place]
        rights = ["--cap-add", "ALL"] if os.getuid() == 0 else []

        def run(*arguments):
            done = subprocess.run([*disk, *rights, sys.executable, "-c", FULL, place, *arguments],
                                  cwd=ROOT, capture_output=True, text=True, timeout=240,
                                  env={**os.environ, "TMPDIR": other})
            assert done.returncode == 0, done.stderr
            return done
        yield run


@pytest.mark.parametrize("where, left", [("course", 1_500_000), ("temporary", 100_000)])
def test_a_full_disk_costs_the_submission_in_hand_at_most(small_disk, where, left):
    students = STUDENTS[:5]
    done = small_disk(" ".join(students), str(left), where)
    first, second = json.loads(done.stdout.rpartition("RESULT ")[2])
    assert first["code"] == 2 and "What was finished is saved" in done.stderr
    assert set(first["marked"].values()) <= {"graded"} and first["left over"] == []
    assert len(first["marked"]) < len(students)
    assert (len(first["marked"]) > 1) == (where == "course")
    assert second == {"code": 0, "marked": dict.fromkeys(students, "graded"), "left over": []}
    kept = re.search(r"Kept: (\d+) of", done.stdout)
    assert int(kept[1] if kept else 0) == len(first["marked"])
    assert re.findall(r"^s\d\d .* (\d+)$", done.stdout, re.M) == ["10"] * len(students)


# ---- two at once ----------------------------------------------------------------------


def start(*arguments):
    return subprocess.Popen([sys.executable, "-m", "autograder", *map(str, arguments)],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)


def scores(course):
    with Gradebook(course.db_url, "small") as book:
        return {each.student.id: each.score for each in book.assignment_submissions("ps1")}


def test_of_two_graders_at_once_one_does_all_and_the_other_says_why_not(small_course):
    for student in STUDENTS:
        small_course.hand_in(student, submitted_notebook())
    small_course.hand_in(STUDENTS[-1], submitted_notebook(square=SLOW.replace("0.5", "15")))
    grade = ["grade", "ps1", "--course", small_course.root]
    first = start(*grade)
    deadline = time.monotonic() + 60
    while not list(small_course.root.glob("autograded/*/ps1/report.json")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    for other in [start(*grade), start("feedback", "ps1", "--course", small_course.root)]:
        out, error = other.communicate(timeout=60)
        assert (other.returncode, out) == (2, "") and first.poll() is None
        assert "This course is in use by another run of the grader. Wait for its end" in error
    first.communicate(timeout=120)
    assert first.returncode == 0
    assert scores(Course(small_course.root)) == dict.fromkeys(STUDENTS, 10)


# ---- what judges is killed --------------------------------------------------------------


def test_the_server_that_forks_the_judges_is_killed(small_course):
    for student in STUDENTS:
        small_course.hand_in(student, submitted_notebook(square=SLOW))
    course, killed = Course(small_course.root), []

    def kill():
        while not apart._running:
            time.sleep(0.01)
        time.sleep(0.5)
        killed.append(multiprocessing.forkserver._forkserver._forkserver_pid)
        os.kill(killed[0], signal.SIGKILL)

    other = threading.Thread(target=kill)
    other.start()
    results = list(grade_class(course, course.assignment("ps1")))
    other.join()
    assert killed
    assert {result.student: result.points for result in results} == dict.fromkeys(STUDENTS, 10)
    assert scores(course) == dict.fromkeys(STUDENTS, 10)
