"""Mark a class, whatever becomes of each submission, and go on where a run was broken off.

Every submission is a job that always ends with a result, so none stops the class. This
process alone writes: the marked notebook, the feedback, then the gradebook in one
transaction, and last report.json. A submission whose report.json tells of the same
submission, assignment and grader is not marked again; whoever interrupts a run loses at
most what was in hand.
"""

import math
import secrets
import stat
from dataclasses import replace

from autograder import Unusable, executors, feedback, job
from autograder.gradebook import Gradebook
from autograder.job import REPORT, Job, Marked, Material, Result, complete, write_whole
from autograder.progress import bar
from autograder.sandbox import require_out_of_sight

TIMESTAMP = "timestamp.txt"               # when it was handed in
SECRET = "submission_secret.txt"          # under its hash the exchange returns the feedback
SLIP = 200                                # characters that are read of such a file


def grade_class(course, assignment, *, students=None, seed=None, sandbox="bubblewrap",
                regrade=False, executor=executors.local):
    """Mark submissions of an assignment, and write everything that comes of it.

    Parameters
    ----------
    course : Course
    assignment : Assignment
    students : sequence of str, optional
        Whose submissions; default: of all who handed in a folder, and of all who once
        did, so that no mark outlives what it was given for.
    seed : int, optional
        Of the inputs that hidden tests draw. Default: the one with which the same
        submission was marked before, so that a regrade repeats; else a new one.
    sandbox : str
    regrade : bool
        Mark again what is marked already.
    executor : function
        `executors.local` or another that returns such a context.

    Yields
    ------
    Result
        In the order in which they are ready, each after it was saved; those that were
        marked already are `kept`.

    Raises
    ------
    Unusable
        If nobody handed in, or the gradebook, the executor or the sandbox cannot be used.
    """
    if sandbox != "none":
        require_out_of_sight(course.root)
    material = Material.of(assignment)
    with course.only_writer(), executor() as (workers, places), Gradebook(course) as gradebook:
        gradebook.enter(assignment)
        written = gradebook.points(assignment.name)
        if students is None:
            students = sorted({*course.students(assignment.name), *written})
        if not students:
            where = course.folder("submitted", "STUDENT", assignment.name)
            raise Unusable(f"Nobody handed in {assignment.name}: there is no folder {where}.")
        by_hand = gradebook.by_hand(assignment.name)
        told = gradebook.penalties(assignment.name)        # what the pages say of lateness
        fresh = secrets.randbelow(2**32) if seed is None else seed

        def jobs():
            """Each student's job, with its result if that is known already."""
            for student in students:
                new = _job(course, material, student, fresh, sandbox, by_hand[student])
                old = read_result(course, assignment, student)
                if old and seed is None and _same(old, new, "submission"):
                    new = replace(new, seed=old.seed)
                keep = (old and not regrade and not old.failed and _same(old, new)
                        and (old.sandbox, old.seed) == (sandbox, new.seed))
                yield new, replace(old, kept=True) if keep else None

        with bar(len(students), assignment.name) as progress:
            for new, outcome in executors.completed(workers, places, job.mark, jobs()):
                result = outcome
                if not isinstance(outcome, Result):
                    marked = outcome if isinstance(outcome, Marked) else job.lost(new, outcome)
                    result = marked.result
                    _save(course, marked)
                    told[new.student] = _enter(course, assignment, gradebook, result, new.by_hand, {})
                elif (outcome.timestamp != new.timestamp
                      or abs(written.get(new.student, math.inf) - outcome.points) > 1e-6):
                    result.timestamp = new.timestamp
                    told[new.student] = _enter(course, assignment, gradebook, result, new.by_hand,
                                               told.get(new.student, {}))
                _pass_on(course, result)
                progress.count(result)
                yield result
        gradebook.penalise(assignment.name)
        now = gradebook.penalties(assignment.name)
        for student in sorted({*told, *now} & {*students}):
            if told.get(student, {}) != now.get(student, {}):      # a due date was moved, say
                feedback.write(course, assignment, read_result(course, assignment, student),
                               by_hand[student], now.get(student, {}))


