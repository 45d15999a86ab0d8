"""Mark one submission apart from everything else.

A job is pure data: it carries the submitted notebooks, the instructor's, and the data
files beside them as bytes, so that a worker may be on any machine that has the grader,
and what was read once is what is marked. Each notebook is marked by a process of its
own, at most WALL_CLOCK seconds long, which also writes the page for the learner: text
that a learner chose can hold up nobody else. What comes out is always a result: a
submission that is missing, rejected or failed has no points and a reason.
"""

import atexit
import contextlib
import errno
import functools
import hashlib
import importlib.metadata
import json
import os
import tempfile
import threading
import traceback
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import autograder
import gradem
from autograder import Unusable, apart, formgrader, marking, scratch, templates
from autograder.report import CellMark, Incident, Report
from autograder.sandbox import SandboxUnavailable
from autograder.submission import Rejected, read

WALL_CLOCK = 300                 # seconds for one notebook; marking has shorter limits of its own
ATTEMPTS = 2                     # for a process that ends without a result
REPORT = "report.json"

# Not the fault of a submission: the run has to stop until somebody has seen to it.
MACHINE_TROUBLE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE}


# ---- what is to be marked ---------------------------------------------------


@dataclass(frozen=True)
class Material:
    """What all submissions of an assignment share.

    Attributes
    ----------
    assignment : str
    notebooks : tuple of SourceNotebook
    files : dict of str to bytes
        The instructor's notebooks and the data files, by their names.
    digest : str
    """

    assignment: str
    notebooks: tuple
    files: dict[str, bytes]
    digest: str

    @classmethod
    def of(cls, assignment):
        """Read the files of an Assignment."""
        files = {path.name: path.read_bytes() for source in assignment.notebooks
                 for path in (source.path, *source.files)}
        return cls(assignment.name, assignment.notebooks, files, digest_of(files))


@dataclass(frozen=True)
class Handed:
    """A notebook that was handed in: its bytes, or why there are none, and a remark."""

    content: bytes | None
    refused: str = ""
    note: str = ""


@dataclass(frozen=True)
class Job:
    """One submission to mark.

    Attributes
    ----------
    student : str
    material : Material
    handed : dict of str to Handed
        By the names of the instructor's notebooks.
    timestamp : str
        When it was handed in, as nbgrader's timestamp.txt says.
    seed : int
    sandbox : str
        "bubblewrap", "container", or "none" for no protection at all.
    by_hand : dict of (str, str) to HandMark
        What a human has entered, by the names of notebook and cell.
    grader : str
        The digest of the grader that asks.
    wall_clock : float
    """

    student: str
    material: Material
    handed: dict[str, Handed]
    timestamp: str
    seed: int
    sandbox: str
    by_hand: dict = field(default_factory=dict)
    grader: str = ""
    wall_clock: float = WALL_CLOCK

    @property
    def digests(self):
        """What the marks depend on, the seed apart: equal digests, equal marks."""
        handed = {name: each.content if each.content is not None else each.refused.encode()
                  for name, each in self.handed.items()}
        return {"submission": digest_of(handed), "assignment": self.material.digest,
                "grader": self.grader}


def hand_in(folder, material, is_link=False):
    """Read the notebooks that are in a student's folder.

    Parameters
    ----------
    folder : Path
    material : Material
    is_link : bool
        Whether the folder is a link, which is not followed.

    Returns
    -------
    dict of str to Handed
    """
    if is_link:
        return {source.name: Handed(None, "The folder that was handed in is a link.")
                for source in material.notebooks}
    return {source.name: _handed(folder, source.path.name, len(material.notebooks))
            for source in material.notebooks}


def _handed(folder, name, notebooks):
    """The submitted notebook; where there is only one, its name does not matter."""
    path, note = folder / name, ""
    others = [other for other in folder.glob("*.ipynb") if other != path]
    if not path.exists() and notebooks == len(others) == 1:
        path = others[0]
        note = f"The notebook is named {path.name}; it was taken for {name}."
    try:
        return Handed(read(path), note=note)
    except Rejected as rejected:
        return Handed(None, str(rejected), note)


def digest_of(files):
    """A digest of names and contents.

    Parameters
    ----------
    files : dict of str to bytes

    Returns
    -------
    str
    """
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(f"{len(name.encode('utf-8', 'replace'))} {len(files[name])} {name}"
                     .encode("utf-8", "replace"))
        total.update(files[name])
    return total.hexdigest()


