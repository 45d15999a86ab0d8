"""A course is read as nbgrader reads it, and what cannot be used is said in one line."""

import json
import os

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell, new_notebook

import nb
from autograder import Unusable
from autograder.course import Course

from .conftest import cell, make_course, source_notebook


def test_the_default_layout_of_nbgrader(small_course):
    root = small_course.root
    course = Course(root)
    assert course.root == root and course.assignments() == ["ps1"]
    assert course.db_url == f"sqlite:///{root}/gradebook.db"
    assert course.folder("submitted", "ada", "ps1") == root / "submitted/ada/ps1"
    assert course.folder("feedback", "ada", "ps1") == root / "feedback/ada/ps1"


def test_what_lies_where_no_assignment_is(small_course):
    for place in ("submitted/ada/ps1/p1.ipynb", "submitted/bob/p1.ipynb", "submitted/p1.ipynb",
                  "submitted/eve/ps1 (1)/p1.ipynb", "submitted/eve/ps1/.ipynb_checkpoints/a.ipynb",
                  "submitted/eve/.ipynb_checkpoints/a.ipynb", "submitted/zoe/ps2/notes.txt"):
        (small_course.root / place).parent.mkdir(parents=True, exist_ok=True)
        (small_course.root / place).write_text("{}")
    assert Course(small_course.root).strays() == [
        "submitted/bob/p1.ipynb", "submitted/eve/ps1 (1)", "submitted/p1.ipynb"]


def test_a_layout_of_ones_own(tmp_path):
    notebook = tmp_path / "teacher" / "week-1" / "task" / "one.ipynb"
    notebook.parent.mkdir(parents=True)
    nbformat.write(source_notebook(), notebook)
    (tmp_path / "in" / "week-1" / "of-ada").mkdir(parents=True)
    (tmp_path / "nbgrader_config.py").write_text("""
c = get_config()
c.CourseDirectory.source_directory = "teacher"
c.CourseDirectory.submitted_directory = "in"
c.CourseDirectory.directory_structure = "{nbgrader_step}/{assignment_id}/{student_id}"
c.CourseDirectory.db_url = "sqlite:///marks/all.db"
""")
    # the student of a source folder is nbgrader's '.'
    notebook.rename(notebook.parent.parent / "one.ipynb")
    course = Course(tmp_path)
    assert course.assignments() == ["week-1"]
    assert course.students("week-1") == ["of-ada"]
    (tmp_path / "in/week-1/of-ada/one.ipynb").write_text("{}")
    assert course.strays() == []
    assert course.db_url == f"sqlite:///{tmp_path}/marks/all.db"


def test_a_gradebook_elsewhere_is_shown_without_its_password(small_course):
    with open(small_course.root / "nbgrader_config.py", "a") as config:
        config.write("c.CourseDirectory.db_url = 'postgresql://me:secret@host/marks'\n")
    course = Course(small_course.root)
    assert course.db_url == "postgresql://me:secret@host/marks"
    assert course.gradebook == "postgresql://me:***@host/marks"


def test_a_configuration_in_json(small_course):
    (small_course.root / "nbgrader_config.py").unlink()
    (small_course.root / "nbgrader_config.json").write_text(
        json.dumps({"CourseDirectory": {"submitted_directory": "inbox"}}))
    folder = Course(small_course.root).folder("submitted", "a", "b")
    assert folder == small_course.root / "inbox" / "a" / "b"


def test_this_course():
    course = Course(nb.ROOT)
    assert course.assignments() == sorted(path.parent.name for path
                                          in (nb.ROOT / "solutions").glob("*/*.ipynb"))
    (notebook,) = course.assignment("01-differences").notebooks
    assert notebook.title == "01 Divided differences" and notebook.points == 25
    first = notebook.exercises[0]
    assert (first.name, first.title) == ("differences",
                                         "Exercise 1: forward and central difference")
    assert [(test.name, test.points, test.hidden) for test in first.tests] == [
        ("differences-check", 2, False), ("differences-hidden", 3, True)]
    assert notebook.files == ()      # answers.toml is not for the sandbox


