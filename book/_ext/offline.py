"""Make the built book readable without a network.

A stock Jupyter Book page fetches MathJax from an outside host as soon as it holds
an equation, and carries the scripts of Thebe, which would fetch more and which this
book does not use. Here MathJax comes from an installed package and is copied into
the book, as far as a page can ask for it; Thebe's files are left out, and what no page
asks for, as the source maps that a developer of the scripts would read, is deleted.

A page opened as a file may not read other files, except as scripts. The search finds pages
all the same, for its index is a script; only the lines it quotes from each page are fetched,
and so it quotes none then, instead of logging an error for each page it found.
"""

import importlib.util
import shutil
from pathlib import Path

PACKAGE = "sphinx-mathjax-offline"
SCRIPT = "tex-mml-chtml.js"
NEEDED = (SCRIPT, "output/chtml/fonts", "input/tex/extensions")
# of the theme and its parts: translations and templates that were used up in the build
UNUSED = ("**/*.map", "locales/**/*.*o", "*macros.html", "sphinx-thebe.*")
QUOTE = 'DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = location.protocol !== "file:";'


def use_local_mathjax(app, config):
    """Let pages load MathJax from the book's own folder."""
    config.mathjax_path = f"mathjax/{SCRIPT}"


def leave_out_thebe(app, page, template, context, doctree):
    """Drop Thebe's files: its scripts, registered twice, also log an error on every page."""
    for kind in ("script_files", "css_files"):
        context[kind] = [
            file for file in context[kind]
            if "thebe" not in f"{file.filename} {file.attributes.get('body', '')}".lower()
        ]


def quote_only_what_can_be_read(app, page, template, context, doctree):
    """Let the search of a book that is opened from files quote nothing."""
    if page == "search":
        app.add_js_file(None, body=QUOTE)


def copy_mathjax(app, error):
    """Put MathJax, its fonts and its TeX extensions into the built book; delete the unused."""
    if error or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    home = Path(importlib.util.find_spec(PACKAGE).origin).parent / "static" / "mathjax"
    for name in NEEDED:
        source, target = home / name, static / "mathjax" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            shutil.copy(source, target)
    for pattern in UNUSED:
        for unused in static.glob(pattern):
            unused.unlink()


def setup(app):
    """Register the steps."""
    app.connect("config-inited", use_local_mathjax, priority=900)
    app.connect("html-page-context", quote_only_what_can_be_read)
    app.connect("html-page-context", leave_out_thebe, priority=900)
    app.connect("build-finished", copy_mathjax)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