@functools.cache
def grader():
    """The digest of this grader: its version, its source, and that of the reference."""
    packages = [Path(package.__file__).parent for package in (autograder, gradem)]
    sources = {f"{folder.name}/{path.relative_to(folder)}": path.read_bytes()
               for folder in packages for path in sorted(folder.rglob("*.py"))}
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        version = importlib.metadata.version("autodiff-clustering-redux")
        sources["version"] = version.encode()
    return digest_of(sources)


# ---- what comes out ---------------------------------------------------------


@dataclass
class Result:
    """What is known about one submission: a report for each notebook of the assignment.

    `kept` says that it was marked in an earlier run; that is not written down.
    """

    student: str
    assignment: str
    seed: int
    sandbox: str
    timestamp: str = ""
    reports: dict[str, Report] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    kept: bool = field(default=False, compare=False)

    @property
    def points(self):
        """Points earned in all test cells."""
        return sum(report.points for report in self.reports.values())

    @property
    def max_points(self):
        """Points there are in all test cells."""
        return sum(report.max_points for report in self.reports.values())

    @property
    def graded(self):
        """Was every notebook marked?"""
        return all(report.status == "graded" for report in self.reports.values())

    @property
    def failed(self):
        """Did marking break off, so that it has to be done again?"""
        return any(report.status == "failed" for report in self.reports.values())

    def to_json(self):
        """The result as JSON text."""
        data = asdict(self)
        del data["kept"]
        return json.dumps(data, indent=1, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text):
        """The result from the text that `to_json` made."""
        data = json.loads(text)
        data["reports"] = {name: Report.from_json(json.dumps(report))
                           for name, report in data["reports"].items()}
        return cls(**data)


@dataclass
class Marked:
    """A result, and the texts of the files to write beside it, by the names of notebooks."""

    result: Result
    notebooks: dict[str, str] = field(default_factory=dict)    # for nbgrader's formgrader
    pages: dict[str, str] = field(default_factory=dict)        # feedback


def mark(job):
    """Mark one submission.

    Parameters
    ----------
    job : Job

    Returns
    -------
    Marked

    Raises
    ------
    Unusable, SandboxUnavailable, OSError
        If this machine cannot mark any submission; that is not the submission's fault.
    autograder.apart.Stopped
        If the run was stopped.
    """
    if job.grader and job.grader != grader():
        raise Unusable(f"A worker on {os.uname().nodename} has another version of the grader. "
                       "Install the same one on every machine.")
    marked = Marked(Result(job.student, job.material.assignment, job.seed, job.sandbox,
                           job.timestamp, digests=job.digests))
    for source in unpacked(job.material):
        _mark_notebook(job, source, marked)
    return marked


def lost(job, error):
    """What there is of a submission with which one worker after the other died."""
    report = _unmarked(job, "failed", "The workers that had this submission died.",
                       "worker-died", str(error))
    marked = Marked(Result(job.student, job.material.assignment, job.seed, job.sandbox,
                           job.timestamp, digests=job.digests))
    for source in unpacked(job.material):
        _put(job, source, complete(report, source), {}, marked)
    return marked


def complete(report, source):
    """The report with a mark for every test cell of the assignment, 0 where there is none."""
    marks = {mark.grade_id: mark for mark in report.cells}
    cells = [marks.get(test.name) or CellMark(test.name, exercise.name, 0.0, test.points, False)
             for exercise in source.exercises for test in exercise.tests]
    if report.status != "graded":
        cells = [replace(mark, points=0.0, passed=False) for mark in cells]
    return replace(report, cells=cells)


def write_whole(path, text):
    """Write a file in one piece: whoever reads it finds the old text or the new one."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


# ---- files of the assignment, on this machine -------------------------------

_unpacked = {}                   # digest: (folder, notebooks)
_lock = threading.Lock()


def unpacked(material):
    """The instructor's notebooks as files of this process; they are unpacked once."""
    with _lock:
        if material.digest not in _unpacked:
            folder = scratch.folder()
            place = {name: folder / name for name in material.files}
            for name, content in material.files.items():
                place[name].write_bytes(content)
            _unpacked[material.digest] = folder, tuple(
                replace(source, path=place[source.path.name],
                        files=tuple(place[path.name] for path in source.files))
                for source in material.notebooks)
        return _unpacked[material.digest][1]


@atexit.register
def tidy():
    """Remove what was unpacked."""
    with _lock:
        while _unpacked:
            scratch.remove(_unpacked.popitem()[1][0])


