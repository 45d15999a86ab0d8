"""The bar tells how many are done, how many a second, and what was noticed."""

import io
import re

from autograder import progress
from autograder.job import Result
from autograder.report import Incident, Report


def test_it_counts_and_says_what_was_noticed(monkeypatch):
    monkeypatch.setattr(progress.sys, "stderr", io.StringIO())
    graded, rejected = Report("graded", 1, "none"), Report("rejected", 1, "none")
    stopped = Report("graded", 1, "none", incidents=[Incident("timeout", "a")] * 2)
    with progress.bar(5, "ps1") as bar:
        for number, report in enumerate([graded, graded, rejected, stopped]):
            bar.count(Result(str(number), "ps1", 1, "none", "", {"p": report}, kept=number == 0))
        bar.refresh()
        line = str(bar)
    # one of the five was marked before: it is no work, and does not count in the rate
    assert re.search(r"^ps1: +75%.* 3/4 \[.*submission.*\]", line), line
    assert "1 marked before, 1 not graded, 1 with incidents" in line
    assert re.search(r"submission/s|s/submission", line)
