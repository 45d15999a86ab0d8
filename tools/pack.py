"""Pack the course for people without a network: the built book, and the notebooks to run.

    python tools/pack.py        write _build/book.zip and _build/notebooks.zip

Unzipped anywhere, the book is read by opening `index.html`. The notebooks come with what they
need: chapters with the measurements they read, exercises as learners get them, and both packages,
installed by `pip install -e '.[course]'`: gradem, and autograder for its command `check`. No
solution is among them. The same files always give the same bytes: entries are sorted, and carry
neither time nor permissions.
"""

import sys
import zipfile

import nb

EPOCH = (1980, 1, 1, 0, 0, 0)      # the earliest time that a zip file can tell
READABLE = 0o644 << 16
NOTEBOOKS = ("book/*.ipynb", "book/*.json", "book/tour/*", "exercises/*/*", "gradem/**/*",
             "autograder/*", "pyproject.toml", "environment.yml", "LICENSE", "LICENSE-TEXT")
PRIVATE = {".ipynb_checkpoints", "__pycache__"}
WELCOME = """\
# Autodiff and Clustering, Redux: the notebooks

`book/` holds the chapters, `exercises/` the notebooks to fill in, `gradem/` the package that both
use, and `autograder/` the command that checks an exercise. With Python 3.11 or newer, in this folder:

    python3 -m venv .venv
    .venv/bin/pip install -e ".[course]"
    .venv/bin/jupyter lab

Then open a notebook in the list at the left. In a second terminal, what its checks say:

    .venv/bin/autograder check exercises/01-differences/01-differences.ipynb

On Windows write `py` for `python3`, and `.venv\\Scripts\\` for `.venv/bin/`. Only the installation needs a network.
Chapters 4 and 5 compile C and C++, and chapter 9 also wants `pip install -e ".[tour]"`.
"""


def collect(folder, patterns):
    """The files below `folder` that match one of `patterns`: contents by name."""
    return {path.relative_to(folder).as_posix(): path.read_bytes()
            for pattern in patterns for path in folder.glob(pattern)
            if path.is_file() and not PRIVATE & set(path.parts)}


def pack(archive, files):
    """Write a zip file; inside, everything stands in one folder, named like the archive."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "w") as target:
        for name in sorted(files):
            entry = zipfile.ZipInfo(f"{archive.stem}/{name}", EPOCH)
            entry.external_attr = READABLE
            target.writestr(entry, files[name], zipfile.ZIP_DEFLATED)


def notebooks(root):
    """What the zip of the notebooks holds."""
    return {**collect(root, NOTEBOOKS), "README.md": WELCOME.encode()}


def main(root=nb.ROOT):
    """Pack the built book and the notebooks of the repository at `root`."""
    site = root / "_build" / "html"
    if not (site / "index.html").is_file():
        sys.exit("there is no built book in _build/html; run: make book")
    for name, files in [("book", collect(site, ["**/*"])), ("notebooks", notebooks(root))]:
        archive = root / "_build" / f"{name}.zip"
        pack(archive, files)
        print(f"{archive.relative_to(root)}: {archive.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
