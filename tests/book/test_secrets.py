"""No line of a solution or of a hidden test reaches learners or readers."""

import json
import re

import pytest
from bs4 import BeautifulSoup

import nb

SOLUTIONS = sorted((nb.ROOT / "solutions").glob("*/*.ipynb"))
SECRET = re.compile(r"### BEGIN (SOLUTION|HIDDEN TESTS)\n(.*?)### END \1", re.DOTALL)
SHORTEST = 20


def lines(text):
    """The lines of a text that are long enough to be recognised."""
    return {line.strip() for line in text.splitlines() if len(line.strip()) >= SHORTEST}


def sources(path):
    """The text of all cells of a notebook."""
    return "\n".join("".join(cell["source"]) for cell in json.loads(path.read_text())["cells"])


def published():
    """Lines that are public on purpose: those of the book and of the package."""
    texts = [sources(path) for path in (nb.ROOT / "book").glob("*.ipynb")]
    texts += [path.read_text() for pattern in ("book/*.md", "gradem/*.py")
              for path in nb.ROOT.glob(pattern)]
    return set().union(*map(lines, texts))


def secrets(path):
    """Lines that stand in a solution notebook only between the markers."""
    text = sources(path)
    hidden = "\n".join(part for _, part in SECRET.findall(text))
    return lines(hidden) - lines(SECRET.sub("", text))


def readable(path):
    """What a reader finds in a file of the built book."""
    if path.suffix == ".ipynb":
        return sources(path)
    text = path.read_text(errors="replace")
    return BeautifulSoup(text, "html.parser").get_text() if path.suffix == ".html" else text


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_an_exercise_shows_no_line_of_its_solution(path):
    hidden = secrets(path)
    exercise = sources(nb.ROOT / "exercises" / path.stem / path.name)
    assert len(hidden) > 10
    assert not hidden & lines(exercise)
    assert "### BEGIN" not in exercise and "### END" not in exercise


def test_the_built_book_shows_no_line_of_a_solution(book):
    hidden = set().union(*map(secrets, SOLUTIONS)) - published()
    found = [f"{path.relative_to(book.site)}: {line}" for path in sorted(book.site.rglob("*"))
             if path.suffix in (".html", ".ipynb", ".md", ".txt", ".py", ".rst", ".toml")
             for line in sorted(hidden & lines(readable(path)))]
    assert len(hidden) > 30 and found == []
