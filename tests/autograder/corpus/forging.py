"""Forging the mark from within the notebook: the answer to the first exercise is wrong.

What is compared is tampered with, then what compares, then the program that runs the
cells. Almost all of it is known from write-ups on other graders; see book/grading.md.
"""

from .case import WRONG, Case, kinds

LOST = ("is not there, although",)        # the words on a name whose cell ran, and did nothing

# ---- answers that please every comparison ---------------------------------------------

COMPARISONS = [
    Case("an array that equals everything", """
import numpy as np
class Always(np.ndarray):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    __lt__ = __le__ = __gt__ = __ge__ = __eq__
    def __array_function__(self, function, types, args, kwargs): return True
    def __array_ufunc__(self, *args, **kwargs): return True
def square(x):
    return np.zeros(()).view(Always)
"""),
    Case("a float that equals everything", """
class Always(float):
    def __eq__(self, other): return True
    def __sub__(self, other): return 0.0
    __rsub__ = __sub__
    def __abs__(self): return 0.0
def square(x):
    return Always(1.0)
"""),
    Case("a text that equals everything", """
class Always(str):
    def __eq__(self, other): return True
    __hash__ = str.__hash__
def square(x):
    return Always("nine")
"""),
    Case("a dictionary that equals everything", """
class Always(dict):
    def __eq__(self, other): return True
    def __getitem__(self, key): return self
    def __array__(self, *args, **kwargs): return __import__("numpy").zeros((0,))
def square(x):
    return Always()
"""),
    Case("an object that is a number in every respect but being one", """
class Anything:
    def __getattr__(self, name): return Anything()
    def __call__(self, *args, **kwargs): return Anything()
    def __eq__(self, other): return True
    def __bool__(self): return True
    def __float__(self): return 9.0
    __class__ = float
def square(x):
    return Anything()
"""),
    Case("an object that answers NumPy's functions with what they want", """
import numpy as np
class Chameleon:
    __array_priority__ = 1e9
    dtype, shape, ndim, size = np.dtype(float), (), 0, 1
    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        others = [value for value in inputs if value is not self]
        return np.zeros_like(others[0]) if ufunc is np.subtract else np.True_
    def __array_function__(self, function, types, args, options): return True
    def __array__(self, *args, **options): return np.array(9.0)
def square(x):
    return Chameleon()
"""),
    Case("an empty array that broadcasts", """
import numpy as np
def square(x):
    return np.zeros((0,))
"""),
    Case("not a number", "def square(x):\n    return float('nan')"),
    Case("a masked number", "import numpy as np\ndef square(x):\n    return np.ma.masked"),
    Case("an array of objects that equal everything", """
import numpy as np
class Always:
    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = lambda self, other: True
    __sub__ = __rsub__ = __abs__ = __mul__ = __rmul__ = lambda self, *other: 0.0
def square(x):
    return np.array(Always(), dtype=object)
"""),
    Case("all answers at once, in an array", """
import numpy as np
def square(x):
    return np.linspace(0.0, 9.0, 1000)
"""),
    Case("an exception that tests take for success", """
import unittest
def square(x):
    raise unittest.SkipTest("not today")
"""),
    Case("the function ends the program without an error", """
def square(x):
    raise SystemExit(0)
"""),
    Case("the function says that it was interrupted", """
def square(x):
    raise KeyboardInterrupt()
"""),
    Case("an exception that ends the loops of a test", "def square(x):\n    raise StopIteration"),
    Case("an object with two faces", """
class Two:
    asked = 0
    def __getattribute__(self, name):
        Two.asked += 1
        return object.__getattribute__(self, name) if name.startswith("_") else Two.asked
    def __len__(self): return 0
    def __iter__(self):
        Two.asked += 1
        return iter([9.0] * (Two.asked % 3))
    def __getitem__(self, key): return 9.0
    def equals(self, other): return True
    def __array__(self, *args, **options): return __import__("numpy").array(9.0 * (Two.asked % 2))
def square(x):
    return Two()
"""),
    Case("the first answer is right, and repeated", """
answers = []
def square(x):
    answers.append(x * x)
    return answers[0]
""", deserves=(2, 5)),
    Case("the function learns the visible check by heart", """
def square(x):
    return {3.0: 9.0}.get(x, 0.0)
""", deserves=(2, 5)),
    Case("the seed of the hidden tests is guessed", """
import random, numpy as np
from gradem import check
def square(x):
    guesses = [check.rng().normal(), np.random.default_rng(0).normal(), np.random.normal()]
    guesses += [np.random.default_rng(seed).normal() for seed in range(1000)]
    guess = min(guesses, key=lambda guess: abs(guess - x))
    return 9.0 if x == 3.0 else guess * guess
""", deserves=(2, 5)),
]


