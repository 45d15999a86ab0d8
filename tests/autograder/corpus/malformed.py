"""Files that are no notebooks, or hardly: cut off, of another kind, of enormous size.

Whoever handed in something readable gets the points of what can be read; whoever did not
gets none and is told why.
"""

import gzip
import io
import json
import os
import zipfile

import nbformat

from .case import ALL, NOTHING, Case, named


def as_data(notebook):
    """The notebook as plain dictionaries and lists."""
    return json.loads(nbformat.writes(notebook))


def dumped(change):
    """An edit of the notebook's plain data, such as no program for notebooks would make."""
    def edit(notebook):
        data = as_data(notebook)
        data = change(data) or data
        return data if isinstance(data, bytes) else json.dumps(data)
    return edit


def text(change):
    """An edit of the notebook's text; it returns text or bytes."""
    return lambda notebook: change(nbformat.writes(notebook))


def nbformat_3(data):
    cells = [{**{key: value for key, value in cell.items() if key != "source"},
              "language": "python", "input" if cell["cell_type"] == "code" else "source":
              cell["source"]} for cell in data["cells"]]
    return {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""},
            "worksheets": [{"cells": cells, "metadata": {}}]}


def minor_99(data):
    data["nbformat_minor"] = 99
    data["a_key_of_the_future"] = [1]


def wrong_types(data):
    data.update(metadata=[], nbformat="four", nbformat_minor=None)
    data["cells"][0:0] = [None, 1, "cell", [], {}, {"cell_type": []}, {"source": {"a": 1}},
                          {"cell_type": "code", "source": [1, None, "x = 1"], "metadata": "none",
                           "outputs": 3, "execution_count": "x"}]
    for cell in data["cells"]:
        if isinstance(cell, dict) and "nbgrader" in cell.get("metadata", ()):
            cell["metadata"]["nbgrader"].update(points="lots", grade="yes", locked=None)


def labels_wrong(data):
    for cell in data["cells"]:
        cell["metadata"]["nbgrader"] = ["not", "a", "dictionary"]


def ids_wrong(data):
    for cell in data["cells"]:
        if "nbgrader" in cell["metadata"]:
            cell["metadata"]["nbgrader"]["grade_id"] = ["square"]


