"""Make the built book readable without a network.

A stock Jupyter Book page fetches MathJax from an outside host as soon as it holds
an equation, and carries the scripts of Thebe, which would fetch more and which this
book does not use. Here MathJax comes from an installed package and is copied into
the book, as far as a page can ask for it; Thebe's scripts are left out, and source
maps, which only a developer of the scripts would read, are deleted.
"""

import importlib.util
import shutil
from pathlib import Path

PACKAGE = "sphinx-mathjax-offline"
SCRIPT = "tex-mml-chtml.js"
NEEDED = (SCRIPT, "output/chtml/fonts", "input/tex/extensions")


def use_local_mathjax(app, config):
    """Let pages load MathJax from the book's own folder."""
    config.mathjax_path = f"mathjax/{SCRIPT}"


def leave_out_thebe(app, page, template, context, doctree):
    """Drop Thebe's scripts: registered twice, they also log an error on every page."""
    context["script_files"] = [
        script for script in context["script_files"]
        if "thebe" not in f"{script.filename} {script.attributes.get('body', '')}".lower()
    ]


def copy_mathjax(app, error):
    """Put MathJax, its fonts and its TeX extensions into the built book."""
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
    for unused in static.rglob("*.map"):
        unused.unlink()


def setup(app):
    """Register the three steps."""
    app.connect("config-inited", use_local_mathjax, priority=900)
    app.connect("html-page-context", leave_out_thebe, priority=900)
    app.connect("build-finished", copy_mathjax)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
