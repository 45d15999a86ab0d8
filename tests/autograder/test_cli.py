"""The commands: what they print, and exit codes that scripts can use."""

import subprocess
import sys
from pathlib import Path

import pytest

from autograder import containers, sandbox, tables
from autograder.cli import main
from autograder.course import Course
from autograder.gradebook import Gradebook
from autograder.job import Result
from autograder.report import CellMark, Incident, Report
from autograder.summary import without_numbers


ANSWERS = """
[[wrong]]
exercise = "square"
title = "twice in place of squared"
fails = "square-check"
says = ["square(3.0) is 6"]
code = "def square(x): return 2 * x"
"""


@pytest.fixture
def run(capsys):
    """Run a command; returns exit code, what it printed, and what it complained of."""
    def run(*arguments):
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err
    return run


def complaint(outcome):
    """The one line of a command that did nothing."""
    code, out, err = outcome
    assert code == 2 and out == "" and err.startswith("autograder: ")
    assert err.count("\n") == 1
    return err


# ---- grade ------------------------------------------------------------------------


def test_grade_prints_marks_and_where_everything_is(run, small_course, monkeypatch):
    small_course.hand_in("ada", small_course.submitted_notebook())
    small_course.hand_in("zoe", small_course.submitted_notebook(square="def square(x): return 0."))
    monkeypatch.chdir(small_course.root)
    code, out, _ = run("grade", "ps1", "--seed", "7")
    assert code == 0
    assert [line.split() for line in out.splitlines()[:4]] == [
        ["ps1", "square", "mean", "points"], ["at", "most", "5", "5", "10"],
        ["ada", "5", "5", "10"], ["zoe", "0", "5", "5"]]
    assert "Seed of the hidden inputs: 7" in out and "UNSAFE" not in out
    assert "autograded/*/ps1/report.json" in out and "feedback/*/ps1/*.html" in out
    assert (small_course.root / "feedback/zoe/ps1/p1.html").is_file()
    assert small_course.report("ada")["seed"] == 7

    (small_course.root / "feedback/zoe/ps1/p1.html").unlink()
    code, out, _ = run("feedback", "ps1")
    assert code == 0 and "2 pages" in out
    assert (small_course.root / "feedback/zoe/ps1/p1.html").is_file()


def test_grade_again_keeps_what_is_marked_unless_told(run, small_course):
    small_course.hand_in("ada", small_course.submitted_notebook())
    small_course.hand_in("zoe", small_course.submitted_notebook(square="def square(x): return 0."))
    grade = ["grade", "ps1", "--course", small_course.root]
    code, out, _ = run(*grade, "--workers", "1", "--seed", "5")
    assert code == 0 and "Kept" not in out
    code, out, _ = run(*grade)
    assert code == 0 and "Kept: 2 of 2 were marked before" in out and "--regrade" in out
    assert [line.split() for line in out.splitlines()[2:4]] == [
        ["ada", "5", "5", "10"], ["zoe", "0", "5", "5"]]
    code, out, _ = run(*grade, "--regrade", "--student", "zoe")
    assert code == 0 and "Kept" not in out and "Seed of the hidden inputs: 5" in out


def test_grade_sums_up_what_the_class_did(run, small_course):
    (small_course.source.parent / "answers.toml").write_text(ANSWERS)
    zeros, twice = "def square(x): return 0.", "def square(x): return 2 * x"
    for student, square in (("ada", "def square(x): return x * x"), ("bob", zeros), ("eve", zeros),
                            ("kim", twice), ("leo", "import os\nos._exit(0)")):
        small_course.hand_in(student, small_course.submitted_notebook(square=square, essay=""))
    small_course.hand_in("max", small_course.submitted_notebook())
    small_course.hand_in("pat", "{")
    code, out, _ = run("grade", "ps1", "--course", small_course.root)
    assert code == 1
    lines = [line.split() for line in out.splitlines()]
    assert ["square", "2", "0", "4", "33%"] in lines and ["mean", "6", "0", "0", "100%"] in lines
    assert ["2", "square(#)", "is", "#,", "but", "it", "should", "be", "#."] in lines
    assert ["1", "twice", "in", "place", "of", "squared"] in lines
    assert "  incident kernel-died (1): leo" in out
    assert "  essay, points by hand (1): max" in out and "  not graded (1): pat" in out
    with Gradebook(Course(small_course.root)) as gradebook:
        grade = gradebook.book.find_grade("essay", "p1", "ps1", "max")
        grade.manual_score, grade.needs_manual_grade = 3, False     # as formgrader does
        gradebook.book.db.commit()
    _, out, _ = run("grade", "ps1", "--course", small_course.root)
    assert "points by hand" not in out and "  not graded (1): pat" in out


