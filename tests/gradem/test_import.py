"""Importing gradem, and its differentiation half, loads neither SciPy nor Matplotlib."""

import subprocess
import sys

import pytest

SHOW = "import sys; print(*sorted({name.split('.')[0] for name in sys.modules}))"


def loaded(program):
    """The top-level packages that are loaded after a program ran in a fresh interpreter."""
    run = subprocess.run([sys.executable, "-c", f"{program}\n{SHOW}"],
                         capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_the_package_itself_loads_nothing_but_itself():
    assert not {"numpy", "scipy", "matplotlib"} & loaded("import gradem; dir(gradem)")


@pytest.mark.parametrize("program", [
    "import gradem.rules, gradem.dual, gradem.derivatives, gradem.differences",
    "from gradem import Dual, derivative, grad, jvp, value_and_grad, differences, rules",
    "import gradem, numpy; gradem.grad(numpy.sum)([1.0, 2.0])",
])
def test_differentiation_needs_numpy_alone(program):
    modules = loaded(program)
    assert {"gradem", "numpy"} <= modules
    assert not {"scipy", "matplotlib", "IPython"} & modules
