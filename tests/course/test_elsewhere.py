"""Containers and services: what their files name exists, and the page says what they say."""

import fnmatch
import json
import os
import re
import subprocess
import tomllib

import pytest

import nb

PAGE = (nb.ROOT / "book" / "elsewhere.md").read_text()
SHELL = re.findall(r"```\{code-block\} sh\n(.*?)```", PAGE, re.DOTALL)
PROJECT = tomllib.loads((nb.ROOT / "pyproject.toml").read_text())["project"]
IMAGES = ["course", "grader"]


def dockerfile(name):
    return (nb.ROOT / "docker" / f"{name}.Dockerfile").read_text()


def instructions(name):
    """The instructions of a Dockerfile, as (word, rest)."""
    text = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", dockerfile(name), flags=re.MULTILINE))
    return [tuple(line.split(maxsplit=1)) for line in text.splitlines() if line]


def context():
    """The files that an image gets to see, as .dockerignore has it: nothing but what is named."""
    lines = [line for line in (nb.ROOT / ".dockerignore").read_text().splitlines()
             if line and not line.startswith("#")]
    assert lines[0] == "*"
    allowed = [line[1:] for line in lines if line.startswith("!")]
    private = [line.removeprefix("**/") for line in lines[1:] if not line.startswith("!")]
    for name in allowed:
        place = nb.ROOT / name
        assert place.exists(), name
        for path in [place, *place.rglob("*")]:
            parts = path.relative_to(nb.ROOT).parts
            if path.is_file() and not any(fnmatch.filter(parts, each) for each in private):
                yield path.relative_to(nb.ROOT).as_posix()


def test_images_hold_what_installing_needs_and_no_solution():
    files = set(context())
    assert {"pyproject.toml", "requirements.lock", PROJECT["readme"], *PROJECT["license-files"],
            "gradem/data/old_faithful.csv", "autograder/feedback.html",
            "exercises/09-em/09-em.ipynb", "book/15-em.ipynb"} <= files
    assert not [name for name in files if re.search(r"solutions|answers\.toml|submitted|\.git/|"
                                                    r"gradebook\.db|__pycache__", name)]


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_is_pinned_small_and_does_not_run_as_root(name):
    words = instructions(name)
    base = [rest for word, rest in words if word == "FROM"]
    assert len(base) == 1 and re.fullmatch(r"docker\.io/library/debian:\d+\.\d+-slim", base[0])
    users = [rest for word, rest in words if word == "USER"]
    made = re.findall(r"useradd --create-home (\w+)", dockerfile(name))
    assert users == made and users != ["root"]
    steps = [rest for word, rest in words if word == "RUN"]
    for step in steps:
        if "apt-get" in step:
            assert "--no-install-recommends" in step and "rm -rf /var/lib/apt/lists/*" in step
    installs = [step for step in steps if "pip install" in step]
    assert installs and all("--no-cache-dir --constraint" in step for step in installs)
    assert all("requirements.lock" in step for step in installs)
    extras = [extra for step in installs for extra in re.search(r"\[(.*?)\]", step)[1].split(",")]
    assert extras and set(extras) <= set(PROJECT["optional-dependencies"])


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_says_the_same_commands_as_the_page(name):
    header = re.findall(r"^#     (.*)$", dockerfile(name), re.MULTILINE)
    said = [" ".join(line.split()) for line in header]
    block, = (block for block in SHELL if f"docker/{name}.Dockerfile" in block)
    assert said == [" ".join(line.split()) for line in block.splitlines()]


def test_the_editor_finds_the_image_its_user_and_its_python():
    place = nb.ROOT / ".devcontainer"
    settings = json.loads((place / "devcontainer.json").read_text())
    build = settings["build"]
    assert (place / build["dockerfile"]).resolve() == nb.ROOT / "docker" / "course.Dockerfile"
    assert (place / build["context"]).resolve() == nb.ROOT
    words = instructions("course")
    assert ("USER", settings["remoteUser"]) in words
    python = settings["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"]
    environment = python.removesuffix("/bin/python")
    assert ("RUN", f"python3 -m venv {environment}") in words
    assert ("ENV", f"PATH={environment}/bin:$PATH") in words


def test_a_login_shell_in_the_image_for_learners_finds_the_commands_too(tmp_path):
    """JupyterLab's terminals are login shells where nobody watches: /etc/profile sets a path anew."""
    environment, = re.findall(r"python3 -m venv (\S+)", dockerfile("course"))
    line, place = re.search(r"RUN echo '(.*)' >> (\S+)", dockerfile("course")).groups()
    assert place == "/home/learner/.profile"
    (tmp_path / ".profile").write_text(f"{line}\n")
    done = subprocess.run(["sh", "-l", "-c", "echo $PATH"], capture_output=True, text=True,
                          env={"HOME": str(tmp_path), "PATH": f"{environment}/bin:{os.defpath}"})
    assert done.stdout.startswith(f"{environment}/bin:")


def test_the_page_says_of_each_place_whether_it_was_run_and_names_files_that_exist():
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|$", PAGE.partition("## ")[0], re.MULTILINE)[1:]
    assert len(rows) >= 10
    assert [row for row in rows if not re.search(r"by the tests|by a test|by hand|only its image|"
                                                 r"not run", row[2])] == []
    files = [name for row in rows for name in re.findall(r"`([^`]*[./][^`]*)`", row[1])]
    assert len(files) >= 4 and [name for name in files if not (nb.ROOT / name).exists()] == []


def test_nothing_takes_precedence_over_the_environment_that_binder_reads():
    assert (nb.ROOT / "environment.yml").is_file()
    assert not any((nb.ROOT / name).exists() for name in ("Dockerfile", "binder", ".binder"))


def test_the_extras_and_targets_that_the_page_names_exist():
    extras = re.findall(r"pip install '\.\[(\w+)\]'", PAGE)
    assert extras and set(extras) <= set(PROJECT["optional-dependencies"])
    makefile = (nb.ROOT / "Makefile").read_text()
    targets = re.findall(r"`make (\w+)`", PAGE)
    assert targets and all(re.search(rf"^[\w ]*\b{name}\b[\w ]*:", makefile, re.M)
                           for name in targets)
