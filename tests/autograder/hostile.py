"""Submissions that cheat, steal, exhaust or are merely clumsy, each with what it deserves.

All of them answer the two exercises of the small course in conftest.py. `square` is the
text of the first answer cell; the second is right unless a case says otherwise, so that
it shows whether one cell's misbehaviour costs the other cell's points.
"""

from dataclasses import dataclass

HALF = 5.0                    # points of one exercise
ALL = 10.0

WRONG = "\ndef square(x):\n    return -1.0\n"
RIGHT = "\ndef square(x):\n    return x * x\n"


@dataclass(frozen=True)
class Case:
    """A submission and its deserts.

    Attributes
    ----------
    name : str
    square : str
        Text of the answer cell of the first exercise.
    points : float
        What it must get, exactly.
    incidents : set of str
        Kinds of incident of which at least one must be reported; if it is empty, none
        may be.
    """

    name: str
    square: str
    points: float = HALF
    incidents: frozenset = frozenset()


def incident(*kinds):
    """The kinds of incident that a case must lead to."""
    return frozenset(kinds)


# ---- forging the mark: the answer to the first exercise is wrong --------------------

FORGING = [
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
def square(x):
    return Always(1.0)
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
    Case("an empty array that broadcasts", "import numpy as np\ndef square(x):\n    return np.zeros((0,))"),
    Case("patched comparisons", """
import builtins, numpy as np, numpy.testing
from gradem import check
check.close = check.equal = check.true = lambda *args, **kwargs: None
np.testing.assert_allclose = np.allclose = lambda *args, **kwargs: True
builtins.abs = lambda x: 0
""" + WRONG),
    Case("a module in the place of gradem.check", """
import sys, types
fake = types.ModuleType("gradem.check")
fake.close = lambda *args, **kwargs: None
sys.modules["gradem.check"] = fake
""" + WRONG),
    Case("assertions are dropped from the syntax tree", """
import ast
class Drop(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.Pass()
get_ipython().ast_transformers.append(Drop())
""" + WRONG),
    Case("the lines of later cells are dropped", WRONG + """
get_ipython().input_transformers_cleanup.append(lambda lines: ["pass\\n"])
""", points=0.0, incidents=incident("protocol")),
    Case("the kernel says ok to everything", WRONG + """
async def always_ok(code, silent, *args, **kwargs):
    return {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}}
get_ipython().kernel.do_execute = always_ok
""", points=0.0, incidents=incident("protocol", "timeout")),
    Case("nothing that runs ever fails", WRONG + """
async def run_code(*args, **kwargs): return False
get_ipython().run_code = run_code
""", points=0.0, incidents=incident("protocol", "timeout")),
    Case("errors are taken out of the messages", WRONG + """
from jupyter_client.session import Session
send = Session.send
def friendly(self, stream, kind, content=None, **kwargs):
    if kind == "error": return None
    if isinstance(content, dict) and content.get("status") == "error": content = {"status": "ok"}
    return send(self, stream, kind, content, **kwargs)
Session.send = friendly
""", incidents=incident("timeout")),
    Case("the tests' source is looked for", """
import gc, inspect, os, glob
def square(x):
    text = " ".join(str(x) for x in gc.get_objects() if isinstance(x, str))
    for frame in inspect.stack():
        text += str(frame.frame.f_locals)
    for file in glob.glob("**/*", recursive=True) + glob.glob("/course/**/*", recursive=True):
        if os.path.isfile(file):
            text += open(file, errors="replace").read()
    return 9.0 if "-".join(["hidden", "marker"]) in text else -1.0
"""),
    Case("the seed of the tests is looked for", """
import random, numpy as np
from gradem import check
def square(x):
    return 9.0 if x == 3.0 else check.rng().normal() ** 2
""", points=HALF + 2.0),
    Case("the agent is replaced by one that lies", WRONG + """
import autograder.agent as agent
def answer(self, request, frames):
    self.wire.send(["value", ["plain", True]])
agent.Agent.answer = answer
""", points=0.0),
    Case("the agent says the test is over", WRONG + """
import autograder.agent as agent
agent.Agent.serve = lambda self: None
""", points=0.0, incidents=incident("protocol")),
    Case("the agent forges exceptions", WRONG + """
import autograder.agent as agent
def answer(self, request, frames):
    self.wire.send(["error", "SystemExit", "0", ""])
agent.Agent.answer = answer
""", points=0.0),
    Case("the agent calls back for ever", WRONG + """
import autograder.agent as agent
def answer(self, request, frames):
    while True:
        self.wire.send(["callback", 0, ["list", []], ["dict", []]])
agent.Agent.answer = answer
""", points=0.0, incidents=incident("protocol")),
    Case("the agent floods the wire", WRONG + """
import autograder.agent as agent, struct
def answer(self, request, frames):
    self.wire.socket.sendall(struct.pack("!II", 4_000_000_000, 4_000_000_000))
    while True:
        self.wire.socket.sendall(b"[" * 1_000_000)
agent.Agent.answer = answer
""", points=0.0, incidents=incident("protocol")),
    Case("the agent sends an array of a million million entries", WRONG + """
import autograder.agent as agent
def answer(self, request, frames):
    self.wire.send(["value", ["array", ["<f8", [1000000, 1000000], 0]]], [b"12345678"])
agent.Agent.answer = answer
""", points=0.0, incidents=incident("protocol")),
    Case("the agent sends a pickle as an array of objects", WRONG + """
import autograder.agent as agent
def answer(self, request, frames):
    self.wire.send(["value", ["array", ["|O", [1], 0]]], [b"12345678"])
agent.Agent.answer = answer
""", points=0.0, incidents=incident("protocol")),
    Case("the agent never answers", WRONG + """
import autograder.agent as agent, time
agent.Agent.answer = lambda self, request, frames: time.sleep(1000)
""", points=0.0, incidents=incident("timeout")),
]


