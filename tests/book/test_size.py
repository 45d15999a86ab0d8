"""The book stays small enough for a slow line and for a phone.

The budgets leave about a quarter to what was measured (in comments), so that a chapter can grow
and a second copy of MathJax, a figure as a bitmap of print size or a bundled script cannot slip in.
"""

from urllib.parse import unquote, urlsplit

KB, MB = 1e3, 1e6
SITE = 23 * MB                  # 18: 3 notebooks to download, 5 scripts and fonts, 1.5 figures
PAGE = 400 * KB                 # 313, the chapter on EM, whose stepped figures are in the page
LARGEST = {"book/api": 1 * MB}  # 825: one page, for links from anywhere and one search in it
OWN = 1.3 * MB                  # 1.04, the page api; 0.83 the chapter on EM, eight pictures 0.3
SHARED = 4.5 * MB               # what every page loads, and the browser keeps: 2.5 of it scripts
PICTURE = 170 * KB              # 144, the eight steps of EM


def size(path):
    return path.stat().st_size


def loaded(page, path):
    """The files that a page asks for, without those that scripts ask for later."""
    addresses = [tag[name] for tag in page.find_all(["script", "link", "img"])
                 for name in ("src", "href") if tag.get(name)
                 and tag.get("rel") not in (["index"], ["search"], ["next"], ["prev"])]
    local = {urlsplit(address) for address in addresses}
    return {(path.parent / unquote(parts.path)).resolve() for parts in local
            if not parts.scheme and parts.path}


def test_the_site(book):
    assert sum(size(path) for path in book.site.rglob("*") if path.is_file()) < SITE


def test_the_text_of_each_page(book, built):
    sizes = {name: size(book.site / f"{name}.html") for name in built}
    assert {name: bytes_ for name, bytes_ in sizes.items()
            if bytes_ > LARGEST.get(name, PAGE)} == {}


def test_what_each_page_loads(book, pages):
    heavy = {}
    for path, page in pages.items():
        static = {file for file in loaded(page, path) if "_static" in file.parts}
        own = size(path) + sum(size(file) for file in loaded(page, path) - static)
        shared = sum(map(size, static))
        if own > OWN or shared > SHARED:
            heavy[path.name] = f"{own / MB:.2f} MB of its own, {shared / MB:.2f} MB shared"
    assert heavy == {}


def test_each_picture(book):
    sizes = {path.name: size(path) for path in book.site.glob("_images/*")}
    assert sizes and {name: bytes_ for name, bytes_ in sizes.items() if bytes_ > PICTURE} == {}
