"""What is known about one submission after it was marked.

A report is plain data: it is written as JSON by the process that marked the
submission and read by the one that keeps the gradebook, so nothing that a learner
made crosses as a live object.
"""

import json
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True)
class HandMark:
    """What a human entered for a cell: points (None if there are none), a comment, extra credit."""

    points: float | None
    comment: str
    extra: float = 0.0


@dataclass
class CellMark:
    """The mark of one test cell.

    Attributes
    ----------
    grade_id : str
        Name of the test cell.
    exercise : str
        Name of the answer cell that the test belongs to.
    points, max_points : float
        Points earned, and points there are.
    passed : bool
    message : str
        What the learner is told; it never quotes the source of a test.
    """

    grade_id: str
    exercise: str
    points: float
    max_points: float
    passed: bool
    message: str = ""


@dataclass
class Incident:
    """Something the instructor should look at: what happened, where, and the evidence.

    Attributes
    ----------
    kind : str
        "timeout", "kernel-died", "output-limit", "protocol", "too-many-deaths" or
        "total-time".
    cell : str
        Name of the cell in which it happened.
    detail : str
        Evidence in words.
    """

    kind: str
    cell: str
    detail: str = ""


@dataclass
class Output:
    """One piece of what a cell of the learner's put out; text that nobody has looked at yet.

    Attributes
    ----------
    kind : str
        "stdout", "stderr", "error" (the traceback, without colours), or a MIME type:
        "text/plain", "text/html", "text/markdown", "text/latex", "image/svg+xml",
        "image/png" and "image/jpeg" (in base64).
    data : str
    """

    kind: str
    data: str


@dataclass
class LearnerCell:
    """A cell that the learner wrote: an answer, or one of his or her own.

    Attributes
    ----------
    name : str
        Name (grade_id) of an answer cell, '' for a cell of the learner's own.
    kind : str
        "code", "markdown" or "raw".
    source : str
    outputs : list of Output
    """

    name: str
    kind: str
    source: str
    outputs: list[Output] = field(default_factory=list)


@dataclass
class Report:
    """The outcome of marking one submission.

    Attributes
    ----------
    status : str
        "graded"; "rejected" when what was handed in is no readable notebook; "failed"
        when marking broke off. The last two carry a `reason` and no points.
    seed : int
        Seed of the inputs that hidden tests drew; marking again with it repeats them.
    sandbox : str
        "bubblewrap", or "none" if the learner's code ran unprotected.
    cells : list of CellMark
    notes : list of str
        What was mended in the notebook, in words for learner and instructor.
    incidents : list of Incident
        For the instructor; an incident alone never costs points.
    notebook : list of LearnerCell
        What the learner wrote, in order, with its outputs.
    seconds : float
        How long marking took.
    """

    status: str
    seed: int
    sandbox: str
    reason: str = ""
    cells: list[CellMark] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    incidents: list[Incident] = field(default_factory=list)
    notebook: list[LearnerCell] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def points(self):
        """Points earned in all test cells."""
        return sum(cell.points for cell in self.cells)

    @property
    def max_points(self):
        """Points there are in all test cells."""
        return sum(cell.max_points for cell in self.cells)

    @property
    def answers(self):
        """The learner's text, by the name of the answer cell."""
        return {cell.name: cell.source for cell in self.notebook if cell.name}

    def to_json(self):
        """The report as JSON text."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text):
        """The report from the text that `to_json` made."""
        data = json.loads(text)
        data["cells"] = [CellMark(**cell) for cell in data["cells"]]
        data["incidents"] = [Incident(**incident) for incident in data["incidents"]]
        for cell in data["notebook"]:
            cell["outputs"] = [Output(**output) for output in cell["outputs"]]
        data["notebook"] = [LearnerCell(**cell) for cell in data["notebook"]]
        return cls(**data)
