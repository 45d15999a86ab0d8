"""The feedback page says everything the learner needs, and runs nothing a learner wrote."""

import re

import pytest
from bs4 import BeautifulSoup

from autograder import feedback
from autograder.classroom import grade_class
from autograder.course import Course
from autograder.gradebook import Gradebook, HandMark
from autograder.report import CellMark, Incident, LearnerCell, Report

PWN = "document.documentElement.setAttribute('data-pwned', '1')"
VECTORS = [
    f"<script>{PWN}</script>",
    f"</code></pre><script>{PWN}</script>",
    f"<img src=x onerror=\"{PWN}\">",
    f"<svg onload=\"{PWN}\"></svg>",
    f"<svg><animate onbegin=\"{PWN}\" attributeName=x dur=1s></svg>",
    f"<iframe srcdoc=\"<script>parent.{PWN}</script>\"></iframe>",
    f"<a href=\"javascript:{PWN}\" autofocus onfocus=\"{PWN}\">a</a>",
    f"<details open ontoggle=\"{PWN}\">d</details>",
    f"<body onload=\"{PWN}\">",
    f"\"><script>{PWN}</script>",
    f"'-{PWN}-'",
    f"{{{{ ''.__class__ }}}} {{% raw %}} ${{{PWN}}}",
    f"<math><mtext><script>{PWN}</script></mtext></math>",
    "<meta http-equiv=refresh content='0; url=https://example.invalid/'>",
    "<link rel=stylesheet href=https://example.invalid/a.css>",
    "<base href=https://example.invalid/>",
    "<style>@import 'https://example.invalid/b.css'; * { display: none }</style>",
    "<img src=https://example.invalid/c.png>",
    "<form action=https://example.invalid/><input autofocus></form>",
    f"[a](javascript:{PWN}) ![b](https://example.invalid/d.png)",
    "</style></title><textarea><!-- \0 \u202e",
]


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
    return Report(**{"status": "graded", "seed": 4711, "sandbox": "bubblewrap", "cells": cells,
                     "notebook": [LearnerCell(name, "code", text)
                                  for name, text in answers.items()], **options})


def soup(page):
    return BeautifulSoup(page, "html.parser")


def test_points_words_and_the_learners_text(source):
    page = soup(feedback.page(source, "ada", report()))
    assert page.h1.text == "Problem set 1" and "ada" in page.header.text
    assert page.select_one(".total").text == "5 of 14 points"
    rows = [[cell.get_text(strip=True) for cell in row.find_all(["th", "td"])]
            for row in page.select("tbody tr")]
    assert rows == [
        ["Exercise 1: the square", "0 of 5", "square(3.0) is 6, but it should be 9."],
        ["Exercise 2: the mean", "5 of 5", "All right."],
        ["Exercise 3: in your words", "0 of 4", "Not marked yet."]]
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
        "essay": HandMark(3.5, "Which limit?"), "square-hidden": HandMark(1.0, "")}))
    assert page.select_one(".total").text == "9.5 of 14 points"
    assert "Which limit?" in page.select("section.exercise")[2].text
    assert "Not marked yet." not in page.text


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
    assert "(shortened)" in page and len(page) < 200_000


def test_no_line_of_a_hidden_test_and_no_seed_is_on_a_real_page(small_course):
    small_course.hand_in("ada", small_course.submitted_notebook(square="def square(x): return 0."))
    course = Course(small_course.root)
    assignment = course.assignment("ps1")
    (result,) = grade_class(course, assignment, seed=47114711)
    with Gradebook(course) as gradebook:
        gradebook.book.find_comment("essay", "p1", "ps1", "ada").manual_comment = "By hand."
        gradebook.book.db.commit()
    (path,) = feedback.write(course, assignment, result)
    assert path == small_course.root / "feedback/ada/ps1/p1.html"
    page = path.read_text()
    assert "is 0, but it should be 9" in page and "By hand." in page
    assert small_course.hidden not in page and "check.rng" not in page and "47114711" not in page


