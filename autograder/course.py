"""Read an nbgrader course: where its folders are, and which assignments it has.

nbgrader's own class reads the configuration, so every layout that nbgrader allows is
read as nbgrader reads it: where the sources of the assignments are, what was handed in, and
where results go.
"""

import contextlib
import os
import re
from fnmatch import fnmatch
from pathlib import Path

import nbformat
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from traitlets.config import Config, JSONFileConfigLoader, PyFileConfigLoader

from autograder import Unusable, database
from autograder.assignment import Assignment, SourceNotebook, exercises, title
from autograder.submission import grade_id

CONFIGURATIONS = {"nbgrader_config.py": PyFileConfigLoader,
                  "nbgrader_config.json": JSONFileConfigLoader}


LOCK = ".grading"                # in the folder of results: who has a lock on it may write
LONGEST_NAME = 128               # of a student or an assignment, in nbgrader's tables


class Course:
    """An nbgrader course in a folder.

    Parameters
    ----------
    folder : path
        The root of the course, where its nbgrader_config.py is. A course without a
        configuration has nbgrader's default folders.
    db : str, optional
        Address (SQLAlchemy URL) of the gradebook in place of the configured one.

    Attributes
    ----------
    root : Path
    db_url : str
        Where nbgrader's gradebook is.
    config : traitlets.config.Config
    directory : nbgrader.coursedir.CourseDirectory

    Raises
    ------
    Unusable
        If there is no such folder or its configuration cannot be read.
    """

    def __init__(self, folder, db=None):
        folder = Path(folder).resolve()
        if not folder.is_dir():
            raise Unusable(f"There is no folder {folder}.")
        self.config = _configuration(folder)
        section = self.config.CourseDirectory
        section.root = str(folder / section.get("root", ""))
        if db:
            section.db_url = db
        self.directory = CourseDirectory(config=self.config)
        self.root = Path(self.directory.root)
        self.db_url = _absolute(self.directory.db_url, self.root)

    @property
    def gradebook(self):
        """Where the gradebook is, for people: a file, or an address without its password."""
        url = make_url(self.db_url)
        sqlite = url.drivername.startswith("sqlite")
        return os.path.relpath(url.database) if sqlite else url.render_as_string()

    def folder(self, step, student, assignment):
        """The folder of a step: "source", "release", "submitted", "autograded", "feedback"."""
        name = getattr(self.directory, f"{step}_directory")
        return Path(self.directory.format_path(name, student, assignment))

    def assignments(self):
        """Names of all assignments with a notebook among the sources; Unusable if none has."""
        names = [name for name in self._names("source", ".", None)
                 if any(self.folder("source", ".", name).glob("*.ipynb"))]
        if not names:
            raise Unusable(f"There are no assignments in {self.directory.source_directory}: "
                           f"is {self.root} the root of a course?")
        return names

    def assignment(self, name):
        """Read the assignment `name`; Unusable if it is unknown or cannot be marked."""
        known = self.assignments()
        if name not in known:
            raise Unusable(f"There is no assignment {name!r} in {self.directory.source_directory}. "
                           f"There are: {', '.join(known)}.")
        folder = self.folder("source", ".", name)
        files = tuple(path for path in sorted(folder.iterdir()) if self._is_data(path))
        notebooks = tuple(_source_notebook(path, files, self._shown(path))
                          for path in sorted(folder.glob("*.ipynb")))
        return Assignment(name, notebooks)

    @contextlib.contextmanager
    def only_writer(self):
        """Hold results and gradebook for one run; Unusable if another one has either.

        Another course may use the same gradebook, so that it has a lock of its own.
        """
        folder = self.root / self.directory.autograded_directory
        folder.mkdir(parents=True, exist_ok=True)
        with database.locked(folder / LOCK, "This course"), \
                database.only_writer(self.db_url, f"The gradebook {self.gradebook}"):
            yield

    def students(self, assignment):
        """Names of all who handed in a folder for the assignment."""
        return self._names("submitted", None, assignment)

    def is_link(self, student, assignment):
        """Does a link in the place of a student's folder lead to somebody else's work?"""
        folder, other = (self.folder("submitted", name, assignment) for name in (student, f"{student}-"))
        own = [place for place in (folder, *folder.parents)
               if place not in (other, *other.parents)]
        return any(place.is_symlink() for place in own)

    def graded(self, assignment):
        """Names of all for whom there is a folder of results for the assignment."""
        return self._names("autograded", None, assignment)

    def strays(self):
        """What was handed in and is graded with no assignment, since it lies in another place.

        Returns
        -------
        list of str
            Notebooks outside of the folders of assignments, and folders with notebooks that
            are called like no assignment; in nbgrader's usual layout only.
        """
        blank = "autograder-name"
        parent = self.folder("submitted", blank, blank).parents[1]
        if self.folder("submitted", blank, "a") != parent / blank / "a":
            return []
        known = self.assignments()
        found = [*parent.glob("*.ipynb"), *parent.glob("*/*.ipynb"),
                 *{path.parent for path in parent.glob("*/*/*.ipynb")
                   if path.parent.name not in known}]
        return sorted(str(self._shown(path)) for path in found
                      if not any(part.startswith(".") for part in path.relative_to(parent).parts))

    def _names(self, step, student, assignment):
        """The names that, put in place of the one that is None, give an existing folder."""
        def candidate(name):
            return self.folder(step, student or name, assignment or name)

        blank = "autograder-name"
        parts = candidate(blank).parts
        if blank not in parts:
            raise Unusable("The directory_structure of the course must give students and "
                           "assignments folders of their own.")
        parent = Path(*parts[:parts.index(blank)])
        if not parent.is_dir():
            return []
        names = sorted(entry.name for entry in parent.iterdir()
                       if not entry.name.startswith(".") and candidate(entry.name).is_dir())
        for name in names:
            if len(name) > LONGEST_NAME:
                raise Unusable(f"A folder in {self._shown(parent)} has a name of more than "
                               f"{LONGEST_NAME} characters, too long for nbgrader's gradebook: "
                               f"{name}. Rename it.")
            if name != name.encode("utf-8", "replace").decode("utf-8"):
                raise Unusable(f"A folder in {self._shown(parent)} has a name that is not UTF-8: "
                               f"{name!r}. Rename it.")
        return names

    def _is_data(self, path):
        """Is this a file that nbgrader releases beside the notebooks?"""
        ignored = any(fnmatch(path.name, pattern) for pattern in self.directory.ignore)
        return path.is_file() and path.suffix != ".ipynb" and not ignored

    def _shown(self, path):
        return path.relative_to(self.root) if path.is_relative_to(self.root) else path


