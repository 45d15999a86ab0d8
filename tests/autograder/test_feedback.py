"""The feedback page says everything the learner needs, and runs nothing a learner wrote."""

import re
import time

import pytest
from bs4 import BeautifulSoup

from autograder import feedback
from autograder.classroom import grade_class
from autograder.course import Course
from autograder.gradebook import Gradebook
from autograder.job import Result
from autograder.report import HandMark
from autograder.report import CellMark, Incident, LearnerCell, Output, Report

@pytest.fixture
def source(small_course):
    (notebook,) = Course(small_course.root).assignment("ps1").notebooks
    return notebook


def report(*, answers=None, message="square(3.0) is 6, but it should be 9.", **options):
    cells = [CellMark("square-check", "square", 0.0, 2.0, False, message),
             CellMark("square-hidden", "square", 0.0, 3.0, False, message),
             CellMark("mean-check", "mean", 2.0, 2.0, True),
             CellMark("mean-hidden", "mean", 3.0, 3.0, True)]
    answers = answers or {"square": "def square(x):\n    return 2 * x", "mean": "m = 1",
                          "essay": "A limit."}
    notebook = [LearnerCell(name, "code", text) for name, text in answers.items()]
    return Report(**{"status": "graded", "seed": 4711, "sandbox": "bubblewrap", "cells": cells,
                     "notebook": notebook, **options})


def soup(page):
    return BeautifulSoup(page, "html.parser")


def test_points_words_and_the_learners_text(source):
    page = soup(feedback.page(source, "ada", report()))
    assert page.h1.text == "Problem set 1" and "ada" in page.header.text
    assert page.select_one(".total").text == (
        "5 of 14 points; 4 still to be marked by hand")
    rows = [[cell.get_text(strip=True) for cell in row.find_all(["th", "td"])]
            for row in page.select("tbody tr")]
    assert rows == [
        ["Exercise 1: the square", "0 of 5", "square(3.0) is 6, but it should be 9."],
        ["Exercise 2: the mean", "5 of 5", "All right."],
        ["Exercise 3: in your words", "– of 4", "Not marked yet."]]
    states = [row["class"] for row in page.select("tbody tr")]
    assert states == [["open"], ["full"], ["waiting"]]       # waiting is no failure
    sections = page.select("section.exercise")
    assert [s.pre.text for s in sections] == ["def square(x):\n    return 2 * x", "m = 1",
                                             "A limit."]
    assert "Hidden tests: not yet" in sections[0].text and "Check: passed" in sections[1].text


def test_headings_tables_and_links_are_accessible(source):
    page = soup(feedback.page(source, "ada", report(notes=["A note."])))
    levels = [int(heading.name[1]) for heading in page.find_all(re.compile("^h[1-6]$"))]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:]))
    assert {th["scope"] for th in page.find_all("th")} == {"col", "row"}
    identifiers = [tag["id"] for tag in page.find_all(id=True)]
    assert len(identifiers) == len(set(identifiers))
    assert all(link["href"][1:] in identifiers for link in page.find_all("a"))
    assert all(tag["aria-labelledby"] in identifiers
               for tag in page.find_all(attrs={"aria-labelledby": True}))
    assert page.html["lang"] == "en"


def test_what_a_human_entered_counts(source):
    page = soup(feedback.page(source, "ada", report(), {
        "essay": HandMark(3.5, "Which limit?"), "square-hidden": HandMark(1.0, ""),
        "mean-check": HandMark(None, "", 0.5)}))
    assert page.select_one(".total").text == "10 of 14 points"
    square, mean, essay = [section.text for section in page.select("section.exercise")]
    assert "Which limit?" in essay and "Points from your instructor: 3.5." in essay
    assert square.count("from your instructor: 1.") == 1
    assert "Extra credit: 0.5." in mean and "instructor" not in mean
    assert "Not marked yet." not in page.text
    less = soup(feedback.page(source, "ada", report(), {"mean-check": HandMark(1.0, "")}))
    assert less.select("tbody tr")[1].get_text(" ", strip=True) == \
        "Exercise 2: the mean 4 of 5 Marked by your instructor."


def test_what_lateness_costs_is_told(source):
    page = soup(feedback.page(source, "ada", report(), penalty=2.5))
    assert page.select_one(".late").text == "Handed in late: 2.5 taken off, 2.5 of 14 points count."
    assert soup(feedback.page(source, "ada", report())).select_one(".late") is None


def test_text_that_held_up_its_reader_once_is_not_read_again(small_course):
    course = Course(small_course.root)
    held_up = report(incidents=[Incident("feedback", "", "The page could not be made.")])
    (path,) = feedback.write(course, course.assignment("ps1"),
                             Result("ada", "ps1", 1, "none", "", {"p1": held_up}), {}, {})
    page = soup(path.read_text())
    assert "2 * x" not in page.text and page.text.count("Your notebook is not shown here.") == 1
    assert page.select_one(".total").text.startswith("5 of 14 points")


