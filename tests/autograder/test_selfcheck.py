"""A learner's own check: the words of the notebook, and exit codes, whatever the notebook does."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder import selfcheck
from autograder.assignment import SourceNotebook, exercises

from .assignments import exercise
from .conftest import MEAN, SQUARE, cell, submitted_notebook

ROOT = Path(__file__).resolve().parents[2]
UNANSWERED = "def square(x):\n    raise NotImplementedError()"


@pytest.fixture
def check(tmp_path, capsys):
    """Check a notebook, or a text in a file; returns exit code, what is printed, the complaint."""
    def check(notebook, released=None, seconds=20.0, name="work/p1.ipynb"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        text = notebook if isinstance(notebook, str) else nbformat.writes(notebook)
        path.write_text(text, encoding="utf-8", errors="surrogatepass")
        if released is not None:
            place = tmp_path / "release" / "work"
            place.mkdir(parents=True, exist_ok=True)
            nbformat.write(released, place / "p1.ipynb")
        code = selfcheck.run(path, seconds=seconds)
        printed = capsys.readouterr()
        return code, " ".join(printed.out.split()), printed.err
    return check


def own(code):
    """The released notebook, solved, with a cell of the learner's own behind the setup."""
    notebook = submitted_notebook()
    notebook.cells.insert(2, new_code_cell(code))
    return notebook


# ---- what the checks say ------------------------------------------------------------


def test_all_is_right(check):
    code, out, _ = check(submitted_notebook())
    assert code == 0
    assert "passed Exercise 1: the square" in out and "passed Exercise 2: the mean" in out
    assert "2 of 2 exercises pass their checks." in out
    assert "The checks cover 4 of 14 points; hidden tests decide on 6 and your instructor on 4." \
        in out
    assert "your own code, and it runs with your rights, without a sandbox" in out


def test_the_words_are_those_of_the_notebook(check):
    notebook = submitted_notebook(square="def square(x):\n    return x + x", mean=MEAN)
    code, out, _ = check(notebook)
    assert code == 1
    assert "not passed Exercise 1: the square Not yet: square(3.0) is 6, but it should be 9." in out
    assert "passed Exercise 2: the mean" in out
    cells = [*submitted_notebook().cells[:2], *exercise("square", solution=SQUARE)]
    cells[-1].source = "# Hidden tests"
    code, out, _ = check(new_notebook(cells=cells))
    assert code == 0
    assert "square: passed. This check covers 2 of 5 points. Hidden tests with other inputs " \
        "decide the other 3." in out
    assert "The checks cover 2 of 5 points; hidden tests decide on the rest." in out


@pytest.mark.parametrize("square", [UNANSWERED, "# YOUR CODE HERE\nraise NotImplementedError()"])
def test_not_answered(check, square):
    code, out, _ = check(submitted_notebook(square=square))
    assert code == 1
    assert "not answered Exercise 1: the square passed Exercise 2" in out


@pytest.mark.parametrize("square, words", [
    ("def square(x):\n    return x +", "The cell square stops with SyntaxError: invalid syntax "
     "(cell square, line 2: return x +)"),
    ("def square(x):\n    return y", "Your code raised NameError: name 'y' is not defined "
     "(cell square, line 2: return y)"),
    ("def squared(x):\n    return x * x", "square is not defined. Was its cell deleted, or"),
    ("square = len", "The test cannot use your answer (TypeError: object of type 'float' has no "
     "len()). (cell square-check, line 1"),
    ("def square(x):\n    print('\\x1b[2J' * 9)\n    raise ValueError('\\x1b[31mred\\nalert')",
     "Your code raised ValueError: [31mred alert (cell square, line 3: raise"),
])
def test_errors_have_a_cell_and_a_line(check, square, words):
    code, out, _ = check(submitted_notebook(square=square))
    assert code == 1 and "\x1b" not in out
    assert words in out and "passed Exercise 2: the mean" in out


def test_a_plain_assert_is_quoted_with_its_line(check):
    notebook = submitted_notebook(square="def square(x):\n    return 0")
    notebook.cells[4].source = "x = 3\nassert square(x) == 9"
    code, out, _ = check(notebook)
    assert code == 1
    assert "What the check asserts does not hold (cell square-check, line 2: assert square(x) == " \
        "9)" in out


# ---- cells that hang, die and flood ------------------------------------------------------


