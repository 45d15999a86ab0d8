"""Copies are found whatever was done to hide them; honest answers and the template are not."""

import ast
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from bs4 import BeautifulSoup

from autograder import similarity
from autograder.course import Course
from autograder.form import read_answers
from autograder.released import released_text
from autograder.similarity import Comparison, Pair, Similarity, page, text
from autograder.submission import grade_id, is_answer

from .conftest import ESSAY, SQUARE, cell

ROOT = Path(__file__).resolve().parents[2]
COURSE = Course(ROOT)


class Assignment:
    """An assignment of this course as a class hands it in."""

    def __init__(self, name):
        (source,) = COURSE.assignment(name).notebooks
        cells = nbformat.read(source.path, as_version=4).cells
        self.given = [("code" if each.cell_type == "code" else "text", released_text(each))
                      for each in cells]
        self.answers = [each for each in cells if is_answer(each)]
        self.right = {}
        for answer in read_answers(source)[0]:
            if answer.right:
                self.right.setdefault(answer.exercise, []).append(answer.code)

    def template(self):
        """Nothing answered."""
        return {grade_id(each): ("code", released_text(each)) for each in self.answers}

    def solution(self):
        """The instructor's."""
        return {grade_id(each): ("code", re.sub("### (BEGIN|END) SOLUTION", "", each.source))
                for each in self.answers}

    def variant(self, number):
        """Other right answers."""
        return {name: ("code", codes[number]) for name, codes in self.right.items()}

    def pairs(self, **class_):
        """The pairs that are listed of a class."""
        comparison = Comparison(self.given)
        for student, texts in class_.items():
            comparison.add(student, texts)
        return comparison.result("p")


NAMES = COURSE.assignments()
DIFFERENCES = Assignment("01-differences")


class Renamed(ast.NodeTransformer):
    """Other names for all variables, arguments and functions."""

    def __init__(self, tree):
        self.names = {node.id for node in ast.walk(tree)
                      if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        self.names |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}

    def visit_Name(self, node):
        return ast.Name("my_" + node.id if node.id in self.names else node.id, node.ctx)

    def visit_arg(self, node):
        return ast.arg("my_" + node.arg)


def renamed(code):
    tree = ast.parse(code)
    return ast.unparse(Renamed(tree).visit(tree))


def reordered(code):
    tree = ast.parse(code)
    return ast.unparse(ast.Module(tree.body[::-1], []))


def remarked(code):
    lines = [f"{line}   # so {number}" for number, line in enumerate(code.splitlines())
             if '"""' not in code]
    return "\n\n".join(lines) or code.replace("    ", "  ")


def disguised(texts, *changes):
    def changed(code):
        for change in changes:
            code = change(code)
        return code
    return {name: (kind, changed(code)) for name, (kind, code) in texts.items()}


# ---- what is found, and what is not ---------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("changes", [(), (renamed,), (reordered,), (remarked,),
                                     (reordered, renamed, remarked)],
                         ids=lambda changes: " ".join(each.__name__ for each in changes) or "same")
def test_copies_are_found(name, changes):
    made = Assignment(name)
    for original in (made.solution(), made.variant(0), made.variant(1)):
        found = made.pairs(ada=original, bob=disguised(original, *changes),
                           eve=made.template())
        (pair,) = found.pairs
        assert pair.students == ("ada", "bob") and pair.share > 0.85


@pytest.mark.parametrize("name", NAMES)
def test_honest_solutions_and_the_template_are_not_listed(name):
    made = Assignment(name)
    found = made.pairs(ada=made.solution(), bob=made.variant(0), eve=made.variant(1),
                       zoe=made.template(), kim=made.template())
    assert found.pairs == [] and found.submissions == 5


def test_one_copied_answer_among_own_ones_is_in_the_fragments():
    mine = DIFFERENCES.variant(0)
    theirs = {**DIFFERENCES.variant(1), "newton": ("code", renamed(mine["newton"][1]))}
    comparison = Comparison(DIFFERENCES.given)
    comparison.add("ada", mine)
    comparison.add("bob", theirs)
    (pair,) = comparison.result("p", least=0.1).pairs
    one, other = pair.fragments[0]
    assert one.cell == other.cell == "newton" and pair.tokens > similarity.LEAST_TOKENS
    assert one.text in mine["newton"][1] and other.text in theirs["newton"][1]
    assert one.text.splitlines()[0] == mine["newton"][1].splitlines()[one.first - 1]
    assert one.last - one.first == one.text.count("\n")


def test_an_answer_moved_to_another_cell_is_found():
    mine = DIFFERENCES.variant(0)
    moved = dict(zip(mine, [*mine.values()][1:] + [mine["differences"]]))
    assert DIFFERENCES.pairs(ada=mine, bob=moved).pairs[0].share > 0.95


