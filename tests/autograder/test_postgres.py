"""The gradebook in a real PostgreSQL server, which is started for these tests.

The server comes from Debian's package; nothing is left of it afterwards, and it listens
on a socket in its own folder only. Where there is no such package, the tests are skipped
with a message; but a run that sets CI promises to test everything, so there they fail.
"""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from nbgrader import api

from autograder.classroom import grade_class
from autograder.cli import main
from autograder import Unusable
from autograder.course import Course
from autograder.gradebook import Gradebook
from autograder.report import HandMark

from .conftest import submitted_notebook
from .test_database import refused_and_then_graded, two_courses
from .test_gradebook import result

ZEROS = "def square(x):\n    return 0.0"


def programs():
    """The folder of the newest server's programs, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"),
                   key=lambda path: float(path.parts[-3]))
    return found[-1].parent if found else None


def unavailable(words):
    """Skip these tests, or fail where all tests must run."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(words)


@pytest.fixture(scope="module")
def server():
    """The folder of a server's socket."""
    if importlib.util.find_spec("psycopg") is None:
        unavailable("psycopg is missing: pip install 'psycopg[binary]'")
    if programs() is None:
        unavailable("PostgreSQL is missing: apt-get install postgresql")
    # the server refuses to run as root
    user = {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid} if os.getuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    if user:
        shutil.chown(folder, "nobody", user["group"])

    def run(program, *arguments):
        subprocess.run([programs() / program, *arguments], check=True, cwd=folder,
                       stdout=subprocess.DEVNULL, env={"LC_ALL": "C", "PATH": "/usr/bin"}, **user)

    try:
        run("initdb", "-D", folder / "data", "-U", "teacher", "--auth=trust", "-E", "UTF8",
            "--no-sync")
        run("pg_ctl", "start", "-w", "-D", folder / "data", "-l", folder / "log",
            "-o", f"-k {folder} -c listen_addresses='' -c fsync=off")
        yield folder
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            run("pg_ctl", "stop", "-m", "immediate", "-D", folder / "data")
        shutil.rmtree(folder)


@pytest.fixture
def db(server, request):
    """The address of a new, empty database."""
    name = f"marks{abs(hash(request.node.name)) % 10**9}"
    subprocess.run([programs() / "createdb", "-h", server, "-U", "teacher", name], check=True)
    return f"postgresql+psycopg://teacher@/{name}?host={server}"


def test_a_class_is_graded_into_it(small_course, db, capsys):
    small_course.hand_in("ada", submitted_notebook())
    small_course.hand_in("zoe", submitted_notebook(square=ZEROS))
    small_course.hand_in("cut", '{"cells": [')
    for kept in (0, 3):
        code = main(["grade", "ps1", "--course", str(small_course.root), "--db", db])
        out = capsys.readouterr().out
        assert code == 1 and ("Kept: 3 of 3" in out) == bool(kept) and "Traceback" not in out
    assert not (small_course.root / "gradebook.db").exists()
    with api.Gradebook(db, "small") as book:
        assert {each.student.id: each.score for each in book.assignment_submissions("ps1")} == {
            "ada": 10, "zoe": 5, "cut": 0}
        book.find_grade("essay", "p1", "ps1", "ada").manual_score = 4
        book.find_comment("essay", "p1", "ps1", "ada").manual_comment = "Good."
        book.db.commit()
    course = Course(small_course.root, db)
    list(grade_class(course, course.assignment("ps1"), students=["ada"], regrade=True))
    with Gradebook(course) as gradebook:
        assert gradebook.by_hand("ps1", "ada") == {("p1", "essay"): HandMark(4, "Good.")}
        assert [row[-1] for row in gradebook.scores("ps1")] == [14, 0, 5]
    assert main(["export", "ps1", "--to", "canvas", "--course", str(small_course.root), "--db", db,
                 "--output", str(small_course.root / "out.csv")]) == 0
    assert "ada,,ada,,14" in (small_course.root / "out.csv").read_text()


def test_two_courses_with_one_database(tmp_path, db, capsys):
    refused_and_then_graded(two_courses(tmp_path), db, capsys)


def test_any_name_and_text_goes_in(small_course, db):
    course = Course(small_course.root, db)
    name = "Ünï'; DROP TABLE grade; -- <b>"
    odd = result(name, 0, 0, 0, 0)
    odd.reports["p1"].cells[0].message = "' \0 \u202e \U0001f600 %s :name"
    with Gradebook(course) as gradebook:
        gradebook.enter(course.assignment("ps1"))
        for _ in range(2):
            gradebook.write(odd)
        assert gradebook.points("ps1") == {name: 0}
        said = gradebook.comments("ps1")[name]["p1", "square"]
        assert said == "' \ufffd \u202e \U0001f600 %s :name"


def test_a_database_of_another_encoding_is_told(small_course, server, capsys):
    """As a server that was set up without a language makes them."""
    subprocess.run([programs() / "createdb", "-h", server, "-U", "teacher", "-E", "SQL_ASCII",
                    "-T", "template0", "ascii"], check=True)
    small_course.hand_in("ada", submitted_notebook())
    code = main(["grade", "ps1", "--course", str(small_course.root), "--db",
                 f"postgresql+psycopg://teacher@/ascii?host={server}"])
    error = capsys.readouterr().err
    assert code == 2 and error.count("\n") == 1
    assert "createdb --encoding UTF8" in error


def test_an_error_leaves_nothing_half_written(small_course, db):
    course = Course(small_course.root, db)
    with Gradebook(course) as gradebook:
        gradebook.enter(course.assignment("ps1"))
        gradebook.write(result("ada"))
        gradebook.book.db.connection().exec_driver_sql("ALTER TABLE comment RENAME TO gone")
        gradebook.book.db.commit()
        with pytest.raises(Unusable, match="The gradebook cannot be written: "):
            gradebook.write(result("bob"))
        assert gradebook.points("ps1") == {"ada": 10}


@pytest.mark.parametrize("address, words", [
    ("postgresql+psycopg://teacher@/nowhere?host={server}", "cannot be opened: "),
    ("postgresql+psycopg://teacher@/marks?host=/nowhere", "cannot be opened: "),
    ("postgresql+nothing://teacher@/marks", "is no address|cannot be opened"),
    ("marks", "is no address of a gradebook"),
])
def test_a_database_that_cannot_be_had(server, small_course, capsys, address, words):
    small_course.hand_in("ada", submitted_notebook())
    code = main(["grade", "ps1", "--course", str(small_course.root),
                 "--db", address.format(server=server)])
    error = capsys.readouterr().err
    assert code == 2 and error.count("\n") == 1
    assert any(part in error for part in words.split("|"))


@pytest.mark.parametrize("ci, outcome", [
    (None, pytest.skip.Exception), ("true", pytest.fail.Exception),
])
def test_what_is_missing_is_told_and_never_passed_over_in_ci(monkeypatch, ci, outcome):
    monkeypatch.delenv("CI", raising=False)
    if ci:
        monkeypatch.setenv("CI", ci)
    with pytest.raises(outcome, match="apt-get install"):
        unavailable("PostgreSQL is missing: apt-get install postgresql")
