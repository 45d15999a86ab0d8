"""Read what was handed in, and rebuild the notebook from the instructor's skeleton.

A submitted file is a claim, not a notebook: it may be cut off, huge, of another kind,
or edited with care. Of all it holds only the text of cells is taken, by the name
(grade_id) of the answer cell it belongs to; tests, points and every other piece of
metadata come from the instructor's notebook. A cell that a learner deleted, copied or
changed by accident therefore costs nothing.
"""

import json
import stat
from dataclasses import dataclass, field

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

MAX_BYTES = 10_000_000
MAX_CELLS = 1000
LEARNERS = "learners-own"     # tag of the learner's own cells in a rebuilt notebook


class Rejected(Exception):
    """What was handed in cannot be graded; `reason` is one word, the text a sentence."""

    def __init__(self, reason, sentence):
        super().__init__(sentence)
        self.reason = reason


@dataclass
class SubmittedCell:
    """The kind ("code" or "markdown"), the text and the claimed name of one cell.

    `labelled` says that the name is a grade_id, not the cell's id.
    """

    kind: str
    text: str
    name: str | None
    labelled: bool = False


@dataclass
class Submitted:
    """The cells of a submission, and what is odd about it."""

    cells: list[SubmittedCell]
    notes: list[str] = field(default_factory=list)


# ---- reading ----------------------------------------------------------------


def load(path):
    """Read a submitted notebook as data.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    Submitted

    Raises
    ------
    Rejected
        With the reason "missing", "not-a-file", "too-big", "not-json", "too-deep",
        "not-a-notebook" or "too-many-cells".
    """
    notes = []
    data = _parse(_decode(read(path), notes))
    cells = _cells(data, notes)
    if len(cells) > MAX_CELLS:
        raise Rejected("too-many-cells", f"The notebook has {len(cells)} cells; "
                                         f"at most {MAX_CELLS} are read.")
    cells = [_cell(cell, notes) for cell in cells]
    if cells and not any(cell.labelled for cell in cells):
        notes.append("The cells have lost nbgrader's metadata; they were told by their ids.")
    return Submitted(cells, notes)


def read(path):
    """The bytes of a submitted file; Rejected if it is missing, no plain file, or too big."""
    try:
        status = path.lstat()
    except OSError:
        raise Rejected("missing", f"There is no notebook {path.name}.") from None
    if not stat.S_ISREG(status.st_mode):
        raise Rejected("not-a-file", f"{path.name} is not a plain file.")
    if status.st_size > MAX_BYTES:
        raise Rejected("too-big", f"{path.name} has {status.st_size / 1e6:.0f} MB; at most "
                                  f"{MAX_BYTES / 1e6:.0f} MB are read. Clear the outputs.")
    try:
        return path.read_bytes()
    except OSError as error:
        raise Rejected("not-a-file", f"{path.name} cannot be read: {error.strerror}.") from None


def _decode(raw, notes):
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        notes.append("The file is not in UTF-8; it was read as Latin-1.")
        return raw.decode("latin-1")


def _parse(text):
    if not text.strip():
        raise Rejected("not-json", "The file is empty. Save the notebook, and hand it in again.")
    try:
        return json.loads(text)
    except RecursionError:
        raise Rejected("too-deep", "The file is nested too deeply to be a notebook.") from None
    except ValueError as error:
        raise Rejected("not-json", f"The file is not a notebook: it is not valid JSON ({error}). "
                                   "It may have been cut off.") from None


def _cells(data, notes):
    """The list of raw cells; a notebook of format 3 keeps them in worksheets."""
    if not isinstance(data, dict):
        raise Rejected("not-a-notebook", "The file is JSON, but not a notebook.")
    cells = data.get("cells")
    if cells is None and isinstance(data.get("worksheets"), list):
        notes.append("The notebook has the old format 3; it was read as it is.")
        cells = [cell for sheet in data["worksheets"] if isinstance(sheet, dict)
                 for cell in _list(sheet.get("cells"))]
    if not isinstance(cells, list):
        raise Rejected("not-a-notebook", "The file is JSON, but not a notebook: it has no cells.")
    return cells


def _cell(cell, notes):
    """The text and the claimed name of one raw cell, whatever else it holds."""
    if not isinstance(cell, dict):
        notes.append("Something that is not a cell stands among the cells; it was left out.")
        return SubmittedCell("markdown", "", None)
    text = cell.get("source", cell.get("input", ""))
    if isinstance(text, list):
        text = "".join(line for line in text if isinstance(line, str))
    if not isinstance(text, str):
        notes.append("The text of a cell is not text; it was left out.")
        text = ""
    # a lone surrogate is no character: it would break every file it were written to
    text = text.encode("utf-8", "replace").decode("utf-8")
    metadata = cell.get("metadata")
    nbgrader = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    name = nbgrader.get("grade_id") if isinstance(nbgrader, dict) else None
    labelled = isinstance(name, str)
    if not labelled:
        # some programs drop the metadata; the released notebooks repeat the name as the id
        name = cell.get("id") if isinstance(cell.get("id"), str) else None
    kind = "code" if cell.get("cell_type") == "code" else "markdown"
    return SubmittedCell(kind, text, name, labelled)


