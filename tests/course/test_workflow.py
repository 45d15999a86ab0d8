"""The workflow on GitHub runs what the README names, with every Python, and pinned actions."""

import re
import subprocess
import tomllib

import yaml

import nb

TEXT = (nb.ROOT / ".github" / "workflows" / "test.yml").read_text()
JOBS = yaml.safe_load(TEXT)["jobs"]
STEPS = [step for job in JOBS.values() for step in job["steps"]]


def commands(job):
    """The targets of make that a job runs, in each of its variants."""
    matrix = JOBS[job].get("strategy", {}).get("matrix", {})
    ends = [row["end"] for row in matrix.get("include", [])] or [""]
    for step in JOBS[job]["steps"]:
        if step.get("run", "").startswith("make "):
            yield from {step["run"].replace("${{ matrix.end }}", end) for end in ends}


def test_actions_are_pinned_to_a_commit_whose_version_is_said():
    used = re.findall(r"uses: (.*)", TEXT)
    assert len(used) == sum("uses" in step for step in STEPS) > 5
    assert [name for name in used
            if not re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+", name)] == []
    assert len({name.partition("@")[0] for name in used}) == len(set(used))


def test_it_tests_every_python_from_the_oldest_that_is_allowed():
    project = tomllib.loads((nb.ROOT / "pyproject.toml").read_text())["project"]
    pythons = JOBS["test"]["strategy"]["matrix"]["python"]
    assert project["requires-python"] == ">=" + pythons[0]
    minors = [int(version.removeprefix("3.")) for version in pythons]
    assert minors == list(range(minors[0], minors[-1] + 1)) and minors[-1] >= 14
    variants = {row["end"]: row["python"] for row in JOBS["bounds"]["strategy"]["matrix"]["include"]}
    assert variants == {"oldest": pythons[0], "newest": pythons[-1]}


def test_it_runs_what_the_readme_and_the_makefile_name():
    assert list(commands("test")) == ["make test"]
    assert "make test" in (nb.ROOT / "README.md").read_text()
    assert sorted(commands("bounds")) == ["make newest", "make oldest"]
    assert list(commands("publish")) == ["make book"]
    for command in ("make test", "make newest", "make oldest", "make book"):
        dry = subprocess.run([*command.split(), "--dry-run"], cwd=nb.ROOT, capture_output=True)
        assert dry.returncode == 0, dry.stderr


def test_only_the_job_that_publishes_may_write():
    assert yaml.safe_load(TEXT)["permissions"] == {"contents": "read"}
    assert {name for name, job in JOBS.items() if "permissions" in job} == {"publish"}
    assert JOBS["publish"]["needs"] == "test"
