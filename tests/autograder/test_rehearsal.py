"""The rehearsal finds what is wrong with an assignment, and nothing where nothing is."""

import pytest

from autograder import mutants
from autograder.rehearsal import rehearse
from autograder.tables import rehearsed

from .assignments import answers, exercise, source  # noqa: F401 (a fixture)


@pytest.fixture
def rehearse_course(source):
    """Rehearse the notebook of these cells with this answers.toml."""
    def rehearse_course(cells, text):
        made = source(cells, text)
        return made, list(rehearse(made))
    return rehearse_course


def defects(trials):
    return [(trial.exercise, trial.kind, trial.title, trial.defect)
            for trial in trials if trial.defect]


def test_a_sound_exercise_has_no_defect(rehearse_course):
    source, trials = rehearse_course(exercise("square"), answers("square"))
    assert defects(trials) == []
    kinds = [trial.kind for trial in trials]
    counts = [kinds.count(kind) for kind in ("solution", "right", "wrong", "generic")]
    assert counts == [1, 2, 4, len(mutants.KINDS) + 1 + len(mutants.MEMORIES)]
    assert {trial.title for trial in trials if not trial.applies} \
        == {f"square: {mutants.EMPTY}"}          # a number has no parts
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
    ("assert len({0}(np.array([1.0, 2.0]))) == 2", "an object that agrees with everything"),
    ("assert {0}(3.0) > 2", "the argument itself"),
])
def test_a_weak_test_is_named_with_what_it_accepts(rehearse_course, weak, accepted):
    _, trials = rehearse_course(exercise("square", check=weak), answers("square", wrong=[
        ("x", "return 0.5", "square-check", [""])] * 4))
    found = {title for _, kind, title, words in defects(trials)
             if kind == "generic" and words.startswith("square-check accepts results that are")}
    assert f"square: {accepted}" in found


@pytest.mark.parametrize("body, weak, accepted", [
    ("[x * y for y in [1, 2, 3]]", "for got, want in zip({0}(2), [2, 4, 6]):\n    assert got == want",
     "empty"),
    ("{{str(x): x}}", "for name, got in {0}(2).items():\n    assert name == str(got)", "empty"),
    ("pd.Series([x, x * x])", "want = pd.Series([3.0, 9.0])\n"
     "assert ({0}(3.0) - want).abs().max() < 1 or {0}(3.0).empty", "an empty array that broadcasts"),
    ("pd.DataFrame({{'x': [x], 'y': [x]}})", "for name, column in {0}(3.0).items():\n"
     "    assert column[0] == 3.0", "empty"),
])
def test_a_weak_test_of_data_with_parts_is_named(rehearse_course, body, weak, accepted):
    solution = ("import pandas as pd\ndef {0}(x):\n    ### BEGIN SOLUTION\n    return " + body
                + "\n    ### END SOLUTION")
    cells = exercise("parts", check="import pandas as pd\n" + weak, solution=solution,
                     hidden="import pandas as pd\n" + weak)
    _, trials = rehearse_course(cells, answers("parts"))
    assert f"parts: {accepted}" in {title for _, kind, title, _ in defects(trials)}


def test_a_generic_result_that_is_right_is_no_defect(rehearse_course):
    cells = exercise("square", check="check.close({0}(0.0), 0.0)",
                     hidden="check.raises(TypeError, {0}, 'text')")
    _, trials = rehearse_course(cells, answers("square"))
    generic = {trial.title: trial for trial in trials if trial.kind == "generic"}
    for kind in ("zeros", "the sign flipped", "one per cent off"):
        trial = generic[f"square: {kind}"]
        assert not trial.applies and not trial.defect
    assert generic["square: NaN"].applies and not generic["square: NaN"].defect


@pytest.mark.parametrize("weak, accepted, sound", [
    ("x = 6.0 / 2\ncheck.close({0}(x), x**2)", mutants.TABLE,
     "x = check.rng().normal()\ncheck.close({0}(x), x**2)"),
    ("x = check.rng().normal()\n{0}(x)\ncheck.close({0}(x), x**2)", mutants.BEFORE,
     "for x in check.rng().normal(size=3):\n    check.close({0}(x), x**2)"),
    ("check.raises(TypeError, {0}, 'text')", mutants.TABLE,
     "check.raises(TypeError, {0}, 'text')\ncheck.close({0}(0.5), 0.25)"),
])
def test_an_answer_without_a_rule_must_fail_somewhere(rehearse_course, weak, accepted, sound):
    _, trials = rehearse_course(exercise("square", hidden=weak), answers("square"))
    ((_, kind, title, words),) = defects(trials)
    assert (kind, title) == ("generic", f"square: {accepted}")
    assert words.startswith(f"The tests accept results that are {accepted}.")
    _, trials = rehearse_course(exercise("square", hidden=sound), answers("square"))
    assert defects(trials) == []


def test_the_first_result_again_is_refused(rehearse_course):
    weak = "x = check.rng().normal()\nassert {0}(x) >= 0"
    _, trials = rehearse_course(exercise("square", hidden=weak), answers("square"))
    assert f"square: {mutants.FIRST}" in {title for _, _, title, _ in defects(trials)}


def test_a_check_may_draw_its_inputs(rehearse_course):
    drawn = "x = check.rng().normal()\ncheck.close({0}(x), x * x, name='the square')"
    _, trials = rehearse_course(exercise("square", check=drawn, hidden="check.raises("
                                         "TypeError, {0}, 'text')"), answers("square"))
    assert f"square: {mutants.TABLE}" not in {title for _, _, title, _ in defects(trials)}


# ---- any nbgrader course ------------------------------------------------------------


def test_a_course_without_answers_is_rehearsed_with_generic_ones(rehearse_course):
    def plain(hidden):
        cells = exercise("square", hidden=hidden, task="Write square(x).")
        for position, name in [(2, "test_1"), (3, "test_2")]:
            cells[position].metadata.nbgrader.grade_id = name
        cells[2].source = cells[2].source.partition("\ncheck.passed")[0]
        cells[1].source = "def square(x):\n    return x * x"      # nbgrader puts a stub of its own
        return cells
    source, trials = rehearse_course(plain("assert type({0}(2)) is int and {0}(2) == 4"), None)
    assert defects(trials) == []
    assert {trial.kind for trial in trials} == {"solution", "generic"}
    _, trials = rehearse_course(plain("assert not abs({0}(2.5) - 6.25) > 1e-9"), None)
    assert {title for _, _, title, _ in defects(trials)} >= {"square: NaN"}


def test_a_notebook_that_is_no_python_is_not_played(rehearse_course):
    source, trials = rehearse_course(exercise("square", hidden="{0}(2.5"), answers("square"))
    ((_, kind, title, words),) = defects(trials)
    assert (kind, title) == ("form", "syntax") and words.startswith("This cell is no Python:")
    assert "No defects" not in rehearsed(source, trials)
