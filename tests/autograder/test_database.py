"""One run at a time writes a gradebook, from whichever folder it was started."""

import subprocess
import sys

import pytest

from autograder import Unusable, database
from autograder.classroom import grade_class
from autograder.cli import main
from autograder.course import Course

from .conftest import make_course, submitted_notebook

#: Another grader: it holds its course until it is told to end.
OTHER = """
import sys
from autograder.course import Course
with Course(*sys.argv[1:]).only_writer():
    print("holds it", flush=True)
    sys.stdin.read()
"""


def hold(course, db):
    """Start another process that grades a course into a database."""
    other = subprocess.Popen([sys.executable, "-c", OTHER, course.root, db], text=True,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert other.stdout.readline() == "holds it\n"
    return other


def two_courses(folder):
    """Two courses with one submission each."""
    courses = [make_course(folder / name) for name in ("first", "second")]
    for course in courses:
        course.hand_in("ada", submitted_notebook())
    return courses


def refused_and_then_graded(courses, db, capsys):
    """The second course is not graded into a database while another process has it."""
    first, second = courses
    other = hold(first, db)
    assert main(["grade", "ps1", "--course", str(second.root), "--db", db]) == 2
    said = capsys.readouterr().err
    assert "is in use by another run of the grader. Wait for its end" in said, said
    assert not (second.root / "autograded/ada").exists()
    other.communicate("", timeout=30)
    course = Course(second.root, db)
    assert [result.points for result in grade_class(course, course.assignment("ps1"))] == [10]


def test_two_courses_with_one_sqlite_file(tmp_path, capsys):
    courses = two_courses(tmp_path)
    db = f"sqlite:///{tmp_path}/all.db"
    refused_and_then_graded(courses, db, capsys)
    assert (tmp_path / "all.db").is_file()


def test_a_link_to_the_file_is_the_same_file(tmp_path):
    first, second = two_courses(tmp_path)
    (tmp_path / "link.db").symlink_to(tmp_path / "all.db")
    with Course(first.root, f"sqlite:///{tmp_path}/all.db").only_writer():
        with pytest.raises(Unusable, match="The gradebook .*link.db is in use by another run"):
            with Course(second.root, f"sqlite:///{tmp_path}/link.db").only_writer():
                pass


def test_two_courses_with_their_own_files_do_not_wait_for_each_other(tmp_path):
    first, second = two_courses(tmp_path)
    with Course(first.root).only_writer(), Course(second.root).only_writer():
        pass


def test_a_folder_that_is_missing_is_named(tmp_path):
    course, _ = two_courses(tmp_path)
    with pytest.raises(Unusable, match="There is no folder .*nowhere for the gradebook"):
        with Course(course.root, f"sqlite:///{tmp_path}/nowhere/all.db").only_writer():
            pass


def test_where_the_database_has_no_known_lock_it_is_said_and_one_course_still_has_one_run(
        tmp_path, capsys):
    course, _ = two_courses(tmp_path)
    db = "mssql+pyodbc://teacher@host/marks"
    with Course(course.root, db).only_writer():
        assert "writing into mssql at the same time" in capsys.readouterr().err
        with pytest.raises(Unusable, match="This course is in use by another run"):
            with Course(course.root, db).only_writer():
                pass


@pytest.mark.parametrize("db", ["sqlite://", "sqlite:///:memory:"])
def test_a_gradebook_that_would_not_be_kept_is_refused(tmp_path, db):
    course, _ = two_courses(tmp_path)
    with pytest.raises(Unusable, match="names no file"):
        Course(course.root, db)


def test_a_lock_is_free_again_after_an_error(tmp_path):
    db = f"sqlite:///{tmp_path}/all.db"
    with pytest.raises(KeyboardInterrupt):
        with database.only_writer(db, "The gradebook"):
            raise KeyboardInterrupt
    with database.only_writer(db, "The gradebook"):
        pass