def _list(value):
    return value if isinstance(value, list) else []


# ---- rebuilding -------------------------------------------------------------


def grade_id(cell):
    """Name of an instructor's cell, or None if it is a plain one."""
    return cell.metadata.get("nbgrader", {}).get("grade_id")


def is_answer(cell):
    """Is this an instructor's cell that the learner fills in?"""
    return bool(cell.metadata.get("nbgrader", {}).get("solution"))


def is_instructors(cell):
    """Is this a cell whose text is the instructor's, in a rebuilt notebook?"""
    return not is_answer(cell) and LEARNERS not in cell.metadata.get("tags", [])


def is_test(cell):
    """Is this an instructor's cell that marks by running?"""
    return bool(cell.metadata.get("nbgrader", {}).get("grade")) and not is_answer(cell)


def visible(source):
    """The text of an instructor's cell as it was released: without its hidden tests."""
    lines, hidden = [], False
    for line in source.splitlines():
        if "### BEGIN HIDDEN TESTS" in line:
            hidden = True
        elif "### END HIDDEN TESTS" in line:
            hidden = False
        elif not hidden:
            lines.append(line)
    return "\n".join(lines)


def rebuild(submitted, source):
    """Put the learner's text into the instructor's notebook.

    Parameters
    ----------
    submitted : Submitted
    source : nbformat.NotebookNode
        The instructor's notebook, hidden tests included.

    Returns
    -------
    notebook : nbformat.NotebookNode
        All cells of `source`, with the learner's text in the answer cells, and the
        learner's own code cells behind the cell that they followed.
    notes : list of str
        What was mended, in words.
    """
    from autograder.released import released_text          # which imports this module

    named = {grade_id(cell): cell for cell in source.cells if grade_id(cell)}
    last = {cell.name: place for place, cell in enumerate(submitted.cells) if cell.name in named}
    released = {released_text(cell).strip() for cell in source.cells}

    texts, extras, copied, before = {}, {}, [], None
    for place, cell in enumerate(submitted.cells):
        if cell.name in named and last[cell.name] == place:
            before = cell.name
            texts[before] = cell.text
        elif cell.name in named:
            copied.append(cell.name)
            if is_answer(named[cell.name]):
                extras.setdefault(before, []).append(cell.text)
        elif cell.kind == "code" and cell.text.strip() not in released:
            extras.setdefault(before, []).append(cell.text)

    cells = [_learners_own(text) for text in extras.get(None, [])]
    for cell in source.cells:
        name = grade_id(cell)
        cells.append(_rebuilt(cell, texts.get(name)) if name else cell)
        cells += [_learners_own(text) for text in extras.get(name, []) if name]
    return new_notebook(cells=cells), [*submitted.notes, *_mended(named, texts, copied)]


def _learners_own(text):
    return new_code_cell(text, metadata={"tags": [LEARNERS]})


def _rebuilt(cell, text):
    """The instructor's cell, with the learner's text if it is an answer cell."""
    make = new_code_cell if cell.cell_type == "code" else new_markdown_cell
    rebuilt = make((text or "") if is_answer(cell) else cell.source)
    rebuilt.metadata["nbgrader"] = dict(cell.metadata["nbgrader"])
    return rebuilt


def _mended(named, texts, copied):
    """What was mended in the instructor's cells, a sentence for each kind of mending."""
    missing = [name for name in named if name not in texts]
    changed = [name for name, cell in named.items() if name in texts and not is_answer(cell)
               and texts[name].strip() not in (visible(cell.source).strip(), cell.source.strip())]
    for names, one, many in [
        (dict.fromkeys(copied), "occurs more than once; the last one counts",
         "occur more than once; the last of each counts"),
        ([name for name in missing if is_answer(named[name])], "is missing", "are missing"),
        ([name for name in missing if not is_answer(named[name])],
         "was missing; it was put back", "were missing; they were put back"),
        (changed, "was changed; the original was used", "were changed; the originals were used"),
    ]:
        if names:
            yield f"The {_listed(list(names))} {one if len(names) == 1 else many}."


def _listed(names):
    """The names of cells in a sentence: "cells a, b and c"."""
    if len(names) == 1:
        return f"cell {names[0]}"
    return f"cells {', '.join(names[:-1])} and {names[-1]}"
