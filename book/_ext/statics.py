"""Let a change of a style sheet or a script alone reach the built book.

Sphinx copies static files at the end of a build, and ends early if no page has changed. So the
first page counts as changed when a file is newer than the copy of it.
"""

from pathlib import Path


def pages_to_read(app, env, added, changed, removed):
    """The first page, if a static file was changed since it was copied, else none."""
    copies = Path(app.outdir) / "_static"
    for folder in app.config.html_static_path:
        for file in Path(app.srcdir, folder).glob("*"):     # none, if an extension names no folder
            copy = copies / file.name
            if copy.exists() and copy.stat().st_mtime < file.stat().st_mtime:
                return [app.config.root_doc]
    return []


def setup(app):
    """Register the step."""
    app.connect("env-get-outdated", pages_to_read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
