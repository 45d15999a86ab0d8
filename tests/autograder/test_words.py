"""The words for learners: the same before handing in and after, and no hidden line among them."""

import re

import pytest

from autograder import selfcheck, words
from autograder.marking import mark
from autograder.released import released_line

CHECK = "assert type(square(3.0)) is float\ncheck.close(square(3.0), 9.0, name='square(3.0)')"

WRONG = {
    "a wrong value": "def square(x):\n    return 2 * x",
    "a bare assert": "def square(x):\n    return 9",
    "an error": "def square(x):\n    return x / 0",
    "an error in a helper": "def half(x):\n    return y\ndef square(x):\n    return half(x)",
    "an error of one's own": "def square(x):\n    raise ValueError('odd')",
    "an assert of one's own": "def square(x):\n    assert x > 5, 'too small'\n    return x * x",
    "another name": "def squared(x):\n    return x * x",
    "no function": "square = 9.0",
    "a wrong number of arguments": "def square():\n    return 9.0",
}


@pytest.fixture
def said(small_course, capsys, tmp_path):
    """What is said of an answer to the first exercise, before and after handing in."""
    import nbformat
    notebook = nbformat.read(small_course.source, as_version=4)
    check = next(cell for cell in notebook.cells if cell.get("id") == "square-check")
    check.source = CHECK
    nbformat.write(notebook, small_course.source)

    def said(answer):
        submission = small_course.submitted_notebook(square=answer)
        next(cell for cell in submission.cells if cell.get("id") == "square-check").source = CHECK
        path = small_course.hand_in("ada", submission)
        (verdict, _), _ = selfcheck.verdicts(selfcheck.read(path), tmp_path, 20.0)
        report = mark(path, small_course.source, seed=1)
        return verdict.words, report.cells[0].message
    return said


@pytest.mark.parametrize("answer", WRONG.values(), ids=WRONG)
def test_the_words_are_the_same_before_handing_in_and_after(said, answer):
    (before,), after = said(answer)

    def plain(text):
        text = text.removeprefix("Not yet: ")
        # where it is said without the name of the cell, a line of the learner's is enough
        return re.sub(r"\s+\((?:cell [\w-]+, line \d+: |in the line: )(.*)\)$", r" at \1", text)
    if before.startswith("The test cannot use"):
        before = before.partition(" (cell ")[0]
    assert plain(before) == plain(after)


def test_lines_are_read_from_a_traceback_in_their_order():
    text = "Cell In[3], line 2\n  1 y\nCell In [12], line 14, in f(x)\nCell In[9999999], line 1"
    assert words.places(text) == [(3, 2), (12, 14)]


@pytest.mark.parametrize("text, said", [
    ("invalid syntax (<ipython-input-2-f55e9e4699b1>, line 2)", "E: invalid syntax"),
    ("invalid syntax (1234567.py, line 2)", "E: invalid syntax"),
    ("no such file (data.py, line 2)", "E: no such file (data.py, line 2)"), ("", "E")])
def test_the_name_that_stands_for_a_cell_is_left_out(text, said):
    assert words.error("E", text) == said


def test_a_place_that_is_not_there():
    assert words.place("a", "x = 1\n  y", 2) == " (cell a, line 2: y)"
    assert words.place("a", "x = 1", 7) == " (cell a, line 7: )"


def test_lines_as_learners_count_them():
    source = "a\n\n### BEGIN HIDDEN TESTS\nb\na\n### END HIDDEN TESTS\n\nc"
    assert [released_line(source, line) for line in range(9)] == [0, 1, 2, 0, 0, 0, 0, 3, 4]
