"""A page for the instructor: what the class reached, and what a human should look at.

It is made as the feedback pages are, with no script and under the same policy, and what
learners chose is as hostile here; the table of students is filtered by the style sheet
alone. A class of thousands still gives a page that opens: each list stops after a
while and says how much it leaves out. Points that a human gave count, and what lateness
costs is taken off the sums, as on the learners' pages and in the exports.
"""

import collections
import importlib.metadata
import os
import platform
import statistics
from dataclasses import dataclass, field
from urllib.parse import quote

from autograder import feedback, outputs, summary
from autograder.gradebook import Gradebook
from autograder.job import write_whole

STUDENTS = 2000                  # in the table
MESSAGES = 8                     # of an exercise
KINDS = 1000                     # of messages that are counted of an exercise
NAMES = 20                       # beside a message
INCIDENTS = 100                  # with their evidence
REMARKS = 200                    # learners in each of the other lists
EVIDENCE = 20_000                # characters of cells shown with an incident
OWN_CELLS = 3                    # shown where nobody knows which one it was
PACKAGES = ("autodiff-clustering-redux", "nbgrader", "ipython", "numpy")
TEXTS = {"stdout", "stderr", "error", "text/plain"}

_page = feedback.Page("overview.html", "feedback.css", "overview.css")


@dataclass(frozen=True)
class Learner:
    """A learner's name, and the addresses of his or her pages by the names of notebooks."""

    name: str
    pages: dict


@dataclass
class Student:
    """A row of the table of students.

    Attributes
    ----------
    learner : Learner
    points : list
        By exercise; None where a human has still to mark.
    total : float
        What counts: what lateness costs is taken off in the end.
    said : list of str
    groups : list of str
        The filters to which it belongs.
    """

    learner: Learner
    points: list
    total: float
    said: list
    groups: list


@dataclass
class Tally:
    """An exercise of the class: how many reached what, and who failed in which way."""

    notebook: str
    number: int
    title: str
    name: str
    max_points: float
    tested: bool
    full: int = 0
    some: int = 0
    none: int = 0
    waiting: list = field(default_factory=list)
    mistakes: dict = field(default_factory=dict)           # words: list of Learner

    @property
    def count(self):
        """Submissions of which the points are known."""
        return self.full + self.some + self.none

    @property
    def frequent(self):
        """The most frequent mistakes: (words, learners), and how many others there were."""
        ordered = sorted(self.mistakes.items(), key=lambda item: -len(item[1]))
        return ordered[:MESSAGES], sum(len(who) for _, who in ordered[MESSAGES:])


@dataclass(frozen=True)
class Event:
    """An incident with its evidence."""

    learner: Learner
    notebook: str
    incident: object
    handed_in: str
    blocks: list