def test_grade_tells_with_its_code_that_somebody_was_not_graded(run, small_course):
    small_course.hand_in("ada", '{"cells": [')
    code, out, _ = run("grade", "ps1", "--course", small_course.root)
    assert code == 1
    assert "not graded" in out and "ada: The file is not a notebook" in out


def test_grade_skips_nothing_silently(run, small_course):
    small_course.hand_in("ada", small_course.submitted_notebook())
    for name in "bcdef":
        path = small_course.root / f"submitted/{name}\x1b/p1.ipynb"
        path.parent.mkdir()
        path.write_text("{}")
    code, out, _ = run("grade", "ps1", "--course", small_course.root)
    assert code == 1 and "\x1b" not in out
    assert "Not looked at, because it lies in no folder of an assignment: submitted/b /p1.ipynb, " \
        "submitted/c /p1.ipynb, submitted/d /p1.ipynb and 2 more" in out


def test_a_time_that_cannot_be_read_is_told(run, small_course):
    for student, text in (("ada", "2026-11-20 12:00:00 UTC"), ("bob", "in time"), ("eve", "")):
        path = small_course.hand_in(student, small_course.submitted_notebook())
        path.with_name("timestamp.txt").write_text(text)
    _, out, _ = run("grade", "ps1", "--course", small_course.root)
    assert "  a timestamp.txt that holds no time, so not late (1): bob" in out


def test_grade_one_student_only(run, small_course):
    for student in ("ada", "bob"):
        small_course.hand_in(student, '{"cells": []}')
    code, out, _ = run("grade", "ps1", "--course", small_course.root, "--student", "bob")
    assert code == 0 and "bob" in out and "ada" not in out
    assert not (small_course.root / "autograded" / "ada").exists()


def test_unsafe_is_stamped_on_everything(run, small_course):
    small_course.hand_in("ada", small_course.submitted_notebook())
    code, out, _ = run("grade", "ps1", "--course", small_course.root, "--unsafe")
    assert code == 0 and out.startswith("UNSAFE: learners' code ran without a sandbox")
    assert small_course.report("ada")["sandbox"] == "none"
    assert small_course.report("ada")["reports"]["p1"]["sandbox"] == "none"
    page = (small_course.root / "feedback/ada/ps1/p1.html").read_text()
    assert "marked without a sandbox" in page


@pytest.mark.parametrize("command", [["grade", "ps1"], ["rehearse"]])
def test_without_bubblewrap_it_refuses(run, small_course, monkeypatch, command):
    small_course.hand_in("ada", small_course.submitted_notebook())
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    words = complaint(run(*command, "--course", small_course.root))
    assert "bubblewrap is missing" in words and "--unsafe" in words
    assert not (small_course.root / "autograded").exists()


def test_similar_says_which_submissions_to_read(run, small_course):
    long = "def square(x):\n" + "".join(f"    x{i} = x * {i} + {i}\n" for i in range(9)) + \
        "    return x * x"
    for student, square in [("ada", long), ("bob", long), ("zoe", "def square(x): return x**2")]:
        small_course.hand_in(student, small_course.submitted_notebook(square=square))
    code, out, _ = run("similar", "ps1", "--course", small_course.root)
    assert code == 0 and "ada      bob     95%" in out and "zoe" not in out
    page = small_course.root / "autograded" / "similarity-ps1.html"
    assert "Similarity is no proof" in page.read_text() and "similarity-ps1.html" in out


