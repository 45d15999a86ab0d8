"""The instructor's overview: what the class did, with evidence, and nothing that runs."""

import re
from urllib.parse import unquote

import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup

from autograder import feedback, overview
from autograder.classroom import grade_class, read_results
from autograder.course import Course
from autograder.gradebook import Gradebook
from autograder.job import Result
from autograder.report import CellMark, HandMark, Incident, LearnerCell, Output, Report
from tests.autograder.vectors import VECTORS

TESTS = [("square-check", 2.0), ("square-hidden", 3.0), ("mean-check", 2.0), ("mean-hidden", 3.0)]


@pytest.fixture
def course(small_course):
    return Course(small_course.root)


def result(student, passed=(1, 1, 1, 1), message="square(3.0) is 6, but it should be 9.", **options):
    """A result of the small course; `passed` tells which of its four tests."""
    cells = [CellMark(name, name.partition("-")[0], points * ok, points, bool(ok),
                      "" if ok else message) for (name, points), ok in zip(TESTS, passed)]
    notebook = [LearnerCell("square", "code", "def square(x):\n    while True: pass",
                            [Output("stdout", "here\n"), Output("text/html", "<b>html</b>")]),
                LearnerCell("", "code", "own_fine = 1"),
                LearnerCell("", "code", "own_bad = 1", [Output("error", "KeyboardInterrupt")]),
                LearnerCell("essay", "markdown", options.pop("essay", ""))]
    report = Report(**{"status": "graded", "seed": 11, "sandbox": "bubblewrap", "cells": cells,
                       "notebook": notebook, **options})
    return Result(student, "ps1", report.seed, report.sandbox, "2026-11-20 12:00:00 UTC",
                  {"p1": report})


def page(course, results):
    path = overview.write(course, course.assignment("ps1"), results)
    return BeautifulSoup(path.read_text(), "html.parser")


def table(soup, heading):
    section = soup.find(id=heading).parent
    return [[cell.get_text(" ", strip=True) for cell in row.find_all(["th", "td"])]
            for row in section.select("tbody tr")]


def section(soup, heading):
    return soup.find(id=heading).parent


def test_exercises_points_and_students(course):
    soup = page(course, [result("ada"), result("bob", (1, 0, 0, 0), essay="A limit."),
                         result("cleo", (0, 0, 1, 1))])
    assert soup.select_one(".total").text == \
        "3 submissions, of 14 points 5.7 in the mean, 5.0 in the median"
    assert [row[:5] for row in table(soup, "exercises")] == [
        ["Exercise 1: the square", "5", "1 (33 %)", "1", "1"],
        ["Exercise 2: the mean", "5", "2 (67 %)", "0", "1"],
        ["Exercise 3: in your words", "4", "0 (0 %)", "0", "2"]]
    assert table(soup, "students") == [
        ["at most", "14", "5", "5", "4", ""], ["ada", "10", "5", "5", "0", ""],
        ["bob", "2", "2", "0", "–", "to mark by hand"], ["cleo", "5", "0", "5", "0", ""]]
    bands = {row[0]: row[1] for row in table(soup, "points")}
    assert bands["70 % to less than 80 %"] == bands["30 % to less than 40 %"] == "1"
    assert sum(map(int, bands.values())) == 3 and bands["all points"] == "0"


def test_bars_have_the_lengths_of_their_numbers(course):
    soup = page(course, [result("ada"), result("bob", (1, 0, 0, 0)), result("cleo", (1, 0, 1, 1)),
                         result("dan", (0, 0, 1, 1))])
    rects = section(soup, "exercises").select_one("svg").find_all("rect")
    assert [(rect["class"][0], float(rect["x"]), float(rect["width"])) for rect in rects] == [
        ("full", 0, 25), ("some", 25, 50), ("none", 75, 25)]
    assert not soup.select("[style]")


