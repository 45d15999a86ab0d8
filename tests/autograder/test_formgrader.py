"""nbgrader's formgrader shows what was marked, takes points by hand, and runs no learner's HTML."""

import http.cookiejar
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbgrader.apps import NbGraderAPI

from autograder import formgrader
from autograder.classroom import grade_class
from autograder.course import Course
from autograder.gradebook import Gradebook
from autograder.report import HandMark
from autograder.report import Output

from .conftest import make_course, submitted_notebook
from .test_sanitise import png

EVIL = "data-pwned"
ESSAY = f"""A *limit*, $a<b$ and `x < y`.
<script>document.body.setAttribute('{EVIL}', '')</script>
<img src=x onerror="{EVIL}()"> <b>bold</b> [a](javascript:{EVIL}()) ![b](https://example.invalid/c)
[c][d] <https://example.invalid/{EVIL}>

[d]: javascript:{EVIL}()
"""
SQUARE = f"""from IPython.display import HTML, display
display(HTML("<script {EVIL}></script>"))
print("<script {EVIL}>", 7 * 6)
def square(x):
    return 0.0"""


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A graded course with an answer full of HTML, and a submission that was rejected."""
    small = make_course(tmp_path_factory.mktemp("formgrader") / "course")
    small.hand_in("ada", submitted_notebook(square=SQUARE, essay=ESSAY))
    small.hand_in("cut", '{"cells": [')
    course = Course(small.root)
    list(grade_class(course, course.assignment("ps1")))
    return course


def marked(course, student):
    path = course.folder("autograded", student, "ps1") / "p1.ipynb"
    return nbformat.read(path, as_version=4)


def test_the_marked_notebook_is_valid_and_has_every_cell(course):
    notebook = marked(course, "ada")
    nbformat.validate(notebook)
    cells = {each.metadata.nbgrader.grade_id: each for each in notebook.cells
             if "nbgrader" in each.metadata}
    assert cells["square"].source == SQUARE
    assert cells["mean-check"].outputs[0].text == "Passed: 2 of 2 points.\n"
    assert cells["square-check"].outputs[0].output_type == "error"
    assert "square(3.0) is 0" in cells["square-check"].outputs[0].evalue
    assert '"text/html":' not in json.dumps([each.outputs for each in cells.values()
                                              if each.cell_type == "code"])


def test_a_rejected_submission_says_why(course):
    notebook = marked(course, "cut")
    nbformat.validate(notebook)
    assert "Not graded" in notebook.cells[0].source
    assert "not valid JSON" in notebook.cells[0].source
    assert "return x * x" not in nbformat.writes(notebook)


@pytest.mark.parametrize("output, expected", [
    (Output("stdout", "a"), {"output_type": "stream", "name": "stdout", "text": "a"}),
    (Output("text/plain", "<b>"), {"output_type": "display_data", "metadata": {},
                                   "data": {"text/plain": "<b>"}}),
    (Output("image/png", png(3, 2)), {"output_type": "display_data", "metadata": {},
                                      "data": {"image/png": png(3, 2)}}),
    (Output("image/png", "aGFsbG8="), None),                          # base64, and no picture
    (Output("image/png", png(100_000, 100_000)), None),               # it would fill the memory
    (Output("image/png", png(3, 2) + '"><script>'), None),
    (Output("image/png", '!'), None),
    (Output("image/svg+xml", "<svg onload=1>"), None),
    (Output("text/html", "<b>"), None), (Output("text/markdown", "<b>"), None),
])
def test_outputs_are_text_or_pictures(output, expected):
    shown = formgrader._output(output)
    if expected:
        assert shown == expected
    else:
        assert "<" not in json.dumps(shown) and '">' not in json.dumps(shown)


# ---- in nbgrader itself ---------------------------------------------------------


@pytest.fixture(scope="module")
def browser(course, tmp_path_factory):
    """A function that fetches a page of formgrader from a real Jupyter server."""
    home = tmp_path_factory.mktemp("home")
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port = trial.getsockname()[1]
    log = open(home / "log", "w")
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyter_server", f"--port={port}", "--port-retries=0",
         "--ip=127.0.0.1", "--no-browser", "--allow-root", "--IdentityProvider.token=secret",
         f"--ServerApp.root_dir={course.root}",
         "--ServerApp.jpserver_extensions={'nbgrader.server_extensions.formgrader': True}"],
        cwd=course.root, stdout=log, stderr=subprocess.STDOUT,
        env={**os.environ, "HOME": str(home), "JUPYTER_CONFIG_DIR": str(home),
             "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"})
    cookies = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(cookies))

    def fetch(path, data=None):
        headers = {"Authorization": "token secret"}
        if data is not None:
            headers["X-XSRFToken"] = next(each.value for each in cookies if each.name == "_xsrf")
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/formgrader/{path}", headers=headers,
            data=None if data is None else json.dumps(data).encode(),
            method="GET" if data is None else "PUT")
        return opener.open(request, timeout=60).read().decode()

    deadline = time.monotonic() + 60
    while True:
        try:
            fetch("api/assignments")
            break
        except (OSError, urllib.error.URLError):
            assert server.poll() is None and time.monotonic() < deadline, (home / "log").read_text()
            time.sleep(0.3)
    yield fetch
    server.terminate()
    server.wait(timeout=20)
    log.close()


def submission(course, student):
    with Gradebook(course) as gradebook:
        return gradebook.book.find_submission_notebook("p1", "ps1", student).id


def test_nbgrader_lists_the_submissions_as_graded(course):
    listed = {each["student"]: each for each in NbGraderAPI(course.directory).get_submissions("ps1")}
    assert {name: (each["autograded"], each["score"], each["needs_manual_grade"])
            for name, each in listed.items()} == {"ada": (True, 5, True), "cut": (True, 0, False)}


def test_formgrader_shows_answers_and_marks_and_no_learner_s_html(course, browser):
    page = BeautifulSoup(browser(f"submissions/{submission(course, 'ada')}/"), "html.parser")
    text = page.get_text()
    assert "print(" in text and "<script data-pwned> 42" in text
    assert "Failed: 0 of 2 points" in text and "Passed: 2 of 2 points" in text
    assert "see the feedback page" in text and "a<b" in text.replace(formgrader.SPACE, "")
    body = page.find(id="notebook-container") or page.body
    assert not [each for each in page.find_all("script") if EVIL in str(each)]
    assert not body.find_all(lambda tag: any(name.startswith("on") for name in tag.attrs))
    links = [each.get("href") or each.get("src") or "" for each in body.find_all(["a", "img"])]
    assert not [each for each in links if "javascript" in each or "example.invalid" in each]
    assert "not valid JSON" in browser(f"submissions/{submission(course, 'cut')}/")


def test_points_and_a_comment_entered_in_formgrader_stay(course, browser):
    notebook = submission(course, "ada")
    grades = json.loads(browser(f"api/grades?submission_id={notebook}"))
    comments = json.loads(browser(f"api/comments?submission_id={notebook}"))
    essay = next(each for each in grades if each["name"] == "essay")
    assert essay["needs_manual_grade"] and essay["max_score"] == 4
    browser(f"api/grade/{essay['id']}", {"manual_score": 2.5, "extra_credit": 1.0})
    remark = next(each for each in comments if each["name"] == "essay")
    browser(f"api/comment/{remark['id']}", {"manual_comment": "Say why."})
    for regrade in (False, True):
        list(grade_class(course, course.assignment("ps1"), regrade=regrade))
        with Gradebook(course) as gradebook:
            assert gradebook.by_hand("ps1", "ada") == {("p1", "essay"): HandMark(2.5, "Say why.", 1.0)}
            assert gradebook.book.find_submission("ps1", "ada").score == 5 + 2.5 + 1
    page = (course.folder("feedback", "ada", "ps1") / "p1.html").read_text()
    assert "Say why." in page and "Extra credit: 1." in page
    assert "<strong>8.5</strong> of 14 points" in page
