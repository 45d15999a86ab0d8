"""The page that a learner gets back: points, words, and his or her own notebook.

First comes what was reached and what to look at, then the notebook as the learner wrote
it, each exercise beside its points, the words of its tests and what a human wrote.
Nothing of a test is on it but the words that the test said, and nothing of a solution.

Whatever a learner could have chosen, names and the words of a failed check among it, is
hostile: it is written as escaped text, or goes through `markdown` and `outputs`, which
let through only what is known to be harmless. The page runs no script and loads
nothing, and a content policy in it tells the browser to refuse both. It is one file,
needs no network, follows the light or dark setting of its reader, fits a phone and a
sheet of paper, and stays below two megabytes.
"""

import base64
import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path

import jinja2
from markupsafe import Markup, escape

from autograder import markdown, outputs, sanitise
from autograder.job import write_whole
from autograder.report import HandMark

MAX_SOURCE = 50_000              # characters of a cell that are shown
MAX_NOTES = 50

# What may be said of a cell that had to be stopped; other incidents are the instructor's.
STOPPED = {"timeout", "output-limit", "kernel-died"}


class Page:
    """A kind of page: a template with a style sheet and the policy that allows only this.

    Parameters
    ----------
    template : str
        Name of the file beside this module.
    *styles : str
        Names of the style sheets.
    """

    def __init__(self, template, *styles):
        folder = Path(__file__).parent
        self.style = Markup("".join((folder / name).read_text(encoding="utf-8")
                                    for name in styles))
        # one style sheet counts, recognised by its hash; pictures are part of the page
        digest = base64.b64encode(hashlib.sha256(self.style.encode()).digest()).decode()
        self.policy = ("default-src 'none'; base-uri 'none'; form-action 'none'; "
                       f"img-src data:; style-src 'sha256-{digest}'")
        environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined,
                                         trim_blocks=True, lstrip_blocks=True,
                                         loader=jinja2.FileSystemLoader(folder))
        environment.filters.update(points="{:g}".format, name=sanitise.name,
                                   visible=sanitise.visible)
        self.template = environment.get_template(template)

    def render(self, **known):
        """The page as HTML that can be written in UTF-8."""
        html = self.template.render(policy=self.policy, style=self.style, **known)
        return html.encode("utf-8", "replace").decode("utf-8")


_page = Page("feedback.html", "feedback.css")


@dataclass
class Block:
    """A cell as the page shows it: `kind` is "code" or "text", `body` its markup."""

    kind: str
    title: str
    body: Markup | None = None
    remark: str = ""
    pieces: list = field(default_factory=list)


@dataclass
class Row:
    """An exercise as the page shows it."""

    number: int
    name: str
    title: str
    points: float
    max_points: float
    tests: list                  # of (label, CellMark)
    hand: HandMark | None
    given: dict                  # points that a human gave, by the names of cells
    extra: float                 # credit besides
    by_hand: float               # of max_points, those that a human gives
    waiting: bool                # for these
    graded: bool = True
    trouble: str = ""            # why the learner's cell did not run to its end
    blocks: list = field(default_factory=list)

    @property
    def anchor(self):
        """Where the exercise stands on the page, whatever its name is."""
        return f"exercise-{self.number}"

    @property
    def message(self):
        """The first thing to look at."""
        if not self.graded:
            return "Not graded."
        failed = [mark.message or "A test failed." for _, mark in self.tests if not mark.passed]
        if failed:
            return f"{self.trouble} {failed[0]}".strip()
        if self.waiting:
            return "Not marked yet."
        if self.given:
            return "Marked by your instructor."
        if self.tests:
            return "All right."
        return "Marked by your instructor." if self.hand else ""

    @property
    def full(self):
        """Are all points reached?"""
        return self.points >= self.max_points

    @property
    def known(self):
        """Points that could have been reached in what is marked so far."""
        return self.max_points - self.by_hand * self.waiting

    @property
    def state(self):
        """The class of its points on the page: "full", "open", or "waiting" for a human."""
        if self.points < self.known:
            return "open"
        return "waiting" if self.waiting else "full"


def write(course, assignment, result, by_hand, penalties):
    """Write the pages of one submission, with what the gradebook says besides.

    Parameters
    ----------
    course : Course
    assignment : Assignment
    result : Result
    by_hand : dict of (str, str) to HandMark
        What a human entered.
    penalties : dict of str to float
        What lateness costs, by the names of notebooks.

    Returns
    -------
    list of Path
        One page for each notebook.
    """
    folder = course.folder("feedback", result.student, assignment.name)
    folder.mkdir(parents=True, exist_ok=True)
    pages = []
    for source in assignment.notebooks:
        path = folder / f"{source.name}.html"
        hand = {name: mark for (notebook, name), mark in by_hand.items() if notebook == source.name}
        report = result.reports[source.name]
        if any(incident.kind == "feedback" for incident in report.incidents):
            report = replace(report, notebook=[])        # it held up its reader once
        write_whole(path, page(source, result.student, report, hand,
                               penalties.get(source.name, 0.0)))
        pages.append(path)
    return pages


