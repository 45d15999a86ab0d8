"""Every import is declared in pyproject.toml, and dependencies point one way."""

import ast
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import nb

PROJECT = tomllib.loads((nb.ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = {"core": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}
OWN = {"gradem", "autograder", *(path.stem for path in (nb.ROOT / "tools").glob("*.py"))}
BENCHMARKS = {path.stem for path in (nb.ROOT / "benchmarks").glob("*.py")}

# What is imported only when it is used, and says so if it is missing.
OPTIONAL = {("matplotlib", "gradem/plots.py"), ("matplotlib", "gradem/observe.py"),
            ("pandas", "autograder/dataframes.py"), ("pycparser", "gradem/csource.py"),
            ("dask", "gradem/blocks.py"), ("sklearn", "gradem/estimator.py"),
            ("torch", "benchmarks/peers.py"), ("distributed", "autograder/executors.py")}
DISTRIBUTIONS = packages_distributions()

# A folder, the extras whose packages it may import, and what of our own.
ALLOWED = [
    ("gradem", ["core"], {"gradem"}),
    ("autograder", ["core", "grader"], {"gradem", "autograder"}),
    ("tools", ["core", "course", "grader", "test"], OWN | {"problem"}),        # book/tour/problem.py
    ("book/_ext", ["core", "course"], {"gradem"}),          # as the pages themselves
    ("benchmarks", list(EXTRAS), BENCHMARKS | {"gradem", "autograder", "tests"}),
    ("tests", list(EXTRAS), OWN | BENCHMARKS | {"tests"}),
]


def imports(folder):
    """Top-level names of all absolute imports below a folder, each with its file."""
    for path in sorted((nb.ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module]
            for name in names:
                yield name.partition(".")[0], path.relative_to(nb.ROOT).as_posix()


@pytest.mark.parametrize("folder, extras, own", ALLOWED, ids=[row[0] for row in ALLOWED])
def test_a_folder_imports_only_what_it_may(folder, extras, own):
    declared = {canonicalize_name(Requirement(text).name)
                for extra in extras for text in EXTRAS[extra]}
    strangers = []
    for name, path in imports(folder):
        homes = {canonicalize_name(home) for home in DISTRIBUTIONS.get(name, [name])}
        if not (name in sys.stdlib_module_names or name in own or homes & declared
                or (name, path) in OPTIONAL):
            strangers.append(f"{path}: {name}")
    assert strangers == []
