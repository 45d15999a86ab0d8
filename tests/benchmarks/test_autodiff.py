"""The benchmark itself: a wrong answer stops it, and a missed goal is said. No timing."""

import numpy as np
import pytest

import autodiff
import peers
import problems
import report

RESULT = {
    "name": "(x) a problem",
    "seconds": {"gradem": 3e-3, "f": 1e-3, "autograd": 1e-2, "PyTorch": 2e-3},
    "timed once": [],
    "first call, seconds": {"gradem": 0.1},
    "error": {"gradem": 1e-15},
    "goals": {"f": 4, "autograd": 0.25, "PyTorch": 2.0, "JAX": 0.1},
    "skipped": {"JAX": "for a reason"},
}


def test_a_ratio_is_gradems_time_divided_by_the_peers():
    assert report.ratio(RESULT, "f") == pytest.approx(3.0)
    assert report.ratio(RESULT, "autograd") == pytest.approx(0.3)
    assert report.ratio(RESULT, "JAX") is None


def test_a_missed_goal_is_in_bold_type_and_says_by_how_much():
    assert report.missed(RESULT).keys() == {"autograd"}
    assert report.cell(RESULT, "autograd") == "**0.3 (0.25)**"
    close = {**RESULT, "seconds": {"gradem": 0.504, "PyTorch": 1.0}, "goals": {"PyTorch": 0.5}}
    assert report.cell(close, "PyTorch") == "**0.504 (0.5)**"
    assert report.cell(RESULT, "PyTorch") == "1.5 (2)"
    assert report.cell({**RESULT, "goals": {}}, "autograd") == "0.3"


@pytest.mark.parametrize(("number", "text"), [
    (0.01234, "0.012"), (1.26, "1.3"), (1234.5, "1200"), (3.0, "3"), (0.00049, "0.00049")])
def test_numbers_have_two_digits_and_no_exponent(number, text):
    assert report.short(number) == text


class Wrong(peers.Gradem):
    """A package whose gradients are a little off."""

    name = "a wrong package"

    def gradient(self, problem):
        value, gradients = problem.by_hand(*problem.arguments)
        return lambda: (value, tuple(g + 1e-9 for g in gradients))


def test_a_wrong_answer_stops_the_run():
    problem = next(p for p in problems.all_problems() if p.name.startswith("(a)"))
    with pytest.raises(SystemExit, match="a wrong package gives a wrong answer for .a. x1 x2"):
        autodiff.prepare(problem, [Wrong()])


def test_not_a_number_is_a_wrong_answer():
    assert not autodiff.difference(np.array([np.nan]), np.array([1.0])) <= autodiff.EXACT
    assert autodiff.difference(np.zeros(2), np.zeros(3)) == np.inf


SMALLER = [p for p in problems.all_problems() if "n = 10000" not in p.name]


@pytest.mark.parametrize("problem", SMALLER, ids=lambda problem: problem.name)
def test_every_problem_is_solved_by_gradem(problem):
    _, errors, _ = autodiff.prepare(problem, [peers.Gradem(), peers.ByHand()])
    assert errors["gradem"] <= 1e-12


def test_goals_name_peers_that_exist():
    names = {peer.name for peer in peers.PEERS} | {"f"}
    for problem in problems.all_problems():
        assert set(problem.goals) <= names
        assert set(problem.skip) <= names


def test_an_unknown_problem_is_answered_with_the_list():
    with pytest.raises(SystemExit, match="Speelpenning"):
        autodiff.main(["--only", "no such problem"])


def test_memory_is_measured_on_a_problem_that_exists():
    assert problems.MEMORY in [p.name for p in problems.all_problems()]
    peak = autodiff.peak_memory(lambda: np.zeros(100_000))
    assert 800_000 <= peak < 900_000
