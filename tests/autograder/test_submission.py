"""Reading what was handed in, and rebuilding the notebook, without running anything."""

import json
import os

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder import submission
from autograder.submission import Rejected, grade_id, is_instructors, load, rebuild, visible

from .conftest import HIDDEN, source_notebook, submitted_notebook

json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["cells", "worksheets", "source", "input", "metadata", "nbgrader", "id",
                         "grade_id", "cell_type"]), inner, max_size=4), max_leaves=30)


@pytest.fixture
def read(tmp_path):
    """Read bytes, text or data as a submitted file."""
    def read(content):
        if isinstance(content, (dict, list)):
            content = json.dumps(content)
        raw = content if isinstance(content, bytes) else content.encode()
        path = tmp_path / "p1.ipynb"
        path.write_bytes(raw)
        return load(path)
    return read


@pytest.fixture
def rebuilt(tmp_path):
    """Hand in a notebook; returns the texts of what is run, by name, and the notes."""
    def rebuilt(notebook):
        path = tmp_path / "p1.ipynb"
        path.write_text(nbformat.writes(notebook), encoding="utf-8")
        result, notes = rebuild(load(path), nbformat.reads(nbformat.writes(source_notebook()), 4))
        return [(grade_id(cell), cell.source) for cell in result.cells], " ".join(notes)
    return rebuilt


def place(notebook, name):
    return next(i for i, cell in enumerate(notebook.cells) if cell.get("id") == name)


# ---- reading ----------------------------------------------------------------------------


@pytest.mark.parametrize("content, reason", [
    (b"", "not-json"), (b"{\"cells\": [", "not-json"), (b"\x89PNG\r\n", "not-json"),
    (b"[" * 200_000, "too-deep"), ([], "not-a-notebook"), ({}, "not-a-notebook"),
    ({"cells": "x"}, "not-a-notebook"), ({"cells": {}}, "not-a-notebook"),
    ({"cells": [{}] * (submission.MAX_CELLS + 1)}, "too-many-cells"),
    (b" " * (submission.MAX_BYTES + 1), "too-big"),
], ids=["empty", "truncated", "a picture", "deep", "a list", "no cells", "cells of text",
        "cells by name", "many cells", "large"])
def test_what_is_no_notebook_is_rejected(read, content, reason):
    with pytest.raises(Rejected) as rejected:
        read(content)
    assert rejected.value.reason == reason
    assert "\n" not in str(rejected.value)


def test_only_a_plain_file_is_read(tmp_path):
    secret = tmp_path / "secret.ipynb"
    secret.write_text("{\"cells\": []}")
    for name, make in {"link": lambda path: path.symlink_to(secret), "folder": os.mkdir,
                       "pipe": os.mkfifo}.items():
        make(tmp_path / name)
        with pytest.raises(Rejected) as rejected:
            load(tmp_path / name)
        assert rejected.value.reason == "not-a-file"
    for missing in (tmp_path / "nothing", secret / "inside-a-file"):
        with pytest.raises(Rejected) as rejected:
            load(missing)
        assert rejected.value.reason == "missing"