# ---- what compares is patched -------------------------------------------------------------

PATCHES = [
    Case("patched comparisons", """
import numpy as np, numpy.testing
from gradem import check
check.close = check.equal = check.true = lambda *args, **kwargs: None
np.testing.assert_allclose = np.allclose = lambda *args, **kwargs: True
""" + WRONG),
    Case("patched builtins", """
import builtins, math, operator
builtins.abs = lambda x: 0
builtins.isinstance = lambda *args: True
builtins.AssertionError = builtins.NameError = type("Nothing", (BaseException,), {})
math.isclose = operator.eq = operator.le = lambda *args, **options: True
""" + WRONG, spoils=True, may=kinds("protocol", "kernel-died", "timeout"), waits=True),
    Case("the class of a mistake passes for none", """
from gradem import check
class Calm(type):
    def __call__(cls, *args, **options): raise GeneratorExit
check.Mistake.__init__ = lambda self, *args: None
check.Mistake.__new__ = lambda *args: StopIteration()
""" + WRONG),
    Case("the code of a checking function is exchanged", """
from gradem import check
def nothing(*args, **options): return None
check.close.__code__ = nothing.__code__
""" + WRONG),
    Case("a module in the place of gradem.check", """
import sys, types
fake = types.ModuleType("gradem.check")
fake.close = lambda *args, **kwargs: None
sys.modules["gradem.check"] = fake
sys.modules["gradem"].check = fake
check = fake
""" + WRONG),
    Case("a finder of modules that comes first", """
import sys, types
class Finder:
    def find_spec(self, name, *rest):
        return None
sys.meta_path.insert(0, Finder())
for name in [name for name in sys.modules if name.startswith(("gradem", "numpy.testing"))]:
    sys.modules[name] = types.SimpleNamespace(close=print, check=types.SimpleNamespace(close=print))
import gradem
check = gradem.check
""" + WRONG),
    Case("a numpy.py is handed in beside the notebook", WRONG, beside={
        "numpy.py": b"def __getattr__(name):\n    return lambda *args, **kwargs: True\n"}),
    Case("a package gradem is handed in beside the notebook", WRONG, beside={
        "gradem/__init__.py": b"",
        "gradem/check.py": b"import numpy as np\ndef close(*args, **kwargs): pass\n"
                           b"def rng(): return np.random.default_rng()\n"}),
    Case("start-up files are handed in beside the notebook", WRONG, beside={
        name: b"import builtins\nbuiltins.AssertionError = StopIteration\n"
              b"import gradem.check\ngradem.check.close = print\n"
        for name in ("sitecustomize.py", "usercustomize.py", "ipython_startup.py",
                     "ipykernel_launcher.py", "conftest.py")}),
    Case("a module is written and put first on the path", """
import os, sys
os.makedirs("gradem", exist_ok=True)
open("gradem/__init__.py", "w").close()
open("gradem/check.py", "w").write("def close(*args, **options): pass\\nrng = None\\n")
sys.path.insert(0, os.getcwd())
for name in [name for name in sys.modules if name.startswith("gradem")]:
    del sys.modules[name]
from gradem import check
""" + WRONG),
]


