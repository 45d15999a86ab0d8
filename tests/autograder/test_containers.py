"""The same sandbox in Podman or Docker."""

import os
import subprocess

import pytest

from autograder import containers, sandbox
from autograder.kernel import Kernel
from autograder.limits import Limits
from autograder.marking import mark
from autograder.sandbox import Contents, SandboxUnavailable
from autograder.templates import ContainerTemplate
from .test_isolation import PROBES, TOOLS


#: For a machine whose control groups Podman's first choice of runtime does not understand.
OTHER_RUNTIME = """
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
"""


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    """Podman or Docker, as it is set up here or in the plainest way; skips where neither works."""
    plain = tmp_path_factory.mktemp("podman") / "containers.conf"
    plain.write_text(OTHER_RUNTIME)
    with pytest.MonkeyPatch.context() as patch:
        for variables in ({}, {"CONTAINERS_CONF": str(plain), "STORAGE_DRIVER": "vfs"}):
            for name, value in variables.items():
                patch.setenv(name, value)
            containers.engine.cache_clear()
            try:
                with ContainerTemplate(Contents(), Limits()) as template:
                    Kernel(template.connect(), Limits()).kill()
            except SandboxUnavailable as problem:
                reason = str(problem)
            else:
                yield
                return
    pytest.skip(reason)


@pytest.fixture(scope="module")
def template(engine):
    with ContainerTemplate(Contents(("gradem.check",)), Limits()) as template:
        yield template


# A container has one kernel, beside which its supervisor can be seen; the engines bound the
# size of places in memory and not the number of files in them.
DIFFERENT = {"nobody to signal", "there are not many files"}


def test_learner_code_cannot_do_in_a_container_what_it_cannot_do_in_bubblewrap(template):
    with Kernel(template.connect(), Limits(cell_seconds=60)) as kernel:
        assert not kernel.run(TOOLS).error
        for name, probe in PROBES.items():
            if name not in DIFFERENT:
                outcome = kernel.run(f"bool({probe})")
                assert [output.data for output in outcome.outputs] == ["True"], (name, outcome)


def test_the_supervisor_cannot_be_looked_into(template):
    with Kernel(template.connect(), Limits()) as kernel:
        outcome = kernel.run("import os\n[open(f'/proc/{n}/mem') for n in os.listdir('/proc') "
                             "if n.isdigit() and int(n) != os.getpid()]")
    assert "Permission denied" in outcome.error


def test_a_submission_is_marked_and_a_killed_kernel_replaced(engine, small_course):
    path = small_course.hand_in("ada", small_course.submitted_notebook(
        square="import os\ndef square(x): os._exit(0)"))
    report = mark(path, small_course.source, seed=1, sandbox="container")
    assert (report.points, report.sandbox) == (5.0, "container")
    assert "kernel-died" in {incident.kind for incident in report.incidents}
    left = subprocess.run([containers.engine(), "ps", "--all", "--format", "{{.Names}}"],
                          capture_output=True, text=True)
    assert "autograder" not in left.stdout


def test_who_calls_the_grader_from_within_keeps_no_kernel_from_starting(engine, small_course):
    path = small_course.hand_in("ada", small_course.submitted_notebook(square="""
import os, socket
for _ in range(3):
    line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    line.setblocking(False)
    try: line.connect("/lines/grader")
    except OSError: break
    os.dup(line.fileno())
os._exit(1)"""))
    report = mark(path, small_course.source, seed=1, sandbox="container")
    assert report.points == 5.0
    assert [incident.kind for incident in report.incidents] == ["kernel-died"]


def test_the_command_shows_what_bubblewrap_shows_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr(containers, "image", lambda: "empty")
    monkeypatch.setattr(containers, "engine", lambda: "podman")
    (tmp_path / "course" / "data").mkdir(parents=True)
    command = containers.Container(tmp_path, Limits()).command
    mounted = {command[place + 1] for place, word in enumerate(command) if word == "--volume"}
    expected = {f"{place}:{place}:ro" for place in sandbox.shown()}
    assert mounted == expected | {f"{tmp_path}/course:/course:ro", f"{tmp_path}/lines:/lines:ro"}
    for option in (["--network", "none"], ["--cap-drop", "ALL"], ["--pull", "never"],
                   ["--security-opt", "no-new-privileges"], ["--pids-limit", "100"]):
        assert any(command[place:place + 2] == option for place in range(len(command)))
    assert "--read-only" in command and "--privileged" not in command


def test_without_an_engine_it_says_what_to_install(monkeypatch):
    containers.engine.cache_clear()
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SandboxUnavailable, match="podman is not installed; docker is not installed"):
        containers.engine()
    containers.engine.cache_clear()


def test_an_engine_that_does_not_answer_is_quoted(monkeypatch, tmp_path):
    containers.engine.cache_clear()
    for name in containers.ENGINES:
        (tmp_path / name).write_text("#!/bin/sh\necho no daemon >&2\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path) + os.pathsep + "/usr/bin")
    with pytest.raises(SandboxUnavailable, match="podman says: no daemon.*docker says: no daemon"):
        containers.engine()
    containers.engine.cache_clear()
