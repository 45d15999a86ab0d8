"""The files for Canvas and Moodle are what those systems read, and no spreadsheet runs them."""

import csv
import io

import pytest

from autograder.cli import main
from autograder.course import Course
from autograder.exports import guarded
from autograder.gradebook import Gradebook
from autograder.job import Result

from .test_gradebook import course, new_gradebook, report      # noqa: F401 (fixtures)

CANVAS = """\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,ps0 (8),ps1 (9),Current Score
,,,,,Manual Posting,Manual Posting,
    Points Possible,,,,,5,100,(read only)
"Lovelace, Ada",101,u1,ada,Tutorial 1,4,,80
"Babbage, Charles",102,u2,charles,Tutorial 1,5,,90
"=cmd|' /C calc'!A0",103,u3,bob,Tutorial 2,,,0
"""

MOODLE = """\ufeffIdentifier,Full name,Email address,Status,Grade,Maximum Grade,\
Grade can be changed,Last modified (submission),Last modified (grade),Feedback comments
Participant 11,Ada Lovelace,ada@example.org,Submitted,,14.00,Yes,"Monday, 2 November",-,
Participant 12,Charles Babbage,charles@example.org,No submission,,14.00,Yes,-,-,
Participant 13,Bob,bob@example.org,Submitted,,14.00,Yes,-,-,old
"""


@pytest.fixture
def marked(course):     # noqa: F811
    """A gradebook with three students, one of whom the rosters do not know."""
    with Gradebook(course) as gradebook:
        gradebook.enter(course.assignment("ps1"))
        for student, points in (("ada", []), ("bob", [2, 0, 0, 3]), ("eve", [0, 0, 0, 0])):
            each = report(*points)
            each.cells[1].message = "=HYPERLINK(\"http://example.invalid\"), \"quoted\"\nand long"
            gradebook.write(Result(student, "ps1", 1, "bubblewrap", "", {"p1": each}))
        gradebook.book.update_or_create_student("ada", first_name="Ada", last_name="Lovelace",
                                                email="ada@example.org")
        gradebook.book.find_grade("essay", "p1", "ps1", "ada").manual_score = 3.25
        gradebook.book.find_comment("essay", "p1", "ps1", "bob").manual_comment = "@see me"
        gradebook.book.db.commit()
    return course


@pytest.fixture
def export(marked, tmp_path, capsys):
    """Export; returns the rows and what was printed."""
    def export(to, roster=None):
        arguments = ["export", "ps1", "--course", marked.root, "--to", to,
                     "--output", tmp_path / "out.csv"]
        if roster is not None:
            (tmp_path / "roster.csv").write_text(roster, encoding="utf-8")
            arguments += ["--roster", tmp_path / "roster.csv"]
        code = main([str(each) for each in arguments])
        captured = capsys.readouterr()
        if code:
            return code, captured.err
        text = (tmp_path / "out.csv").read_text(encoding="utf-8")
        return list(csv.reader(io.StringIO(text))), captured.out
    return export


def test_canvas_without_a_roster(export):
    rows, out = export("canvas")
    assert rows == [["Student", "ID", "SIS Login ID", "Section", "ps1"],
                    ["    Points Possible", "", "", "", "14"],
                    ["Lovelace, Ada", "", "ada", "", "13.25"],
                    ["bob", "", "bob", "", "5"], ["eve", "", "eve", "", "0"]]
    assert "3 marks in" in out


def test_canvas_with_the_exported_gradebook(export):
    rows, out = export("canvas", CANVAS)
    assert rows == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "ps1 (9)"],
        ["    Points Possible", "", "", "", "", "14"],
        ["Lovelace, Ada", "101", "u1", "ada", "Tutorial 1", "13.25"],
        ["'=cmd|' /C calc'!A0", "103", "u3", "bob", "Tutorial 2", "5"]]
    assert "2 marks in" in out and "Not in the roster (1): eve" in out


def test_moodle_without_a_roster(export):
    rows, _ = export("moodle")
    assert rows[0] == ["Full name", "ID number", "Email address", "ps1", "Feedback"]
    assert rows[1][:4] == ["Lovelace, Ada", "ada", "ada@example.org", "13.25"]


def test_moodle_with_the_grading_worksheet(export):
    rows, out = export("moodle", MOODLE)
    assert [row[:5] for row in rows] == [
        ["Identifier", "Full name", "Email address", "Status", "Grade"],
        ["Participant 11", "Ada Lovelace", "ada@example.org", "Submitted", "13.25"],
        ["Participant 13", "Bob", "bob@example.org", "Submitted", "5"]]
    assert rows[1][7] == "Monday, 2 November"
    comment = rows[2][9]
    assert "Exercise 1: the square: =HYPERLINK" in comment and "Exercise 3: in your words: @see" in \
        comment and "Not in the roster (1): eve" in out


