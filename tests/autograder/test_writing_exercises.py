"""The page on writing an exercise: its example is made from its text, tried, released, graded."""

import ast
import inspect
import re
import shutil

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell, new_notebook

import nb
import release
from autograder import form, leaks, mutants, rehearsal, tables
from autograder.course import Course
from autograder.form import read_answers
from autograder.marking import mark
from autograder.submission import grade_id, is_answer

from .conftest import cell

PAGE = (nb.ROOT / "book" / "writing-exercises.md").read_text(encoding="utf-8")
BLOCKS = {caption: text for _, caption, text in re.findall(
    r"^(`{3,})\{code-block\} \w+\n:caption: ([^\n]*)\n(.*?)\n\1$", PAGE, re.DOTALL | re.MULTILINE)}
NAME = "12-averages"


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course with the page's exercise as its only one, as its author left it."""
    root = tmp_path_factory.mktemp("author")
    shutil.copy(nb.ROOT / release.CONFIGURATION, root)
    folder = root / "solutions" / NAME
    folder.mkdir(parents=True)
    answer = "log-mean-exp"
    notebook = new_notebook(metadata=ast.literal_eval(BLOCKS["The metadata of the notebook"]))
    notebook.cells = [
        new_markdown_cell(BLOCKS["The title, a text cell"]),
        cell(BLOCKS["Cell setup"], "setup", locked=True),
        new_markdown_cell(BLOCKS["The task, a text cell"]),
        new_markdown_cell(BLOCKS["The hints, a text cell"]),
        cell(BLOCKS[f"Cell {answer}"], answer, solution=True),
        cell(BLOCKS[f"Cell {answer}-check"], f"{answer}-check", points=2, locked=True),
        cell(BLOCKS[f"Cell {answer}-hidden"], f"{answer}-hidden", points=3, locked=True)]
    nb.write(notebook, folder / f"{NAME}.ipynb")
    (folder / "answers.toml").write_text(BLOCKS["answers.toml"], encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def source(course):
    (source,) = Course(course).assignment(NAME).notebooks
    return source


@pytest.fixture(scope="module")
def released(course, tmp_path_factory):
    folder = release.generate(course, tmp_path_factory.mktemp("released"))
    return nb.read(folder / NAME / f"{NAME}.ipynb")


def test_the_rehearsal_prints_what_the_page_says(source):
    trials = list(rehearsal.rehearse(source))
    assert tables.rehearsed(source, trials) == BLOCKS["What the rehearsal prints"]
    assert [trial.title for trial in trials if not trial.applies] == [
        f"log_mean_exp: {mutants.EMPTY}"]


def test_the_notebook_runs_and_has_its_normal_form(course):
    path = course / "solutions" / NAME / f"{NAME}.ipynb"
    nb.execute(path)
    assert nb.problems(path) == []


def test_the_released_notebook_holds_neither_answer_nor_hidden_tests(released):
    text = "\n".join(each.source for each in released.cells)
    assert "raise NotImplementedError()" in text and "Hidden tests (3 points)" in text
    assert not re.search(r"np\.max\(a\)|### |logaddexp|wide", text)
    assert len(re.findall("<summary>Hint", text)) == 4


@pytest.mark.parametrize("title, points, block", [
    ("the sum instead of the mean", 0, "What the check says"),
    ("the minimum taken out", 2, "What the hidden tests say"),
])
def test_a_learner_reads_what_the_page_says(title, points, block, source, released, tmp_path):
    answers, _ = read_answers(source)
    (answer,) = (answer for answer in answers if answer.title == title)
    for each in released.cells:
        if is_answer(each):
            each.source = answer.code
    nbformat.write(released, tmp_path / "handed-in.ipynb")
    report = mark(tmp_path / "handed-in.ipynb", source.path, seed=20180222)
    assert report.points == points
    failed = next(each for each in report.cells if not each.passed)
    assert failed.message == BLOCKS[block]


# ---- what the rehearsal can say ---------------------------------------------------


def messages(module):
    """The sentences in the code of a module, with an ellipsis for what is filled in."""
    tree = ast.parse(inspect.getsource(module))
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)
             for part in node.values}
    documentation = {id(node.body[0].value) for node in ast.walk(tree)
                     if isinstance(node, (ast.Module, ast.FunctionDef, ast.ClassDef))
                     and isinstance(node.body[0], ast.Expr)}
    for node in ast.walk(tree):
        if id(node) in parts | documentation or not isinstance(node, (ast.JoinedStr, ast.Constant)):
            continue
        text = "".join(_filled(module, part) for part in getattr(node, "values", [node]))
        if len(re.findall(r"[A-Za-z]+", text)) > 1 and re.match("[A-Z…a]", text):
            yield text


def _filled(module, part):
    """A piece of a text; what a constant of the module stands for is put in."""
    name = ast.unparse(part.value) if isinstance(part, ast.FormattedValue) else ""
    return str(getattr(module, name, "…") if name else part.value)


def pattern(row):
    """What a row of the table matches."""
    return re.compile(".*".join(map(re.escape, row.rstrip("…").split("…"))), re.DOTALL)


ROWS = re.findall(r"(?m)^\| `(.+?)` \|", PAGE[PAGE.index("| It says"):])
KNOWN = [text for module in (form, leaks, rehearsal) for text in messages(module)]


@pytest.mark.parametrize("row", ROWS)
def test_a_message_of_the_table_is_one_of_the_rehearsal(row):
    assert [text for text in KNOWN if pattern(row).match(text)]


def test_no_message_is_left_out():
    told = [text for text in KNOWN if text.endswith((".", "…", ": ", " "))]
    assert len(told) >= 25
    assert [text for text in told if not any(pattern(row).match(text) for row in ROWS)] == []


def test_every_generic_wrong_answer_is_named():
    kinds = [*mutants.KINDS, mutants.ARGUMENT, *mutants.MEMORIES]
    assert [kind for kind in kinds if f"`{kind}`" not in PAGE] == []
    assert len(kinds) - 1 == 16 and "sixteen" in PAGE         # one is for results of other kinds
