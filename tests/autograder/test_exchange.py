"""nbgrader's exchange, from the release to the fetched page, with our grader in the middle."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import default
from traitlets.config import Config

from autograder.classroom import grade_class
from autograder.course import Course


@pytest.fixture
def exchange(small_course, tmp_path, monkeypatch):
    """The folder of the exchange, and what teacher and learners do with it."""
    # nbgrader starts alembic by its name
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    root = tmp_path / "exchange"
    root.mkdir(mode=0o777)
    released = small_course.root / "release" / "ps1"
    released.mkdir(parents=True)
    nbformat.write(small_course.submitted_notebook("raise NotImplementedError()"),
                   released / "p1.ipynb")

    def place(student):
        folder = tmp_path / "home" / student
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def act(step, student=None):
        """One command of nbgrader's, such as "Submit", as the teacher or as a learner."""
        config = Config({"CourseDirectory": {"course_id": "small", "root": str(small_course.root)},
                         "Exchange": {"root": str(root)}})
        if student:
            config.CourseDirectory.student_id = student
            config.Exchange.assignment_dir = str(place(student))
            config.Exchange.cache = str(place(student) / "cache")
        if step == "Collect":
            config.ExchangeCollect.update = True
            config.ExchangeCollect.check_owner = False       # all of them are one user here
        directory = CourseDirectory(config=config)
        directory.assignment_id = "ps1"
        getattr(default, f"Exchange{step}")(coursedir=directory, config=config,
                                            authenticator=Authenticator(config=config)).start()

    def work(student, notebook):
        nbformat.write(notebook, place(student) / "ps1" / "p1.ipynb")
        act("Submit", student)

    def grade():
        course = Course(small_course.root)
        return list(grade_class(course, course.assignment("ps1")))

    def fetched(student):
        return [path.read_text() for path in place(student).glob("ps1/feedback/*/p1.html")]

    return SimpleNamespace(act=act, work=work, grade=grade, fetched=fetched,
                           notebook=small_course.submitted_notebook, root=small_course.root)


def test_from_the_release_to_the_page_of_each_learner(exchange):
    exchange.act("ReleaseAssignment")
    for student in ("ada", "bob"):
        exchange.act("FetchAssignment", student)
    exchange.work("ada", exchange.notebook())
    exchange.work("bob", exchange.notebook(square="def square(x):\n    return x"))
    exchange.act("Collect")
    results = {result.student: result for result in exchange.grade()}
    assert {name: result.points for name, result in results.items()} == {"ada": 10.0, "bob": 5.0}
    assert all(result.timestamp.endswith("UTC") for result in results.values())
    exchange.act("ReleaseFeedback")
    for student, points in [("ada", "10 of 14"), ("bob", "5 of 14")]:
        exchange.act("FetchFeedback", student)
        (page,) = exchange.fetched(student)
        assert student in page and points in page

    # handed in again as it was: it is not marked again, but comes back to its new place
    exchange.act("Submit", "ada")
    exchange.act("Collect")
    assert all(result.kept for result in exchange.grade())
    exchange.act("ReleaseFeedback")
    exchange.act("FetchFeedback", "ada")
    assert len(exchange.fetched("ada")) == 2


def test_only_plain_files_of_a_submission_are_passed_on(exchange, tmp_path):
    exchange.act("ReleaseAssignment")
    exchange.act("FetchAssignment", "eve")
    exchange.work("eve", exchange.notebook())
    exchange.act("Collect")
    (tmp_path / "key").write_text("the teacher's key")
    for name in ("timestamp.txt", "submission_secret.txt"):
        slip = exchange.root / "submitted" / "eve" / "ps1" / name
        slip.unlink()
        os.symlink(tmp_path / "key", slip)
    (result,) = exchange.grade()
    assert (result.points, result.timestamp) == (10.0, "")
    pages = exchange.root / "feedback" / "eve" / "ps1"
    assert [path.name for path in pages.iterdir()] == ["p1.html"]
