"""The instructor's guide: its commands exist, and none is left out."""

import argparse
import re
import shlex

import pytest
from nbgrader.apps import NbGraderApp

from autograder import cli
from nb import ROOT

GUIDE = (ROOT / "book/teaching.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL = "\n".join(re.findall(r"```\{code-block\} sh\n(.*?)```", GUIDE, re.DOTALL))
COMMANDS = [line.removeprefix(".venv/bin/").strip() for line in
            [*SHELL.splitlines(), *re.findall(r"^    (\.venv/bin/autograder .*)$", README, re.M)]]
PARSER = cli._parser()
SUBPARSERS = next(action.choices for action in PARSER._actions
                  if isinstance(action, argparse._SubParsersAction))


@pytest.mark.parametrize("line", [line for line in COMMANDS if line.startswith("autograder ")])
def test_the_grader_understands_its_commands(line):
    assert callable(PARSER.parse_args(shlex.split(line)[1:]).run)


@pytest.mark.parametrize("line", [line for line in COMMANDS if line.startswith("nbgrader ")])
def test_nbgrader_has_the_commands_that_are_named(line):
    assert shlex.split(line)[1] in NbGraderApp().subcommands


def test_every_command_is_shown():
    assert {f"autograder {name}" for name in SUBPARSERS if name != "demo"} \
        <= set(re.findall(r"autograder [a-z]+", SHELL))
    assert "make demo" in SHELL


@pytest.mark.parametrize("command", SUBPARSERS)
def test_every_option_is_explained(command):
    options = {option for action in SUBPARSERS[command]._actions
               for option in action.option_strings if option.startswith("--")}
    assert [option for option in options if option not in GUIDE] == []


def test_every_incident_is_explained():
    told = {kind for cell in re.findall(r"^\| (`[^|]+`) \|", GUIDE[GUIDE.index("| Incident"):], re.M)
            for kind in re.findall(r"`([a-z-]+)`", cell)}
    texts = "\n".join((ROOT / "autograder" / name).read_text(encoding="utf-8")
                      for name in ("kernel.py", "marking.py", "judge.py", "channel.py", "job.py"))
    assert {kind for kind in told if f'"{kind}"' not in texts} == set()
    shown = (ROOT / "autograder/marking.py").read_text(encoding="utf-8")
    named = set(re.findall(r'^ +"([a-z]+(?:-[a-z]+)+|timeout|memory|protocol)": ', shown, re.M))
    assert named and named <= told
