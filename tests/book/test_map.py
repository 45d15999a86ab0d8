"""The map of the chapters says what the chapters say, and can be read and used by everybody."""

import importlib.util
import re

import pytest
import yaml

import nb

_spec = importlib.util.spec_from_file_location("chapters", nb.ROOT / "book" / "_ext" / "chapters.py")
chapters = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(chapters)

CONTENTS = yaml.safe_load((nb.ROOT / "_toc.yml").read_text())
PARTS = {part["caption"]: [entry["file"].removeprefix("book/") for entry in part["chapters"]]
         for part in CONTENTS["parts"] if part["caption"].startswith("Part ")}
ORDER = [name for names in PARTS.values() for name in names]


def stated(page):
    """The chapters that the opening of a built chapter links as needed, and as a help."""
    opening, = [paragraph for paragraph in page.select("article p")
                if paragraph.get_text().startswith("You need ")]
    links, helps = set(), set()
    for link in opening.select("a.reference.internal"):
        after = "".join(str(each) for each in link.next_siblings)
        kind = helps if after.startswith(" helps.") else links
        before = "".join(each.get_text() for each in link.previous_siblings)
        if re.search(r"\.\s", before) is None:      # of the first sentence only
            kind.add(link["href"].removesuffix(".html"))
    return links, helps


@pytest.fixture(scope="module")
def map_page(book, pages):
    return pages[book.site / "book" / "map.html"]


def test_the_picture_shows_what_each_chapter_says_that_it_needs(book, pages, map_page):
    drawn = {(arc["class"][0], arc["data-from"], arc["data-to"])
             for arc in map_page.select("svg.chapter-map path[data-from]")}
    said = set()
    for name in ORDER:
        needs, helps = stated(pages[book.site / "book" / f"{name}.html"])
        said |= {("needs", before, name) for before in needs}
        said |= {("helps", before, name) for before in helps}
    assert drawn == said and len(said) > len(ORDER)


def test_no_chapter_needs_a_later_one(map_page):
    arcs = map_page.select("svg.chapter-map path[data-from]")
    backward = [(arc["data-from"], arc["data-to"]) for arc in arcs
                if ORDER.index(arc["data-from"]) >= ORDER.index(arc["data-to"])]
    assert backward == []       # and so there is no cycle either


def test_picture_table_and_contents_list_the_same_chapters(book, pages, map_page):
    links = map_page.select("svg.chapter-map a")
    titles = [pages[book.site / "book" / f"{name}.html"].h1.find(string=True, recursive=False)
              or pages[book.site / "book" / f"{name}.html"].h1.get_text() for name in ORDER]
    assert [link["href"] for link in links] == [f"{name}.html" for name in ORDER]
    assert [part.get_text().partition(":")[0] for part in map_page.select("svg .part")] == [
        caption.partition(":")[0] for caption in PARTS]
    for link, title in zip(links, titles):
        assert link.get_text().partition(" ")[2] in title
    rows = map_page.select("article table tbody tr")
    assert [row.select_one("a")["href"] for row in rows] == [f"{name}.html" for name in ORDER]


def test_the_whole_way_to_a_chapter_is_closed_and_no_longer_than_it_must(map_page):
    needs = {name: set() for name in ORDER}
    for arc in map_page.select("svg.chapter-map path.needs"):
        needs[arc["data-to"]].add(arc["data-from"])
    for name, row in zip(ORDER, map_page.select("article table tbody tr")):
        way = [link["href"].removesuffix(".html") for link in row.select("td:last-child a")]
        assert way[-1] == name and way == sorted(way, key=ORDER.index)
        assert set(way) == {name}.union(*(needs[step] for step in way))


def test_the_words_count_what_is_drawn(map_page):
    words = map_page.select_one("#chapter-map-words").get_text()
    arcs = map_page.select("svg.chapter-map path.needs")
    assert f"The {len(ORDER)} chapters" in words and f"{len(arcs)} arcs" in words
    starts = [arc["data-from"] for arc in arcs]
    most = max(ORDER, key=starts.count)
    assert f"Most arcs, {starts.count(most)}, begin at {ORDER.index(most) + 1}," in words


@pytest.mark.parametrize("sentence, needs, helps", [
    ("You need {doc}`a` and {doc}`b`; {doc}`c` helps. It takes {doc}`d`.", ["a", "b"], ["c"]),
    ("You need vectors. Then see {doc}`a`.", [], []),
    ("You need sets, from {doc}`a`.\n:::", ["a"], []),
])
def test_what_an_opening_needs(sentence, needs, helps):
    assert chapters.needed(sentence)[1:] == (needs, helps)


def contrast(first, second):
    """Contrast of two colours by the definition of WCAG 2.2, from "rgb(r, g, b)"."""
    def luminance(colour):
        parts = [float(part) / 255 for part in re.findall(r"[\d.]+", colour)[:3]]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
                            for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue
    high, low = sorted([luminance(first), luminance(second)], reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_picture_can_be_read_on_a_phone_and_used_with_keys(book, browser, theme):
    context = browser.new_context(viewport={"width": 390, "height": 844})
    context.add_init_script(f"localStorage.setItem('mode', '{theme}')")
    context.add_init_script(f"localStorage.setItem('theme', '{theme}')")
    page = context.new_page()
    page.goto((book.site / "book" / "map.html").as_uri())
    seen = page.evaluate("""() => {
        const svg = document.querySelector("svg.chapter-map");
        const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
        return [...svg.querySelectorAll("text")].map((text) => ({
            size: parseFloat(getComputedStyle(text).fontSize) * scale,
            right: text.getBoundingClientRect().right,
            colour: getComputedStyle(text).fill,
            ground: getComputedStyle(document.body).backgroundColor}));
    }""")
    assert len(seen) == len(ORDER) + len(PARTS)
    assert min(text["size"] for text in seen) >= 12
    assert max(text["right"] for text in seen) <= 390
    assert min(contrast(text["colour"], text["ground"]) for text in seen) >= 4.5
    page.locator("svg.chapter-map a").first.focus()
    reached = []
    for _ in ORDER:
        reached.append(page.evaluate("document.activeElement.getAttribute('href')"))
        page.keyboard.press("Tab")
    assert reached == [f"{name}.html" for name in ORDER]
    context.close()
