"""The table of attacks says what was measured, and hides no loss of either grader."""

import json

import pytest

import attacks

DATA = json.loads((attacks.HERE / "attacks.json").read_text())


def case(**how):
    return {"deserves": [0, 5], "spoils": False, "rejected": False, "oversized": False, **how}


@pytest.mark.parametrize("points, how, expected", [
    ([0, 5], {}, "right"), ([5, 5], {}, "more"), ([0, 0], {}, "less"), (None, {}, "none"),
    ([0, 0], {"spoils": True}, "spoilt"), ([5, 0], {"spoils": True}, "more"),
    (None, {"rejected": True, "deserves": [0, 0]}, "right"),
    ([5, 5], {"rejected": True, "deserves": [0, 0]}, "more"),
    ([5, 5], {"rejected": True, "deserves": [0, 0], "oversized": True}, "right"),
])
def test_a_verdict(points, how, expected):
    assert attacks.verdict(case(**how), {"points": points, "leaks": []}) == expected


def test_a_leak_comes_first():
    assert attacks.verdict(case(), {"points": [5, 5], "leaks": ["tests"]}) == "leak"


def test_the_published_table_is_that_of_the_measurements():
    assert (attacks.HERE / "attacks.md").read_text() == attacks.markdown(DATA)


def test_every_row_that_differs_from_what_is_due_says_why():
    rows = [line.split(" | ") for line in attacks.table(DATA).splitlines()[2:]]
    differ = [row for row in rows if row[1] not in ("rejection", "rejection, or its marks")
              and not row[3].startswith(row[1])]
    assert differ and all("own answers destroyed" in row[3] for row in differ)
