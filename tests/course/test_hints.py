"""Hints lead to a solution and do not contain it."""

import difflib
import io
import re
import tokenize

import pytest

import nb

NAMES = ["Hint 1 (nudge)", "Hint 2 (idea)", "Hint 3 (formula)", "Hint 4 (skeleton)"]
FOLDED = re.compile(r"<details><summary>(.*?)</summary>\n(.*?)</details>", re.DOTALL)
SOLUTION = re.compile(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", re.DOTALL)
CODE = re.compile(r"```python\n(.*?)```|`([^`\n]+)`", re.DOTALL)

#: Words in a row that say something: `self.value, other.value` alone is no secret.
RUN = 6
#: Columns of a skeleton, so that it is read on a phone with little scrolling.
WIDEST = 72
#: How much of a solution the skeleton may show, and how much the other hints.
MOST, MOST_BEFORE = 0.7, 0.35


def exercises():
    """(notebook and grade_id, solution, hints as (name, text)) of every exercise."""
    for path in sorted((nb.ROOT / "solutions").glob("*/*.ipynb")):
        hints = []
        for cell in nb.read(path).cells:
            if cell.cell_type == "markdown" and "<details>" in cell.source:
                hints = FOLDED.findall(cell.source)
            elif cell.metadata.get("nbgrader", {}).get("solution"):
                yield f"{path.stem}:{cell.id}", "\n".join(SOLUTION.findall(cell.source)), hints


def words(code):
    """The words of a program, without its layout and comments."""
    straight = re.sub(r"(?m)^\s+", "", code)
    kinds = (tokenize.NAME, tokenize.NUMBER, tokenize.OP, tokenize.STRING)
    found = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(straight).readline):
            found += [token.string] if token.type in kinds else []
    except tokenize.TokenError:                 # a piece of code may leave brackets open
        pass
    return found


def share(solution, hints):
    """How much of a solution stands in hints, in runs of `RUN` words or more."""
    code = "\n".join(a or b for text in hints for a, b in CODE.findall(text))
    ours, theirs = words(solution), words(code)
    matcher = difflib.SequenceMatcher(None, ours, theirs, autojunk=False)
    return sum(block.size for block in matcher.get_matching_blocks()
               if block.size >= RUN) / len(ours)


ALL = {name: (solution, hints) for name, solution, hints in exercises()}


@pytest.mark.parametrize("name", ALL)
def test_there_are_four_hints(name):
    solution, hints = ALL[name]
    assert [title for title, _ in hints] == NAMES
    assert all(len(text.split()) >= 5 for _, text in hints)
    assert "..." in hints[-1][1], "a skeleton has gaps"


@pytest.mark.parametrize("name", ALL)
def test_the_code_of_a_hint_is_narrow(name):
    blocks = [block for _, text in ALL[name][1] for block, _ in CODE.findall(text)]
    assert [line for block in blocks for line in block.splitlines() if len(line) > WIDEST] == []


@pytest.mark.parametrize("name", ALL)
def test_hints_do_not_contain_the_solution(name):
    solution, hints = ALL[name]
    assert share(solution, [text for _, text in hints[:3]]) <= MOST_BEFORE
    assert share(solution, [text for _, text in hints]) <= MOST


@pytest.mark.parametrize("name", ALL)
def test_a_hint_that_gave_the_solution_away_would_be_found(name):
    solution, hints = ALL[name]
    assert share(solution, [f"```python\n{solution}```"]) == 1.0
