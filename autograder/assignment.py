"""What an assignment asks: its notebooks, their exercises, and the points of each.

An assignment is a folder of notebooks. An exercise is an answer cell with the test cells
behind it, up to the next answer cell; its title is the heading above it. The marks that
a human gives, for text answers and nbgrader's task cells, are counted apart.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.submission import grade_id, is_answer, is_test, visible

#: Of gradem, what every test may use.
FOR_TESTS = ("gradem.check", "gradem.observe")


@dataclass(frozen=True)
class Test:
    """A test cell: its name and points, and whether learners see nothing of what it asks."""

    name: str
    points: float
    hidden: bool


@dataclass(frozen=True)
class Exercise:
    """An answer cell and what is marked with it.

    Attributes
    ----------
    name : str
        Name (grade_id) of the answer cell.
    title : str
        The heading above it, or its name.
    tests : tuple of Test
        Its test cells, in order.
    by_hand : float
        Points that a human gives for the answer cell itself.
    """

    name: str
    title: str
    tests: tuple[Test, ...] = ()
    by_hand: float = 0.0

    @property
    def tested(self):
        """Points of the test cells."""
        return sum(test.points for test in self.tests)

    @property
    def points(self):
        """All points of the exercise."""
        return self.tested + self.by_hand


@dataclass(frozen=True)
class SourceNotebook:
    """An instructor's notebook.

    Attributes
    ----------
    name, title : str
        The name of the file without its ending, and the first heading in it.
    path : Path
    exercises : tuple of Exercise
    files : tuple of Path
        Data files that are released beside it.
    """

    name: str
    title: str
    path: Path
    exercises: tuple[Exercise, ...]
    files: tuple[Path, ...] = ()

    @property
    def points(self):
        """All points of the notebook."""
        return sum(exercise.points for exercise in self.exercises)


@dataclass(frozen=True)
class Assignment:
    """An assignment: its name and its notebooks in the order of their names."""

    name: str
    notebooks: tuple[SourceNotebook, ...]

    @property
    def points(self):
        """All points of the assignment."""
        return sum(notebook.points for notebook in self.notebooks)


def title(notebook):
    """The first heading of a notebook, or '' if it has none."""
    return next((found[0] for cell in notebook.cells if (found := _headings(cell))), "")


def exercises(notebook):
    """The exercises of an instructor's notebook, in order.

    Parameters
    ----------
    notebook : nbformat.NotebookNode

    Returns
    -------
    tuple of Exercise
        Tests before the first answer cell make an exercise of their own.
    """
    found, heading = [], None
    for cell in notebook.cells:
        heading = (_headings(cell) or [heading])[-1]
        name, metadata = grade_id(cell), cell.metadata.get("nbgrader", {})
        if not name:
            continue
        points = _points(metadata)
        if is_answer(cell) or metadata.get("task"):
            found.append(Exercise(name, heading or name, by_hand=points))
        elif is_test(cell):
            if not found:
                found.append(Exercise(name, heading or name))
            test = Test(name, points, hidden=not _code(visible(cell.source)))
            found[-1] = replace(found[-1], tests=(*found[-1].tests, test))
    return tuple(found)


def _headings(cell):
    """Headings in a text of the author's; in an answer they would be the solution's."""
    if cell.cell_type != "markdown" or is_answer(cell):
        return []
    return re.findall(r"^#{1,6}\s+(.+?)\s*#*\s*$", visible(cell.source), re.MULTILINE)


def _points(metadata):
    return float(metadata["points"]) if metadata.get("grade") or metadata.get("task") else 0.0


def _code(source):
    """The lines of a cell that are neither empty nor comments."""
    return [line for line in source.splitlines() if line.strip() and not line.startswith("#")]