def test_moodle_is_told_what_lateness_costs_and_once_why_nothing_was_graded(course, tmp_path):   # noqa: F811
    with open(course.root / "nbgrader_config.py", "a") as file:
        file.write("c.LateSubmissionPlugin.penalty_method = 'zero'\n")
    late = Course(course.root)
    with Gradebook(late) as gradebook:
        gradebook.book.add_assignment("ps1", duedate="2026-11-30 17:00:00 UTC")
        gradebook.enter(late.assignment("ps1"))
        cut_off = report(0, 0, 0, 0, status="rejected", reason="The file is empty.")
        for student, time, each in (("ada", "2026-11-30 18:00:00 UTC", report()),
                                    ("bob", "2026-11-30 16:00:00 UTC", cut_off)):
            gradebook.write(Result(student, "ps1", 1, "bubblewrap", time, {"p1": each}))
    assert main(["export", "ps1", "--course", str(course.root), "--to", "moodle",
                 "--output", str(tmp_path / "out.csv")]) == 0
    _, ada, bob = csv.reader((tmp_path / "out.csv").read_text().splitlines())
    assert ada[3:] == ["0", "Handed in late: 10 taken off."]
    assert bob[3:] == ["0", "The file is empty."]


def test_students_named_as_moodle_names_their_files(course, tmp_path, capsys):     # noqa: F811
    points = {"Ada O Brien_11": [2, 0, 0, 0], "Participant_12": [0, 0, 2, 0], "s_13": []}
    with Gradebook(course) as gradebook:
        gradebook.enter(course.assignment("ps1"))
        for student, each in points.items():
            gradebook.write(Result(student, "ps1", 1, "bubblewrap", "", {"p1": report(*each)}))
    head, *_ = MOODLE.splitlines()
    rows = [f"Participant {number},{name},,Submitted,,14.00,Yes,-,-," for number, name in
            [(11, "Ada O'Brien"), (12, "hidden"), (13, "Bob"), (1, "Ada O'Brien")]]
    (tmp_path / "roster.csv").write_text("\n".join([head, *rows]), encoding="utf-8")
    assert main(["export", "ps1", "--course", str(course.root), "--to", "moodle", "--roster",
                 str(tmp_path / "roster.csv"), "--output", str(tmp_path / "out.csv")]) == 0
    _, *marks = csv.reader((tmp_path / "out.csv").read_text().splitlines())
    assert [(row[0], row[4]) for row in marks] == [("Participant 11", "2"), ("Participant 12", "2")]
    assert "Not in the roster (1): s_13" in capsys.readouterr().out


@pytest.mark.parametrize("to, roster, words", [
    ("canvas", "", "has no column 'Student'"),
    ("canvas", MOODLE, "Grades, Export in Canvas"),
    ("moodle", CANVAS, "Download grading worksheet in Moodle"),
    ("moodle", MOODLE.replace("14.00", "100.00"), "the roster says at most 100"),
    ("moodle", 'Identifier,"', "no CSV file"),
])
def test_a_roster_of_another_kind(export, to, roster, words):
    code, err = export(to, roster)
    assert code == 2 and words in err and err.count("\n") == 1


def test_a_missing_roster_a_missing_folder_and_nothing_graded(marked, capsys, tmp_path):
    for arguments, words in [
            (["--roster", "nowhere.csv"], "cannot be read: No such file"),
            (["--output", str(tmp_path / "no" / "out.csv")], "There is no folder"),
            (["--db", f"sqlite:///{tmp_path}/new.db"], "Nothing is graded yet")]:
        assert main(["export", "ps1", "--to", "canvas", "--course", str(marked.root),
                     *arguments]) == 2
        assert words in capsys.readouterr().err


@pytest.mark.parametrize("text", ["=1+1", "+1 apple", "-x", "@SUM(A1)", "\t=1", "\r=1", " =1"])
def test_formulas_are_guarded(text):
    assert guarded(text) == "'" + text


@pytest.mark.parametrize("text", ["", "-", "-1.5", "+3", "12", "a=b", "Lovelace, Ada", "1e9"])
def test_what_is_no_formula_stays(text):
    assert guarded(text) == text


def test_the_scores_are_those_of_nbgrader_s_own_export(marked, tmp_path):
    from nbgrader.api import Gradebook as Stock
    with Gradebook(marked) as ours, Stock(marked.db_url, "small") as stock:
        theirs = {each.student.id: max(0.0, each.score - each.late_submission_penalty)
                  for each in stock.assignment_submissions("ps1")}
        assert {student: score for student, *_, score in ours.scores("ps1")} == theirs
