"""What learners are told about a cell, in the same words before and after handing in.

The grader says it on the feedback page, `autograder check` on the learner's own machine.
Both know lines of the notebook from IPython's tracebacks, which a learner's code can
write as it likes: what is read there decides nothing but these words. A hidden test is
never quoted; a check that learners see is.
"""

import re

NO_ANSWER = "This is not answered yet."

_place = re.compile(r"Cell In ?\[(\d{1,6})\], line (\d{1,6})")
_file = re.compile(r"\s*\((?:<ipython-input[^>]*>|\d+\.py), line \d+\)\s*$")


def places(traceback):
    """The lines of cells in a traceback, from the cell that was run to where the error arose.

    Parameters
    ----------
    traceback : str
        Without colours.

    Returns
    -------
    list of (int, int)
        How many cells had been run up to that one, and the number of the line in it.
    """
    return [(int(cell), int(line)) for cell, line in _place.findall(traceback)]


def place(name, source, line):
    """Where something is, in brackets.

    Parameters
    ----------
    name : str
        What learners call the cell.
    source : str
        Its text.
    line : int
        From 1 on.
    """
    lines = source.splitlines()
    code = lines[line - 1].strip() if 0 < line <= len(lines) else ""
    return f" (cell {name}, line {line}: {code})"


def error(kind, text):
    """An exception without the name of the file that stood for a cell.

    Parameters
    ----------
    kind, text : str
        Its class and what it says.
    """
    said = _file.sub("", text).strip()
    return f"{kind}: {said}" if said else kind


def stops(name, error, where=""):
    """That an error ended a cell; `where` is what `place` says."""
    return f"The cell {name} stops with {error}{where}"


def raised(error, where=""):
    """That an exception came out of the learner's code during a test."""
    return f"Your code raised {error}{where}"


def does_not_hold(where):
    """That an assert without a message failed; `where` is None in a test that nobody sees."""
    if where is None:
        return "What the test asserts about your answer does not hold."
    return f"What the check asserts does not hold{where}"


def not_defined(name):
    """That a name is missing which a test asks for."""
    return (f"{name} is not defined. Was its cell deleted, or did it stop with an error before "
            "the definition?")


def needed(name):
    """That a name is missing because the exercise is not answered to which it belongs."""
    return f"This needs {name}, which is not answered yet."


def unusable(error):
    """That an answer broke a test."""
    return f"The test cannot use your answer ({error})."
