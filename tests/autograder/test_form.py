"""What can be seen of an assignment without running it: every defect, and no other."""

import nbformat
import pytest

from autograder.form import look_over, read_answers

from .assignments import SOLUTION, STRICT, TASK, answers, exercise, source  # noqa: F401 (a fixture)
from .conftest import cell


@pytest.fixture
def form(source):
    """What is wrong with the form of these cells and this answers.toml, without running them."""
    def form(cells, text):
        made = source(cells, text)
        answers, trials = read_answers(made)
        trials += look_over(made, nbformat.read(made.path, as_version=4), answers)
        assert {trial.kind for trial in trials} <= {"form"}
        return [trial.defect for trial in trials]
    return form


def test_points_and_names(form):
    cells = [*exercise("square", task="## {0}\n\n*(5 points: 3 by the check below)*")]
    cells[2].metadata.nbgrader.points = 0
    cells += exercise("cube", solution=SOLUTION)
    cells[6].metadata.nbgrader.grade_id = "cube-test"
    found = form(cells, answers("square") + answers("cube"))
    assert "Both tests must have more than 0 points." in found
    assert any(words.startswith("The task does not say '(3 points: 0") for words in found)
    assert any("The check does not end with check.passed('square'" in words for words in found)
    assert any("['cube-test', 'cube-hidden']" in words for words in found)
    assert any("'cube-check' is no test of this exercise" in words for words in found)


@pytest.mark.parametrize("nothing", [
    "x = {0}(2.0)\nprint(x)", "assert True, {0}(2.0)", "{0}(2.0)\ncheck.rng()", "# later"])
def test_tests_that_assert_nothing(form, nothing):
    found = form(exercise("square", hidden=nothing), answers("square"))
    assert [words for words in found if words.startswith("This test cell asserts nothing.")]
    assert form(exercise("square", hidden="assert {0}(2.0) == 4.0"), answers("square")) == []
    assert form(exercise("square", hidden="if {0}(2.0) != 4.0:\n    raise AssertionError"),
                answers("square")) == []


def test_tests_that_ask_about_nothing_of_the_answer(form):
    cells = exercise("square", check="check.close(3.0**2, 9.0)", hidden="check.close(2.5**2, 6.25)")
    (words,) = form(cells, answers("square"))
    assert words.startswith("No test uses anything that the solution defines")
    assert words.endswith("Call square in the tests.")
    helper = cell("def require(x):\n    check.close(square(x), x**2)", "helper", locked=True)
    cells = exercise("square", check="require(3.0)", hidden="require(2.5)")
    assert form([helper, *cells], answers("square")) == []


def test_names_that_the_task_does_not_ask_for(form):
    secret = SOLUTION + "\n### BEGIN SOLUTION\ndef helper(x):\n    return x\n### END SOLUTION"
    hidden = "check.close(helper({0}(1.0)), 1.0)"
    (words,) = form(exercise("square", hidden=hidden, solution=secret), answers("square"))
    assert words.startswith("It uses helper, which the stub that learners get does not define")
    mentioned = exercise("square", hidden=hidden, solution=secret, task=TASK + "\n\n`helper(x)`")
    assert form(mentioned, answers("square")) == []


def test_keywords_that_the_task_does_not_ask_for(form):
    (words,) = form(exercise("square", hidden="check.close({0}(x=2.0, tol=1e-3), 4.0)"),
                    answers("square"))
    assert words.startswith("It calls square with tol=, which the stub")
    assert form(exercise("square", hidden="check.close({0}(x=2.0), 4.0)"), answers("square")) == []


def test_cells_that_are_no_python(form):
    (words,) = form(exercise("square", hidden="check.close({0}(2.0), 4.0"), answers("square"))
    assert words.startswith("This cell is no Python: ") and "line 2" in words
    assert form(exercise("square", check="%matplotlib inline\n" + STRICT), answers("square")) == []


def test_visible_and_hidden_tests_are_what_they_are_called(form):
    cells = exercise("square")
    cells[2].source, cells[3].source = cells[3].source, cells[2].source
    assert any("must have something to run" in words for words in form(cells, answers("square")))


@pytest.mark.parametrize("text, words", [
    ("[[right", "answers.toml cannot be read"),
    ("", "There are 0 right answers; 2 are needed."),
    (answers("square").split("[[wrong]]")[0], "There are 0 wrong answers; 4 are needed."),
    (answers("square") + answers("sphere"), "There is no exercise 'sphere'."),
    (answers("square") + '[[right]]\nexercise = "square"\n', "must have exactly the keys"),
    (answers("square", wrong=[("x", "return 1", "square-check", [])] * 4),
     "It does not state what the check must say."),
])
def test_answers_that_are_incomplete(form, text, words):
    assert any(words in found for found in form(exercise("square"), text))


def test_answers_are_read(source):
    found, trials = read_answers(source(exercise("square"), answers("square")))
    assert trials == [] and [answer.right for answer in found] == [True] * 2 + [False] * 4
    assert found[2].fails == "square-check" and found[2].says == ("the square",)


def test_without_answers_the_conventions_of_this_course_do_not_count(form, source):
    cells = exercise("square", task="Write square(x).")
    cells[2].metadata.nbgrader.grade_id = "test_a"
    assert form(cells, None) == []
    assert read_answers(source(cells, None)) == ([], [])
