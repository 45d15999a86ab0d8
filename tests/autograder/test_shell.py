"""Cells run in the sandbox as they run in Jupyter, and what they put out is kept."""

import base64

import pytest

from autograder.kernel import Kernel
from autograder.limits import Limits
from autograder.sandbox import Contents
from autograder.templates import Template


@pytest.fixture(scope="module")
def template():
    with Template(Contents(imports=("matplotlib.pyplot",)), "bubblewrap") as template:
        yield template


@pytest.fixture
def kernel(template):
    with Kernel(template.connect(), Limits(cell_seconds=20, output_bytes=5000, output_count=5)) as kernel:
        yield kernel


@pytest.mark.parametrize("code, kind, data", [
    ("1 + 1", "text/plain", "2"),
    ("print('a'); print('b')", "stdout", "a\nb\n"),
    ("import sys; print('a', file=sys.stderr)", "stderr", "a\n"),
    ("import warnings; warnings.warn('careful')", "stderr", "UserWarning: careful"),
    ("import logging; logging.warning('careful')", "stderr", "WARNING:root:careful"),
    ("display([1])", "text/plain", "[1]"),
    ("1;\n2;\nNone\n'x'", "text/plain", "'x'"),
    ("a = 2\na\n_ = a; _", "text/plain", "2"),
    ("%%time\nx = 1", "stdout", "Wall time"),
    ("%timeit -n1 -r1 1", "stdout", "per loop"),
    ("%%capture out\nprint('hidden')\n", None, None),
    ("%who", "stdout", "Interactive namespace is empty."),
    ("!echo hello", "stdout", "hello"),
    ("files = !echo a\nprint(files)", "stdout", "['a']"),
    ("%%bash\necho hello", "stdout", "hello"),
    ("import asyncio\nawait asyncio.sleep(0)\n'awaited'", "text/plain", "'awaited'"),
    ("import asyncio\nasyncio.create_task(asyncio.sleep(0)).done()", "text/plain", "False"),
    ("from IPython.display import HTML\nHTML('<b>x</b>')", "text/html", "<b>x</b>"),
    ("from IPython.display import Markdown, display\ndisplay(Markdown('*x*'))", "text/markdown", "*x*"),
    ("from IPython.display import Math\nMath('x^2')", "text/latex", "$\\displaystyle x^2$"),
    ("class A:\n    def _repr_svg_(self): return '<svg/>'\nA()", "image/svg+xml", "<svg/>"),
    ("get_ipython().run_line_magic('pwd', '')", "text/plain", "'/home/learner'"),
    ("__name__", "text/plain", "'__main__'"),
    ("exit()\n'still here'", "text/plain", "'still here'"),
    ("import os; os.system('true')", "text/plain", "0"),
    ("import multiprocessing as m\nm.get_context('fork').Pool(2).map(abs, [-1, 2])", "text/plain", "[1, 2]"),
    ("from concurrent.futures import ThreadPoolExecutor as T\nlist(T(2).map(abs, [-1]))", "text/plain", "[1]"),
    ("import os; os.mkfifo('pipe'); os.path.exists('pipe')", "text/plain", "True"),
    ("import tempfile; tempfile.TemporaryFile().write(b'x')", "text/plain", "1"),
    ("import getpass, os; (getpass.getuser(), os.path.expanduser('~'))", "text/plain",
     "('learner', '/home/learner')"),
])
def test_a_cell_puts_out(kernel, code, kind, data):
    outcome = kernel.run(code)
    assert not outcome.error and not outcome.incident, outcome
    if kind is None:
        assert outcome.outputs == []
    else:
        assert outcome.outputs[-1].kind == kind and data in outcome.outputs[-1].data


def test_an_inline_figure_is_kept_as_a_picture(template):
    with Kernel(template.connect(), Limits()) as kernel:
        outcome = kernel.run("import matplotlib.pyplot as plt\nplt.plot([1, 2])\nprint(len(plt.gca().lines))")
    figures = [output for output in outcome.outputs if output.kind == "image/png"]
    assert len(figures) == 1 and base64.b64decode(figures[0].data).startswith(b"\x89PNG")


@pytest.mark.parametrize("code, error", [
    ("1/0", "ZeroDivisionError: division by zero"),
    ("def f(x)\n    return x", "SyntaxError: expected ':'"),
    ("  x = 1\n y", "IndentationError"),
    ("%nothing", ""),
    ("undefined", "NameError: name 'undefined' is not defined"),
    ("raise SystemExit(3)", "SystemExit: 3"),
    ("import sys; sys.exit()", "SystemExit"),
    ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    ("input('how much? ')", "EOFError"),
    ("class E(Exception):\n    def __str__(self): raise ValueError\nraise E", ""),
    ("def f(n): return f(n)\nf(1)", "RecursionError"),
    ("x = " + "(" * 500 + ")" * 500, ""),
    ("'\\ud800'.encode()", "UnicodeEncodeError"),
    ("print('\\ud800')", ""),
    ("\x00", ""),
])
def test_an_error_ends_the_cell_alone(kernel, code, error):
    outcome = kernel.run(code)
    assert outcome.error.startswith(error) and not outcome.dead and not outcome.incident, outcome
    assert kernel.run("2").outputs[0].data == "2"


def test_a_traceback_is_plain_text_that_shows_the_line(kernel):
    (output,) = kernel.run("x = 1\n1 / 0").outputs
    assert output.kind == "error" and "----> 2 1 / 0" in output.data and "\x1b" not in output.data


def test_too_much_output_is_cut_and_told(kernel):
    outcome = kernel.run("print('start')\nfor i in range(1000): print('x' * 100)\ny = 1")
    assert outcome.incident == "output-limit" and not outcome.dead and not outcome.error
    assert outcome.outputs[0].data.startswith("start") and len(outcome.outputs[0].data) <= 5000
    assert kernel.run("y").outputs[0].data == "1"
    outcome = kernel.run("for i in range(100): display(i)")
    assert outcome.incident == "output-limit" and len(outcome.outputs) == 5


@pytest.mark.parametrize("code", ["print('\u2588' * 800_000)", "print('\\x01' * 800_000)",
                                  "print('\U0001f600' * 900_000)"])
def test_output_whose_characters_take_many_bytes_is_too_much_and_ends_nothing(template, code):
    with Kernel(template.connect(), Limits()) as kernel:
        outcome = kernel.run(code)
    assert (outcome.incident, outcome.dead, outcome.error) == ("output-limit", False, "")


@pytest.mark.parametrize("letter", ["x", "\u2588"])
def test_an_enormous_exception_ends_its_cell_alone(template, letter):
    with Kernel(template.connect(), Limits()) as kernel:
        outcome = kernel.run(f"raise ValueError('{letter}' * 10**7)")
    assert outcome.error.startswith(f"ValueError: {letter}{letter}") and not outcome.dead
    assert len(outcome.error) < 1000


def test_an_interrupted_cell_keeps_what_it_put_out(template):
    with Kernel(template.connect(), Limits(cell_seconds=1)) as kernel:
        outcome = kernel.run("print('so far')\nwhile True: pass")
        assert (outcome.incident, outcome.dead) == ("timeout", False)
        assert outcome.outputs[0].data == "so far\n" and "KeyboardInterrupt" in outcome.outputs[1].data
        assert kernel.run("2").outputs[0].data == "2"


def test_a_cell_that_ignores_interrupts_is_given_up(template):
    with Kernel(template.connect(), Limits(cell_seconds=1)) as kernel:
        outcome = kernel.run("import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
                             "while True: pass")
    assert (outcome.incident, outcome.dead) == ("timeout", True)
