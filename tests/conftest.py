"""What all tests share: deterministic Hypothesis, a browser."""

import hypothesis
import pytest

import chromium

# Notebooks are collected by nbval from book/ and solutions/; those below tests/ are material.
collect_ignore_glob = ["*.ipynb"]

hypothesis.settings.register_profile("course", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("course")


@pytest.fixture(scope="module")
def browser():
    """The system's Chromium; playwright's own download is not used."""
    with chromium.browser() as browser:
        yield browser