# ---- wrong use ----------------------------------------------------------------------


@pytest.mark.parametrize("command", ["grade", "feedback", "rehearse", "similar"])
def test_an_unknown_assignment(run, small_course, command):
    words = complaint(run(command, "ps9", "--course", small_course.root))
    assert "There is no assignment 'ps9' in source. There are: ps1." in words


@pytest.mark.parametrize("command", [["grade", "ps1"], ["feedback", "ps1"], ["rehearse"], ["demo"]])
def test_a_missing_folder(run, tmp_path, command):
    assert "There is no folder" in complaint(run(*command, "--course", tmp_path / "nowhere"))


@pytest.mark.parametrize("command", [["grade", "ps1"], ["rehearse"], ["demo"]])
def test_a_folder_that_is_no_course(run, tmp_path, command):
    complaint(run(*command, "--course", tmp_path))


def test_a_broken_configuration(run, small_course):
    (small_course.root / "nbgrader_config.py").write_text("c = get_config(")
    assert "SyntaxError" in complaint(run("grade", "ps1", "--course", small_course.root))


def test_nothing_was_handed_in(run, small_course):
    words = complaint(run("grade", "ps1", "--course", small_course.root))
    assert "Nobody handed in ps1" in words


def test_a_student_who_handed_in_nothing(run, small_course):
    small_course.hand_in("ada", "{}")
    words = complaint(run("grade", "ps1", "--course", small_course.root, "--student", "bob"))
    assert "bob handed in nothing" in words


def test_feedback_before_anything_is_graded(run, small_course):
    words = complaint(run("feedback", "ps1", "--course", small_course.root))
    assert "Run: autograder grade ps1" in words


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"student": "ada", "reports": {"p2": {}}}'])
def test_feedback_from_a_report_that_does_not_fit(run, small_course, text):
    path = small_course.root / "autograded" / "ada" / "ps1" / "report.json"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    words = complaint(run("feedback", "ps1", "--course", small_course.root))
    assert "report.json does not fit the assignment. Run: autograder grade ps1" in words


def test_a_demonstration_needs_released_assignments(run, small_course):
    assert "release" in complaint(run("demo", "--course", small_course.root))


def test_a_place_that_cannot_be_written(run, small_course):
    small_course.hand_in("ada", "{}")
    (small_course.root / "autograded").write_text("a file")
    code, out, err = run("grade", "ps1", "--course", small_course.root)
    assert code == 2 and out == ""
    assert err.splitlines()[-1].startswith("autograder: File exists: ")


@pytest.mark.parametrize("arguments", [
    [], ["mark"], ["grade"], ["grade", "ps1", "--seed", "x"], ["grade", "ps1", "--seed", "-1"],
    ["grade", "ps1", "--seed", str(2**32)], ["rehearse", "--what"], ["grade", "ps1", "--workers", "0"],
    ["grade", "ps1", "--workers", "2", "--scheduler", "tcp://a:1"], ["export", "ps1"],
    ["export", "ps1", "--to", "blackboard"], ["grade", "ps1", "--unsafe", "--sandbox", "container"]])
