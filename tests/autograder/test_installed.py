"""The wheel, installed outside of the repository: gradem computes, and the grader grades.

What is installed lies where learners' code finds NumPy, so it matters more than elsewhere
that the reference and the grader themselves are hidden from it.
"""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import gradem
import nb
from tests.elsewhere import Environment

from .conftest import make_course, submitted_notebook

SOURCES = ("pyproject.toml", "README.md", "LICENSE", "LICENSE-TEXT", "gradem", "autograder")
PRIVATE = shutil.ignore_patterns("__pycache__", "*.egg-info")

#: What a learner can find of the packages, and what importing the reference gives.
SPY = """
import glob, sys
found = [path for prefix in {sys.prefix, sys.base_prefix} for name in ("gradem", "autograder")
         for path in glob.glob(f"{prefix}/lib*/python*/*-packages/{name}/*")]
print("found:", found)
try:
    from gradem import GaussianMixture
except ImportError:
    print("no reference")
def square(x):
    return x * x
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy: setuptools leaves its traces beside the sources."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        place = nb.ROOT / name
        if place.is_dir():
            shutil.copytree(place, source / name, ignore=PRIVATE)
        else:
            shutil.copy(place, source)
    subprocess.run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index",
                    "--no-build-isolation", "--wheel-dir", target, source],
                   check=True, capture_output=True)
    path, = target.iterdir()
    return path


@pytest.fixture(scope="module")
def elsewhere(wheel, tmp_path_factory):
    """An environment with the wheel, outside of the repository."""
    environment = Environment(tmp_path_factory.mktemp("elsewhere"))
    environment.install(wheel)
    return environment


def test_the_wheel_holds_both_packages_whole_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
        licences = [name for name in archive.namelist() if "/licenses/LICENSE" in name]
    here = {path.relative_to(nb.ROOT).as_posix() for name in ("gradem", "autograder")
            for path in (nb.ROOT / name).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts}
    assert packed == here
    assert len(licences) == 2


def test_gradem_computes_what_the_readme_says(elsewhere, tmp_path):
    shutil.copy(nb.ROOT / "README.md", tmp_path)
    code = ("import doctest, gradem; from importlib.metadata import version; "
            "print(gradem.__file__, gradem.__version__, version('autodiff-clustering-redux'), "
            "*doctest.testfile('README.md', module_relative=False))")
    done = elsewhere.run("python", "-I", "-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    place, *rest = done.stdout.split()
    assert Path(place).is_relative_to(elsewhere.packages)
    assert rest == [gradem.__version__] * 2 + ["0", "5"]


def test_the_grader_marks_a_class_and_hides_itself(elsewhere, tmp_path):
    course = make_course(tmp_path / "course")
    course.hand_in("ada", submitted_notebook())
    course.hand_in("eve", submitted_notebook(square=SPY, mean="mean_abs = abs"))
    done = elsewhere.run("autograder", "grade", "ps1", "--seed", "7", cwd=course.root)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split()[-1] for line in done.stdout.splitlines()[2:4]] == ["10", "5"]
    page = (course.root / "feedback" / "eve" / "ps1" / "p1.html").read_text()
    assert "found: []" in page and "no reference" in page
    assert (course.root / "autograded" / "overview-ps1.html").is_file()


def test_every_command_explains_itself(elsewhere, tmp_path):
    done = elsewhere.run("autograder", "--help", cwd=tmp_path)
    assert done.returncode == 0
    assert "rehearse" in done.stdout and "Exit codes" in done.stdout
