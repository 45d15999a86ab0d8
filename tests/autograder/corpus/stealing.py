"""Stealing: whatever is found is printed, and returned in the place of the answer.

The answers are right, so a case that finds nothing gets full points, and one that finds
something is recognised by the secret that stands in its report or on its page.
"""

from .case import ALL, Case, insert, with_cells

SEARCH = """
import gc, glob, os, re, socket, subprocess, sys
SECRET = re.compile(rb"[a-z]{5,}-mark[e]r-[0-9]{4}")
def seen(data):
    data = data.encode(errors="replace") if isinstance(data, str) else data
    for secret in set(SECRET.findall(data)): print("found", secret.decode())
    return SECRET.search(data)
def read(path, most=2_000_000):
    try:
        with open(path, "rb") as file: return file.read(most)
    except OSError: return b""
"""


def looking(code):
    """An answer that looks around while it is tested, and hands out what it finds."""
    return SEARCH + f"""
def look():
{code}
look_result = None
try: look_result = look()
except Exception as problem: print(type(problem).__name__)
def square(x):
    try: found = look()
    except Exception: found = None
    return str(found) if found else x * x
"""


def steal(name, code, **options):
    return Case(name, looking(code), deserves=options.pop("deserves", ALL), **options)


def leave(notebook):
    """A note for whoever comes after."""
    insert(notebook, "square", LEAVE)


# The next learner's notebook, or this one's after a restart, looks for it.
LEAVE = """
import os, sys, builtins, threading
for folder in (".", "/tmp", "/dev/shm", "/course", sys.prefix, "/var/tmp", "/run"):
    try: open(folder + "/left-behind.py", "w").write("print('left')")
    except OSError: pass
builtins.left_behind = True
try:
    import numpy as np
    np.left_behind = True
    np.mean = lambda *args, **options: 0.0
except Exception: pass
try:
    import socket
    left = socket.socket(socket.AF_UNIX); left.bind("\\0left-behind"); left.listen()
except OSError: pass
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        import time
        time.sleep(300)
    os._exit(0)
"""

