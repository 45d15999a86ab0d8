"""The guide for learners quotes what the check of the first exercise really says."""

import re
import subprocess
import sys

import nbformat
import pytest

import nb

GUIDE = (nb.ROOT / "book" / "learning.md").read_text()
ANSWER, = re.findall(r"```\{code-block\} python\n(.*?)```", GUIDE, re.DOTALL)
WORDS, LISTED = re.findall(r"```\{code-block\} text\n(.*?)```", GUIDE, re.DOTALL)


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What `autograder check` prints of the notebook with the guide's answer in it."""
    folder = tmp_path_factory.mktemp("learner")
    path = nb.ROOT / "exercises" / "01-differences" / "01-differences.ipynb"
    notebook = nbformat.read(path, as_version=4)
    cell, = (cell for cell in notebook.cells
             if cell.metadata.get("nbgrader", {}).get("grade_id") == "differences")
    cell.source = ANSWER
    nbformat.write(notebook, folder / "01-differences.ipynb")
    done = subprocess.run([sys.executable, "-m", "autograder", "check", "01-differences.ipynb"],
                          cwd=folder, capture_output=True, text=True, timeout=120)
    return done.stdout


def test_the_list_is_what_the_command_prints(said):
    assert LISTED in said


def test_the_words_are_those_of_the_check(said):
    assert WORDS.split() == re.search(r"Not yet:.*?brackets\.", said, re.DOTALL).group().split()
