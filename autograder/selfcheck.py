"""Check a notebook before it is handed in: what its visible checks say, on the command line.

The learner's notebook is run from top to bottom, in a process of its own, as Jupyter's
"Restart and run all" would, and each exercise is told by its check cell, in the words
that the check has in the notebook. Nothing but the notebook is needed: the checks, their
points and nbgrader's checksums of them stand in it. This is a help for learners and no
protection from their code; what counts is decided by the grader.
"""

import ast
import contextlib
import hashlib
import logging
import re
import shutil
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import nbformat.reader
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat.v4 import new_code_cell, new_markdown_cell
from tqdm import tqdm

from autograder import words
from autograder.assignment import FOR_TESTS, SourceNotebook, exercises, title
from autograder.cells import plain_python
from autograder.submission import Rejected, grade_id, is_answer, is_test, load

PASSED, LOOK, UNUSABLE = 0, 1, 2          # exit codes
SECONDS = 60.0                            # for one cell
LOSSES = 3                                # of kernels, until the rest is not run any more
OUTPUT = 5_000_000                        # characters of one cell that are kept
PRINTED = 3                               # lines of a check that passes
RELEASES = ("release", "exercises")       # folders that hold notebooks as they were released
MISSING = re.compile(r"name '(\w+)' is not defined")
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class Unusable(Exception):
    """The notebook cannot be checked; the text is one line for the learner."""


@dataclass
class Verdict:
    """What the checks say about one exercise.

    Attributes
    ----------
    title : str
    status : str
        "passed", "not passed", "not answered", "check changed", "check missing" or "not run".
    words : list of str
        What the learner is told.
    """

    title: str
    status: str
    words: list[str] = field(default_factory=list)


# ---- the notebook and what was released ---------------------------------------------


def read(path):
    """A notebook that a learner works on.

    Parameters
    ----------
    path : Path

    Returns
    -------
    nbformat.NotebookNode

    Raises
    ------
    Unusable
        If there is no such file or it is no notebook of nbformat 4.
    """
    try:
        load(path.resolve())
        text = path.read_text(encoding="utf-8-sig", errors="replace")
        notebook = nbformat.convert(nbformat.reader.reads(text), 4)
        notebook.cells = [_fresh(cell) for cell in notebook.cells]
        exercises(notebook)
    except Rejected as rejected:
        raise Unusable(str(rejected)) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError,
            nbformat.ValidationError) as error:
        said = " ".join(str(error).split())[:200]
        raise Unusable(f"{path.name} is not a readable notebook: {said}. Open it in Jupyter and "
                       "save it, or take the released file and copy your answers into it.") from None
    language = notebook.metadata.get("kernelspec", {}).get("language", "python")
    if language != "python":
        raise Unusable(f"{path.name} is written in {language}; only Python can be checked.")
    return notebook


def _fresh(cell):
    """A cell with its text and nbgrader's metadata, as if nothing had been run yet."""
    make = new_code_cell if cell.cell_type == "code" else new_markdown_cell
    metadata = cell.metadata.get("nbgrader")
    text = cell.source.encode("utf-8", "replace").decode("utf-8")
    return make(text, metadata={"nbgrader": metadata} if isinstance(metadata, dict) else {})


def find_released(path):
    """The notebook as it was released, if a folder of releases lies beside or above it.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Path or None
    """
    path = path.resolve()
    for folder in path.parents:
        for release in RELEASES:
            for name in (path.parent.name, path.stem):
                found = folder / release / name / path.name
                if found.is_file() and not found.samefile(path):
                    return found
    return None


def _altered(cell):
    """Was a cell changed since nbgrader released it? By nbgrader's own checksum, if it is there."""
    metadata = cell.metadata["nbgrader"]
    if "checksum" not in metadata or is_answer(cell):
        return False
    grade = bool(metadata.get("grade"))
    parts = [cell.source, cell.cell_type, grade, False, grade or metadata.get("locked", False),
             metadata["grade_id"], *([float(metadata["points"])] if grade else [])]
    sealed = hashlib.md5("".join(map(str, parts)).encode("utf-8", "replace")).hexdigest()
    return sealed != metadata["checksum"]


# ---- running it -------------------------------------------------------------------------


class _Client(NotebookClient):
    """nbclient's, but a cell that prints without end does not fill the memory."""

    kept = 0

    def output(self, outs, msg, display_id, cell_index):
        if not outs:
            self.kept = 0
        self.kept += len(str(msg["content"]))
        if self.kept < OUTPUT or msg["msg_type"] == "error":
            return super().output(outs, msg, display_id, cell_index)
        return None