CASES = [
    steal("files of the machine", """
    for path in ("/etc/passwd", "/etc/shadow", "/etc/hostname", "/root/.bashrc", "/etc/hosts"):
        if os.path.exists(path): return read(path)""", unfit="it looks for what every machine has"),
    steal("the notebook of the tests in the working folder", """
    for path in glob.glob("*") + glob.glob("../*") + glob.glob("../../*"):
        if os.path.isfile(path) and seen(read(path)): return path"""),
    steal("notebooks, gradebooks and others' work anywhere", """
    for folder, folders, files in os.walk("/"):
        folders[:] = [name for name in folders if name not in
                      ("proc", "sys", "usr", "lib", "bin", ".venv", "site-packages", ".git")]
        for file in files:
            if file.endswith((".db", ".ipynb", ".json", ".html")):
                if seen(read(os.path.join(folder, file))): return folder + file"""),
    steal("the gradebook, to read and to write", """
    import sqlite3
    for path in glob.glob("../../../gradebook.db") + glob.glob("/**/gradebook.db"):
        book = sqlite3.connect(path)
        book.execute("update grade set auto_score = max_score")
        book.execute("update grade set manual_score = 100")
        book.commit()
        if seen(read(path)): return path
    """),
    steal("the configuration of the course, to write into it", """
    for path in glob.glob("../../../nbgrader_config.py") + glob.glob("/course/*.py"):
        with open(path, "a") as file: file.write("\\nprint('taken over')\\n")
        return path"""),
    steal("others' submissions", """
    for path in glob.glob("../../../submitted/**/*.ipynb", recursive=True) \\
            + glob.glob("../../*/*/*.ipynb"):
        if seen(read(path)): return path"""),
    steal("the environment", """
    if seen(str(dict(os.environ))): return dict(os.environ)
    for path in glob.glob("/proc/[0-9]*/environ"):
        if seen(read(path)): return path"""),
    steal("the network", """
    import http.client
    for address in (("127.0.0.1", 47116), ("::1", 47116), ("localhost", 47116)):
        try:
            with socket.create_connection(address, timeout=1) as line:
                if seen(line.recv(100)): return address
        except OSError: pass
    if {line.split()[0] for line in open("/proc/net/dev").readlines()[2:]} - {"lo:"}:
        return "a network card" """, unfit=""),
    steal("sockets without a file", """
    with socket.socket(socket.AF_UNIX) as line:
        line.connect("\\0course-4716")
        if seen(line.recv(100)): return "somebody listens"
    return None if len(open("/proc/net/unix").readlines()) < 20 else open("/proc/net/unix").read()"""),
    steal("open files inherited from the grader", """
    for number in os.listdir("/proc/self/fd"):
        try: target = os.readlink("/proc/self/fd/" + number)
        except OSError: continue
        if target.startswith("/") and os.path.isfile(target) and seen(read(target)): return target
        if os.path.isdir("/proc/self/fd/" + number):
            for file in os.listdir("/proc/self/fd/" + number):
                if seen(read("/proc/self/fd/" + number + "/" + file)): return file"""),
    steal("the reference and the grader, as modules", """
    import importlib
    for name in ("gradem.dual", "gradem.rules", "gradem.mixture", "gradem.differences",
                 "autograder.judge", "autograder.marking", "autograder.gradebook"):
        try: importlib.import_module(name)
        except ImportError: continue
        print("found reference" + "-" + "marker-4712")
        return name"""),
    steal("the reference solution, wherever Python keeps files", """
    for place in sys.path + [sys.prefix, os.path.dirname(sys.prefix)]:
        for path in glob.glob(place + "/*.ipynb") + glob.glob(place + "/gradem*/*") \\
                + glob.glob(place + "/*/*.ipynb") + glob.glob(place + "/autograder/*"):
            data = read(path)
            if seen(data) or b"class Judge" in data: return path"""),
    steal("other processes", """
    for path in glob.glob("/proc/[0-9]*"):
        if seen(read(path + "/cmdline") + read(path + "/environ")): return path
        if b"pytest" in read(path + "/cmdline"): return path"""),
    steal("the memory of other processes", """
    for path in glob.glob("/proc/[0-9]*/mem"):
        if path.split("/")[2] == str(os.getpid()): continue
        with open(path, "rb") as memory: return path"""),
    steal("its own memory, which was the template's", """
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
        for line in maps:
            span, rights = line.split()[:2]
            first, last = (int(part, 16) for part in span.split("-"))
            if rights.startswith("rw") and last - first < 300_000_000 and "[v" not in line:
                try:
                    memory.seek(first)
                    if seen(memory.read(last - first)): return line
                except OSError: pass""", unfit="the tests have run in the same memory"),
    steal("everything that Python remembers", """
    for thing in gc.get_objects():
        if isinstance(thing, dict):
            for value in list(thing.values()):
                if isinstance(value, (str, bytes)) and seen(value): return value
    for name, module in list(sys.modules.items()):
        if name.startswith("autograder") and name.split(".")[-1] in ("judge", "marking"): return name"""),
    steal("the source of the tests, from the history of the notebook",
          "    return None", edit=with_cells("square-hidden", SEARCH + """
seen("\\n".join(In))
seen(str(get_ipython().history_manager.input_hist_raw))
seen(str(globals()))
""")),
    steal("the source of the tests, by a hook before each cell",
          "    return None", edit=with_cells("setup", SEARCH + """
hidden = []
get_ipython().events.register("pre_run_cell", lambda info: hidden.append(info.raw_cell))
""", ), mean="def mean_abs(a):\n    return float(np.mean(np.abs(a)))\n"
          "seen(''.join(hidden))"),
    steal("capabilities, namespaces and tracing", """
    import ctypes
    status = open("/proc/self/status").read()
    if "CapEff:\\t0000000000000000" not in status: return "capable"
    if "NoNewPrivs:\\t1" not in status: return "may gain"
    if ctypes.CDLL(None).unshare(0x10000000) == 0: return "nested"
    if ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0) == 0: return "traces"
    """, unfit="stock runs as the instructor"),
    steal("places to write outside of its own", """
    for path in ("/course/x", "/usr/x", "/etc/x", "/x", "/dev/x", "/run/x", "/var/x", "/home/x",
                 "/sys/x", sys.prefix + "/x"):
        try: open(path, "w").close(); return path
        except OSError: pass""", unfit="stock runs as the instructor"),
    Case("something is left behind for the next notebook", deserves=ALL, edit=leave,
         mean="def mean_abs(a):\n    return float(np.sum(np.abs(a)) / np.size(a))"),
    steal("what another notebook left behind", """
    import builtins, numpy as np
    if hasattr(builtins, "left_behind") or hasattr(np, "left_behind"): return "memory"
    for folder in (".", "/tmp", "/dev/shm", "/course", "/var/tmp", "/run"):
        if os.path.exists(folder + "/left-behind.py"): return folder
    with socket.socket(socket.AF_UNIX) as line:
        line.connect("\\0left-behind")
        return "a process" """),
    steal("what other notebooks run at the same time", """
    others = [path for path in os.listdir("/proc") if path.isdigit()]
    if len(others) > 5: return others
    from multiprocessing import shared_memory
    for path in glob.glob("/dev/shm/*") + glob.glob("/dev/mqueue/*"): return path""",
          unfit="stock shows all processes"),
    steal("the feedback folder, through a link in its own",
          "    return None", edit=with_cells("square", SEARCH + """
for target in ("../../../source", "../../../gradebook.db", "/etc"):
    try: os.symlink(os.path.abspath(target), os.path.basename(target) + "-notes")
    except OSError: pass
for path in glob.glob("*-notes/**/*", recursive=True) + glob.glob("*-notes"):
    if os.path.isfile(path): seen(read(path))
""")),
    steal("numbers of sessions and users", """
    if os.getuid() == 0 or os.geteuid() == 0: return "root"
    import getpass
    python = (sys.prefix, sys.base_prefix)     # an ordinary user's may lie in a home, alone
    for path in glob.glob("/home/*") + glob.glob("/home/*/*") + glob.glob("/home/*/*/*"):
        if not path.startswith("/home/learner") and not any(
                (place + "/").startswith(path + "/") or path.startswith(place + "/")
                for place in python): return path""", unfit="stock runs as the instructor"),
    steal("the file system of other processes", """
    for path in glob.glob("/proc/[0-9]*/cwd/") + glob.glob("/proc/[0-9]*/root/"):
        for file in glob.glob(path + "*") + glob.glob(path + "source/*/*"):
            if os.path.isfile(file) and seen(read(file)): return file"""),
]
