"""The API reference holds every public name, and what authors use of the grader."""

import inspect
import re
from importlib import import_module
from types import SimpleNamespace

import pytest

import gradem
import nb
from autograder import cli, form

# Modules of which the page tells the idea, and only the names that users meet.
INSIDE = {
    "anf": "one step of source transformation, called by gradem.source alone",
    "dataflow": "one step of source transformation, called by gradem.source alone",
    "generated": "one step of source transformation, called by gradem.source alone",
    "operations": "one step of source transformation; its no_derivative stands in generated code",
    "reading": "one step of source transformation; its Unsupported is what users catch",
    "syntax": "helpers for Python's syntax trees",
    "source": "added and zeros_like are called by generated code, under these names",
}


def public(module):
    """Functions and classes that a module defines under a public name."""
    return {name for name, value in vars(module).items() if not name.startswith("_")
            and (inspect.isfunction(value) or inspect.isclass(value))
            and value.__module__ == module.__name__}


@pytest.fixture(scope="module")
def described(book, pages):
    """The names that the page describes, each an anchor to link to."""
    page = pages[book.site / "book" / "api.html"]
    return {tag["id"] for tag in page.find_all(id=re.compile(r"^(module-)?gradem\."))}


@pytest.mark.parametrize("name", sorted(gradem._MODULES))
def test_every_public_name_of_a_module_is_described(name, described):
    module = import_module(f"gradem.{name}")
    assert f"module-gradem.{name}" in described
    missing = {each for each in public(module) if f"gradem.{name}.{each}" not in described}
    assert (missing == set()) is (name not in INSIDE), missing


def test_nothing_private_or_gone_is_described(described):
    names = {each.removeprefix("gradem.") for each in described if not each.startswith("module-")}
    assert [each for each in names if each.rpartition(".")[2].startswith("_")] == []
    for each in names:
        module, _, rest = each.partition(".")
        owner = import_module(f"gradem.{module}")
        assert hasattr(owner, rest.partition(".")[0]), each


def test_every_field_says_what_it_holds(book, pages):
    """Python's own words for the field of a tuple say only its number."""
    page = pages[book.site / "book" / "api.html"]
    fields = page.select("dl.attribute")
    assert len(fields) > 20
    assert [field.dt["id"] for field in fields
            if not field.dd.get_text(strip=True) or "Alias for field" in field.dd.text] == []


def test_every_name_that_can_be_imported_from_gradem_is_in_the_first_table():
    text = (nb.ROOT / "book" / "api.md").read_text().partition("## ")[0]
    assert set(gradem.__all__) <= set(re.findall(r"`(\w+)`", text)) | {"NoDerivative"}


def test_every_command_of_the_grader_is_listed():
    listed = re.findall(r"^\| `autograder (\w+)` \|", (nb.ROOT / "book" / "api.md").read_text(),
                        re.MULTILINE)
    parser = cli._parser()
    commands = next(action for action in parser._actions if action.choices).choices
    assert sorted(listed) == sorted(commands)


def test_the_entries_of_answers_are_those_that_the_grader_takes(tmp_path):
    text = (nb.ROOT / "book" / "api.md").read_text()
    right, wrong = (re.search(rf"^\| `answers.toml` \| `\[\[{kind}\]\]` \|(.*)", text, re.MULTILINE)[1]
                    for kind in ("right", "wrong"))
    shared, more = re.findall(r"`(\w+)`", right), re.findall(r"`(\w+)`", wrong)
    entry = "".join(f'{key} = "e"\n' for key in shared)
    further = "".join(f'{key} = ["e"]\n' if key == "says" else f'{key} = "e"\n' for key in more)
    (tmp_path / form.ANSWERS).write_text(f"[[right]]\n{entry}[[wrong]]\n{entry}{further}")
    answers, faults = form.read_answers(SimpleNamespace(path=tmp_path / "e.ipynb"))
    assert [answer.right for answer in answers] == [True, False] and faults == []
