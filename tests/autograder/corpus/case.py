"""What a case of the corpus is: a submission, and what becomes of it if all goes well.

All cases answer the small course of conftest.py. Its first exercise asks for `square`, its
second for `mean_abs`; each gives 2 points by a check that learners see and 3 by hidden
tests. A case misbehaves in the cell of `square`, unless it says otherwise; the second
answer is right, so that one sees whether one cell's misdeeds cost the other cell's points.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import nbformat
from nbformat.v4 import new_code_cell

from ..conftest import ESSAY, MEAN, SQUARE, submitted_notebook

WRONG = "\ndef square(x):\n    return -1.0\n"
RIGHT = f"\n{SQUARE}\n"

NOTHING, FIRST, SECOND, ALL = (0, 0), (5, 0), (0, 5), (5, 5)


@dataclass(frozen=True)
class Case:
    """A submission and its deserts.

    Attributes
    ----------
    name : str
        What is tried, in words.
    square, mean, essay : str
        Text of the three answer cells.
    edit : callable, optional
        Changes the notebook before it is handed in. It may return another notebook, text
        or bytes, which are handed in instead.
    place : callable, optional
        Makes whatever lies at the path of the notebook, instead of writing it.
    beside : dict of str to bytes
        Files that are handed in beside the notebook.
    earlier : bool
        Whether the same learner has handed in a right notebook before, and it was graded.
    deserves : (float, float)
        The points of the two exercises.
    spoils : bool
        Whether it destroys its own right answers: then less is in order, more is not.
    incidents : set of str
        Kinds of incident of which the instructor must be told at least one.
    may : set of str
        Other kinds that may occur, because they depend on the load of the machine. No
        kind that is in neither set may occur.
    told : tuple of str
        Words that must stand in the notes, or in the reason of a rejection.
    rejected : bool
        Whether it is to be refused as no notebook.
    oversized : bool
        Whether its answers are right, and it is refused for its size alone: a grader without
        that limit does nothing wrong.
    seconds : float
        Wall time that marking may take at most, on a machine that has other things to do.
    waits : bool
        Whether it is over only when a limit on time is reached.
    unfit : str
        Why it is not tried with stock nbgrader, if it is not.
    """

    name: str
    square: str = SQUARE
    mean: str = MEAN
    essay: str = ESSAY
    edit: Callable | None = None
    place: Callable | None = None
    beside: dict = field(default_factory=dict)
    earlier: bool = False
    deserves: tuple = SECOND
    spoils: bool = False
    incidents: frozenset = frozenset()
    may: frozenset = frozenset()
    told: tuple = ()
    rejected: bool = False
    oversized: bool = False
    seconds: float = 30.0
    waits: bool = False
    unfit: str = ""

    def hand_in(self, folder):
        """Hand in: write the notebook p1.ipynb and what is beside it into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "p1.ipynb"
        if self.place:
            self.place(path)
        else:
            path.write_bytes(self.content())
        for name, content in self.beside.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        return path

    def content(self):
        """The bytes of the notebook."""
        content = submitted_notebook(self.square, self.mean, self.essay)
        if self.edit:
            content = self.edit(content) or content
        if isinstance(content, dict):
            content = nbformat.writes(content)
        return content if isinstance(content, bytes) else content.encode()


def kinds(*names):
    """Kinds of incident."""
    return frozenset(names)


# ---- edits --------------------------------------------------------------------


def named(notebook, name):
    """The cell with this grade_id."""
    return next(cell for cell in notebook.cells
                if cell.metadata.get("nbgrader", {}).get("grade_id") == name)


def place_of(notebook, name):
    """Where the cell with this grade_id stands."""
    return notebook.cells.index(named(notebook, name))


def insert(notebook, after, *texts):
    """Put code cells of the learner's own behind the cell with this grade_id."""
    place = place_of(notebook, after) + 1
    notebook.cells[place:place] = [new_code_cell(text) for text in texts]


def with_cells(after, *texts):
    """An edit that adds code cells behind the cell with this grade_id."""
    return lambda notebook: insert(notebook, after, *texts)