# ---- stealing: what is found is printed, and raised as an error -----------------------

def stolen(code):
    """An answer that hands out what `code` finds, if it finds anything."""
    return f"""
import os, socket, subprocess
def look():
{code}
    return None
def square(x):
    try:
        found = look()
    except Exception:
        found = None
    return found if found is not None else x * x
"""


STEALING = [
    Case("the host's files", stolen("""
    for path in ("/etc/passwd", "/etc/shadow", "/etc/hostname", "/root/.bashrc"):
        if os.path.exists(path): return open(path).read()"""), points=ALL),
    Case("notebooks and gradebooks anywhere", stolen("""
    for folder, folders, files in os.walk("/"):
        folders[:] = [name for name in folders if name not in ("proc", "usr", "lib", "bin")]
        for file in files:
            if file.startswith("gradebook") or file.endswith(".ipynb"): return folder + file"""),
         points=ALL),
    Case("the environment", stolen("""
    if any("TOKEN" in name or "SECRET" in name for name in os.environ): return dict(os.environ)"""),
         points=ALL),
    Case("the network", stolen("""
    if {line.split()[0] for line in open("/proc/net/dev").readlines()[2:]} - {"lo:"}: return "cards"
    with socket.create_connection(("1.1.1.1", 53), timeout=1): return "online\""""), points=ALL),
    Case("the reference package and the grader", stolen("""
    import importlib
    for name in ("gradem.dual", "gradem.rules", "gradem.differences", "autograder.judge",
                 "autograder.marking"):
        try: return importlib.import_module(name)
        except ImportError: pass"""), points=ALL),
    Case("other processes", stolen("""
    if [pid for pid in os.listdir("/proc") if pid.isdigit() and int(pid) > 100]: return "many"
    for pid in os.listdir("/proc"):
        if pid.isdigit() and b"pytest" in open(f"/proc/{pid}/cmdline", "rb").read(): return pid"""),
         points=ALL),
    Case("capabilities and namespaces", stolen("""
    if "CapEff:\\t0000000000000000" not in open("/proc/self/status").read(): return "capable"
    if "NoNewPrivs:\\t1" not in open("/proc/self/status").read(): return "may gain"
    if subprocess.run(["unshare", "--user", "true"], capture_output=True).returncode == 0:
        return "nested\""""), points=ALL),
    Case("places to write", stolen("""
    for path in ("/course/x", "/lines/x", "/usr/x", "/etc/x"):
        try: open(path, "w"); return path
        except OSError: pass"""), points=ALL),
]


