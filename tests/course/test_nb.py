"""tools/nb.py on small notebooks made here, each with one fault."""

import base64
import copy
import io

import nbformat
import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

import nb

PIXEL = ("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
         "rkJggg==")
WORDS = {"image": {"alt": "one grey point"}, "figure": {"caption": "A point.", "name": "fig-point"}}


def stream(text, name="stdout"):
    return new_output("stream", name=name, text=text)


def picture():
    return new_output("display_data", data={"image/png": PIXEL, "text/plain": "<Figure>"})


@pytest.fixture
def sound():
    """A notebook with which nothing is wrong."""
    return new_notebook(cells=[
        new_markdown_cell("# Title"),
        new_code_cell("print(1)", execution_count=1, outputs=[stream("1\n")]),
        new_code_cell("show()", execution_count=2, outputs=[picture()], metadata={"mystnb": WORDS}),
        new_code_cell(""),
    ])


@pytest.fixture
def complaints(tmp_path):
    """Save a notebook as 07-topic.ipynb in its normal form, and say what `check` finds."""
    def find(notebook):
        path = tmp_path / "07-topic.ipynb"
        nb.write(copy.deepcopy(notebook), path)
        return [line.removeprefix(f"{path}: ") for line in nb.problems(path)]
    return find


def test_nothing_is_wrong_with_a_sound_notebook(sound, complaints):
    assert complaints(sound) == []


def spoil_count(notebook):
    notebook.cells[1].execution_count = None


def spoil_order(notebook):
    notebook.cells[1].execution_count = 5


def spoil_path(notebook):
    notebook.cells[1].outputs = [stream("read /home/ada/course/data.csv\n")]


def spoil_windows_path(notebook):
    notebook.cells[1].outputs = [stream(r"read C:\Users\ada\data.csv")]


def spoil_address(notebook):
    data = {"text/plain": "<function f at 0x7f2ce4934fe0>"}
    notebook.cells[1].outputs = [new_output("execute_result", data=data, execution_count=1)]


def spoil_kernel_file(notebook):
    notebook.cells[1].outputs = [stream("ipykernel_812/3341.py:1: DeprecationWarning\n")]


def spoil_stderr(notebook):
    notebook.cells[1].outputs = [stream("building the font cache\n", name="stderr")]


def spoil_error(notebook):
    notebook.cells[1].outputs = [
        new_output("error", ename="ZeroDivisionError", evalue="division by zero", traceback=[])]


def spoil_alt(notebook):
    notebook.cells[2].metadata.mystnb.image.alt = "  "


def spoil_end(notebook):
    notebook.cells[2].source = "plt.plot(x);"


def spoil_caption(notebook):
    del notebook.cells[2].metadata.mystnb["figure"]


@pytest.mark.parametrize("spoil, cell, words", [
    (spoil_count, "07-topic-02", "was not run"),
    (spoil_order, "07-topic-02", "was run as number 5, but stands at 1"),
    (spoil_path, "07-topic-02", "an absolute path (/home/ada/course/data.csv)"),
    (spoil_windows_path, "07-topic-02", "an absolute path"),
    (spoil_address, "07-topic-02", "the address of an object (0x7f2ce4934fe0)"),
    (spoil_kernel_file, "07-topic-02", "the path of a kernel's temporary file"),
    (spoil_stderr, "07-topic-02", "writes to stderr"),
    (spoil_error, "07-topic-02", "ends in ZeroDivisionError"),
    (spoil_end, "07-topic-03", "ends in ';'"),
    (spoil_alt, "07-topic-03", "has a figure without words"),
    (spoil_caption, "07-topic-03", "mystnb.figure.caption"),
])
def test_a_fault_is_named_with_its_cell(sound, complaints, spoil, cell, words):
    spoil(sound)
    (line,) = complaints(sound)
    assert line.startswith(f"cell {cell}: ") and words in line


def test_a_cell_that_is_meant_to_fail_may_end_in_an_error(sound, complaints):
    spoil_error(sound)
    sound.cells[1].metadata["tags"] = ["raises-exception"]
    assert complaints(sound) == []