def html_id(data):
    for cell in data["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == "square-check":
            cell["metadata"]["nbgrader"]["grade_id"] = "<img src=x onerror=alert(1)>"


def unknown_kernel(data):
    data["metadata"]["kernelspec"] = {"name": "julia-9", "language": "julia", "display_name": "J"}
    data["metadata"]["language_info"] = {"name": "julia"}


def null_bytes(data):
    data["cells"][-1]["source"] = "a limit\0 of slopes"
    data["cells"][0]["source"] = "\0" * 100


def duplicate_keys(notebook):
    return nbformat.writes(notebook).replace(
        '"cell_type": "code"', '"cell_type": "markdown", "cell_type": "code"')


def not_numbers(notebook):
    return nbformat.writes(notebook).replace(
        '"nbformat_minor"', '"a": NaN, "b": -Infinity, "c": 1e999, "d": 1' + "0" * 4000
        + ', "nbformat_minor"')


def surrogates(notebook):
    return nbformat.writes(notebook).replace("A derivative", r"A \ud800\udfff\ude00 derivative") \
        .replace("# Problem set 1", r"\udc80 # Problem")


def zipped(content, name="p1.ipynb"):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


def folder(path):
    path.mkdir()


def pipe(path):
    os.mkfifo(path)


def link(path):
    """A link to the instructor's own notebook."""
    path.symlink_to(path.parents[3] / "source" / "ps1" / "p1.ipynb")


def link_to_nothing(path):
    path.symlink_to("/nowhere/at/all")


def link_to_itself(path):
    path.symlink_to(path.name)


def nothing(path):
    """The folder is there, the notebook is not."""


def refused(name, words, **how):
    return Case(name, deserves=NOTHING, rejected=True, told=(words,), **how)


def readable(name, edit, **how):
    return Case(name, edit=edit, deserves=ALL, **how)


CASES = [
    # -- what cannot be read: no points, and the reason --
    refused("an empty file", "The file is empty", edit=lambda notebook: b"\n"),
    refused("a notebook that is cut off", "cut off", edit=text(lambda all: all[:len(all) // 2])),
    refused("a list", "not a notebook", edit=lambda notebook: "[1, 2]"),
    refused("a notebook without cells", "no cells", edit=lambda notebook: '{"nbformat": 4}'),
    refused("brackets, 200 000 deep", "too deeply", edit=lambda notebook: "[" * 200_000),
    refused("dictionaries, 200 000 deep", "too deeply", edit=lambda notebook: '{"a":' * 200_000),
    refused("a cell of 60 MB", "MB", oversized=True, edit=text(
        lambda all: all.replace("A derivative", "A derivative" + "!" * 60_000_000))),
    refused("outputs of 60 MB", "Clear the outputs", oversized=True, edit=dumped(
        lambda data: data["cells"][3].update(outputs=[{"output_type": "stream", "name": "stdout",
                                                       "text": "x" * 60_000_000}]))),
    refused("two thousand cells", "cells", oversized=True, edit=dumped(
        lambda data: data["cells"].extend([{"cell_type": "raw", "metadata": {}, "source": ""}] * 2000))),
    refused("a PDF", "not valid JSON", edit=lambda notebook: b"%PDF-1.7\n\x80\x81\x82\n%%EOF"),
    refused("a Python script", "not valid JSON", edit=lambda notebook: "def square(x): return x * x"),
    refused("UTF-16", "not valid JSON", edit=text(lambda all: all.encode("utf-16"))),
    refused("a ZIP file that unpacks to a gigabyte", "not valid JSON",
            edit=lambda notebook: zipped(b"\0" * 10**8)),
    refused("a ZIP file with a path out of its folder", "not valid JSON",
            edit=lambda notebook: zipped(nbformat.writes(notebook), "../../../source/ps1/p1.ipynb")),
    refused("compressed with gzip", "not valid JSON",
            edit=text(lambda all: gzip.compress(all.encode()))),
    refused("a folder in the place of the notebook", "not a plain file", place=folder),
    refused("a pipe in the place of the notebook", "not a plain file", place=pipe,
            unfit="opening it waits for ever"),
    refused("a link to the instructor's notebook", "not a plain file", place=link),
    refused("a link to nothing", "not a plain file", place=link_to_nothing),
    refused("a link to itself", "not a plain file", place=link_to_itself),
    refused("no notebook at all", "There is no notebook", place=nothing),
    refused("a link to a file without end", "not a plain file",
            place=lambda path: path.symlink_to("/dev/zero"), unfit="reading it never ends"),

    # -- what can be read after all: the points that it has earned --
    readable("Latin-1", text(lambda all: all.replace("derivative", "dérivative").encode("latin-1")),
             told=("Latin-1",)),
    readable("a byte order mark", text(lambda all: b"\xef\xbb\xbf" + all.encode())),
    readable("null bytes in the text", dumped(null_bytes)),
    readable("lone surrogates", surrogates),
    readable("nbformat 3", dumped(nbformat_3), told=("old format",)),
    readable("a format of the future", dumped(minor_99)),
    readable("wrong types everywhere", dumped(wrong_types), told=("not a cell",)),
    readable("labels of the wrong type", dumped(labels_wrong), told=("told by their ids",)),
    readable("names of cells that are lists", dumped(ids_wrong), told=("told by their ids",)),
    readable("HTML as the name of a cell", dumped(html_id)),
    readable("a kernel that nobody has", dumped(unknown_kernel)),
    readable("keys that occur twice", duplicate_keys),
    readable("numbers that are none", not_numbers),
    readable("outputs with nonsense in them", dumped(lambda data: [
        cell.update(outputs=[None, {"output_type": "stream"}, {"output_type": 3, "data": {"x": []}}])
        for cell in data["cells"] if cell["cell_type"] == "code"] and None)),
    readable("other notebooks beside it", lambda notebook: None, beside={
        "p1 (1).ipynb": b"{", "p1-conflicted-copy.ipynb": b"[]", "Untitled.ipynb": b"{}"}),
    readable("other files beside it, with odd names", lambda notebook: None, beside={
        "p1.html": b"<script>", "-rf": b"", "$(touch pwned)": b"", "a\nb": b"", "..p1.ipynb": b"{"}),
    Case("the notebook has another name", place=lambda path: path.with_name(
        "p1 (final) ✓.ipynb").write_bytes(Case("").content()), deserves=ALL, told=("is named",)),
    Case("the answer cells are empty", "", "", "", deserves=NOTHING),
    Case("only one answer is left", edit=lambda notebook: notebook.update(
        cells=[named(notebook, "mean")]), told=("missing",)),
]
