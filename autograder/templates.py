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
import sys
import tempfile
import threading
import time
from pathlib import Path

import nbformat

from autograder import sandbox as sandboxes
from autograder.judge import plain_python
from autograder.sandbox import COURSE, Contents, SandboxUnavailable, require_bubblewrap

START_SECONDS = 120
RUN = "import sys; sys.path.insert(0, {0!r}); from autograder import zygote; zygote.main()"


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
        self.folder = Path(tempfile.mkdtemp(prefix="autograder-"))
        self.process = None
        try:
            sandboxes.lay_out(self.folder / "course", contents)
            self.address = str(self.folder / "door")
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
                door.bind(self.address)
                door.listen(16)
                self._start(door, contents, sandbox)
            self._wait_until_ready()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def _start(self, door, contents, sandbox):
        course = self.folder / "course"
        options = {}
        if sandbox == "bubblewrap":
            command, kind = sandboxes.bubblewrap(course)
            place = COURSE
        else:
            command, kind, place = [], "none", str(course)
            home = self.folder / "home"
            shutil.copytree(course / "data", home)
            private = {name: str(home) for name in ("HOME", "MPLCONFIGDIR", "IPYTHONDIR")}
            options = {"env": {**sandboxes.variables(), **private}, "cwd": home}
        with open(self.folder / "errors", "wb") as errors:
            self.process = subprocess.Popen(
                [*command, sys.executable, "-I", "-c", RUN.format(place), str(door.fileno()), kind,
                 *contents.imports],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                pass_fds=[door.fileno()], start_new_session=True, **options)

    def _wait_until_ready(self):
        deadline = time.monotonic() + START_SECONDS
        said = b""
        while b"ready\n" not in said:
            ready, _, _ = select.select([self.process.stdout], [], [],
                                        max(0.0, deadline - time.monotonic()))
            piece = os.read(self.process.stdout.fileno(), 4096) if ready else b""
            if not piece:
                errors = (self.folder / "errors").read_text(errors="replace")[-500:].strip()
                raise SandboxUnavailable("the sandbox did not start: "
                                         + (errors or f"no answer within {START_SECONDS} s"))
            said += piece

    def close(self):
        """End the zygote and every kernel, and leave nothing behind."""
        if self.process is not None:
            self.process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=5)
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)


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
    str
    """
    key = (source.path, source.path.stat().st_mtime_ns, source.files, sandbox)
    with _lock:
        template = _running.get(key)
        if template is None or template.process.poll() is not None:
            notebook = nbformat.read(source.path, as_version=4)
            template = _running[key] = Template(contents_of(notebook, source.files), sandbox)
        return template.address


@atexit.register
def _close_all():
    for template in _running.values():
        template.close()
