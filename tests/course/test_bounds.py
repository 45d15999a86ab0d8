"""The oldest versions are those that pyproject.toml allows, and every one has a bound."""

import re
import tomllib

import bounds
import nb

PROJECT = tomllib.loads((nb.ROOT / "pyproject.toml").read_text())["project"]


def test_the_lower_bounds_are_taken_and_nothing_else():
    project = {"dependencies": ["numpy>=2.2"], "optional-dependencies": {
        "grader": ["nbgrader>=0.9.6", "nbclient"],
        "course": ["matplotlib>=3.8.4", "jupyter-book>=1.0.4,<2", "sphinx>=7", "nbclient"]}}
    assert bounds.lower_bounds(project) == ["matplotlib==3.8.4", "nbgrader==0.9.6", "numpy==2.2"]


def test_what_the_packages_need_has_a_lower_bound():
    """Without one, pip may keep a version with which nobody ever tried them."""
    extras = PROJECT["optional-dependencies"]
    ours = [*PROJECT["dependencies"], *extras["grader"]]
    optional = [text for text in extras["course"] if text.startswith(bounds.OPTIONAL)]
    assert len(optional) == len(bounds.OPTIONAL)
    assert [text for text in [*ours, *optional] if not re.search(r">=\d", text)] == []
    assert len(bounds.lower_bounds(PROJECT)) == len(ours) + len(optional)