def test_numbers_that_look_like_paths_or_addresses_are_left_alone(sound, complaints):
    sound.cells[1].outputs = [stream("1/3 = 0x1.5555555555555p-2, 12/home, ratio 2/1\n")]
    assert complaints(sound) == []


@pytest.mark.filterwarnings("ignore::nbformat.warnings.DuplicateCellId")
def test_two_cells_with_one_grade_id_are_named(sound, complaints):
    for cell in sound.cells[1:3]:
        cell.metadata["nbgrader"] = {"grade_id": "newton"}
    assert any("the id newton is used twice" in line for line in complaints(sound))


def test_a_notebook_that_is_not_normal_says_so(sound, tmp_path):
    path = tmp_path / "07-topic.ipynb"
    nbformat.write(sound, path)
    assert "normal form" in nb.problems(path)[-1]
    assert "its id must be 07-topic-01" in nb.problems(path)[0]


def test_kernels_compute_with_one_thread(tmp_path, monkeypatch):
    for name in nb.ONE_THREAD:
        monkeypatch.delenv(name)                        # set for nbval in the conftest of the root
    notebook = new_notebook(cells=[new_code_cell(
        "import numpy, threadpoolctl\n"
        "print({pool['num_threads'] for pool in threadpoolctl.threadpool_info()})")])
    nb.write(notebook, tmp_path / "07-topic.ipynb")
    nb.execute(tmp_path / "07-topic.ipynb")
    assert nb.read(tmp_path / "07-topic.ipynb").cells[0].outputs[0].text == "{1}\n"


def test_normalising_removes_what_differs_between_runs_and_machines(sound, tmp_path):
    sound.metadata = nbformat.from_dict({
        "kernelspec": {"display_name": "mine", "name": "mine"},
        "language_info": {"name": "python", "version": "3.11.7"},
        "widgets": {"state": {}}, "autograder": {"modules": ["gradem.check"]}})
    cell = sound.cells[1]
    cell.source = "print(1)\r\nprint(2)\n\n"
    cell.outputs = [stream("1\n"), stream("2\n")]
    cell.metadata = nbformat.from_dict({
        "ExecuteTime": {"start_time": "now"}, "execution": {"iopub.execute_input": "now"},
        "tags": ["hide-input"], "nbgrader": {"grade_id": "setup"}})
    path = tmp_path / "07-topic.ipynb"
    nb.write(sound, path)
    seen = nb.read(path)
    assert seen.metadata == {"kernelspec": nb.KERNELSPEC, "language_info": {"name": "python"},
                             "autograder": {"modules": ["gradem.check"]}}
    assert [cell.id for cell in seen.cells] == [
        "07-topic-01", "setup", "07-topic-03", "07-topic-04"]
    assert seen.cells[1].source == "print(1)\nprint(2)"
    assert seen.cells[1].outputs == [stream("1\n2\n")]
    assert seen.cells[1].metadata == {"tags": ["hide-input"], "nbgrader": {"grade_id": "setup"}}


def test_executing_and_normalising_again_change_no_byte(tmp_path):
    path = tmp_path / "07-topic.ipynb"
    source = ("import matplotlib.pyplot as plt\n"
              "for number in range(3):\n    print(number, flush=True)\n_ = plt.plot([1, 2])")
    nbformat.write(new_notebook(cells=[
        new_markdown_cell("# T"), new_code_cell(source, metadata={"mystnb": WORDS})]), path)
    assert nb.main(["execute", str(path)]) == 0
    first = path.read_bytes()
    assert b"image/png" in first and nb.problems(path) == []
    assert nb.main(["normalise", str(path)]) == 0 and path.read_bytes() == first
    assert nb.main(["execute", str(path)]) == 0 and path.read_bytes() == first


