"""What is taken from learner code, looked at from inside; as root and as an ordinary user.

When the tests run as root, the second half runs the same kernel as a user without any
right: the grader must hold for both.
"""

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from autograder import cgroups
from autograder.kernel import Kernel
from autograder.limits import Limits
from autograder.sandbox import Contents, SandboxUnavailable
from autograder.templates import Template

#: Each must print True inside: what it shows, and how.
PROBES = {
    "no capability": """
        {line.split()[1] for line in open("/proc/self/status") if line.startswith("Cap")} == {"0" * 16}""",
    "none can be gained": """
        "NoNewPrivs:\\t1" in open("/proc/self/status").read()""",
    "system calls are filtered": """
        "Seccomp:\\t2" in open("/proc/self/status").read()""",
    "not root, in no group of root": """
        0 not in (os.getuid(), os.geteuid(), os.getgid(), *os.getgroups())""",
    "cannot become root": """
        fails(os.setuid, 0)""",
    "no new user namespace": """
        libc.unshare(0x10000000) == -1 and subprocess.run(["unshare", "--user", "true"]).returncode""",
    "no mount": """
        libc.mount(b"tmpfs", b"/tmp", b"tmpfs", 0, None) == -1 and libc.umount2(b"/tmp", 2) == -1""",
    "no other root": """
        fails(os.chroot, "/tmp")""",
    "no tracing": """
        libc.ptrace(16, 1, 0, 0) == -1 and ctypes.get_errno() == 1""",
    "no io_uring, bpf, userfaultfd, keys": """
        all(libc.syscall(number, 0, 0, 0, 0, 0) == -1 and ctypes.get_errno() == 1
            for number in ([425, 321, 323, 248] if platform.machine() == "x86_64" else
                           [425, 280, 282, 217]))""",
    "no memory that no limit counts": """
        fails(os.memfd_create, "x") and libc.shmget(0, 1 << 20, 0o1600) == -1
        and libc.msgget(0, 0o1600) == -1""",
    "no unknown system call": """
        libc.syscall(999) == -1 and ctypes.get_errno() == 38""",
    "no network": """
        {line.split()[0] for line in open("/proc/net/dev").readlines()[2:]} <= {"lo:"}
        and fails(socket.create_connection, ("127.0.0.1", 22), 1)
        and fails(socket.create_connection, ("1.1.1.1", 53), 1)""",
    "no talk with the system's network": """
        fails(socket.socket, 16, socket.SOCK_RAW)""",
    "nothing to write to but three small places": """
        all(fails(open, place + "/x", "w") for place in
            ("/", "/usr", "/etc", "/course", "/home", "/dev", "/run", "/root", "/var"))""",
    "the disk ends": """
        sum(written(f"/home/learner/{n}") for n in range(9)) < 70_000_000""",
    "a single file ends": """
        written("/tmp/big", 10**8) < 70_000_000""",
    "there are not many files": """
        not all(make(f"/dev/shm/{n}") for n in range(11_000))""",
    "memory ends": """
        fails(bytearray, 5 << 30)""",
    "processes end": """
        len(forked(300)) < 120""",
    "threads end": """
        started(300) < 120""",
    "open files end": """
        fails(lambda: [open("/dev/null") for _ in range(300)])""",
    "no core file": """
        resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)""",
    "limits cannot be raised": """
        fails(resource.setrlimit, resource.RLIMIT_AS, (-1, -1))""",
    "no clock is set": """
        fails(time.clock_settime, time.CLOCK_REALTIME, 0.0)""",
    "no name of the host": """
        socket.gethostname() == "sandbox" and fails(socket.sethostname, "x")""",
    "nobody to signal": """
        fails(os.kill, 2, 9) and fails(os.kill, 99, 9)""",
    "no variable of the grader's": """
        not any("TOKEN" in name for name in os.environ)""",
}

TOOLS = textwrap.dedent("""
    import ctypes, os, platform, resource, signal, socket, subprocess, threading, time
    libc = ctypes.CDLL(None, use_errno=True)
    def fails(function, *arguments):
        try: function(*arguments)
        except (OSError, MemoryError, ValueError): return True
    def written(path, size=10**7):
        try: return open(path, "wb", buffering=0).write(bytes(size))
        except OSError: return 0
    def make(path):
        return not fails(open, path, "x")
    def forked(count):
        children = []
        for _ in range(count):
            try: child = os.fork()
            except OSError: break
            if child == 0: time.sleep(60); os._exit(0)
            children.append(child)
        for child in children: os.kill(child, 9); os.waitpid(child, 0)
        return children
    def started(count):
        try:
            for number in range(count): threading.Thread(target=time.sleep, args=(1,)).start()
        except RuntimeError: pass
        return number
    """)

SCRIPT = textwrap.dedent("""
    import sys
    from autograder import cgroups
    from autograder.kernel import Kernel
    from autograder.limits import Limits
    from autograder.sandbox import Contents
    from autograder.templates import Template
    probes, tools = eval(sys.stdin.read())
    with Template(Contents(), "bubblewrap") as template:
        for name, probe in probes.items():
            with Kernel(template.connect(), Limits()) as kernel:
                kernel.run(tools)
                outcome = kernel.run(f"bool({probe})")
                if [output.data for output in outcome.outputs] != ["True"]:
                    print(name, outcome)
    """)


