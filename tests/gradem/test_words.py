"""What figures say of themselves follows from the data."""

import numpy as np
import pytest

from gradem import words

X = np.linspace(0.0, 1.0, 101)


@pytest.mark.parametrize("y, said", [
    (X + 1, "rises from 1 at 0 to 2 at 1."),
    (2 - X, "falls from 2 at 0 to 1 at 1."),
    (0 * X + 3, "stays at 3."),
    ((X - 0.25)**2, "falls from 0.0625 at 0 to 0 at 0.25, then rises to 0.562 at 1."),
    (-(X - 0.5)**2, "rises from -0.25 at 0 to 0 at 0.5, then falls to -0.25 at 1."),
    (np.sin(2 * np.pi * X), "begins with 0 at 0, turns 2 times between -1 at 0.75 and 1 at 0.25, "
                            "and ends with 0 at 1."),
    ((-1.0)**np.arange(101), "begins, jagged, with 1 at 0, is least with -1 at 0.01, and ends "
                             "with 1 at 1."),
    (np.where(X > 0.5, np.nan, X), "rises from 0 at 0 to 0.5 at 0.5."),
])
def test_curves(y, said):
    assert words.curve("y", X, y) == f"y {said}"


@pytest.mark.parametrize("covariance, unit, said", [
    (np.eye(2), 1.0, "about as wide as high"),
    (np.diag([1.0, 9.0]), 1.0, "3 times as high as wide"),
    ([[1.0, -0.9], [-0.9, 1.0]], 1.0, "along a line that falls, 4.4 times as long as broad"),
    (np.diag([1.0, 100.0]), [1.0, 10.0], "about as wide as high"),
])
def test_ellipses(covariance, unit, said):
    assert words.ellipse([1.0, 2.0], covariance, unit) == f"around (1, 2), {said}"


def test_labels_lose_their_signs():
    assert words.plain(r"$\dot{x}_{1}$") == "dotx_1"


def test_lists():
    assert words.listed(["a"]) == "a" and words.listed(iter([1.0, 2.0])) == "1 and 2"