def test_a_submission_that_was_not_graded_says_why(source):
    page = soup(feedback.page(source, "ada", report(status="rejected", answers={},
                                                    reason="The file is not a notebook.")))
    assert "could not be graded. The file is not a notebook." in page.select_one(".warning").text


def test_incidents_are_for_the_instructor_but_a_stopped_cell_is_told(source):
    incidents = [Incident("timeout", "square", "ran longer than 20 s and was stopped"),
                 Incident("timeout", "a cell of the learner's own", "ran longer than 20 s"),
                 Incident("protocol", "mean-check", "secret evidence"),
                 Incident("timeout", "mean-check", "secret evidence")]
    page = feedback.page(source, "ada", report(incidents=incidents))
    assert "The cell square ran longer than 20 s and was stopped." in page
    assert "A cell of your own ran longer than 20 s." in page
    assert "secret evidence" not in page


def test_an_unsafe_run_is_stamped(source):
    stamp = "marked without a sandbox"
    assert stamp in feedback.page(source, "ada", report(sandbox="none"))
    assert stamp not in feedback.page(source, "ada", report())


def test_a_huge_answer_is_shortened(source):
    page = feedback.page(source, "ada", report(answers={"square": "x" * 10**6}))
    assert "... 950 001 characters are left out here ..." in page and len(page) < 200_000


def test_a_cell_that_did_not_run_to_its_end_is_told_before_what_the_test_says(source):
    message = "square is not defined."
    stopped = report(message=message,
                     incidents=[Incident("timeout", "square", "ran longer than 20 s")])
    ended = report(message=message)
    ended.notebook[0].outputs = [Output("error", "Traceback\n\x1b[31mNameError\x1b[0m: x")]
    unanswered = report(message=message)
    unanswered.notebook[0].outputs = [Output("error", "Traceback\nNotImplementedError: ")]
    for made, said in [(stopped, "Your cell ran longer than 20 s. "),
                       (ended, "Your cell stops with NameError: x. "), (unanswered, "")]:
        page = soup(feedback.page(source, "ada", made))
        assert page.select_one("td.said").text == said + message
        assert page.select_one(".beside").get_text(" ", strip=True).startswith(said or "Check")


def test_the_notebook_is_shown_in_its_order(source):
    cells = [LearnerCell("", "code", "first = 1"), LearnerCell("square", "code", "second = 2"),
             LearnerCell("", "code", "third = 3", [Output("stdout", "printed")]),
             LearnerCell("no-exercise", "code", "fourth = 4"), LearnerCell("", "code", "  "),
             LearnerCell("essay", "markdown", "fifth is *text*")]
    page = soup(feedback.page(source, "ada", report(notebook=cells)))
    shown = [" ".join(cell.get_text(" ", strip=True).split()) for cell in page.select(".cell")]
    assert shown == ["Your own cell 1 first = 1", "Your answer second = 2",
                     "Your own cell 2 third = 3 printed", "Your own cell 3 fourth = 4",
                     "Your answer fifth is text"]
    sections = page.select("section.exercise")
    assert [len(section.select(".cell")) for section in sections] == [3, 0, 1]
    assert "There is no answer in your notebook." in sections[1].text


@pytest.mark.parametrize("character", ["(", "\0", "<", "a ", "\n", "\""])
def test_no_page_is_larger_than_two_megabytes(source, character):
    outputs = [Output(kind, character * 10_000) for kind in (
        "stdout", "stderr", "error", "text/plain", "text/html", "text/markdown", "text/latex",
        "image/svg+xml", "image/png", "image/jpeg", "x")]
    cells = [LearnerCell(name, kind, character * 60_000, outputs) for name, kind in
             [("square", "code"), ("mean", "raw"), ("essay", "markdown"), *[("", "code")] * 300]]
    started = time.process_time()
    page = feedback.page(source, character * 1000, report(
        message=character * 2000, notes=[character * 2000] * 1000, notebook=cells,
        incidents=[Incident("timeout", "square", character * 2000)] * 1000))
    assert len(page.encode()) < 2_000_000
    assert time.process_time() - started < 20
    assert "left out" in page


def test_no_line_of_a_hidden_test_and_no_seed_is_on_a_real_page(small_course):
    small_course.hand_in("ada", small_course.submitted_notebook(square="def square(x): return 0."))
    course = Course(small_course.root)
    assignment = course.assignment("ps1")
    (result,) = grade_class(course, assignment, seed=47114711)
    with Gradebook(course) as gradebook:
        gradebook.book.find_comment("essay", "p1", "ps1", "ada").manual_comment = "By hand."
        gradebook.book.db.commit()
        by_hand = gradebook.by_hand("ps1", "ada")
    (path,) = feedback.write(course, assignment, result, by_hand, {})
    assert path == small_course.root / "feedback/ada/ps1/p1.html"
    page = path.read_text()
    assert "is 0, but it should be 9" in page and "By hand." in page
    assert small_course.hidden not in page and "check.rng" not in page and "47114711" not in page
