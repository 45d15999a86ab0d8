"""exercises/ is what nbgrader makes of solutions/, without any of their answers."""

import ast
import re
import shutil

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

import nb
import release
from autograder.assignment import FOR_TESTS

ASSIGNMENTS = sorted((nb.ROOT / "solutions").glob("*/*.ipynb"))
EXERCISES = nb.ROOT / "exercises"


def test_the_committed_exercises_are_what_the_solutions_give(tmp_path):
    released = release.generate(nb.ROOT, tmp_path)
    assert list(release.differences(release.files(released), release.files(EXERCISES))) == []


def test_a_solution_that_nbgrader_refuses_is_named_with_the_reason(tmp_path):
    folder = tmp_path / "root" / "solutions" / "07-topic"
    folder.mkdir(parents=True)
    shutil.copy(nb.ROOT / release.CONFIGURATION, tmp_path / "root")
    metadata = {"grade_id": "newton", "grade": False, "solution": True, "locked": False,
                "task": False, "schema_version": 3, "cell_type": "code"}
    cell = new_code_cell("### BEGIN SOLUTION\nx = 1", metadata={"nbgrader": metadata})
    nb.write(new_notebook(cells=[cell]), folder / "07-topic.ipynb")
    with pytest.raises(nb.Problem, match="solutions/07-topic: .*no end solution"):
        release.generate(tmp_path / "root", tmp_path / "course")


def test_a_difference_is_named():
    lines = list(release.differences({"a": b"1", "b": b"2"}, {"b": b"3", "c": b"4"}))
    assert lines == ["exercises/a is missing", "exercises/b is not what its solution gives",
                     "exercises/c comes from no solution"]


@pytest.mark.parametrize("source", ASSIGNMENTS, ids=lambda path: path.stem)
def test_learners_get_the_notebook_and_not_the_answers(source):
    folder = EXERCISES / source.stem
    assert source.parent.name == source.stem
    assert (source.parent / "answers.toml").is_file() and not list(folder.rglob("answers*"))
    released = nb.read(folder / source.name)
    assert [cell.id for cell in released.cells] == [cell.id for cell in nb.read(source).cells]
    assert released.metadata == nb.read(source).metadata
    assert not any(cell.get("outputs") for cell in released.cells)
    solutions = [cell for cell in released.cells
                 if cell.metadata.get("nbgrader", {}).get("solution")]
    assert solutions and all("raise NotImplementedError" in cell.source for cell in solutions)


@pytest.mark.parametrize("path", sorted(nb.ROOT.glob("exercises/*/*.ipynb")), ids=lambda p: p.stem)
def test_an_assignment_links_the_chapters_that_link_it(path):
    first = nbformat.read(path, as_version=4).cells[0].source
    chapters = [(path.parent / link).resolve() for link in re.findall(r"\]\(([^)]*)\)", first)]
    assert chapters
    for chapter in chapters:
        text = "\n".join(cell.source for cell in nbformat.read(chapter, as_version=4).cells)
        assert path.name in text


@pytest.mark.parametrize("path", sorted(nb.ROOT.glob("exercises/*/*.ipynb")), ids=lambda p: p.stem)
def test_an_assignment_says_which_modules_of_gradem_are_there_when_it_is_graded(path):
    notebook = nbformat.read(path, as_version=4)
    setup = next(cell.source for cell in notebook.cells if cell.cell_type == "code")
    used = [alias.name for node in ast.walk(ast.parse(setup))
            if isinstance(node, ast.ImportFrom) and node.module == "gradem" for alias in node.names]
    there = {*FOR_TESTS, *notebook.metadata["autograder"]["modules"]}
    assert used and {f"gradem.{name}" for name in used} <= there
    said = " and ".join(f"`{name}`" for name in used) + (" is" if len(used) == 1 else " are")
    assert f"of gradem, only {said} there when your notebook is graded" in notebook.cells[0].source
