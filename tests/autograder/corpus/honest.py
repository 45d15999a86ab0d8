"""Honest notebooks that look odd: all answers are right, and no point may be lost.

Each of them does something that learners do, or that their programs do for them.
"""

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output, new_raw_cell

from .case import ALL, RIGHT, Case, insert, named, place_of, with_cells


def honest(name, square, **options):
    return Case(name, square, deserves=ALL, **options)


def edited(name, edit, **options):
    return Case(name, edit=edit, deserves=ALL, **options)


# ---- odd edits ---------------------------------------------------------------------------


def copied_answer(notebook):
    first = nbformat.from_dict(dict(named(notebook, "square")))
    first.id, first.source = "a-copy", "def square(x): return 'a first try'"
    notebook.cells.insert(place_of(notebook, "square"), first)


def split_answer(notebook):
    cell = named(notebook, "mean")
    second = nbformat.from_dict(dict(cell))
    second.id = "b-copy"
    notebook.cells.insert(place_of(notebook, "mean") + 1, second)
    cell.source = "import numpy as np"


def answer_in_own_cell(notebook):
    named(notebook, "square").source = ""
    insert(notebook, "square", RIGHT)


def exercises_exchanged(notebook):
    first, second = (place_of(notebook, name) for name in ("square", "mean"))
    cells = notebook.cells
    cells[first:first + 3], cells[second:second + 3] = cells[second:second + 3], cells[first:first + 3]


def without(*names):
    def edit(notebook):
        for name in names:
            notebook.cells.remove(named(notebook, name))
    return edit


def tests_played_with(notebook):
    named(notebook, "square-check").source += "\nprint(square(3.0), square(-1))  # my own try"


def raw_and_attached(notebook):
    notebook.cells.insert(2, new_raw_cell("A note to myself."))
    notebook.cells.insert(3, new_markdown_cell("![photo](attachment:photo.png)", attachments={
        "photo.png": {"image/png": "iVBORw0KGgo="}}))


def from_vs_code(notebook):
    notebook.metadata["kernelspec"] = {"display_name": ".venv", "language": "python", "name": "python3"}
    notebook.metadata["language_info"] = {"name": "python", "version": "3.13.1",
                                          "codemirror_mode": {"name": "ipython", "version": 3}}
    for number, cell in enumerate(notebook.cells):
        cell.id = f"{number:08x}"
        cell.metadata["vscode"] = {"languageId": "python"}


def from_colab(notebook):
    notebook.metadata.update(colab={"provenance": [], "toc_visible": True}, accelerator="GPU",
                             kernelspec={"name": "python3", "display_name": "Python 3"})
    for number, cell in enumerate(notebook.cells):
        cell.metadata.update(id=f"aB3_{number}x", outputId="5f0e-17",
                             colab={"base_uri": "https://localhost:8080/"})
        del cell["id"]
    notebook.nbformat_minor = 0


def metadata_lost(notebook):
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({})


def tagged(notebook):
    for cell in notebook.cells:
        cell.metadata["tags"] = ["hide-input", "raises-exception", "skip-execution", "my own"]
        cell.metadata["editable"] = False
        cell.metadata["slideshow"] = {"slide_type": "skip"}


def kernel_of_another_name(notebook):
    notebook.metadata["kernelspec"] = {"name": "conda-env-ml-py", "language": "python",
                                       "display_name": "Python [conda env:ml]"}


def returns_and_line_feeds(notebook):
    return nbformat.writes(notebook).replace("\\n", "\\r\\n").replace("\n", "\r\n").encode()


