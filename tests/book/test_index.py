"""The index and the glossary: reachable, complete, and each entry leads somewhere."""

import re
from urllib.parse import unquote

import pytest

import nb

CHAPTERS = sorted((nb.ROOT / "book").glob("[0-9][0-9]-*.ipynb"))
TERM = re.compile(r"\{index\}`(?:[^`<]*<(?:single:|pair:)?([^`>]+)>|([^`<>]+))`")


def text_of(path):
    """The text of a chapter."""
    return "\n".join(cell.source for cell in nb.read(path).cells if cell.cell_type == "markdown")


def indexed(text):
    """The entries of a text, with "covariance; tied" as the entry and its part."""
    return {(entry or plain).strip() for entry, plain in TERM.findall(text)}


@pytest.fixture(scope="module")
def index(book, pages):
    """The page of the index."""
    return pages[book.site / "genindex.html"]


def test_every_page_links_the_index_in_its_contents(book, pages):
    missing = [name for name in book.pages
               if not pages[book.site / f"{name}.html"].select('nav.bd-links a[href$="genindex.html"]')
               and name != "genindex"]
    assert missing == []


def test_the_index_has_entries_of_every_chapter(index):
    leads = {unquote(link["href"]).partition("#")[0] for link in index.select("ul.terms a")}
    assert [path.stem for path in CHAPTERS if f"book/{path.stem}.html" not in leads] == []


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_term_of_a_chapter_is_in_the_index_and_leads_to_its_place(path, book, index, pages):
    page = pages[book.site / "book" / f"{path.stem}.html"]
    places = {tag["id"] for tag in page.find_all(id=True)}
    entries = {}
    for item in index.select("ul.terms li"):
        name = " ".join("".join(item.find_all(string=True, recursive=False)).split())
        entries.setdefault(name.partition(":")[0], []).extend(
            link["href"] for link in item.find_all("a", recursive=False))
    terms = indexed(text_of(path))
    assert len(terms) >= 2
    for term in terms:
        head = [part.strip() for part in term.split(";")][-1]
        there = [link for link in entries.get(head, []) if link.startswith(f"book/{path.stem}.html#")]
        assert there, term
        assert all(link.partition("#")[2] in places for link in there), term


def test_a_link_of_the_index_says_where_it_leads(book, index, pages):
    for link in index.select("ul.terms a"):
        title = pages[book.site / link["href"].partition("#")[0]].h1.get_text()
        words = link.get_text()
        assert (words == "glossary") is ("#term-" in link["href"])
        assert words == "glossary" or words in title or words.startswith("again (")


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_the_glossary_explains_every_term_of_a_chapter(path, pages, book):
    page = pages[book.site / "book" / "notation.html"]
    glossary = {re.sub(r"\W+", " ", term.get_text()).strip().lower()
                for term in page.select("dl.glossary dt")}
    terms = {re.sub(r"\W+", " ", term.partition(";")[0]).strip().lower()
             for term in indexed(text_of(path))}
    assert terms - glossary == set()


def test_links_to_the_glossary_lead_to_its_entries(book, pages):
    entries = {term["id"] for term in
               pages[book.site / "book" / "notation.html"].select("dl.glossary dt[id]")}
    links = [link["href"].partition("#")[2] for page in pages.values()
             for link in page.select('article a[href*="#term-"]')]
    assert len(links) > len(entries) / 2 and set(links) <= entries


@pytest.mark.parametrize("text, found", [
    ("{index}`tape` and {index}`tapes <tape>`", {"tape"}),
    ("{index}`tied <single: covariance; tied>`", {"covariance; tied"}),
])
def test_what_counts_as_a_term(text, found):
    assert indexed(text) == found
