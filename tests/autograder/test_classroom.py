"""A class is graded to its end, whatever is among it, and nothing is left running."""

import csv
import errno
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import nbformat
import psutil
import pytest
from nbgrader.api import Gradebook

from autograder import apart, classroom, formgrader, job, scratch, templates
from autograder.classroom import grade_class, read_results
from autograder.cli import main
from autograder import Unusable
from autograder.course import Course
from autograder.sandbox import SandboxUnavailable

from .conftest import make_course, submitted_notebook

LOOP = "while True:\n    pass"
ZEROS = "def square(x):\n    return 0.0"
RIGHT = {"p1": job.Handed(nbformat.writes(submitted_notebook()).encode())}

#: What is handed in, and words of the reason for which it is not graded.
MALFORMED = {
    "cut": ('{"cells": [{"cell_type": "code", "sour', "not valid JSON"),
    "empty": ("", "The file is empty. Save the notebook"),
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
    assert set(results) == {"ada", "foreign", "renamed", "zoe", *MALFORMED}
    points = {student: result.points for student, result in results.items() if result.points}
    assert points == {"ada": 10, "renamed": 10, "zoe": 5}
    assert {student: score for student, score in scores(course).items() if score} == points


def test_a_foreign_notebook_is_graded_and_a_renamed_one_is_taken(graded):
    _, results = graded
    assert results["foreign"].graded and results["foreign"].points == 0
    assert "my homework (1).ipynb" in results["renamed"].reports["p1"].notes[0]


#: What learners and programs may call a folder: markup, formulas, commands, patterns, control
#: characters, names that other systems or SQL take for something else.
NAMES = ["<script>alert(1)", "<img src=x onerror=alert(1)>", "a\nb", "=1+1", "-rf", "$(touch pwned)", "x" * 128,
         "%2e%2e", "CON", "a\u202eb", "'; drop table grade; --", "{{7*7}}", "a\\b", "~root", "&amp;",
         "a%s%n", "\x1b[2Jx", "{student_id}", "*"]


def test_hostile_names_of_folders_and_files_are_only_names(tmp_path):
    small = make_course(tmp_path / "course")
    for name in NAMES:
        small.hand_in(name, submitted_notebook())
    odd = small.hand_in("odd", submitted_notebook(), "x.ipynb")
    odd.rename(odd.with_name("<img src=x onerror=alert(1)>\n\x1b[31m\u202e.ipynb"))
    course = Course(small.root)
    results = grade(course)
    assert {student: result.points for student, result in results.items()} \
        == dict.fromkeys([*NAMES, "odd"], 10.0)
    assert scores(course) == dict.fromkeys([*NAMES, "odd"], 10.0)
    assert main(["export", "ps1", "--to", "moodle", "--course", str(small.root),
                 "--output", str(tmp_path / "marks.csv")]) == 0
    assert main(["feedback", "ps1", "--course", str(small.root)]) == 0
    with open(tmp_path / "marks.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert len(rows) == len(NAMES) + 2 and not [cell for row in rows for cell in row
                                                if cell[:1] in "=+-@" and cell not in ("", "-")]
    pages = [path for folder in ("feedback", "autograded") for path in (small.root / folder).rglob("*.html")]
    assert len(pages) >= len(NAMES) + 1
    for path in pages:
        text = path.read_text(encoding="utf-8")
        assert "<script>alert" not in text and "<img src=x" not in text and "\x1b" not in text
        assert "\u202e" not in text
    assert {path.name for path in small.root.iterdir()} <= {
        "source", "submitted", "autograded", "feedback", "gradebook.db", "gradebook.db.lock",
        "nbgrader_config.py"}


def test_a_link_in_the_place_of_a_folder_is_not_followed(tmp_path):
    small = make_course(tmp_path / "course")
    folder = small.hand_in("ada", submitted_notebook()).parent
    (small.root / "submitted/eve").symlink_to(folder.parent)
    (small.root / "submitted/mallory").mkdir()
    (small.root / "submitted/mallory/ps1").symlink_to(folder)
    stamp = small.hand_in("trudy", submitted_notebook()).with_name("timestamp.txt")
    (tmp_path / "secret").write_text("a secret")
    stamp.symlink_to(tmp_path / "secret")
    os.mkfifo(small.hand_in("pipe", submitted_notebook()).with_name("timestamp.txt"))
    results = grade(Course(small.root))
    assert {student: result.points for student, result in results.items()} == {
        "ada": 10, "eve": 0, "mallory": 0, "trudy": 10, "pipe": 10}
    for student in ("eve", "mallory"):
        assert results[student].reports["p1"].reason == "The folder that was handed in is a link."
    assert "secret" not in results["trudy"].to_json()


def test_reports_can_be_read_again_and_hold_the_seed(graded):
    course, results = graded
    again = read_results(course, course.assignment("ps1"))
    assert {each.student: each for each in again} == results
    assert {result.seed for result in results.values()} == {4711}
    left = [path.name for path in Path(course.root, "autograded").rglob("*") if path.is_file()]
    assert set(left) == {"report.json", "p1.ipynb", ".grading"}
    pages = {path.parent.parent.name for path in Path(course.root, "feedback").rglob("p1.html")}
    assert pages == set(results)


# ---- again ------------------------------------------------------------------------


def test_only_what_changed_is_marked_again(small_course, monkeypatch):
    small_course.hand_in("ada", submitted_notebook())
    path = small_course.hand_in("bob", submitted_notebook(square=ZEROS))
    small_course.hand_in("cut", '{"cells": [')
    course = Course(small_course.root)

    def kept(**options):
        return sorted(name for name, result in grade(course, **options).items() if result.kept)

    assert kept(seed=1) == []
    before = (small_course.root / "autograded/ada/ps1/report.json").stat().st_ino
    assert kept() == kept(seed=1) == ["ada", "bob", "cut"]
    assert (small_course.root / "autograded/ada/ps1/report.json").stat().st_ino == before
    assert kept(seed=2, students=["ada"]) == []
    assert kept(regrade=True, students=["ada"]) == []
    assert small_course.report("ada")["seed"] == 2
    path.write_text(nbformat.writes(submitted_notebook()))
    assert kept() == ["ada", "cut"]
    assert scores(course) == {"ada": 10, "bob": 10, "cut": 0}
    assert small_course.report("bob")["seed"] != 1      # another answer, other inputs
    (small_course.source.parent / "data.csv").write_text("1,2")
    assert kept() == []
    assert kept() == ["ada", "bob", "cut"]
    monkeypatch.setattr(job, "grader", lambda: "another version")
    assert kept() == []


def test_a_seed_repeats_the_hidden_inputs(small_course):
    small_course.hand_in("zoe", submitted_notebook(square=ZEROS))
    course = Course(small_course.root)

    def message(**options):
        result = grade(course, **options)["zoe"]
        assert not result.kept
        return result.seed, result.reports["p1"].cells[1].message

    first = message()
    assert message(regrade=True) == first               # a regrade repeats
    second = message(seed=4711)
    assert second[0] == 4711 != first[0] and second[1] != first[1]
    assert message(regrade=True) == second


def test_a_gradebook_that_was_moved_away_is_filled_again(small_course):
    small_course.hand_in("ada", submitted_notebook())
    course = Course(small_course.root)
    grade(course)
    (small_course.root / "gradebook.db").unlink()
    result = grade(course)["ada"]
    assert result.kept and scores(course) == {"ada": 10}
    with Gradebook(course.db_url, "small") as book:
        assert book.find_grade("essay", "p1", "ps1", "ada").needs_manual_grade


def test_what_the_grader_failed_at_is_marked_again(small_course, monkeypatch):
    small_course.hand_in("ada", submitted_notebook())
    course = Course(small_course.root)
    died = apart.Ended(exitcode=-9)
    with monkeypatch.context() as patch:
        patch.setattr(apart, "call", lambda *arguments, **options: died)
        result = grade(course)["ada"]
    assert (result.failed, result.points) == (True, 0)
    assert "2 times; exit code -9" in result.reports["p1"].incidents[0].detail
    with Gradebook(course.db_url, "small") as book:     # nobody takes that for a mark
        assert book.find_submission("ps1", "ada").needs_manual_grade
    again = grade(course)["ada"]
    assert (again.kept, again.points) == (False, 10)


def test_unsafe_marks_are_not_kept_for_a_safe_run(small_course):
    small_course.hand_in("ada", submitted_notebook())
    course = Course(small_course.root)
    grade(course, sandbox="none")
    assert not grade(course)["ada"].kept
    assert small_course.report("ada")["sandbox"] == "bubblewrap"


def test_the_page_tells_what_lateness_costs_whatever_changes_it(small_course):
    path = small_course.hand_in("ada", submitted_notebook())

    def hand_in(hour):
        path.with_name("timestamp.txt").write_text(f"2026-11-23 {hour}:00:00 UTC")

    def told(due=None):
        with open(small_course.root / "nbgrader_config.py", "a") as file:
            file.write("c.LateSubmissionPlugin.penalty_method = 'zero'\n")
        course = Course(small_course.root)
        if due:
            with Gradebook(course.db_url, "small") as book:
                book.update_or_create_assignment("ps1", duedate=f"2026-11-23 {due}:00:00 UTC")
        kept = grade(course)["ada"].kept
        page = (small_course.root / "feedback/ada/ps1/p1.html").read_text()
        return kept, "10 taken off, 0 of 14 points count" in page

    hand_in(12)
    assert told() == (False, False)                       # nobody said when it is due
    assert told(due=11) == (True, True)
    assert told(due=13) == (True, False)
    hand_in(14)
    assert told() == (True, True)                         # the same, but later
    (small_course.root / "feedback/ada/ps1/p1.html").unlink()
    (small_course.root / "autograded/ada/ps1/report.json").unlink()
    assert told() == (False, True)
    hand_in(10)
    assert told() == (True, False)


def test_one_run_at_a_time(small_course):
    small_course.hand_in("ada", submitted_notebook())
    course = Course(small_course.root)
    with Course(small_course.root).only_writer():
        with pytest.raises(Unusable, match="This course is in use by another run"):
            grade(course)
    assert grade(course)["ada"].points == 10


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
    material = job.Material.of(course.assignment("ps1"))
    yield job.Job("ada", material, job.hand_in(course.folder("submitted", "ada", "ps1"), material),
                  "", seed=1, sandbox="bubblewrap")
    job.tidy()


def judging():
    """The processes that judge: they are forked from multiprocessing's server."""
    servers = [process for process in psutil.Process().children()
               if any("multiprocessing" in word for word in process.cmdline())]
    return [child for server in servers for child in server.children(recursive=True)
            if child.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture
def temporary(monkeypatch):
    """A folder for temporary files; its path is short, since sockets lie below it."""
    apart.prepare()                         # what it makes outlives this test
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


def test_a_job_that_takes_too_long_is_ended_with_everything_it_started(a_job, temporary):
    start = time.monotonic()
    marked = job.mark(replace(a_job, wall_clock=4))
    report = marked.result.reports["p1"]
    assert time.monotonic() - start < 15
    assert (report.status, report.points, report.max_points) == ("failed", 0, 10)
    assert report.reason == "Marking took longer than 4 s and was stopped."
    assert report.incidents[0].kind == "total-time"
    assert report.reason in marked.pages["p1"] and report.reason in marked.notebooks["p1"]
    assert judging() == []
    job.tidy()
    templates.close_all()
    assert not list(temporary.iterdir())


def test_a_grader_that_fails_itself_says_so(a_job, monkeypatch):
    def no_address(source, sandbox):
        source.path.write_text("")
    text = job.unpacked(a_job.material)[0].path.read_text()
    monkeypatch.setattr(templates, "address_for", no_address)
    monkeypatch.setattr(formgrader, "unmarked", lambda source, report: text)
    report = job.mark(a_job).result.reports["p1"]
    assert (report.status, report.points, report.max_points) == ("failed", 0, 10)
    assert report.reason.startswith("The grader failed: ")
    assert report.incidents[0].kind == "grader-failed"
    assert "Traceback" in report.incidents[0].detail


def test_a_process_that_dies_is_replaced_once(a_job, monkeypatch):
    calls = []

    def call(*arguments, **options):
        calls.append(1)
        return apart.Ended(exitcode=-9) if len(calls) == 1 else right(*arguments, **options)
    right = apart.call
    monkeypatch.setattr(apart, "call", call)
    assert job.mark(replace(a_job, handed=RIGHT)).result.points == 10
    assert len(calls) == 2


def test_a_template_that_dies_is_replaced(a_job):
    right = replace(a_job, handed=RIGHT)
    assert job.mark(right).result.points == 10
    (source,) = job.unpacked(a_job.material)
    address = templates.address_for(source, "bubblewrap")
    for template in templates._running.values():
        template.process.kill()
    assert job.mark(right).result.points == 10
    assert templates.address_for(source, "bubblewrap") != address


@pytest.mark.parametrize("sent, expected", [
    (f"trouble\n{errno.ENOSPC} a temporary file", OSError),
    ("unavailable\nno sandbox", SandboxUnavailable)])
def test_trouble_of_the_machine_is_nobodys_mark(a_job, monkeypatch, sent, expected):
    monkeypatch.setattr(apart, "call",
                        lambda *arguments, **options: apart.Ended([sent.encode()]))
    with pytest.raises(expected):
        job.mark(a_job)


def test_folders_of_a_process_that_was_killed_go_when_the_next_one_comes(temporary):
    (temporary / f"{scratch.PREFIX}left").mkdir()
    first, second = scratch.folder(), scratch.folder()
    assert set(temporary.iterdir()) == {first, second}
    scratch.remove(first)
    scratch.remove(second)
    assert not list(temporary.iterdir())


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
def running(small_course, temporary):
    """The command, as it marks a notebook that never ends after one that is right."""
    small_course.hand_in("ada", submitted_notebook())
    small_course.hand_in("bob", submitted_notebook(square=LOOP))
    command = [sys.executable, "-m", "autograder", "grade", "ps1", "--course", small_course.root]
    # a shell starts what it runs in the background with Ctrl-C ignored, and that is inherited
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env={**os.environ, "TMPDIR": str(temporary)},
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
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


def test_control_c_loses_the_submission_in_hand_at_most(running, small_course, temporary):
    everybody = family(running)
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=30)
    assert running.returncode == 130
    assert "interrupted; what was finished is saved" in errors and "Traceback" not in errors
    assert gone(everybody) and not list(temporary.iterdir())
    assert scores(Course(small_course.root)) == {"ada": 10}
    assert small_course.report("ada")["reports"]["p1"]["status"] == "graded"
    assert not (small_course.root / "autograded/bob/ps1/report.json").exists()


def test_a_grader_that_is_killed_leaves_nothing_and_the_next_run_goes_on(
        running, small_course, temporary):
    everybody = family(running)
    running.kill()
    assert gone(everybody)
    small_course.hand_in("bob", submitted_notebook())
    job.grader.cache_clear()            # both processes read the source now
    results = grade(Course(small_course.root))
    assert {name: (each.kept, each.points) for name, each in results.items()} == {
        "ada": (True, 10), "bob": (False, 10)}
    job.tidy()
    templates.close_all()
    assert not list(temporary.iterdir())


def test_a_full_disk_loses_the_submission_in_hand_at_most(small_course, monkeypatch, capsys):
    for student in ("ada", "bob", "eve"):
        small_course.hand_in(student, submitted_notebook())
    written = []

    def full(path, text):
        written.append(path.name)
        if written.count("report.json") == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        write(path, text)
    write = classroom.write_whole
    with monkeypatch.context() as patch:
        patch.setattr(classroom, "write_whole", full)
        assert main(["grade", "ps1", "--course", str(small_course.root), "--workers", "1"]) == 2
    said = capsys.readouterr().err
    assert "autograder: No space left on device: " in said and "What was finished is saved" in said
    results = grade(Course(small_course.root))
    assert [results[name].kept for name in ("ada", "bob", "eve")] == [True, False, False]
    assert scores(Course(small_course.root)) == dict.fromkeys(("ada", "bob", "eve"), 10)


# ---- writing ------------------------------------------------------------------------


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "report.json"
    job.write_whole(path, "old")
    with pytest.raises(UnicodeEncodeError):
        job.write_whole(path, "new \ud800")
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["report.json"]
