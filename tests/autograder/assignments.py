"""Small assignments for the tests of the rehearsal: exercises in the form of this course."""

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell

from autograder.course import Course

from .conftest import cell, source_notebook

SOLUTION = "def {0}(x):\n    ### BEGIN SOLUTION\n    return x * x\n    ### END SOLUTION"
TASK = "## {0}\n\n*(5 points: 2 by the check below, 3 by hidden tests)*"
STRICT = "check.close({0}(3.0), 9.0, name='the square')"
PASSED = "\ncheck.passed('{0}', points=2, total=5)"


def exercise(name, check=STRICT, hidden="check.close({0}(2.5), 6.25)", solution=SOLUTION,
             task=TASK):
    """The cells of one exercise, in which `{0}` stands for its name."""
    hidden = f"### BEGIN HIDDEN TESTS\n{hidden}\n### END HIDDEN TESTS"
    return [new_markdown_cell(task.format(name)),
            cell(solution.format(name), name, solution=True),
            cell((check + PASSED).format(name), f"{name}-check", points=2, locked=True),
            cell(hidden.format(name), f"{name}-hidden", points=3, locked=True)]


def answers(name, right=("return x**2", "return 1.0 * x * x"), wrong=None):
    """Entries of answers.toml: bodies of a function, and title, body, fails, says."""
    wrong = wrong or [(f"factor {k}", f"return {k} * x", f"{name}-check", ["the square"])
                      for k in (4, 5, 6, 7)]
    text = "".join(f'[[right]]\nexercise = "{name}"\ntitle = "right {i}"\n'
                   f'code = "def {name}(x): {body}"\n' for i, body in enumerate(right))
    return text + "".join(f'[[wrong]]\nexercise = "{name}"\ntitle = "{title}"\nfails = "{fails}"\n'
                          f'says = {says}\ncode = "def {name}(x): {body}"\n'
                          for title, body, fails, says in wrong)


@pytest.fixture
def source(small_course):
    """Make the notebook of these cells with this answers.toml."""
    def source(cells, text):
        notebook = source_notebook()
        notebook.cells = [*notebook.cells[:2], *cells]
        nbformat.write(notebook, small_course.source)
        if text is not None:
            (small_course.source.parent / "answers.toml").write_text(text)
        (source,) = Course(small_course.root).assignment("ps1").notebooks
        return source
    return source
