"""What is packed is complete, works elsewhere, and is the same whenever it is packed."""

import contextlib
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import PackageNotFoundError, packages_distributions, requires

import nbformat
import pytest
from nbclient import NotebookClient
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import nb
import pack
from tests.elsewhere import Environment


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """The zip of the notebooks, unpacked in a folder of its own."""
    folder = tmp_path_factory.mktemp("elsewhere")
    pack.pack(folder / "notebooks.zip", pack.notebooks(nb.ROOT))
    with zipfile.ZipFile(folder / "notebooks.zip") as archive:
        archive.extractall(folder)
    return folder / "notebooks"


def test_the_same_files_give_the_same_bytes(tmp_path):
    (tmp_path / "a.txt").write_text("one")
    (tmp_path / "b.txt").write_text("two")
    first, second = tmp_path / "1" / "x.zip", tmp_path / "2" / "x.zip"
    pack.pack(first, pack.collect(tmp_path, ["*.txt"]))
    os.utime(tmp_path / "a.txt", (0, 0))
    (tmp_path / "b.txt").chmod(0o600)
    pack.pack(second, pack.collect(tmp_path, ["b.txt", "a.txt"]))
    assert first.read_bytes() == second.read_bytes()


def test_all_chapters_and_exercises_are_packed_and_no_solution(unpacked):
    for pattern in ("book/*.ipynb", "exercises/*/*.ipynb"):
        here = {path.relative_to(nb.ROOT) for path in nb.ROOT.glob(pattern)}
        assert here and here == {path.relative_to(unpacked) for path in unpacked.glob(pattern)}
    text = "".join(path.read_text() for path in unpacked.rglob("*.ipynb"))
    assert not re.search(r"### BEGIN (SOLUTION|HIDDEN)", text)
    assert not (unpacked / "solutions").exists()


def test_what_is_packed_can_be_installed_and_checks_an_exercise(unpacked, tmp_path):
    """As its README says, but that the packages it depends on are there already."""
    environment = Environment(tmp_path)
    environment.install("--editable", unpacked)
    code = "import gradem.datasets; print(gradem.__file__, len(gradem.datasets.old_faithful()))"
    done = environment.run("python", "-I", "-c", code, cwd=tmp_path)
    assert done.stdout.split() == [str(unpacked / "gradem" / "__init__.py"), "272"]
    command = pack.WELCOME[pack.WELCOME.index(".venv/bin/autograder"):].split()[:3]
    done = environment.run("autograder", *command[1:], cwd=unpacked)
    assert done.returncode == 1, done.stderr
    assert done.stdout.count("not answered") == 5
    assert "0 of 5 exercises pass their checks." in done.stdout


#: What Windows lacks, and what only instructors have installed.
WITHOUT = """
import importlib.abc, sys
class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name in {missing}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing())
from autograder.cli import main
sys.exit(main(["check", "exercises/01-differences/01-differences.ipynb"]))
"""


def test_the_check_runs_where_there_is_no_grader(unpacked):
    """On a learner's machine, and on another system than Linux."""
    extras = tomllib.loads((unpacked / "pyproject.toml").read_text())["project"]
    extras = extras["optional-dependencies"]
    names = {kind: {canonicalize_name(Requirement(text).name) for text in extras[kind]}
             for kind in ("course", "grader")}
    used = installed_with(names["course"])
    missing = {"resource", *(module for module, homes in packages_distributions().items()
                             if any(canonicalize_name(home) in names["grader"] - used
                                    for home in homes))}
    assert {"nbgrader", "nh3", "latex2mathml"} <= missing
    done = subprocess.run([sys.executable, "-c", WITHOUT.format(missing=missing)], cwd=unpacked,
                          capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert "0 of 5 exercises pass their checks." in done.stdout


def installed_with(names):
    """These packages, and all that they need, by their names."""
    found, waiting = set(), set(names)
    while waiting:
        name = waiting.pop()
        found.add(name)
        with contextlib.suppress(PackageNotFoundError):
            needs = [Requirement(text) for text in requires(name) or ()]
            waiting |= {canonicalize_name(need.name) for need in needs
                        if not need.marker or need.marker.evaluate({"extra": ""})} - found
    return found


@pytest.mark.parametrize("name", ["book/09-tools.ipynb", "book/13-mixtures.ipynb"])
def test_a_packed_chapter_runs_with_the_data_it_reads(unpacked, name, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(unpacked))
    notebook = nbformat.read(unpacked / name, as_version=4)
    where = nbformat.v4.new_code_cell("import gradem; print(gradem.__file__)")
    notebook.cells.append(where)
    ran = NotebookClient(notebook, resources={"metadata": {"path": str((unpacked / name).parent)}})
    assert ran.execute().cells[-1].outputs[0].text.startswith(str(unpacked))
