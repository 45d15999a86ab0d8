"""Marks in nbgrader's gradebook, where its formgrader and its exports find them.

The tables and their meaning are nbgrader's: a test cell has an auto_score, and a
human's manual_score takes precedence over it. nbgrader's own preprocessors enter an
assignment, so that it looks as if `nbgrader generate_assignment` had run. The marks of
one submission are one transaction. What a human entered is never changed; where it
stands beside a new mark, nbgrader's flag asks the human to look again.
"""

import collections
import contextlib
import datetime
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import nbformat
from nbgrader import api
from nbgrader.preprocessors import (
    AssignLatePenalties, ClearSolutions, ComputeChecksums, LockCells, SaveCells,
)
from nbgrader.utils import parse_utc
from sqlalchemy import bindparam, func, insert, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from autograder import Unusable
from autograder.database import first_line, opening, patient
from autograder.report import HandMark

STUDENT, SUBMISSION, NOTEBOOK, GRADE, COMMENT = (
    kind.__table__ for kind in (api.Student, api.SubmittedAssignment, api.SubmittedNotebook,
                                api.Grade, api.Comment))

# What counts of a cell, as nbgrader computes it: a human's points, or else the grader's.
SCORE = func.coalesce(GRADE.c.manual_score, GRADE.c.auto_score, 0.0) + func.coalesce(
    GRADE.c.extra_credit, 0.0)


@dataclass(frozen=True)
class KnownNotebook:
    """A notebook in the gradebook: its id, and those of its cells by their names."""

    id: str
    graded: dict[str, str]
    commented: dict[str, str]


