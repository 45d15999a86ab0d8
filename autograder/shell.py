"""The sandbox's end of the wire: run the notebook's cells as Jupyter would.

IPython itself runs the cells: magics, shell commands, ``await`` at top level, display
and inline figures work as learners know them. What a cell puts out is collected up to a
limit and sent when the cell has ended. Between cells the judge may ask what the names
of the notebook stand for; the agent answers it on the same wire.

Like the agent this runs among learner code, which may change all of it. The grader
treats whatever comes as text that nobody has checked.
"""

import asyncio
import base64
import contextlib
import io
import signal
import sys

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

from autograder.agent import Agent, text_of
from autograder.bridge import Wire, WireError

#: Of a value that can be shown in several ways, these are kept.
KINDS = ("text/plain", "text/html", "text/markdown", "text/latex", "image/svg+xml", "image/png",
         "image/jpeg")
INLINE = "matplotlib_inline.backend_inline"


# ---- what a cell puts out ----------------------------------------------------


class Outputs:
    """What one cell puts out: pairs of kind and text, up to a limit."""

    def __init__(self, most_bytes, most_pieces):
        self.most_bytes = most_bytes
        self.most_pieces = most_pieces
        self.clear()

    def clear(self):
        """Begin anew, for the next cell."""
        self.pieces = []
        self.left = self.most_bytes
        self.overflow = False

    def add(self, kind, text):
        """Keep a piece; text of the same stream is one piece, and what is too much is cut."""
        streamed = kind in ("stdout", "stderr")
        joined = streamed and self.pieces and self.pieces[-1][0] == kind
        if len(text) > self.left or (len(self.pieces) >= self.most_pieces and not joined):
            self.overflow = True
            text = text[:self.left] if streamed and self.left else ""
            if not text or len(self.pieces) >= self.most_pieces:
                return
        self.left -= len(text)
        if joined:
            self.pieces[-1][1].append(text)
        else:
            self.pieces.append((kind, [text]))

    def as_data(self):
        """The pieces as plain lists."""
        return [[kind, "".join(texts)] for kind, texts in self.pieces]


class Stream(io.TextIOBase):
    """In the place of sys.stdout or sys.stderr."""

    encoding = "utf-8"

    def __init__(self, kind, outputs):
        self.name = self.kind = kind
        self.outputs = outputs

    def writable(self):
        return True

    def fileno(self):
        """The file that subprocesses write to; what they write there is not kept."""
        return {"stdout": 1, "stderr": 2}[self.kind]

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self.outputs.add(self.kind, text)
        return len(text)


def show(outputs, bundle):
    """Keep a displayed value in the ways that feedback can show."""
    for kind in KINDS:
        data = bundle.get(kind)
        if isinstance(data, bytes):
            data = base64.b64encode(data).decode()
        if isinstance(data, str):
            outputs.add(kind, data)


class Publisher(DisplayPublisher):
    """Takes what ``display`` shows."""

    def publish(self, data, **options):
        show(self.shell.outputs, data)


class Results(DisplayHook):
    """Takes the value of a cell's last line."""

    def write_output_prompt(self):
        pass

    def write_format_data(self, format_dict, md_dict=None):
        show(self.shell.outputs, format_dict)

    def finish_displayhook(self):
        pass


class Shell(InteractiveShell):
    """IPython without a terminal."""

    display_pub_class = Type(Publisher)
    displayhook_class = Type(Results)
    outputs = Outputs(0, 0)

    def enable_gui(self, gui=None):
        """There are no windows here."""

    def enable_matplotlib(self, gui=None):
        """Figures appear in the notebook, also where it asks for windows or widgets."""
        return super().enable_matplotlib("inline")

    def should_run_async(self, raw_cell, **transformed):
        """Every cell runs in an event loop, as in Jupyter; one run by a cell, in that cell's."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return True
        return super().should_run_async(raw_cell, **transformed)

    def ask_exit(self):
        """``exit()`` ends nothing."""

    def _showtraceback(self, etype, evalue, stb):
        self.outputs.add("error", self.InteractiveTB.stb2text(stb))


# ---- the kernel ---------------------------------------------------------------


def prepare():
    """Make the shell, and let it fill the caches that the first error and figure would fill."""
    configuration = Config()
    configuration.HistoryManager.enabled = False
    configuration.InteractiveShell.colors = "nocolor"
    configuration.InteractiveShell.ipython_dir = "/tmp/ipython"
    shell = Shell.instance(config=configuration)
    shell.outputs = Outputs(1 << 20, 100)
    for name in ("conda", "mamba", "micromamba"):
        shell.register_magic_function(install_nothing, magic_name=name)
    loop = new_loop(shell)
    shell.run_cell("raise ValueError('to fill the caches')", store_history=False)
    if "matplotlib.pyplot" in sys.modules:
        shell.run_cell("import matplotlib.pyplot as plt\nplt.plot([0, 1]); plt.title('a')\n"
                       "plt.savefig(__import__('io').BytesIO())\nplt.close('all')\ndel plt",
                       store_history=False)
    loop.close()                      # each kernel has one of its own
    shell.reset(new_session=False)
    shell.execution_count = 1
    sys.path[:] = [place for place in sys.path if place]


def install_nothing(line):
    """In the place of %conda, which ends the cell where Python is not Conda's."""
    print("Nothing is installed here.")


def new_loop(shell):
    """Give the shell a new event loop for the cells."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    shell.loop_runner = loop.run_until_complete
    return loop


def serve(connection, limits):
    """Run cells and answer the judge, until the other side hangs up.

    Requests are ``["run", code]``, which is answered by ``["done", error, outputs,
    overflow]``, and ``["test"]``, after which the agent answers, up to ``["idle"]``.

    Parameters
    ----------
    connection : socket.socket
    limits : Limits
    """
    shell = Shell.instance()
    shell.outputs = Outputs(limits.output_bytes, limits.output_count)
    sys.stdout, sys.stderr = (Stream(kind, shell.outputs) for kind in ("stdout", "stderr"))
    if INLINE in sys.modules:
        sys.modules[INLINE].configure_inline_support(shell, f"module://{INLINE}")
    new_loop(shell)
    wire = Wire(connection)
    while True:
        try:
            request, _ = wire.receive()
        except (EOFError, OSError):
            return
        shell.outputs.clear()
        if request == ["test"]:
            with interruptible(), contextlib.suppress(KeyboardInterrupt):
                Agent(wire, shell.user_ns).serve()
            wire.send(["idle"])
        elif request[0] == "run":       # else it is what an interrupted test left behind
            error = run(shell, request[1])
            outputs = shell.outputs
            try:
                wire.send(["done", error, outputs.as_data(), outputs.overflow])
            except WireError:         # of characters that take many bytes each
                wire.send(["done", error, [], True])


def run(shell, code):
    """Run one cell; returns the error that ended it, such as "NameError: ...", or ''."""
    with interruptible():
        try:
            result = shell.run_cell(code, store_history=True)
            error = result.error_before_exec or result.error_in_exec
        except BaseException as problem:      # an interrupt in between, or a cell beyond parsing
            error = problem
            shell.outputs.add("error", f"{type(error).__name__}: {text_of(error)}")
    return f"{type(error).__name__}: {text_of(error)}" if error is not None else ""


@contextlib.contextmanager
def interruptible():
    """Let the grader's interrupts reach learner code, and nothing else."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
