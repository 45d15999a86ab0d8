"""Everything a page refers to is in the book, and figures have words."""

from pathlib import Path
from urllib.parse import unquote, urlsplit


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
