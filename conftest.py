"""Every run of pytest, that of a single notebook too: kernels like those of tools/nb.py."""

import os

import nb


def pytest_sessionstart():
    """Build Matplotlib's font cache before a notebook runs, since it reports that on stderr, and
    give every kernel of nbval one thread: it inherits this environment."""
    os.environ.update(nb.ONE_THREAD)
    nb.warm_up()
