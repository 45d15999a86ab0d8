"""Every exercise is in the book with its task and four folded hints."""

import json

import nb


def test_every_exercise_and_its_hints_are_in_the_book(book, pages):
    shown = {}
    for page in pages.values():
        for exercise in page.select("details.exercise"):
            title = exercise.select_one("summary").get_text()
            hints = [hint.select_one("summary").get_text() for hint in exercise.select("details.hint")]
            shown[page.title.get_text(), title] = hints
    titles = [title for _, title in shown]
    assert shown and all(
        hints == ["Hint 1 (nudge)", "Hint 2 (idea)", "Hint 3 (formula)", "Hint 4 (skeleton)"]
        for hints in shown.values())
    expected = []
    for path in nb.ROOT.glob("exercises/*/*.ipynb"):
        for cell in json.loads(path.read_text())["cells"]:
            first = "".join(cell["source"]).partition("\n")[0]
            if cell["cell_type"] == "markdown" and first.startswith("## Exercise "):
                expected.append(first.removeprefix("## "))
    assert sorted(titles) == sorted(expected)


def test_formulas_and_programs_of_hints_are_set(pages):
    hints = [hint for page in pages.values() for hint in page.select("details.hint")]
    assert sum(bool(hint.select(".math")) for hint in hints) > 10
    assert sum(bool(hint.select(".highlight")) for hint in hints) > 10
    assert not any("$" in hint.get_text().replace("\\$", "") or "```" in hint.get_text()
                   for hint in hints)
