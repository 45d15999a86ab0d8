"""The published kill table is that of today's wrong answers; nothing is played anew here."""

import re

import pytest

import kill_table
import nb
from autograder.course import Course
from autograder.rehearsal import read_answers

COURSE = Course(nb.ROOT)
SOURCES = {source.name: source for name in COURSE.assignments()
           for source in COURSE.assignment(name).notebooks}
ROW = re.compile(r"^\| (.+?) \| (check|hidden tests|nothing) \| (.*) \|$")


def published():
    """The rows of the page: {assignment: {(exercise, title): (caught by, message)}}."""
    found, exercise = {}, ""
    for line in kill_table.PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            rows = found.setdefault(line[3:], {})
        elif line.startswith("### "):
            exercise = line[4:]
        elif row := ROW.match(line):
            rows[exercise, row[1]] = row.group(2, 3)
    return found


@pytest.mark.parametrize("name", SOURCES)
def test_the_table_has_each_wrong_answer_and_what_catches_it(name):
    answers = [answer for answer in read_answers(SOURCES[name])[0] if not answer.right]
    rows = published().get(name, {})
    again = "run: python tools/kill_table.py"
    assert set(rows) == {(answer.exercise, kill_table.plain(answer.title))
                         for answer in answers}, again
    for answer in answers:
        caught, message = rows[answer.exercise, kill_table.plain(answer.title)]
        assert caught == kill_table.caught(answer.fails), (answer.title, again)
        if not message.endswith(" ..."):
            assert all(kill_table.plain(words).lower() in message.lower()
                       for words in answer.says), (answer.title, again)


def test_no_assignment_is_left_over():
    assert set(published()) == set(SOURCES)


def test_what_the_page_says_in_numbers():
    page = kill_table.page({"a": [("e", "t|1", "e-check", "It is\n*wrong*."),
                                  ("e", "t2", "e-hidden", "word " * 100)],
                            "b": [("e", "t3", "", "")]})
    assert "3 wrong answers to 2 exercises: 1 are caught by the check, 1 by hidden" in page
    assert r"| t\|1 | check | It is \*wrong\*. |" in page
    assert "| t3 | nothing |  |" in page
    long, = [line for line in page.splitlines() if line.startswith("| t2")]
    assert long.endswith("word ... |") and len(long) < kill_table.LONGEST + 40
