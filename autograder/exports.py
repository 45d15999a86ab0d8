"""Marks as CSV files that Canvas and Moodle import.

The marks are nbgrader's: the grader's and a human's points less the penalty for
lateness. Both systems know learners by names of their own, which stand in the file that
each exports; given as a roster, that file is filled in and can be uploaded as it is.
Text that a learner could have chosen is written so that no spreadsheet runs it as a
formula (OWASP, "CSV Injection").

Sources: Instructure, canvas-lms, lib/gradebook_importer.rb; Moodle,
mod/assign/feedback/offline/importgradeslib.php, mod/assign/locallib.php.
"""

import csv
import io
import os
import re
from dataclasses import dataclass
from pathlib import Path

from autograder import Unusable
from autograder.gradebook import Gradebook
from autograder.job import write_whole

POINTS_POSSIBLE = "Points Possible"
CANVAS = ["Student", "ID", "SIS Login ID", "Section"]
MOODLE = ["Full name", "ID number", "Email address"]

#: Columns of a roster in which a student's name in the course is looked for.
KEYS = {
    "canvas": ["SIS Login ID", "SIS User ID", "ID"],
    "moodle": ["ID number", "Username", "Email address", "Identifier"],
}

_plain_number = re.compile(r"[-+]?\d+(\.\d+)?")


@dataclass(frozen=True)
class Mark:
    """What a student gets for an assignment, and who that is."""

    student: str
    name: str
    email: str
    score: float
    comment: str


def export(course, assignment, to, roster, path):
    """Write the marks of an assignment.

    Parameters
    ----------
    course : Course
    assignment : Assignment
    to : str
        "canvas" or "moodle".
    roster : path or None
        What the other system exported.
    path : path
        The file to write.

    Returns
    -------
    str
        What was written, and who is missing, in lines for the user.

    Raises
    ------
    Unusable
        If nothing is graded, or the roster is of another kind.
    """
    with Gradebook(course) as gradebook:
        if not gradebook.has(assignment.name):
            raise Unusable(f"Nothing is graded yet. Run: autograder grade {assignment.name}")
        marks = {mark.student: mark for mark in _marks(gradebook, assignment)}
    fill = _canvas if to == "canvas" else _moodle
    head, rows = _read(roster, to) if roster else (None, None)
    table, missing = fill(assignment, marks, head, rows)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([[guarded(cell) for cell in row]
                                                     for row in table])
    target = Path(path).resolve()
    if not target.parent.is_dir():
        raise Unusable(f"There is no folder {target.parent}.")
    write_whole(target, text.getvalue())
    said = [f"{len(marks) - len(missing)} marks in {os.path.relpath(target)}"]
    if missing:
        said.append(f"Not in the roster ({len(missing)}): {', '.join(sorted(missing)[:20])}"
                    + (", ..." if len(missing) > 20 else ""))
    return "\n".join(said)


def guarded(cell):
    """A cell that no spreadsheet takes for a formula; numbers stay numbers.

    Parameters
    ----------
    cell : str

    Returns
    -------
    str
    """
    dangerous = cell.lstrip()[:1] in ("=", "+", "-", "@") or cell[:1] in ("\t", "\r", "\n")
    # Moodle's worksheets have a lone dash where there is no date
    return f"'{cell}" if dangerous and cell != "-" and not _plain_number.fullmatch(cell) else cell


def _number(points):
    return f"{points:.4f}".rstrip("0").rstrip(".")


# ---- from the gradebook -----------------------------------------------------


def _marks(gradebook, assignment):
    """The marks of all students for whom a submission is entered, by their names."""
    titles = {(source.name, exercise.name): exercise.title
              for source in assignment.notebooks for exercise in source.exercises}
    comments = gradebook.comments(assignment.name)
    penalties = gradebook.penalties(assignment.name)
    for student, name, email, score in gradebook.scores(assignment.name):
        said = {title: " ".join(comments[student][cell].split())
                for cell, title in titles.items() if cell in comments[student]}
        penalty = sum(penalties.get(student, {}).values())
        lines = [f"Handed in late: {_number(penalty)} taken off."] if penalty else []
        if len(said) == len(titles) and len(set(said.values())) == 1:
            lines += set(said.values())           # of a notebook that could not be graded
        else:
            lines += [f"{title}: {words}" for title, words in said.items()]
        yield Mark(student, name or student, email or "", score, "\n".join(lines))