def _configuration(folder):
    """The course's configuration, empty if there is none."""
    config = Config()
    for name, loader in CONFIGURATIONS.items():
        if (folder / name).is_file():
            try:
                config.merge(loader(name, path=str(folder)).load_config())
            except (Exception, SystemExit) as error:
                raise Unusable(f"{name} cannot be read: "
                               f"{type(error).__name__}: {_line(error)}") from error
    return config


def _absolute(db_url, root):
    """The address of the gradebook; a relative SQLite file is taken from the root."""
    try:
        url = make_url(db_url)
    except ArgumentError as error:
        raise Unusable(f"{db_url!r} is no address of a gradebook. It looks like sqlite:///FILE or "
                       "postgresql+psycopg://USER@HOST/DATABASE.") from error
    if url.get_backend_name() == "sqlite":
        if url.database in (None, "", ":memory:"):
            raise Unusable(f"{db_url!r} names no file in which the gradebook could be kept.")
        url = url.set(database=str(root / url.database))
    return url.render_as_string(hide_password=False)


def _source_notebook(path, files, shown):
    try:
        notebook = nbformat.read(path, as_version=4)
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise Unusable(f"{shown} is not a readable notebook: {_line(error)}") from error
    names = [grade_id(cell) for cell in notebook.cells if grade_id(cell)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Unusable(f"{shown} has more than one cell named {twice[0]!r}.")
    if any(re.search(r"^### (HASHED )?AUTOTEST", cell.source, re.M) for cell in notebook.cells):
        raise Unusable(f"{shown} has AUTOTEST cells. Run: nbgrader generate_assignment "
                       "--source_with_tests, and make that folder the source_directory.")
    try:
        found = exercises(notebook)
    except (KeyError, TypeError, ValueError) as error:
        raise Unusable(f"{shown} has a test cell without a number of points: "
                       f"{_line(error)}") from error
    return SourceNotebook(path.stem, title(notebook) or path.stem, path, found, files)


def _line(error):
    """The text of an exception in one line."""
    return " ".join(str(error).split()) or type(error).__name__
