"""Control groups of both versions: in a pretended tree, and, where they can be made, real ones."""

import operator
import os
import subprocess
import time

import pytest

from autograder import apart, cgroups
from autograder.cgroups import ControlGroup, remove_left_by
from autograder.limits import Limits

LIMITS = Limits(processes=7, memory_bytes=1 << 20)


@pytest.fixture
def tree(tmp_path, monkeypatch):
    monkeypatch.setattr(cgroups, "ROOT", tmp_path)
    return tmp_path


def settings(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_version_1_has_a_tree_for_each_controller(tree):
    for name in ("pids", "memory", "cpu"):
        (tree / name).mkdir()
    group = ControlGroup(LIMITS)
    assert [folder.parent for folder in group.folders] == [tree / "pids", tree / "memory", tree / "cpu"]
    assert [settings(folder) for folder in group.folders] == [
        {"pids.max": "7"}, {"memory.limit_in_bytes": "1048576"}, {}]
    group.add(4711)
    assert all(settings(folder)["cgroup.procs"] == "4711" for folder in group.folders)


def test_version_2_has_one_tree_and_the_group_stands_beside_our_own(tree, monkeypatch):
    (tree / "cgroup.controllers").write_text("pids memory")
    beside = tree / "user.slice"
    beside.mkdir()
    monkeypatch.setattr(cgroups, "_siblings", lambda: beside)
    write, asked = cgroups.Path.write_text, []

    def one_is_not_ours(path, text):
        if path.name != "cgroup.subtree_control":
            return write(path, text)
        asked.append(text)
        if text == "+memory":
            raise PermissionError
    monkeypatch.setattr(cgroups.Path, "write_text", one_is_not_ours)
    (folder,) = ControlGroup(LIMITS).folders
    assert folder.parent == beside and folder.name.startswith(f"autograder-{os.getpid()}-")
    assert settings(folder) == {"pids.max": "7", "memory.max": "1048576"}
    assert asked == ["+pids", "+memory", "+cpu"]


def test_where_no_group_can_be_made_there_is_none(tree):
    group = ControlGroup(LIMITS)
    assert group.folders == []
    group.add(os.getpid())
    group.remove()


def test_a_group_whose_bounds_cannot_be_set_is_not_used(tree, monkeypatch):
    (tree / "pids").mkdir()

    def refuse(path, text):
        raise PermissionError
    monkeypatch.setattr(cgroups.Path, "write_text", refuse)
    assert ControlGroup(LIMITS).folders == []
    assert list((tree / "pids").iterdir()) == []


def test_what_a_killed_maker_has_left_is_removed_and_nothing_else(tree):
    for name in ("autograder-12-ab", "autograder-123-ab", "other"):
        (tree / "pids" / name).mkdir(parents=True)
    remove_left_by(12)
    assert sorted(path.name for path in (tree / "pids").iterdir()) == ["autograder-123-ab", "other"]


def test_who_makes_a_group_removes_the_empty_ones_of_runs_that_were_killed(tree):
    ended = subprocess.Popen(["true"])
    ended.wait()
    for name, age in [(f"autograder-{ended.pid}-old", 100), (f"autograder-{ended.pid}-new", 0),
                      (f"autograder-{ended.pid}-full", 100), (f"autograder-{os.getpid()}-own", 100)]:
        folder = tree / "pids" / name
        folder.mkdir(parents=True)
        if name.endswith("full"):
            (folder / "cgroup.procs").write_text("1")
        os.utime(folder, (time.time() - age,) * 2)
    (made,) = ControlGroup(LIMITS).folders
    left = {folder.name.rpartition("-")[2] for folder in (tree / "pids").iterdir() if folder != made}
    assert left == {"new", "full", "own"}


def test_what_a_judge_that_broke_off_has_left_is_removed(monkeypatch):
    makers = []
    monkeypatch.setattr(cgroups, "remove_left_by", makers.append)
    assert apart.call(operator.call, b"ends well", seconds=30).sent == [b"ends well"]
    assert makers == []                                      # it tidies up alone
    broken = apart.call(time.sleep, seconds=30)              # what it is given is no number
    assert broken.exitcode and len(makers) == 1


def test_a_real_group_bounds_the_number_of_processes():
    group = ControlGroup(Limits(processes=5))
    try:
        if not any((folder / "pids.max").exists() for folder in group.folders):
            pytest.skip("this user can make no control groups here")
        shell = subprocess.Popen(["sh", "-c", "read go; for i in 1 2 3 4 5 6 7 8; do sleep 1 & done; wait"],
                                 stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        group.add(shell.pid)
        _, errors = shell.communicate("go\n")
        assert "fork" in errors.lower()
    finally:
        group.remove()
    assert not any(folder.exists() for folder in group.folders)
