"""Give figures the alternative text that was computed with them.

The functions of `gradem.plots` put into words what they draw, and a notebook keeps these words
in the metadata of the output, `{"image/png": {"alt": ...}}`. myst-nb reads an alternative text
only from the metadata of the cell, so it is copied there as the page is read.
"""

import json


def copy_words(app, docname, source):
    """Change the text of a notebook: words of outputs become words of cells."""
    if not str(app.env.doc2path(docname)).endswith(".ipynb"):
        return
    notebook = json.loads(source[0])
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            words = output.get("metadata", {}).get("image/png", {}).get("alt")
            if words:
                image = cell["metadata"].setdefault("mystnb", {}).setdefault("image", {})
                image.setdefault("alt", words)
    source[0] = json.dumps(notebook)


def setup(app):
    """Register the step."""
    app.connect("source-read", copy_words)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