@pytest.fixture(scope="module")
def template():
    os.environ["COURSE_TOKEN"] = "secret"
    with Template(Contents(), "bubblewrap") as template:
        yield template
    del os.environ["COURSE_TOKEN"]


@pytest.mark.parametrize("name", PROBES)
@pytest.mark.parametrize("grouped", [True, False], ids=["control groups", "without"])
def test_learner_code_cannot(name, grouped, template, monkeypatch):
    if not grouped:
        monkeypatch.setattr(cgroups, "ROOT", Path("/nowhere"))
    with Kernel(template.connect(), Limits()) as kernel:
        assert not kernel.run(TOOLS).error
        outcome = kernel.run(f"bool({PROBES[name]})")
        assert [output.data for output in outcome.outputs] == ["True"], outcome


def test_the_same_holds_for_an_ordinary_user(tmp_path_factory):
    if os.getuid() != 0:
        pytest.skip("these tests run as an ordinary user already")
    for folder in (sys.prefix, sys.base_prefix, *Path(sys.base_prefix).parents):
        if not os.stat(folder).st_mode & 0o001:
            pytest.skip(f"an ordinary user cannot run the Python in {sys.base_prefix}")
    # a place that the user can read; the repository may lie in root's home
    course = tmp_path_factory.mktemp("ordinary")
    for folder in (course, *course.parents[:2]):
        folder.chmod(0o755)
    root = Path(__file__).parents[2]
    for package in ("autograder", "gradem"):
        shutil.copytree(root / package, course / package)
    run = subprocess.run(
        ["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups", "--inh-caps=-all",
         sys.executable, "-c", SCRIPT],
        input=repr((PROBES, TOOLS)), cwd=course, capture_output=True, text=True, timeout=300,
        env={"PATH": os.environ["PATH"], "COURSE_TOKEN": "secret", "HOME": str(course)})
    assert (run.stdout, run.returncode) == ("", 0), run.stderr


#: Each in a session of its own, for which Linux may have a share of its own.
MANY = """
import os
for _ in range(90):
    if os.fork() == 0:
        os.setsid()
        while True: pass
"""
LITTLE = "import time\nstart = time.time()\nfor _ in range(5_000_000): pass\ntime.time() - start"


def test_many_processes_leave_the_processors_to_the_notebook_beside_them(template):
    with Kernel(template.connect(), Limits()) as many, Kernel(template.connect(), Limits()) as kernel:
        if not any((folder / name).exists() for folder in kernel.group.folders
                   for name in ("cpu.shares", "cpu.weight")):
            pytest.skip("this user can make no control groups for processors here")
        alone = min(float(kernel.run(LITTLE).outputs[-1].data) for _ in range(3))
        many.run(MANY)
        beside = float(kernel.run(LITTLE).outputs[-1].data)
    assert beside < 10 * alone


def test_a_kernel_that_cannot_be_isolated_runs_nothing_and_says_why(template):
    with pytest.raises(SandboxUnavailable, match="cannot be isolated here .mounting /tmp: EINVAL"):
        Kernel(template.connect(), Limits(disk_bytes=-1))


#: Run a command as a user namespace's only user, who is root outside, too: bubblewrap then covers
#: parts of /proc, and where a part is covered Linux gives nobody within another /proc.
ALONE = """
import ctypes, os, sys
ready, go = os.pipe(), os.pipe()
child = os.fork()
if child == 0:
    failed = ctypes.CDLL(None).unshare(0x10000000 | 0x20000)          # users and mounts
    os.write(ready[1], b"failed" if failed else b"ready")
    os.read(go[0], 1)
    os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
if os.read(ready[0], 10) == b"failed":
    sys.exit("no user namespaces")
for name in ("uid_map", "gid_map"):
    with open(f"/proc/{child}/{name}", "w") as file:
        file.write("0 0 1")
os.write(go[1], b"x")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_without_a_proc_of_its_own_no_kernel_starts():
    """In the one that it would see are the notebooks that run beside it."""
    if os.getuid() != 0:
        pytest.skip("only root has the files that bubblewrap covers")
    run = subprocess.run([sys.executable, "-c", ALONE, "-c", SCRIPT], cwd=Path(__file__).parents[2],
                         input=repr((PROBES, TOOLS)), capture_output=True, text=True, timeout=120)
    if "no user namespaces" in run.stderr:
        pytest.skip("user namespaces are not allowed here")
    assert run.returncode == 1 and "cannot be isolated here (mounting /proc: EPERM)" in run.stderr


def test_memory_of_many_processes_together_is_bounded(template, monkeypatch):
    monkeypatch.setattr(cgroups, "ROOT", Path("/nowhere"))
    with Kernel(template.connect(), Limits(memory_bytes=400 << 20)) as kernel:
        outcome = kernel.run("import os, time\nfor _ in range(10):\n    if os.fork() == 0:\n"
                             "        x = bytearray(100_000_000); time.sleep(60)\ntime.sleep(60)")
    assert (outcome.incident, outcome.dead) == ("memory", True)
