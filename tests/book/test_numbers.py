"""A number quoted in a chapter's prose was printed by a cell of that chapter."""

import re

import pytest

import nb

CHAPTERS = sorted((nb.ROOT / "book").glob("*.ipynb"))

NOT_PROSE = [
    r"```.*?```", r"`[^`]*`",                       # code, and the targets of roles
    r"\$\$.*?\$\$", r"\$[^$]*\$", r"\\begin\{(\w+\*?)\}.*?\\end\{\1\}",   # formulas
    r"\]\([^)]*\)", r"<[^>]*>", r"https?://\S+",    # links
]
NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w]|\.\d)")
YEARS = range(1600, 2100)


def numbers(text):
    """Numbers as they are written, with any minus sign left off."""
    return NUMBER.findall(text.replace("\N{MINUS SIGN}", "-"))


def prose(notebook):
    """The id of a cell, and each text in it that is written and not computed."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            yield cell.id, cell.source
        words = cell.metadata.get("mystnb", {})
        yield cell.id, words.get("figure", {}).get("caption", "")
        yield cell.id, words.get("image", {}).get("alt", "")


def quoted(text):
    """The numbers of a text that claim to be measured: three digits or more, or an exponent."""
    for pattern in NOT_PROSE:
        text = re.sub(pattern, " ", text, flags=re.DOTALL)
    for written in numbers(text):
        mantissa, _, exponent = written.lower().partition("e")
        digits = mantissa.replace(".", "").lstrip("0")
        if "." not in mantissa:
            digits = digits.rstrip("0")
        year = written.isdigit() and len(written) == 4 and int(written) in YEARS
        if (len(digits) >= 3 or exponent) and not year:
            yield written


def printed(notebook):
    """Every number in a printed output."""
    text = "\n".join(nb.text_of_output(output) for cell in notebook.cells
                     if cell.cell_type == "code" for output in cell.outputs)
    return [float(written) for written in numbers(text)]


def is_rounding_of(written, value):
    """Whether `value`, rounded to as many digits as are written, is the number written."""
    mantissa, _, exponent = written.lower().partition("e")
    last_digit = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
    return abs(float(written) - value) <= 0.5 * last_digit * (1 + 1e-9)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_number_in_prose_was_printed(path):
    notebook = nb.read(path)
    computed = printed(notebook)
    made_up = [f"cell {identity}: {written}" for identity, text in prose(notebook)
               for written in quoted(text)
               if not any(is_rounding_of(written, value) for value in computed)]
    assert made_up == []


@pytest.mark.parametrize("text, found", [
    ("1.49e-8 at 0.000123, after 57 steps, 1000 points, 12.5 %, -3.14 and 2.5",
     ["1.49e-8", "0.000123", "12.5", "3.14"]),
    ("in 1977, `x = 3.14`, $3.14$, $$\n2.718\n$$ [here](a/1.234), Part 1.2.3", []),
    ("272 eruptions; 0.5; \N{MINUS SIGN}0.693.", ["272", "0.693"]),
])
def test_what_counts_as_a_quoted_number(text, found):
    assert list(quoted(text)) == found


@pytest.mark.parametrize("written, value, right", [
    ("1.41", 2**0.5, True), ("1.42", 2**0.5, False),
    ("1.5e-8", 1.49e-8, True), ("1.4e-8", 1.49e-8, False),
    ("272", 272.0, True), ("272", 272.6, False),
    ("0.0012", 0.00123, True), ("0.001234", 0.00123, False),
])
def test_what_counts_as_rounding(written, value, right):
    assert is_rounding_of(written, value) is right