def saved_with_errors(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.execution_count = 99
            cell.outputs = [new_output("error", ename="NameError", evalue="x", traceback=["x"]),
                            new_output("stream", name="stderr", text="old\n" * 10_000)]


def without_tabs(text):
    return text.replace("    ", "\t")


# ---- the cases ---------------------------------------------------------------------------

CASES = [
    honest("warnings and words on standard error", "import warnings, sys\ndef square(x):\n"
           "    warnings.warn('careful')\n    print('hm', file=sys.stderr)\n    return x * x"),
    honest("prints everywhere", "print('start')\ndef square(x):\n    print('x is', x)\n    return x * x"),
    honest("%%time", "%%time\n" + RIGHT.strip()),
    honest("%%capture", "%%capture captured\nprint('hidden')\n" + RIGHT.strip()),
    honest("%timeit and %time", RIGHT + "\n%timeit -n 10 -r 2 square(3.0)\n%time square(4.0)"),
    honest("!ls, !pip, %cd and %pwd", "!ls -la\n!pip install numpy\n%pwd\nfiles = !ls\n" + RIGHT),
    honest("%conda and %mamba", "%conda install -y numpy\n%mamba install numpy" + RIGHT),
    honest("windows and widgets for figures", "%matplotlib widget\n%matplotlib qt\n%matplotlib notebook\n"
           "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()" + RIGHT),
    honest("standard output as a file", "import faulthandler, subprocess, sys\nfaulthandler.enable()\n"
           "subprocess.run(['true'], stdout=sys.stdout, stderr=sys.stderr)" + RIGHT),
    honest("a plot in the notebook", "%matplotlib inline\nimport matplotlib.pyplot as plt\n"
           "import numpy as np\nplt.plot(np.linspace(0, 1, 50) ** 2)\nplt.title('$x^2$')\nplt.show()"
           + RIGHT),
    honest("two hundred points in colour, never shown", "import matplotlib.pyplot as plt\n"
           "import numpy as np\nfig, axes = plt.subplots(2, 2)\n"
           "axes[0, 0].scatter(*np.random.rand(2, 200))\n" + RIGHT),
    honest("a progress bar", "try:\n    from tqdm.auto import tqdm\nexcept ImportError:\n    tqdm = list\n"
           "for _ in tqdm(range(100)): pass" + RIGHT),
    honest("pandas", "try:\n    import pandas as pd\n    display(pd.DataFrame({'x': [1, 2]}).describe())\n"
           "except ImportError: pass" + RIGHT),
    honest("a package that may not be there", "try:\n    import numba\n    jit = numba.njit\n"
           "except ImportError:\n    jit = lambda f: f\n@jit" + RIGHT),
    honest("a class that can be called", "class Square:\n    \"\"\"The square.\"\"\"\n"
           "    def __call__(self, x): return x ** 2\nsquare = Square()"),
    honest("a dataclass", "from dataclasses import dataclass\n@dataclass(frozen=True)\nclass Number:\n"
           "    value: float\n    def __mul__(self, other): return self.value * other.value\n"
           "def square(x):\n    return Number(x) * Number(x)"),
    honest("a lambda", "square = lambda x: x * x"),
    honest("NumPy's own function", "import numpy as np\nsquare = np.square"),
    honest("a partial function", "from functools import partial\nimport operator\n"
           "square = partial(lambda power, x: operator.pow(x, power), 2)"),
    honest("a generator inside", "def powers(x):\n    value = 1\n    while True:\n        yield value\n"
           "        value = value * x\ndef square(x):\n    from itertools import islice\n"
           "    return next(islice(powers(x), 2, None))"),
    honest("a cache", "import functools\n@functools.lru_cache(maxsize=None)" + RIGHT),
    honest("await at top level", "import asyncio\nasync def slowly(x):\n    await asyncio.sleep(0.01)\n"
           "    return x * x\nprint(await slowly(3))\nawait asyncio.gather(slowly(1), slowly(2))" + RIGHT),
    honest("asyncio.run in the function", "import asyncio\nasync def slowly(x): return x * x\n"
           "def square(x):\n    loop = asyncio.new_event_loop()\n"
           "    try: return loop.run_until_complete(slowly(x))\n    finally: loop.close()"),
    honest("type hints", "from __future__ import annotations\nfrom typing import TypeVar, overload\n"
           "T = TypeVar('T', float, complex)\ndef square(x: T) -> T:\n    return x * x"),
    honest("names in another script", "def квадрат(число): return число * число\nπ = 3.14\n"
           "square = квадрат"),
    honest("the walrus and match", "def square(x):\n    match x:\n        case int() | float() if (y := x * x) >= 0:\n"
           "            return y\n        case _:\n            return x * x"),
    honest("global state", "count = 0\nmemory = {}\ndef square(x):\n    global count\n    count += 1\n"
           "    memory[count] = x\n    return memory[count] ** 2"),
    honest("deep recursion, allowed for", "import sys\nsys.setrecursionlimit(20_000)\n"
           "def add(x, n): return 0.0 if n == 0 else x / 5000 + add(x, n - 1)\n"
           "def square(x):\n    assert abs(add(1.0, 5000) - 1) < 1e-9\n    return x * x"),
    honest("files are written and read", "import json, os\nos.makedirs('out', exist_ok=True)\n"
           "with open('out/power.json', 'w') as file: json.dump(2, file)\n"
           "def square(x):\n    with open('out/power.json') as file: return x ** json.load(file)"),
    honest("random generators are seeded and used", "import numpy as np, random\nnp.random.seed(0)\n"
           "random.seed(0)\ndef square(x):\n    np.random.rand(); random.random()\n    return x * x"),
    honest("a log", "import logging\nlogging.basicConfig(level=logging.DEBUG, force=True)\n"
           "def square(x):\n    logging.getLogger(__name__).warning('squaring %r', x)\n    return x * x"),
    honest("everything is displayed", "from IPython.display import HTML, Latex, Markdown, clear_output\n"
           "from pprint import pprint\npprint({'a': list(range(30))})\n"
           "display(HTML('<b>bold</b>'), Markdown('*x*'), Latex('$x^2$'), {1, 2})\nclear_output()" + RIGHT),
    honest("a widget that may not be there", "try:\n    import ipywidgets as widgets\n"
           "    widgets.interact(lambda x: x, x=(0, 3))\nexcept Exception as problem: print(problem)" + RIGHT),
    honest("a pool of threads", "from concurrent.futures import ThreadPoolExecutor\n"
           "with ThreadPoolExecutor(4) as pool:\n    print(list(pool.map(abs, range(-5, 5))))\n"
           "def square(x):\n    with ThreadPoolExecutor(2) as pool:\n"
           "        return pool.submit(pow, x, 2).result()"),
    honest("a pool of processes", "import multiprocessing\nwith multiprocessing.get_context('fork').Pool(2) as pool:\n"
           "    print(pool.map(abs, [-1, -2]))" + RIGHT, seconds=60),
    honest("a subprocess", "import subprocess, sys\ndef square(x):\n    code = f'print(float.fromhex({x.hex()!r}) ** 2)'\n"
           "    return float(subprocess.run([sys.executable, '-c', code], capture_output=True, text=True).stdout)"),
    honest("warnings become errors", "import warnings\nwarnings.simplefilter('error')" + RIGHT),
    honest("NumPy raises on every odd number", "import numpy as np\nnp.seterr(all='raise')\n"
           "np.set_printoptions(precision=2, suppress=True)" + RIGHT),
    honest("the working folder is changed", "import os, tempfile\nos.chdir(tempfile.mkdtemp())" + RIGHT),
    honest("the locale is changed", "import locale\nfor name in ('de_DE.UTF-8', 'C.UTF-8'):\n"
           "    try: locale.setlocale(locale.LC_ALL, name)\n    except locale.Error: pass" + RIGHT),
    honest("decimals and fractions on the way", "from decimal import Decimal\nfrom fractions import Fraction\n"
           "def square(x):\n    exact = Fraction(x) ** 2\n    assert Decimal(x) * Decimal(x) >= 0\n"
           "    return float(exact)"),
    honest("a cell of three seconds", "import time\ntime.sleep(3)" + RIGHT),
    honest("a long computation", "total = 0\nfor number in range(3_000_000): total += number" + RIGHT),
    honest("much output, but not too much", "print('\\n'.join(str(n) for n in range(50_000)))\n"
           "import numpy as np\ndisplay(np.arange(10_000).reshape(100, 100))" + RIGHT),
    honest("an error after the answer", RIGHT + "\nsquare('three')"),
    honest("an error that is caught", "try: 1 / 0\nexcept ZeroDivisionError as error: print(error)" + RIGHT),
    honest("a name of Python is covered", "list = [1]\nsum = 3\nmax = None\nid = 4\nx = a = 'mine'" + RIGHT),
    honest("the answer is tested with assert and doctest", "def square(x):\n    '''\n    >>> square(3)\n"
           "    9\n    '''\n    return x * x\nimport doctest\ndoctest.run_docstring_examples(square, globals())\n"
           "assert square(2) == 4"),
    honest("tabs", without_tabs(RIGHT), mean=without_tabs("def mean_abs(a):\n    return float(np.mean(np.abs(a)))")),
    honest("comments in many scripts, and no other text", "# Ответ 答え δ ✓ \U0001f600\n" + RIGHT),
    honest("a value with a very long name as text", "class Big:\n    def __repr__(self): return 'x' * 100_000\n"
           "Big()" + RIGHT),
    honest("a signal and an exit handler of its own", "import atexit, signal\natexit.register(print, 'bye')\n"
           "signal.signal(signal.SIGUSR1, lambda *args: None)" + RIGHT),
    honest("a thread that only waits", "import threading, time\n"
           "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()" + RIGHT),
    honest("everything is imported", "from math import *\nfrom numpy import *\nimport scipy.optimize, scipy.stats"
           + RIGHT, mean="def mean_abs(a):\n    return abs(a).sum() / len(a)", seconds=60),
    edited("cells of its own", with_cells("square", "import numpy as np", "square(7)", "# nothing", "",
                                          "helper = 3", "?square", "square??")),
    edited("a package that is not there, in a cell of its own",
           with_cells("setup", "import not_installed")),
    edited("an answer in a cell of its own", answer_in_own_cell),
    Case("helpers in a cell of their own", "def square(x):\n    return times(x, x)", deserves=ALL,
         edit=with_cells("setup", "def times(a, b): return a * b")),
    edited("a copied answer cell", copied_answer, told=("more than once",)),
    edited("a split answer cell", split_answer, told=("more than once",)),
    edited("the exercises in another order", exercises_exchanged),
    edited("the tests were deleted", without("square-check", "mean-hidden"), told=("put back",)),
    edited("the setup was deleted", without("setup"), told=("put back",)),
    edited("the tests were played with", tests_played_with, told=("was changed",)),
    edited("raw cells and attachments", raw_and_attached),
    edited("cells that stop with errors", with_cells("square", "undefined_name", "def f(:", "1 / 0")),
    edited("saved by VS Code", from_vs_code),
    edited("saved by Colab", from_colab),
    edited("saved by a program that drops all metadata", metadata_lost, told=("told by their ids",)),
    edited("all cells tagged", tagged),
    edited("a kernel of another name", kernel_of_another_name),
    edited("line ends of Windows", returns_and_line_feeds),
    edited("saved with old errors and outputs", saved_with_errors),
    edited("a notebook with a hundred cells", lambda notebook: notebook.cells.extend(
        new_code_cell(f"{number} + 1") for number in range(100))),
]
