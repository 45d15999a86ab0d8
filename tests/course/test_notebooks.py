"""The committed notebooks: executed, normal, and short enough to read."""

import re

import pytest

import nb

CHAPTERS = sorted((nb.ROOT / "book").glob("*.ipynb"))
LINES, COLUMNS, WORDS = 15, 79, 120


def name(path):
    return path.stem


@pytest.mark.parametrize("path", nb.everything(), ids=name)
def test_outputs_are_complete_and_the_same_everywhere(path):
    assert nb.problems(path) == []


@pytest.mark.parametrize("path", CHAPTERS, ids=name)
def test_code_cells_fit_on_a_page(path):
    # the code of a question is hidden on the page; it must only be readable in the notebook
    long = [f"cell {cell.id}: {len(lines)} lines, {widest} columns"
            for cell in nb.read(path).cells if cell.cell_type == "code"
            for lines in [cell.source.splitlines()]
            for widest in [max(map(len, lines), default=0)]
            if widest > COLUMNS
            or len(lines) > LINES and "remove-input" not in cell.metadata.get("tags", [])]
    assert long == []


@pytest.mark.parametrize("path", CHAPTERS, ids=name)
def test_text_cells_are_read_in_one_go(path):
    long = [f"cell {cell.id}: {words} words" for cell in nb.read(path).cells
            if cell.cell_type == "markdown" and (words := count_words(cell.source)) > WORDS]
    assert long == []


def count_words(text):
    """Words of prose: code blocks, displayed formulas and link targets are not counted."""
    text = re.sub(r"```python.*?```|\$\$.*?\$\$", "", text, flags=re.DOTALL)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    return len(re.findall(r"[^\W\d_][\w'-]*", re.sub(r"\$[^$]*\$", "x", text)))


def test_words_are_counted_as_a_reader_would():
    assert count_words("Two words, [a link](https://example.org/a/b) and $x + y$.") == 6
    assert count_words("Before\n$$\na = b\n$$\nafter\n```python\nprint(1)\n```") == 2
