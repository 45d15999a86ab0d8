"""The commands of the grader: grade, feedback, export, similar, rehearse, check, demo.

    autograder grade 01-differences        mark what was handed in since the last time
    autograder feedback 01-differences     write the pages again, with marks given by hand
    autograder export 01-differences       marks for Canvas or Moodle
    autograder similar 01-differences      which submissions resemble each other
    autograder rehearse                    try the course's own right and wrong answers
    autograder check NOTEBOOK              for learners: what the visible checks say
    autograder demo                        all of it with an invented class

Exit codes: 0, all is well; 1, it is done, but somebody must look (a submission was not
graded, an assignment has a defect); 2, nothing was done, and one line says why; 130,
interrupted.
"""

import argparse
import contextlib
import errno
import functools
import itertools
import os
import sys

DONE, LOOK, UNUSABLE, INTERRUPTED = 0, 1, 2, 130


def main(arguments=None):
    """Run a command; returns its exit code."""
    chosen = _parser().parse_args(arguments)
    try:
        return _run(chosen)
    except KeyboardInterrupt:
        print("\nautograder: interrupted; what was finished is saved.", file=sys.stderr)
        return INTERRUPTED


def _run(chosen):
    """Run the chosen command; what stops it is told in one line."""
    # Each command imports what it needs when it runs, so that the help comes at once,
    # the processes that mark submissions start fast, and `check` works where there is no
    # sandbox, on Windows and macOS.
    from autograder import Unusable
    try:
        return chosen.run(chosen)
    except Unusable as problem:
        print(f"autograder: {' '.join(str(problem).split())}", file=sys.stderr)
    except OSError as problem:
        where = f": {problem.filename}" if problem.filename else ""
        rest = (". What was finished is saved; make room, and the same command goes on from there."
                if problem.errno in (errno.ENOSPC, errno.EDQUOT) else "")
        print(f"autograder: {problem.strerror or problem}{where}{rest}", file=sys.stderr)
    return UNUSABLE


