"""The grader's end of a zygote: start it once, and it serves all notebooks of an assignment.

A template is a sandbox in which everything that notebooks import is imported already. It
lives as long as the process that started it: when that ends, however it ends, the
zygote's standard input is closed, it ends too, and everything inside the sandbox with it.
"""

import ast
import atexit
import contextlib
import os
import select
import shutil
import socket
import subprocess
import threading
import time

import nbformat
import psutil

from autograder import containers, sandbox as sandboxes, scratch
from autograder.cells import plain_python
from autograder.sandbox import (
    COURSE, Contents, SandboxUnavailable, require_bubblewrap, require_in_sight,
)

START_SECONDS = 120


class Template:
    """A running zygote; use it as a context manager, or call `close`.

    Parameters
    ----------
    contents : Contents
        What the notebooks find.
    sandbox : str
        "bubblewrap", or "none" to run unprotected.

    Attributes
    ----------
    address : str
        Path of the socket on which a kernel can be asked for.

    Raises
    ------
    SandboxUnavailable
        If it does not start; the text says what is wrong.
    """

    def __init__(self, contents, sandbox):
        if sandbox == "bubblewrap":
            require_bubblewrap()
            require_in_sight(contents)
        self.folder = scratch.folder()
        self.process = None
        try:
            sandboxes.lay_out(self.folder / "course", contents)
            self.address = str(self.folder / "door")
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
                door.bind(self.address)
                door.listen(16)
                self._start(door.fileno(), contents.imports, sandbox)
            _wait_until_ready(self.process, self.folder / "errors")
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def _start(self, door, imports, sandbox):
        course = self.folder / "course"
        options = {}
        if sandbox == "bubblewrap":
            command, kind = sandboxes.bubblewrap(course)
            course = COURSE
        else:
            command, kind = [], "none"
            home = self.folder / "home"
            shutil.copytree(course / "data", home)
            private = {name: str(home) for name in ("HOME", "MPLCONFIGDIR", "IPYTHONDIR")}
            options = {"env": {**sandboxes.variables(), **private}, "cwd": home}
        command += [*sandboxes.program(str(course)), kind, str(door), *imports]
        self.process = _run(command, self.folder / "errors", pass_fds=[door], **options)

    def connect(self):
        """A line to the supervisor of a new kernel."""
        return connect(self.address)

    def close(self):
        """End the zygote and every kernel, and leave nothing behind."""
        _end(self.process)
        scratch.remove(self.folder)


class ContainerTemplate:
    """Starts a container for each kernel, in the place of a template that forks it.

    Parameters
    ----------
    contents : Contents
    limits : Limits

    Raises
    ------
    SandboxUnavailable
        If neither Podman nor Docker works here.
    """

    def __init__(self, contents, limits):
        self.contents = contents
        self.limits = limits
        self.container = self.process = None
        require_in_sight(contents)
        self.folder = scratch.folder()
        try:
            sandboxes.lay_out(self.folder / "course", contents)
            (self.folder / "lines").mkdir()
            address = self.folder / "lines" / "grader"
            self.door = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self.door.bind(str(address))
            self.door.listen(1)
            address.chmod(0o666)                 # the user inside is nobody's
            containers.image()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def connect(self):
        """A line to the supervisor of a new kernel; the one before is ended."""
        self._remove()
        self._turn_away()
        self.container = containers.Container(self.folder, self.limits)
        command = [*self.container.command, *sandboxes.program(COURSE), "container",
                   f"{containers.LINES}/grader", *self.contents.imports]
        self.process = _run(command, self.folder / "errors")
        _wait_until_ready(self.process, self.folder / "errors")
        return self.door.accept()[0]

    def _turn_away(self):
        """Forget who called before: the code of a learner whose kernel has ended could have."""
        self.door.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                self.door.accept()[0].close()
        self.door.setblocking(True)

    def close(self):
        """End the container, and leave nothing behind."""
        self._remove()
        self.door.close()
        scratch.remove(self.folder)

    def _remove(self):
        if self.container is not None:
            self.container.remove()
            _end(self.process)


def start(contents, sandbox, limits):
    """Start what kernels come from, in the kind of sandbox asked for."""
    return ContainerTemplate(contents, limits) if sandbox == "container" \
        else Template(contents, sandbox)


def connect(address):
    """A line to the supervisor of a new kernel, forked from the template at an address.

    Raises
    ------
    SandboxUnavailable
        If no template is there.
    """
    line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        line.connect(address)
    except OSError as error:
        line.close()
        raise SandboxUnavailable(f"the sandbox at {address} has ended: {error.strerror}") from None
    return line


# ---- the process ------------------------------------------------------------------


def _run(command, errors, **options):
    """Start a zygote, whose life hangs on its standard input."""
    with open(errors, "wb") as file:
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=file,
                                start_new_session=True, **options)


def _wait_until_ready(process, errors):
    deadline = time.monotonic() + START_SECONDS
    said = b""
    while b"ready\n" not in said:
        ready, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
        piece = os.read(process.stdout.fileno(), 4096) if ready else b""
        if not piece:
            reason = errors.read_text(errors="replace")[-500:].strip()
            raise SandboxUnavailable("the sandbox did not start: "
                                     + (reason or f"no answer within {START_SECONDS} s"))
        said += piece


def _end(process):
    if process is not None:
        process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=5)
        if process.poll() is None:
            for child in psutil.Process(process.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
            process.kill()
        process.wait()
        process.stdout.close()


# ---- what to prepare ------------------------------------------------------------


def contents_of(notebook, files=()):
    """What learners find in the sandbox for an instructor's notebook.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        Its metadata names the modules of gradem that learners may import.
    files : iterable of Path
        Data files beside it.

    Returns
    -------
    Contents
    """
    modules = notebook.metadata.get("autograder", {}).get("modules", ())
    return Contents(tuple(modules), tuple(files), tuple(sorted(set(_imports(notebook)))))


def _imports(notebook):
    """The modules that the instructor's notebook imports somewhere."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            with contextlib.suppress(SyntaxError):
                for node in ast.walk(ast.parse(plain_python(cell.source))):
                    if isinstance(node, ast.Import):
                        yield from (name.name for name in node.names)
                    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                        yield node.module


# ---- one for each notebook --------------------------------------------------------

_running = {}
_lock = threading.Lock()


def address_for(source, sandbox):
    """The address of this process's template for a notebook; it is started at first use.

    Parameters
    ----------
    source : SourceNotebook
    sandbox : str

    Returns
    -------
    str or None
        None if kernels in this kind of sandbox come from no template.
    """
    if sandbox == "container":
        return None
    key = (source.path, source.path.stat().st_mtime_ns, source.files, sandbox)
    with _lock:
        template = _running.get(key)
        if template is None or template.process.poll() is not None:
            notebook = nbformat.read(source.path, as_version=4)
            template = _running[key] = Template(contents_of(notebook, source.files), sandbox)
        return template.address


@atexit.register
def close_all():
    """End all templates of this process."""
    with _lock:
        while _running:
            _running.popitem()[1].close()
