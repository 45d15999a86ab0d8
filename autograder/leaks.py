"""What of the answers can be read in the released notebook.

A learner has the tasks, the hints, the visible checks and what they print. An answer that
only copies from there must not earn the points: so the solution must not stand there, the
hidden tests must not ask the check's questions again nor expect numbers that are printed
there, and something must be asked that is not shown at all.
"""

import ast
import re

import numpy as np

from autograder.form import Trial
from autograder.cells import names_bound, names_read, plain_python
from autograder.released import hidden, released_text, solution
from autograder.submission import grade_id, is_answer, is_test, visible

RANDOM = re.compile(r"\b(rng|random|default_rng)\b")
SHORTEST = 12                    # tokens of a solution that is worth hiding
RUN = 10                         # tokens in a row that count as copied
MOST = 3 / 4                     # of the tokens of a solution may stand there: a skeleton does
DIGITS = 3                       # of a number that is not met by chance
TOKEN = re.compile(r"\w+|[^\w\s]")
NUMBER = re.compile(r"(?<![\w.])\d+\.?\d*(?:[eE][+-]?\d+)?")
COMPARES = {"isclose", "allclose", "close", "equal", "approx"}


def leaks(source, notebook):
    """What learners can read off the released notebook instead of answering.

    Parameters
    ----------
    source : SourceNotebook
    notebook : nbformat.NotebookNode

    Returns
    -------
    list of Trial
        Of kind "leak", one for each defect.
    """
    cells = {grade_id(cell): cell for cell in notebook.cells if grade_id(cell)}
    answers = set().union(*(names_bound(plain_python(cell.source)) for cell in cells.values()
                            if is_answer(cell) and cell.cell_type == "code"))
    shown = released(notebook)
    found = []
    for exercise in source.exercises:
        tests = [plain_python(cells[test.name].source) for test in exercise.tests]
        if not tests or cells[exercise.name].cell_type != "code":
            continue
        found += [(exercise.name, defect) for defect in (
            _nothing_hidden(tests), _solution_shown(cells[exercise.name].source, shown),
            *_expected_shown(tests, answers, shown), _asked_again(tests, answers)) if defect]
    return [Trial(exercise, "leak", "readable answers", defect) for exercise, defect in found]


def released(notebook):
    """All text that learners get: of the cells, and what the instructor's own cells print."""
    parts = []
    for cell in notebook.cells:
        parts.append(released_text(cell))
        if cell.cell_type == "code" and not is_answer(cell) \
                and visible(cell.source) == cell.source:
            for output in cell.get("outputs", []):
                text = output.get("text") or output.get("data", {}).get("text/plain") or ""
                parts.append("".join(text))
    return "\n".join(parts)


def _nothing_hidden(tests):
    """Tests that are visible altogether, and the same every time."""
    if any(hidden(test).strip() or RANDOM.search(test) for test in tests):
        return ""
    return ("Learners see everything that marks this exercise, with fixed inputs: an answer can "
            "repeat the values shown. Add hidden tests with inputs from check.rng().")


# ---- the solution -------------------------------------------------------------------


def _solution_shown(source, shown):
    """A solution whose tokens stand, in runs of RUN, mostly in the released text."""
    share = share_shown(solution(source), shown)
    if share <= MOST:
        return ""
    return (f"{share:.0%} of the solution stands in the released notebook, in its tasks, hints, "
            "stubs or checks. Put the lines that give it away into the solution or the hidden "
            "tests, or replace them by '...'.")


def share_shown(solution, shown):
    """The share of a solution's tokens that stand in a text in runs of RUN; 0 if it is short."""
    tokens, known = _tokens(solution), _tokens(shown)
    if len(tokens) < SHORTEST:
        return 0.0
    runs = {tuple(known[start:start + RUN]) for start in range(len(known) - RUN + 1)}
    covered = np.zeros(len(tokens), dtype=bool)
    for start in range(len(tokens) - RUN + 1):
        if tuple(tokens[start:start + RUN]) in runs:
            covered[start:start + RUN] = True
    return float(covered.mean())