def test_messages_are_counted_with_their_learners(course):
    soup = page(course, [result("ada", (0, 0, 1, 1), "f(1) is 2, but it should be 3."),
                         result("bob", (0, 1, 1, 1), "f(1) is 7, but it should be 5."),
                         result("cleo", (1, 0, 1, 1), "The sign is wrong."), result("dan")])
    counted = [[item.select_one(part).text for part in (".count", ".said")]
               + [link.text for link in item.find_all("a")] for item in soup.select(".mistakes li")]
    assert counted == [["2", "f(#) is #, but it should be #.", "ada", "bob"],
                       ["1", "The sign is wrong.", "cleo"]]
    assert soup.select_one(".mistakes a")["href"].endswith("feedback/ada/ps1/p1.html#exercise-1")


def test_links_lead_to_the_feedback_pages(course, small_course):
    names = ["ada", "bob with space", "50% #1?", "javascript:alert(1)", "<b>", "ünï", "a&b;c"]
    assignment = course.assignment("ps1")
    results = [result(name) for name in names]
    for each in results:
        feedback.write(course, assignment, each, {}, {})
    path = overview.write(course, assignment, results)
    soup = BeautifulSoup(path.read_text(), "html.parser")
    links = section(soup, "students").select("table a")
    assert sorted(link.text for link in links) == sorted(names)
    for link in links:
        assert link["href"].startswith("../feedback/") and ":" not in link["href"].split("/")[0]
        assert (path.parent / unquote(link["href"])).is_file()


def test_incidents_have_evidence(course):
    soup = page(course, [
        result("ada", incidents=[Incident("timeout", "square", "ran longer than 20 s")]),
        result("bob", incidents=[Incident("kernel-died", "square-hidden", "out of memory")]),
        result("cleo", incidents=[Incident("timeout", "a cell of the learner's own", "too long")]),
        result("dan", incidents=[Incident("total-time", "", "took longer than 180 s")])])
    events = soup.select(".event")
    assert [event.summary.get_text(" ", strip=True) for event in events] == [
        "timeout ada, square", "kernel-died bob, square-hidden",
        "timeout cleo, a cell of the learner's own", "total-time dan"]
    assert "2026-11-20 12:00:00 UTC" in events[0].text and "ran longer than 20 s" in events[0].text
    for event in events[:2]:
        assert "while True: pass" in event.text and "here" in event.text
        assert "own_bad" not in event.text and "<b>" not in str(event)
    assert "own_bad" in events[2].text and "KeyboardInterrupt" in events[2].text
    assert "own_fine" not in events[2].text and "while True" not in events[3].text
    assert "timeout 2, kernel-died 1, total-time 1." in section(soup, "look").text


def test_the_not_graded_and_the_noted_are_listed(course):
    soup = page(course, [
        result("ada", (0, 0, 0, 0), status="rejected", reason="The file is not a notebook."),
        result("bob", notes=["A test cell was put back."]),
        result("cleo", (0, 0, 0, 0), status="failed", reason="The grader failed.")])
    ungraded = section(soup, "ungraded").get_text(" ", strip=True)
    assert "ada : The file is not a notebook." in ungraded
    assert "cleo : marking broke off; the next run tries again. The grader failed." in ungraded
    assert "A test cell was put back." in section(soup, "notes").text
    # they do not count among those who failed an exercise
    assert [row[2] for row in table(soup, "exercises")][:2] == ["1 (100 %)", "1 (100 %)"]


def test_lists_are_in_the_order_of_names_whoever_was_ready_first(course):
    timeout = [Incident("timeout", "square", "too long")]
    soup = page(course, [result(name, (0, 0, 1, 1), notes=["A note."], essay="A limit.",
                                incidents=timeout) for name in ("cleo", "ada", "bob")])
    names = ["ada", "bob", "cleo"]
    assert [link.text for link in section(soup, "by-hand").find_all("a")] == names
    assert [entry.text.strip() for entry in section(soup, "notes").find_all("dt")] == names
    assert [link.text for link in section(soup, "exercises").find_all("a")] == names
    assert [link.text for link in section(soup, "incidents").find_all("a")] == names


