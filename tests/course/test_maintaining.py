"""The maintainer's guide: its rule works, its commands exist, its numbers agree."""

import re
import runpy
import subprocess

import jax
import jax.numpy
import numpy as np
import pytest

import gradem
import nb
from gradem import derivative, grad, rules, source
from gradem.rules import RULES

PAGE = (nb.ROOT / "book" / "maintaining.md").read_text(encoding="utf-8")
SHORT = (nb.ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
CODE = dict(re.findall(r"```\{code-block\} \w+\n:caption: ([^\n]*)\n(.*?)\n```", PAGE, re.S))
POINTS = [(2.0, -0.5), (-1.5, -3.0), (0.7, 4.0), (-2.5, 1.0)]

jax.config.update("jax_enable_x64", True)


@pytest.fixture
def rule():
    """Put the line of the page into the table, for one test."""
    assert np.copysign not in RULES
    exec(CODE["Into the table of gradem/rules.py"], vars(rules))
    yield RULES[np.copysign]
    del RULES[np.copysign]


def test_without_the_rule_the_program_is_refused_in_these_words():
    with pytest.raises(TypeError) as refused:
        eval(CODE["A program"], {"derivative": derivative, "np": np})
    assert str(refused.value) == CODE["What it says"]


def test_the_rule_of_the_page_gives_the_derivatives_of_jax(rule):
    def f(x, y):
        return np.copysign(x * x * x, y) * x

    def theirs(x, y):
        return jax.numpy.copysign(x * x * x, y) * x

    assert eval(CODE["A program"], {"derivative": derivative, "np": np}) == -1.0
    for x, y in POINTS:
        want, second = float(jax.grad(theirs)(x, y)), float(jax.grad(jax.grad(theirs))(x, y))
        assert derivative(lambda x: f(x, y))(x) == pytest.approx(want, rel=1e-12)
        assert grad(lambda x: f(x, y))(x) == pytest.approx(want, rel=1e-12)
        assert derivative(grad(lambda x: f(x, y)))(x) == pytest.approx(second, rel=1e-12)
        assert grad(lambda y: f(x, y))(y) == 0.0 == jax.grad(theirs, argnums=1)(x, y)
        value, slope = source.forward(signed)(x, y, 1.0, 0.0)
        assert (value, slope) == pytest.approx((np.copysign(x, y), np.sign(x) * np.sign(y)))
    assert derivative(lambda x: np.copysign(x, -1.0))(0.0) == 0.0     # the convention


def signed(x, y):
    """For source transformation, which reads functions of a file."""
    return np.copysign(x, y)


def test_the_lines_for_the_tests_fit_them(rule):
    exact, agreement = (runpy.run_path(str(nb.ROOT / "tests" / "gradem" / f"test_{name}.py"))
                        for name in ("rules", "agreement"))
    line = eval("{" + CODE["Into EXACT of tests/gradem/test_rules.py"] + "}", exact)
    (function, (expression, *intervals)), = line.items()
    assert function is np.copysign and function.__name__ in exact["REFUSED"]
    for x, y in zip(*(np.linspace(*interval, 5) for interval in intervals)):
        assert float(expression(x, y)) == np.copysign(x, y)
    exact["EXACT"].update(line)
    for test in ("value_and_first_derivatives_are_exact", "second_derivatives_are_exact_by_nesting",
                 "both_arguments_active_add_their_derivatives"):
        exact[f"test_{test}"](np.copysign)
    more = eval(f"[{CODE['Into ELEMENTWISE of tests/gradem/test_agreement.py']}]")
    for case in more:
        values = eval(case, {"np": np, **agreement["POINT"]})
        assert all(np.isfinite(value).all() for value in values)


def test_the_quoted_condition_stands_in_the_table():
    text = (nb.ROOT / "gradem" / "rules.py").read_text(encoding="utf-8")
    assert CODE["From NOWHERE in gradem/rules.py"] in text


def test_every_target_of_make_and_every_path_exists():
    targets = set(re.findall(r"(?m)^make (\w+)|`make (\w+)`", PAGE + SHORT))
    known = subprocess.run(["make", "help"], cwd=nb.ROOT, capture_output=True, text=True).stdout
    assert {a or b for a, b in targets} <= set(re.findall(r"make (\w+)", known))
    paths = set(re.findall(r"(?:tools|benchmarks|gradem|tests|book|autograder)/[\w/.-]*\w", PAGE))
    missing = [path for path in paths if not (nb.ROOT / path).exists() and "NN-" not in path]
    assert len(paths) > 15 and missing == []


def test_the_version_is_that_of_the_page_of_changes():
    page = (nb.ROOT / "book" / "changes.md").read_text(encoding="utf-8")
    newest = next(title for title in re.findall(r"(?m)^## (.*)$", page) if title[0].isdigit())
    assert gradem.__version__ == newest
