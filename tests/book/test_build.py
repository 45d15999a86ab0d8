"""The book builds without a warning, and every page is there."""

import jupyter_book

import nb


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


def test_the_contents_list_every_page_and_every_notebook_once(book):
    written = {path.relative_to(nb.ROOT).with_suffix("").as_posix()
               for pattern in ("book/*.md", "book/*.ipynb", "genindex.md")
               for path in nb.ROOT.glob(pattern)}
    assert sorted(book.pages) == sorted(written)


def test_there_are_eighteen_chapters_and_eleven_assignments_each_with_its_notebook(book):
    chapters = [name for name in book.pages if name[5:7].isdigit()]
    assert [int(name[5:7]) for name in chapters] == list(range(1, 19))
    assignments = sorted(path.name for path in (nb.ROOT / "exercises").iterdir() if path.is_dir())
    assert [int(name[:2]) for name in assignments] == list(range(1, 12))
    assert all((nb.ROOT / "solutions" / name / f"{name}.ipynb").is_file()
               and (nb.ROOT / "exercises" / name / f"{name}.ipynb").is_file()
               for name in assignments)