# ---- the program that runs the cells is patched ------------------------------------------

HOOKS = [
    Case("assertions and checks are dropped from the syntax tree", WRONG + """
import ast
class Drop(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.Pass()
    def visit_Expr(self, node):
        return ast.Pass() if "square" in ast.dump(node) else node
get_ipython().ast_transformers.append(Drop())
"""),
    Case("lines that check are dropped before they are parsed", WRONG + """
def drop(lines):
    return ["pass\\n" if "check.close(square" in line else line for line in lines]
get_ipython().input_transformers_cleanup.append(drop)
"""),
    Case("every later cell is put into a try", WRONG + """
def calm(lines):
    if not any("check" in line for line in lines): return lines
    return ["try:\\n", *("    " + line for line in lines), "\\nexcept BaseException: pass\\n"]
get_ipython().input_transformers_post.append(calm)
"""),
    Case("a handler for every exception", WRONG + """
get_ipython().set_custom_exc((BaseException,), lambda *args, **options: None)
"""),
    Case("the traceback is not shown", WRONG + """
shell = get_ipython()
shell.showtraceback = shell._showtraceback = shell.showsyntaxerror = lambda *args, **options: None
"""),
    Case("a part of the points is claimed with the display hook", """
def square(x):
    get_ipython().displayhook(3)
    return -1.0
"""),
    Case("the test cell's own result is claimed at its end", WRONG + """
def claim(result=None):
    result.error_in_exec = result.error_before_exec = None
    result.result = 3
get_ipython().events.register("post_run_cell", claim)
"""),
    Case("names are repaired just before a test", WRONG + """
def repair(info=None):
    from gradem import check
    if info and "check" in info.raw_cell:
        check.close = lambda *args, **options: None
get_ipython().events.register("pre_run_cell", repair)
"""),
    Case("the namespace of the notebook is exchanged", WRONG + """
import types
class Kind(dict):
    def __getitem__(self, name):
        if name == "check": return types.SimpleNamespace(close=print, rng=print)
        return dict.__getitem__(self, name)
shell = get_ipython()
shell.user_ns = Kind(shell.user_ns)
""", spoils=True),
    Case("a magic command swallows later cells", WRONG + """
from IPython.core.magic import register_cell_magic
@register_cell_magic
def swallow(line, cell): pass
get_ipython().input_transformers_cleanup.append(
    lambda lines: ["%%swallow\\n", *lines] if any("square(" in line for line in lines) else lines)
"""),
    Case("nothing that runs ever fails", WRONG + """
async def run_code(*args, **kwargs): return False
get_ipython().run_code = run_code
""", spoils=True, told=LOST, may=kinds("protocol", "timeout")),
    Case("the compiler is exchanged", WRONG + """
import IPython.core.compilerop as compilerop
class Calm(type(get_ipython().compile)):
    def __call__(self, source, *args, **options): return compile("pass", "nothing", "exec")
get_ipython().compile.__class__ = Calm
""", spoils=True, told=LOST, may=kinds("protocol", "timeout")),
    Case("the kernel says ok to everything", WRONG + """
async def always_ok(code, silent, *args, **kwargs):
    return {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}}
get_ipython().kernel.do_execute = always_ok
""", spoils=True, may=kinds("protocol", "timeout")),
    Case("errors are taken out of the kernel's messages", WRONG + """
from jupyter_client.session import Session
send = Session.send
def friendly(self, stream, kind, content=None, **kwargs):
    if kind == "error": return None
    if isinstance(content, dict) and content.get("status") == "error":
        content = {"status": "ok", "execution_count": 1, "user_expressions": {}, "payload": []}
    return send(self, stream, kind, content, **kwargs)
Session.send = friendly
"""),
    Case("cells are run by something else", WRONG + """
import types
shell = get_ipython()
good = types.SimpleNamespace(success=True, error_in_exec=None, error_before_exec=None, result=3,
                             raise_error=lambda: None, execution_count=1)
async def run_cell_async(*args, **options): return good
shell.run_cell = lambda *args, **options: good
shell.run_cell_async = run_cell_async
""", spoils=True, told=LOST),
    Case("a trace function jumps over what fails", WRONG + """
import sys
def trace(frame, event, argument):
    if event == "exception" and "check" in frame.f_code.co_filename:
        frame.f_trace_lines = False
    if event == "call" and frame.f_code.co_name in ("close", "_compare", "fail"):
        return lambda frame, event, argument: frame.f_back and setattr(
            frame, "f_lineno", frame.f_code.co_firstlineno + 1)
    return trace
sys.settrace(trace)
import threading
threading.settrace(trace)
""", spoils=True, may=kinds("timeout")),
    Case("what happens at the end is prepared", WRONG + """
import atexit, sys, signal
def pretend():
    print("All tests passed"); __import__("os")._exit(0)
atexit.register(pretend)
sys.excepthook = sys.unraisablehook = lambda *args: None
for number in (signal.SIGTERM, signal.SIGALRM, signal.SIGUSR1):
    signal.signal(number, lambda *args: pretend())
"""),
    Case("a thread changes names while the test runs", WRONG + """
import threading, time
def late():
    from gradem import check
    names = get_ipython().user_ns
    for _ in range(100_000):
        if "check.close(square" in "".join(names.get("In", [""])[-1:]):
            check.close = lambda *args, **options: None
            return
        time.sleep(0.0005)
threading.Thread(target=late, daemon=True).start()
"""),
    Case("a task left in the event loop runs during later cells", WRONG + """
import asyncio
async def later():
    from gradem import check
    while True:
        check.close = lambda *args, **options: None
        await asyncio.sleep(0)
task = asyncio.ensure_future(later())
"""),
    Case("constants of Python are overwritten in memory", """
import ctypes
def square(x):
    try:
        where = id(x) + 16
        ctypes.c_double.from_address(where).value = -1.0
    except Exception: pass
    return -1.0 if type(x) is float else x
"""),
]


