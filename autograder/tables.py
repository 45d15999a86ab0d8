"""What the commands print: marks of a class, what was noticed, what was rehearsed.

Names and notes may hold text that a learner chose; it is printed without control
characters, so that it cannot move the cursor of the instructor's terminal.
"""

from dataclasses import replace

UNSAFE = "UNSAFE: learners' code ran without a sandbox, so these marks cannot be trusted."
LINES_EACH = 3                   # that are said about a submission
ROWS = 100                       # of a class that are printed
REMARKS = 40                     # that are printed about a class


def marks(assignment, results):
    """Students and their points, one column for each exercise.

    Parameters
    ----------
    assignment : Assignment
    results : list of Result

    Returns
    -------
    str
    """
    exercises = [(notebook.name, exercise) for notebook in assignment.notebooks
                 for exercise in notebook.exercises if exercise.tests]
    head = [assignment.name, *(exercise.name for _, exercise in exercises), "points", ""]
    most = ["at most", *(f"{exercise.tested:g}" for _, exercise in exercises),
            f"{sum(exercise.tested for _, exercise in exercises):g}", ""]
    if len(results) > ROWS:
        text = (f"{len(results)} submissions of {assignment.name}: more than are listed here. "
                "Their marks are in the gradebook.")
        return _stamped(text, results)
    rows = [[shown(result.student),
             *(f"{earned(result.reports[notebook], exercise):g}"
               for notebook, exercise in exercises),
             f"{result.points:g}", "" if result.graded else "not graded"] for result in results]
    return _stamped(aligned([head, most, *rows]), results)


def _stamped(text, results):
    unsafe = any(result.sandbox == "none" for result in results)
    return f"{UNSAFE}\n{text}" if unsafe else text


def brief(result):
    """A result without the learner's text and outputs, of which a large class has much."""
    return replace(result, reports={name: replace(report, notebook=[])
                                    for name, report in result.reports.items()})


def listed(numbers):
    """A few numbers, or the first ones."""
    numbers = sorted(numbers)
    return ", ".join(map(str, numbers[:3])) + (", ..." if len(numbers) > 3 else "")


def earned(report, exercise):
    """Points of a report in one exercise."""
    return sum(mark.points for mark in report.cells if mark.exercise == exercise.name)


def noticed(results):
    """What the instructor should know: who was not graded, incidents, and notes.

    Of each submission the first LINES_EACH things are shown, and REMARKS in all; the
    reports have the others.
    """
    lines = []
    for result in results:
        said = []
        for report in result.reports.values():
            said += [report.reason] if report.status != "graded" else []
            said += [f"incident {incident.kind} in {incident.cell or 'the notebook'}: "
                     f"{incident.detail}" for incident in report.incidents]
            said += report.notes
        rest = len(said) - LINES_EACH
        said[LINES_EACH:] = [f"and {rest} more, in the report"] if rest > 0 else []
        lines += [f"  {shown(result.student)}: {shown(line, 160)}" for line in said]
    rest = len(lines) - REMARKS
    lines[REMARKS:] = [f"  and {rest} more, in the reports"] if rest > 0 else []
    return "\n".join(["Noticed:", *lines]) if lines else "Nothing odd was noticed."


def strays(places):
    """What was handed in where no assignment is."""
    rest = len(places) - LINES_EACH
    return ("Not looked at, because it lies in no folder of an assignment: "
            + ", ".join(shown(place, 100) for place in places[:LINES_EACH])
            + (f" and {rest} more" if rest > 0 else ""))


def rehearsed(source, trials):
    """What was tried in each exercise, and every defect, as text."""
    rows = [["exercise", "right", "wrong", "generic", "defects"]]
    for exercise in source.exercises:
        own = [trial for trial in trials if trial.exercise == exercise.name]
        counts = [sum(trial.kind in kinds and trial.applies for trial in own)
                  for kinds in (("solution", "right"), ("wrong",), ("generic",))]
        rows.append([exercise.name, *map(str, counts), str(sum(bool(t.defect) for t in own))])
    defects = [f"  {trial.exercise or source.name}, {trial.title}: {trial.defect}"
               for trial in trials if trial.defect]
    verdict = "Defects:" if defects else "No defects."
    return "\n".join([source.name, aligned(rows), verdict, *defects])


def shown(text, width=40):
    """Text that a learner may have chosen, in one printable line of a terminal."""
    line = "".join(c if c.isprintable() else " " for c in text)
    return line if len(line) <= width else line[:width - 3] + "..."


def aligned(rows):
    """Rows as text in columns: the first to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) if place in (0, len(row) - 1) else cell.rjust(width)
                 for place, (cell, width) in enumerate(zip(row, widths))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