@given(st.dictionaries(st.sampled_from(["cells", "worksheets"]), json_like))
def test_no_content_raises_anything_but_rejected(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("fuzz") / "p1.ipynb"
    path.write_text(json.dumps(data))
    try:
        cells = load(path)
    except Rejected:
        return
    rebuild(cells, source_notebook())


def test_a_byte_order_mark_is_passed_over(read):
    text = nbformat.writes(submitted_notebook())
    assert read(b"\xef\xbb\xbf" + text.encode()) == read(text)


def test_latin_1_is_read_with_a_note(read):
    text = json.dumps({"cells": [{"cell_type": "code", "source": "# é"}]}, ensure_ascii=False)
    submitted = read(text.encode("latin-1"))
    assert submitted.cells[0].text == "# é"
    assert any("Latin-1" in note for note in submitted.notes)


def test_format_3_is_read_with_a_note(read):
    cell = {"cell_type": "code", "input": ["a = 1\n", "b"]}
    submitted = read({"worksheets": [{"cells": [cell]}]})
    assert [cell.text for cell in submitted.cells] == ["a = 1\nb"]
    assert any("format 3" in note for note in submitted.notes)


def test_odd_cells_are_left_out_with_a_note(read):
    submitted = read({"cells": [7, {"source": 7}, {"source": ["a", 7, "b"]}, {"source": "\ud800"}]})
    assert [cell.text for cell in submitted.cells] == ["", "", "ab", "?"]
    assert len(submitted.notes) == 3


# ---- rebuilding ---------------------------------------------------------------------------


def test_an_honest_notebook_is_the_instructors_with_the_answers(rebuilt):
    cells, notes = rebuilt(submitted_notebook(square="mine", essay="# My essay"))
    expected = [(grade_id(cell), cell.source) for cell in source_notebook().cells]
    answers = dict(cells)
    assert not notes
    assert [name for name, _ in cells] == [name for name, _ in expected]
    assert (answers["square"], answers["essay"]) == ("mine", "# My essay")
    assert HIDDEN in answers["square-hidden"]


def test_of_all_metadata_only_the_name_is_read(rebuilt):
    notebook = submitted_notebook()
    honest = rebuilt(notebook)
    for cell in notebook.cells:
        if cell.metadata:
            cell.metadata.nbgrader.update(points=1000, grade=False, solution=True, locked=False)
    assert rebuilt(notebook) == honest


def test_a_changed_and_a_missing_locked_cell_are_put_back(rebuilt):
    notebook = submitted_notebook()
    notebook.cells[place(notebook, "setup")].source = "check = None"
    del notebook.cells[place(notebook, "mean-check")]
    cells, notes = rebuilt(notebook)
    assert "setup was changed" in notes and "mean-check was missing" in notes
    assert "from gradem import check" in dict(cells)["setup"]
    assert "mean-check" in dict(cells)


def test_a_missing_answer_is_empty(rebuilt):
    notebook = submitted_notebook()
    del notebook.cells[place(notebook, "square")]
    cells, notes = rebuilt(notebook)
    assert dict(cells)["square"] == "" and "square is missing" in notes


def test_of_copies_the_last_counts_and_the_others_run_before_it(rebuilt):
    notebook = submitted_notebook(square="last")
    where = place(notebook, "square")
    notebook.cells.insert(where, nbformat.from_dict({**notebook.cells[where], "source": "first",
                                                     "id": "another"}))
    cells, notes = rebuilt(notebook)
    names = [text for _, text in cells]
    assert dict(cells)["square"] == "last" and "more than once" in notes
    assert names.index("first") < names.index("last")


def test_own_cells_follow_the_cell_they_followed(rebuilt):
    notebook = submitted_notebook()
    own = nbformat.v4.new_code_cell("helper = 1")
    notebook.cells.insert(place(notebook, "mean"), own)
    cells, notes = rebuilt(notebook)
    at = cells.index((None, "helper = 1"))
    assert not notes
    assert cells[at - 1][0] == "square-hidden"
    assert [name for name, _ in cells].index("mean") > at


def test_an_own_cell_that_says_what_the_solution_says_is_run():
    """nbgrader releases a stub in the place of a solution without marks around it."""
    solution = "def square(x):\n    return x * x"
    source = source_notebook()
    source.cells[place(source, "square")].source = solution
    handed_in = submitted_notebook(square="# YOUR CODE HERE\nraise NotImplementedError()")
    handed_in.cells.insert(place(handed_in, "square") + 1, nbformat.v4.new_code_cell(solution))
    submitted = submission.Submitted([submission._cell(cell, []) for cell in handed_in.cells])
    notebook, notes = rebuild(submitted, source)
    texts = [cell.source for cell in notebook.cells]
    assert solution in texts and HIDDEN in "".join(texts) and notes == []


def test_own_text_is_not_run_and_an_answer_turned_into_markdown_is(rebuilt):
    notebook = submitted_notebook()
    notebook.cells.insert(2, nbformat.v4.new_markdown_cell("import os"))
    notebook.cells[place(notebook, "mean")].cell_type = "markdown"
    cells, _ = rebuilt(notebook)
    assert (None, "import os") not in cells
    assert dict(cells)["mean"].startswith("def mean_abs")


def test_cells_without_metadata_are_told_by_their_ids(rebuilt):
    notebook = submitted_notebook(square="mine")
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({})
    cells, notes = rebuilt(notebook)
    assert dict(cells)["square"] == "mine" and "told by their ids" in notes


def test_only_the_instructors_cells_are_trusted():
    source = source_notebook()
    source.cells.insert(1, nbformat.v4.new_code_cell("import math"))
    tag = {"tags": []}
    own = {"cell_type": "code", "source": "import os", "metadata": tag}
    cells = submission.Submitted([submission._cell(own, [])])
    notebook, _ = rebuild(cells, source)
    trusted = [cell.source for cell in notebook.cells if is_instructors(cell)]
    assert "import math" in trusted and "import os" not in trusted
    assert not any(is_instructors(cell) for cell in notebook.cells if grade_id(cell) == "square")


def test_what_is_released_has_no_hidden_tests():
    source = "a\n### BEGIN HIDDEN TESTS\nb\n### END HIDDEN TESTS\nc"
    assert visible(source) == "a\nc"
