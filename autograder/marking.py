"""Mark one submission: its cells in order, tests in the judge, everything else in the sandbox.

A cell that hangs is interrupted, and a kernel that dies is replaced: the cells that ran
before are replayed without the one that did the damage, so one bad cell costs its own
points only. Whatever a learner's notebook does, marking ends with a report.
"""

import contextlib
import math
import shutil
import signal
import threading
import time

import nbformat

from autograder import scratch, words
from autograder.channel import Channel, Interruption
from autograder.judge import Judge
from autograder.report import CellMark, Incident, LearnerCell, Report
from autograder.kernel import Kernel, Outcome
from autograder.limits import Limits
from autograder.released import released_line
from autograder.sandbox import SandboxUnavailable
from autograder.submission import (
    Rejected, grade_id, is_answer, is_instructors, is_test, load, rebuild, visible,
)
from autograder.templates import connect, contents_of, start
from gradem import observe

MAX_MESSAGE = 2000
SPARE_SECONDS = 5.0           # for a test beyond the time that the learner's code has


class Session:
    """One sandboxed kernel with its judge, for one instructor's notebook.

    Parameters
    ----------
    source : nbformat.NotebookNode
        The instructor's notebook, hidden tests included.
    seed : int
        Seed of the inputs that tests draw.
    sandbox : str
        "bubblewrap", "container", or "none" to run learner code unprotected.
    files : iterable of pathlib.Path
        Data files that lie beside the notebook.
    limits : Limits
    template : str, optional
        Address of a running template for this notebook; default: the session starts one.

    Attributes
    ----------
    incidents : list of Incident
    notes : list of str
        What else the instructor should know, in words for the learner.
    deadline : float
        On the clock of `time.monotonic`: when the notebook is given up.
    unanswered : set of str
        Answer cells that the learner has left as they were released.

    Raises
    ------
    SandboxUnavailable
        If there is no sandbox on this machine.
    """

    def __init__(self, source, *, seed, sandbox="bubblewrap", files=(), limits=Limits(),
                 template=None):
        self.limits = limits
        files = tuple(files)
        self.folder = scratch.folder()
        for file in files:
            shutil.copy(file, self.folder)
        self.judge = Judge(source, seed, self.folder)
        self.exercises = _exercises(source)
        self.incidents = []
        self.notes = []
        self.output_left = limits.total_output_bytes
        self.finished = set()         # the cells that ended without an error
        self.replayed = []            # the cells that a new kernel must run again
        self.unanswered = set()
        self.deaths = 0
        self.deadline = math.inf
        self.reason = ""              # why the notebook was given up, in words for the learner
        self.template = template
        self.own = None
        try:
            self.own = None if template else start(contents_of(source, files), sandbox, limits)
            self.kernel = self._new_kernel()
        except BaseException:
            self._tidy()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.kernel.kill()
        self._tidy()

    def _tidy(self):
        if self.own:
            self.own.close()
        scratch.remove(self.folder)

    def _new_kernel(self):
        return Kernel(self.own.connect() if self.own else connect(self.template), self.limits)

    def run(self, code, name="a cell"):
        """Run a cell of the notebook in the sandbox.

        Parameters
        ----------
        code : str
        name : str
            How incidents call the cell.

        Returns
        -------
        Outcome
        """
        if self._given_up():
            return Outcome("the notebook was given up", dead=True)
        self.judge.texts.append(code)
        outcome = self.kernel.run(code)
        if outcome.incident:
            self._note(outcome.incident, name, _evidence(outcome.incident, self.limits))
        self._bound_outputs(outcome)
        if outcome.dead:
            self._replace_kernel()
        else:
            self.replayed.append(code)
        if not (outcome.error or outcome.incident or outcome.dead):
            self.finished.add(code)
        return outcome

    def _bound_outputs(self, outcome):
        """Leave out what is too much for the notebook as a whole, and note it once."""
        size = sum(len(output.data) for output in outcome.outputs)
        if size > self.output_left:
            outcome.outputs = []
            if self.output_left >= 0:
                self._note("output-limit", "the notebook", "put out more than "
                           f"{self.limits.total_output_bytes / 1e6:g} MB in all; the rest was left out")
            self.output_left = -1
        else:
            self.output_left -= size

    def run_instructors_cell(self, cell):
        """Run a cell of the instructor's that is no test, in sandbox and judge."""
        self.run(cell.source, grade_id(cell) or "a cell of the instructor's")
        self.judge.run_instructors_cell(cell.source)

    def test(self, name):
        """Run a test cell in the judge, against what the sandbox holds now.

        Parameters
        ----------
        name : str
            The grade_id of the test cell.

        Returns
        -------
        CellMark
        """
        most = float(self.judge.tests[name].metadata.nbgrader.points)
        mark = CellMark(name, self.exercises[name], 0.0, most, passed=False)
        if self._given_up():
            mark.message = f"{self.reason}; this was not tested any more."
            return mark
        try:
            self._run_test(name)
        except Interruption as interruption:
            mark.message = _interrupted(interruption.kind, self.limits)
            self._note(interruption.kind, name, interruption.detail)
        except (SandboxUnavailable, KeyboardInterrupt):
            raise
        except BaseException as error:  # pytest.raises and pytest.fail raise one of these
            mark.message = self._in_words(error, name)[:MAX_MESSAGE]
        else:
            mark.passed, mark.points = True, most
        return mark

    # -- kernels --

    def _replace_kernel(self):
        """Start a new kernel and run again what ran before; a cell that kills it is dropped."""
        self.kernel.kill()
        self.deaths += 1
        if self._given_up():
            return
        self.kernel = self._new_kernel()
        for code in list(self.replayed):
            if self._given_up():
                return
            if self.kernel.run(code).dead:
                self.replayed.remove(code)
                self._replace_kernel()
                return

    def _given_up(self):
        """Whether nothing more is run; what led to that is noted once."""
        if not self.reason and self.deaths >= self.limits.deaths:
            self.reason = "The notebook ended its kernel too often"
            self._note("too-many-deaths", "the notebook", f"{self.deaths} kernels died")
        if not self.reason and time.monotonic() > self.deadline:
            self.reason = f"The notebook ran longer than {self.limits.total_seconds:g} s in all"
            self._note("total-time", "the notebook", self.reason)
        return bool(self.reason)

    # -- one test --

    def _run_test(self, name):
        """Run a test while the agent serves; afterwards the kernel is idle, or replaced."""
        self.kernel.begin_test()
        deadline = time.monotonic() + self.limits.test_seconds
        channel = Channel(self.kernel.wire, deadline, self.kernel.alive, self.judge.shared,
                          self.judge.classes)
        try:
            with at_most(self.limits.test_seconds + SPARE_SECONDS):
                self.judge.run_test(name, channel)
        finally:
            channel.close()
            outcome = self.kernel.end_test(interrupted=channel.interruption is not None)
            if outcome.dead:
                if channel.interruption is None:
                    self._note(outcome.incident, name, _evidence(outcome.incident, self.limits))
                self._replace_kernel()

    def _note(self, kind, cell, detail):
        self.incidents.append(Incident(kind, cell, detail))

    def _in_words(self, error, name):
        """What the learner is told of a failed test; of a test, it quotes what learners see."""
        kind, text = type(error).__name__, str(error)
        line = getattr(error, "learner_line", None)
        if isinstance(error, NotImplementedError):
            return words.NO_ANSWER
        what = words.error(kind, text)
        if line:
            return words.raised(what, f"   (in the line: {line})")
        if line is not None:                 # no line of the learner's own: a call that does not fit
            return words.unusable(what)
        if isinstance(error, AssertionError) or not isinstance(error, Exception):
            return text or self._bare_assert(error, name)
        if isinstance(error, NameError) and error.name in self.judge.answers:
            return self._not_defined(error.name, self.exercises[name])
        return words.unusable(what)

    def _bare_assert(self, error, name):
        """That an assert without a message failed; one that learners see is quoted."""
        source = self.judge.tests[name].source
        line = released_line(source, self.judge.line_of(error, name))
        return words.does_not_hold(words.place(name, visible(source), line) if line else None)

    def _not_defined(self, missing, exercise):
        """That a name of an answer is missing: nbgrader's own stub defines none."""
        self._note_lost(missing)
        by = {answer for answer in self.unanswered if missing in self.judge.defines[answer]}
        if exercise in by:
            return words.NO_ANSWER
        return words.needed(missing) if by else words.not_defined(missing)

    def _note_lost(self, missing):
        """Note that a name is not there although a cell that defines it ran to its end."""
        with contextlib.suppress(NameError):
            note = (f"{missing} is not there, although the cell that defines it ran without an error. "
                    "Something deletes it, or changes how cells are run.")
            if observe.source(missing) in self.finished and note not in self.notes:
                self.notes.append(note)


