"""Exhausting: loops, exits, crashes, memory, processes, output, disk.

Most of these happen to honest beginners, too. A cell that goes too far costs the exercise
that depends on it, and nobody else anything.
"""

from .case import ALL, NOTHING, RIGHT, WRONG, Case, kinds, with_cells

ENDED = kinds("kernel-died", "memory")
HARMFUL = "it would harm the machine: stock sets no limit"

CASES = [
    # -- time --
    Case("a loop without end in the cell", "while True: pass", incidents=kinds("timeout"),
         waits=True),
    Case("a loop that ignores interrupts", """
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
while True:
    try:
        while True: pass
    except BaseException: pass
""", incidents=kinds("timeout"), waits=True),
    Case("a loop without end in the function", "def square(x):\n    while True: pass",
         incidents=kinds("timeout"), waits=True),
    Case("a function that catches the interrupt and goes on", """
def square(x):
    while True:
        try:
            while True: pass
        except BaseException: pass
""", incidents=kinds("timeout", "kernel-died"), waits=True),
    Case("sleep", "import time\ntime.sleep(10_000)", incidents=kinds("timeout"), waits=True),
    Case("a lock that nobody opens", "import threading\nlock = threading.Lock()\nlock.acquire()\n"
         "lock.acquire()", incidents=kinds("timeout"), waits=True),
    Case("a wait for something that never comes", "import asyncio\nawait asyncio.Event().wait()",
         incidents=kinds("timeout"), waits=True),
    Case("a regular expression that takes ages", "import re\n"
         "re.match(r'(a+)+$', 'a' * 60 + 'b')", incidents=kinds("timeout"), waits=True),
    Case("whole numbers beyond all bounds", "x = 9 ** 9 ** 9", incidents=kinds("timeout", *ENDED),
         waits=True),
    Case("a sort that compares for ever", """
class Slow:
    def __lt__(self, other):
        while True: pass
sorted([Slow(), Slow()])
""", incidents=kinds("timeout"), waits=True),
    Case("an attribute that never answers", """
class Slow:
    @property
    def value(self):
        while True: pass
def square(x):
    return Slow().value
""", incidents=kinds("timeout"), waits=True),
    Case("a generator without end", """
def square(x):
    while True:
        yield x
"""),
    Case("recursion without end", "def square(x):\n    return square(x)"),
    Case("recursion without end in C", """
import sys
sys.setrecursionlimit(10**9)
def square(x):
    return square(x)
""", incidents=kinds("timeout", *ENDED), waits=True),
    Case("a question at the keyboard", "answer = input('how much? ')"),
    Case("a question at the keyboard in the function", "def square(x):\n    return float(input())"),
    Case("the debugger is called", "import pdb\ndef square(x):\n    breakpoint()\n    return x",
         may=kinds("timeout")),

    # -- ends --
    Case("the kernel is ended", "import os; os._exit(0)", incidents=kinds("kernel-died")),
    Case("the function ends the kernel", "import os\ndef square(x): os._exit(0)",
         incidents=kinds("kernel-died")),
    Case("sys.exit", "import sys; sys.exit(1)"),
    Case("quit", "quit()"),
    Case("a crash", "import ctypes; ctypes.string_at(0)", incidents=kinds("kernel-died")),
    Case("a crash in the function", "import ctypes\ndef square(x): ctypes.string_at(0)",
         incidents=kinds("kernel-died")),
    Case("an abort", "import os; os.abort()", incidents=kinds("kernel-died")),
    Case("everything in sight is killed", "import os\nos.kill(os.getppid(), 9)\nos.kill(-1, 9)",
         may=ENDED, unfit="it ends the grader and all beside it"),
    Case("the process above is killed", "import os\nos.kill(os.getppid(), 9)", may=ENDED,
         seconds=60),
    Case("the process group is killed", "import os\nos.killpg(0, 9)", may=ENDED),
    Case("every number of a process is killed", "import os\nfor number in range(1, 300):\n"
         "    try: os.kill(number, 9)\n    except OSError: pass", may=ENDED,
         unfit="it ends the grader and all beside it"),

    # -- memory --
    Case("more memory than there is", "import numpy as np\ndef square(x): return np.ones(2**33).sum()",
         unfit=HARMFUL),
    Case("a list that grows", "x = []\nwhile True: x.append(bytearray(10**7))", may=ENDED,
         unfit=HARMFUL),
    Case("many processes with much memory together", """
import os, time
for _ in range(60):
    if os.fork() == 0:
        try: x = b"1" * 400_000_000
        except MemoryError: pass
        time.sleep(30)
        os._exit(0)
time.sleep(3)
""", spoils=True, may=kinds("timeout", *ENDED), unfit=HARMFUL, seconds=60),
    Case("memory that belongs to no process", """
import ctypes, os
libc = ctypes.CDLL(None)
libc.shmat.restype = ctypes.c_void_p
kept = []
for _ in range(200):
    try:
        file = os.memfd_create("x")
        kept.append(file)
        for _ in range(60): os.write(file, b"x" * 1_000_000)
    except OSError: pass
    segment = libc.shmget(0, 60_000_000, 0o1600)
    if segment >= 0:
        place = libc.shmat(segment, None, 0)
        ctypes.memset(place, 1, 60_000_000)
        libc.shmdt(ctypes.c_void_p(place))
""" + WRONG, may=ENDED, unfit=HARMFUL),
    Case("an answer of a gigabyte", "import numpy as np\ndef square(x): return np.zeros(10**8)"),
    Case("an answer that is a very long text", "def square(x): return 'x' * 10**8"),
    Case("an answer of a thousand levels", """
def square(x):
    answer = []
    for _ in range(100_000): answer = [answer]
    return answer
""", may=ENDED),
    Case("an answer that contains itself", "def square(x):\n    a = []\n    a.append(a)\n    return a"),
    Case("an exception with an enormous text", "def square(x): raise ValueError('x' * 10**8)"),
    Case("an exception whose text is an error", """
class Odd(Exception):
    def __str__(self): raise Odd()
    __repr__ = __str__
def square(x): raise Odd()
""", may=kinds("protocol", "kernel-died")),

    # -- processes and threads --
    Case("a flood of processes", """
import os, time
for _ in range(2000):
    if os.fork() == 0:
        time.sleep(60)
        os._exit(0)
""", unfit=HARMFUL),
    Case("processes that make processes", """
import os, time
end = time.time() + 3
while time.time() < end:
    try: os.fork()
    except OSError: time.sleep(0.1)
os._exit(0)
""", spoils=True, incidents=kinds("timeout", "protocol", *ENDED), unfit=HARMFUL, seconds=60),
    Case("ninety processes that compute without end", """
import os
for _ in range(90):
    if os.fork() == 0:
        os.setsid()
        while True: pass
""" + WRONG, spoils=True, may=kinds("timeout", *ENDED), unfit=HARMFUL, waits=True, seconds=60),
    Case("a child that stays when its parent is gone", """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True: time.sleep(1)
    os._exit(0)
""" + WRONG, unfit=""),
    Case("children that nobody buries", "import os\nfor _ in range(50):\n"
         "    if os.fork() == 0: os._exit(0)\n" + WRONG),
    Case("a thread that lives on", """
import threading
def burn():
    while True: pass
threading.Thread(target=burn).start()
""" + WRONG),
    Case("a flood of threads", """
import threading, time
for _ in range(5000): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
""", may=ENDED, unfit=HARMFUL),

    # -- output --
    Case("a flood of text", "for _ in range(10**6): print('x' * 100)",
         incidents=kinds("output-limit")),
    Case("one enormous text", "print('x' * 10**8)", incidents=kinds("output-limit", *ENDED),
         unfit=HARMFUL),
    Case("a flood in the function", "def square(x):\n    for _ in range(10**5): print(x)\n    return -1"),
    Case("a flood of small outputs", "for number in range(20_000): display(number)",
         incidents=kinds("output-limit"), seconds=60),
    Case("megabytes of text in each of sixty cells",
         edit=with_cells("square", *["print('x' * 999_000)"] * 60), deserves=ALL,
         incidents=kinds("output-limit")),
    Case("text of characters that take many bytes", "print('\u2588' * 900_000)\n" + RIGHT,
         deserves=ALL, incidents=kinds("output-limit")),
    Case("a flood of pictures", """
import numpy as np
import matplotlib.pyplot as plt
from IPython.display import Image
for _ in range(40): display(Image(np.random.bytes(10**6), format="png"))
""", incidents=kinds("output-limit")),
    Case("a picture of a hundred thousand pixels a side", """
import struct, zlib
from IPython.display import Image, display
def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
header = struct.pack(">IIBBBBB", 100_000, 100_000, 1, 0, 0, 0, 0)
display(Image(b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", header)
              + chunk(b"IDAT", zlib.compress(b"\\0" * 10**6)) + chunk(b"IEND", b""), format="png"))
def square(x):
    return x * x
""", deserves=ALL),
    Case("formulas within formulas, and many of them", deserves=ALL,
         essay="\n\n".join(["$" + r"\frac{1}{1+" * 60 + "x" + "}" * 60 + "$"] * 10
                           + ["$" + "x_1^" * 300 + "2$", "$" + r"\left(" * 200 + "$"])),
    Case("enormous HTML", "from IPython.display import HTML\ndisplay(HTML('<p>' * 10**7))",
         incidents=kinds("output-limit")),
    Case("deep HTML", "from IPython.display import HTML\ndisplay(HTML('<div>' * 100_000))"),
    Case("a flood past Python, to the standard output", """
import os
for _ in range(1000): os.write(1, b"x" * 100_000)
os.system("yes | head -c 100000000")
""", unfit=HARMFUL),

    # -- disk and files --
    Case("a disk full of files", """
for number in range(100):
    with open(f"file{number}", "wb") as file:
        file.write(b"x" * 10**7)
""", unfit=HARMFUL),
    Case("other places full of files", """
for folder in ("/tmp", "/dev/shm"):
    for number in range(100):
        try: open(f"{folder}/file{number}", "wb").write(b"x" * 10**7)
        except OSError: break
""" + WRONG, unfit=HARMFUL),
    Case("more files than there are numbers for", """
for number in range(100_000): open(f"file{number}", "w").close()
""", unfit=HARMFUL),
    Case("a folder in a folder in a folder", """
import os
for _ in range(5000):
    os.mkdir("x" * 200); os.chdir("x" * 200)
""", unfit=HARMFUL),
    Case("all files open", "files = []\nwhile True: files.append(open('/dev/null'))"),
    Case("the home folder is deleted", "import os, shutil\nshutil.rmtree(os.getcwd(), ignore_errors=True)\n"
         "os.listdir(os.getcwd())", unfit="it would delete the course"),
    Case("a cell that is very long", edit=with_cells("square", "x = 0\n" * 100_000), deserves=ALL,
         seconds=60),
    Case("a thousand cells", edit=with_cells("square", *["x = 1"] * 900), deserves=ALL, seconds=60),
    Case("a cell of many brackets", edit=with_cells("square", "x = " + "(" * 50_000 + ")" * 50_000),
         deserves=ALL, may=ENDED),
    Case("a long list as source", edit=with_cells("square", f"x = {list(range(200_000))}"),
         deserves=ALL),
    Case("both exercises end the kernel", "import os; os._exit(0)", "import os; os._exit(0)",
         deserves=NOTHING, incidents=kinds("kernel-died")),
]
