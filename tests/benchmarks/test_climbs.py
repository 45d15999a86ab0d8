"""What chapter 18 reads of the climbs' cost is what the program finds, time aside."""

import json

import pytest

import climbs

pytestmark = pytest.mark.filterwarnings("ignore:EM stopped")      # it is to stop early

STORED = json.loads(climbs.RESULTS.read_text())


def test_every_problem_and_climber_is_stored_with_its_cost():
    assert list(STORED["climbs"]) == list(climbs.problems())
    for costs in STORED["climbs"].values():
        assert set(costs) == {"EM", "accelerated EM", "L-BFGS", "gradient ascent"}
        assert all(cost["passes"] > 0 and cost["seconds"] > 0 for cost in costs.values())


@pytest.mark.parametrize("name", ["three groups, 150 points", "overlapping, 400 points"])
def test_em_needs_the_passes_that_are_stored(name):
    X, start = climbs.problems()[name]
    climb = [state.log_likelihood for state in climbs.em(X, start, 3000, False).history_]
    near = next(t for t, height in enumerate(climb) if height >= max(climb) - climbs.NEAR)
    # the passes of a fit: one for each iteration, and one for the height at the end
    assert abs(STORED["climbs"][name]["EM"]["passes"] - near) <= 2


def test_l_bfgs_ends_as_near_to_the_top_as_it_was_told():
    X, start = climbs.problems()["three groups, 150 points"]
    top = climbs.em(X, start, 300, False).history_[-1].log_likelihood
    few, many = (climbs.l_bfgs(X, start, top - gap) for gap in (1.0, climbs.NEAR))
    assert 1 < few <= many


def test_gradient_ascent_needs_the_passes_that_are_stored():
    name = "three groups, 150 points"
    X, start = climbs.problems()[name]
    goal = climbs.em(X, start, 300, False).history_[-1].log_likelihood - climbs.NEAR
    passes = [climbs.gradient_ascent(X, start, goal, step) for step in climbs.STEPS]
    assert abs(STORED["climbs"][name]["gradient ascent"]["passes"] - min(passes)) <= 2
    assert climbs.gradient_ascent(X, start, 0.0, 1.0) == float("inf")