@dataclass(frozen=True)
class KnownAssignment:
    """An assignment in the gradebook; `duedate` is nbgrader's, in UTC, or None."""

    id: str
    duedate: datetime.datetime | None
    notebooks: dict[str, KnownNotebook]


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
        self.known = {}
        self.plugin = None
        # nbgrader starts alembic by its name when it makes a new database
        scripts = str(Path(sys.executable).parent)
        if scripts not in os.environ.get("PATH", "").split(os.pathsep):
            os.environ["PATH"] = os.pathsep.join([scripts, os.environ.get("PATH", "")])
        with opening():
            self.book = api.Gradebook(patient(course.db_url), course.directory.course_id)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.book.close()

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
        entered = self.book.update_or_create_assignment(assignment.name)
        for gone in {notebook.name for notebook in entered.notebooks} - {
                source.name for source in assignment.notebooks}:
            if self.book.notebook_submissions(gone, assignment.name):
                raise Unusable(f"The notebook {gone} is gone from the assignment, but submissions "
                               "of it were graded: put it back, or move the gradebook away and "
                               "grade again.")
            self.book.remove_notebook(gone, assignment.name)
        for source in assignment.notebooks:
            notebook = nbformat.read(source.path, as_version=4)
            resources = {"nbgrader": {"assignment": assignment.name, "notebook": source.name,
                                      "db_url": patient(self.course.db_url)}}
            try:
                for step in (LockCells, ClearSolutions, ComputeChecksums, SaveCells):
                    step(config=self.course.config).preprocess(notebook, resources)
            except RuntimeError as error:
                raise Unusable(f"nbgrader refuses {source.path.name}: {error}. Its cells changed "
                               "after submissions were graded: move the gradebook away and grade "
                               "again.") from error
        self.known.pop(assignment.name, None)
        self.book.db.rollback()              # so that what was entered just now is seen

    def write(self, result):
        """Write the marks of one submission, all or nothing.

        Parameters
        ----------
        result : Result

        Returns
        -------
        dict of str to float
            What lateness costs, by the names of notebooks; empty if it costs nothing.

        Raises
        ------
        Unusable
            If the database cannot be written.
        """
        with self._transaction():
            return self._write(result)

    @contextlib.contextmanager
    def _transaction(self):
        try:
            yield
            self.book.db.commit()
        except (SQLAlchemyError, api.InvalidEntry) as error:
            self.book.db.rollback()
            raise Unusable("The gradebook cannot be written: "
                           f"{first_line(getattr(error, 'orig', error))}.") from error
        except BaseException:
            self.book.db.rollback()
            raise

    # nbgrader's classes would ask the database some forty times for each submission; its
    # tables are written directly, so that the gradebook holds up no machine of any size.

    def _write(self, result):
        known = self._assignment(result.assignment)
        execute = self.book.db.execute
        if not execute(select(STUDENT.c.id).where(STUDENT.c.id == result.student)).first():
            execute(insert(STUDENT), {"id": result.student})
        timestamp = time_of(result.timestamp)
        submission = self._submission(known, result, timestamp)
        existing = dict(execute(select(NOTEBOOK.c.notebook_id, NOTEBOOK.c.id)
                                .where(NOTEBOOK.c.assignment_id == submission)).all())
        for name, notebook in known.notebooks.items():
            if notebook.id not in existing:
                existing[notebook.id] = api.new_uuid()
                execute(insert(NOTEBOOK), {"id": existing[notebook.id], "flagged": False,
                                           "notebook_id": notebook.id,
                                           "assignment_id": submission})
            report = result.reports[name]
            self._write_grades(existing[notebook.id], notebook, report)
            self._write_comments(existing[notebook.id], notebook, report)
        if known.duedate and timestamp and timestamp > known.duedate:
            return self._penalise(known, submission)
        execute(update(NOTEBOOK).where(NOTEBOOK.c.assignment_id == submission)
                .values(late_submission_penalty=None))
        return {}

    def _submission(self, known, result, timestamp):
        """The id of the student's submission, which is entered if it is new."""
        found = self.book.db.scalar(
            select(SUBMISSION.c.id).where(SUBMISSION.c.assignment_id == known.id,
                                          SUBMISSION.c.student_id == result.student))
        if found:
            self.book.db.execute(update(SUBMISSION).where(SUBMISSION.c.id == found)
                                 .values(timestamp=timestamp))
            return found
        new = api.new_uuid()
        self.book.db.execute(insert(SUBMISSION), {
            "id": new, "assignment_id": known.id, "student_id": result.student,
            "timestamp": timestamp})
        return new

    def _write_grades(self, submitted, notebook, report):
        """The marks of test cells; a cell marked by hand has points only if there is no text."""
        rows = self.book.db.execute(select(GRADE.c.cell_id, GRADE.c.id, GRADE.c.manual_score)
                                    .where(GRADE.c.notebook_id == submitted))
        existing = {cell: (row, manual) for cell, row, manual in rows}
        marks = {mark.grade_id: mark for mark in report.cells}
        new, changed = [], []
        for name, cell in notebook.graded.items():
            row, manual = existing.get(cell, (None, None))
            points = _points(marks.get(name), report.answers.get(name, ""), report)
            values = {"auto_score": points, "needs_manual_grade": manual is not None
                      or points is None}
            if row is None:
                new.append({"id": api.new_uuid(), "cell_id": cell, "notebook_id": submitted,
                            **values})
            else:
                changed.append({"row": row, **values})
        self._save(GRADE, new, changed)

    def _write_comments(self, submitted, notebook, report):
        existing = dict(self.book.db.execute(select(COMMENT.c.cell_id, COMMENT.c.id)
                                             .where(COMMENT.c.notebook_id == submitted)).all())
        new, changed = [], []
        for name, cell in notebook.commented.items():
            values = {"auto_comment": _comment(name, report)}
            if cell in existing:
                changed.append({"row": existing[cell], **values})
            else:
                new.append({"id": api.new_uuid(), "cell_id": cell, "notebook_id": submitted,
                            **values})
        self._save(COMMENT, new, changed)

    def _save(self, table, new, changed):
        connection = self.book.db.connection()
        if new:
            connection.execute(insert(table), new)
        if changed:
            connection.execute(update(table).where(table.c.id == bindparam("row")), changed)

    def _assignment(self, name):
        """What every submission of an assignment needs to know of it; read once."""
        if name not in self.known:
            entered = self.book.find_assignment(name)
            self.known[name] = KnownAssignment(entered.id, entered.duedate, {
                notebook.name: KnownNotebook(
                    notebook.id,
                    {cell.name: cell.id for cell in (*notebook.grade_cells, *notebook.task_cells)},
                    {cell.name: cell.id for cell in (*notebook.solution_cells,
                                                     *notebook.task_cells)})
                for notebook in entered.notebooks})
        return self.known[name]

    # -- late penalties --

    def penalise(self, assignment):
        """Assign the penalties for late submissions again, as nbgrader does when it grades.

        Due dates, extensions and points by hand may have changed since the last time.

        Parameters
        ----------
        assignment : str
        """
        if not self.has(assignment):
            return
        with self._transaction():
            known = self._assignment(assignment)
            late = NOTEBOOK.c.late_submission_penalty.is_not(None)
            if known.duedate:
                late = or_(late, SUBMISSION.c.timestamp > known.duedate)
            for submission in set(self.book.db.scalars(
                    select(SUBMISSION.c.id)
                    .join(NOTEBOOK, NOTEBOOK.c.assignment_id == SUBMISSION.c.id)
                    .where(SUBMISSION.c.assignment_id == known.id, late))):
                self._penalise(known, submission)

    def _penalise(self, known, submission):
        """Ask the course's plugin what a submission costs that may be late."""
        submission = self.book.db.get(api.SubmittedAssignment, submission, populate_existing=True)
        late = submission.total_seconds_late if known.duedate else 0
        for notebook in submission.notebooks:
            self.book.db.refresh(notebook)              # its score may have been written just now
            penalty = self._penalty(submission.student_id, notebook.score, late) if late else None
            notebook.late_submission_penalty = penalty
        return {notebook.name: notebook.late_submission_penalty
                for notebook in submission.notebooks if notebook.late_submission_penalty}

    def _penalty(self, student, score, late):
        """Points that the course's plugin takes away, from 0 to all there are, or None."""
        try:
            penalty = self._late_plugin().late_submission_penalty(student, score, late)
            return penalty if penalty is None else min(max(float(penalty), 0.0), score)
        except Exception as error:
            raise Unusable("The course's plugin for late submissions cannot be used: "
                           f"{type(error).__name__}: {first_line(error)}.") from error

    def _late_plugin(self):
        """The plugin that the course's configuration names; nbgrader's own gives no penalty."""
        if self.plugin is None:
            if str(self.course.root) not in sys.path:
                sys.path.append(str(self.course.root))      # as nbgrader's commands do
            step = AssignLatePenalties(config=self.course.config)
            step.init_plugin()
            self.plugin = step.plugin_inst
        return self.plugin

    # -- reading --

    def _rows(self, statement):
        """What a query finds, without a transaction that stays open."""
        rows = self.book.db.execute(statement).all()
        self.book.db.rollback()
        return rows

    def has(self, assignment):
        """Is there a submission of the assignment?"""
        try:
            known = self._assignment(assignment)
        except api.MissingEntry:
            return False
        return bool(self._rows(select(SUBMISSION.c.id)
                               .where(SUBMISSION.c.assignment_id == known.id).limit(1)))

    def points(self, assignment):
        """The points that the grader wrote, by the students' names.

        Returns
        -------
        dict of str to float
        """
        rows = self._rows(select(SUBMISSION.c.student_id, func.sum(GRADE.c.auto_score))
                          .join(NOTEBOOK, NOTEBOOK.c.assignment_id == SUBMISSION.c.id)
                          .outerjoin(GRADE, GRADE.c.notebook_id == NOTEBOOK.c.id)
                          .where(SUBMISSION.c.assignment_id == self._assignment(assignment).id)
                          .group_by(SUBMISSION.c.student_id))
        return {student: points or 0.0 for student, points in rows}

    def penalties(self, assignment):
        """What lateness costs those who were late.

        Returns
        -------
        dict of str to dict of str to float
            By the students' names and the names of notebooks.
        """
        try:
            known = self._assignment(assignment)
        except api.MissingEntry:
            return {}
        names = {notebook.id: name for name, notebook in known.notebooks.items()}
        found = {}
        for student, notebook, penalty in self._rows(
                select(SUBMISSION.c.student_id, NOTEBOOK.c.notebook_id,
                       NOTEBOOK.c.late_submission_penalty)
                .join(NOTEBOOK, NOTEBOOK.c.assignment_id == SUBMISSION.c.id)
                .where(SUBMISSION.c.assignment_id == known.id,
                       NOTEBOOK.c.late_submission_penalty > 0)):
            found.setdefault(student, {})[names[notebook]] = penalty
        return found

    def waiting(self, assignment):
        """For whom nbgrader has a flag that a human must give points, or look again.

        Returns
        -------
        dict of str to list of str
            Students, by the names of cells.
        """
        known = self._assignment(assignment)
        names = {cell: name for notebook in known.notebooks.values()
                 for name, cell in notebook.graded.items()}
        found = collections.defaultdict(list)
        for student, cell in self._rows(
                select(SUBMISSION.c.student_id, GRADE.c.cell_id)
                .join(NOTEBOOK, NOTEBOOK.c.assignment_id == SUBMISSION.c.id)
                .join(GRADE, GRADE.c.notebook_id == NOTEBOOK.c.id)
                .where(SUBMISSION.c.assignment_id == known.id, GRADE.c.needs_manual_grade)):
            found[names.get(cell, "a cell that is gone")].append(student)
        return dict(sorted(found.items()))

    def scores(self, assignment):
        """What students get for an assignment: all points less the penalty, as nbgrader exports.

        Returns
        -------
        list of (str, str, str, float)
            Student, name ("Last, First" or ''), e-mail address or '', and score; by students.
        """
        rows = self._rows(
            select(SUBMISSION.c.student_id, STUDENT.c.last_name, STUDENT.c.first_name,
                   STUDENT.c.email, NOTEBOOK.c.late_submission_penalty, func.coalesce(func.sum(SCORE), 0.0))
            .join(STUDENT, STUDENT.c.id == SUBMISSION.c.student_id)
            .join(NOTEBOOK, NOTEBOOK.c.assignment_id == SUBMISSION.c.id)
            .outerjoin(GRADE, GRADE.c.notebook_id == NOTEBOOK.c.id)
            .where(SUBMISSION.c.assignment_id == self._assignment(assignment).id)
            .group_by(SUBMISSION.c.student_id, STUDENT.c.last_name, STUDENT.c.first_name,
                      STUDENT.c.email, NOTEBOOK.c.id, NOTEBOOK.c.late_submission_penalty))
        found = {}
        for student, last, first, email, penalty, score in rows:
            name = ", ".join(filter(None, (last, first)))
            total = found[student][-1] if student in found else 0.0
            found[student] = (student, name, email or "", total + score - (penalty or 0.0))
        return [(*who, max(0.0, score)) for _, (*who, score) in sorted(found.items())]

    def comments(self, assignment):
        """What is said to answers: a human's comment, or else the grader's.

        Returns
        -------
        dict of str to dict of (str, str) to str
            By the students' names, and the names of notebook and cell.
        """
        known = self._assignment(assignment)
        names = {cell: (name, cell_name) for name, notebook in known.notebooks.items()
                 for cell_name, cell in notebook.commented.items()}
        rows = self._rows(
            select(SUBMISSION.c.student_id, COMMENT.c.cell_id, COMMENT.c.manual_comment,
                   COMMENT.c.auto_comment)
            .join(NOTEBOOK, NOTEBOOK.c.assignment_id == SUBMISSION.c.id)
            .join(COMMENT, COMMENT.c.notebook_id == NOTEBOOK.c.id)
            .where(SUBMISSION.c.assignment_id == known.id))
        said = collections.defaultdict(dict)
        for student, cell, human, machine in rows:
            if cell in names and (human or machine):
                said[student][names[cell]] = human or machine
        return said

    def by_hand(self, assignment, student=None):
        """What humans entered for submissions of an assignment.

        Parameters
        ----------
        assignment : str
        student : str, optional
            Default: all.

        Returns
        -------
        dict of (str, str) to HandMark
            By the names of notebook and cell; without a student, a dict of such dicts by
            the students' names.
        """
        try:
            known = self._assignment(assignment)
        except api.MissingEntry:
            return {} if student else collections.defaultdict(dict)
        names = {cell: (name, cell_name) for name, notebook in known.notebooks.items()
                 for cells in (notebook.graded, notebook.commented)
                 for cell_name, cell in cells.items()}
        entered = collections.defaultdict(dict)
        for field, table, value in (("points", GRADE, GRADE.c.manual_score),
                                    ("comment", COMMENT, COMMENT.c.manual_comment),
                                    ("extra", GRADE, GRADE.c.extra_credit)):
            rows = select(SUBMISSION.c.student_id, table.c.cell_id, value).join(
                NOTEBOOK, NOTEBOOK.c.assignment_id == SUBMISSION.c.id).join(
                table, table.c.notebook_id == NOTEBOOK.c.id).where(
                SUBMISSION.c.assignment_id == known.id, value.is_not(None))
            if student:
                rows = rows.where(SUBMISSION.c.student_id == student)
            for name, cell, given in self._rows(rows):
                if cell in names and (given or field == "points"):
                    old = entered[name].get(names[cell], HandMark(None, ""))
                    entered[name][names[cell]] = replace(old, **{field: given})
        return entered.get(student, {}) if student else entered


def _points(mark, answer, report):
    """What the grader gives for a cell; None leaves it to a human."""
    if report.status == "failed":
        return None
    if mark is not None:
        return mark.points
    return None if report.status == "graded" and answer.strip() else 0.0


def time_of(text):
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
    return failed[0].replace("\0", "\ufffd") if failed else None      # PostgreSQL takes no NUL
