"""The sandbox starts, refuses to start, and leaves nothing behind."""

import subprocess
from pathlib import Path

import psutil
import pytest

from autograder import sandbox
from autograder.marking import mark
from autograder.sandbox import Kernel, Limits, SandboxUnavailable


def test_without_bubblewrap_it_says_what_to_install(monkeypatch, small_course):
    monkeypatch.setenv("PATH", "")
    path = small_course.hand_in("ada", small_course.submitted_notebook())
    with pytest.raises(SandboxUnavailable, match="apt-get install bubblewrap.*--unsafe"):
        mark(path, small_course.source, seed=1)


def test_where_user_namespaces_are_forbidden_it_says_how_to_allow_them(monkeypatch):
    refused = subprocess.CompletedProcess([], 1, "", "bwrap: setting up uid map: Permission denied")
    monkeypatch.setattr(sandbox.subprocess, "run", lambda *args, **options: refused)
    with pytest.raises(SandboxUnavailable, match="uid map.*sudo sysctl -w"):
        sandbox.require_bubblewrap()


def test_unprotected_marking_works_and_says_so(small_course):
    path = small_course.hand_in("ada", small_course.submitted_notebook())
    report = mark(path, small_course.source, seed=1, sandbox="none")
    assert (report.points, report.sandbox) == (10.0, "none")


def test_a_kernel_leaves_nothing_behind(tmp_path):
    data = tmp_path / "data.csv"
    data.write_text("1,2")
    with Kernel(["gradem.check"], [data], Limits(), "bubblewrap") as kernel:
        assert not kernel.run("assert open('data.csv').read() == '1,2'").error
        assert kernel.run("open('data.csv', 'w')").error.startswith("OSError")
        kernel.run("import subprocess; subprocess.Popen(['sleep', '1000'])")
        process, folder, groups = psutil.Process(kernel.process.pid), kernel.folder, kernel.groups
        inside = process.children(recursive=True)
        assert any(child.name() == "sleep" for child in inside)
    assert not psutil.wait_procs(inside, timeout=5)[1]
    assert not folder.exists()
    assert not any(group.exists() for group in groups)


def test_the_kernel_sees_a_short_list_of_files(tmp_path):
    with Kernel(["gradem.check"], [], Limits(), "bubblewrap") as kernel:
        seen = kernel.run(
            "import os; raise Exception([sorted(os.listdir(p)) for p in "
            "('/home/learner', '/course', '/course/gradem', '/course/autograder', '/lines', '/etc')])")
    assert seen.error.startswith("Exception: [[], ['autograder', 'gradem'], ['__init__.py', 'check.py'], "
                                 "['__init__.py', 'agent.py', 'bridge.py'], ")


def test_the_number_of_processes_is_bounded_inside_and_not_outside(tmp_path):
    # outside it would count all that the user runs, and no sandbox would start on a desktop
    with Kernel([], [], Limits(processes=77), "bubblewrap") as kernel:
        assert not kernel.run("import resource\n"
                              "assert resource.getrlimit(resource.RLIMIT_NPROC) == (77, 77)").error
        limits = Path(f"/proc/{kernel.process.pid}/limits").read_text()
        assert "77" not in next(line for line in limits.splitlines() if "processes" in line).split()


def test_a_package_that_is_hidden_is_empty_and_cannot_be_written_to(monkeypatch):
    hidden = str(Path(psutil.__file__).parent)
    monkeypatch.setattr(sandbox, "_secrets", lambda: [hidden])
    with Kernel([], [], Limits(), "bubblewrap") as kernel:
        assert not kernel.run(f"import os; assert os.listdir({hidden!r}) == []").error
        assert "Read-only" in kernel.run(f"open({hidden + '/x'!r}, 'w')").error


@pytest.mark.parametrize("module", ["os", "gradem.", "gradem.../secret", "gradem.nothing", "autograder.judge"])
def test_only_modules_of_gradem_can_be_shown(tmp_path, module):
    with pytest.raises(ValueError, match="only modules of gradem"):
        sandbox.lay_out_course(tmp_path / "course", [module])


def test_datasets_come_with_their_data(tmp_path):
    sandbox.lay_out_course(tmp_path / "course", ["gradem.datasets"])
    assert Path(tmp_path, "course", "gradem", "data", "old_faithful.csv").is_file()