class Overview:
    """What is shown of a class; results are added one by one and not kept.

    Parameters
    ----------
    assignment : Assignment
    address : function
        From the names of a student and a notebook to the address of the page.
    by_hand : dict of str to dict
        What humans entered, as `Gradebook.by_hand` gives it.
    """

    def __init__(self, assignment, address, by_hand):
        self.assignment = assignment
        self.address = address
        self.by_hand = by_hand
        self.tallies = {(source.name, exercise.name): Tally(
                            source.name, number, exercise.title, exercise.name, exercise.points,
                            bool(exercise.tests))
                        for source in assignment.notebooks
                        for number, exercise in enumerate(source.exercises, 1)}
        self.foreseen = {source.name: summary.foreseen(source) for source in assignment.notebooks}
        self.students, self.totals = [], {}
        self.count = self.graded = self.incidents = 0
        self.unmarked, self.noted, self.events = [], [], []
        self.seeds, self.sandboxes, self.kinds = set(), set(), collections.Counter()

    def add(self, result):
        """Count a Result."""
        learner = Learner(result.student, {source.name: self.address(result.student, source.name)
                                           for source in self.assignment.notebooks})
        self.count += 1
        self.graded += result.graded
        self.seeds.add(result.seed)
        self.sandboxes.add(result.sandbox)
        points, groups = [], set()
        for source in self.assignment.notebooks:
            report = result.reports[source.name]
            hand = {cell: mark for (notebook, cell), mark
                    in self.by_hand.get(result.student, {}).items() if notebook == source.name}
            rows = feedback.rows_of(source, report, hand)
            points += [None if row.waiting else row.points for row in rows]
            for row in rows:
                self._count(source, row, report, learner, groups)
            if report.status != "graded":
                groups.add("ungraded")
                self.unmarked.append((learner, source.name, report.status, report.reason))
            if report.notes:
                self.noted.append((learner, source.name, report.notes))
            for incident in report.incidents:
                groups.add("incident")
                self._keep(learner, source, report, incident, result.timestamp)
        total = sum(filter(None, points))
        if result.graded:
            self.totals[result.student] = total
        if total < self.assignment.points:
            groups.add("open")
        if len(self.students) < STUDENTS:
            self.students.append(Student(learner, points, total, self._said(groups),
                                         sorted(groups)))

    def take_off(self, penalties):
        """Take what lateness costs off the sums.

        Parameters
        ----------
        penalties : dict of str to dict of str to float
            As `Gradebook.penalties` gives them.
        """
        costs = {student: sum(parts.values()) for student, parts in penalties.items()}
        self.totals = {name: max(0.0, total - costs.get(name, 0.0))
                       for name, total in self.totals.items()}
        for student in self.students:
            if cost := costs.get(student.learner.name):
                student.total = max(0.0, student.total - cost)
                student.said.append(f"late, {cost:g} taken off")
                if student.total < self.assignment.points and "open" not in student.groups:
                    student.groups.append("open")

    def _count(self, source, row, report, learner, groups):
        tally = self.tallies[source.name, row.name]
        if report.status != "graded":
            return
        if row.waiting:
            groups.add("waiting")
            tally.waiting.append(learner)
        elif row.full:
            tally.full += 1
        elif row.points > 0:
            tally.some += 1
        else:
            tally.none += 1
        failed = next((mark for _, mark in row.tests if not mark.passed), None)
        if failed:
            words = summary.mistake(self.foreseen[source.name], failed)
            if words not in tally.mistakes and len(tally.mistakes) >= KINDS:
                words = "Other answers."
            tally.mistakes.setdefault(words, []).append(learner)

    def _keep(self, learner, source, report, incident, timestamp):
        self.incidents += 1
        self.kinds[incident.kind] += 1
        if len(self.events) < INCIDENTS:
            self.events.append(Event(learner, source.name, incident, timestamp,
                                     evidence(source, report, incident)))

    @staticmethod
    def _said(groups):
        words = {"ungraded": "not graded", "incident": "incident", "waiting": "to mark by hand"}
        return [words[group] for group in words if group in groups]

    def sort(self):
        """Put the learners into the order of their names, whoever was ready first."""
        self.students.sort(key=lambda student: student.learner.name)
        for tally in self.tallies.values():
            for learners in (tally.waiting, *tally.mistakes.values()):
                learners.sort(key=lambda learner: learner.name)
        for entries in (self.unmarked, self.noted):
            entries.sort(key=lambda entry: entry[0].name)
        self.events.sort(key=lambda event: event.learner.name)

    @property
    def bands(self):
        """Submissions in each tenth of the points: (words, count)."""
        most = self.assignment.points or 1
        tenths = collections.Counter(min(int(10 * total / most), 10)
                                     for total in self.totals.values())
        words = [f"{10 * tenth} % to less than {10 * tenth + 10} %" for tenth in range(10)]
        return [(text, tenths[tenth]) for tenth, text in enumerate([*words, "all points"])]

    def html(self):
        """The page."""
        totals = self.totals.values()
        return _page.render(
            overview=self, assignment=self.assignment, tallies=list(self.tallies.values()),
            mean=statistics.fmean(totals) if totals else None,
            median=statistics.median(totals) if totals else None,
            unsafe="none" in self.sandboxes, names=NAMES, remarks=REMARKS,
            several=len(self.assignment.notebooks) > 1,
            most=max([count for _, count in self.bands], default=0) or 1, versions=_versions())


def write(course, assignment, results):
    """Write the overview of an assignment beside the results of the class.

    Parameters
    ----------
    course : Course
    assignment : Assignment
    results : iterable of Result
        Those whose reports still have the learners' cells give evidence of incidents.

    Returns
    -------
    Path
    """
    folder = course.root / course.directory.autograded_directory
    folder.mkdir(parents=True, exist_ok=True)

    def address(student, notebook):
        page = course.folder("feedback", student, assignment.name) / f"{notebook}.html"
        return quote(os.path.relpath(page, folder).replace(os.sep, "/"), errors="replace")

    with Gradebook(course) as gradebook:
        overview = Overview(assignment, address, gradebook.by_hand(assignment.name))
    for result in results:
        overview.add(result)
    with Gradebook(course) as gradebook:          # which may only now know who was late
        overview.take_off(gradebook.penalties(assignment.name))
    overview.sort()
    path = folder / f"overview-{assignment.name}.html"
    write_whole(path, overview.html())
    return path


def evidence(source, report, incident):
    """The learner's cells that an incident is about, with what they put out as text.

    Parameters
    ----------
    source : SourceNotebook
    report : Report
    incident : Incident
        In an answer cell, in a test (the answer is shown), or in an own cell of the
        learner's, of which the first few are shown that did not end well.

    Returns
    -------
    list of feedback.Block
    """
    exercise = next((exercise for exercise in source.exercises if incident.cell in (
        exercise.name, *(test.name for test in exercise.tests))), None)
    if exercise:
        cells = [cell for cell in report.notebook if cell.name == exercise.name]
    else:
        own = [cell for cell in report.notebook if not cell.name and cell.kind == "code"]
        ended_badly = [cell for cell in own
                       if any(output.kind == "error" for output in cell.outputs)]
        cells = (ended_badly or own)[:OWN_CELLS] if incident.cell else []
    room = outputs.Room(EVIDENCE, EVIDENCE)
    blocks = []
    for cell in cells:
        block = feedback.block(cell, f"Cell {cell.name}" if cell.name else "Own cell", room)
        block.pieces = outputs.pieces([o for o in cell.outputs if o.kind in TEXTS], room)
        blocks.append(block)
    return blocks


def _versions():
    """Programs on which marks may depend."""
    found = [("Python", platform.python_version())]
    for package in PACKAGES:
        try:
            found.append((package, importlib.metadata.version(package)))
        except importlib.metadata.PackageNotFoundError:
            found.append((package, "not installed"))
    return found
