"""The notebook that nbgrader's formgrader shows to the one who marks by hand.

Formgrader renders a notebook in the instructor's browser, with the instructor's rights,
and believes in whatever HTML stands in it. So it gets the instructor's cells, the
learner's text with every tag and link taken apart, and of the outputs only text and
pictures; the feedback page has the others. The test cells carry what the tests said.
"""

import contextlib
import re

import nbformat
from nbformat.v4 import new_markdown_cell, new_output

from autograder import sanitise
from autograder.submission import (
    grade_id, is_answer, is_instructors, is_test, load, rebuild,
)

PICTURES = ("image/png", "image/jpeg")
SPACE = "\u200b"                 # of no width: text looks the same, and is no markup

# What begins a tag, and what stands inside a link or a picture of Markdown, or an address.
_markup = re.compile(r"<(?=[A-Za-z/!?])|\](?=[(\[:])|:(?=//)")


def marked(source, submission, report):
    """The marked notebook of a submission.

    Parameters
    ----------
    source : SourceNotebook
    submission : Path
    report : Report
        Of the notebook at `submission`.

    Returns
    -------
    str
        The notebook as JSON.
    """
    original = nbformat.read(source.path, as_version=4)
    notebook, _ = rebuild(load(submission), original)
    notebook.metadata = original.metadata
    written = iter(report.notebook)
    for cell in notebook.cells:
        if is_answer(cell) or not is_instructors(cell):
            outputs = next(written).outputs
            if cell.cell_type == "code":
                cell.outputs = [_output(output) for output in outputs]
            else:
                cell.source = harmless(cell.source)
                cell.attachments = {}
    return _finished(notebook, report)


def unmarked(source, report):
    """The same for a submission that could not be marked: the reason, and no answers."""
    notebook = nbformat.read(source.path, as_version=4)
    for cell in notebook.cells:
        if is_answer(cell):
            cell.source = ""
    notebook.cells.insert(0, new_markdown_cell(f"**Not graded.** {harmless(report.reason)}"))
    return _finished(notebook, report)


def harmless(text):
    """Markdown in which no tag and no link is left.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
    """
    return _markup.sub(lambda found: found[0] + SPACE, text)


def _finished(notebook, report):
    """The notebook as JSON, with the marks at its test cells."""
    marks = {mark.grade_id: mark for mark in report.cells}
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        if cell.cell_type != "code":
            continue
        cell.execution_count = None
        if is_test(cell):
            cell.outputs = [_verdict(marks[grade_id(cell)])]
        elif is_instructors(cell) and not is_answer(cell):
            cell.outputs = []
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return nbformat.writes(notebook)


def _verdict(mark):
    points = f"{mark.points:g} of {mark.max_points:g} points"
    if mark.passed:
        return new_output("stream", name="stdout", text=f"Passed: {points}.\n")
    return new_output("error", ename="Failed", evalue=mark.message,
                      traceback=[f"Failed: {points}.", mark.message])


def _output(output):
    """An output as text or as a picture."""
    if output.kind in ("stdout", "stderr"):
        return new_output("stream", name=output.kind, text=output.data)
    if output.kind == "error":
        return new_output("error", ename="", evalue="", traceback=output.data.splitlines())
    if output.kind == "text/plain":
        return new_output("display_data", {"text/plain": output.data})
    if output.kind in PICTURES:
        with contextlib.suppress(sanitise.Refused):     # no picture, or too large for a browser
            address = sanitise.picture(output.kind, output.data).address
            return new_output("display_data", {output.kind: address.partition(",")[2]})
    return new_output("stream", name="stdout",
                      text=f"[{output.kind}: see the feedback page]\n")
