"""The words of known mistakes can be read: each has a value that no other one has first.

The cells of every solution are run with comparisons that note what they know. A text
whose value is the right one, or that of a text before it, in all questions of its cell is
never told; worse, who makes its mistake reads the words of another.
"""

import pytest

import nb
from gradem import check

SOLUTIONS = sorted((nb.ROOT / "solutions").glob("*/*.ipynb"))


class Notes:
    """Stands in for `check.close` and `check.equal`; notes which words can be told."""

    def __init__(self):
        self.cell, self.written, self.told = "", set(), set()

    def wrap(self, compare, differs):
        def noted(got, want, *, known=None, **options):
            before = []
            for words, value in (known or {}).items():
                self.written.add((self.cell, words))
                if all(differs(value, other, options) for other in [want, *before]):
                    self.told.add((self.cell, words))
                before.append(value)
            return compare(got, want, known=known, **options)
        return noted


@pytest.fixture
def notes(monkeypatch):
    notes = Notes()
    monkeypatch.setattr(check, "close", notes.wrap(
        check.close, lambda value, other, options: check._difference(
            value, other, options.get("rtol", 1e-9), options.get("atol", 0.0))))
    monkeypatch.setattr(check, "equal", notes.wrap(
        check.equal, lambda value, other, options: check._inequality(value, other)))
    return notes


def run(notes, cells):
    names = {"__name__": "__main__"}
    for notes.cell, source in cells:
        exec(compile(source, notes.cell, "exec"), names)


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("ignore")
def test_the_words_of_every_known_mistake_can_be_told(path, notes, monkeypatch):
    monkeypatch.chdir(path.parent)
    run(notes, [(cell.id, cell.source) for cell in nb.read(path).cells
                if cell.cell_type == "code"])
    assert notes.written
    assert notes.written - notes.told == set()


@pytest.mark.parametrize("known, dead", [
    ("{'doubled': 8.0, 'squared': 16.0}", set()),
    ("{'doubled': 8.0, 'twice': 8.0}", {"twice"}),
    ("{'the value itself': 4.0}", {"the value itself"}),
])
def test_words_that_nobody_reads_would_be_found(known, dead, notes):
    run(notes, [("a", f"from gradem import check\ncheck.close(4.0, 4.0, known={known})"),
                ("b", f"check.equal(4, 4, known={known.replace('.0', '')})")])
    assert notes.written - notes.told == {(cell, words) for cell in "ab" for words in dead}
