"""Mark a class: one submission after the other, whatever becomes of each.

Every submission is a job that always ends with a Result, so none stops the class. This
process alone writes the gradebook, one submission at a time, after the job has written
its report.json: whoever interrupts the run loses at most the submission in hand. Jobs
are plain data and independent of each other, so that any executor could carry them.
"""

import secrets

from autograder.course import Unusable
from autograder.gradebook import Gradebook
from autograder.job import REPORT, Job, Result, complete, mark
from autograder.progress import bar


def grade_class(course, assignment, *, students=None, seed=None, sandbox="bubblewrap"):
    """Mark submissions of an assignment, and write reports and gradebook.

    Parameters
    ----------
    course : Course
    assignment : Assignment
    students : sequence of str, optional
        Whose submissions; default: of all who handed in a folder, and of all who once
        did, so that no mark outlives what it was given for.
    seed : int, optional
        Of the inputs that hidden tests draw; default: a new one, kept in the reports.
    sandbox : str

    Yields
    ------
    Result
        In the order of the students' names, each after it was saved.

    Raises
    ------
    Unusable
        If nobody handed in, or the gradebook cannot be used.
    """
    if seed is None:
        seed = secrets.randbelow(2**32)
    with Gradebook(course) as gradebook:
        gradebook.enter(assignment)
        if students is None:
            students = sorted({*course.students(assignment.name),
                               *gradebook.submitters(assignment.name)})
        if not students:
            where = course.folder("submitted", "STUDENT", assignment.name)
            raise Unusable(f"Nobody handed in {assignment.name}: there is no folder {where}.")
        jobs = [Job(student, assignment.name, course.folder("submitted", student, assignment.name),
                    course.folder("autograded", student, assignment.name),
                    assignment.notebooks, seed, sandbox) for student in students]
        unmarked = noticed = 0
        with bar(len(jobs), assignment.name, "submission") as progress:
            for result in map(mark, jobs):
                gradebook.write(result)
                unmarked += not result.graded
                noticed += any(report.incidents for report in result.reports.values())
                progress.set_postfix_str(f"{unmarked} not graded, {noticed} with incidents", False)
                progress.update()
                yield result


def read_results(course, assignment):
    """All results of an assignment that were written before, by the students' names.

    Parameters
    ----------
    course : Course
    assignment : Assignment

    Returns
    -------
    list of Result

    Raises
    ------
    Unusable
        If there is none, or one cannot be read or is of other notebooks.
    """
    again = f"Run: autograder grade {assignment.name}"
    results = []
    for student in course.graded(assignment.name):
        path = course.folder("autograded", student, assignment.name) / REPORT
        if path.is_file():
            try:
                result = Result.from_json(path.read_text(encoding="utf-8"))
                result.reports = {source.name: complete(result.reports[source.name], source)
                                  for source in assignment.notebooks}
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise Unusable(f"{path} does not fit the assignment. {again}") from error
            results.append(result)
    if not results:
        raise Unusable(f"Nothing is graded yet. {again}")
    return results
