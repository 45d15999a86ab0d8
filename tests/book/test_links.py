"""Everything a page refers to is in the book, and figures have words."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import nb

TEXTS = sorted([*nb.ROOT.glob("book/*.md"), *nb.ROOT.glob("book/*.ipynb")])
# "{cite:t}`griewank2008`, chapters 3 and 4, derive": chapters of another book
ELSEWHERE = re.compile(r"\{cite:\w+\}`[^`]*`,? (?:in )?chapters? [\d, and to]+|\[[^]]*\]\([^)]*\)|```.*?```",
                       re.DOTALL)


def references(page):
    """All addresses on a page, with the kind of tag."""
    for tag in page.find_all(["a", "link", "script", "img", "source", "iframe", "object"]):
        for name in ("href", "src", "data"):
            if tag.get(name):
                yield tag.name, tag[name]


def anchors(page):
    return {tag.get(name) for name in ("id", "name") for tag in page.find_all(attrs={name: True})}


def test_local_links_lead_somewhere(pages):
    ids = {path.resolve(): anchors(page) for path, page in pages.items()}
    broken = []
    for path, page in pages.items():
        for _, address in references(page):
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path.resolve()
            anchor = unquote(parts.fragment).partition("/")[0]     # #fig-name/7: step 7 of a figure
            lost = parts.fragment and target in ids and anchor not in ids[target]
            if not target.exists() or lost:
                broken.append(f"{path.name}: {address}")
    assert broken == []


def test_nothing_but_links_of_the_text_leads_outside(pages):
    loaded = [f"{path.name}: {kind} {address}" for path, page in pages.items()
              for kind, address in references(page)
              if kind != "a" and urlsplit(address).scheme not in ("", "data")]
    assert loaded == []


def test_every_exercise_can_be_downloaded(book, pages):
    names = {Path(address).name for page in pages.values() for kind, address in references(page)
             if kind == "a" and "_downloads/" in address}
    exercises = {path.name for path in Path(__file__).parents[2].glob("exercises/*/*.ipynb")}
    assert exercises and exercises <= names


def test_every_figure_says_in_words_what_is_to_be_seen(book, pages):
    silent = []
    for name in book.pages:
        for image in pages[book.site / f"{name}.html"].select("article img"):
            words = image.get("alt", "").strip()
            if not words or words.startswith("../_images"):
                silent.append(f"{name}: {image['src']}")
    assert silent == []


def test_every_page_has_its_own_title_its_language_and_a_way_past_the_menu(book, built, pages):
    titles = {}
    for name in built:
        page = pages[book.site / f"{name}.html"]
        titles.setdefault(page.title.get_text(strip=True), []).append(name)
        assert page.html["lang"] == "en", name
        skip = page.select_one(".skip-link a, a.skip-link")
        assert skip and page.find(id=skip["href"].removeprefix("#")), name
    assert {title: names for title, names in titles.items() if len(names) > 1} == {}


def prose(path):
    """The text of a page, from its source."""
    if path.suffix == ".md":
        return path.read_text()
    return "\n\n".join(cell.source for cell in nb.read(path).cells if cell.cell_type == "markdown")


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_a_chapter_is_named_by_a_link_and_not_by_a_number(path):
    assert re.findall(r".*\b[Cc]hapters? \d+.*", ELSEWHERE.sub("", prose(path))) == []


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_a_formula_has_a_number_exactly_if_something_refers_to_it(path):
    labels = set(re.findall(r"\$\$ \((eq-[\w-]+)\)", prose(path)))
    referred = {name for other in TEXTS for name in re.findall(r"\{eq\}`([\w-]+)`", prose(other))}
    assert labels <= referred
    assert {name for name in re.findall(r"\{eq\}`([\w-]+)`", prose(path))} <= {
        name for other in TEXTS for name in re.findall(r"\$\$ \((eq-[\w-]+)\)", prose(other))}