@pytest.mark.parametrize("square, words", [
    ("def square(x):\n    while True:\n        pass", "The cell square-check ran longer than 2 s "
     "and was stopped. Is there a loop that does not end?"),
    ("while True:\n    try:\n        pass\n    except BaseException:\n        pass",
     "The cell square ran longer than 2 s and was stopped."),
    ("while True:\n    print('and on ' * 100)", "The cell square ran longer than 2 s"),
    ("import os\nos._exit(1)", "The cell square ended Python: by exit(), by a crash"),
    ("import os\ndef square(x):\n    os.kill(os.getpid(), 9)", "The cell square-check ended Python"),
])
def test_the_other_exercises_are_checked_all_the_same(check, square, words):
    code, out, err = check(submitted_notebook(square=square), seconds=2.0)
    assert code == 1 and words in out and "Traceback" not in out + err
    assert "not passed Exercise 1: the square" in out and "passed Exercise 2: the mean" in out
    assert not [child for child in psutil.Process().children() if "ipykernel" in
                " ".join(child.cmdline())]


def test_a_notebook_that_ends_python_again_and_again(check):
    notebook = own("import os\nos._exit(1)")
    notebook.cells[2:2] = [new_code_cell("import os\nos._exit(1)") for _ in range(3)]
    code, out, _ = check(notebook)
    assert code == 1 and out.count("not run Exercise") == 2
    assert "Python ended too often before this exercise." in out


@pytest.mark.parametrize("code, words", [
    ("1 / 0", "In other cells: The cell number 3 stops with ZeroDivisionError: division by zero "
     "(cell number 3, line 1: 1 / 0)"),
    ("input('name?')", "In other cells: The cell number 3 stops with StdinNotImplementedError"),
])
def test_trouble_in_a_cell_of_their_own_is_told(check, code, words):
    code, out, _ = check(own(code))
    assert code == 0 and words in out


@pytest.mark.parametrize("line, name", [
    ("from gradem import derivative", "gradem.derivative"),
    ("from gradem.dual import Dual", "gradem.dual"),
    ("import gradem.tape", "gradem.tape"),
    ("import gradem as g\ng.grad", "gradem.grad"),
    ("%time\nimport gradem\nslope = gradem.derivative(abs)", "gradem.derivative"),
])
def test_a_module_of_gradem_that_is_not_there_when_graded_is_told(check, line, name):
    words = f"uses {name}: of gradem, only check and observe are there when your notebook is graded."
    code, out, _ = check(submitted_notebook(square=f"{line}\n{SQUARE}"))
    assert code == 1 and f"not passed Exercise 1: the square The cell square {words}" in out
    assert "passed Exercise 2: the mean" in out
    _, out, _ = check(own(line))
    assert f"In other cells: The cell number 3 {words}" in out


@pytest.mark.parametrize("line", [
    "from gradem import check, observe", "import gradem.check\ngradem.check.close(1.0, 1.0)",
    "import gradem\ngradem.__version__", "import numpy\nfrom math import *"])
def test_of_modules_that_are_there_nothing_is_said(check, line):
    code, out, _ = check(submitted_notebook(square=f"{line}\n{SQUARE}"))
    assert code == 0 and "uses" not in out


def test_the_metadata_say_which_modules_are_there(check):
    notebook = submitted_notebook(square=f"from gradem import dual\n{SQUARE}")
    notebook.metadata.autograder = {"modules": ["gradem.dual"]}
    assert check(notebook)[0] == 0
    notebook.metadata.autograder = "gradem.dual"
    code, out, _ = check(notebook)
    assert code == 1 and "only check and observe" in out


def test_it_runs_in_the_folder_of_the_notebook(check, tmp_path):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "numbers.txt").write_text("1 2")
    code, out, _ = check(own("open('numbers.txt').read()\n%matplotlib inline\n!true"))
    assert code == 0 and "In other cells" not in out


# ---- checks that were changed or are missing ---------------------------------------------


def test_changes_are_seen_by_nbgraders_checksum(check):
    from nbgrader.utils import compute_checksum

    notebook = submitted_notebook()
    for each in notebook.cells:
        if "nbgrader" in each.metadata:
            each.metadata.nbgrader.checksum = compute_checksum(each)
    assert check(notebook)[0] == 0
    notebook.cells[4].source += "\n# changed"
    code, out, _ = check(notebook)
    assert code == 1
    assert "check changed Exercise 1: the square The cell square-check was changed. The grader " \
        "uses the original" in out


def test_the_released_assignment_of_this_course_has_such_checksums():
    path = ROOT / "exercises/01-differences/01-differences.ipynb"
    notebook = nbformat.read(path, as_version=4)
    tests = [each for each in notebook.cells if each.metadata.get("nbgrader", {}).get("grade")]
    assert len(tests) == 10 and not any(map(selfcheck._altered, tests))
    tests[3].source += " "
    assert [selfcheck._altered(each) for each in tests].index(True) == 3


