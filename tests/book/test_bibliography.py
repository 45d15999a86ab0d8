"""The bibliography: complete entries, all of them used, and sources of docstrings among them."""

import ast
import re
import unicodedata

import pytest
from pybtex.database import parse_file

import nb

ENTRIES = parse_file(nb.ROOT / "book" / "references.bib").entries
PROGRAMS = sorted([*nb.ROOT.glob("gradem/*.py"), *nb.ROOT.glob("autograder/*.py")])

# what an entry must have, besides author, title and year, to be found
WHERE = {
    "article": {"journal", "volume"}, "book": {"publisher"}, "phdthesis": {"school"},
    "incollection": {"booktitle", "publisher"}, "inproceedings": {"booktitle"}, "misc": set(),
}
LINKS = {"doi", "url", "publisher", "school", "eprint", "howpublished", "note"}
WITHOUT_LINK = {
    "bischof1992": "no identifier that could be checked; journal, volume and pages suffice",
    "keribin2000": "no identifier that could be checked; journal, volume and pages suffice",
}


def letters(name):
    """A name as programs spell it: without TeX, and without accents."""
    name = re.sub(r"\\[^a-zA-Z]|\\[a-zA-Z]\s+|[{}\\]", "", name)
    return "".join(letter for letter in unicodedata.normalize("NFD", name)
                   if not unicodedata.combining(letter))


def spellings(person):
    """The surname of an author, also with ae for a with two dots."""
    name = " ".join(person.last_names)
    return {letters(name), letters(re.sub(r'\\"\{?([aou])\}?', r"\1e", name))}


def docstrings(path):
    """The docstrings of a program, each on one line."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
            yield " ".join((ast.get_docstring(node) or "").split())


def sources(text):
    """For each year in a text, the entries of that year one of whose authors stands before it."""
    for found in re.finditer(r"\b(?:18|19|20)\d\d\b", text):
        before = text[max(0, found.start() - 110):found.start()]
        yield f"{before[-40:]}{found[0]}", {
            key for key, entry in ENTRIES.items() if entry.fields["year"] == found[0]
            and any(name in before for person in entry.persons["author"]
                    for name in spellings(person))}


def cited():
    """The keys that the pages of the book cite."""
    texts = [path.read_text() for pattern in ("book/*.md", "book/*.ipynb", "benchmarks/*.md")
             for path in nb.ROOT.glob(pattern)]
    return {key.strip() for text in texts for keys in re.findall(r"\{cite:\w+\}`([^`]+)`", text)
            for key in keys.split(",")}


@pytest.mark.parametrize("key", ENTRIES)
def test_an_entry_says_who_what_when_and_where(key):
    entry = ENTRIES[key]
    assert entry.persons.get("author") and entry.fields.get("title")
    assert re.fullmatch(r"(18|19|20)\d\d", entry.fields["year"])
    assert WHERE[entry.type] <= set(entry.fields)
    assert (not LINKS & set(entry.fields)) is (key in WITHOUT_LINK)
    if key in WITHOUT_LINK:
        assert {"journal", "volume", "pages"} <= set(entry.fields)
    assert re.fullmatch(r"10\.\d{4,}/\S+", entry.fields.get("doi", "10.1000/x"))


def test_no_source_is_entered_twice():
    titles = [letters(entry.fields["title"]).lower() + entry.fields.get("edition", "")
              for entry in ENTRIES.values()]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: f"{path.parent.name}.{path.stem}")
def test_every_source_that_a_docstring_names_is_in_the_bibliography(path):
    unknown = [words for text in docstrings(path) for words, keys in sources(text) if not keys]
    assert unknown == []


def test_every_entry_is_cited_by_a_page_or_named_by_a_docstring():
    named = {key for path in PROGRAMS for text in docstrings(path)
             for _, keys in sources(text) for key in keys}
    assert cited() <= set(ENTRIES)
    assert set(ENTRIES) - cited() - named == set()


def test_every_entry_is_on_the_page(book, pages):
    page = pages[book.site / "book" / "bibliography.html"]
    assert len(page.select("[role=listitem] , .citation")) >= len(ENTRIES)


@pytest.mark.parametrize("text, known", [
    ("see Griewank & Walther 2008, section 3", True), ("the data of Haerdle (1991)", True),
    ("see Nobody 2008", False), ("Griewank & Walther 2007", False),
])
def test_what_counts_as_a_source(text, known):
    assert [bool(keys) for _, keys in sources(text)] == [known]
