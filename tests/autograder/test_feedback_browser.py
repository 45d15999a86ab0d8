"""Feedback in Chromium: nothing that a learner planted runs, and it reads well everywhere."""

import base64
import re

import pytest
from axe_playwright_python.sync_playwright import Axe

from autograder import feedback
from autograder.course import Course
from autograder.report import HandMark
from autograder.report import CellMark, Incident, LearnerCell, Output, Report
from tests.autograder import vectors
from tests.autograder.vectors import VECTORS

KINDS = ["stdout", "stderr", "error", "text/plain", "text/html", "text/markdown", "text/latex",
         "image/svg+xml", "image/png", "image/jpeg", "application/javascript", "text/<script>"]
PIXEL = ("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
         "rkJggg==")
TABLE = ("<div><style scoped>.dataframe th { color: red }</style><table border=\"1\" "
         "class=\"dataframe\"><thead><tr style=\"text-align: right;\"><th></th><th>x</th></tr>"
         "</thead><tbody><tr><th>0</th><td>1.5</td></tr></tbody></table></div>")


@pytest.fixture
def source(small_course):
    (notebook,) = Course(small_course.root).assignment("ps1").notebooks
    return notebook


def report(notebook, message="square(3.0) is 6, but it should be 9.", **options):
    cells = [CellMark("square-check", "square", 0.0, 2.0, False, message),
             CellMark("square-hidden", "square", 0.0, 3.0, False, message),
             CellMark("mean-check", "mean", 2.0, 2.0, True),
             CellMark("mean-hidden", "mean", 3.0, 3.0, True)]
    return Report(**{"status": "graded", "seed": 4711, "sandbox": "bubblewrap", "cells": cells,
                     "notebook": notebook, **options})


def honest():
    """What an honest learner hands in: every kind of cell and output."""
    return report([
        LearnerCell("", "code", "%matplotlib inline\nimport numpy as np"),
        LearnerCell("square", "code", "@cache\ndef square(x: float):\n    \"\"\"Square.\"\"\"\n"
                    "    # twice\n    return 2 * x if x else float(f'{x!r}')",
                    [Output("stdout", "here 0.333\n"), Output("stderr", "a warning\n")]),
        LearnerCell("", "code", "square(7) + undefined",
                    [Output("error", "\x1b[31mNameError\x1b[0m: name 'undefined' is not defined")]),
        LearnerCell("mean", "code", "frame", [
            Output("text/plain", "   x\n0  1.5"), Output("text/html", TABLE),
            Output("text/plain", "<Figure size 1x1>"), Output("image/png", PIXEL),
            Output("text/plain", "sqrt(x)"), Output("text/latex", "$\\displaystyle \\sqrt{x}$")]),
        LearnerCell("essay", "markdown", "# A limit\n\nOf *slopes*, $\\frac{a}{b}$, [a](https://b.c).\n"
                    "\n$$\\sum_i x_i$$\n\n| h | e |\n|--:|---|\n| 1 | 2 |\n\n> quoted\n\n"
                    "```python\nx = 1\n```\n"),
    ], notes=["A note."])


@pytest.fixture
def visit(browser, tmp_path):
    """Open a page, click and point at everything; tells of every request and dialogue.

    A request that the content policy stopped has the failure "csp".
    """
    contexts = []

    def visit(html, **options):
        path = tmp_path / "page.html"
        path.write_text(html, encoding="utf-8")
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.asked, page.trouble = [], []
        contexts[-1].on("page", lambda other: page.trouble.append(f"opened {other.url}"))
        page.on("request", lambda request: page.asked.append(request))
        page.on("dialog", lambda dialog: (page.trouble.append("a dialogue"), dialog.dismiss()))
        page.on("framenavigated", lambda frame: frame.url.startswith(path.as_uri())
                or page.trouble.append(f"went to {frame.url}"))
        page.goto(path.as_uri())
        for link in page.query_selector_all("a, area, summary, rect, mi, button, input, label"):
            link.dispatch_event("click")
            link.dispatch_event("mouseover")
        page.wait_for_timeout(200)
        page.asked = [request for request in page.asked
                      if not request.url.startswith((path.as_uri(), "data:"))]
        return page

    yield visit
    for context in contexts:
        context.close()


def harmed(page):
    return page.evaluate("document.documentElement.hasAttribute('data-pwned')")


def assert_unharmed(page, title):
    assert not harmed(page)
    assert page.asked == [] and page.trouble == []
    assert page.title() == title
    assert page.is_visible("h1") and page.is_visible("footer")
    assert page.query_selector_all(
        "script, iframe, object, embed, form, base, link, svg, math a, math [href], body style, "
        "annotation-xml, foreignObject, video, template, [onerror], [onload], [style]") == []
    assert len(page.query_selector_all("main")) == 1
    assert page.evaluate("[...document.links].every(a => a.getAttribute('href')[0] === '#')")
    # nothing of a learner's takes a name with which the page works
    assert page.evaluate("[...document.querySelectorAll('main .cells [id]')].length") == 0


def without_policy(html):
    """The page without the second line of defence, so that the first one is tried alone."""
    html, removed = re.subn(r"<meta http-equiv=.Content-Security-Policy.*?>", "", html)
    assert removed == 1
    return html


# ---- nothing runs ---------------------------------------------------------------

both = pytest.mark.parametrize("defence", [str, without_policy], ids=["both", "without-policy"])


def planted(text):
    """A submission that says `text` wherever a learner can say something."""
    outputs = [Output(kind, text) for kind in KINDS]
    return report(
        [LearnerCell(name, kind, text, outputs) for name, kind in [
            ("", "code"), ("square", "code"), ("mean", "raw"), (text, "markdown"),
            ("essay", "markdown")]],
        message=text, notes=[text, *VECTORS], reason=text, status="failed",
        incidents=[Incident("timeout", "square", text), Incident("timeout", text, text)])


