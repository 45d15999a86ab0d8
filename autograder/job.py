"""Mark one submission apart from everything else.

Each notebook of the submission is marked by a process of its own. After WALL_CLOCK
seconds at the latest that process is ended, with everything it started. What comes out
is always a result: a submission that is missing, rejected or failed has 0 points and a
reason. The result is written to report.json in one piece.
"""

import json
import multiprocessing
import multiprocessing.connection
import os
import resource
import signal
import tempfile
import threading
import traceback
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import psutil

from autograder.report import CellMark, Incident, Report

WALL_CLOCK = 300                 # seconds for one notebook; marking has shorter limits of its own
MEMORY = 4 * 2**30               # bytes of address space for the process that judges
REPORT = "report.json"

# A server that has imported the grader once, and forks a process for each notebook.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["__main__", "autograder.marking", "autograder.job"])


@dataclass(frozen=True)
class Job:
    """One submission to mark; plain data, so that any executor can carry it.

    Attributes
    ----------
    student, assignment : str
    submitted, results : Path
        The folder that was handed in, and the one for the report.
    notebooks : tuple of SourceNotebook
    seed : int
    sandbox : str
        "bubblewrap", or "none" for no protection at all.
    """

    student: str
    assignment: str
    submitted: Path
    results: Path
    notebooks: tuple
    seed: int
    sandbox: str
    wall_clock: float = WALL_CLOCK


@dataclass
class Result:
    """What is known about one submission: a report for each notebook of the assignment."""

    student: str
    assignment: str
    seed: int
    sandbox: str
    timestamp: str = ""
    reports: dict[str, Report] = field(default_factory=dict)

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

    def to_json(self):
        """The result as JSON text."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text):
        """The result from the text that `to_json` made."""
        data = json.loads(text)
        data["reports"] = {name: Report.from_json(json.dumps(report))
                           for name, report in data["reports"].items()}
        return cls(**data)


def mark(job):
    """Mark one submission, write its report.json, and return the Result."""
    result = Result(job.student, job.assignment, job.seed, job.sandbox)
    timestamp = job.submitted / "timestamp.txt"
    if timestamp.is_file():
        with open(timestamp, encoding="utf-8", errors="replace") as file:
            result.timestamp = file.read(100).strip()
    for source in job.notebooks:
        path, notes = _find(job, source)
        report = _mark_apart(path, source, job)
        report.notes[:0] = notes
        result.reports[source.name] = complete(report, source)
    job.results.mkdir(parents=True, exist_ok=True)
    write_whole(job.results / REPORT, result.to_json())
    return result


def _find(job, source):
    """The submitted notebook; where there is only one, its name does not matter."""
    path = job.submitted / source.path.name
    others = [other for other in job.submitted.glob("*.ipynb") if other != path]
    if not path.exists() and len(job.notebooks) == len(others) == 1:
        return others[0], [f"The notebook is named {others[0].name}; "
                           f"it was taken for {path.name}."]
    return path, []


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


# ---- one notebook, in a process of its own ----------------------------------


def _mark_apart(path, source, job):
    """Mark a notebook in a process of its own; always returns a Report."""
    with tempfile.TemporaryDirectory(prefix="grade-") as folder:
        folder = Path(folder)
        process = _processes.Process(target=_work, args=(path, source, job, folder))
        process.start()
        try:
            process.join(job.wall_clock)
            stopped = process.is_alive()
        finally:
            end(process.pid)
            process.join()
        if (folder / REPORT).is_file():
            return _read(folder / REPORT)
        if stopped:
            reason = f"Marking took longer than {job.wall_clock:g} s and was stopped."
            incident = Incident("total-time", "", reason)
        else:
            reason = "The grader ended before it had a result."
            incident = Incident("grader-died", "", f"exit code {process.exitcode}\n"
                                                   + _last_lines(folder / "log"))
        return Report("failed", job.seed, job.sandbox, reason=reason, incidents=[incident])


def _read(path):
    """Read a report; a lone surrogate in it is no character that could be written anywhere."""
    text = json.dumps(json.loads(path.read_text(encoding="utf-8")), ensure_ascii=False)
    return Report.from_json(text.encode("utf-8", "replace").decode("utf-8"))


def _work(path, source, job, folder):
    """What the process does: mark, and leave the report in `folder`."""
    os.setsid()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    tempfile.tempdir = str(folder)
    with open(folder / "log", "wb") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    try:
        from autograder import marking
        report = marking.mark(path, source.path, job.seed, sandbox=job.sandbox,
                              files=source.files)
    except Exception as error:
        report = Report("failed", job.seed, job.sandbox,
                        reason=f"The grader failed: {type(error).__name__}.",
                        incidents=[Incident("grader-failed", "", traceback.format_exc())])
    write_whole(folder / REPORT, report.to_json())


def _end_with_parent():
    """End this process and all it started as soon as the grader is gone."""
    multiprocessing.connection.wait([multiprocessing.parent_process().sentinel])
    end(os.getpid())


def end(pid):
    """Kill a process and everything it started."""
    try:
        process = psutil.Process(pid)
        family = [*process.children(recursive=True), process]
    except psutil.NoSuchProcess:
        return
    for member in family:
        try:
            os.kill(member.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    psutil.wait_procs(family, timeout=10)


def _last_lines(path, count=20):
    if not path.is_file():
        return ""
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-count:])