def test_exercises_points_by_hand_and_data_files(small_course):
    (small_course.source.parent / "data.csv").write_text("1,2\n")
    (small_course.source.parent / "helper.pyc").write_text("")
    assignment = Course(small_course.root).assignment("ps1")
    (notebook,) = assignment.notebooks
    assert [exercise.name for exercise in notebook.exercises] == ["square", "mean", "essay"]
    assert [exercise.points for exercise in notebook.exercises] == [5, 5, 4]
    assert notebook.exercises[2].by_hand == 4 and notebook.exercises[2].tests == ()
    assert assignment.points == 14
    assert [path.name for path in notebook.files] == ["data.csv"]


def test_an_exercise_is_not_called_after_its_solution(small_course):
    notebook = nbformat.read(small_course.source, as_version=4)
    (essay,) = [cell for cell in notebook.cells
                if cell.metadata.get("nbgrader", {}).get("grade_id") == "essay"]
    essay.source = "### BEGIN SOLUTION\n# The answer\n### END SOLUTION"
    nbformat.write(notebook, small_course.source)
    (read,) = Course(small_course.root).assignment("ps1").notebooks
    assert read.exercises[2].title == "Exercise 3: in your words"


def test_students_are_folders_with_the_assignment(tmp_path):
    course = make_course(tmp_path / "a [strange] *folder")
    for student in ["ada", "bob", "with blank", ".hidden"]:
        course.hand_in(student, "x")
    (course.root / "submitted" / "late").mkdir()
    (course.root / "submitted" / "readme.txt").write_text("")
    assert Course(course.root).students("ps1") == ["ada", "bob", "with blank"]
    assert Course(course.root).students("ps2") == []


# ---- what cannot be used --------------------------------------------------------


def unusable(root, assignment="ps1"):
    """The one line that says why."""
    with pytest.raises(Unusable) as caught:
        Course(root).assignment(assignment)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_missing_folder(tmp_path):
    assert "There is no folder" in unusable(tmp_path / "nowhere")


@pytest.mark.parametrize("text", ["c = get_config(\n", "raise SystemExit(3)", "1 / 0",
                                  "c = get_config()\nc.CourseDirectory.root = undefined"])
def test_a_broken_configuration(small_course, text):
    (small_course.root / "nbgrader_config.py").write_text(text)
    assert "nbgrader_config.py cannot be read" in unusable(small_course.root)


def test_no_assignments(tmp_path):
    assert "There are no assignments in source" in unusable(tmp_path)


@pytest.mark.parametrize("name", ["ps2", "", "..", "../course/source/ps1", "*"])
def test_an_unknown_assignment(small_course, name):
    words = unusable(small_course.root, name)
    assert words == f"There is no assignment {name!r} in source. There are: ps1."


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cells": 3, "nbformat": 4}', "\0\1"])
def test_a_source_that_is_no_notebook(small_course, text):
    small_course.source.write_text(text)
    assert "source/ps1/p1.ipynb is not a readable notebook" in unusable(small_course.root)


@pytest.mark.parametrize("change, words", [
    (lambda cells: cells.append(cell("1", "setup") | {"id": "another"}),
     "more than one cell named 'setup'"),
    (lambda cells: cells.append(cell("### AUTOTEST x", "auto", points=1)), "AUTOTEST"),
    (lambda cells: cells[4].metadata.nbgrader.pop("points"), "without a number of points"),
    (lambda cells: cells[4].metadata.nbgrader.update(points="lots"), "without a number of points"),
])
def test_a_source_that_cannot_be_marked(small_course, change, words):
    notebook = source_notebook()
    change(notebook.cells)
    small_course.source.write_text(json.dumps(notebook))
    assert words in unusable(small_course.root)


def test_a_student_folder_that_is_not_utf8(small_course):
    path = str(small_course.root / "submitted").encode() + b"/\xff/ps1"
    os.makedirs(path)
    with pytest.raises(Unusable, match="not UTF-8"):
        Course(small_course.root).students("ps1")


def test_tests_before_any_answer_are_an_exercise(small_course):
    notebook = new_notebook(cells=[new_markdown_cell("# Only tests"),
                                   cell("assert 1", "first", points=1, locked=True)])
    nbformat.write(notebook, small_course.source)
    (exercise,) = Course(small_course.root).assignment("ps1").notebooks[0].exercises
    assert (exercise.name, exercise.title, exercise.points) == ("first", "Only tests", 1)
