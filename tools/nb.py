"""Execute, normalise and check the notebooks of the course.

A notebook is committed with its outputs: they are what readers see, what the book
is built from without running anything, and what nbval compares. That works only if
running a notebook twice gives the same bytes, so everything that differs from run
to run or from machine to machine is removed here, and `check` fails on what is left.

    python tools/nb.py execute book/15-em.ipynb     run it, write outputs, normalise
    python tools/nb.py normalise book/15-em.ipynb   only put it into the one form
    python tools/nb.py check --all                  say what is wrong, change nothing
"""

import argparse
import base64
import io
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
EXECUTED = ("book/*.ipynb", "solutions/*/*.ipynb")
SECONDS_PER_CELL = 120

# The matrices of the course are small: more threads gain nothing on an idle machine, and on a
# busy one they wait for each other.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
CELL_METADATA = ("deletable", "editable", "mystnb", "nbgrader", "tags")

# What must not stand in an output, because it is different on the next machine.
STRAY = {
    "the path of a kernel's temporary file": r"ipykernel_\d+",
    "an absolute path":
        r"(?<![\w.:/])(?:/(?:home|root|tmp|usr|opt|var|work|Users|private)/|~/|[A-Z]:\\)\S+",
    "the address of an object": r"\b0x[0-9a-fA-F]{6,}\b",
}


class Problem(Exception):
    """A notebook that cannot be read or run; its text is one line for the maintainer."""


# ---- the one form -----------------------------------------------------------


def read(path):
    """Read a notebook of format 4, or raise Problem."""
    try:
        text = Path(path).read_text(encoding="utf-8")
        content = json.loads(text)
    except FileNotFoundError:
        raise Problem(f"{path}: there is no such file") from None
    except (OSError, ValueError) as error:
        raise Problem(f"{path}: cannot be read as a notebook ({error})") from None
    if not isinstance(content, dict) or content.get("nbformat") != 4 \
            or not isinstance(content.get("cells"), list):
        raise Problem(f"{path}: is not a notebook of format 4; open it in Jupyter and save it")
    return nbformat.reads(text, as_version=4)


def cell_ids(notebook, stem):
    """The id each cell must have: its grade_id, or else ``<stem>-NN`` by its position."""
    return [
        cell.metadata.get("nbgrader", {}).get("grade_id") or f"{stem[:60]}-{number:02d}"
        for number, cell in enumerate(notebook.cells, start=1)
    ]


def normalise(notebook, stem):
    """Bring a notebook, in place, into the form in which it is committed."""
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    metadata = {"kernelspec": KERNELSPEC, "language_info": {"name": "python"}}
    if "autograder" in notebook.metadata:
        metadata["autograder"] = notebook.metadata["autograder"]
    notebook.metadata = nbformat.from_dict(metadata)
    for cell, identity in zip(notebook.cells, cell_ids(notebook, stem)):
        cell.id = identity
        cell.source = cell.source.replace("\r\n", "\n").rstrip("\n")
        cell.metadata = nbformat.from_dict(
            {key: cell.metadata[key] for key in CELL_METADATA if key in cell.metadata})
        if cell.cell_type == "code":
            cell.outputs = merge_streams(cell.outputs)
            for output in cell.outputs:
                if "image/png" in output.get("data", {}):
                    output.data["image/png"] = lighter(output.data["image/png"])
    return notebook


def merge_streams(outputs):
    """Join neighbouring pieces of one stream; where a kernel cuts them is chance."""
    merged = []
    for output in outputs:
        last = merged[-1] if merged else None
        if last and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            merged.append(output)
    return merged


def lighter(picture):
    """A figure, in base64, with a palette of 256 colours: a third of the bytes, the same to the eye.

    Half of the palette are the figure's most frequent colours: areas and lines stay as they are,
    also pale ones that differ little. Pillow chooses the other half, for the soft edges. What has a
    palette already is left alone, and so is what one can see through.
    """
    import numpy as np
    from PIL import Image
    from scipy.spatial import KDTree

    image = Image.open(io.BytesIO(base64.b64decode(picture)))
    seen_through = image.has_transparency_data and image.getextrema()[-1] != (255, 255)
    if image.mode == "P" or seen_through:
        return picture
    image = image.convert("RGB")
    pixels = np.asarray(image)
    colors, counts = np.unique(pixels.reshape(-1, 3), axis=0, return_counts=True)
    frequent = colors[np.argsort(-counts, kind="stable")[:128]]
    others = image.quantize(128, Image.Quantize.MAXCOVERAGE).getpalette()
    palette = np.vstack([frequent, np.reshape(others, (-1, 3))]).astype(np.uint8)
    few = Image.fromarray(KDTree(palette).query(pixels)[1].astype(np.uint8))
    few.putpalette(palette.tobytes())
    light = io.BytesIO()
    few.save(light, "PNG", optimize=True, dpi=image.info.get("dpi"))
    return base64.b64encode(light.getvalue()).decode()


def text_of(notebook):
    """The committed text: sorted keys, LF, one newline at the end."""
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def write(notebook, path):
    """Normalise and save a notebook; a file that would not change is left alone."""
    path = Path(path)
    text = text_of(normalise(notebook, path.stem))
    if not path.exists() or path.read_bytes() != text.encode():
        path.write_bytes(text.encode())


# ---- running ----------------------------------------------------------------


def warm_up():
    """Let Matplotlib build its font cache now: it says so on stderr, once per machine."""
    subprocess.run([sys.executable, "-c", "import matplotlib.font_manager"],
                   check=True, capture_output=True)