class Runner:
    """Runs cells one after the other; a kernel that hangs or dies is replaced.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
    folder : Path
        In which it runs.
    seconds : float
        That each cell may take.
    """

    def __init__(self, notebook, folder, seconds):
        self.notebook = notebook
        self.folder = folder
        self.seconds = seconds
        self.ran = []                 # cells that a new kernel must run again
        self.losses = 0
        self.stack = contextlib.ExitStack()

    def __enter__(self):
        self._start()
        return self

    def __exit__(self, *exception):
        self.stack.close()

    def run(self, cell):
        """Run a code cell; returns '' or why its kernel was lost: "time" or "died"."""
        if self.losses > LOSSES:
            return "given up"
        lost = self._run(cell)
        if not lost:
            self.ran.append(cell)
            return ""
        self.losses += 1
        self._replace()
        return lost

    def _run(self, cell):
        try:
            self.client.execute_cell(cell, self.notebook.cells.index(cell))
        except CellTimeoutError:
            return "time"
        except (DeadKernelError, RuntimeError):      # the latter when it died between two cells
            return "died"
        return ""

    def _start(self):
        quiet = logging.getLogger("autograder.selfcheck")
        quiet.propagate, quiet.disabled = False, True
        # whole seconds: older versions of nbclient know no others
        self.client = _Client(self.notebook, timeout=round(self.seconds), allow_errors=True,
                              kernel_name="python3", shutdown_kernel="immediate", log=quiet,
                              extra_arguments=["--IPKernelApp.log_level=ERROR"],
                              resources={"metadata": {"path": str(self.folder)}})
        self.stack.enter_context(self.client.setup_kernel())

    def _replace(self):
        """Start a new kernel and run again what ran before."""
        self.stack.close()
        self._start()
        for cell in list(self.ran):
            if self.losses > LOSSES:
                return
            if self._run(cell):
                self.ran.remove(cell)
                self.losses += 1
                return self._replace()


# ---- the words -----------------------------------------------------------------------------


class Words:
    """Says what happened in cells, by their names and lines."""

    def __init__(self, notebook, seconds):
        self.notebook = notebook
        self.seconds = seconds

    def name(self, cell):
        """How learners find a cell: by its name, or by its number in the notebook."""
        return grade_id(cell) or f"number {self.notebook.cells.index(cell) + 1}"

    def lost(self, cell, why):
        """That a cell ran too long, or ended Python."""
        if why == "time":
            return (f"The cell {self.name(cell)} ran longer than {self.seconds:g} s and was "
                    "stopped. Is there a loop that does not end?")
        return (f"The cell {self.name(cell)} ended Python: by exit(), by a crash, or because the "
                "memory was full.")

    def stopped(self, cell):
        """The error that a cell ended with, and where."""
        error = error_of(cell)
        return words.stops(self.name(cell), words.error(error.ename, error.evalue),
                           self._line_in(cell, error))

    def absent(self, cell, names, present):
        """That a cell uses parts of gradem that the grader does not have."""
        there = " and ".join(sorted(module.removeprefix("gradem.") for module in present))
        return (f"The cell {self.name(cell)} uses {', '.join(names)}: of gradem, only {there} are "
                "there when your notebook is graded.")

    def failed(self, cell):
        """What a check says, as in the notebook; of another error, what and where."""
        error = error_of(cell)
        said = words.error(error.ename, error.evalue)
        traceback = _traceback(error)
        if traceback.startswith("Not yet: "):
            return traceback.partition("\n")[0]
        by, line = (self._places(error) or [(cell, 0)])[-1]
        if is_answer(by) or not grade_id(by):          # and not a helper of the instructor's
            return words.raised(said, words.place(self.name(by), by.source, line))
        where = self._line_in(cell, error)
        if error.ename == "AssertionError":
            return error.evalue or words.does_not_hold(where)
        if error.ename == "NameError" and (name := MISSING.match(error.evalue)):
            return words.not_defined(name[1])
        return words.unusable(said) + where

    def _line_in(self, cell, error):
        """The last line of a cell that stands in the traceback of an error."""
        lines = [line for where, line in self._places(error) if where is cell]
        return words.place(self.name(cell), cell.source, lines[-1]) if lines else ""

    def _places(self, error):
        """The cells and lines of the notebook through which an error went."""
        cells = {cell.get("execution_count"): cell for cell in self.notebook.cells
                 if cell.get("execution_count")}
        return [(cells[count], line) for count, line in words.places(_traceback(error))
                if count in cells]


def _traceback(error):
    return COLOURS.sub("", "\n".join(error.traceback))


def error_of(cell):
    """The error output of a cell that was run, or None."""
    return next((output for output in cell.outputs if output.output_type == "error"), None)


def printed(cell):
    """The lines that a cell printed."""
    return "".join(output.text for output in cell.outputs
                   if output.output_type == "stream" and output.name == "stdout").splitlines()