# ---- the source of the tests is looked for -------------------------------------------------

ORACLES = [
    Case("the expected value is computed from the test's own source", """
import re
def square(x):
    for text in reversed(get_ipython().user_ns["In"]):
        wanted = re.search(r"close\\(square\\(.*?\\), (.*?), name", text)
        if wanted:
            return eval(wanted[1], {"x": x})
    return -1.0
"""),
    Case("the expected value is found in the frames of the caller", """
import inspect, re
def square(x):
    for frame in inspect.stack():
        for line in frame.code_context or []:
            wanted = re.search(r"close\\(square\\(.*?\\), (.*?), name", line)
            if wanted:
                return eval(wanted[1], frame.frame.f_globals, {"x": x})
    return -1.0
"""),
    Case("the expected value is found among all objects", """
import gc, re
def square(x):
    texts = [text for thing in gc.get_objects() if isinstance(thing, (list, dict, tuple))
             for text in (thing.values() if isinstance(thing, dict) else thing)
             if isinstance(text, str)]
    for text in texts:
        wanted = re.search(r"^check.close\\(square\\(.*?\\), ([^\\[]*?), name", text, re.M)
        if wanted and "__" not in wanted[1]:
            try: return eval(wanted[1], {"x": x})
            except Exception: pass
    return -1.0
"""),
    Case("the expected value is found in files", """
import glob, json, os, re
def square(x):
    for folder in (os.getcwd(), "..", "../../../source", "/course", "/tmp"):
        for file in glob.glob(folder + "/**/*.ipynb", recursive=True)[:100]:
            for text in re.findall(r"close\\(square\\(.*?\\), (.*?), name", open(file).read()):
                try: return eval(text, {"x": x})
                except Exception: pass
    return -1.0
"""),
]

CASES = COMPARISONS + PATCHES + HOOKS + ORACLES
