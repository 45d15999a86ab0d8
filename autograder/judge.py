"""The judge: runs the instructor's test cells, and never runs learner code.

A test cell is executed here, in a trusted process, with globals in which the names
that the answer cells define stand for objects in the sandbox. What such an object
returns crosses the bridge as typed plain data, or stays there and is a `Handle` here.
"""

import contextlib
import io
import random
import traceback

import numpy as np

from autograder.cells import (
    classes_defined, mentions, names_bound, names_read, plain_python, reached,
)
from autograder.submission import is_answer, is_test
from gradem import check, observe

MODULE = "__judge__"          # where the instructor's cells believe to be


class Judge:
    """The instructor's side of one notebook: its globals, its tests, its random inputs.

    Parameters
    ----------
    source : nbformat.NotebookNode
        The instructor's notebook.
    seed : int
        Seed of the inputs drawn in test cells: of `gradem.check.rng`, of `random` and of
        ``np.random``. Each test cell begins with it anew.
    folder : path, optional
        Where the instructor's cells run: with the data files beside the notebook.
    """

    def __init__(self, source, seed, folder="."):
        code = [cell for cell in source.cells if cell.cell_type == "code"]
        solutions = [plain_python(cell.source) for cell in code if is_answer(cell)]
        self.defines = {cell.metadata.nbgrader.grade_id: names_bound(plain_python(cell.source))
                        for cell in code if is_answer(cell)}
        self.answers = set().union(*self.defines.values())
        self.classes = set().union(*map(classes_defined, solutions))
        self.tests = {cell.metadata.nbgrader.grade_id: cell for cell in code if is_test(cell)}
        self.seed = seed
        self.folder = folder
        self.shared = {}
        self.texts = []               # of the cells that ran, for tests that read an answer
        self.looks_up = {}            # of the instructor's names: those that their texts mention
        self.globals = {"__name__": MODULE}

    def run_instructors_cell(self, source):
        """Run a cell of the instructor's that is no test here as well; the sandbox did, too.

        It may show what the learner's answers do, a plot of a function say. There are no
        answers here, so such a cell ends early, and tests cannot use what it makes.
        """
        source = plain_python(source)
        before = dict(self.globals)
        self.looks_up |= mentions(source)
        with contextlib.suppress(NameError):
            self._execute(source, "a cell of the instructor's")
        for name, value in self.globals.items():
            own = getattr(value, "__module__", None) == MODULE
            if own and before.get(name) is not value and name not in self.answers:
                self.shared[name] = value

    def run_test(self, grade_id, channel):
        """Run a test cell; it raises what the test raises or passed over, and Interruption.

        Parameters
        ----------
        grade_id : str
        channel : Channel
        """
        source = plain_python(self.tests[grade_id].source)
        for name in self.answers:
            self.globals.pop(name, None)
        self.looks_up |= mentions(source)
        for name in self.answers & reached(names_read(source), self.looks_up):
            with contextlib.suppress(NameError):
                self.globals[name] = channel.get(name)
        random.seed(self.seed)
        np.random.seed(self.seed % 2**32)
        check.use_seed(self.seed)
        observe.use_cells(self.texts)
        try:
            self._execute(source, f"the test {grade_id}")
        finally:
            for name in self.answers:
                self.globals.pop(name, None)
        if channel.interruption or channel.failure:
            raise channel.interruption or channel.failure

    def line_of(self, error, grade_id):
        """The number of the line of a test cell in which an exception arose, or 0."""
        file = _file(f"the test {grade_id}")
        numbers = [line for frame, line in traceback.walk_tb(error.__traceback__)
                   if frame.f_code.co_filename == file]
        return numbers[-1] if numbers else 0

    def _execute(self, source, name):
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()), \
                contextlib.chdir(self.folder):
            exec(compile(source, _file(name), "exec"), self.globals)


def _file(name):
    """How tracebacks call a cell."""
    return f"<{name}>"