def test_wrong_usage(run, arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        run(*arguments)
    assert caught.value.code == 2 and "usage: autograder" in capsys.readouterr().err


def test_the_help_explains_the_exit_codes():
    run = subprocess.run([sys.executable, "-m", "autograder", "--help"],
                         capture_output=True, text=True)
    assert run.returncode == 0
    for word in ("grade", "feedback", "rehearse", "demo", "Exit codes", "130"):
        assert word in run.stdout


@pytest.mark.parametrize("command", [["grade", "ps1"], ["rehearse"]])
def test_without_podman_and_docker_it_refuses(run, small_course, monkeypatch, command):
    small_course.hand_in("ada", small_course.submitted_notebook())
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    containers.engine.cache_clear()
    words = complaint(run(*command, "--course", small_course.root, "--sandbox", "container"))
    assert "podman is not installed" in words
    containers.engine.cache_clear()


@pytest.mark.parametrize("command", [["grade", "ps1"], ["rehearse"]])
def test_where_numpy_is_out_of_sight_nothing_is_done(run, small_course, monkeypatch, tmp_path, command):
    """As after pip install --user."""
    small_course.hand_in("ada", small_course.submitted_notebook())
    monkeypatch.setattr(sandbox, "shown", lambda: [str(tmp_path)])
    words = complaint(run(*command, "--course", small_course.root))
    assert "package numpy is installed in" in words and "python3 -m venv" in words
    assert not (small_course.root / "gradebook.db").exists()


def test_a_module_that_notebooks_cannot_have(run, small_course):
    text = small_course.source.read_text().replace("gradem.check\"", "numpy.random\"")
    small_course.source.write_text(text)
    small_course.hand_in("ada", small_course.submitted_notebook())
    code, out, err = run("grade", "ps1", "--course", small_course.root)
    assert code == 2 and out == "" and "Traceback" not in err
    assert "p1.ipynb: the notebook's metadata names 'numpy.random'" in err.splitlines()[-1]


# ---- rehearse -----------------------------------------------------------------------


def test_rehearse_fails_for_an_assignment_with_defects(run, small_course):
    (small_course.source.parent / "answers.toml").write_text(
        ANSWERS.replace("return 2 * x", "return x ** 2"))
    code, out, _ = run("rehearse", "--course", small_course.root)
    assert code == 1 and "square, twice in place of squared: It passes." in out
    (row,) = [line.split() for line in out.splitlines() if line.startswith("square  ")]
    assert row[1:3] == ["1", "1"] and int(row[4]) > 0


# ---- summary --------------------------------------------------------------------------


@pytest.mark.parametrize("message, expected", [
    ("x is 1.5, but it should be -2e-10.", "x is #, but it should be #."),
    ("f(0.1) is nan", "f(#) is #"), ("[1, 2.0, 3] or [-.5]", "[#, ...] or [#]"),
    ("log_density2 of X1\n is  3+4j", "log_density2 of X1 is #+#"), ("none", "none")])
def test_messages_are_compared_without_their_numbers(message, expected):
    assert without_numbers(message) == expected


# ---- tables ---------------------------------------------------------------------------


def test_what_is_printed_cannot_move_the_cursor():
    cells = [CellMark("a", "a", 0.0, 1.0, False)]
    report = Report("graded", 1, "bubblewrap", cells=cells, notes=["\x1b[2J\rgone", "b", "c", "d"],
                    incidents=[Incident("timeout", "x\x1b[1m", "\x07")])
    text = tables.noticed([Result("\x1b]0;title\x07", "ps1", 1, "bubblewrap", "", {"p": report})])
    assert not set(text) & set("\x1b\x07\r") and "incident timeout" in text
    assert "and 2 more, in the report" in text
    assert tables.shown("a" * 100) == "a" * 37 + "..."


def test_nothing_odd():
    report = Report("graded", 1, "bubblewrap")
    assert tables.noticed([Result("a", "b", 1, "bubblewrap", "", {"p": report})]) == \
        "Nothing odd was noticed."


def test_a_large_class_is_not_listed(small_course):
    assignment = Course(small_course.root).assignment("ps1")
    report = Report("graded", 1, "none", notes=["odd"])
    results = [Result(f"s{number}", "ps1", 1, "none", "", {"p1": report}) for number in range(999)]
    assert tables.marks(assignment, results).splitlines() == [
        tables.UNSAFE, "999 submissions of ps1: more than are listed here. Their marks are in the "
        "gradebook."]
    assert tables.noticed(results).splitlines()[-1] == "  and 959 more, in the reports"


def test_columns_are_aligned():
    rows = [["name", "points", ""], ["a", "10", "x"]]
    assert tables.aligned(rows) == "name  points\na         10  x"
