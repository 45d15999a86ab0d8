"""The same sandbox in Podman or Docker, where bubblewrap is missing.

Each kernel has a container of its own, without network, capabilities or a writable disk.
No image is downloaded: the container's own file system is empty but for the folders and
links that bubblewrap would make, and this machine's Python is mounted into it, read-only.
So it shows what `sandbox` lists, no less and no more. Starting a container takes a second
or two, and there is no template to fork from: bubblewrap is the faster way.
"""

import functools
import hashlib
import io
import os
import secrets
import shutil
import subprocess
import tarfile

from autograder import isolation, sandbox
from autograder.sandbox import COURSE, SandboxUnavailable

ENGINES = ("podman", "docker")
LINES = "/lines"                  # where the socket is on which the grader waits
NAME = "autograder-empty"
WRITABLE = ("/tmp", isolation.HOME)


@functools.cache
def engine():
    """The first of Podman and Docker that works here.

    Raises
    ------
    SandboxUnavailable
        If neither does; the text says what each of them said.
    """
    said = []
    for name in ENGINES:
        if shutil.which(name) is None:
            said.append(f"{name} is not installed")
            continue
        trial = subprocess.run([name, "info"], capture_output=True, text=True)
        if trial.returncode == 0:
            return name
        said.append(f"{name} says: {trial.stderr.strip()[-200:]}")
    raise SandboxUnavailable(f"There is no container engine here ({'; '.join(said)}). Install "
                             "Podman (apt-get install podman), or use bubblewrap.")


def image():
    """The name of the empty image, which is made when it is not there."""
    content = _file_system()
    name = f"{NAME}:{hashlib.sha256(content).hexdigest()[:16]}"
    present = subprocess.run([engine(), "image", "inspect", name], capture_output=True)
    if present.returncode != 0:
        made = subprocess.run([engine(), "import", "-", name], input=content, capture_output=True)
        if made.returncode != 0:
            raise SandboxUnavailable(f"{engine()} cannot make an image: "
                                     + made.stderr.decode(errors="replace").strip()[-500:])
    return name


def _file_system():
    """An archive of folders to mount into, and of links such as /lib."""
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w") as archive:
        folders = [COURSE, LINES, isolation.HOME, "/tmp", "/dev", "/proc", "/sys", "/etc",
                   *sandbox.shown()]
        for folder in dict.fromkeys([*sandbox.above(folders), *folders]):
            entry = tarfile.TarInfo(folder.lstrip("/"))
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder in WRITABLE else 0o755
            if os.path.isfile(folder):
                entry.type = tarfile.REGTYPE
            archive.addfile(entry)
        for link, target in sandbox.links():
            entry = tarfile.TarInfo(link.lstrip("/"))
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            archive.addfile(entry)
    return memory.getvalue()


class Container:
    """A command that runs a program in a container of its own.

    Parameters
    ----------
    folder : Path
        Its parts "course" and "lines" are shown, read-only.
    limits : Limits

    Attributes
    ----------
    command : list of str
        To which the program is to be appended.
    """

    def __init__(self, folder, limits):
        self.name = f"autograder-{secrets.token_hex(8)}"
        number = isolation.NUMBERS[secrets.randbelow(len(isolation.NUMBERS))]
        # The engines bound the size of such a place, and not the number of its files.
        writable = [word for place in WRITABLE
                    for word in ("--tmpfs", f"{place}:size={limits.disk_bytes},mode=1777")]
        self.command = [
            engine(), "run", "--rm", "--interactive", "--name", self.name, "--pull", "never",
            "--network", "none", "--hostname", "sandbox", "--user", f"{number}:{number}",
            "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only",
            "--ulimit", f"nofile={limits.open_files}:{limits.open_files}",
            "--ulimit", f"nproc={limits.processes}:{limits.processes}",
            "--pids-limit", str(limits.processes), "--memory", str(limits.memory_bytes),
            "--shm-size", str(limits.disk_bytes), "--workdir", isolation.HOME,
            *writable, *self._mount(folder / "course", COURSE), *self._mount(folder / "lines", LINES)]
        if engine() == "podman":          # it would add more writable places
            self.command += ["--read-only-tmpfs=false"]
        for place in sandbox.shown():
            self.command += self._mount(place, place)
        for file in sorted((folder / "course" / "data").iterdir()):
            self.command += self._mount(file, f"{isolation.HOME}/{file.name}")
        for place in sandbox.hidden():
            self.command += ["--tmpfs", f"{place}:ro,size=4k"]
        for name, value in sandbox.variables().items():
            self.command += ["--env", f"{name}={value}"]
        self.command += [image()]

    @staticmethod
    def _mount(source, target):
        return ["--volume", f"{source}:{target}:ro"]

    def remove(self):
        """End the container with everything in it."""
        subprocess.run([engine(), "rm", "--force", self.name], capture_output=True)

