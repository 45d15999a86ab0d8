"""A progress bar: lively in a terminal, a line now and then in a log."""

import sys

from tqdm import tqdm


def bar(total, name, unit):
    """A bar on stderr; call its `update` after each unit, and use it as a context manager."""
    lively = sys.stderr.isatty()
    return tqdm(total=total, desc=name, unit=unit, mininterval=0.2 if lively else 10.0,
                maxinterval=10.0, dynamic_ncols=lively)
