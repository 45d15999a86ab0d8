"""What a class did: exercise by exercise, and what a human should look at.

Wrong answers are counted by what the failed check said about them, with the numbers in
it taken out, since every learner's are others. Where the author has foreseen a wrong
answer (answers.toml) with the same words, its title is shown.
"""

import collections
import re
from dataclasses import dataclass, field

from autograder import rehearsal
from autograder.gradebook import time_of
from autograder.tables import aligned, shown

MISTAKES = 5                     # shown of each exercise
NAMES = 8                        # shown of each kind of things to look at
MESSAGES = 1000                  # different ones that are counted of an exercise
FAILED = "the grader failed; the next run tries again"
NO_TIME = "a timestamp.txt that holds no time, so not late"

_number = re.compile(r"(?<![A-Za-z_\d])[-+]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?j?|\b(?:nan|inf)\b")


@dataclass
class Tally:
    """Counts for one exercise.

    Attributes
    ----------
    full, some, none : int
        Submissions with all points, some, and none.
    mistakes : Counter
        Of titles, and of messages without their numbers.
    """

    full: int = 0
    some: int = 0
    none: int = 0
    mistakes: collections.Counter = field(default_factory=collections.Counter)


class Summary:
    """What is known of a class; results are added one by one and not kept.

    Parameters
    ----------
    assignment : Assignment
    """

    def __init__(self, assignment):
        self.assignment = assignment
        self.tallies = {(source.name, exercise.name): Tally() for source in assignment.notebooks
                        for exercise in source.exercises if exercise.tests}
        self.titles = {source.name: foreseen(source) for source in assignment.notebooks}
        self.look = collections.defaultdict(list)       # kind of thing: students
        self.submissions = self.kept = 0
        self.seeds = set()

    def add(self, result):
        """Count a Result."""
        self.submissions += 1
        self.kept += result.kept
        self.seeds.add(result.seed)
        if result.timestamp and time_of(result.timestamp) is None:
            self.look[NO_TIME].append(result.student)
        for source in self.assignment.notebooks:
            report = result.reports[source.name]
            for thing in dict.fromkeys(_to_look_at(report)):
                self.look[thing].append(result.student)
            if report.status == "graded":
                for exercise in source.exercises:
                    if exercise.tests:
                        self._count(source, exercise, report)

    def _count(self, source, exercise, report):
        tally = self.tallies[source.name, exercise.name]
        marks = [mark for mark in report.cells if mark.exercise == exercise.name]
        earned = sum(mark.points for mark in marks)
        if earned >= exercise.tested:
            tally.full += 1
        elif earned > 0:
            tally.some += 1
        else:
            tally.none += 1
        failed = next((mark for mark in marks if not mark.passed), None)
        if failed:
            words = mistake(self.titles[source.name], failed)
            tally.mistakes[words if words in tally.mistakes or len(tally.mistakes) < MESSAGES
                           else "other answers"] += 1

    def text(self, waiting=None):
        """The summary as text for a terminal.

        Parameters
        ----------
        waiting : dict of str to list of str, optional
            Students for whom a human must give points, by the names of cells, as
            `Gradebook.waiting` tells.

        Returns
        -------
        str
        """
        rows = [["exercise", "all points", "some", "none", "passed", ""]]
        for (_, name), tally in self.tallies.items():
            count = tally.full + tally.some + tally.none
            rows.append([name, str(tally.full), str(tally.some), str(tally.none),
                         f"{tally.full / count:.0%}" if count else "-", ""])
        lines = [aligned(rows)]
        for (_, name), tally in self.tallies.items():
            lines += _mistakes(name, tally)
        look = dict(self.look)
        failed = set(look.get(FAILED, ()))
        for cell, students in (waiting or {}).items():
            if students := [student for student in students if student not in failed]:
                look[f"{cell}, points by hand"] = students
        if look:
            lines += ["", "To look at by hand:"]
        for thing, students in look.items():
            rest = len(students) - NAMES
            names = ", ".join(shown(student) for student in sorted(students)[:NAMES])
            lines.append(f"  {thing} ({len(students)}): {names}"
                         + (f" and {rest} more" if rest > 0 else ""))
        return "\n".join(lines)


def without_numbers(message):
    """The first sentence or so of a message, with # for every number.

    Parameters
    ----------
    message : str

    Returns
    -------
    str
    """
    line = " ".join(message.split())
    line = _number.sub("#", line)
    return re.sub(r"#(?:[\s,;]+#)+", "#, ...", line)[:300]


def _mistakes(name, tally):
    """Lines on the wrong answers to an exercise, the most frequent first."""
    if tally.mistakes:
        yield f"\n{name}:"
        often = tally.mistakes.most_common(MISTAKES)
        for words, count in often:
            yield f"  {count:5}  {shown(words, 110)}"
        rest = tally.mistakes.total() - sum(count for _, count in often)
        if rest:
            yield f"  {rest:5}  other answers"


def foreseen(source):
    """The wrong answers that the author has foreseen, those with most words first."""
    answers, _ = rehearsal.read_answers(source)
    wrong = [answer for answer in answers if not answer.right and answer.says]
    return sorted(wrong, key=lambda answer: -sum(map(len, answer.says)))


def mistake(titles, mark):
    """What a failed test tells of the answer, so that the same mistake has the same words.

    Parameters
    ----------
    titles : list of Answer
        What `foreseen` returned.
    mark : CellMark

    Returns
    -------
    str
        The title of the foreseen wrong answer of which the test says the same; else what
        the test said, without numbers.
    """
    title = next((answer.title for answer in titles
                  if (answer.exercise, answer.fails) == (mark.exercise, mark.grade_id)
                  and all(words.lower() in mark.message.lower() for words in answer.says)), None)
    return title or without_numbers(mark.message) or "A test failed."


def _to_look_at(report):
    """Kinds of things that a human should see to in a report."""
    if report.status == "failed":
        yield FAILED
    elif report.status == "rejected":
        yield "not graded"
    for incident in report.incidents:
        yield f"incident {incident.kind}"
