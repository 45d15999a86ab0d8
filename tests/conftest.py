"""What all tests share: deterministic Hypothesis, a browser."""

import shutil

import hypothesis
import pytest
from playwright.sync_api import sync_playwright

import system

# Notebooks are collected by nbval from book/ and solutions/; those below tests/ are material.
collect_ignore_glob = ["*.ipynb"]

hypothesis.settings.register_profile("course", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("course")


@pytest.fixture(scope="module")
def browser():
    """The system's Chromium; playwright's own download is not used."""
    command = next(filter(None, map(shutil.which, system.COMMANDS["chromium"])), None)
    assert command, "Chromium is missing; run: python3 tools/system.py chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=command)
        yield browser
        browser.close()
