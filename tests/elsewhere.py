"""An environment outside of this repository, for tests of what is installed there."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

OWN = ("gradem", "autograder", "autodiff_clustering_redux*", "__editable__*")
INSTALL = ["install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]


class Environment:
    """A virtual environment with all packages of this one, but nothing of this repository.

    Their files are hard links, where the file system can: no registry is asked, and learners'
    code in the sandbox finds them within the environment, as it would if pip had put them there.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder):
        self.folder = folder
        venv.create(folder / "env")
        self.python = folder / "env" / "bin" / "python"
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        self.packages = folder / "env" / "lib" / version / "site-packages"
        shutil.copytree(sysconfig.get_path("purelib"), self.packages, dirs_exist_ok=True,
                        copy_function=_link, ignore=shutil.ignore_patterns(*OWN))
        for script in Path(sys.executable).parent.iterdir():
            target = folder / "env" / "bin" / script.name
            if script.is_file() and not target.exists() and script.name != "autograder":
                first, _, rest = script.read_bytes().partition(b"\n")
                if first.startswith(b"#!") and b"python" in first:
                    target.write_bytes(b"#!%s\n%s" % (bytes(self.python), rest))
                    target.chmod(0o755)

    def install(self, *what):
        """Install a wheel or a folder."""
        done = self.run("python", "-m", "pip", *INSTALL, *what, cwd=self.folder)
        assert done.returncode == 0, done.stderr

    def run(self, command, *arguments, cwd):
        """Run a command of the environment; a test sees what it printed, and its exit code."""
        return subprocess.run([self.folder / "env" / "bin" / command, *arguments], cwd=cwd,
                              env={"PATH": os.defpath, "HOME": str(self.folder), "LANG": "C.UTF-8"},
                              capture_output=True, text=True, timeout=300)


def _link(source, target):
    try:
        os.link(source, target)
    except OSError:                      # another file system
        shutil.copy2(source, target)
