"""Every page in a real browser without a network: no outside request, no error, all formulas."""

import functools
import http.server
import re
import threading

import pytest

import nb

PHONE = {"width": 390, "height": 844}


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A server of files, as `make serve` starts it, that does not log."""

    def log_message(self, *words):
        """Say nothing."""


@pytest.fixture(scope="module")
def server(book):
    """The address of a local server of the book."""
    handler = functools.partial(Quiet, directory=str(book.site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_port}"
        serving.shutdown()


@pytest.fixture
def open_page(browser, book, server):
    """Open a page of the book; what goes wrong is collected in `.trouble`.

    It is opened from its folder, or with `served=True` from a local server; whatever is
    neither on this disk nor on that server is cut off, and counts as trouble.
    """
    contexts = []

    def new_page(served, options):
        context = browser.new_context(**options)
        contexts.append(context)
        local = ("data:", "blob:", server if served else "file:")

        def local_only(route):
            if route.request.url.startswith(local):
                route.continue_()
            else:
                page.trouble.append(f"asks for {route.request.url}")
                route.abort()

        context.route("**/*", local_only)
        page = context.new_page()
        page.trouble = []
        page.on("console", lambda message: message.type == "error"
                and page.trouble.append(message.text))
        page.on("pageerror", lambda error: page.trouble.append(str(error)))
        page.on("requestfailed", lambda request: page.trouble.append(f"cannot load {request.url}"))
        return page

    def open_(name, served=False, query="", page=None, **options):
        page = page or new_page(served, options)
        page.trouble.clear()
        base = server if served else book.site.as_uri()
        page.goto(f"{base}/{name}.html{query}", wait_until="load")
        page.wait_for_function("!window.MathJax || (MathJax.startup && MathJax.startup.promise)")
        page.evaluate("window.MathJax && MathJax.startup.promise")
        return page

    yield open_
    for context in contexts:
        context.close()


@pytest.mark.parametrize("served", [False, True], ids=["from files", "from a server"])
def test_every_page_is_complete_without_a_network(built, open_page, served):
    found, page, formulas_of_the_book = [], None, 0
    for name in built:
        page = open_page(name, served, page=page)
        formulas = page.locator(".math").count()
        shown = page.locator("mjx-container").count()
        formulas_of_the_book += shown
        if shown < formulas:
            page.trouble.append(f"shows {shown} of {formulas} formulas")
        # a syntax error becomes an merror, an unknown macro is set in red
        for wrong in page.locator("mjx-merror, mjx-container [style*='color: red']").all():
            page.trouble.append(f"cannot show a formula: {wrong.text_content()}")
        # lazy pictures far below the window are not asked for: ask for them
        broken = page.evaluate("""async () => {
            const images = [...document.images];
            images.forEach((image) => image.loading = "eager");
            await Promise.allSettled(images.map((image) => image.decode()));
            return images.filter((image) => !image.naturalWidth).map((image) => image.src);
        }""")
        page.trouble += [f"has no picture {address}" for address in broken]
        found += [f"{name}: {words}" for words in page.trouble]
    assert found == []
    assert formulas_of_the_book > 50


@pytest.mark.parametrize("served", [False, True], ids=["from files", "from a server"])
def test_the_search_finds_pages(open_page, served):
    page = open_page("search", served, query="?q=responsibilities")
    page.get_by_text("Search finished").wait_for(timeout=10000)
    results = page.locator("#search-results li")
    assert results.get_by_role("link", name="EM in general", exact=True).count() == 1
    if served:      # from files no page may be read, and so nothing is quoted
        page.locator("#search-results p.context").first.wait_for(timeout=10000)
    assert page.trouble == []


def test_no_page_is_wider_than_a_phone(built, open_page):
    page, widths = None, {}
    for name in built:
        page = open_page(name, page=page, viewport=PHONE)
        widths[name] = page.evaluate("document.documentElement.scrollWidth")
    assert {name: width for name, width in widths.items() if width > PHONE["width"]} == {}


def test_what_goes_on_to_the_right_fades_out_there_until_its_end_is_reached(open_page):
    page = open_page("book/performance", viewport=PHONE)
    table = page.locator(".pst-scrollable-table-container").first
    assert table.evaluate("t => t.scrollWidth > t.clientWidth + 100")
    fades = "t => getComputedStyle(t).maskImage !== 'none'"
    assert table.evaluate(fades)
    table.evaluate("t => t.scrollLeft = t.scrollWidth")
    page.wait_for_function("t => getComputedStyle(t).maskImage === 'none'",
                           arg=table.element_handle())
    tables = open_page("book/intro", viewport=PHONE).locator(".pst-scrollable-table-container")
    assert tables.evaluate_all("all => all.map((t) => t.scrollWidth > t.clientWidth)") == [False]
    assert not tables.evaluate(fades)


def test_names_in_tables_are_not_broken_into_letters(open_page):
    page = open_page("book/17-scikit-learn", viewport=PHONE)
    widths = page.locator(".table :is(th, td):has(code)").evaluate_all(
        "cells => cells.map((cell) => cell.offsetWidth)")
    assert len(widths) > 10
    assert min(widths) > 100


def scrolling(page, what):
    """What stands on a page and is wider than its place, all that is folded being open."""
    return page.evaluate("""(what) => {
        document.querySelectorAll("article details").forEach((each) => each.open = true);
        return [...document.querySelectorAll(what)].filter(
            (each) => each.scrollWidth > each.clientWidth + 1).map(
            (each) => each.textContent.trim().slice(0, 60));
    }""", what)


def pages_of_text(book):
    """The names of the pages that are written as text; docstrings have widths of their own."""
    return [name for name in book.pages if (nb.ROOT / f"{name}.md").is_file() and name != "book/api"]


def test_tables_and_code_of_a_page_of_text_fit_beside_the_contents(book, open_page):
    page, wide = None, {}
    for name in pages_of_text(book):
        page = open_page(name, page=page, viewport={"width": 1280, "height": 844})
        wide[name] = scrolling(page, "article pre, article .pst-scrollable-table-container")
    assert len(wide) > 10 and {name: each for name, each in wide.items() if each} == {}


def test_only_tables_of_measurements_scroll_on_a_phone(book, open_page):
    page, wide = None, set()
    for name in pages_of_text(book):
        page = open_page(name, page=page, viewport=PHONE)
        if scrolling(page, "article .pst-scrollable-table-container"):
            wide.add(name)
    assert wide == {"book/performance", "book/grading"}


def test_messages_wrap(open_page):
    page = open_page("book/learning", viewport=PHONE)
    message = page.locator(".highlight-text pre", has_text="Not yet: central_difference").first
    assert message.evaluate("m => m.scrollWidth <= m.clientWidth")


def test_formulas_of_part_two_fit_on_a_phone(built, open_page):
    page, wide, seen = None, [], 0
    for name in built:
        if not re.match(r"book/1[1-8]-", name):
            continue
        page = open_page(name, page=page, viewport=PHONE)
        widths = page.evaluate("""() => {
            document.querySelectorAll("article details").forEach((each) => each.open = true);
            return [...document.querySelectorAll("article mjx-container")].map((each) => [
                each.firstElementChild.getBoundingClientRect().width,
                (each.closest("div.math, p, li, td") || each.parentElement).getBoundingClientRect().width,
                each.textContent.slice(0, 60)]);
        }""")
        seen += len(widths)
        wide += [f"{name}: {words}" for formula, room, words in widths if formula > room + 1]
    assert wide == [] and seen > 500


def test_names_in_a_table_stay_in_one_piece(open_page):
    page = open_page("book/17-scikit-learn")
    broken = page.evaluate("""() => [...document.querySelectorAll(
        "article th code, article td:not(:last-child) code")].map(
        (each) => [each.textContent, each.getClientRects().length])""")
    assert len(broken) > 15 and [name for name, pieces in broken if pieces > 1] == []


def test_paper_is_light_and_unfolded_and_shows_no_navigation(book, open_page):
    page = open_page("book/15-em", color_scheme="dark")
    closed = "article details:not([open], .hint)"
    dark = page.evaluate("document.documentElement.dataset.theme")
    folded = page.locator(closed).count()
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    assert folded > 0 and page.locator(closed).count() == 0
    for part in (".bd-sidebar-primary", ".bd-header-article", ".prev-next-area", ".copybtn"):
        assert not page.locator(part).first.is_visible(), part
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.documentElement.dataset.theme") == dark == "dark"
    assert page.locator(closed).count() == folded


def test_a_long_table_goes_on_overleaf_and_a_short_one_stays_whole(open_page):
    """Else the page before a long table, which must be divided all the same, is left half empty."""
    breaks = {}
    for name in ("book/map", "book/intro"):
        page = open_page(name)
        page.emulate_media(media="print")
        breaks[name] = page.locator("article table").evaluate_all(
            "tables => tables.map((table) => getComputedStyle(table).breakInside)")
    assert breaks == {"book/map": ["auto"], "book/intro": ["avoid"]}


def test_the_keyboard_reaches_every_control_and_shows_where_it_is(open_page):
    page = open_page("book/15-em")
    page.evaluate("""() => {
        document.querySelectorAll("article details").forEach((each) => each.open = true);
        const kinds = "a[href], button, input, select, summary";
        const all = [...document.querySelectorAll(`article :is(${kinds}), header :is(${kinds})`)];
        // of the options of one question, the tabulator reaches one, and the arrows the others
        const names = new Set();
        window.wanted = new Set(all.filter((each) => each.checkVisibility({
            visibilityProperty: true, opacityProperty: false}) && !each.disabled
            && each.tabIndex >= 0
            && !(each.type === "radio" && (names.has(each.name) || !names.add(each.name)))));
        window.blind = [];
        document.addEventListener("focusin", ({target}) => {
            if (!wanted.delete(target)) return;
            const style = getComputedStyle(target);
            if (style.outlineStyle === "none" && style.boxShadow === "none")
                blind.push(target.outerHTML.slice(0, 100));
        });
    }""")
    assert page.evaluate("wanted.size") > 50
    for _ in range(400):
        page.keyboard.press("Tab")
    missed = page.evaluate("[...wanted].map((each) => each.outerHTML.slice(0, 100))")
    assert missed == []
    assert page.evaluate("blind") == []


def test_the_menu_opens_on_a_phone(book, open_page):
    page = open_page(book.pages[1], viewport=PHONE)
    page.locator("label.primary-toggle, button.primary-toggle").first.click()
    menu = page.locator(".bd-sidebar-primary").get_by_role("link", name="Notation")
    menu.wait_for(state="visible", timeout=5000)
