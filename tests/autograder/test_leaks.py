"""Answers that stand in the released notebook are found, and nothing else is called a leak."""

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell, new_output

from autograder import leaks as module
from autograder.leaks import leaks, released, share_shown

from .assignments import TASK, answers, exercise, source  # noqa: F401 (a fixture)
from .conftest import cell

LONG = """def {0}(x):
    ### BEGIN SOLUTION
    total = 0.0
    for k in range(1, 12):
        total += x**k / (k + 3)
    return total - 0.25 * x
    ### END SOLUTION"""
SKELETON = """<details><summary>Hint 4 (skeleton)</summary>

```python
def {0}(x):
    total = 0.0
    for k in range(...):
        total += ...
    return total - ...
```
</details>"""


@pytest.fixture
def found(source):
    """The words of all leaks of a notebook of these cells."""
    def found(cells):
        made = source(cells, answers("square"))
        trials = leaks(made, nbformat.read(made.path, as_version=4))
        assert {trial.kind for trial in trials} <= {"leak"}
        return [trial.defect for trial in trials]
    return found


def test_a_sound_exercise_leaks_nothing(found):
    assert found(exercise("square")) == []
    assert found(exercise("square", solution=LONG, task=TASK + "\n\n" + SKELETON)) == []


# ---- the solution -----------------------------------------------------------------


@pytest.mark.parametrize("leak", [
    new_markdown_cell(LONG.replace("### BEGIN SOLUTION", "").format("square")),
    new_markdown_cell("Like this: `total = 0.0`\n\n    for k in range(1, 12):\n        total += x**k"
                      " / (k + 3)\n    return total - 0.25 * x"),
    cell(LONG.replace("###", "##").format("cube"), "given", locked=True),
])
def test_a_solution_in_the_text_or_in_a_given_cell(found, leak):
    (words,) = found([leak, *exercise("square", solution=LONG)])
    assert "of the solution stands in the released notebook" in words and "'...'" in words


def test_a_solution_in_the_check_or_in_what_a_cell_prints(found):
    body = LONG.partition("SOLUTION\n")[2].partition("    ###")[0]
    check = f"def right(x):\n{body}\ncheck.close({{0}}(3.0), right(3.0))"
    (words,) = found(exercise("square", solution=LONG, check=check))
    assert "of the solution stands" in words
    printing = cell("print(open('solution.py').read())", "printing", locked=True)
    printing.outputs = [new_output("stream", text=body)]
    (words,) = found([printing, *exercise("square", solution=LONG)])
    assert "of the solution stands" in words


def test_hidden_tests_and_solutions_are_not_released(found, source):
    hidden = "def right(x):\n" + LONG.partition("SOLUTION\n")[2].partition("    ###")[0]
    cells = exercise("square", solution=LONG, hidden=hidden + "check.close({0}(0.5), right(0.5))")
    assert found(cells) == []
    text = released(nbformat.read(source(cells, "").path, as_version=4))
    assert "total +=" not in text and "raise NotImplementedError()" in text


def test_the_share_that_can_be_read():
    line = "total += x**k / (k + 3) - 0.25 * x"
    assert share_shown(line, f"so {line}.") == 1.0
    assert share_shown(line, "total += ... - 0.25 * x") == 0.0
    assert share_shown("return x * x", "return x * x") == 0.0        # too short to be hidden
    assert module.MOST > share_shown(line + "\n" + "y = a[1:] + b[2:] - c[3:]", line) > 0.4


# ---- what the hidden tests ask ------------------------------------------------------


@pytest.mark.parametrize("hidden", [
    "check.close({0}(2.5), 31.25)", "assert {0}(2.5) == 31.25", "want = 31.25\n"
    "got = {0}(2.5)\ncheck.close(got, want)", "assert abs({0}(2.5) - 31.25) < 1e-9",
    "np.testing.assert_allclose({0}(np.array([2.5, 2.5])), np.array([31.25, 31.25]))"])
@pytest.mark.parametrize("text, leaks_it", [("The result at 2.5 is 31.25.", True),
                                            ("It is 131.25, not 31.255 or 1e31.25", False)])
def test_expected_numbers_that_stand_in_the_text(found, hidden, text, leaks_it):
    words = found(exercise("square", hidden=hidden, task=TASK + f"\n\n{text}"))
    assert bool(words) == leaks_it
    assert not words or words[0].startswith("The hidden tests expect 31.25")


def test_expected_numbers_that_a_cell_prints(found):
    printing = cell("print(first)", "printing", locked=True)
    printing.outputs = [new_output("execute_result", data={"text/plain": "array([ 31.25])"})]
    cells = exercise("square", hidden="check.close({0}(2.5), 31.25)")
    assert len(found([printing, *cells])) == 1 and found(cells) == []


@pytest.mark.parametrize("harmless", [
    "check.close({0}(2.0), 4.0)",                             # few digits are met by chance
    "check.close({0}(31.25), 31.25**2)",                      # an input
    "x = check.rng().normal() * 31.25\ncheck.close({0}(x), x**2)",
    "check.close({0}(2.5), 6.25, rtol=31.25)"])
def test_other_numbers_are_no_leak(found, harmless):
    task = TASK + "\n\nAmong 4 and 31.25"
    assert found(exercise("square", hidden=harmless, task=task)) == []


def test_everything_is_visible(found):
    cells = exercise("square")
    cells[3].source = "check.close(square(2.5), 6.25)"
    (words,) = found(cells)
    assert words.startswith("Learners see everything that marks this exercise")
    cells[3].source = "x = check.rng().normal()\ncheck.close(square(x), x**2)"
    assert found(cells) == []


@pytest.mark.parametrize("hidden, again", [
    ("check.close({0}(3.0), 9.0, rtol=1e-12)", True),
    ("x = 3.0\nassert {0}(x) > 8", True),
    ("check.close({0}(3.0), 9.0)\ncheck.close({0}(-3.0), 9.0)", False),
    ("x = check.rng().normal()\ncheck.close({0}(3.0) + x, 9.0 + x)", False)])
def test_hidden_tests_that_ask_the_same_again(found, hidden, again):
    words = found(exercise("square", hidden=hidden))
    assert bool(words) == again
    assert not words or words[0].startswith(
        "The hidden tests ask again what the check asks (square(3.0))")
