"""The README's examples give what it says, and the places it names exist."""

import doctest
import re

import nb
import pack

README = nb.ROOT / "README.md"


def test_the_examples_give_what_is_printed():
    failed, tried = doctest.testfile(str(README), module_relative=False)
    assert (failed, tried) == (0, 5)


def test_what_it_links_to_and_lists_exists():
    text = README.read_text()
    named = re.findall(r"\]\(([A-Z][\w.-]*)\)", text)
    named += re.findall(r"^    (\w+/)  ", text, re.MULTILINE)
    assert len(named) > 8 and [name for name in named if not (nb.ROOT / name).exists()] == []


def test_learners_type_the_same_as_in_their_guide_and_in_the_zip_file():
    guide = (nb.ROOT / "book" / "learning.md").read_text(encoding="utf-8")
    lines = re.search(r"Linux, macOS\n```\{code-block\} sh\n(.*?)```", guide, re.DOTALL)[1]
    lines = lines.splitlines()
    assert len(lines) == 3
    for text in (README.read_text(encoding="utf-8"), pack.WELCOME):
        # Jupyter that is given a notebook serves its folder alone: links to chapters would lead nowhere
        assert [line for line in lines if f"    {line}\n" not in text] == []
        assert "`py`" in text and ".venv\\Scripts\\" in text
