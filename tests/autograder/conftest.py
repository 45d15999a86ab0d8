"""A small nbgrader course, with nbgrader's default folders, for the tests of the grader."""

import json
from types import SimpleNamespace

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

SQUARE = "def square(x):\n    return x * x"
MEAN = "def mean_abs(a):\n    return float(np.mean(np.abs(a)))"
ESSAY = "A derivative is a *limit*."
HIDDEN = "hidden-marker-4711"


def cell(source, name, kind="code", *, points=None, solution=False, locked=False):
    """A cell as nbgrader's authoring tool writes it."""
    make = new_code_cell if kind == "code" else new_markdown_cell
    metadata = {"grade": points is not None, "grade_id": name, "locked": locked,
                "schema_version": 3, "solution": solution, "task": False, "cell_type": kind}
    if points is not None:
        metadata["points"] = points
    return make(source, id=name, metadata={"nbgrader": metadata})


def source_notebook():
    """The instructor's notebook: two exercises marked by tests, one by hand; 14 points."""
    notebook = new_notebook(metadata={"autograder": {"modules": ["gradem.check"]}})
    notebook.cells = [
        new_markdown_cell("# Problem set 1"),
        cell("import numpy as np\nfrom gradem import check", "setup", locked=True),
        new_markdown_cell("## Exercise 1: the square\n\n"
                          "*(5 points: 2 by the check below, 3 by hidden tests)*"),
        cell("def square(x):\n    ### BEGIN SOLUTION\n    return x * x\n    ### END SOLUTION",
             "square", solution=True),
        cell("check.close(square(3.0), 9.0, name='square(3.0)')", "square-check",
             points=2, locked=True),
        cell("# Hidden tests (3 points)\n### BEGIN HIDDEN TESTS\n"
             f"x = check.rng().normal()  # {HIDDEN}\n"
             "check.close(square(x), x**2, name='the square of a number')\n"
             "### END HIDDEN TESTS", "square-hidden", points=3, locked=True),
        new_markdown_cell("## Exercise 2: the mean\n\n"
                          "*(5 points: 2 by the check below, 3 by hidden tests)*"),
        cell("def mean_abs(a):\n    ### BEGIN SOLUTION\n"
             "    return float(np.mean(np.abs(a)))\n    ### END SOLUTION", "mean", solution=True),
        cell("check.close(mean_abs(np.array([1.0, -3.0])), 2.0, name='mean_abs([1, -3])')",
             "mean-check", points=2, locked=True),
        cell("# Hidden tests (3 points)\n### BEGIN HIDDEN TESTS\n"
             f"a = check.rng().normal(size=7)  # {HIDDEN}\n"
             "check.close(mean_abs(a), np.abs(a).mean(), name='the mean of seven numbers')\n"
             "### END HIDDEN TESTS", "mean-hidden", points=3, locked=True),
        new_markdown_cell("## Exercise 3: in your words"),
        cell("A limit of slopes.", "essay", "markdown", points=4, solution=True),
    ]
    return notebook


def submitted_notebook(square=SQUARE, mean=MEAN, essay=ESSAY):
    """What a learner hands in: the released notebook with answers."""
    answers = {"square": square, "mean": mean, "essay": essay}
    notebook = source_notebook()
    for each in notebook.cells:
        name = each.metadata.get("nbgrader", {}).get("grade_id")
        if name in answers:
            each.source = answers[name]
        elif "HIDDEN" in each.source:
            each.source = each.source.split("### BEGIN")[0].strip()
    return notebook


class SmallCourse(SimpleNamespace):
    """The folder of the course, and what tests do in it."""

    def hand_in(self, student, notebook, name="p1.ipynb"):
        """Hand in a notebook, or text as it is; returns the file."""
        path = self.root / "submitted" / student / "ps1" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(notebook if isinstance(notebook, str) else nbformat.writes(notebook),
                        encoding="utf-8")
        return path

    def report(self, student):
        """What report.json says."""
        return json.loads((self.root / "autograded" / student / "ps1/report.json").read_text())


def make_course(root):
    """A course with the assignment ps1 in the folder `root`, before anybody handed in."""
    folder = root / "source" / "ps1"
    folder.mkdir(parents=True)
    nbformat.write(source_notebook(), folder / "p1.ipynb")
    (root / "nbgrader_config.py").write_text(
        'c = get_config()\nc.CourseDirectory.course_id = "small"\n')
    return SmallCourse(root=root, source=folder / "p1.ipynb",
                       submitted_notebook=submitted_notebook, hidden=HIDDEN)


@pytest.fixture
def small_course(tmp_path):
    """A course with the assignment ps1, before anybody handed in."""
    return make_course(tmp_path / "course")
