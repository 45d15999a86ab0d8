"""Nothing that is read holds one of the misspellings that codespell knows."""

import subprocess
import sys

import nbformat

import nb

FILES = ("*.md", "*.yml", "Makefile", "pyproject.toml", "book/*.md", "book/*.bib", "book/_ext/*.py",
         "book/_static/*", "benchmarks/*.md", "benchmarks/*.py", "solutions/*/*.toml",
         "gradem/*.py", "autograder/*.*", "tools/*.py", "tests/**/*.py", "docker/*")
NOTEBOOKS = ("book/*.ipynb", "solutions/*/*.ipynb")


def codespell(*paths, cwd):
    """What codespell finds, with the exceptions in pyproject.toml."""
    done = subprocess.run([sys.executable, "-m", "codespell_lib", "--toml",
                           nb.ROOT / "pyproject.toml", *paths],
                          cwd=cwd, capture_output=True, text=True)
    assert done.returncode in (0, 65), done.stderr        # 65: it found something
    return done.stdout.splitlines()


def test_files_are_spelt_as_codespell_knows():
    paths = [path for pattern in FILES for path in sorted(nb.ROOT.glob(pattern)) if path.is_file()]
    assert len(paths) > 200
    assert codespell(*paths, cwd=nb.ROOT) == []


def test_notebooks_are_spelt_as_codespell_knows(tmp_path):
    """Their cells alone, without outputs and pictures; each as a file of its number."""
    count = 0
    for pattern in NOTEBOOKS:
        for path in nb.ROOT.glob(pattern):
            folder = tmp_path / path.relative_to(nb.ROOT)
            folder.mkdir(parents=True)
            for number, cell in enumerate(nbformat.read(path, as_version=4).cells, 1):
                (folder / f"cell {number}").write_text(cell.source)
                count += 1
    assert count > 1000
    assert codespell(".", cwd=tmp_path) == []


def test_a_misspelling_is_found(tmp_path):
    wrong = "rec" + "ieve"                     # apart, for this file is looked at, too
    (tmp_path / "page.md").write_text(f"We {wrong} a gradient.")
    assert f"{wrong} ==> receive" in codespell(".", cwd=tmp_path)[0]
