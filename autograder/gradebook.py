"""Marks in nbgrader's gradebook, where its formgrader and its exports find them.

The tables and their meaning are nbgrader's: a test cell has an auto_score, and a
human's manual_score takes precedence over it. nbgrader's own preprocessors enter an
assignment, so that it looks as if `nbgrader generate_assignment` had run. The marks of
one submission are one transaction. What a human entered is never changed; where it
stands beside a new mark, nbgrader's flag asks the human to look again.
"""

import os
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbgrader import api
from nbgrader.preprocessors import ClearSolutions, ComputeChecksums, LockCells, SaveCells
from nbgrader.utils import parse_utc
from sqlalchemy.exc import SAWarning, SQLAlchemyError

from autograder.course import Unusable


@dataclass(frozen=True)
class HandMark:
    """What a human entered for a cell: points (None if there are none yet) and a comment."""

    points: float | None
    comment: str


class Gradebook:
    """nbgrader's gradebook of a course; a context manager.

    Parameters
    ----------
    course : Course

    Raises
    ------
    Unusable
        If the database cannot be opened.
    """

    def __init__(self, course):
        self.course = course
        # nbgrader starts alembic by its name when it makes a new database
        scripts = str(Path(sys.executable).parent)
        if scripts not in os.environ.get("PATH", "").split(os.pathsep):
            os.environ["PATH"] = os.pathsep.join([scripts, os.environ.get("PATH", "")])
        try:
            self.book = api.Gradebook(course.db_url, course.directory.course_id)
        except (SQLAlchemyError, ImportError) as error:
            reason = str(getattr(error, "orig", error))
            raise Unusable(f"The gradebook cannot be opened: {reason}.") from error

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.book.close()

    def submitters(self, assignment):
        """Names of all students for whom a submission of the assignment is entered."""
        try:
            self.book.find_assignment(assignment)
        except api.MissingEntry:
            return []
        return [submission.student.id
                for submission in self.book.assignment_submissions(assignment)]

    def enter(self, assignment):
        """Enter an assignment with its notebooks and cells, or bring its points up to date.

        Parameters
        ----------
        assignment : Assignment

        Raises
        ------
        Unusable
            If cells came or went since submissions were entered: nbgrader has no place
            for them.
        """
        self.book.update_or_create_assignment(assignment.name)
        for source in assignment.notebooks:
            notebook = nbformat.read(source.path, as_version=4)
            resources = {"nbgrader": {"assignment": assignment.name, "notebook": source.name,
                                      "db_url": self.course.db_url}}
            try:
                for step in (LockCells, ClearSolutions, ComputeChecksums, SaveCells):
                    step(config=self.course.config).preprocess(notebook, resources)
            except RuntimeError as error:
                raise Unusable(f"nbgrader refuses {source.path.name}: {error}. Its cells changed "
                               "after submissions were graded: move the gradebook away and grade "
                               "again.") from error
        self.book.db.expire_all()

    def write(self, result):
        """Write the marks of one submission, all or nothing.

        Parameters
        ----------
        result : Result

        Raises
        ------
        Unusable
            If the database cannot be written.
        """
        try:
            self._write(result)
        except (SQLAlchemyError, api.InvalidEntry) as error:
            self.book.db.rollback()
            raise Unusable("The gradebook cannot be written: "
                           f"{getattr(error, 'orig', error)}.") from error

    def _write(self, result):
        self.book.update_or_create_student(result.student)
        with warnings.catch_warnings():
            # nbgrader links objects before it adds them; SQLAlchemy 2.1 remarks on it
            warnings.simplefilter("ignore", SAWarning)
            submission = self.book.update_or_create_submission(result.assignment, result.student)
        submission.timestamp = _time(result.timestamp)
        for notebook in submission.notebooks:
            report = result.reports[notebook.name]
            marks = {mark.grade_id: mark for mark in report.cells}
            for grade in notebook.grades:
                self._write_grade(grade, marks.get(grade.name), report)
            for comment in notebook.comments:
                comment.auto_comment = _comment(comment.name, report)
        self.book.db.commit()

    def _write_grade(self, grade, mark, report):
        """The mark of a test cell; a cell marked by hand has points only if there is no text."""
        if mark is not None:
            grade.auto_score = mark.points
        else:
            answered = report.status == "graded" and report.answers.get(grade.name, "").strip()
            grade.auto_score = None if answered else 0.0
        grade.needs_manual_grade = grade.manual_score is not None or grade.auto_score is None

    def by_hand(self, assignment, student):
        """What a human entered for a submission.

        Returns
        -------
        dict of (str, str) to HandMark
            By the names of notebook and cell.
        """
        try:
            submission = self.book.find_submission(assignment, student)
        except api.MissingEntry:
            return {}
        entered = {}
        for notebook in submission.notebooks:
            comments = {comment.name: comment.manual_comment for comment in notebook.comments}
            points = {grade.name: grade.manual_score for grade in notebook.grades}
            for name in comments.keys() | points.keys():
                if comments.get(name) or points.get(name) is not None:
                    entered[notebook.name, name] = HandMark(points.get(name),
                                                            comments.get(name) or "")
        return entered


def _time(text):
    """The time of handing in, or None if it is not given or is no time."""
    try:
        return parse_utc(text) if text else None
    except ValueError:
        return None


def _comment(exercise, report):
    """What the machine says to an answer: why it is not marked, or the first failed check."""
    if report.status != "graded":
        return report.reason
    failed = [mark.message for mark in report.cells
              if mark.exercise == exercise and not mark.passed and mark.message]
    return failed[0] if failed else None
