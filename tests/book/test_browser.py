"""Every page in a real browser without a network: no outside request, no error, all formulas."""

import pytest

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def open_page(browser, book):
    """Open a page of the book from its folder; what goes wrong is collected in `.trouble`."""
    contexts = []

    def open_(name, **options):
        context = browser.new_context(**options)
        contexts.append(context)
        trouble = []

        def local_only(route):
            address = route.request.url
            if address.startswith(("file:", "data:", "blob:")):
                route.continue_()
            else:
                trouble.append(f"asks for {address}")
                route.abort()

        context.route("**/*", local_only)
        page = context.new_page()
        page.on("console", lambda message: message.type == "error" and trouble.append(message.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("requestfailed", lambda request: trouble.append(f"cannot load {request.url}"))
        page.goto((book.site / f"{name}.html").as_uri(), wait_until="load")
        page.wait_for_function("!window.MathJax || (MathJax.startup && MathJax.startup.promise)")
        page.evaluate("window.MathJax && MathJax.startup.promise")
        page.trouble = trouble
        return page

    yield open_
    for context in contexts:
        context.close()


def test_every_page_is_complete_without_a_network(book, open_page):
    found = []
    for name in book.pages:
        page = open_page(name)
        formulas = page.locator(".math").count()
        shown = page.locator("mjx-container").count()
        if shown < formulas:
            page.trouble.append(f"shows {shown} of {formulas} formulas")
        # a syntax error becomes an merror, an unknown macro is set in red
        for wrong in page.locator("mjx-merror, mjx-container [style*='color: red']").all():
            page.trouble.append(f"cannot show a formula: {wrong.text_content()}")
        found += [f"{name}: {words}" for words in page.trouble]
    assert found == []


def test_the_book_has_formulas(book, open_page):
    assert sum(open_page(name).locator("mjx-container").count() for name in book.pages) > 50


def test_no_page_is_wider_than_a_phone(book, open_page):
    widths = {name: open_page(name, viewport=PHONE).evaluate("document.documentElement.scrollWidth")
              for name in book.pages}
    assert {name: width for name, width in widths.items() if width > PHONE["width"]} == {}


def test_the_menu_opens_on_a_phone(book, open_page):
    page = open_page(book.pages[1], viewport=PHONE)
    page.locator("label.primary-toggle, button.primary-toggle").first.click()
    menu = page.locator(".bd-sidebar-primary").get_by_role("link", name="Notation")
    menu.wait_for(state="visible", timeout=5000)
