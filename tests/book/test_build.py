"""The book builds without a warning, and every page is there."""

import jupyter_book


def test_the_builder_is_of_the_line_that_the_configuration_is_for():
    assert jupyter_book.__version__.startswith("1.")


def test_the_build_has_no_warning(book):
    complaints = [line for line in book.log.splitlines() if "WARNING" in line or "ERROR" in line]
    assert complaints == []
    assert book.code == 0, book.log


def test_every_page_is_there(book):
    assert len(book.pages) > 5
    names = ["index", *book.pages]
    assert [name for name in names if not (book.site / f"{name}.html").is_file()] == []