# ---- nothing runs ---------------------------------------------------------------


@pytest.fixture
def visit(browser, tmp_path):
    """Open a page, click what can be clicked; returns it, and every request it made.

    A request that the content policy stopped has the failure "csp".
    """
    def visit(html, **options):
        path = tmp_path / "page.html"
        path.write_text(html, encoding="utf-8")
        page = browser.new_page(**options)
        asked = []
        page.on("request", lambda request: asked.append(request))
        page.goto(path.as_uri())
        for link in page.query_selector_all("a, summary"):
            link.dispatch_event("click")
        page.wait_for_timeout(200)
        return page, [request for request in asked if not request.url.startswith(path.as_uri())]
    return visit


def harmed(page):
    return page.evaluate("document.documentElement.hasAttribute('data-pwned')")


def test_no_planted_script_runs_and_no_address_is_asked_for(source, visit):
    everything = "\n".join(VECTORS)
    planted = report(
        message=everything, notes=VECTORS, reason=everything, status="failed",
        answers={"square": everything, "mean": everything, "essay": everything},
        incidents=[Incident("timeout", "square", everything),
                   Incident("timeout", everything, everything)])
    hand = {"essay": HandMark(1.0, everything)}
    page, asked = visit(feedback.page(source, everything, planted, hand))
    assert not harmed(page) and asked == []
    assert page.title() == "Feedback on Problem set 1"
    # every vector is on the page as the text it is, and nothing of it became an element
    shown = page.inner_text("body")
    assert all(vector.split("\0")[0].strip() in shown for vector in VECTORS)
    assert page.query_selector_all("script, img, svg, iframe, form, link, base, math") == []


# a redirection is the one thing that a policy in a page cannot forbid
STOPPABLE = [vector for vector in VECTORS[:-1] if "refresh" not in vector]


@pytest.mark.parametrize("vector", STOPPABLE, ids=range(len(STOPPABLE)))
def test_the_content_policy_alone_stops_them_too(source, visit, vector):
    """As if an escape were forgotten: the vector is put into the page as markup."""
    html = feedback.page(source, "ada", report())
    page, asked = visit(html.replace("</main>", vector + "</main>"))
    assert not harmed(page)
    assert [request.url for request in asked if request.failure != "csp"] == []
    assert page.is_visible("h1")


def test_without_the_policy_the_vectors_do_harm(source, visit):
    """The control: these vectors work where nothing stops them."""
    html = feedback.page(source, "ada", report())
    html = re.sub(r"<meta http-equiv=.Content-Security-Policy.*?>", "", html)
    page, _ = visit(html.replace("</main>", "".join(VECTORS[:9]) + "</main>"))
    assert harmed(page)


# ---- how it looks -----------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_contrast_in_light_and_dark(source, visit, scheme):
    html = feedback.page(source, "ada", report(notes=["A note."]), {"essay": HandMark(1, "Good.")})
    page, _ = visit(html, color_scheme=scheme)
    ratios = page.evaluate("""() => {
      const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).map(v => v / 255).map(
        v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
      const ground = e => { const c = getComputedStyle(e).backgroundColor;
        return c === 'rgba(0, 0, 0, 0)' && e.parentElement ? ground(e.parentElement) : c; };
      return [...document.querySelectorAll('body *')].filter(e => [...e.childNodes].some(
        n => n.nodeType === 3 && n.textContent.trim()) && e.tagName !== 'METER').map(e => {
          const [a, b] = [light(getComputedStyle(e).color), light(ground(e))];
          return [e.tagName + '.' + e.className,
                  (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)]; }); }""")
    assert len(ratios) > 20
    assert [pair for pair in ratios if pair[1] < 4.5] == []


def test_it_fits_a_phone(source, visit):
    html = feedback.page(source, "a" * 90, report(
        message="word" * 60, answers={"square": "x = " + "1234567890" * 40}))
    page, _ = visit(html, viewport={"width": 360, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
