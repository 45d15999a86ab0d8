"""The system's Chromium, driven by Playwright, whose own download is not used."""

import shutil
from contextlib import contextmanager

from playwright.sync_api import sync_playwright

import system


@contextmanager
def browser():
    """A browser without a window, closed at the end.

    Raises
    ------
    RuntimeError
        If Chromium is not installed.
    """
    command = next(filter(None, map(shutil.which, system.COMMANDS["chromium"])), None)
    if command is None:
        raise RuntimeError("Chromium is missing; run: python3 tools/system.py chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=command)
        yield opened
        opened.close()
