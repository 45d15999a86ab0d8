"""The instructor's guide: its commands exist, and none is left out."""

import argparse
import os
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderApp

from autograder import cli
from autograder.course import Course
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


MOODLE = ["Ada Lovelace_11_assignsubmission_file_my homework.ipynb",
          "Carl Gauss_12_assignsubmission_file_/01-differences.ipynb"]
CANVAS = ["lovelaceada_101_2063_my_1_2_homework.ipynb", "gausscarl_LATE_102_2064_01-differences-1.ipynb"]


@pytest.mark.parametrize("files, students", [
    (MOODLE, ["Ada Lovelace_11", "Carl Gauss_12"]), (CANVAS, ["101", "102"])])
def test_archives_are_collected_as_the_guide_says(tmp_path, files, students):
    blocks = re.findall(r"```\{code-block\} python\n(.*?)```", GUIDE, re.DOTALL)
    (pattern,) = [block for block in blocks if "named_regexp" in block
                  and ("assignsubmission" in block) == (files is MOODLE)]
    (tmp_path / "nbgrader_config.py").write_text(f"c = get_config()\n{pattern}\n")
    archive = tmp_path / "downloaded/01-differences/archive/all.zip"
    archive.parent.mkdir(parents=True)
    with zipfile.ZipFile(archive, "w") as packed:
        for name in files:
            packed.writestr(name, "{}")
    subprocess.run([sys.executable, "-m", "nbgrader", "zip_collect", "01-differences"],
                   cwd=tmp_path, check=True, capture_output=True)
    assert Course(tmp_path).students("01-differences") == students
    assert len(list(tmp_path.glob("submitted/*/01-differences/*.ipynb"))) == len(students)
    assert "hold no times" in GUIDE and not list(tmp_path.glob("submitted/*/*/timestamp.txt"))


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")        # of nbgrader's own code
def test_a_learner_gets_more_time_as_the_guide_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    course = Course(ROOT).directory.course_id
    with Gradebook("sqlite:///gradebook.db", course) as book:
        book.add_assignment("01-differences", duedate="2026-11-30 18:00:00 UTC")
        for student in ("ada", "bob"):
            book.add_student(student)
            book.add_submission("01-differences", student, timestamp="2026-12-02 18:00:00 UTC")
    (block,) = [block for block in re.findall(r"```\{code-block\} python\n(.*?)```", GUIDE, re.DOTALL)
                if "grant_extension" in block]
    exec(block, {})
    with Gradebook("sqlite:///gradebook.db", course) as book:
        late = {student: book.find_submission("01-differences", student).total_seconds_late
                for student in ("ada", "bob")}
    assert late == {"ada": 0, "bob": 2 * 24 * 3600}


def test_every_command_is_shown():
    assert {f"autograder {name}" for name in SUBPARSERS if name != "demo"} \
        <= set(re.findall(r"autograder [a-z]+", SHELL))
    assert "make demo" in SHELL


@pytest.mark.parametrize("command", SUBPARSERS)
def test_every_option_is_explained(command):
    options = {option for action in SUBPARSERS[command]._actions
               for option in action.option_strings if option.startswith("--")}
    assert [option for option in options if option not in GUIDE] == []


def test_the_size_of_a_class_is_read_off_measured_rates():
    assert "```{include} ../benchmarks/grading.md" in GUIDE
    table = (ROOT / "benchmarks/grading.md").read_text(encoding="utf-8")
    sizes = re.findall(r"^\| ([\d,]+) \| ([\d.]+) (s|min|h) \|", table, re.M)
    assert [size for size, _, _ in sizes] == ["100", "10,000", "1,000,000"]
    (ours,) = re.findall(r"^\| submissions a minute \| [\d.]+ \| ([\d.]+) \|", table, re.M)
    (more,) = re.findall(r"^\| seconds for one more \| [\d.]+ \| ([\d.]+) \|", table, re.M)
    seconds = {"s": 1, "min": 60, "h": 3600}
    for size, time, unit in sizes:
        size, time = int(size.replace(",", "")), float(time) * seconds[unit]
        # a class takes the start and what one more costs, which is rounded to a hundredth
        assert size * (float(more) - 0.006) < time < size * (float(more) + 0.006) + 100 * 60 / float(ours)


def test_every_incident_is_explained():
    told = {kind for cell in re.findall(r"^\| (`[^|]+`) \|", GUIDE[GUIDE.index("| Incident"):], re.M)
            for kind in re.findall(r"`([a-z-]+)`", cell)}
    texts = "\n".join((ROOT / "autograder" / name).read_text(encoding="utf-8")
                      for name in ("kernel.py", "marking.py", "judge.py", "channel.py", "job.py"))
    assert {kind for kind in told if f'"{kind}"' not in texts} == set()
    shown = (ROOT / "autograder/marking.py").read_text(encoding="utf-8")
    named = set(re.findall(r'^ +"([a-z]+(?:-[a-z]+)+|timeout|memory|protocol)": ', shown, re.M))
    assert named and named <= told
