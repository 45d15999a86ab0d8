"""What learner code can see: Python, the packages beside it, and next to nothing else.

Bubblewrap lays out a file system for the zygote and the kernels it forks: the system's
and Python's files, read-only, an empty environment, no network, no other processes. Where
bubblewrap is missing, Podman or Docker can do the same (`containers`). What is shown is
listed here once for all of them; what is not listed is not there.
"""

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path

import gradem
from autograder import (Unusable, agent, bridge, dataframes, isolation, limits, shell, syscalls,
                        zygote)
from autograder.assignment import FOR_TESTS

COURSE = "/course"            # the few modules that a notebook may import: parts of gradem

#: What runs inside; the grader's own modules are not there.
INSIDE = (agent, bridge, dataframes, isolation, limits, shell, syscalls, zygote)

#: What these need besides Python's own library.
NEEDED = ("numpy", "IPython", "traitlets")

#: Where, within a place that is shown, packages are installed.
PACKAGES = ("lib*/python*/*-packages", "local/lib*/python*/*-packages")

ENVIRONMENT = {
    "LANG": "C.UTF-8", "TZ": "UTC", "USER": "learner", "NBGRADER_EXECUTION": "autograde",
    "MPLBACKEND": f"module://{shell.INLINE}", "MPLCONFIGDIR": "/tmp/matplotlib",
    "IPYTHONDIR": "/tmp/ipython", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}


class SandboxUnavailable(Unusable):
    """There is no sandbox on this machine; the text says what to do."""


@dataclass(frozen=True)
class Contents:
    """What notebooks of one assignment find in their sandbox.

    Attributes
    ----------
    modules : tuple of str
        Modules of gradem that they may import besides those of FOR_TESTS.
    files : tuple of Path
        Data files beside them.
    imports : tuple of str
        Modules that are imported once for all, before the first notebook.
    """

    modules: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    imports: tuple[str, ...] = ()


def require_bubblewrap():
    """Raise SandboxUnavailable, with what to do, unless bubblewrap works here."""
    if shutil.which("bwrap") is None:
        raise SandboxUnavailable(
            "bubblewrap is missing, and without it learners' code would run unprotected. "
            "Install it (Debian, Ubuntu: apt-get install bubblewrap; Fedora: dnf install "
            "bubblewrap), or use Podman or Docker: --sandbox container. To run without a "
            "sandbox, and have that written into every report: --unsafe.")
    trial = subprocess.run([*_namespaces(), "--ro-bind", "/", "/", "--proc", "/proc", "true"],
                           capture_output=True, text=True)
    if trial.returncode != 0:
        raise SandboxUnavailable(
            f"bubblewrap cannot make a sandbox here ({trial.stderr.strip()}). If ordinary users "
            "may not make user namespaces, allow it: sudo sysctl -w "
            "kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu), or "
            "kernel.unprivileged_userns_clone=1 (Debian). In a container, start it with the "
            "options named in docker/grader.Dockerfile.")


def _namespaces():
    command = ["bwrap", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts",
               "--hostname", "sandbox", "--unshare-cgroup-try", "--clearenv", "--new-session"]
    if not _may_change_users():
        command += ["--unshare-user", "--uid", "1000", "--gid", "1000", "--cap-drop", "ALL"]
    return command


def _may_change_users():
    """Is this root, and not only within some container that knows few users?"""
    if os.getuid() != 0:
        return False
    ranges = [map(int, line.split()) for line in open("/proc/self/uid_map", encoding="ascii")]
    return any(first <= isolation.NUMBERS[0] and first + count > isolation.NUMBERS[-1]
               for first, _, count in ranges)


def program(course):
    """The command that runs the zygote, once it is inside.

    Parameters
    ----------
    course : str
        Where the grader's part of the course is.
    """
    run = f"import sys; sys.path.insert(0, {course!r}); from autograder import zygote; zygote.main()"
    return [sys.executable, "-I", "-c", run]


def bubblewrap(course):
    """The command that runs a program in the sandbox.

    Parameters
    ----------
    course : Path
        The folder that `lay_out` has filled.

    Returns
    -------
    command : list of str
    kind : str
        How kernels are isolated inside (`isolation`).
    """
    command = _namespaces()
    for link, target in links():
        command += ["--symlink", target, link]
    command += ["--proc", "/proc", "--dev", "/dev"]
    for place in ("/tmp", "/dev/shm", isolation.HOME):
        command += ["--size", str(16 << 20), "--tmpfs", place]
    command += ["--ro-bind", str(course), COURSE]
    for folder in above([*shown(), isolation.HOME]):
        command += ["--perms", "0755", "--dir", folder]    # else only its owner could pass
    for place in shown():
        command += ["--ro-bind", place, place]
    for secret in hidden():
        command += ["--tmpfs", secret, "--remount-ro", secret]
    for name, value in variables().items():
        command += ["--setenv", name, value]
    # the rest is memory without a bound on its size: nothing may be written there
    command += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp"]
    return command, "root" if _may_change_users() else "user"


