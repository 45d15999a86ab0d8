"""A Jupyter kernel that can reach nothing: learner code runs here and nowhere else.

Bubblewrap starts the kernel in namespaces of its own: no network, no other processes,
no capabilities, an empty environment, and a file system that holds Python read-only, a
small home in memory and nothing else. Limits bound memory, processor time, processes,
files and output. The kernel's sockets lie in that memory, too; the grader reaches
them through /proc, so that nothing the learner writes touches the host's disk.
"""

import contextlib
import importlib.util
import json
import os
import queue
import resource
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import zmq
from jupyter_client import BlockingKernelClient

import gradem
from autograder import agent, bridge

HOME = "/home/learner"
COURSE = "/course"            # the few modules a notebook may import: agent, parts of gradem
LINES = "/lines"              # what grader and kernel talk over
START_SECONDS = 60

BOUND = "import resource; resource.setrlimit(resource.RLIMIT_NPROC, ({0}, {0})); "
LAUNCH = (f"import sys; sys.path.insert(0, {COURSE!r}); "
          "from ipykernel.kernelapp import launch_new_instance; launch_new_instance()")
OPTIONS = ["--HistoryManager.enabled=False", "--InteractiveShellApp.ignore_cwd=True",
           "--log-level=CRITICAL"]
ENVIRONMENT = {
    "LANG": "C.UTF-8", "TZ": "UTC", "MPLBACKEND": "agg", "NBGRADER_EXECUTION": "autograde",
    "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1",
}


class SandboxUnavailable(Exception):
    """There is no sandbox on this machine; the text says what to do."""


@dataclass(frozen=True)
class Limits:
    """What a learner's notebook may use; a cell or test that needs more is stopped."""

    cell_seconds: float = 20.0
    test_seconds: float = 20.0
    total_seconds: float = 180.0
    deaths: int = 10                   # kernels that may die before the grader gives up
    cpu_seconds: int = 120             # of one kernel
    memory_bytes: int = 3 << 30        # of one process, and of all together where cgroups allow
    disk_bytes: int = 64 << 20         # in memory: home, /tmp and /dev/shm each
    processes: int = 100
    open_files: int = 256
    output_bytes: int = 1_000_000      # of one cell
    output_count: int = 1000


@dataclass
class Outcome:
    """How one cell ended.

    Attributes
    ----------
    error : str
        ``"NameError: name 'x' is not defined"``, or '' if the cell ran through.
    incident : str
        "timeout", "output-limit", "kernel-died" or "protocol", or ''.
    dead : bool
        Whether the kernel is of no more use.
    """

    error: str = ""
    incident: str = ""
    dead: bool = False


# ---- what the kernel sees -----------------------------------------------------


def require_bubblewrap():
    """Raise SandboxUnavailable, with what to do, unless bubblewrap works here."""
    if shutil.which("bwrap") is None:
        raise SandboxUnavailable(
            "bubblewrap is missing, and without it learners' code would run unprotected. "
            "Install it (Debian, Ubuntu: apt-get install bubblewrap; Fedora: dnf install "
            "bubblewrap), or pass --unsafe to run without a sandbox.")
    trial = subprocess.run([*_namespaces(), "--ro-bind", "/", "/", "true"],
                           capture_output=True, text=True)
    if trial.returncode != 0:
        raise SandboxUnavailable(
            f"bubblewrap cannot make a sandbox here ({trial.stderr.strip()}). If ordinary users "
            "may not make user namespaces, allow it: sudo sysctl -w "
            "kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu), or "
            "kernel.unprivileged_userns_clone=1 (Debian).")


def _namespaces():
    return ["bwrap", "--unshare-user", "--uid", "1000", "--gid", "1000", "--unshare-pid",
            "--unshare-net", "--unshare-ipc", "--unshare-uts", "--hostname", "sandbox",
            "--unshare-cgroup-try", "--disable-userns", "--cap-drop", "ALL", "--clearenv",
            "--new-session", "--die-with-parent"]


