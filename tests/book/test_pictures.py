"""The README's pictures are small, and show what the book and a check say today."""

import re

import pytest
from PIL import Image

import nb
import pictures

README = (nb.ROOT / "README.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"!\[([^\]]+)\]\((pictures/[\w.-]+)\)", README)
BUDGET = 120_000                 # bytes of each; a clone and a phone load both


def words(path):
    """What a picture says that it shows."""
    return Image.open(path).text["Description"]


def test_every_picture_is_shown_with_words_and_is_small():
    files = sorted(path.relative_to(nb.ROOT).as_posix() for path in pictures.FOLDER.iterdir())
    assert sorted(path for _, path in SHOWN) == files
    assert all(len(alt) > 80 for alt, _ in SHOWN)
    assert {path: size for path in files if (size := (nb.ROOT / path).stat().st_size) > BUDGET} == {}


def test_the_picture_of_the_book_shows_its_present_words(browser, book):
    _, now = pictures.book(browser, book.site)
    assert words(pictures.BOOK) == now, "run: make book, then python tools/pictures.py"


def test_the_picture_of_the_check_shows_the_words_that_learners_read():
    guide = pictures.GUIDE.read_text(encoding="utf-8")
    said = re.search(r"Not yet: central_difference\(.*?brackets\.", guide).group()
    assert said in words(pictures.CHECK), "run: python tools/pictures.py"
    (alt,) = (alt for alt, path in SHOWN if path.endswith(pictures.CHECK.name))
    assert said in alt


@pytest.mark.parametrize("path", [pictures.BOOK, pictures.CHECK], ids=lambda path: path.stem)
def test_a_picture_is_not_blank(path):
    with Image.open(path) as image:
        assert len(image.convert("RGB").getcolors(1 << 24)) > 20 and image.width >= 800
