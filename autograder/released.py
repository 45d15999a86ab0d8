"""What learners are given: a notebook without its solutions and hidden tests.

nbgrader makes the released file; these few lines say the same of a notebook in memory,
so that the rehearsal can look for answers in it, and the similarity report can take away
what every learner began with.
"""

import re

from autograder.submission import is_answer, visible

STUB = "# YOUR CODE HERE\nraise NotImplementedError()"     # nbgrader's own


def stub(source):
    """The text of a solution cell as nbgrader releases it.

    Parameters
    ----------
    source : str
        With the answer between ``### BEGIN SOLUTION`` and ``### END SOLUTION``. All of
        the cell is the answer if it has no such lines.

    Returns
    -------
    str
    """
    if "### BEGIN SOLUTION" not in source:
        return STUB
    return re.sub(r"^([ \t]*)### BEGIN SOLUTION.*?### END SOLUTION[^\n]*",
                  r"\1raise NotImplementedError()", source, flags=re.DOTALL | re.MULTILINE)


def solution(source):
    """The part of a solution cell that is not released."""
    regions = re.findall(r"### BEGIN SOLUTION[^\n]*\n(.*?)^[ \t]*### END SOLUTION", source,
                         flags=re.DOTALL | re.MULTILINE)
    return "".join(regions) if "### BEGIN SOLUTION" in source else source


def hidden(source):
    """The part of a test cell that is not released: empty lines in place of the rest."""
    lines, inside = [], False
    for line in source.splitlines():
        inside = inside and "### END HIDDEN TESTS" not in line
        lines.append(line if inside else "")
        inside = inside or "### BEGIN HIDDEN TESTS" in line
    return "\n".join(lines)


def released_line(source, line):
    """The number that a line of a test cell has in the released cell; 0 if it is not released."""
    lines = [each or " " for each in source.splitlines()]      # an empty line counts as well

    def shown(count):
        return len(visible("\n".join(lines[:count])).splitlines())
    return shown(line) if line and shown(line) > shown(line - 1) else 0


def released_text(cell):
    """The text of an instructor's cell as it is released."""
    if not is_answer(cell):
        return visible(cell.source)
    return stub(cell.source) if cell.cell_type == "code" else ""
