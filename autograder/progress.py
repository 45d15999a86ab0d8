"""A progress bar: lively in a terminal, a line now and then in a log."""

import sys

from tqdm import tqdm


def bar(total, name, unit="submission"):
    """A bar on stderr; call its `update` after each unit, and use it as a context manager."""
    lively = sys.stderr.isatty()
    return Bar(total=total, desc=name, unit=unit, mininterval=0.2 if lively else 10.0,
               maxinterval=10.0, dynamic_ncols=lively)


class Bar(tqdm):
    """A progress bar of submissions: count, rate, and what was noticed."""

    kept = unmarked = noticed = 0

    def count(self, result):
        """Count a Result. One that was marked before is no work: it shortens the bar."""
        self.kept += result.kept
        self.unmarked += not result.graded
        self.noticed += any(report.incidents for report in result.reports.values())
        said = [f"{number} {words}" for number, words in (
            (self.kept, "marked before"), (self.unmarked, "not graded"),
            (self.noticed, "with incidents")) if number]
        self.set_postfix_str(", ".join(said), refresh=False)
        if result.kept:
            self.total -= 1
        else:
            self.update()
