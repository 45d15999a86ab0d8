"""The stored answers of chapter 9's tools: complete, made by these programs, and right."""

import json
import subprocess
import sys

import mpmath
import numpy as np
import pytest

import tour

STORED = json.loads(tour.RESULTS.read_text(encoding="utf-8"))


def test_every_tool_has_a_program_and_a_stored_answer():
    programs = {path.stem.removeprefix("with_") for path in tour.PROGRAMS.glob("with_*.py")}
    assert programs == set(tour.TOOLS) == set(STORED["tools"])
    for name, requirements in tour.TOOLS.items():
        assert STORED["tools"][name]["requirements"] == requirements[:1]


def test_the_stored_answers_belong_to_the_present_question():
    assert STORED["point"] == tour.POINT.tolist()
    assert STORED["theta"] == tour.theta_of_two().tolist()


def likelihood(theta, X):
    """The log likelihood in fifty digits, from the densities themselves."""
    weights = [mpmath.exp(a) for a in theta[0::6]]
    total = mpmath.mpf(0)
    for x, y in X:
        density = mpmath.mpf(0)
        for k, weight in enumerate(weights):
            _, m, n, p, q, r = theta[6 * k:6 * k + 6]
            u, v = mpmath.exp(p) * (x - m), r * (x - m) + mpmath.exp(q) * (y - n)
            density += weight * mpmath.exp(p + q - (u * u + v * v) / 2) / (2 * mpmath.pi)
        total += mpmath.log(density / sum(weights))
    return total


@pytest.fixture(scope="module")
def exact():
    """Value and gradient by differences in so many digits that no error is left."""
    theta = [mpmath.mpf(x) for x in np.ravel(STORED["theta"])]
    X = [(mpmath.mpf(x), mpmath.mpf(y)) for x, y in tour.datasets.old_faithful()]
    with mpmath.workdps(50):
        gradient = []
        for k in (0, 3, 5, 10):
            up, down = list(theta), list(theta)
            up[k], down[k] = theta[k] + mpmath.mpf("1e-20"), theta[k] - mpmath.mpf("1e-20")
            gradient.append(float((likelihood(up, X) - likelihood(down, X)) / mpmath.mpf("2e-20")))
        return float(likelihood(theta, X)), gradient


@pytest.mark.parametrize("name", tour.TOOLS)
def test_every_tool_is_right(name, exact):
    tool = STORED["tools"][name]
    precision = {"float32": 1e-6, "float64": 1e-14}[tool["example"]["dtype"]]
    slopes = [2.0 + np.cos(1.0), 1.0]
    np.testing.assert_allclose(tool["example"]["value"], 2.0 + np.sin(1.0), rtol=precision)
    np.testing.assert_allclose(tool["example"]["gradient"], slopes, rtol=precision)
    np.testing.assert_allclose(tool["example"].get("tangent", slopes[0]), slopes[0],
                               rtol=precision)
    value, gradient = exact
    np.testing.assert_allclose(tool["mixture"]["value"], value, rtol=1e-13)
    some = np.array(tool["mixture"]["gradient"])[[0, 3, 5, 10]]
    np.testing.assert_allclose(some, gradient, rtol=1e-10)


@pytest.mark.parametrize("name", [name for name, needs in tour.TOOLS.items() if not needs])
def test_programs_that_run_in_this_environment(name):
    numbers = tour.problem.text(tour.POINT, tour.theta_of_two(), tour.datasets.old_faithful())
    done = subprocess.run([sys.executable, tour.PROGRAMS / f"with_{name}.py"], input=numbers,
                          capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    np.testing.assert_allclose(np.ravel(found["mixture"]["gradient"]),
                               STORED["tools"][name]["mixture"]["gradient"], rtol=1e-9)


def test_what_cannot_be_installed_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(tour, "ENVIRONMENTS", tmp_path)
    monkeypatch.setattr(tour.venv, "create", lambda folder, **options: folder.mkdir())
    monkeypatch.setattr(tour.subprocess, "run", lambda *arguments, **options:
                        subprocess.CompletedProcess(arguments, 1, "", "first\nno such package"))
    with pytest.raises(tour.Missing, match="cannot install nothing: no such package"):
        tour.python_of("nothing", ["nothing"])