def test_what_most_of_a_class_share_is_no_evidence():
    usual = DIFFERENCES.variant(0)
    class_ = {f"s{number:02}": usual for number in range(12)}
    own = {name: DIFFERENCES.variant(1)[name] for name in ("differences", "newton")}
    found = DIFFERENCES.pairs(**class_, ada={**usual, **own}, bob={**usual, **own})
    (pair,) = found.pairs
    assert pair.students == ("ada", "bob") and pair.share == 1.0 and found.common > 20
    assert {one.cell for one, _ in pair.fragments} <= set(own)
    assert DIFFERENCES.pairs(**class_).pairs == []


def test_essays_are_compared_by_their_words():
    essay = ("A finite difference subtracts two nearly equal numbers, so that the leading digits "
             "cancel and the rounding errors of both remain; a smaller step makes that worse, while "
             "a larger one keeps more terms of the Taylor series, and the best lies in between.")
    other = ("Steps trade two errors against each other: what Taylor leaves out falls with h, what "
             "floating point loses rises with it. Their sum is smallest where both are alike, which "
             "for a forward difference is near the root of the machine precision.")
    comparison = Comparison([("text", "Say why the best step is not the smallest one.")])
    for student, words in [("ada", essay), ("bob", essay.upper().replace(",", "")), ("eve", other)]:
        comparison.add(student, {"essay": ("text", words)})
    assert [pair.students for pair in comparison.result("p").pairs] == [("ada", "bob")]


def test_the_pairs_are_those_of_all_comparisons():
    """The index finds what comparing every pair would find."""
    rng = np.random.default_rng(1)
    phrases = [" ".join(f"w{i}" for i in rng.integers(10**6, size=20)) for _ in range(60)]
    comparison = Comparison([])
    for number in range(40):
        chosen = rng.choice(60, size=6, replace=False)
        comparison.add(f"s{number:02}", {"a": ("text", " ".join(phrases[k] for k in chosen))})
    found = comparison.result("p", least=0.3, most=10_000)
    common = comparison._index(found.limit)[1]
    every = [comparison._compared(i, j, common) for i in range(40) for j in range(i + 1, 40)]
    every = {pair.students: pair.share for pair in every
             if pair.share >= 0.3 and pair.tokens >= similarity.LEAST_TOKENS}
    assert {pair.students: pair.share for pair in found.pairs} == every and len(every) > 5
    assert [pair.share for pair in found.pairs] == sorted(every.values(), reverse=True)


# ---- a class --------------------------------------------------------------------------


LONG = """def square(x):
    total = 0.0
    for k in range(1, 12):
        total += x ** k / (k + 3) if k % 2 else np.sin(k * x)
    rest = [total - j * x for j in range(4) if total > j]
    return sum(rest) + total * 0.25 - max(rest, default=1)
"""


def test_a_class_with_odd_files(small_course):
    course = Course(small_course.root)
    for student, square in [("ada", LONG), ("bob", renamed(LONG)), ("eve", SQUARE)]:
        small_course.hand_in(student, small_course.submitted_notebook(square=square))
    small_course.hand_in("broken", "{")
    (small_course.root / "submitted" / "empty" / "ps1").mkdir(parents=True)
    odd = small_course.submitted_notebook(square="x" * 1_000_000, mean="((((" * 9999, essay=ESSAY)
    odd.cells.append(cell("a = 1", "not-asked", solution=True))
    small_course.hand_in("odd", nbformat.writes(odd).replace("A derivative", "\\ud800 derivative"))
    found = similarity.similar(course, course.assignment("ps1"))
    assert found.submissions == 4 and found.unread == ["broken", "empty"]
    (pair,) = found.pairs
    assert pair.students == ("ada", "bob") and pair.share > 0.95
    printed = text(found)
    assert re.search(r"^ada +bob +\d+%  \d+% / \d+% +\d+  square$", printed, re.MULTILINE)
    assert "Similarity is no proof" in printed and "Not readable, so not compared: 2" in printed
    path = similarity.write(course, course.assignment("ps1"), found)
    assert path.name == "similarity-ps1.html" and "Similarity is no proof" in path.read_text()
    assert course.graded("ps1") == []


def test_a_class_of_nobody():
    found = Comparison([]).result("p")
    assert found.pairs == [] and "0 submissions compared" in text(found)
    assert "No two of them" in page(found)


def test_names_and_fragments_are_only_text_on_the_page():
    script = "<script>alert(1)</script>"
    piece = similarity.Excerpt(f"c{script}", 1, 2, f"x = 1  # {script}\u202e</pre>")
    pair = Pair((f"ada{script}", "bob\x1b[2J\n"), 0.9, (0.9, 0.8), 40, [(piece, piece)])
    found = Similarity(f"p{script}", 2, [pair], 0, 5, [script])
    html = page(found)
    soup = BeautifulSoup(html, "html.parser")
    assert not soup.find_all("script") and html.count(script) == 0
    assert [block.text.count(script) for block in soup.find_all("pre")] == [1, 1]
    assert "default-src 'none'" in soup.find("meta", {"http-equiv": True})["content"]
    assert "\u202e" not in html
    assert "\x1b" not in text(found) and text(found).count("\n") == 6
