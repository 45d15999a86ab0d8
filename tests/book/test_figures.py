"""Figures of the book: their words are computed, reach the page, and steps can be linked to."""

import json
import subprocess
import sys

import pytest
from bs4 import BeautifulSoup
from nbformat import v4

import nb

KB = 1000
CHAPTERS = sorted((nb.ROOT / "book").glob("*.ipynb"))

TEXT = "# A page\n\nSee {numref}`fig-line` and {numref}`fig-steps`."

CELLS = {
    "fig-line": """\
from gradem import plots, steps
plots.lines([0.0, 1.0, 2.0], {"line": [1.0, 2.0, 3.0]}, "x", "y")""",
    "fig-steps": "steps.trace(lambda x: x * 2.0, 1.0, adjoint=1.0)",
}

CONFIGURATION = """
import sys
sys.path.insert(0, {extensions!r})
extensions = ["myst_nb", "figures"]
nb_execution_mode = "off"
numfig = True
html_theme = "basic"
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """A page made of one notebook with a picture and a stepped figure."""
    folder = tmp_path_factory.mktemp("figures") / "source"
    folder.mkdir()
    notebook = v4.new_notebook(cells=[v4.new_markdown_cell(TEXT)] + [
        v4.new_code_cell(source, metadata={"mystnb": {"figure": {"caption": f"Here is {name}.",
                                                                 "name": name}}})
        for name, source in CELLS.items()])
    nb.write(notebook, folder / "index.ipynb")
    nb.execute(folder / "index.ipynb")
    configuration = CONFIGURATION.format(extensions=str(nb.ROOT / "book" / "_ext"))
    (folder / "conf.py").write_text(configuration)
    target = folder.parent / "html"
    subprocess.run([sys.executable, "-m", "sphinx", "-W", "-q", "-b", "html", folder, target],
                   check=True)
    return BeautifulSoup((target / "index.html").read_text(), "html.parser")


def test_the_words_of_a_picture_reach_the_page(page):
    assert page.select_one("#fig-line img")["alt"] == (
        "Across: x; up: y. line rises from 1 at 0 to 3 at 2.")


def test_a_stepped_figure_is_a_figure_with_table_and_frames(page):
    figure = page.select_one("figure#fig-steps")
    assert "Here is fig-steps." in figure.select_one("figcaption").get_text()
    assert figure.select_one("table td").get_text() == "w1 = x"
    assert json.loads(figure.select_one("script").get_text())["unit"] == "step"
    assert page.select_one('p a[href="#fig-steps"]').get_text() == "Fig. 2"


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_all_pictures_of_a_chapter_have_computed_words(path):
    by_hand = []
    for cell in nb.read(path).cells:
        for output in cell.get("outputs", []):
            computed = output.get("metadata", {}).get("image/png", {}).get("alt")
            if "image/png" in output.get("data", {}) and not computed:
                by_hand.append(cell.id)
        if "alt" in cell.metadata.get("mystnb", {}).get("image", {}):
            by_hand.append(cell.id)
    assert by_hand == []


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_stepped_figures_of_a_chapter_are_small_and_whole(path):
    for cell in nb.read(path).cells:
        for output in cell.get("outputs", []):
            page = output.get("data", {}).get("text/html", "")
            if 'class="stepper"' not in page:
                continue
            assert len(page) < 150 * KB, cell.id
            assert cell.metadata["mystnb"]["figure"]["name"], cell.id
            scene = json.loads(BeautifulSoup(page, "html.parser").select_one("script").get_text())
            for route in scene["routes"]:
                assert 0 <= route["first"] < len(route["frames"])
                assert all(frame["says"] and len(frame["panels"]) == len(scene["panels"])
                           for frame in route["frames"]), cell.id


def test_every_stepped_figure_of_the_book_comes_to_life(book, pages, browser):
    dead, alive = [], 0
    page = browser.new_page()
    for path, text in pages.items():
        if text.select("div.stepper"):
            page.goto(path.as_uri())
            dead += [f"{path.stem}: {figure.get_attribute('id')}" for figure in
                     page.locator("figure:has(.stepper:not(.live))").all()]
            alive += page.locator(".stepper.live svg, .stepper.live td.lit").count()
    page.close()
    assert dead == [] and alive > 0
