"""The rehearsal finds what is wrong with an assignment, and nothing where nothing is."""

import sys

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_markdown_cell

from autograder import mutants
from autograder.course import Course
from autograder.rehearsal import look_over, read_answers, rehearse
from autograder.tables import rehearsed

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


@pytest.fixture
def rehearse_course(source):
    """Rehearse the notebook of these cells with this answers.toml."""
    def rehearse_course(cells, text):
        made = source(cells, text)
        return made, list(rehearse(made))
    return rehearse_course


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


def defects(trials):
    return [(trial.exercise, trial.kind, trial.title, trial.defect)
            for trial in trials if trial.defect]


def test_a_sound_exercise_has_no_defect(rehearse_course):
    source, trials = rehearse_course(exercise("square"), answers("square"))
    assert defects(trials) == []
    kinds = [trial.kind for trial in trials]
    counts = [kinds.count(kind) for kind in ("solution", "right", "wrong", "generic")]
    assert counts == [1, 2, 4, 11]
    assert all(trial.applies for trial in trials)
    assert "No defects." in rehearsed(source, trials)


def test_answers_that_do_not_fare_as_they_should(rehearse_course):
    text = answers("square", right=["return x * x", "return x + x"], wrong=[
        ("passes", "return x * x", "square-check", ["square"]),
        ("fails later", "return 9.0", "square-check", ["square"]),
        ("other words", "return 0.0", "square-check", ["the square", "of the hypotenuse"]),
        ("as it should", "return 2.0", "square-check", ["THE SQUARE"])])
    source, trials = rehearse_course(exercise("square"), text)
    found = {title: words for _, _, title, words in defects(trials)}
    assert set(found) == {"right 1", "passes", "fails later", "other words"}
    assert found["right 1"].startswith("It fails in square-check: the square is 6")
    assert found["passes"] == "It passes."
    assert found["fails later"].startswith("It fails in square-hidden, not in square-check: ")
    assert "does not say ['of the hypotenuse']" in found["other words"]
    assert "It passes." in rehearsed(source, trials)


def test_a_solution_that_fails(rehearse_course):
    cells = exercise("square", solution="def {0}(x):\n    ### BEGIN SOLUTION\n    return x\n"
                                        "    ### END SOLUTION")
    _, trials = rehearse_course(cells, answers("square"))
    (solution,) = [trial for trial in trials if trial.kind == "solution"]
    assert solution.defect.startswith("The solution fails in square-check: ")


def test_an_answer_cannot_lean_on_what_another_defined(rehearse_course):
    text = answers("square", right=["return helper(x)\ndef helper(x): return x * x".replace(
        "\n", "\\n"), "return helper(x)"])
    _, trials = rehearse_course(exercise("square"), text)
    assert [title for _, _, title, _ in defects(trials)] == ["right 1"]


# ---- tests that accept what is wrong ----------------------------------------------


@pytest.mark.parametrize("weak, accepted", [
    ("assert np.allclose({0}(np.array([1.0, 2.0])), [1, 4])", "an empty array that broadcasts"),
    ("assert not abs({0}(3.0) - 9) > 1e-9", "NaN"),
    ("assert {0}(3.0) > 0", "one per cent off"),
    ("assert abs({0}(3.0)) > 1", "the sign flipped"),
    ("assert ({0}(np.array([1.0, 2.0])) == [1, 4]).all()", "one axis too many"),
    ("assert {0}(1.0) == 1", "True"),
])
def test_a_weak_test_is_named_with_what_it_accepts(rehearse_course, weak, accepted):
    _, trials = rehearse_course(exercise("square", check=weak), answers("square", wrong=[
        ("x", "return 0.5", "square-check", [""])] * 4))
    found = {title for _, kind, title, words in defects(trials)
             if kind == "generic" and words.startswith("square-check accepts results that are")}
    assert f"square: {accepted}" in found


def test_a_generic_result_that_is_right_is_no_defect(rehearse_course):
    cells = exercise("square", check="check.close({0}(0.0), 0.0)",
                     hidden="check.raises(TypeError, {0}, 'text')")
    _, trials = rehearse_course(cells, answers("square"))
    generic = {trial.title: trial for trial in trials if trial.kind == "generic"}
    for kind in ("zeros", "the sign flipped", "one per cent off"):
        trial = generic[f"square: {kind}"]
        assert not trial.applies and not trial.defect
    assert generic["square: NaN"].applies and not generic["square: NaN"].defect


