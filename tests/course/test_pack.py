"""What is packed is complete, works elsewhere, and is the same whenever it is packed."""

import os
import re
import subprocess
import sys
import zipfile

import nbformat
import pytest
from nbclient import NotebookClient

import nb
import pack


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


def test_the_packed_gradem_can_be_installed(unpacked, tmp_path):
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index",
               "--no-build-isolation", "--target", tmp_path / "site", unpacked]
    subprocess.run(install, check=True, capture_output=True)
    code = ("import gradem, gradem.datasets; "
            "print(gradem.__file__, len(gradem.datasets.old_faithful()))")
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                         env={**os.environ, "PYTHONPATH": str(tmp_path / "site")}, cwd=tmp_path)
    assert run.stdout.split() == [str(tmp_path / "site" / "gradem" / "__init__.py"), "272"]


@pytest.mark.parametrize("name", ["book/09-tools.ipynb", "book/13-mixtures.ipynb"])
def test_a_packed_chapter_runs_with_the_data_it_reads(unpacked, name, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(unpacked))
    notebook = nbformat.read(unpacked / name, as_version=4)
    where = nbformat.v4.new_code_cell("import gradem; print(gradem.__file__)")
    notebook.cells.append(where)
    ran = NotebookClient(notebook, resources={"metadata": {"path": str((unpacked / name).parent)}})
    assert ran.execute().cells[-1].outputs[0].text.startswith(str(unpacked))