@pytest.mark.parametrize("source, words", [
    ("1 / 0", "ZeroDivisionError: division by zero; mend the cell"),
    ("import os; os._exit(3)", "the kernel died"),
    ("while True: pass", "ran longer than 2 s"),
])
def test_a_cell_that_fails_is_named_in_one_line_and_the_file_is_kept(
        source, words, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(nb, "SECONDS_PER_CELL", 2)
    path = tmp_path / "07-topic.ipynb"
    cells = [new_code_cell(text, execution_count=number)
             for number, text in enumerate(["1", source, "3"], start=1)]
    nb.write(new_notebook(cells=cells), path)
    before = path.read_bytes()
    assert nb.main(["execute", str(path)]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert f"cell 07-topic-02: {words}" in line
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [
    "", "{", "[]", "\udcff", '{"cells": 3}', '{"nbformat": 4, "nbformat_minor": 5, "cells": 3}'])
def test_a_file_that_is_no_notebook_is_one_line(content, sound, tmp_path, capsys):
    bad, good = tmp_path / "bad.ipynb", tmp_path / "good.ipynb"
    bad.write_bytes(content.encode(errors="surrogateescape"))
    nb.write(sound, good)
    assert nb.main(["check", str(bad), str(good)]) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{bad}: ") and "notebook" in line


def test_a_missing_file_is_named(tmp_path, capsys):
    assert nb.main(["normalise", str(tmp_path / "none.ipynb")]) == 1
    assert "there is no such file" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [
    ["check"], ["check", "--all", "a.ipynb"], ["paint", "--all"]])
def test_wrong_use_ends_with_code_2(arguments):
    with pytest.raises(SystemExit) as stop:
        nb.main(arguments)
    assert stop.value.code == 2


def painted(pixels):
    """An array of RGB or RGBA pixels as a picture in base64."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", dpi=(160, 160))
    return base64.b64encode(file.getvalue()).decode()


def opened(picture):
    return Image.open(io.BytesIO(base64.b64decode(picture)))


PALE = [(252, 242, 237), (253, 246, 233)]         # a touch of vermilion, a touch of orange


def like_a_figure():
    """Disks in three colours that overlap, with soft edges, on white and two pale grounds."""
    down, across = np.mgrid[:300, :400]
    pixels = np.full((300, 400, 3), 255.0)
    pixels[200:, :200], pixels[200:, 200:] = PALE
    rng = np.random.default_rng(0)
    for color in np.tile([[0, 114, 178], [213, 94, 0], [230, 159, 0]], (15, 1)):
        y, x = rng.uniform(20, 280, size=2) * [1, 1.3]
        cover = 0.7 * np.clip(14.5 - np.hypot(down - y, across - x), 0, 1)[..., None]
        pixels = (1 - cover) * pixels + cover * color
    return np.dstack([pixels.round(), np.full((300, 400), 255)]).astype(np.uint8)


def test_a_figure_is_kept_with_few_colours_that_look_the_same():
    pixels = like_a_figure()
    assert len(np.unique(pixels.reshape(-1, 4), axis=0)) > 1000
    before = painted(pixels)
    after = nb.lighter(before)
    assert len(after) < len(before) / 2 and nb.lighter(after) == after
    seen = opened(after)
    assert seen.mode == "P" and round(seen.info["dpi"][0]) == 160
    shown = np.asarray(seen.convert("RGB")).astype(int)
    error = np.abs(shown - pixels[..., :3])
    assert error.max() < 20 and error.mean() < 0.5           # a pixel of an edge may be 8 % off
    for ground in [(255, 255, 255), *PALE]:
        area = (pixels[..., :3] == ground).all(axis=2)
        assert area.mean() > 0.1 and (shown[area] == ground).all()


def test_a_figure_one_can_see_through_is_left_alone():
    pixels = like_a_figure()
    pixels[:50, :, 3] = 0
    assert nb.lighter(painted(pixels)) == painted(pixels)


def test_figures_are_lightened_where_a_notebook_is_normalised(sound):
    sound.cells[2].outputs = [new_output("display_data", data={"image/png": painted(like_a_figure())})]
    (output,) = nb.normalise(sound, "07-topic").cells[2].outputs
    assert opened(output.data["image/png"]).mode == "P"