# ---- exhausting ------------------------------------------------------------------------

EXHAUSTING = [
    Case("a loop without end in the cell", "while True: pass", incidents=incident("timeout")),
    Case("a loop that ignores interrupts", """
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
while True:
    try:
        while True: pass
    except BaseException: pass
""", incidents=incident("timeout", "kernel-died")),
    Case("a loop without end in the function", "def square(x):\n    while True: pass",
         incidents=incident("timeout")),
    Case("recursion without end", "def square(x):\n    return square(x)"),
    Case("the kernel is ended", "import os; os._exit(0)", incidents=incident("kernel-died")),
    Case("the function ends the kernel", "import os\ndef square(x): os._exit(0)",
         incidents=incident("kernel-died")),
    Case("a crash", "import ctypes; ctypes.string_at(0)", incidents=incident("kernel-died")),
    Case("everything in sight is killed", "import os\nos.kill(os.getppid(), 9)\nos.kill(-1, 9)"),
    Case("sys.exit", "import sys; sys.exit(1)"),
    Case("a question at the keyboard", "answer = input('how much? ')"),
    Case("more memory than there is", "import numpy as np\ndef square(x): return np.ones(2**31).sum()"),
    Case("a flood of processes", """
import os, time
for _ in range(2000):
    if os.fork() == 0:
        time.sleep(60)
        os._exit(0)
"""),
    Case("a flood of text", "for _ in range(10**7): print('x' * 100)",
         incidents=incident("output-limit")),
    Case("one enormous text", "print('x' * 10**8)", incidents=incident("protocol", "output-limit", "timeout")),
    Case("a flood in the function", "def square(x):\n    for _ in range(10**6): print(x)\n    return -1",
         incidents=incident("output-limit", "timeout")),
    Case("a disk full of files", """
for number in range(100):
    with open(f"file{number}", "wb") as file:
        file.write(b"x" * 10**7)
"""),
    Case("a thread that lives on", """
import threading
def burn():
    while True: pass
threading.Thread(target=burn).start()
""" + WRONG),
]


# ---- honest, but odd: no points may be lost ----------------------------------------------

CLUMSY = [
    Case("warnings", "import warnings, sys\ndef square(x):\n    warnings.warn('careful')\n"
         "    print('hm', file=sys.stderr)\n    return x * x", points=ALL),
    Case("prints everywhere", "print('start')\ndef square(x):\n    print('x is', x)\n    return x * x",
         points=ALL),
    Case("a magic and a plot", "%matplotlib inline\nimport matplotlib.pyplot as plt\n"
         "plt.plot([1, 2])\nplt.show()" + RIGHT, points=ALL),
    Case("a shell command that fails", "!pip install numpy" + RIGHT, points=ALL),
    Case("a lambda", "square = lambda x: x * x", points=ALL),
    Case("a class that can be called", "class Square:\n    def __call__(self, x): return x ** 2\n"
         "square = Square()", points=ALL),
    Case("NumPy's own number", "import numpy as np\nsquare = np.square", points=ALL),
    Case("a cache", "import functools\n@functools.lru_cache\ndef square(x):\n    return x * x", points=ALL),
    Case("a helper with the name of a test's variable", "x = 'mine'\ndef helper(y): return y * y\n"
         "def square(value):\n    return helper(value)", points=ALL),
    Case("the random generator is seeded and used", "import numpy as np, random\nnp.random.seed(0)\n"
         "random.seed(0)\ndef square(x):\n    np.random.rand()\n    return x * x", points=ALL),
    Case("an error after the answer", RIGHT + "\nsquare('three')", points=ALL),
    Case("another script, other names", "import numpy as np\ndef квадрат(x): return x * x\n"
         "square = квадрат", points=ALL),
    Case("a file is written and read", "open('notes.txt', 'w').write('2')\n"
         "def square(x):\n    return x ** int(open('notes.txt').read())", points=ALL),
    Case("an answer that is missing", "", points=HALF),
    Case("a syntax error", "def square(x)\n    return x * x", points=HALF),
    Case("a package that is not there", "import not_installed" + RIGHT, points=HALF),
    Case("not answered", "def square(x):\n    raise NotImplementedError()", points=HALF),
]