# ---- one notebook, in a process of its own ----------------------------------


def _mark_notebook(job, source, marked):
    """Mark a notebook, and put its report and files among the others."""
    handed = job.handed[source.name]
    if handed.content is None:
        report, texts = _unmarked(job, "rejected", handed.refused), {}
    else:
        report, texts = _mark_apart(job, source, handed)
    report = complete(replace(report, notes=[*filter(None, [handed.note]), *report.notes]), source)
    if report.status == "graded" and "page" not in texts:
        report.incidents.append(Incident("feedback", "", "The page for the learner could not be "
                                                         "made; it has the points only."))
    _put(job, source, report, texts, marked)


def _put(job, source, report, texts, marked):
    """Put the report of a notebook and the texts for people among the others."""
    from autograder import feedback          # which imports this module

    marked.result.reports[source.name] = report
    marked.pages[source.name] = texts.get("page") or feedback.page(
        source, job.student, replace(report, notebook=[]), _by_hand(job, source))
    marked.notebooks[source.name] = texts.get("notebook") or formgrader.unmarked(source, report)


def _by_hand(job, source):
    return {cell: mark for (notebook, cell), mark in job.by_hand.items()
            if notebook == source.name}


def _mark_apart(job, source, handed):
    """Mark a notebook in a process of its own; always returns a Report, and texts."""
    light = replace(job, material=None, handed={}, by_hand={})
    for attempt in range(ATTEMPTS):
        address = _template(source, job.sandbox)
        ended = apart.call(_work, light, source, handed, _by_hand(job, source), address,
                           seconds=job.wall_clock)
        try:
            report, texts = _understood(ended)
        except SandboxUnavailable:            # its template may have died, as processes do
            if attempt == ATTEMPTS - 1:
                raise
            continue
        if report is not None:
            return report, texts
        if not ended.in_time:
            reason = f"Marking took longer than {job.wall_clock:g} s and was stopped."
            return _unmarked(job, "failed", reason, "total-time", reason), {}
    return _unmarked(job, "failed", "The grader ended before it had a result.", "grader-died",
                     f"{ATTEMPTS} times; exit code {ended.exitcode}\n{ended.log}"), {}


def _template(source, sandbox):
    try:
        return templates.address_for(source, sandbox)
    except ValueError as error:               # what the author wrote cannot be laid out
        raise Unusable(f"{source.path.name}: {error}.") from None


def _unmarked(job, status, reason, kind="", evidence=""):
    incidents = [Incident(kind, "", evidence)] if kind else []
    return Report(status, job.seed, job.sandbox, reason=reason, incidents=incidents)


def _understood(ended):
    """The report and the other texts that a process sent; None if there is no report."""
    report, texts = None, {}
    for piece in ended.sent:
        name, _, text = piece.decode("utf-8", "replace").partition("\n")
        if name == "report":
            report = Report.from_json(text)
        elif name == "unavailable":
            raise SandboxUnavailable(text)
        elif name == "trouble":
            number, _, path = text.partition(" ")
            raise OSError(int(number), os.strerror(int(number)), path)
        else:
            texts[name] = text
    return report, texts


def _work(send, job, source, handed, hand, address):
    """What the process does: mark, and send the report, then the texts for people."""
    from autograder import feedback

    def say(name, text):
        send(f"{name}\n{text}".encode("utf-8", "replace"))

    submission = Path(tempfile.gettempdir(), source.path.name)
    try:
        submission.write_bytes(handed.content)
        report = marking.mark(submission, source.path, job.seed, sandbox=job.sandbox,
                              files=source.files, template=address)
    except SandboxUnavailable as problem:
        say("unavailable", str(problem))
        return
    except Exception as error:
        if isinstance(error, OSError) and error.errno in MACHINE_TROUBLE:
            say("trouble", f"{error.errno} {error.filename or 'a temporary file'}")
            return
        report = _unmarked(job, "failed", f"The grader failed: {type(error).__name__}.",
                           "grader-failed", traceback.format_exc())
    # a lone surrogate is no character that could be written anywhere
    text = json.dumps(json.loads(report.to_json()), ensure_ascii=False)
    text = text.encode("utf-8", "replace").decode("utf-8")
    say("report", text)
    report = complete(Report.from_json(text), source)
    report.notes[:0] = filter(None, [handed.note])
    if report.status == "graded":
        say("page", feedback.page(source, job.student, report, hand))
        say("notebook", formgrader.marked(source, submission, report))
