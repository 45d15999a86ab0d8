"""The page on writing tests tells the truth: each of its examples is graded."""

import re

import nbformat
import pytest
from nbformat.v4 import new_notebook

import nb
from autograder.limits import Limits
from autograder.marking import Session
from autograder.templates import contents_of, start

from .conftest import cell

PAGE = (nb.ROOT / "book" / "writing-tests.md").read_text()
SETUP = "import inspect\nimport numpy as np\nfrom gradem import check, observe"
IMPORTS = SETUP + "\nimport matplotlib.pyplot\nimport pandas"
PARTS = ["The answer", "The test", "A wrong answer", "What its learner reads"]
BLOCK = re.compile(r"```\{code-block\} \w+\n:caption: ([^\n]*)\n(.*?)\n```", re.S)

EXAMPLES = {}
for section in PAGE.split("\n## ")[1:]:
    title, _, body = section.partition("\n")
    if BLOCK.search(body):
        EXAMPLES[title] = BLOCK.findall(body)


def test_the_page_has_examples_for_all_that_tests_may_do():
    assert len(EXAMPLES) == 11
    for parts in EXAMPLES.values():
        assert [caption for caption, _ in parts] == PARTS


def notebook(answer, test, setup=SETUP):
    cells = [cell(setup, "setup", locked=True), cell(answer, "answer", solution=True),
             cell(test, "answer-check", points=1, locked=True)]
    return nbformat.reads(nbformat.writes(new_notebook(cells=cells)), as_version=4)


@pytest.fixture(scope="module")
def template():
    with start(contents_of(notebook("", "", IMPORTS), ()), "bubblewrap", Limits()) as template:
        yield template.address


@pytest.mark.parametrize("title", EXAMPLES)
def test_an_example_does_what_the_page_says(title, template):
    (_, right), (_, test), (_, wrong), (_, message) = EXAMPLES[title]
    for answer, passes in [(right, True), (wrong, False)]:
        source = notebook(right, test)
        with Session(source, seed=20180222, template=template) as session:
            session.run_instructors_cell(source.cells[0])
            assert not session.run(answer).error
            mark = session.test("answer-check")
            assert mark.passed is passes, mark.message
            assert not session.incidents
    assert mark.message == message


@pytest.mark.filterwarnings("ignore:invalid value encountered in log")
@pytest.mark.parametrize("title", EXAMPLES)
def test_an_example_does_the_same_in_a_notebook(title, monkeypatch):
    import matplotlib
    from gradem import observe
    matplotlib.use("Agg")
    (_, right), (_, test), (_, wrong), (_, message) = EXAMPLES[title]
    for answer, passes in [(right, True), (wrong, False)]:
        monkeypatch.setattr(observe, "_cells", [answer])
        names = {"__name__": "__main__"}
        exec(SETUP + "\n" + answer, names)
        try:
            exec(test, names)
        except AssertionError as mistake:
            assert not passes and str(mistake) == message
        else:
            assert passes