# ---- checking ----------------------------------------------------------------------------------


def verdicts(notebook, folder, seconds=SECONDS, released=None):
    """Run a notebook and look at its checks.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        The learner's; it gets outputs.
    folder : Path
        In which it runs.
    seconds : float
        That each cell may take.
    released : nbformat.NotebookNode, optional
        As it was released, to see whether checks were changed or are missing.

    Returns
    -------
    found : list of Verdict
        Of each exercise that has a check.
    troubles : list of str
        Of other cells.
    """
    tells = Words(notebook, seconds)
    cells = {grade_id(cell): cell for cell in notebook.cells if grade_id(cell)}
    originals = {grade_id(cell): cell.source.strip() for cell in (released or notebook).cells}
    lost = _run_all(notebook, folder, seconds)
    present = _present(released or notebook)
    answers, found = set(), []
    for exercise in exercises(released or notebook):
        checks = [test.name for test in exercise.tests if not test.hidden]
        if not checks:
            continue
        answers.add(exercise.name)
        verdict = Verdict(exercise.title, "passed")
        found.append(verdict)
        answer = cells.get(exercise.name)
        for name in checks:
            if name not in cells:
                verdict.status = "check missing"
                verdict.words.append(f"The cell {name} is missing. Copy it from the released "
                                     "notebook; the grader puts it back as well.")
            elif cells[name].source.strip() != originals[name] or _altered(cells[name]):
                verdict.status = "check changed"
                verdict.words.append(f"The cell {name} was changed. The grader uses the original, "
                                     "so nothing follows from this one.")
            if name in cells:
                _judge(verdict, cells[name], lost, tells)
        _explain(verdict, answer, lost, tells)
        if answer is not None and (absent := _absent(answer, present)):
            verdict.status = "not passed" if verdict.status == "passed" else verdict.status
            verdict.words.insert(0, tells.absent(answer, absent, present))
        if answer is None:
            verdict.words.insert(0, f"The cell {exercise.name}, in which the answer belongs, is "
                                    "missing. Copy it from the released notebook.")
        elif stray := _stray(notebook, exercise, checks):
            verdict.words.append(f"Above the check {stray} there is no cell for its answer. If it "
                                 "was deleted, copy it from the released notebook.")
    others = [cell for cell in notebook.cells
              if not is_test(cell) and grade_id(cell) not in answers]
    troubles = [said for cell in others if (said := _trouble(cell, lost, tells))]
    return found, troubles + [tells.absent(cell, absent, present) for cell in others
                              if not grade_id(cell) and (absent := _absent(cell, present))]


def _present(notebook):
    """The modules of gradem that will be there when a notebook is graded."""
    named = notebook.metadata.get("autograder")
    return {*FOR_TESTS, *(named.get("modules", ()) if isinstance(named, dict) else ())}


