"""tools/system.py: clear words where something is missing. What is missing is pretended."""

import shutil
import subprocess
import sys

import pytest

import system


def words(function, *arguments):
    """What the function says when it stops."""
    with pytest.raises(SystemExit) as stop:
        function(*arguments)
    return str(stop.value)


@pytest.fixture
def machine(monkeypatch):
    """A machine that has only the commands named, and a user who is root or not."""
    def pretend(*commands, root):
        monkeypatch.setattr(shutil, "which", lambda name: name if name in commands else None)
        monkeypatch.setattr(system.os, "geteuid", lambda: 0 if root else 1000)
    return pretend


def test_an_old_python_is_told_how_to_name_a_newer_one(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    assert "needs Python 3.11 or newer" in words(system.main, ["python"])
    assert "make PYTHON=" in words(system.main, ["python"])


@pytest.mark.parametrize("package", ["bubblewrap", "chromium"])
@pytest.mark.parametrize("manager, root, command", [
    ("apt-get", False, "sudo apt-get install --yes {}"),
    ("dnf", False, "sudo dnf install {}"),
    ("dnf", True, "dnf install {}"),
    ("pacman", False, "sudo pacman -S {}"),
    ("none", True, "install it with your system's package manager"),
])
def test_what_is_missing_is_named_with_the_one_command(machine, package, manager, root, command):
    machine(manager, root=root)
    said = words(system.main, [package])
    assert said.startswith(f"{package} is missing") and command.format(package) in said


def test_what_only_some_tests_need_does_not_stop_the_others(machine, monkeypatch, capsys):
    machine("dnf", root=False)
    monkeypatch.setattr(system.glob, "glob", lambda pattern: [])
    system.main(["podman", "postgresql"])
    said = capsys.readouterr().err
    assert "sudo dnf install podman Its tests are left out" in said and "postgresql" in said


def test_a_server_off_the_path_is_found(machine, monkeypatch, capsys):
    machine(root=False)
    monkeypatch.setattr(system.glob, "glob", lambda pattern: [pattern])
    system.main(["postgresql"])
    assert capsys.readouterr().err == ""


def test_root_on_a_debian_like_system_gets_it_installed(machine, monkeypatch):
    machine("apt-get", root=True)
    calls = []
    monkeypatch.setattr(subprocess, "call", lambda command, **_: calls.append(command) or 0)
    system.main(["chromium"])
    assert [command[:2] for command in calls] == [["apt-get", "update"], ["apt-get", "install"]]
    assert "chromium" in calls[1]


@pytest.mark.parametrize("answers", [True, False])
@pytest.mark.parametrize("command", ["docker", "podman"])
def test_a_command_that_starts_no_container_is_not_enough(machine, monkeypatch, capsys, command,
                                                          answers):
    machine("apt-get", command, root=False)
    asked = []
    monkeypatch.setattr(subprocess, "call",
                        lambda command, **_: asked.append(command) or int(not answers))
    system.main(["podman"])
    assert asked == [[command, "info"]]
    said = capsys.readouterr().err
    assert ("sudo apt-get install --yes podman runc uidmap" in said) is not answers


def test_a_failed_installation_stops(machine, monkeypatch):
    machine("apt-get", root=True)
    monkeypatch.setattr(subprocess, "call", lambda command, **_: 100)
    assert "could not install chromium" in words(system.main, ["chromium"])


@pytest.mark.parametrize("tool, package", [("apt-get", "libatomic1"), ("dnf", "libatomic")])
def test_a_missing_library_is_named_as_the_system_calls_it(machine, monkeypatch, tool, package):
    machine(tool, "chromium", root=False)
    monkeypatch.setattr(system, "LIBRARY", "libnowhere.so.1")
    assert words(system.main, ["chromium"]).startswith(f"{package} is missing. Run:  sudo {tool}")


@pytest.mark.parametrize("values, advice", [
    ({"kernel.apparmor_restrict_unprivileged_userns": "1"},
     "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"),
    ({"kernel.apparmor_restrict_unprivileged_userns": "0", "kernel.unprivileged_userns_clone": "0"},
     "sudo sysctl -w kernel.unprivileged_userns_clone=1"),
    ({"user.max_user_namespaces": "0"}, "sudo sysctl -w user.max_user_namespaces=15000"),
    ({"user.max_user_namespaces": "96365"}, "container"),
    ({}, "container"),
])
def test_the_setting_that_forbids_the_sandbox_is_named(values, advice):
    assert advice in system.remedy(values)


def test_a_sandbox_that_cannot_be_made_stops_with_its_reason(monkeypatch):
    monkeypatch.setattr(system, "TRIAL", [
        sys.executable, "-c", "import sys; sys.exit('setting up uid map: Permission denied')"])
    assert "setting up uid map: Permission denied" in words(system.try_sandbox)


def test_unknown_names_are_refused():
    assert "usage" in words(system.main, ["emacs"])
    assert "usage" in words(system.main, [])