@contextlib.contextmanager
def at_most(seconds):
    """Interrupt a test that runs on here, in a loop as long as a learner's number says.

    An alarm reaches the main thread only; elsewhere the time is not bounded.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number, frame):
        raise Interruption("timeout", f"the test took more than {seconds:g} s")
    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _exercises(source):
    """For each test cell the name of the answer cell before it."""
    exercises, last = {}, ""
    for cell in source.cells:
        if is_answer(cell):
            last = grade_id(cell)
        elif is_test(cell):
            exercises[grade_id(cell)] = last or grade_id(cell)
    return exercises


# ---- words --------------------------------------------------------------------


def _evidence(kind, limits):
    return {
        "timeout": f"ran longer than {limits.cell_seconds:g} s and was stopped",
        "output-limit": f"put out more than {limits.output_bytes / 1e6:g} MB or "
                        f"{limits.output_count} pieces; the rest was left out",
        "memory": f"used more than {limits.memory_bytes / 2**30:g} GiB of memory and was ended",
        "kernel-died": "ended the kernel: an exit, a crash, or too much memory or processor time",
        "protocol": "the kernel sent something that no honest kernel sends",
    }[kind]


def _interrupted(kind, limits):
    """What the learner is told of a test that could not be finished."""
    return {
        "timeout": f"Your code ran longer than {limits.test_seconds:g} s in this test and was "
                   "stopped. Is there a loop that does not end?",
        "kernel-died": "Your code ended the kernel during this test: by an exit, a crash, or too "
                       "much memory.",
        "too-many-calls": "Your code made too many calls in this test and was stopped.",
        "too-much-data": "Your code returned too much data in this test and was stopped.",
    }.get(kind, "Your notebook did not answer as a notebook does; the instructor has been told.")


# ---- one submission -------------------------------------------------------------


def mark(submission, source, seed, *, sandbox="bubblewrap", files=(), limits=Limits(),
         template=None):
    """Mark one submission.

    Parameters
    ----------
    submission, source : pathlib.Path
        What was handed in, and the instructor's notebook.
    seed : int
        Seed of the inputs that tests draw.
    sandbox, files, limits, template
        As for `Session`.

    Returns
    -------
    Report
        Whatever the learner handed in. It is "rejected", with the reason and no points,
        if that is no notebook.

    Raises
    ------
    SandboxUnavailable
        If there is no sandbox on this machine.
    OSError, ValueError
        If the instructor's notebook cannot be read.
    """
    start = time.monotonic()
    source = nbformat.read(source, as_version=4)
    try:
        notebook, notes = rebuild(load(submission), source)
    except Rejected as rejected:
        return Report("rejected", seed, sandbox, reason=str(rejected),
                      cells=unmarked(source, str(rejected)))
    report = Report("graded", seed, sandbox, notes=notes)
    with Session(source, seed=seed, sandbox=sandbox, files=files, limits=limits,
                 template=template) as session:
        session.deadline = start + limits.total_seconds
        for cell in notebook.cells:
            if not is_instructors(cell):
                _take_learners_cell(session, cell, report)
            elif is_test(cell):
                report.cells.append(session.test(grade_id(cell)))
            elif cell.cell_type == "code":
                session.run_instructors_cell(cell)
    report.incidents = session.incidents
    report.notes += session.notes
    report.seconds = round(time.monotonic() - start, 3)
    return report


def _take_learners_cell(session, cell, report):
    """Run a cell of the learner's if it is code, and keep it for the report."""
    kept = LearnerCell(grade_id(cell), cell.cell_type, cell.source)
    report.notebook.append(kept)
    if cell.cell_type != "code":
        return
    outcome = session.run(cell.source, kept.name or "a cell of the learner's own")
    kept.outputs = outcome.outputs
    stopped = outcome.incident or outcome.dead           # then the incident says more
    if kept.name and outcome.error and not stopped:
        if outcome.error.startswith("NotImplementedError"):
            session.unanswered.add(kept.name)
        else:
            report.notes.append(_stops(kept, outcome.error))


def _stops(cell, error):
    """That a cell stopped, and in which of its lines."""
    traceback = "".join(output.data for output in cell.outputs if output.kind == "error")
    lines = words.places(traceback)
    # the traceback begins with the cell itself; the last of its own lines tells most
    own = [line for count, line in lines if count == lines[0][0]]
    kind, _, text = error[:300].partition(": ")
    return words.stops(cell.name, words.error(kind, text),
                       words.place(cell.name, cell.source, own[-1]) if own else "")


def unmarked(source, message):
    """The marks of a submission that could not be marked: none, with the reason."""
    exercises = _exercises(source)
    return [CellMark(grade_id(cell), exercises[grade_id(cell)], 0.0,
                     float(cell.metadata.nbgrader.points), passed=False, message=message)
            for cell in source.cells if is_test(cell)]