def _absent(cell, present):
    """The parts of gradem that a cell names and that will not be there when it is graded."""
    if cell.cell_type != "code":
        return []
    names = {"gradem"}
    found = set()
    with contextlib.suppress(SyntaxError, ValueError, RecursionError):
        for node in ast.walk(ast.parse(plain_python(cell.source))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
                names |= {alias.asname for alias in node.names if alias.name == "gradem"}
            elif isinstance(node, ast.ImportFrom) and node.module == "gradem":
                found |= {f"gradem.{alias.name}" for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(node.module or "")
            elif isinstance(node, ast.Attribute) and ast.unparse(node.value) in names:
                found.add(f"gradem.{node.attr}")
    return sorted(name for name in found if re.match(r"gradem\.(?!__)", name)
                  and ".".join(name.split(".")[:2]) not in present)


def _stray(notebook, exercise, checks):
    """The first check that lacks a name, below another heading than the answer before it; or None.

    Where the released notebook is not known, a deleted answer cell leaves this behind.
    """
    between = False
    for cell in notebook.cells:
        if grade_id(cell) == exercise.name:
            between = False
        elif cell.cell_type == "markdown" and not grade_id(cell):
            between = between or cell.source.startswith("#")
        elif grade_id(cell) in checks and between:
            error = error_of(cell)
            if error is not None and error.ename == "NameError":
                return grade_id(cell)
    return None


def _run_all(notebook, folder, seconds):
    """Run all code cells; returns for each that lost its kernel the reason, by its place."""
    lost = {}
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    with Runner(notebook, folder, seconds) as runner:
        for cell in tqdm(code, unit="cell", disable=None, leave=False):
            why = runner.run(cell)
            if why:
                lost[id(cell)] = why
                cell.execution_count = None
    return lost


def _judge(verdict, check, lost, tells):
    """Take the outcome of a check cell into the verdict on its exercise."""
    why, error = lost.get(id(check)), error_of(check)
    if why == "given up":
        verdict.status = "not run"
        verdict.words.append("Python ended too often before this exercise.")
    elif why:
        verdict.status = "not passed"
        verdict.words.append(tells.lost(check, why))
    elif error is not None and error.ename == "NotImplementedError":
        verdict.status = "not answered"
    elif error is not None:
        verdict.status = "not passed"
        verdict.words.append(tells.failed(check))
    elif verdict.status == "passed":
        verdict.words += printed(check)[:PRINTED]


def _explain(verdict, answer, lost, tells):
    """Add what the answer cell itself ran into, where the check did not pass."""
    if verdict.status == "passed" or answer is None or answer.cell_type != "code":
        return
    error, trouble = error_of(answer), _trouble(answer, lost, tells)
    if error is not None and error.ename == "NotImplementedError":
        verdict.status, verdict.words = "not answered", []
    elif trouble:
        # that a name is missing then only follows
        verdict.words = [trouble, *(said for said in verdict.words if "is not defined" not in said)]


def _trouble(cell, lost, tells):
    """What went wrong in a cell that is no check, in words; '' if nothing did."""
    if cell.cell_type != "code":
        return ""
    why = lost.get(id(cell))
    if why:
        return "" if why == "given up" else tells.lost(cell, why)
    return tells.stopped(cell) if error_of(cell) is not None else ""


def coverage(notebook):
    """How many of the graded points the visible checks cover, and who decides on the rest.

    Parameters
    ----------
    notebook : SourceNotebook

    Returns
    -------
    str
    """
    tests = [test for exercise in notebook.exercises for test in exercise.tests]
    covered = sum(test.points for test in tests if not test.hidden)
    hidden = sum(test.points for test in tests if test.hidden)
    by_hand = sum(exercise.by_hand for exercise in notebook.exercises)
    if not hidden and not by_hand:
        return f"The checks cover all {covered:g} points."
    deciding = [f"hidden tests decide on {hidden:g}"] if hidden else []
    deciding += [f"your instructor on {by_hand:g}" if hidden else
                 f"your instructor decides on {by_hand:g}"] if by_hand else []
    rest = "hidden tests decide on the rest" if not by_hand else " and ".join(deciding)
    return f"The checks cover {covered:g} of {notebook.points:g} points; {rest}."


# ---- the command ----------------------------------------------------------------------------


def run(notebook, *, released=None, seconds=SECONDS):
    """Check a notebook and print what the checks say.

    Parameters
    ----------
    notebook : path
    released : path, optional
        The notebook as it was released (default: looked for in the folders around).
    seconds : float
        That each cell may take.

    Returns
    -------
    int
        Exit code: 0 if all checks passed, 1 if not, 2 if the notebook cannot be checked.
    """
    path = Path(notebook)
    try:
        learners = read(path)
        original = Path(released) if released else find_released(path)
        original = read(original) if original else None
        reference = original or learners
        source = SourceNotebook(path.stem, title(reference) or path.stem, path,
                                exercises(reference))
        if not any(not test.hidden for exercise in source.exercises for test in exercise.tests):
            raise Unusable(f"{path.name} has no checks. Is it the notebook that was released?")
    except Unusable as problem:
        print(f"autograder: {problem}", file=sys.stderr)
        return UNUSABLE
    print(f"{path.name}: all cells are run from top to bottom, as in Jupyter. It is your own code, "
          "and it runs with your rights, without a sandbox.\n", flush=True)
    found, troubles = verdicts(learners, path.resolve().parent, seconds, original)
    print(told(found, troubles))
    print(coverage(source))
    return PASSED if all(verdict.status == "passed" for verdict in found) else LOOK


def told(found, troubles):
    """The verdicts as text for a terminal."""
    width = min(shutil.get_terminal_size().columns, 100)
    column = max(len(verdict.status) for verdict in found) + 2
    lines = []
    for verdict in found:
        lines.append(f"{verdict.status:{column}}{_printable(verdict.title)}")
        lines += [textwrap.fill(_printable(said), width, initial_indent=" " * column,
                                subsequent_indent=" " * column) for said in verdict.words]
    lines += ["", "In other cells:", *(textwrap.fill(_printable(said), width, initial_indent="  ",
                                                     subsequent_indent="  ")
                                       for said in troubles)] if troubles else []
    passed = sum(verdict.status == "passed" for verdict in found)
    return "\n".join([*lines, "", f"{passed} of {len(found)} exercises pass their checks."])


def _printable(text):
    """Text in one line that cannot move the cursor."""
    return "".join(letter if letter.isprintable() else " " for letter in text)[:2000]
