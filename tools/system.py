"""See to what pip cannot install: Python, bubblewrap, and what the tests need besides.

The grader runs learners' code in bubblewrap; the tests read the built book in Chromium,
compile the C programs that `gradem.csource` writes, and try the grader with Podman and with
a PostgreSQL server. What is missing is installed when this runs as root on a Debian-like
system; anywhere else the one command that does it is printed. Without the last two only
their own tests are left out. It runs first, so it needs only the standard library, and
is written for older Pythons too.

    python3 tools/system.py python bubblewrap chromium g++ podman postgresql
"""

import ctypes
import glob
import importlib.util
import os
import shutil
import subprocess
import sys

NEEDED_PYTHON = (3, 11)

COMMANDS = {
    "bubblewrap": ["bwrap"],
    "chromium": ["chromium", "chromium-browser", "google-chrome"],
    "g++": ["c++"],                  # and with it cc, the compiler of C
    "podman": ["podman", "docker"],
    "postgresql": ["postgres"],
}

# Without these only the tests that need them are left out.
OPTIONAL = ["podman", "postgresql"]

# Debian keeps the server's programs off the path.
OFF_THE_PATH = "/usr/lib/postgresql/*/bin/"

# What goes with a package: Debian's Podman has a runtime that does not know every kind of
# control group, and leaves out what ordinary users need.
WITH = {("apt-get", "podman"): " runc uidmap"}

# What a package is called by other systems than Debian and Alpine.
NAMES = {("dnf", "g++"): "gcc-c++", ("zypper", "g++"): "gcc-c++", ("pacman", "g++"): "gcc"}

# Playwright, which drives Chromium, brings a program that needs this library.
LIBRARY = "libatomic.so.1"
LIBRARY_PACKAGES = {"apt-get": "libatomic1", "zypper": "libatomic1", "pacman": "gcc-libs"}

INSTALLERS = {
    "apt-get": "apt-get install --yes",
    "dnf": "dnf install",
    "pacman": "pacman -S",
    "zypper": "zypper install",
    "apk": "apk add",
}

# A sandbox in small: users, processes and network of its own.
TRIAL = "bwrap --unshare-all --ro-bind / / --dev /dev --proc /proc true".split()

# Settings that can forbid a sandbox to ordinary users, and the value that allows it.
SETTINGS = {
    "kernel.apparmor_restrict_unprivileged_userns": "0",
    "kernel.unprivileged_userns_clone": "1",
    "user.max_user_namespaces": "15000",
}


def see_to_python():
    """Stop unless this Python is new enough; install its venv module if that is missing."""
    if sys.version_info < NEEDED_PYTHON:
        sys.exit("This needs Python {}.{} or newer, and {} is {}.{}. If a newer one has another "
                 "name, give it to make:  make PYTHON=python3.12 ...".format(
                     *NEEDED_PYTHON, sys.executable, *sys.version_info[:2]))
    if importlib.util.find_spec("ensurepip") is None:  # Debian packs it apart
        install("python{}.{}-venv".format(*sys.version_info[:2]))


def see_to_command(package):
    """Install a package unless one of its commands is on the path."""
    if not any(shutil.which(name) and works(name) or glob.glob(OFF_THE_PATH + name)
               for name in COMMANDS[package]):
        install(package)
    if package == "bubblewrap":
        try_sandbox()
    if package == "chromium":
        see_to_library()


def works(command):
    """Is there more than a command? Docker's client needs an engine, an ordinary user's Podman
    a helper that numbers users."""
    if command not in COMMANDS["podman"]:
        return True
    return subprocess.call([command, "info"], stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL) == 0


def see_to_library():
    """Install the library for Playwright unless it can be loaded."""
    try:
        ctypes.CDLL(LIBRARY)
    except OSError:
        install(LIBRARY_PACKAGES.get(manager(), "libatomic"))


def manager():
    """The system's package manager, or None."""
    return next(filter(shutil.which, INSTALLERS), None)


def install(package):
    """Install a package with apt-get as root, or stop with the command that would."""
    try:
        install_or_stop(package)
    except SystemExit as reason:
        if package not in OPTIONAL:
            raise
        print("{} Its tests are left out.".format(reason), file=sys.stderr)


def install_or_stop(package):
    tool = manager()
    if tool is None:
        sys.exit("{} is missing: install it with your system's package manager.".format(package))
    command = INSTALLERS[tool] + " " + NAMES.get((tool, package), package) + WITH.get((tool, package), "")
    if os.geteuid() != 0:
        sys.exit("{} is missing. Run:  sudo {}".format(package, command))
    if tool != "apt-get":
        sys.exit("{} is missing. Run:  {}".format(package, command))
    print("{} is missing; running: {}".format(package, command), file=sys.stderr, flush=True)
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    for step in ["apt-get update", command + " --no-install-recommends"]:
        failed = subprocess.call(step.split(), stdout=subprocess.DEVNULL, env=environment)
    if failed:
        sys.exit("apt-get could not install {}; its own words stand above.".format(package))


def try_sandbox():
    """Stop unless bubblewrap can really make a sandbox here."""
    trial = subprocess.run(TRIAL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if trial.returncode != 0:
        sys.exit("bubblewrap cannot make a sandbox here: {}\n{}".format(
            trial.stderr.decode(errors="replace").strip(), remedy(read_settings())))


def read_settings():
    """The present values of those settings that this system has."""
    values = {}
    for name in SETTINGS:
        try:
            with open("/proc/sys/" + name.replace(".", "/")) as file:
                values[name] = file.read().strip()
        except OSError:
            pass
    return values


def remedy(values):
    """What most likely forbids the sandbox, given the settings' values, and how to allow it."""
    for name, value in values.items():
        allows = SETTINGS[name]
        if (value == "0") != (allows == "0"):
            return "User namespaces are forbidden. Run:  sudo sysctl -w {}={}".format(name, allows)
    return "If this is a container, the one who starts it must allow user namespaces in it."


def main(names):
    """See to what is named, in that order."""
    known = ["python"] + list(COMMANDS)
    if not names or any(name not in known for name in names):
        sys.exit("usage: python3 tools/system.py [{}] ...".format("|".join(known)))
    for name in names:
        if name == "python":
            see_to_python()
        else:
            see_to_command(name)


if __name__ == "__main__":
    main(sys.argv[1:])
