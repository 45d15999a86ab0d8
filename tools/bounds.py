"""Try both packages with the oldest, or the newest, versions of what they need.

    python tools/bounds.py oldest        each dependency at the lower bound in pyproject.toml
    python tools/bounds.py newest        each at the newest version that can be had

What is tried are the tests of gradem and autograder, in an environment of their own in
_build/bounds, which is made anew. Outputs of notebooks are compared with the locked versions
only, by `make test`. Lower bounds are those of gradem and the grader, and of the packages
that gradem uses where they are there; the tests' own tools are never old.
"""

import re
import subprocess
import sys
import tomllib
import venv

import nb

#: Of what learners install, the packages that gradem uses where they are there.
OPTIONAL = ("matplotlib", "pycparser", "scikit-learn")
TESTS = ("tests/gradem", "tests/autograder")


def lower_bounds(project):
    """What pip is to be held to: `name==version` for each lower bound.

    Parameters
    ----------
    project : dict
        The table [project] of pyproject.toml.

    Returns
    -------
    list of str
    """
    extras = project["optional-dependencies"]
    ours = [*project["dependencies"], *extras["grader"]]
    optional = [text for text in extras["course"] if text.startswith(OPTIONAL)]
    bounds = [re.fullmatch(r"([\w-]+)>=([\d.]+)", text) for text in [*ours, *optional]]
    return sorted({f"{bound[1]}=={bound[2]}" for bound in bounds if bound})


def main(end):
    """Make the environment, say what is in it, and run the tests; returns their exit code."""
    folder = nb.ROOT / "_build" / "bounds" / end
    venv.create(folder, with_pip=True, clear=True)
    project = tomllib.loads((nb.ROOT / "pyproject.toml").read_text())["project"]
    held = folder / "constraints.txt"
    held.write_text("\n".join(lower_bounds(project) if end == "oldest" else []))
    python = folder / "bin" / "python"
    what = [".[grader,test]", *OPTIONAL]
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--constraint", held,
                    "--editable", *what], check=True, cwd=nb.ROOT)
    subprocess.run([python, "-m", "pip", "list"], check=True)
    return subprocess.run([python, "-m", "pytest", *TESTS], cwd=nb.ROOT).returncode


if __name__ == "__main__":
    if sys.argv[1:] not in (["oldest"], ["newest"]):
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
