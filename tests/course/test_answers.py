"""Every answer of answers.toml, and every generic wrong result, fares as it should.

The rehearsal runs once for each assignment, through the sandbox and the judge; each
answer is then a test of its own, so that a defect is reported with its name.
"""

import pytest

import nb
from autograder.course import Course
from autograder.rehearsal import read_answers, rehearse

COURSE = Course(nb.ROOT)
SOURCES = {notebook.name: notebook for name in COURSE.assignments()
           for notebook in COURSE.assignment(name).notebooks}
ANSWERS = [(name, answer.exercise, "right" if answer.right else "wrong", answer.title)
           for name, source in SOURCES.items() for answer in read_answers(source)[0]]
EXERCISES = [(name, exercise.name) for name, source in SOURCES.items()
             for exercise in source.exercises if exercise.tests]


@pytest.fixture(scope="module")
def trials():
    """The trials of a notebook, by its name; they are made when they are first asked for."""
    made = {}

    def trials(name):
        if name not in made:
            made[name] = list(rehearse(SOURCES[name]))
        return made[name]
    return trials


def test_answers_have_names_of_their_own():
    assert len(set(ANSWERS)) == len(ANSWERS)


@pytest.mark.parametrize("name, exercise, kind, title", ANSWERS,
                         ids=lambda part: part.replace("/", " "))
def test_an_answer(name, exercise, kind, title, trials):
    (trial,) = [trial for trial in trials(name)
                if (trial.exercise, trial.kind, trial.title) == (exercise, kind, title)]
    assert not trial.defect, trial.defect


@pytest.mark.parametrize("name, exercise", EXERCISES, ids=lambda part: part)
def test_the_solution_passes_and_generic_wrong_results_fail(name, exercise, trials):
    own = [trial for trial in trials(name) if trial.exercise == exercise]
    assert [trial.defect for trial in own if trial.kind == "solution"] == [""]
    generic = [trial for trial in own if trial.kind == "generic"]
    assert [f"{trial.title}: {trial.defect}" for trial in generic if trial.defect] == []
    assert sum(trial.applies for trial in generic) >= 5        # so few if results are no numbers


@pytest.mark.parametrize("name", SOURCES)
def test_points_names_and_answers_are_in_order(name, trials):
    assert [f"{trial.exercise}: {trial.defect}" for trial in trials(name)
            if trial.kind == "form"] == []
