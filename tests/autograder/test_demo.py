"""The invented class gets the marks that its names promise, in a copy of the course."""

import nbformat
import pytest

from autograder import demo
from autograder import Unusable
from autograder.course import Course

ANSWERS = """
[[right]]
exercise = "square"
title = "power"
code = "def square(x): return x**2"
[[right]]
exercise = "mean"
title = "sum"
code = "def mean_abs(a): return float(abs(a).sum() / len(a))"
[[wrong]]
exercise = "square"
title = "twice"
fails = "square-check"
says = ["square"]
code = "def square(x): return 2 * x"
[[wrong]]
exercise = "mean"
title = "without abs"
fails = "mean-check"
says = ["mean"]
code = "def mean_abs(a): return float(a.mean())"
[[wrong]]
exercise = "mean"
title = "sum"
fails = "mean-check"
says = ["mean"]
code = "def mean_abs(a): return float(abs(a).sum())"
"""

POINTS = {
    "ada-right": 10, "emmy-other-style": 10, "leonhard-third-style": 10, "isaac-mistakes": 0,
    "carl-one-slip": 5, "blaise-half-done": 5, "grace-tests-deleted": 10, "alan-copied-cells": 10,
    "kurt-new-cells": 10, "mallory-always-equal": 0, "eve-patched-check": 0, "oscar-thief": 0,
    "trudy-exits": 5, "zeno-endless-loop": 5, "pierre-cut-off": 0, "fritz-foreign": 0,
    "olga-oversized": 0,
}


@pytest.fixture
def course(small_course):
    """The small course, released, and with answers to choose from."""
    released = small_course.root / "release" / "ps1" / "p1.ipynb"
    released.parent.mkdir(parents=True)
    stub = "def {}(x):\n    raise NotImplementedError()".format
    nbformat.write(small_course.submitted_notebook(stub("square"), stub("mean_abs"), ""), released)
    (small_course.source.parent / "answers.toml").write_text(ANSWERS)
    return small_course


def test_everybody_gets_what_the_name_promises(course, capsys):
    before = {path for path in course.root.rglob("*") if "_build" not in path.parts}
    results = demo.run(course.root)
    assert {result.student: result.points for result in results} == POINTS
    assert {path for path in course.root.rglob("*") if "_build" not in path.parts} == before
    out = capsys.readouterr().out
    assert "isaac-mistakes/ps1/p1.html" in out and "make book" in out
    assert "trudy-exits: incident kernel-died in square" in out
    copy = course.root / "_build" / "demo"
    assert (copy / "gradebook.db").is_file()
    assert len(list((copy / "feedback").rglob("p1.html"))) == len(POINTS)
    assert "isaac-mistakes" in (copy / "autograded" / "overview-ps1.html").read_text()
    assert "ada-right,,ada-right,,10" in (copy / "ps1-canvas.csv").read_text()


def test_the_real_course_is_left_alone(course):
    config = course.root / "nbgrader_config.py"
    config.write_text(config.read_text()
                      + f"c.CourseDirectory.db_url = 'sqlite:///{course.root}/real.db'\n")
    with pytest.raises(Unusable, match="would touch the real ones"):
        demo.copy_of(Course(course.root))
    assert not (course.root / "real.db").exists()
