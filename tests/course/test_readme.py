"""The README's examples give what it says, and the places it names exist."""

import doctest
import re

import nb

README = nb.ROOT / "README.md"


def test_the_examples_give_what_is_printed():
    failed, tried = doctest.testfile(str(README), module_relative=False)
    assert (failed, tried) == (0, 5)


def test_what_it_links_to_and_lists_exists():
    text = README.read_text()
    named = re.findall(r"\]\(([A-Z][\w.-]*)\)", text)
    named += re.findall(r"^    (\w+/)  ", text, re.MULTILINE)
    assert len(named) > 8 and [name for name in named if not (nb.ROOT / name).exists()] == []
