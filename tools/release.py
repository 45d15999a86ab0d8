"""Make exercises/ from solutions/ with nbgrader: what learners get.

nbgrader takes the solutions and the hidden tests out. It wants a gradebook for
that; it gets a throw-away one, in a copy of the course in a temporary folder, so
that no class's marks are touched. The notebooks are then put into their one form
(tools/nb.py), so that the same solutions always give the same bytes.

    python tools/release.py            write exercises/
    python tools/release.py --check    say what in exercises/ is not what would be written
"""

import argparse
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

import nb

ROOT = nb.ROOT
CONFIGURATION = "nbgrader_config.py"


def generate(root, course):
    """Generate the exercises of the repository at `root` in the empty folder `course`.

    Returns
    -------
    Path
        The folder that holds one folder for each assignment.
    """
    from nbgrader.converters import GenerateAssignment
    from nbgrader.coursedir import CourseDirectory
    from nbgrader.utils import capture_log
    from traitlets.config import PyFileConfigLoader

    # nbgrader starts alembic by name, to make its database
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    shutil.copytree(root / "solutions", course / "solutions")
    shutil.copy(root / CONFIGURATION, course)
    config = PyFileConfigLoader(CONFIGURATION, path=str(course)).load_config()
    directory = CourseDirectory(config=config)
    for source in sorted((course / "solutions").glob("*/*.ipynb")):
        directory.assignment_id = source.parent.name
        converter = GenerateAssignment(coursedir=directory, config=config)
        converter.create_assignment = True
        outcome = capture_log(converter)
        if not outcome["success"]:
            words = reason(outcome.get("log") or outcome["error"])
            raise nb.Problem(f"solutions/{source.parent.name}: {words}")
        released = course / directory.release_directory / source.parent.name / source.name
        nb.write(nb.read(released), released)
        print(f"generate {released.relative_to(course)}", file=sys.stderr, flush=True)
    return course / directory.release_directory


def reason(log):
    """What nbgrader found wrong with a notebook: the last exception in its log."""
    errors = [line.strip() for line in log.splitlines() if re.match(r"\s*[\w.]*Error: ", line)]
    return errors[-1] if errors else log.strip()


def files(folder):
    """Every file below a folder, by its name from there, with its content."""
    return {path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and ".ipynb_checkpoints" not in path.parts}


def differences(wanted, found):
    """One line for each file that is missing, left over or different."""
    for name in sorted(wanted.keys() | found.keys()):
        if name not in found:
            yield f"exercises/{name} is missing"
        elif name not in wanted:
            yield f"exercises/{name} comes from no solution"
        elif wanted[name] != found[name]:
            yield f"exercises/{name} is not what its solution gives"


def main(arguments=None):
    """Write or check exercises/; 0 is success, 1 means that they differ."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true",
                        help="change nothing; fail with the names of what differs")
    chosen = parser.parse_args(arguments)
    target = ROOT / "exercises"
    with tempfile.TemporaryDirectory(prefix="release-") as course:
        try:
            released = generate(ROOT, Path(course))
        except nb.Problem as problem:
            print(problem)
            return 1
        if chosen.check:
            lines = list(differences(files(released), files(target) if target.exists() else {}))
            for line in lines:
                print(f"{line}; run: make exercises")
            return int(bool(lines))
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(released, target)
    return 0


if __name__ == "__main__":
    sys.exit(main())