def test_changes_are_seen_beside_the_released_notebook(check):
    released = submitted_notebook(square=UNANSWERED)
    assert check(submitted_notebook(), released)[0] == 0
    notebook = submitted_notebook()
    notebook.cells[4].source = "pass"
    del notebook.cells[8]
    code, out, _ = check(notebook, released)
    assert code == 1
    assert "check changed Exercise 1: the square" in out
    assert "check missing Exercise 2: the mean The cell mean-check is missing. Copy it" in out
    assert "The checks cover 4 of 14 points" in out


@pytest.mark.parametrize("known, words", [
    (True, "The cell mean, in which the answer belongs, is missing. Copy it"),
    (False, "Above the check mean-check there is no cell for its answer."),
])
def test_a_deleted_answer_cell_is_told(check, known, words):
    notebook, released = submitted_notebook(), submitted_notebook()
    (mean,) = [cell for cell in notebook.cells
               if cell.metadata.get("nbgrader", {}).get("grade_id") == "mean"]
    notebook.cells.remove(mean)
    code, out, _ = check(notebook, released if known else None)
    assert code == 1 and words in out


def test_a_heading_above_a_check_is_no_deleted_answer(check):
    notebook = submitted_notebook()
    (place,) = [number for number, cell in enumerate(notebook.cells)
                if cell.metadata.get("nbgrader", {}).get("grade_id") == "mean-check"]
    notebook.cells.insert(place, new_markdown_cell("### The check"))
    assert "there is no cell" not in check(notebook)[1]


# ---- what cannot be checked ------------------------------------------------------------------


def test_no_such_file(capsys, tmp_path):
    assert selfcheck.run(tmp_path / "p1.ipynb") == 2
    assert capsys.readouterr().err == "autograder: There is no notebook p1.ipynb.\n"


@pytest.mark.parametrize("text, words", [
    ("{", "it is not valid JSON"), ("print(1)", "it is not valid JSON"), ("[]", "not a notebook"),
    ('{"a": 1}', "it has no cells"), ("[" * 100_000, "nested too deeply"),
    (json.dumps({"cells": [{"cell_type": "code"}], "nbformat": 4, "metadata": {}}),
     "is not a readable notebook"),
    (json.dumps({"cells": [], "nbformat": 4, "nbformat_minor": 5,
                 "metadata": {"kernelspec": {"language": "R", "name": "ir"}}}), "written in R"),
    (nbformat.writes(new_notebook(cells=[new_code_cell("1")])), "has no checks"),
])
def test_no_notebook(check, text, words):
    code, out, err = check(text)
    assert code == 2 and out == "" and err.count("\n") == 1
    assert words in err


def test_a_broken_grade_id_is_told(check):
    notebook = submitted_notebook()
    del notebook.cells[4].metadata.nbgrader["points"]
    code, _, err = check(notebook)
    assert code == 2 and "is not a readable notebook" in err


def test_text_that_is_no_text(check):
    text = nbformat.writes(own("name = 'ab'")).replace("'ab'", "'\\ud800'")
    code, out, _ = check(text)
    assert code == 0 and "2 of 2 exercises" in out


def test_what_the_checks_cover():
    def words(*cells):
        notebook = new_notebook(cells=list(cells))
        return selfcheck.coverage(SourceNotebook("a", "a", Path("a"), exercises(notebook)))
    answer = cell(SQUARE, "square", solution=True)
    visible, hidden = (cell(source, f"test-{points}", points=points) for source, points in [
        ("assert 1", 2), ("# hidden", 3)])
    essay = cell("text", "essay", "markdown", points=4, solution=True)
    assert words(answer, visible) == "The checks cover all 2 points."
    assert words(answer, visible, hidden) == "The checks cover 2 of 5 points; hidden tests decide" \
        " on the rest."
    assert words(answer, visible, essay) == "The checks cover 2 of 6 points; your instructor " \
        "decides on 4."


def test_a_learner_needs_no_grader(tmp_path):
    """Without what only the extra `grader` installs, and without what Windows does not have."""
    nbformat.write(submitted_notebook(), tmp_path / "p1.ipynb")
    program = textwrap.dedent("""
        import sys

        class Missing:
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] in ("nbgrader", "sqlalchemy", "psutil", "dask",
                                               "fcntl", "resource", "pwd", "grp", "termios"):
                    raise ModuleNotFoundError(name)

        sys.meta_path.insert(0, Missing())
        from autograder.cli import main
        sys.exit(main(["check", "p1.ipynb"]))
    """)
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True,
                          text=True, timeout=120, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0 and "2 of 2 exercises" in done.stdout
    assert done.stderr == ""