def execute(path):
    """Run a notebook from top to bottom in its own folder and save it normalised."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    notebook = read(path)
    for cell, identity in zip(notebook.cells, cell_ids(notebook, Path(path).stem)):
        cell.id = identity
        if cell.cell_type == "code":
            cell.execution_count, cell.outputs = None, []
    client = NotebookClient(
        notebook, timeout=SECONDS_PER_CELL, kernel_name="python3", record_timing=False,
        extra_arguments=["--log-level=ERROR"],  # no warning that local traffic is not encrypted
        resources={"metadata": {"path": str(Path(path).resolve().parent)}})
    running = "(none)"

    def note(cell, cell_index):
        nonlocal running
        running = cell.id

    client.on_cell_execute = note
    try:
        client.execute(env={**os.environ, **ONE_THREAD})
    except CellExecutionError as error:
        raise Problem(f"{path}: cell {running}: {error.ename}: {error.evalue}; "
                      "mend the cell, or tag it raises-exception if it is meant to fail") from None
    except CellTimeoutError:
        raise Problem(f"{path}: cell {running}: ran longer than {SECONDS_PER_CELL} s; "
                      "make it smaller") from None
    except DeadKernelError:
        raise Problem(f"{path}: cell {running}: the kernel died; "
                      "did the cell exit or need too much memory?") from None
    write(notebook, path)


# ---- checking ---------------------------------------------------------------


def problems(path):
    """What is wrong with a committed notebook, one line each, naming cell and remedy."""
    path = Path(path)
    notebook = read(path)
    found = [f"{path}: cell {cell.id}: {words}"
             for cell, words in _problems_of_cells(notebook, path.stem)]
    if text_of(normalise(notebook, path.stem)).encode() != path.read_bytes():
        found.append(f"{path}: is not in its normal form; run: python tools/nb.py normalise {path}")
    return found


def _problems_of_cells(notebook, stem):
    run = 0
    seen = set()
    for cell, identity in zip(notebook.cells, cell_ids(notebook, stem)):
        if cell.get("id") != identity:
            cell.setdefault("id", identity)
            yield cell, f"its id must be {identity}; run: python tools/nb.py normalise"
        if identity in seen:
            yield cell, f"the id {identity} is used twice; give one of the cells another grade_id"
        seen.add(identity)
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        run += 1
        if cell.execution_count is None:
            yield cell, "was not run; run: python tools/nb.py execute"
        elif cell.execution_count != run:
            yield cell, (f"was run as number {cell.execution_count}, but stands at {run}; "
                         "run: python tools/nb.py execute")
        if cell.source.rstrip().endswith(";"):  # nbval runs cells outside IPython's history
            yield cell, "ends in ';', which nbval does not see; assign the last value to _ instead"
        for words in _problems_of_outputs(cell):
            yield cell, words


def _problems_of_outputs(cell):
    tags = cell.metadata.get("tags", [])
    for output in cell.outputs:
        if output.output_type == "error" and "raises-exception" not in tags:
            yield f"ends in {output.ename}; mend it, or tag it raises-exception if it is meant to"
        if output.get("name") == "stderr":
            yield f"writes to stderr ({output.text.strip()[:60]!r}); mend the cause, or print it"
        for what, pattern in STRAY.items():
            if match := re.search(pattern, text_of_output(output)):
                yield f"shows {what} ({match[0]}); print something that is the same everywhere"
        if "image/png" in output.get("data", {}):
            words = cell.metadata.get("mystnb", {})
            computed = output.metadata.get("image/png", {}).get("alt", "")
            if not (computed or words.get("image", {}).get("alt", "")).strip():
                yield "has a figure without words; draw it by gradem.plots, which computes them"
            if not words.get("figure", {}).get("caption", "").strip():
                yield "has a figure without a caption; write one in mystnb.figure.caption"


def text_of_output(output):
    """All text of an output, as a reader would see it."""
    data = output.get("data", {})
    parts = [value for kind, value in data.items() if kind.startswith("text/")]
    parts += [output.get("text", ""), output.get("evalue", ""), *output.get("traceback", [])]
    seen = re.sub(r"<script.*?</script>", "", "\n".join(parts), flags=re.DOTALL)   # frames
    return re.sub(r"\x1b\[[0-9;]*m", "", seen)


# ---- the command ------------------------------------------------------------


def everything():
    """The notebooks that are committed with outputs: chapters and solutions."""
    return sorted(path for pattern in EXECUTED for path in ROOT.glob(pattern))


def main(arguments=None):
    """Run one of the three commands; 0 is success, 1 a problem with a notebook, 2 wrong use."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name, words in [
        ("execute", "run notebooks from top to bottom, and save them normalised"),
        ("normalise", "put notebooks into the form in which they are committed"),
        ("check", "say what is wrong with notebooks; changes nothing"),
    ]:
        command = commands.add_parser(name, help=words, description=words)
        command.add_argument("files", nargs="*", type=Path, metavar="FILE", help="notebooks")
        command.add_argument("--all", action="store_true",
                             help="every chapter and every solution: " + ", ".join(EXECUTED))
    chosen = parser.parse_args(arguments)
    if chosen.all == bool(chosen.files):
        parser.error("name notebooks, or say --all")

    if chosen.command == "execute":
        warm_up()
    work = {"execute": execute, "check": problems,
            "normalise": lambda path: write(read(path), path)}[chosen.command]
    failed = False
    for path in everything() if chosen.all else chosen.files:
        start = time.perf_counter()
        try:
            found = work(_short(path)) or []
        except Problem as problem:
            found = [str(problem)]
        print(f"{chosen.command} {_short(path)}  {time.perf_counter() - start:.1f} s",
              file=sys.stderr, flush=True)
        for line in found:
            print(line)
        failed = failed or bool(found)
    return int(failed)


def _short(path):
    """The path from here, if it is below here: what a reader can type."""
    path = Path(path)
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


if __name__ == "__main__":
    sys.exit(main())
