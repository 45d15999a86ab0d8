"""Take the pictures of the README: a page of the built book, and a check in JupyterLab.

    python tools/pictures.py        write pictures/book.png and pictures/check.png

Both are taken in Chromium. The answer that fails the check is the one of the learners' guide,
put into the first exercise. Each file says in its own description which words are to be read on
it, so that a test can tell when book and picture have parted; few colours keep the files small.
"""

import io
import json
import os
import re
import secrets
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import nbformat
from PIL import Image, PngImagePlugin

import chromium
import nb

FOLDER = nb.ROOT / "pictures"
BOOK, CHECK = FOLDER / "book.png", FOLDER / "check.png"
COLOURS = 64
WINDOW = {"width": 1100, "height": 700}
PAGE = "book/15-em.html#fig-em-walk/7"
EXERCISE = nb.ROOT / "exercises" / "01-differences" / "01-differences.ipynb"
GUIDE = nb.ROOT / "book" / "learning.md"

#: The words that stand in the window, in the order of the page.
SEEN = """() => [...document.querySelectorAll("article :is(h1, h2, p)")]
    .filter((each) => {
        const {top, bottom, height} = each.getBoundingClientRect();
        return height && top >= 0 && bottom <= innerHeight;
    }).map((each) => each.innerText.replace(/\\s+/g, " ").trim()).filter(Boolean).join(" ")"""


def book(browser, site):
    """A page of the book in the folder `site`: a screenshot, and the words that are seen on it."""
    page = browser.new_page(viewport=WINDOW, color_scheme="light")
    page.goto(f"{site.as_uri()}/{PAGE}")
    page.wait_for_function("window.MathJax && MathJax.startup && MathJax.startup.promise")
    page.evaluate("MathJax.startup.promise")
    page.locator(f"#{PAGE.split('#')[1].partition('/')[0]}").evaluate(
        "each => scrollTo(0, each.getBoundingClientRect().top + scrollY - 90)")
    page.wait_for_timeout(500)
    words = re.sub(r"Fig\. \d+ ", "", page.evaluate(SEEN))     # a number says nothing new
    return page.screenshot(), words


def answer():
    """The wrong answer that the guide for learners shows."""
    text = GUIDE.read_text(encoding="utf-8")
    return re.search(r"```\{code-block\} python\n(.*?)\n```", text, re.DOTALL)[1]


@contextmanager
def jupyterlab(folder):
    """The address of a JupyterLab that shows a folder, without its own news."""
    settings = folder / ".settings"
    quiet = settings / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    quiet.parent.mkdir(parents=True)
    quiet.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}",
         f"--IdentityProvider.token={token}", "--ip=127.0.0.1", f"--ServerApp.root_dir={folder}"],
        env={**os.environ, "JUPYTERLAB_SETTINGS_DIR": str(settings)},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        next(line for line in server.stderr if "is running at" in line)
        yield f"http://127.0.0.1:{port}/doc/tree/{{}}?token={token}"
    finally:
        server.terminate()
        server.communicate()


def check(browser, folder):
    """The first check as it answers in JupyterLab: a screenshot, and its words."""
    notebook = nbformat.read(EXERCISE, as_version=4)
    place = next(i for i, cell in enumerate(notebook.cells) if cell.id == "differences")
    notebook.cells[place].source = answer()
    notebook.cells = [notebook.cells[1], *notebook.cells[place:place + 2]]
    nbformat.write(notebook, folder / EXERCISE.name)
    with jupyterlab(folder) as address:
        page = browser.new_page(viewport={"width": 1330, "height": 1100}, color_scheme="light")
        page.goto(address.format(EXERCISE.name))
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60_000)
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        said = page.locator(".jp-OutputArea-output", has_text="Not yet")
        said.wait_for(timeout=60_000)
        page.wait_for_timeout(1000)
        first, last = (page.locator(".jp-Cell", has=page.locator(part)).bounding_box()
                       for part in ("text=def forward_difference", ".jp-OutputArea-output"))
        frame = {**first, "height": last["y"] + last["height"] - first["y"]}
        return page.screenshot(clip=frame), " ".join(said.inner_text().split())


def save(path, picture, words):
    """Write a picture with few colours, and the words that it shows."""
    image = Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLOURS)
    description = PngImagePlugin.PngInfo()
    description.add_itxt("Description", words)
    path.parent.mkdir(exist_ok=True)
    image.save(path, pnginfo=description, optimize=True)


def main():
    """Take both pictures."""
    site = nb.ROOT / "_build" / "html"
    if not (site / "index.html").is_file():
        sys.exit("there is no built book in _build/html; run: make book")
    with chromium.browser() as browser, tempfile.TemporaryDirectory(prefix="pictures-") as folder:
        save(BOOK, *book(browser, site))
        save(CHECK, *check(browser, Path(folder)))


if __name__ == "__main__":
    main()
