"""The picture of the packages shows what Python imports, and where each module runs."""

import importlib
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as tree

import nbformat
import pytest

import architecture
import nb
from autograder import apart
from autograder.limits import Limits
from autograder.marking import Session

SVG = "{http://www.w3.org/2000/svg}"
PICTURE = tree.parse(nb.ROOT / "book" / "architecture.svg").getroot()
PAGE = (nb.ROOT / "book" / "maintaining.md").read_text(encoding="utf-8")

# Import every module, and note each import statement that runs: who wants whom.
RECORD = """
import builtins, importlib, json, pathlib, sys
plain, seen = builtins.__import__, set()
def noting(name, globals=None, locals=None, fromlist=(), level=0):
    module = plain(name, globals, locals, fromlist, level)
    who = (globals or {}).get("__name__", "")
    for wanted in [name, *(f"{name}.{part}" for part in fromlist or ())]:
        seen.add((who, wanted))
    return module
builtins.__import__ = noting
for package in ("gradem", "autograder"):
    for path in sorted(pathlib.Path(package).glob("*.py")):
        if path.stem not in ("__init__", "__main__"):
            importlib.import_module(f"{package}.{path.stem}")
print(json.dumps(sorted(seen)))
"""


def box(name):
    """The title and the modules that stand in a box of the picture."""
    group, = PICTURE.findall(f"{SVG}g[@id='{name}']")
    title, *lines = [text.text for text in group.findall(f"{SVG}text")]
    return title, {module for line in lines for module in line.split()}


def place(element):
    """The four numbers of a rectangle."""
    return [float(element.get(key)) for key in ("x", "y", "width", "height")]


def inside(name, frame):
    """Does a box lie in the frame of this title?"""
    rectangles = list(PICTURE)
    title, = (text for text in PICTURE.findall(f"{SVG}text") if text.text.startswith(frame))
    x, y, width, height = place(rectangles[rectangles.index(title) - 1])
    left, top, across, down = place(PICTURE.find(f"{SVG}g[@id='{name}']/{SVG}rect"))
    return x <= left and left + across <= x + width and y <= top and top + down <= y + height


BOXES = [group.get("id") for group in PICTURE.findall(f"{SVG}g")]
ARROWS = {(path.get("data-from"), path.get("data-to")) for path in PICTURE.findall(f"{SVG}path")}
HOME = {f"{package}.{module}": name for package in ("gradem", "autograder") for name in BOXES
        if inside(name, package) for module in box(name)[1]}


def reached(start):
    """The boxes to which arrows lead from a box, itself among them."""
    found = {start}
    while more := {end for first, end in ARROWS if first in found} - found:
        found |= more
    return found


@pytest.fixture(scope="module")
def imports():
    """The pairs of boxes of which the first really imports the second."""
    run = subprocess.run([sys.executable, "-c", RECORD], cwd=nb.ROOT, capture_output=True,
                         text=True, check=True)
    return {(HOME[who], HOME[wanted]) for who, wanted in json.loads(run.stdout)
            if who in HOME and wanted in HOME}


def test_the_picture_is_what_the_program_draws():
    drawn = architecture.drawing()
    assert (nb.ROOT / "book" / "architecture.svg").read_text(encoding="utf-8") == drawn, \
        "run: python tools/architecture.py"


def test_every_module_stands_in_one_box():
    files = [f"{package}.{path.stem}" for package in ("gradem", "autograder")
             for path in (nb.ROOT / package).glob("*.py") if path.stem != "__init__"]
    assert sorted(HOME) == sorted(files)
    assert sum(len(box(name)[1]) for name in BOXES) == len(files)


def test_whatever_is_imported_can_be_reached_by_arrows(imports):
    assert len(imports) > len(BOXES)
    assert sorted(pair for pair in imports if pair[1] not in reached(pair[0])) == []


def test_no_arrow_is_there_without_an_import(imports):
    # what a function imports when it is called was not imported above: it stands in the text
    told = {pair for pair in ARROWS - imports for module in HOME if HOME[module] == pair[0]
            for name in re.findall(r"(?m)^ +from (\S+) import",
                                   (nb.ROOT / f"{module.replace('.', '/')}.py").read_text())
            if HOME.get(name) == pair[1]}
    assert sorted(ARROWS - imports - told) == []


def test_arrows_do_not_go_round_in_a_circle():
    assert [(start, end) for start, end in ARROWS if start in reached(end)] == []


def test_gradem_knows_nothing_of_the_rest():
    known = {name.split(".")[0] for path in (nb.ROOT / "gradem").glob("*.py")
             for name in architecture.imported(path)}
    assert not known & {"autograder", "nb", "book", "tools", "tests"}


def test_the_process_of_a_notebook_holds_what_the_picture_says(tmp_path, monkeypatch):
    (tmp_path / "loaded.py").write_text("import sys\n"
                                        "def names(send): send(' '.join(sys.modules).encode())")
    monkeypatch.syspath_prepend(tmp_path)         # the process takes this path over
    ended = apart.call(importlib.import_module("loaded").names, seconds=60)
    boxes = {HOME[name] for name in ended.sent[0].decode().split() if name in HOME}
    assert {name for name in BOXES if inside(name, "a process for each")} <= boxes
    assert not [name for name in boxes if inside(name, "the command's process")]


def test_the_sandbox_holds_what_the_picture_says_and_nothing_else_of_the_grader():
    notebook = nbformat.v4.new_notebook(cells=[])
    with Session(notebook, seed=1, limits=Limits(cell_seconds=30)) as session:
        outcome = session.run("import os, sys, autograder\n"
                              "print(*sorted(os.listdir(list(autograder.__path__)[0])))\n"
                              "print(*(name for name in sys.modules if name[:11] == 'autograder.'))")
    there, running = "".join(output.data for output in outcome.outputs).splitlines()
    files = {name.removesuffix(".py") for name in there.split() if name != "__init__.py"}
    assert files == box("inside")[1] and inside("inside", "sandbox")
    assert {name.partition(".")[2] for name in running.split()} == files


def test_what_the_picture_shows_is_said_in_words():
    words = re.search(r":name: fig-architecture\n.*?:alt: ([^\n]+)", PAGE, re.DOTALL)[1]
    assert [title for title, _ in map(box, BOXES) if title not in words] == []
