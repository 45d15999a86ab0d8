"""One list of dependencies, and everything that must agree with it or with the Makefile."""

import re
import subprocess
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import nb

PROJECT = tomllib.loads((nb.ROOT / "pyproject.toml").read_text())["project"]
ENVIRONMENT = yaml.safe_load((nb.ROOT / "environment.yml").read_text())
EXTRAS = PROJECT["optional-dependencies"]
DIRECT = PROJECT["dependencies"] + [text for extra in EXTRAS.values() for text in extra]
LOCK = [Requirement(line) for line in (nb.ROOT / "requirements.lock").read_text().splitlines()]


def test_the_conda_environment_is_python_pip_and_this_package():
    python, pip, through_pip = ENVIRONMENT["dependencies"]
    assert python == "python" + PROJECT["requires-python"]
    assert pip == "pip" and through_pip == {"pip": ["-e .[course]"]}
    assert ENVIRONMENT["name"] == PROJECT["name"] and "course" in EXTRAS


@pytest.mark.parametrize("text", DIRECT)
def test_the_lock_holds_a_version_that_each_dependency_allows(text):
    wanted = Requirement(text)
    versions = [part.version for pin in LOCK for part in pin.specifier
                if canonicalize_name(pin.name) == canonicalize_name(wanted.name)]
    assert versions and all(wanted.specifier.contains(version) for version in versions)


def test_the_lock_pins_every_package_and_names_no_address():
    assert all([part.operator for part in pin.specifier] == ["=="] for pin in LOCK)
    assert not re.search(r"://|^\s*-|@", (nb.ROOT / "requirements.lock").read_text(), re.MULTILINE)


def test_the_lock_can_be_installed_on_the_oldest_python():
    oldest = {"python_full_version": "3.11.0", "python_version": "3.11"}
    chosen = {pin.name for pin in LOCK if not pin.marker or pin.marker.evaluate(oldest)}
    by_version = {pin.name for pin in LOCK if "python_full_version" in str(pin.marker)}
    assert by_version and by_version <= chosen


def test_make_alone_explains_every_target():
    said = subprocess.run(["make"], cwd=nb.ROOT, capture_output=True, text=True, check=True).stdout
    targets = {"demo", "book", "zip", "pdf", "serve", "test", "notebooks", "exercises", "bench", "tour",
               "oldest", "newest", "clean"}
    assert set(re.findall(r"^make (\w+)", said, re.MULTILINE)) == targets


def test_a_demonstration_does_not_touch_what_somebody_wrote_into_the_exercises():
    steps = subprocess.run(["make", "--dry-run", "demo"], cwd=nb.ROOT, capture_output=True,
                           text=True, check=True).stdout
    assert "autograder demo" in steps and "release.py" not in steps