def bubblewrap(folder, files, limits, info):
    """The command that starts a program in the sandbox.

    Parameters
    ----------
    folder : Path
        The session's folder; its parts "course" and "lines" are shown, read-only.
    files : iterable of Path
        Data files, shown in the home folder, read-only.
    limits : Limits
    info : int
        File descriptor on which bubblewrap tells its child's process number.
    """
    command = [*_namespaces(), "--info-fd", str(info)]
    shown = ["/usr"]
    command += ["--ro-bind", "/usr", "/usr"]
    for name in ("/bin", "/lib", "/lib64", "/sbin"):
        if os.path.islink(name):
            command += ["--symlink", os.readlink(name), name]
        elif os.path.isdir(name):
            command += ["--ro-bind", name, name]
    for name in ("/etc/ld.so.cache", "/etc/localtime", "/etc/fonts", "/etc/alternatives"):
        command += ["--ro-bind-try", name, name]
    command += ["--proc", "/proc", "--dev", "/dev"]
    size = str(limits.disk_bytes)
    for memory in ("/tmp", "/dev/shm", HOME):
        command += ["--size", size, "--tmpfs", memory]
    command += ["--size", str(1 << 20), "--tmpfs", "/run"]
    for prefix in dict.fromkeys([sys.base_prefix, sys.prefix]):
        if not prefix.startswith("/usr"):
            command += ["--ro-bind", prefix, prefix]
            shown.append(prefix)
    for secret in _secrets():
        if any(Path(secret).is_relative_to(place) for place in shown):
            command += ["--tmpfs", secret, "--remount-ro", secret]
    command += ["--ro-bind", str(folder / "course"), COURSE,
                "--ro-bind", str(folder / "lines"), LINES]
    for file in files:
        command += ["--ro-bind", str(file), f"{HOME}/{Path(file).name}"]
    variables = {**ENVIRONMENT, "HOME": HOME, "PATH": f"{sys.prefix}/bin:/usr/bin:/bin",
                 "IPYTHONDIR": "/tmp/ipython", "MPLCONFIGDIR": "/tmp/matplotlib"}
    for name, value in variables.items():
        command += ["--setenv", name, value]
    # the rest is memory without a bound on its size: nothing may be written there
    return [*command, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", HOME]


def _secrets():
    """Installed packages that learner code must not see: the reference and the grader."""
    for name in ("gradem", "autograder"):
        spec = importlib.util.find_spec(name)
        yield from (spec.submodule_search_locations or ()) if spec else ()


def lay_out_course(folder, modules):
    """Put the modules that a notebook may import into a folder.

    Parameters
    ----------
    folder : Path
    modules : iterable of str
        Modules of gradem, such as ``"gradem.check"``.

    Raises
    ------
    ValueError
        If a module is not one of gradem's.
    """
    package = Path(gradem.__file__).parent
    (folder / "autograder").mkdir(parents=True)
    (folder / "autograder" / "__init__.py").touch()
    for module in (agent, bridge):
        shutil.copy(module.__file__, folder / "autograder")
    if not modules:
        return
    (folder / "gradem").mkdir()
    shutil.copy(package / "__init__.py", folder / "gradem")
    for module in modules:
        parent, _, name = module.partition(".")
        file = package / f"{name}.py"
        if parent != "gradem" or not name.isidentifier() or not file.is_file():
            raise ValueError(f"the notebook's metadata names {module!r} under autograder.modules; "
                             "only modules of gradem can be named there")
        shutil.copy(file, folder / "gradem")
        if name == "datasets":
            shutil.copytree(package / "data", folder / "gradem" / "data")


# ---- limits -------------------------------------------------------------------


def set_limits(limits, groups):
    """Bound the process that calls this, and all its children.

    The number of processes is bounded later, inside the sandbox: out here the limit would
    count everything that the user runs, and a desktop runs more than a notebook may.
    """
    for kind, value in [
        (resource.RLIMIT_AS, limits.memory_bytes), (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_FSIZE, limits.disk_bytes), (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_CORE, 0),
    ]:
        _, most = resource.getrlimit(kind)
        value = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(kind, (value, value))
    for group in groups:
        (group / "cgroup.procs").write_text(str(os.getpid()))


def make_groups(limits):
    """Control groups that bound number of processes and memory, where this user may make any.

    The limit on processes that the kernel sets itself does not bind root; this one does.
    """
    groups = []
    name = f"autograder-{secrets.token_hex(8)}"
    for controller, file, value in [("pids", "pids.max", limits.processes),
                                    ("memory", "memory.limit_in_bytes", limits.memory_bytes)]:
        group = Path("/sys/fs/cgroup", controller, name)
        with contextlib.suppress(OSError):
            group.mkdir()
            groups.append(group)
            (group / file).write_text(str(value))
    return groups


def remove_groups(groups):
    """Remove control groups, which must be empty; the kernel needs a moment to notice."""
    for group in groups:
        for _ in range(50):
            with contextlib.suppress(OSError):
                group.rmdir()
                break
            time.sleep(0.02)


# ---- the kernel ---------------------------------------------------------------


class Kernel:
    """A running kernel; use it as a context manager, or call `kill`.

    Parameters
    ----------
    modules : iterable of str
        Modules of gradem that the notebook may import.
    files : iterable of Path
        Data files beside the notebook.
    limits : Limits
    sandbox : str
        "bubblewrap", or "none" to run unprotected.

    Attributes
    ----------
    line : str
        Path in the sandbox of the socket on which the judge waits for the agent.
    """

    def __init__(self, modules, files, limits, sandbox):
        self.limits = limits
        self.folder = Path(tempfile.mkdtemp(prefix="autograder-"))
        self.groups = make_groups(limits)
        self.context = zmq.Context()
        # What the kernel sends is capped before it is read; a line that breaks stays broken.
        for option, value in [(zmq.MAXMSGSIZE, 8 << 20), (zmq.RCVHWM, 200), (zmq.LINGER, 0),
                              (zmq.RECONNECT_IVL, -1), (zmq.SNDTIMEO, 1000)]:
            self.context.setsockopt(option, value)
        self.client = self.process = None
        try:
            lay_out_course(self.folder / "course", modules)
            (self.folder / "lines").mkdir()
            start = self._start_protected if sandbox == "bubblewrap" else self._start_unprotected
            self._connect(start(files))
        except BaseException:
            self.kill()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.kill()

    # -- starting --

    def _start_protected(self, files):
        self.line = f"{LINES}/judge"
        reader, writer = os.pipe()
        try:
            prefix = bubblewrap(self.folder, files, self.limits, writer)
            launch = BOUND.format(self.limits.processes) + LAUNCH
            self._launch(prefix, "/run/kernel", LINES, launch, pass_fds=[writer], env={})
        finally:
            os.close(writer)
        with os.fdopen(reader) as info:
            text = info.read()
        if not text.strip():
            raise SandboxUnavailable("bubblewrap did not start: "
                                     + (self.folder / "errors").read_text()[-500:].strip())
        return f"/proc/{json.loads(text)['child-pid']}/root/run/kernel"

    def _start_unprotected(self, files):
        self.line = str(self.folder / "lines" / "judge")
        home = self.folder / "home"
        home.mkdir()
        for file in files:
            shutil.copy(file, home)
        launch = LAUNCH.replace(COURSE, str(self.folder / "course"))
        environment = {**ENVIRONMENT, "HOME": str(home), "PATH": os.environ.get("PATH", ""),
                       "IPYTHONDIR": str(home), "MPLCONFIGDIR": str(home)}
        self._launch([], str(self.folder / "kernel"), str(self.folder / "lines"), launch,
                     cwd=home, env=environment)
        return str(self.folder / "kernel")

    def _launch(self, prefix, sockets, lines, launch, **options):
        """Start the kernel; its sockets' paths begin with `sockets`."""
        self.connection = {
            "transport": "ipc", "ip": sockets, "key": secrets.token_hex(16),
            "signature_scheme": "hmac-sha256", "shell_port": 1, "iopub_port": 2,
            "stdin_port": 3, "control_port": 4, "hb_port": 5,
        }
        (self.folder / "lines" / "kernel.json").write_text(json.dumps(self.connection))
        command = [*prefix, sys.executable, "-I", "-c", launch,
                   "-f", f"{lines}/kernel.json", *OPTIONS]
        with open(self.folder / "errors", "wb") as errors:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors,
                start_new_session=True, preexec_fn=lambda: set_limits(self.limits, self.groups),
                **options)

    def _connect(self, sockets):
        """Wait until the kernel has made its sockets, and connect to them once."""
        deadline = time.monotonic() + START_SECONDS
        while not all(os.path.exists(f"{sockets}-{number}") for number in (1, 2, 4)):
            if not self.alive():
                raise SandboxUnavailable("the kernel did not start: "
                                         + (self.folder / "errors").read_text()[-500:].strip())
            if time.monotonic() > deadline:
                raise SandboxUnavailable(f"the kernel did not start within {START_SECONDS} s")
            time.sleep(0.01)
        self.client = BlockingKernelClient(context=self.context)
        self.client.load_connection_info({**self.connection, "ip": sockets})
        self.client.start_channels(stdin=False, hb=False)
        self.poller = zmq.Poller()
        for channel in (self.client.shell_channel, self.client.iopub_channel):
            self.poller.register(channel.socket, zmq.POLLIN)
        try:
            self.client.wait_for_ready(timeout=START_SECONDS)
        except RuntimeError as error:
            raise SandboxUnavailable(f"the kernel did not start: {error}") from None

    # -- running --

    def alive(self):
        """Whether the kernel still runs."""
        return self.process is not None and self.process.poll() is None

    def run(self, code):
        """Run a cell to its end, or until it is stopped; returns its Outcome."""
        return self.finish(self.begin(code), self.limits.cell_seconds)

    def begin(self, code, quietly=False):
        """Start a cell, and return the number of the request, or None if nobody takes it."""
        with contextlib.suppress(zmq.Again):
            return self.client.execute(code, silent=quietly, store_history=not quietly,
                                       allow_stdin=False, stop_on_error=False)

    def finish(self, request, seconds):
        """Wait for the end of a cell; interrupt it after so many seconds, then give it up."""
        if request is None:
            return Outcome(incident="kernel-died", dead=True)
        deadline = time.monotonic() + seconds
        outcome = Outcome()
        size = count = 0
        idle = replied = False
        while not (idle and replied):
            if not self.alive():
                return Outcome(outcome.error, outcome.incident or "kernel-died", dead=True)
            if time.monotonic() > deadline:
                if outcome.incident:
                    outcome.dead = True
                    return outcome
                outcome.incident = "timeout"
                deadline = self._interrupt()
            self.poller.poll(timeout=50)
            try:
                replied = self._reply_to(request, outcome) or replied
                kind, length = self._output_of(request)
            except queue.Empty:
                continue
            except Exception as error:  # whatever a broken or forged message makes the client raise
                return Outcome(type(error).__name__, outcome.incident or "protocol", dead=True)
            idle = idle or kind == "idle"
            size, count = size + length, count + 1
            if not outcome.incident and (size > self.limits.output_bytes
                                         or count > self.limits.output_count):
                outcome.incident = "output-limit"
                deadline = self._interrupt()
        return outcome

    def _reply_to(self, request, outcome):
        """Note the reply to a request, if it has come."""
        try:
            reply = self.client.get_shell_msg(timeout=0)
        except queue.Empty:
            return False
        if reply["parent_header"].get("msg_id") != request:
            return False
        content = reply["content"]
        if content.get("status") == "error":
            outcome.error = f"{content.get('ename')}: {content.get('evalue')}"[:500]
        return True

    def _output_of(self, request):
        """Kind and size of the next output; raises queue.Empty when there is none."""
        message = self.client.get_iopub_msg(timeout=0)
        if message["parent_header"].get("msg_id") != request:
            return "other", 0
        content = message["content"]
        if message["msg_type"] == "status":
            return content.get("execution_state"), 0
        return message["msg_type"], len(content.get("text", "")) or len(str(content))

    def _interrupt(self):
        """Interrupt the running cell; returns the time by which it must have ended."""
        with contextlib.suppress(zmq.Again):
            self.client.control_channel.send(self.client.session.msg("interrupt_request", {}))
        return time.monotonic() + 3.0

    # -- ending --

    def kill(self):
        """End the kernel with everything it started, and leave nothing behind."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        if self.client is not None:
            self.client.stop_channels()
        self.context.destroy(linger=0)
        remove_groups(self.groups)
        shutil.rmtree(self.folder, ignore_errors=True)
