"""Importing gradem, and its differentiation half, loads neither SciPy nor Matplotlib."""

import subprocess
import sys
from pathlib import Path

import pytest

import gradem

SHOW = "import sys; print(*sorted({name.split('.')[0] for name in sys.modules}))"


def loaded(program):
    """The top-level packages that are loaded after a program ran in a fresh interpreter."""
    run = subprocess.run([sys.executable, "-c", f"{program}\n{SHOW}"],
                         capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_the_package_itself_loads_nothing_but_itself():
    assert not {"numpy", "scipy", "matplotlib"} & loaded("import gradem; dir(gradem)")


def test_every_module_can_be_reached_by_its_name():
    files = {path.stem for path in Path(gradem.__file__).parent.glob("*.py")} - {"__init__"}
    assert files == gradem._MODULES
    assert files <= set(dir(gradem)) and gradem.sparse.colour


@pytest.mark.parametrize("program", [
    "import gradem.source, gradem.trace, gradem.sparse, gradem.elimination, gradem.checkpoint",
    "import gradem.solvers, gradem.csource, gradem.tape; gradem.solvers.newton(lambda x: x, 1.0)",
    "import gradem.rules, gradem.dual, gradem.derivatives, gradem.differences",
    "from gradem import Dual, derivative, grad, jvp, value_and_grad, differences, rules",
    "import gradem, numpy; gradem.grad(numpy.sum)([1.0, 2.0])",
])
def test_differentiation_needs_numpy_alone(program):
    modules = loaded(program)
    assert {"gradem", "numpy"} <= modules
    assert not {"scipy", "matplotlib", "IPython", "pycparser"} & modules
