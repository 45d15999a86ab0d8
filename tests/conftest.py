"""What all tests share: deterministic Hypothesis, and a Matplotlib that is ready to draw."""

import hypothesis

import nb

# Notebooks are collected by nbval from book/ and solutions/; those below tests/ are material.
collect_ignore_glob = ["*.ipynb"]

hypothesis.settings.register_profile("course", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("course")


def pytest_sessionstart():
    """Build Matplotlib's font cache before a notebook runs: it reports that on stderr."""
    nb.warm_up()
