"""Print the book: all pages as one PDF, with formulas, figures, an outline and page numbers.

    python tools/pdf.py        write _build/book.pdf

Jupyter Book puts all chapters into one page, and Chromium prints it as it prints each page
alone, with the styles for paper in book/_static. Links between chapters stay within the file.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import chromium
import nb

SITE = nb.ROOT / "_build" / "singlehtml"
NUMBER = ('<div style="width: 100%; font-size: 8px; text-align: center">'
          '<span class="pageNumber"></span></div>')
PAPER = {"format": "A4", "outline": True, "tagged": True,
         "display_header_footer": True, "header_template": "<span></span>",
         "footer_template": NUMBER,
         "margin": {"top": "18mm", "bottom": "18mm", "left": "16mm", "right": "16mm"}}
CHAPTERS = "span[id^='document-'] + section { break-before: page; }"
PICTURES = """async () => {
    const images = [...document.images];
    images.forEach((image) => image.loading = "eager");
    await Promise.all(images.map((image) => image.decode()));
}"""


def print_page(address, target):
    """Print a page when its formulas and pictures are there.

    Parameters
    ----------
    address : str
    target : path
    """
    with chromium.browser() as browser:
        page = browser.new_page()
        page.set_default_timeout(0)                # minutes, on a slow machine
        page.goto(address)
        page.wait_for_function("MathJax.startup && MathJax.startup.promise")
        page.evaluate("MathJax.startup.promise")
        page.evaluate(PICTURES)
        page.add_style_tag(content=CHAPTERS)
        page.pdf(path=target, **PAPER)


def main():
    """Build the one page and print it."""
    command = shutil.which("jupyter-book", path=Path(sys.executable).parent)
    subprocess.run([command, "build", nb.ROOT, "--builder", "singlehtml"], check=True)
    # The builder puts the page into the folder of the first chapter, with links from the root.
    page = SITE / "book.html"
    shutil.move(SITE / "book" / "intro.html", page)
    target = nb.ROOT / "_build" / "book.pdf"
    print_page(page.as_uri(), target)
    print(f"{target.relative_to(nb.ROOT)}: {target.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
