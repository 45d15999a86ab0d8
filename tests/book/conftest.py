"""The book, built once for all tests of this folder."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from bs4 import BeautifulSoup

import nb


@pytest.fixture(scope="session")
def book(tmp_path_factory):
    """Build the book as `make book` does, but into a temporary folder.

    Attributes of the result: `site` the folder of the HTML, `code` and `log` of the
    build, `pages` the name of every page in the table of contents, from the root.
    """
    target = tmp_path_factory.mktemp("book")
    command = shutil.which("jupyter-book", path=Path(sys.executable).parent)
    run = subprocess.run([command, "build", nb.ROOT, "-W", "--keep-going", "--path-output", target],
                         capture_output=True, text=True)
    log = re.sub(r"\x1b\[[0-9;]*m", "", run.stdout + run.stderr)
    contents = yaml.safe_load((nb.ROOT / "_toc.yml").read_text())
    chapters = [chapter["file"] for part in contents["parts"] for chapter in part["chapters"]]
    return SimpleNamespace(site=target / "_build" / "html", pages=[contents["root"], *chapters],
                           code=run.returncode, log=log)


@pytest.fixture(scope="session")
def pages(book):
    """Every page of the built book, parsed; HTML below _static belongs to the theme."""
    return {path: BeautifulSoup(path.read_text(), "html.parser")
            for path in sorted(book.site.rglob("*.html")) if "_static" not in path.parts}


@pytest.fixture(scope="session")
def built(book, pages):
    """The name of every page that was built, as in its address: the sources of gradem, the
    index and the search too. The page that only sends on to the first one is left out."""
    names = [path.relative_to(book.site).with_suffix("").as_posix() for path in pages]
    return [name for name in names if name != "index"]