def _job(course, material, student, seed, sandbox, by_hand):
    """The job of a student, with what lies in the submitted folder now."""
    folder = course.folder("submitted", student, material.assignment)
    is_link = course.is_link(student, material.assignment)
    return Job(student, material, job.hand_in(folder, material, is_link),
               "" if is_link else _slip(folder / TIMESTAMP).strip(), seed, sandbox,
               dict(by_hand), job.grader())


def _slip(path):
    """The text of a small file that came with a submission; '' if it is no plain file."""
    try:
        if stat.S_ISREG(path.lstat().st_mode):
            with open(path, encoding="utf-8", errors="replace") as file:
                return file.read(SLIP)
    except OSError:
        pass
    return ""


def _pass_on(course, result):
    """Lay beside the pages what nbgrader's exchange needs to give them to the right learner."""
    if course.is_link(result.student, result.assignment):
        return
    submitted, pages = (course.folder(step, result.student, result.assignment)
                        for step in ("submitted", "feedback"))
    for name in (TIMESTAMP, SECRET):
        text = _slip(submitted / name)
        if text and pages.is_dir() and text != _slip(pages / name):
            write_whole(pages / name, text)


def _same(old, new, *parts):
    """Was a result made from what the job has?"""
    digests = new.digests
    return all(old.digests.get(part) == digests[part] for part in parts or digests)


def _save(course, marked):
    """Write the notebooks and the pages that come of a submission."""
    result = marked.result
    results = _results(course, result)
    pages = course.folder("feedback", result.student, result.assignment)
    for folder, ending, texts in ((results, "ipynb", marked.notebooks),
                                  (pages, "html", marked.pages)):
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            write_whole(folder / f"{name}.{ending}", text)


def _enter(course, assignment, gradebook, result, by_hand, told):
    """Enter marks in the gradebook, and last write report.json, which says that all is there.

    What lateness costs is known only now; where the page does not tell it, it is written
    again. Returns the penalties.
    """
    penalties = gradebook.write(result)
    if penalties != told:
        feedback.write(course, assignment, result, by_hand, penalties)
    write_whole(_results(course, result) / REPORT, result.to_json())
    return penalties


def _results(course, result):
    return course.folder("autograded", result.student, result.assignment)


# ---- what was written before --------------------------------------------------


def read_result(course, assignment, student):
    """The result of a student that was written before.

    Parameters
    ----------
    course : Course
    assignment : Assignment
    student : str

    Returns
    -------
    Result or None
        None if there is none, or none that fits the assignment.
    """
    path = course.folder("autograded", student, assignment.name) / REPORT
    try:
        result = Result.from_json(path.read_text(encoding="utf-8"))
        result.reports = {source.name: complete(result.reports[source.name], source)
                          for source in assignment.notebooks}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return result


def all_results(course, assignment):
    """The results that were written before and fit the assignment, by the students' names."""
    for student in course.graded(assignment.name):
        result = read_result(course, assignment, student)
        if result is not None:
            yield result


def read_results(course, assignment):
    """All results of an assignment that were written before, by the students' names.

    Parameters
    ----------
    course : Course
    assignment : Assignment

    Yields
    ------
    Result

    Raises
    ------
    Unusable
        If there is none, or one cannot be read or is of other notebooks.
    """
    again = f"Run: autograder grade {assignment.name}"
    found = False
    for student in course.graded(assignment.name):
        path = course.folder("autograded", student, assignment.name) / REPORT
        if path.is_file():
            found = True
            result = read_result(course, assignment, student)
            if result is None:
                raise Unusable(f"{path} does not fit the assignment. {again}")
            yield result
    if not found:
        raise Unusable(f"Nothing is graded yet. {again}")