def test_how_it_was_marked_and_the_stamp(course):
    soup = page(course, [result("ada"), result("bob", seed=12, sandbox="none")])
    assert "UNSAFE" in soup.select_one("main .warning").text
    run = section(soup, "run").get_text(" ", strip=True)
    assert "bubblewrap, none (UNSAFE)" in run and "11, 12" in run and "Python 3." in run
    assert "UNSAFE" not in page(course, [result("ada")]).text


def test_what_a_human_gave_counts(course, small_course):
    small_course.hand_in("ada", small_course.submitted_notebook())
    assignment = course.assignment("ps1")
    list(grade_class(course, assignment, seed=5))
    assert table(page(course, read_results(course, assignment)), "students")[1] == [
        "ada", "10", "5", "5", "–", "to mark by hand"]
    with Gradebook(course) as gradebook:
        gradebook.book.find_grade("essay", "p1", "ps1", "ada").manual_score = 3.5
        gradebook.book.db.commit()
    assert table(page(course, read_results(course, assignment)), "students")[1] == [
        "ada", "13.5", "5", "5", "3.5", ""]


def test_what_lateness_costs_is_taken_off_the_sums_as_on_the_page_and_in_the_export(small_course):
    with open(small_course.root / "nbgrader_config.py", "a") as config:
        config.write("c.LateSubmissionPlugin.penalty_method = 'zero'\n")
    course = Course(small_course.root)
    with Gradebook(course) as gradebook:
        gradebook.book.update_or_create_assignment("ps1", duedate="2026-11-23 11:00:00 UTC")
    for student, hour in [("ada", 10), ("bob", 12)]:
        path = small_course.hand_in(student, small_course.submitted_notebook(essay=""))
        path.with_name("timestamp.txt").write_text(f"2026-11-23 {hour}:00:00 UTC")
    soup = page(course, grade_class(course, course.assignment("ps1"), seed=5))
    assert table(soup, "students")[1:] == [
        ["ada", "10", "5", "5", "0", ""], ["bob", "0", "5", "5", "0", "late, 10 taken off"]]
    assert "5.0 in the mean, 5.0 in the median" in soup.select_one(".total").text
    bands = {row[0]: row[1] for row in table(soup, "points")}
    assert bands["0 % to less than 10 %"] == bands["70 % to less than 80 %"] == "1"
    feedback_page = (small_course.root / "feedback/bob/ps1/p1.html").read_text()
    assert "10 taken off, 0 of 14 points count" in feedback_page
    with Gradebook(course) as gradebook:
        assert [row[-1] for row in gradebook.scores("ps1")] == [10, 0]


def test_who_loses_a_point_by_lateness_has_not_all_points(course):
    shown = overview.Overview(course.assignment("ps1"), lambda *names: "", {
        name: {("p1", "essay"): HandMark(4.0, "")} for name in ("ada", "bob")})
    for name in ("ada", "bob"):
        shown.add(result(name, essay="A limit."))
    shown.take_off({"bob": {"p1": 1.5}, "nobody": {"p1": 3.0}})
    assert [(student.total, student.groups) for student in shown.students] == [
        (14, []), (12.5, ["open"])]


def test_no_submission_at_all(course):
    soup = page(course, [])
    assert soup.select_one(".total").text == "0 submissions"


# ---- a large class ------------------------------------------------------------------


def test_a_large_class_gives_a_page_that_opens(course, browser):
    def crowd():
        for number in range(3000):
            yield result(f"student-{number:04}", (number % 2, 0, 1, number % 3 > 0),
                         f"message {chr(97 + number % 26)} {'word ' * 40}", essay="text",
                         notes=["A note. " * 20] * 9,
                         incidents=[Incident("timeout", "square", "x" * 5000)])
    path = overview.write(course, course.assignment("ps1"), crowd())
    html = path.read_text()
    assert len(html) < 3_000_000
    text = BeautifulSoup(html, "html.parser").get_text(" ", strip=True)
    assert "2900 more incidents are left out here" in text
    assert "2800 more notebooks are left out here" in text
    assert "The table has the first 2000 of 3000 students" in text
    opened = browser.new_page()
    opened.goto(path.as_uri(), timeout=20_000)
    assert opened.locator(".students tbody tr").count() == 2001
    opened.close()