@both
def test_no_planted_script_runs_where_it_is_text(source, visit, defence):
    everything = "\n\n".join(VECTORS)
    hand = {"essay": HandMark(1.0, everything)}
    page = visit(defence(feedback.page(source, everything, planted(everything), hand)))
    assert_unharmed(page, "Feedback on Problem set 1")
    # every vector can be read on the page as the text it is
    shown = " ".join(page.inner_text("body").split())
    assert [vector for vector in VECTORS if " ".join(vector.split("\0")[0].split())
            not in shown.replace("<U+202E>", "\u202e").replace("<U+202C>", "\u202c")
            and "\t" not in vector] == []


@both
@pytest.mark.parametrize("kind", KINDS)
def test_no_planted_script_runs_in_an_output(source, visit, kind, defence):
    notebook = [LearnerCell("square", "code", "x", [Output(kind, vector) for vector in VECTORS]),
                LearnerCell("essay", "markdown", "An essay.")]
    page = visit(defence(feedback.page(source, "ada", report(notebook))))
    assert_unharmed(page, "Feedback on Problem set 1")
    assert page.is_visible("text=An essay.")


@both
def test_no_planted_script_runs_in_text_that_is_rendered(source, visit, defence):
    notebook = [LearnerCell("", "markdown", vector) for vector in VECTORS]
    page = visit(defence(feedback.page(source, "ada", report(notebook))))
    assert_unharmed(page, "Feedback on Problem set 1")
    assert page.query_selector_all("math") != []


def test_a_picture_that_carries_a_script_is_shown_without_it(source, visit):
    notebook = [LearnerCell("square", "code", "x", [Output("image/svg+xml", vectors.SVG)])]
    html = feedback.page(source, "ada", report(notebook))
    page = visit(html)
    assert_unharmed(page, "Feedback on Problem set 1")
    assert page.evaluate("document.querySelector('img').naturalWidth") == 40
    # and also if somebody opens the picture by itself
    page.goto("about:blank")
    page.set_content(html)
    address = page.get_attribute("img", "src")
    assert address.startswith("data:image/svg+xml;base64,")
    alone = visit(base64.b64decode(address.partition(",")[2]).decode())
    assert not harmed(alone) and alone.asked == []


@pytest.mark.parametrize("vector", [*vectors.SCRIPTS, *vectors.LOADS],
                         ids=range(len(vectors.SCRIPTS) + len(vectors.LOADS)))
def test_the_content_policy_alone_stops_them_too(source, visit, vector):
    """As if an escape were forgotten: the vector is put into the page as markup."""
    html = feedback.page(source, "ada", report([LearnerCell("square", "code", "x")]))
    page = visit(html.replace("</main>", vector + "</main>"))
    assert not harmed(page)
    assert [request.url for request in page.asked if request.failure != "csp"] == []
    assert page.is_visible("h1")


def test_without_the_policy_the_vectors_do_harm(source, visit):
    """The control: these vectors work where nothing stops them."""
    html = without_policy(feedback.page(source, "ada",
                                        report([LearnerCell("square", "code", "x")])))
    assert harmed(visit(html.replace("</main>", "".join(VECTORS[:9]) + "</main>")))
    assert visit(html.replace("</main>", vectors.LOADS[3] + "</main>")).asked != []


# ---- how it looks -----------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(source, visit, scheme):
    """The rules of WCAG 2.2, levels A and AA, and of good practice; contrast among them."""
    page = visit(feedback.page(source, "ada", honest(), {"essay": HandMark(1, "Good.")}),
                 color_scheme=scheme, viewport={"width": 1280, "height": 900})
    found = Axe().run(page).response["violations"]
    assert [(each["id"], node["html"][:200]) for each in found for node in each["nodes"]
            # the corner of a table that pandas writes has no words
            if each["id"] != "empty-table-header"] == []


def test_what_is_useful_is_there(source, visit):
    page = visit(feedback.page(source, "ada", honest()))
    text = page.inner_text("main")
    assert "NameError: name 'undefined' is not defined" in text and "\x1b" not in text
    assert page.inner_text(".rich table").split() == ["x", "0", "1.5"]
    assert page.evaluate("document.querySelector('img').naturalWidth") == 1
    assert "the learner" in page.get_attribute("img", "alt")
    assert len(page.query_selector_all("math")) == 3
    assert page.inner_text(".code .nf") == "square"
    assert page.inner_text(".text h4") == "A limit"


@pytest.mark.parametrize("width", [320, 375])
def test_it_fits_a_phone(source, visit, width):
    wide = LearnerCell("square", "code", "x = " + "1234567890" * 40, [
        Output("stdout", "=" * 500), Output("text/html", "<table><tr>" + "<td>12345678" * 60),
        Output("text/latex", "$$" + "x + " * 100 + "x$$")])
    text = LearnerCell("essay", "markdown", "word" * 90 + "\n\n$$" + "x + " * 100 + "x$$\n\n"
                       + "|a" * 40 + "|\n" + "|-" * 40 + "|\n" + "|12345" * 40)
    html = feedback.page(source, "a" * 90, report([wide, text], message="word" * 60))
    page = visit(html, viewport={"width": width, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_printed_pages_show_all_of_a_long_cell(source, visit):
    long = LearnerCell("square", "code", "x = 1\n" * 200, [Output("stdout", "line\n" * 200)])
    page = visit(feedback.page(source, "ada", report([long])))
    cut = "[...document.querySelectorAll('pre')].some(e => e.scrollHeight > e.clientHeight + 1)"
    assert page.evaluate(cut)
    page.emulate_media(media="print")
    assert not page.evaluate(cut)
