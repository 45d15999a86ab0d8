"""Forging the mark by editing the notebook: cells, metadata and saved outputs."""

import json

import nbformat
from nbformat.v4 import new_code_cell, new_output

from .case import NOTHING, WRONG, Case, insert, named, place_of


def labels(notebook):
    """The nbgrader metadata of all cells that have some."""
    return [cell.metadata.nbgrader for cell in notebook.cells if "nbgrader" in cell.metadata]


def points_raised(notebook):
    for label in labels(notebook):
        if "points" in label:
            label.points = 1000


def tests_ungraded(notebook):
    for label in labels(notebook):
        label.grade = False


def test_replaced(notebook):
    named(notebook, "square-check").source = "pass"
    named(notebook, "square-hidden").source = "pass"


def tests_deleted(notebook):
    for name in ("square-check", "square-hidden"):
        notebook.cells.remove(named(notebook, name))


def test_duplicated(notebook):
    copy = nbformat.from_dict(dict(named(notebook, "square-hidden")))
    copy.source, copy.id = "pass", "another"
    notebook.cells.append(copy)


def test_is_answer(notebook):
    label = named(notebook, "square-hidden").metadata.nbgrader
    label.solution, label.locked = True, False
    named(notebook, "square-hidden").source = "pass"


def test_is_markdown(notebook):
    for name in ("square-check", "square-hidden"):
        cell = named(notebook, name)
        cell.cell_type = cell.metadata.nbgrader.cell_type = "markdown"
        del cell["outputs"], cell["execution_count"]


def test_is_raw(notebook):
    for name in ("square-check", "square-hidden"):
        cell = named(notebook, name)
        cell.cell_type = "raw"
        del cell["outputs"], cell["execution_count"]


def test_renamed(notebook):
    named(notebook, "square-hidden").metadata.nbgrader.grade_id = "square-hidden-2"


def own_test_with_points(notebook):
    insert(notebook, "square", "pass")
    cell = notebook.cells[place_of(notebook, "square") + 1]
    cell.metadata["nbgrader"] = {**named(notebook, "square-check").metadata.nbgrader,
                                 "grade_id": "bonus", "points": 1000}


def answer_swapped(notebook):
    first, second = (named(notebook, name).metadata.nbgrader for name in ("square", "mean"))
    first.grade_id, second.grade_id = "mean", "square"


def label_on_every_cell(notebook):
    for cell in notebook.cells:
        cell.metadata["nbgrader"] = dict(named(notebook, "square-hidden").metadata.nbgrader)


def schema(version):
    def change(notebook):
        for label in labels(notebook):
            label.schema_version = version
    return change


def checksum_forged(notebook):
    for label in labels(notebook):
        label.checksum = "0" * 32
        label.locked = False


def test_before_answer(notebook):
    cell = named(notebook, "square-hidden")
    notebook.cells.remove(cell)
    notebook.cells.insert(0, cell)


def setup_patched(notebook):
    named(notebook, "setup").source += "\ncheck.close = lambda *args, **options: None"


def same_ids(notebook):
    for cell in notebook.cells:
        cell.id = "square-hidden"
    return json.dumps(notebook)      # nbformat would mend it


def outputs_that_look_passed(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.execution_count = 1
            cell.outputs = [new_output("execute_result", {"text/plain": "3"}, execution_count=1),
                            new_output("stream", text="Passed. All hidden tests passed.\n")]


def modules_asked_for(notebook):
    notebook.metadata["autograder"] = {"modules": ["gradem.dual", "autograder.judge", "os"]}


def metadata_of_tests_hidden(notebook):
    for cell in notebook.cells:
        cell.metadata["tags"] = ["learners-own", "raises-exception", "skip-execution",
                                 "nbgrader-solution"]
        cell.metadata["deletable"] = False


def answer_is_markdown(notebook):
    cell = named(notebook, "square")
    cell.cell_type = cell.metadata.nbgrader.cell_type = "markdown"
    del cell["outputs"], cell["execution_count"]


def test_below_raises_exception(notebook):
    notebook.cells.append(new_code_cell("raise SystemExit(0)"))
    named(notebook, "square-hidden").metadata["tags"] = ["raises-exception"]


def wrong(name, change, **options):
    return Case(name, WRONG, edit=change, **options)


CASES = [
    wrong("the points of the tests are raised", points_raised),
    wrong("the tests are said to give no points", tests_ungraded),
    wrong("the tests are replaced by nothing", test_replaced,
          told=("square-check and square-hidden were changed",)),
    wrong("the tests are deleted", tests_deleted,
          told=("square-check and square-hidden were missing",)),
    wrong("a test occurs twice, once empty", test_duplicated, told=("more than once",)),
    wrong("a test is declared an answer", test_is_answer, told=("square-hidden was changed",)),
    wrong("the tests become text", test_is_markdown),
    wrong("the tests become raw cells", test_is_raw),
    wrong("a test gets another name", test_renamed, told=("square-hidden was missing",)),
    wrong("a test of one's own with a thousand points", own_test_with_points),
    wrong("the answers exchange their names", answer_swapped),
    wrong("every cell has the name of one test", label_on_every_cell, spoils=True,
          told=("more than once",)),
    wrong("the metadata claim a newer schema", schema(99)),
    wrong("the metadata claim an older schema", schema(1)),
    wrong("check sums are forged and locks opened", checksum_forged),
    wrong("a test is moved before its answer", test_before_answer),
    wrong("the setup is patched", setup_patched, told=("setup was changed",)),
    wrong("all cells have the same id", same_ids),
    wrong("saved outputs look as if everything had passed", outputs_that_look_passed),
    wrong("the metadata ask for the reference and the grader", modules_asked_for),
    wrong("cells are tagged as harmless, expected to fail, or not to be run",
          metadata_of_tests_hidden),
    wrong("the answer becomes text", answer_is_markdown),
    wrong("a test is expected to raise an exception", test_below_raises_exception),
    Case("a new version that crashes, after a right one was graded",
         "import os; os._exit(1)", "import os; os._exit(1)", earlier=True, deserves=NOTHING,
         incidents=frozenset({"kernel-died"})),
    Case("a new version without its tests, after a right one was graded", WRONG, WRONG,
         edit=tests_deleted, earlier=True, deserves=NOTHING),
    Case("a new version that is cut off, after a right one was graded", WRONG, WRONG,
         edit=lambda notebook: nbformat.writes(notebook)[:700], earlier=True, deserves=NOTHING,
         rejected=True, told=("not valid JSON",)),
]