def _tokens(text):
    """Words and signs, without comments."""
    return TOKEN.findall(re.sub(r"#.*", "", text))


# ---- what the hidden tests ask ---------------------------------------------------------


def _expected_shown(tests, answers, shown):
    """Numbers that the hidden tests expect, literally, and that stand in the released text."""
    numbers = {float(number) for number in NUMBER.findall(shown)}
    for test in tests:
        for value in _expected(ast.parse(hidden(test)), answers):
            telling = {abs(number) for number in value if _digits(number) >= DIGITS}
            if telling and telling <= numbers:
                yield (f"The hidden tests expect {_listed(value)}, and the released notebook shows "
                       "it. Compute what is expected from inputs that check.rng() draws.")


def _expected(tree, answers):
    """The literal values with which a test compares what answers give, as lists of numbers."""
    literals = {node.targets[0].id: node.value for node in ast.walk(tree)
                if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)}
    results = {name for name, value in literals.items() if names_read_in(value) & answers}
    asked = answers | results
    for node in ast.walk(tree):
        sides = []
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
            sides = [node.left, node.right]
        elif isinstance(node, ast.Call) and len(node.args) > 1:
            called = ast.unparse(node.func).rpartition(".")[2]
            if called not in answers and (called in COMPARES or called.startswith("assert")
                                          or isinstance(node.func, ast.Name)):
                sides = node.args[:2]
        if any(names_read_in(side) & asked for side in sides):
            for side in sides:
                value = literals.get(side.id, side) if isinstance(side, ast.Name) else side
                numbers = _literal_numbers(value)
                if numbers:
                    yield numbers


def names_read_in(node):
    """All names in a piece of a test."""
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _literal_numbers(node):
    """The numbers of a literal or of an array of literals; none if it is anything else."""
    if isinstance(node, ast.Call) and ast.unparse(node.func) in ("np.array", "numpy.array") \
            and node.args:
        node = node.args[0]
    allowed = (ast.Constant, ast.Tuple, ast.List, ast.UnaryOp, ast.USub, ast.UAdd, ast.Load)
    parts = list(ast.walk(node))
    if not all(isinstance(part, allowed) for part in parts):
        return []
    values = [part.value for part in parts if isinstance(part, ast.Constant)]
    return [value for value in values if type(value) in (int, float)]


def _digits(number):
    """Significant digits of a number: 3 of 1.25, 1 of 4000."""
    mantissa = repr(abs(number)).partition("e")[0].replace(".", "")
    return len(mantissa.strip("0"))


def _asked_again(tests, answers):
    """Hidden tests that draw nothing and make only calls that the check makes, too."""
    secret = "\n".join(map(hidden, tests))
    if RANDOM.search(secret):
        return ""
    asked, shown = (_calls(text, answers) for text in (secret, "\n".join(map(visible, tests))))
    if not asked or not asked <= shown:
        return ""
    return (f"The hidden tests ask again what the check asks ({sorted(asked)[0]}), with the same "
            "inputs. Draw theirs from check.rng().")


def _calls(text, answers):
    """The calls of answers in a test, as text, with variables that are literals filled in."""
    tree = ast.parse(text)
    literals = {node.targets[0].id: node.value for node in ast.walk(tree)
                if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
                and not names_read_in(node.value) - {"np", "numpy"}}

    class Filled(ast.NodeTransformer):
        """Puts the literals in the places of their names."""

        def visit_Name(self, node):
            return literals.get(node.id, node)

    calls = [node for node in ast.walk(tree)
             if isinstance(node, ast.Call) and names_read_in(node.func) & answers]
    return {ast.unparse(Filled().visit(call)) for call in calls}


def _listed(numbers):
    return ", ".join(f"{number:g}" for number in numbers[:3]) + (
        ", ..." if len(numbers) > 3 else "")