# ---- for Canvas -------------------------------------------------------------


def _canvas(assignment, marks, head, rows):
    """The table, and the students who are not in it."""
    most = _number(assignment.points)
    if head is None:
        table = [[*CANVAS, assignment.name], [f"    {POINTS_POSSIBLE}", "", "", "", most]]
        table += [[mark.name, "", mark.student, "", _number(mark.score)]
                  for mark in marks.values()]
        return table, set()
    # Canvas adds its own number to an assignment's name: "01-differences (2063)"
    column = next((title for title in head
                   if re.sub(r"\s*\(\d+\)$", "", title) == assignment.name), assignment.name)
    identity = head[:head.index("Section") + 1]
    table, found = [[*identity, column]], set()
    table.append([f"    {POINTS_POSSIBLE}", *[""] * (len(identity) - 1), most])
    for row in rows:
        student = dict(zip(head, row))
        if (mark := _mark_of(student, marks, "canvas")):
            found.add(mark.student)
            table.append([*(student[title] for title in identity), _number(mark.score)])
    return table, marks.keys() - found


# ---- for Moodle -------------------------------------------------------------


def _moodle(assignment, marks, head, rows):
    """The table, and the students who are not in it."""
    if head is None:
        table = [[*MOODLE, assignment.name, "Feedback"]]
        table += [[mark.name, mark.student, mark.email, _number(mark.score), mark.comment]
                  for mark in marks.values()]
        return table, set()
    table, found = [head], set()
    packed = {_squeezed(name): mark for name, mark in marks.items()
              if re.fullmatch(r".+_\d+", name)}
    for row in rows:
        student = dict(zip(head, row))
        if (mark := _mark_of(student, marks, "moodle")
                or next(filter(None, map(packed.get, _packed_as(student))), None)):
            _require_maximum(student, assignment)
            found.add(mark.student)
            student["Grade"] = _number(mark.score)
            if "Feedback comments" in head:
                student["Feedback comments"] = mark.comment
            table.append([student[title] for title in head])
    return table, marks.keys() - found


def _packed_as(student):
    """How Moodle calls a learner in an archive of submissions: "Ada Lovelace_11"."""
    number = re.search(r"\d*$", student["Identifier"].strip())[0]
    return [_squeezed(student["Identifier"]), _squeezed(student.get("Full name", "") + number)]


def _squeezed(text):
    """Letters and digits only, since Moodle changes others in the names of files."""
    return re.sub(r"[\W_]", "", text)


def _require_maximum(student, assignment):
    """Moodle takes a grade as it is: its maximum must be that of the assignment."""
    most = student.get("Maximum Grade", "").replace(",", ".")
    if _plain_number.fullmatch(most) and float(most) != assignment.points:
        raise Unusable(f"{assignment.name} has {_number(assignment.points)} points, but the roster "
                       f"says at most {_number(float(most))}. Change the assignment's maximum "
                       "grade in Moodle and download the worksheet again.")


# ---- rosters ----------------------------------------------------------------


def _read(path, to):
    """The head and the rows of a roster, and nothing that is not one."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not in UTF-8"
        raise Unusable(f"The roster {path} cannot be read: {reason}.") from error
    try:
        rows = [row for row in csv.reader(io.StringIO(text), strict=True) if any(row)]
    except csv.Error as error:
        raise Unusable(f"The roster {path} is no CSV file: {error}.") from error
    head = [title.strip() for title in rows[0]] if rows else []
    needed = {"canvas": ["Student", "ID", "Section"],
              "moodle": ["Identifier", "Grade", "Last modified (grade)"]}[to]
    missing = [title for title in needed if title not in head]
    if missing:
        where = {"canvas": "Grades, Export in Canvas",
                 "moodle": "the assignment's grading actions, Download grading worksheet in Moodle"}
        raise Unusable(f"The roster {path} has no column {missing[0]!r}: it must be the file from "
                       f"{where[to]}.")
    return head, [row + [""] * (len(head) - len(row)) for row in rows[1:]]


def _mark_of(student, marks, to):
    """The mark of a student of the roster: the name in the course stands in one of its keys."""
    for key in KEYS[to]:
        value = student.get(key, "").strip()
        for name in (value, value.partition("@")[0]):
            if name and name in marks:
                return marks[name]
    return None