def _parser():
    parser = argparse.ArgumentParser(
        prog="autograder", description=__doc__.partition("\n")[0],
        epilog=__doc__[__doc__.index("Exit codes"):],
        formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(function, name, words):
        sub = commands.add_parser(name, help=words, description=f"{words[0].upper()}{words[1:]}.")
        sub.set_defaults(run=function)
        sub.add_argument("--course", metavar="DIR", default=".",
                         help="the root of the nbgrader course (default: here)")
        return sub

    def one_assignment(sub):
        sub.add_argument("assignment", metavar="ASSIGNMENT")
        sub.add_argument("--db", metavar="URL", help="nbgrader's gradebook, if it is not the one "
                         "that the course's configuration names: an SQLAlchemy address such as "
                         "postgresql+psycopg://USER@HOST/DATABASE")

    def sandbox(sub):
        kind = sub.add_mutually_exclusive_group()
        kind.add_argument("--sandbox", choices=["bubblewrap", "container"], default="bubblewrap",
                          help="what learners' code runs in; container is Podman or Docker")
        kind.add_argument("--unsafe", dest="sandbox", action="store_const", const="none",
                          help="run learners' code without a sandbox, with all your rights; "
                          "every report will say so")

    sub = command(grade, "grade", "mark what was handed in; write gradebook, reports and feedback")
    one_assignment(sub)
    sub.add_argument("--student", metavar="ID", action="append", help="only this one (repeatable)")
    sub.add_argument("--regrade", action="store_true", help="mark again what is marked already, "
                     "with the same hidden inputs unless there is a --seed")
    sub.add_argument("--seed", type=_seed, metavar="N",
                     help="draw the hidden inputs from this seed (default: that of the "
                     "submission's last report, or a new one)")
    where = sub.add_mutually_exclusive_group()
    where.add_argument("--workers", type=_workers, metavar="N",
                       help="submissions that are marked at a time (default: one for each core)")
    where.add_argument("--scheduler", metavar="ADDRESS", help="mark on the Dask cluster whose "
                       "scheduler has this address, such as tcp://host:8786")
    sandbox(sub)
    sub = command(feedback, "feedback", "write the feedback pages again, with the marks that were "
                  "given by hand since")
    one_assignment(sub)
    sub = command(export, "export", "write the marks as a CSV file for another system")
    one_assignment(sub)
    sub.add_argument("--to", choices=["canvas", "moodle"], required=True)
    sub.add_argument("--roster", metavar="FILE", help="a CSV file with the students as that "
                     "system calls them: Canvas's exported gradebook, Moodle's grading worksheet")
    sub.add_argument("--output", metavar="FILE", help="default: ASSIGNMENT-canvas.csv or "
                     "ASSIGNMENT-moodle.csv, here")
    sub = command(similar, "similar", "compare the submissions of an assignment with each other, "
                  "without what everybody was given")
    one_assignment(sub)
    sub.add_argument("--least", type=_percentage, metavar="PERCENT", default=50,
                     help="of their own tokens that a pair must have in common to be listed "
                     "(default: 50)")
    sub = command(rehearse, "rehearse", "try the solution, the right and the wrong answers of "
                  "assignments in the real grader")
    sub.add_argument("assignments", metavar="ASSIGNMENT", nargs="*", help="default: all")
    sandbox(sub)
    sub = commands.add_parser("check", help="for learners: what the visible checks of a notebook "
                              "say", description="Run a notebook from top to bottom and print what "
                              "its visible checks say.")
    sub.set_defaults(run=check)
    sub.add_argument("notebook", metavar="NOTEBOOK")
    sub.add_argument("--released", metavar="NOTEBOOK", help="the notebook as it was released "
                     "(default: looked for in the folders around)")
    command(demo, "demo", "grade an invented class of learners, in _build/demo")
    return parser


def _seed(text):
    seed = int(text)
    if not 0 <= seed < 2**32:
        raise argparse.ArgumentTypeError("a seed lies between 0 and 4294967295")
    return seed


def _percentage(text):
    number = float(text)
    if not 0 < number <= 100:
        raise argparse.ArgumentTypeError("a percentage lies between 0 and 100")
    return number


def _require(sandbox):
    """Raise SandboxUnavailable unless this machine has the sandbox."""
    from autograder import containers
    from autograder.sandbox import Contents, require_bubblewrap, require_in_sight
    if sandbox == "bubblewrap":
        require_bubblewrap()
    elif sandbox == "container":
        containers.engine()
    if sandbox != "none":
        require_in_sight(Contents())


def _workers(text):
    workers = int(text)
    if not 1 <= workers <= 1000:
        raise argparse.ArgumentTypeError("there are from 1 to 1000 workers")
    return workers


# ---- the commands -----------------------------------------------------------


def grade(chosen):
    """Mark an assignment."""
    from autograder import apart
    if not chosen.scheduler:
        apart.prepare()                     # imports beside us what marking needs
    from autograder import Unusable, classroom, executors, overview, tables
    from autograder.course import Course
    from autograder.gradebook import Gradebook
    from autograder.summary import Summary

    course = Course(chosen.course, chosen.db)
    assignment = course.assignment(chosen.assignment)
    for student in chosen.student or []:
        if student not in course.students(assignment.name):
            folder = course.folder("submitted", student, assignment.name)
            raise Unusable(f"{student} handed in nothing: there is no folder {folder}.")
    if chosen.scheduler:
        executor = functools.partial(executors.dask, chosen.scheduler)
    else:
        _require(chosen.sandbox)
        executor = functools.partial(executors.local, chosen.workers)
    results, summary = [], Summary(assignment)

    def counted(graded):
        for result in graded:
            summary.add(result)
            results.append(tables.brief(result))
            yield result

    with contextlib.closing(classroom.grade_class(
            course, assignment, students=chosen.student, seed=chosen.seed, sandbox=chosen.sandbox,
            regrade=chosen.regrade, executor=executor)) as graded:
        if chosen.student:
            for _ in counted(graded):
                pass
            page = overview.write(course, assignment, classroom.all_results(course, assignment))
        else:
            page = overview.write(course, assignment, counted(graded))
    with Gradebook(course) as gradebook:
        waiting = gradebook.waiting(assignment.name)
    results.sort(key=lambda result: result.student)
    print(tables.marks(assignment, results))
    print(tables.noticed(results))
    print(f"\n{summary.text(waiting)}\n")
    strays = course.strays()
    if strays:
        print(tables.strays(strays))
    if summary.kept:
        print(f"Kept: {summary.kept} of {summary.submissions} were marked before, and neither "
              "they nor the assignment nor the grader changed. To mark them again: --regrade")
    reports, pages = [os.path.relpath(course.folder(step, "*", assignment.name))
                      for step in ("autograded", "feedback")]
    print(f"Seed of the hidden inputs: {tables.listed(summary.seeds)}")
    print(f"Gradebook: {course.gradebook}")
    print(f"Reports:   {reports}/{classroom.REPORT}")
    print(f"Feedback:  {pages}/*.html")
    print(f"Overview:  {os.path.relpath(page)}")
    return DONE if all(result.graded for result in results) and not strays else LOOK


def feedback(chosen):
    """Write the feedback pages of an assignment again."""
    from autograder import classroom, feedback, overview
    from autograder.course import Course
    from autograder.gradebook import Gradebook
    from autograder.progress import bar

    course = Course(chosen.course, chosen.db)
    assignment = course.assignment(chosen.assignment)
    results = classroom.read_results(course, assignment)
    results = itertools.chain([next(results)], results)    # nothing is written if there is none
    students = course.graded(assignment.name)
    pages = []

    def written(results):
        with Gradebook(course) as gradebook:
            gradebook.penalise(assignment.name)
            by_hand = gradebook.by_hand(assignment.name)
            penalties = gradebook.penalties(assignment.name)
        with bar(len(students), assignment.name) as progress:
            for result in results:
                pages.extend(feedback.write(course, assignment, result, by_hand[result.student],
                                            penalties.get(result.student, {})))
                progress.update()
                yield result

    with course.only_writer():         # no page of an older mark in the place of a newer one
        page = overview.write(course, assignment, written(results))
    print(f"{len(pages)} pages, the first of them {os.path.relpath(pages[0])}")
    print(f"Overview: {os.path.relpath(page)}")
    return DONE


def export(chosen):
    """Write the marks of an assignment for another system."""
    from autograder import exports
    from autograder.course import Course

    course = Course(chosen.course, chosen.db)
    assignment = course.assignment(chosen.assignment)
    path = chosen.output or f"{assignment.name}-{chosen.to}.csv"
    print(exports.export(course, assignment, chosen.to, chosen.roster, path))
    return DONE


def similar(chosen):
    """Compare submissions with each other."""
    from autograder import similarity
    from autograder.course import Course

    course = Course(chosen.course, chosen.db)
    assignment = course.assignment(chosen.assignment)
    found = similarity.similar(course, assignment, least=chosen.least / 100)
    print(similarity.text(found))
    print(f"\nSide by side: {os.path.relpath(similarity.write(course, assignment, found))}")
    return DONE


def rehearse(chosen):
    """Rehearse assignments."""
    from autograder import rehearsal, tables
    from autograder.course import Course

    course = Course(chosen.course)
    _require(chosen.sandbox)
    sources = [source for name in chosen.assignments or course.assignments()
               for source in course.assignment(name).notebooks]
    defects = 0
    for source in sources:
        trials = rehearsal.rehearse_with_progress(source, sandbox=chosen.sandbox)
        print(tables.rehearsed(source, trials))
        defects += sum(bool(trial.defect) for trial in trials)
    return LOOK if defects else DONE


def check(chosen):
    """Print what the visible checks of a learner's notebook say."""
    from autograder import selfcheck
    return selfcheck.run(chosen.notebook, released=chosen.released)


def demo(chosen):
    """Show everything with an invented class."""
    from autograder import demo
    demo.run(chosen.course)
    return DONE