# ---- the form ---------------------------------------------------------------------


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


def test_tests_that_ask_nothing_and_names_that_the_stub_lacks(form):
    secret = SOLUTION + "\n### BEGIN SOLUTION\ndef helper(x):\n    return x\n### END SOLUTION"
    cells = [*exercise("square", hidden="x = {0}(2.0)\nprint(x)"),
             *exercise("cube", hidden="check.close(helper(1.0), 1.0)", solution=secret)]
    assert sorted(form(cells, answers("square") + answers("cube"))) == [
        "It uses helper, which the stub that learners get does not define.",
        "This test cell asserts nothing."]


def test_visible_and_hidden_tests_are_what_they_are_called(form):
    cells = exercise("square")
    cells[2].source, cells[3].source = cells[3].source, cells[2].source
    assert any("must have something to run" in words for words in form(cells, answers("square")))


@pytest.mark.parametrize("text, words", [
    (None, "There is no answers.toml"),
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


# ---- generic wrong results ----------------------------------------------------------


class Dual:
    """A small class in the style of learners."""

    def __init__(self, value, tangent):
        self.value, self.tangent = value, tangent

    def __add__(self, other):
        return Dual(self.value + other.value, self.tangent + other.tangent)

    def __radd__(self, other):
        return self + Dual(other, 0.0)

    @property
    def size(self):
        """A number."""
        return abs(self.value)

    def __lt__(self, other):
        return self.value < other.value


@pytest.fixture
def as_main(monkeypatch):
    """Let the small class count as defined in the notebook."""
    monkeypatch.setattr(Dual, "__module__", "__main__")
    monkeypatch.setattr(sys.modules["__main__"], "Dual", Dual, raising=False)
    yield
    mutants.restore()


ARRAY = np.array([1.0, -2.0])


@pytest.mark.parametrize("kind, number, array", [
    ("None", None, None), ("NaN", np.nan, [np.nan, np.nan]), ("infinity", np.inf, [np.inf, np.inf]),
    ("an empty array that broadcasts", np.zeros(0), np.zeros((0, 2))), ("zeros", 0.0, [0, 0]),
    ("the sign flipped", -3.0, [-1, 2]), ("one per cent off", 3.0 * 1.01, [1.01, -2.02]),
    ("a constant", -98765.0, -98765.0), ("True", True, True), ("a text", "9", "9"),
    ("one axis too many", [3.0], [[1, -2]])])
def test_numbers_and_arrays_are_changed(kind, number, array):
    for value, want in [(3.0, number), (ARRAY, array)]:
        got = mutants.changed(value, kind)
        assert np.shape(got) == np.shape(want)
        np.testing.assert_array_equal(np.asarray(got), np.asarray(want))
    pair = mutants.changed((3.0, [ARRAY, "text"], {"a": 3.0}), kind)
    assert type(pair) is tuple and pair[1][1] == "text"
    np.testing.assert_array_equal(np.asarray(pair[2]["a"]), np.asarray(number))
    assert set(mutants.KINDS) >= {kind} and len(mutants.KINDS) == 11


def test_text_truth_and_none_are_left_alone():
    for kind in mutants.KINDS:
        assert [mutants.changed(value, kind) for value in ("a", True, None)] == ["a", True, None]


def test_functions_that_are_returned_are_changed():
    assert mutants.changed(lambda x: x + 1.0, "zeros")(2.0) == 0.0


def test_methods_and_operators_of_a_class_are_changed_and_put_back(as_main):
    x = Dual(2.0, 3.0)
    mutants.install("Dual", "the sign flipped")
    total = 1.0 + x           # __radd__ calls __add__: the change is made once
    assert (total.value, total.tangent) == (-3.0, -3.0)
    assert (x.value, x.tangent, x.size) == (2.0, 3.0, -2.0)
    assert x < Dual(5.0, 0.0)
    mutants.require_a_change()
    mutants.restore()
    assert (1.0 + x).value == 3.0 and x.size == 2.0


def test_only_a_change_that_makes_a_difference_counts(as_main):
    mutants.install("Dual", "zeros")
    Dual(0.0, 0.0) + Dual(0.0, 0.0)
    with pytest.raises(LookupError):
        mutants.require_a_change()
    Dual(0.0, 0.0) + Dual(1.0, 0.0)
    mutants.require_a_change()