# ---- in the browser -------------------------------------------------------------------


@pytest.fixture
def visit(browser):
    """Open a page with everything unfolded; its requests are in `.asked`."""
    contexts = []

    def visit(path, **options):
        contexts.append(browser.new_context(**options))
        opened = contexts[-1].new_page()
        opened.asked, opened.trouble = [], []
        opened.on("request", lambda request: request.url.startswith((path.as_uri(), "data:"))
                  or opened.asked.append(request.url))
        opened.on("dialog", lambda dialog: (opened.trouble.append("dialogue"), dialog.dismiss()))
        contexts[-1].on("page", lambda other: opened.trouble.append(f"opened {other.url}"))
        opened.goto(path.as_uri())
        opened.evaluate("document.querySelectorAll('details').forEach(e => e.open = true)")
        opened.wait_for_timeout(200)
        return opened

    yield visit
    for context in contexts:
        context.close()


@pytest.mark.parametrize("policy", [True, False])
def test_nothing_that_learners_planted_runs(course, visit, policy):
    everything = "\n\n".join(VECTORS)
    planted = []
    for name in [*VECTORS, everything]:
        cells = [LearnerCell("square", "code", name, [Output("stdout", name), Output("error", name),
                                                      Output("text/html", name)]),
                 LearnerCell(name, "code", name), LearnerCell("essay", "markdown", name)]
        incidents = [Incident("timeout", "square", name), Incident(name, name, name)]
        planted.append(result(name, (0, 0, 0, 0), name, notes=[name], incidents=incidents,
                              notebook=cells))
        planted.append(result(name, (0, 0, 0, 0), status="rejected", reason=name))
    for each in planted:
        each.timestamp = everything
    path = overview.write(course, course.assignment("ps1"), planted)
    if not policy:                    # the escaping alone has to do
        path.write_text(re.sub("<meta http-equiv.*?>", "", path.read_text()))
    opened = visit(path)
    assert not opened.evaluate("document.documentElement.hasAttribute('data-pwned')")
    assert opened.asked == [] and opened.trouble == []
    assert opened.title() == "Overview of ps1"
    assert opened.query_selector_all(
        "script, iframe, object, embed, form, base, link, img, math, video, [style], [onerror]") == []
    assert opened.is_visible("h1") and opened.is_visible("footer")
    links = opened.evaluate("[...document.links].map(a => a.getAttribute('href'))")
    assert all(link.startswith(("#", "../feedback/")) for link in links)


def crowd():
    return [result("ada"), result("bob", (1, 0, 0, 0), essay="A limit.", notes=["A note."]),
            result("cleo", (0, 0, 1, 1),
                   incidents=[Incident("timeout", "square", "ran longer than 20 s")]),
            result("dan", (0, 0, 0, 0), status="rejected", reason="The file is not a notebook.")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(course, visit, scheme):
    path = overview.write(course, course.assignment("ps1"), crowd())
    opened = visit(path, color_scheme=scheme, viewport={"width": 1280, "height": 900})
    found = Axe().run(opened).response["violations"]
    assert [(each["id"], node["html"][:200]) for each in found for node in each["nodes"]] == []


def test_it_fits_a_phone(course, visit):
    path = overview.write(course, course.assignment("ps1"), [*crowd(), result("e" * 120)])
    opened = visit(path, viewport={"width": 360, "height": 640})
    assert opened.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("group, names", [
    ("all", ["ada", "bob", "cleo", "dan"]), ("open", ["ada", "bob", "cleo", "dan"]),
    ("ungraded", ["dan"]), ("incident", ["cleo"]), ("waiting", ["bob"])])
def test_the_table_is_filtered_without_a_script(course, browser, group, names):
    path = overview.write(course, course.assignment("ps1"), crowd())
    context = browser.new_context(java_script_enabled=False)
    opened = context.new_page()
    opened.goto(path.as_uri())
    opened.check(f"#show-{group}")
    assert opened.locator(".students tbody tr:not(.most) th:visible").all_inner_texts() == names
    context.close()