def page(source, student, report, by_hand=None, penalty=0.0):
    """The page for one notebook of a submission.

    Parameters
    ----------
    source : SourceNotebook
    student : str
    report : Report
    by_hand : dict of str to HandMark, optional
        What a human entered, by the name of the cell.
    penalty : float
        Points that lateness costs.

    Returns
    -------
    str
        HTML.
    """
    rows = rows_of(source, report, by_hand or {})
    before = _fill(rows, report.notebook)
    notes = _stopped(source, report) + report.notes
    rest = len(notes) - MAX_NOTES
    return _page.render(
        source=source, student=student, report=report, rows=rows, before=before,
        notes=notes[:MAX_NOTES] + ([f"There are {rest} more notes."] if rest > 0 else []),
        points=sum(row.points for row in rows), max_points=source.points, penalty=penalty,
        look=[row for row in rows if any(not mark.passed for _, mark in row.tests)],
        waiting=sum(row.by_hand for row in rows if row.waiting),
        hidden=any(test.hidden for exercise in source.exercises for test in exercise.tests))


def rows_of(source, report, by_hand):
    """The exercises with what was reached in them; what a human entered counts.

    Parameters
    ----------
    source : SourceNotebook
    report : Report
    by_hand : dict of str to HandMark

    Returns
    -------
    list of Row
        Without the learner's cells.
    """
    return [_row(number, exercise, report, by_hand)
            for number, exercise in enumerate(source.exercises, 1)]


def _row(number, exercise, report, by_hand):
    marks = {mark.grade_id: mark for mark in report.cells}
    tests = [("Hidden tests" if test.hidden else "Check", marks[test.name])
             for test in exercise.tests]
    names = [exercise.name, *(test.name for test in exercise.tests)]
    given = {name: by_hand[name].points for name in names
             if name in by_hand and by_hand[name].points is not None}
    extra = sum(by_hand[name].extra for name in names if name in by_hand)
    points = extra + sum(given.values()) + sum(mark.points for _, mark in tests
                                               if mark.grade_id not in given)
    answered = bool(report.answers.get(exercise.name, "").strip())
    waiting = exercise.by_hand > 0 and exercise.name not in given and answered
    graded = report.status == "graded"
    return Row(number, exercise.name, exercise.title, points, exercise.points,
               tests if graded else [], by_hand.get(exercise.name), given, extra, exercise.by_hand,
               waiting, graded, _trouble(exercise, report))


def _trouble(exercise, report):
    """Why the answer did not run to its end: it was stopped, or an error ended it."""
    stopped = [f"Your cell {incident.detail}." for incident in report.incidents
               if incident.kind in STOPPED and incident.cell == exercise.name]
    errors = [sanitise.text(output.data).strip().rpartition("\n")[2].strip()
              for cell in report.notebook if cell.name == exercise.name
              for output in cell.outputs if output.kind == "error"]
    ended = [f"Your cell stops with {sanitise.name(error)}." for error in errors
             # that is how an exercise is released
             if error and not error.startswith("NotImplementedError")]
    return (stopped or ended or [""])[0]


def _fill(rows, notebook):
    """Put the learner's cells into the exercises; returns those before the first one."""
    by_name = {row.name: row for row in rows}
    cells = [cell for cell in notebook if cell.source.strip() or cell.outputs]
    room, before, own = outputs.Room(), [], 0
    current, blocks = before, []
    for cell in cells:
        if cell.name in by_name:
            current, title = by_name[cell.name].blocks, "Your answer"
        else:
            own += 1
            title = f"Your own cell {own}"
        blocks.append(block(cell, title, room))
        current.append(blocks[-1])
    # what was put out comes second: the room is first of all for what was written
    for shown, cell in zip(blocks, cells):
        shown.pieces = outputs.pieces(cell.outputs, room)
    return before


def block(cell, title, room):
    """What was written in a cell, as far as there is room for it.

    Parameters
    ----------
    cell : LearnerCell
    title : str
    room : outputs.Room

    Returns
    -------
    Block
    """
    source = sanitise.cut(cell.source, MAX_SOURCE)
    shown = Block("code", title)
    try:
        room.spend(len(source))
        try:
            if cell.kind == "markdown":
                room.spend(outputs.MARKDOWN_WORK * len(source))
                shown.body = room.take(markdown.markdown(source))
                shown.kind = "text"
            elif cell.kind == "code":
                shown.body = room.take(markdown.code(source))
        except sanitise.Refused as why:
            shown.remark = f"This cell is shown as plain text: {why}."
        if shown.body is None:
            shown.body = room.take(escape(sanitise.visible(source)))
    except outputs.Full as why:
        shown.remark = f"This cell is not shown: {why}."
    return shown


def _stopped(source, report):
    """Sentences on cells of the learner that had to be stopped."""
    tests = {test.name for exercise in source.exercises for test in exercise.tests}
    answers = {exercise.name for exercise in source.exercises}
    named = {"the notebook": "Your notebook", **{name: f"The cell {name}" for name in answers}}
    return [f"{named.get(incident.cell, 'A cell of your own')} {incident.detail}."
            for incident in report.incidents
            if incident.kind in STOPPED and incident.cell not in tests]