def variables():
    """The environment inside."""
    return {**ENVIRONMENT, "HOME": isolation.HOME, "PATH": f"{sys.prefix}/bin:/usr/bin:/bin"}


def shown():
    """Places of this machine that are shown, read-only: the system's and Python's files."""
    places = ["/usr", *(name for name in ("/bin", "/lib", "/lib64", "/sbin")
                        if os.path.isdir(name) and not os.path.islink(name))]
    places += [name for name in ("/etc/ld.so.cache", "/etc/localtime", "/etc/fonts",
                                 "/etc/alternatives") if os.path.exists(name)]
    for prefix in dict.fromkeys([sys.base_prefix, sys.prefix]):
        if not prefix.startswith("/usr"):
            _require_readable(prefix)
            places.append(prefix)
    return places


def above(places):
    """The folders above some places, each before those within it."""
    return sorted({str(folder) for place in places for folder in Path(place).parents} - {"/"})


def links():
    """Symbolic links at the root of this machine, such as /lib, with their targets."""
    return [(name, os.readlink(name)) for name in ("/bin", "/lib", "/lib64", "/sbin")
            if os.path.islink(name)]


def hidden():
    """Installed packages that learner code must not see: the reference and the grader.

    They may be installed more than once: beside the ones that run, or for another Python.
    """
    found = {}                                       # in order, and each once
    for name in ("gradem", "autograder"):
        running = importlib.util.find_spec(name).submodule_search_locations
        for folder in map(Path, shown()):
            installed = (place for pattern in PACKAGES for place in folder.glob(f"{pattern}/{name}"))
            for place in map(os.path.realpath, [*running, *installed]):
                within = os.path.relpath(place, os.path.realpath(folder))
                if not within.startswith(".."):      # as it is called inside, not by a link's name
                    found[str(folder / within)] = None
    return list(found)


def require_out_of_sight(folder):
    """Raise SandboxUnavailable if learners' code could read a folder, that of the course."""
    for place in shown():
        if Path(folder).resolve().is_relative_to(Path(place).resolve()):
            raise SandboxUnavailable(f"The course {folder} lies in {place}, which learners' code "
                                     "may read, and so its solutions and marks. Move it to "
                                     "another folder.")


def require_in_sight(contents):
    """Raise SandboxUnavailable if a package is installed, but where learners' code cannot see it.

    Python's own folders are shown. What ``pip install --user`` or PYTHONPATH adds to them lies
    elsewhere, among files that are nobody's business.

    Parameters
    ----------
    contents : Contents
    """
    visible = [Path(place).resolve() for place in shown()]

    def in_sight(place):
        return any(Path(place).resolve().is_relative_to(folder) for folder in visible)

    places = [place for place in sys.path if in_sight(place)]
    own = {"gradem", *(file.stem for file in contents.files)}
    for name in dict.fromkeys([*NEEDED, *(name.partition(".")[0] for name in contents.imports)]):
        found = None
        with contextlib.suppress(ImportError, ValueError):
            found = importlib.util.find_spec(name)
        if name not in own and found and found.has_location and not in_sight(found.origin) \
                and not PathFinder.find_spec(name, places):
            raise SandboxUnavailable(
                f"The package {name} is installed in {Path(found.origin).parent}, where learners' "
                "code cannot see it: the sandbox shows Python's own folders, and not what pip "
                "install --user or PYTHONPATH adds. Make an environment and install everything "
                "in it: python3 -m venv .venv, then .venv/bin/pip install with the same words.")


def _require_readable(place):
    """Learners' code is nobody's: it must be able to read Python's files without being root."""
    if not os.stat(place).st_mode & 0o005 == 0o005:
        raise SandboxUnavailable(f"Python's folder {place} cannot be read by others than its "
                                 f"owner. Allow it: chmod -R o+rX {place}")


def lay_out(folder, contents):
    """Put what an assignment's notebooks may import, and their data, into a folder.

    Parameters
    ----------
    folder : Path
    contents : Contents

    Raises
    ------
    ValueError
        If a module is not one of gradem's.
    """
    (folder / "autograder").mkdir(parents=True)
    (folder / "autograder" / "__init__.py").touch()
    for module in INSIDE:
        shutil.copy(module.__file__, folder / "autograder")
    (folder / "data").mkdir()
    for file in contents.files:
        shutil.copy(file, folder / "data")
    package = Path(gradem.__file__).parent
    (folder / "gradem").mkdir()
    shutil.copy(package / "__init__.py", folder / "gradem")
    for module in {*FOR_TESTS, *contents.modules}:
        parent, _, name = module.partition(".")
        file = package / f"{name}.py"
        if parent != "gradem" or not name.isidentifier() or not file.is_file():
            raise ValueError(f"the notebook's metadata names {module!r} under autograder.modules; "
                             "only modules of gradem can be named there")
        shutil.copy(file, folder / "gradem")
        if name == "datasets":
            shutil.copytree(package / "data", folder / "gradem" / "data")
