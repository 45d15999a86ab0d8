"""The sandbox starts, refuses to start, shows a short list of things, and leaves nothing behind."""

import ast
import subprocess
import sys
from pathlib import Path

import nbformat
import psutil
import pytest

from autograder import sandbox
from autograder.classroom import grade_class
from autograder.course import Course
from autograder.kernel import Kernel
from autograder.limits import Limits
from autograder.marking import mark
from autograder.sandbox import Contents, SandboxUnavailable
from autograder.templates import Template


#: An environment that lies in /tmp stays in sight there, and nothing else.
IN_TMP = sorted({Path(prefix).parts[2] for prefix in (sys.prefix, sys.base_prefix)
                 if prefix.startswith("/tmp/")})


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    data = tmp_path_factory.mktemp("data") / "data.csv"
    data.write_text("1,2")
    with Template(Contents(("gradem.check",), (data,), ("numpy",)), "bubblewrap") as template:
        yield template


@pytest.fixture
def kernel(template):
    with Kernel(template.connect(), Limits(cell_seconds=30)) as kernel:
        yield kernel


def says(kernel, expression):
    """The value of an expression in the kernel, as text."""
    outcome = kernel.run(expression)
    assert not outcome.error, outcome
    return outcome.outputs[-1].data


def says_value(kernel, expression):
    """The same, where it is made of lists and text."""
    return ast.literal_eval(says(kernel, expression))


# ---- starting ---------------------------------------------------------------


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


def test_python_that_others_may_not_read_is_refused_with_words(monkeypatch, tmp_path):
    tmp_path.chmod(0o700)
    monkeypatch.setattr(sandbox.sys, "prefix", str(tmp_path))
    with pytest.raises(SandboxUnavailable, match="chmod -R o.rX"):
        sandbox.shown()


def test_a_package_that_learners_code_would_not_see_is_told(monkeypatch, tmp_path, small_course):
    """As after pip install --user: it is installed, but not in Python's own folders."""
    (tmp_path / "surveying").mkdir()
    (tmp_path / "surveying" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    notebook = nbformat.read(small_course.source, as_version=4)
    notebook.cells[1].source += "\nimport surveying.tools"
    nbformat.write(notebook, small_course.source)
    path = small_course.hand_in("ada", small_course.submitted_notebook())
    with pytest.raises(SandboxUnavailable, match=f"surveying is installed in {tmp_path}.*venv"):
        mark(path, small_course.source, seed=1)


def test_what_the_sandbox_itself_needs_is_looked_for_too(monkeypatch, tmp_path):
    monkeypatch.setattr(sandbox, "shown", lambda: [str(tmp_path)])
    with pytest.raises(SandboxUnavailable, match="package numpy is installed in .*numpy, where"):
        sandbox.require_in_sight(Contents())


@pytest.mark.parametrize("contents", [
    Contents(), Contents(imports=("numpy.linalg", "scipy", "not_installed", "sys", "gradem.check")),
    Contents(files=(Path("data/helper.py"),), imports=("helper",))])
def test_what_is_in_sight_or_nowhere_is_no_trouble(monkeypatch, tmp_path, contents):
    (tmp_path / "helper.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    sandbox.require_in_sight(contents)


def test_unprotected_marking_works_and_says_so(small_course):
    path = small_course.hand_in("ada", small_course.submitted_notebook())
    report = mark(path, small_course.source, seed=1, sandbox="none")
    assert (report.points, report.sandbox) == (10.0, "none")


def test_a_zygote_that_does_not_start_says_why(monkeypatch):
    monkeypatch.setattr(sandbox, "program", lambda course: [
        sys.executable, "-c", "raise SystemExit('no luck')"])
    with pytest.raises(SandboxUnavailable, match="no luck"):
        Template(Contents(), "bubblewrap")


# ---- what is seen -------------------------------------------------------------


def test_data_files_can_be_read_and_not_written(kernel):
    assert says(kernel, "open('data.csv').read()") == "'1,2'"
    assert "Read-only" in kernel.run("open('data.csv', 'w')").error \
        or "Permission denied" in kernel.run("open('data.csv', 'w')").error


@pytest.mark.parametrize("attack", [
    "os.remove('data.csv')", "os.rename('data.csv', 'old.csv')", "os.replace('new.csv', 'data.csv')",
    "os.rename('/home/learner', '/home/other')", "os.link('data.csv', 'link.csv')",
    "os.chmod('data.csv', 0o666)", "os.truncate('data.csv', 0)", "os.utime('data.csv', (0, 0))"])
def test_nothing_can_be_put_in_the_place_of_a_data_file(kernel, attack):
    kernel.run("import os\nos.mkfifo('new.csv')")
    error = kernel.run(attack).error
    assert any(words in error for words in ("busy", "not permitted", "Read-only", "cross-device",
                                            "Permission denied")), error
    assert says(kernel, "open('data.csv').read()") == "'1,2'"


def test_the_kernel_sees_a_short_list_of_files(kernel):
    listing = says_value(kernel, "import os; [sorted(os.listdir(place)) for place in "
                           "('/home/learner', '/course', '/course/gradem', '/tmp', '/dev/shm')]")
    assert listing == [["data.csv"], ["autograder", "data", "gradem"],
                       ["__init__.py", "check.py", "observe.py"], IN_TMP, []]
    assert "judge.py" not in says(kernel, "os.listdir('/course/autograder')")
    assert set(says_value(kernel, "os.listdir('/etc')")) <= {
        "ld.so.cache", "localtime", "fonts", "alternatives"}


def test_the_kernel_sees_no_process_but_its_own(kernel):
    assert says(kernel, "import os; [n for n in os.listdir('/proc') if n.isdigit()]") == "['1']"


def test_the_kernel_has_no_open_file_but_its_wire(kernel):
    files = says_value(kernel, "import os; sorted(os.readlink(f'/proc/self/fd/{n}') for n in "
                         "os.listdir('/proc/self/fd') if os.path.exists(f'/proc/self/fd/{n}'))")
    others = [name for name in files if not name.startswith(("/dev/null", "anon_inode"))]
    assert len([name for name in others if name.startswith("socket")]) <= 3, others
    assert not [name for name in others if name.startswith("/") and "/proc" not in name], others


def test_the_kernel_holds_nothing_of_what_ran_before(template):
    with Kernel(template.connect(), Limits()) as kernel:
        kernel.run("secret = 4711; import os, sys; os.environ['X'] = '1'; sys.modules['evil'] = os")
        kernel.run("open('/tmp/left', 'w').write('left'); open('left', 'w'); open('/dev/shm/l', 'w')")
    with Kernel(template.connect(), Limits()) as kernel:
        found = says(kernel, "import os, sys; ['secret' in globals(), 'X' in os.environ, "
                             "'evil' in sys.modules, os.listdir('/tmp'), os.listdir('/dev/shm'), "
                             "os.path.exists('left')]")
    assert found == str([False, False, False, IN_TMP, [], False])


def test_two_kernels_draw_different_random_numbers(template):
    def draw():
        with Kernel(template.connect(), Limits()) as kernel:
            return says(kernel, "import random, numpy; (random.random(), numpy.random.rand())")
    assert draw() != draw()


def test_a_package_that_is_hidden_is_empty_and_cannot_be_written_to(monkeypatch):
    hidden = str(Path(psutil.__file__).parent)
    monkeypatch.setattr(sandbox, "hidden", lambda: [hidden])
    with Template(Contents(), "bubblewrap") as template, \
            Kernel(template.connect(), Limits()) as kernel:
        assert says(kernel, f"import os; os.listdir({hidden!r})") == "[]"
        assert "Read-only" in kernel.run(f"open({hidden + '/x'!r}, 'w')").error


def test_every_installed_copy_of_the_packages_is_hidden(monkeypatch, tmp_path):
    """Beside the one that runs, and under the name that it has inside."""
    packages = tmp_path / "real" / "lib" / "python3.11" / "site-packages"
    for name in ("gradem", "autograder", "numpy"):
        (packages / name).mkdir(parents=True)
    (tmp_path / "real" / "lib64").symlink_to("lib")
    (tmp_path / "prefix").symlink_to("real")
    monkeypatch.setattr(sandbox, "shown", lambda: [str(tmp_path / "prefix"), sys.executable])
    inside = tmp_path / "prefix" / "lib" / "python3.11" / "site-packages"
    assert sandbox.hidden() == [str(inside / "gradem"), str(inside / "autograder")]


def test_a_course_that_learners_could_read_is_not_graded(small_course, monkeypatch):
    small_course.hand_in("ada", small_course.submitted_notebook())
    link = small_course.root.parent / "link"
    link.symlink_to(small_course.root)
    course = Course(link)
    monkeypatch.setattr(sandbox, "shown", lambda: ["/usr", str(small_course.root.parent)])
    with pytest.raises(SandboxUnavailable, match="Move it to another folder"):
        next(grade_class(course, course.assignment("ps1")))
    assert not (small_course.root / "gradebook.db").exists()


@pytest.mark.parametrize("module", ["os", "gradem.", "gradem.../secret", "gradem.nothing", "autograder.judge"])
def test_only_modules_of_gradem_can_be_shown(tmp_path, module):
    with pytest.raises(ValueError, match="only modules of gradem"):
        sandbox.lay_out(tmp_path / "course", Contents((module,)))


def test_datasets_come_with_their_data(tmp_path):
    sandbox.lay_out(tmp_path / "course", Contents(("gradem.datasets",)))
    assert Path(tmp_path, "course", "gradem", "data", "old_faithful.csv").is_file()


# ---- what is left ---------------------------------------------------------------


def test_a_kernel_ends_with_everything_it_started(template):
    zygote = psutil.Process(template.process.pid)
    with Kernel(template.connect(), Limits()) as kernel:
        kernel.run("import subprocess; subprocess.Popen(['sleep', '1000'], start_new_session=True)")
        started = [child for child in zygote.children(recursive=True) if child.name() == "sleep"]
        assert started
        groups = kernel.group.folders
    assert not psutil.wait_procs(started, timeout=5)[1]
    assert not any(group.exists() for group in groups)


def test_a_template_ends_with_every_kernel_and_leaves_nothing_behind():
    template = Template(Contents(), "bubblewrap")
    kernel = Kernel(template.connect(), Limits())
    inside = psutil.Process(template.process.pid).children(recursive=True)
    template.close()
    assert not psutil.wait_procs(inside, timeout=5)[1]
    assert not template.folder.exists()
    assert not kernel.alive() and kernel.run("1").dead
    kernel.kill()


#: A kernel that takes every measure to outlive its zygote.
CLINGING = """
import ctypes, os, signal
ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)                    # PR_SET_PDEATHSIG: none
for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT): signal.signal(number, signal.SIG_IGN)
if os.fork() == 0:
    os.setsid()
    while True: pass
"""


@pytest.mark.parametrize("end", ["closed", "killed"])
def test_nothing_outlives_its_zygote(end):
    template = Template(Contents(), "bubblewrap")
    outer = psutil.Process(template.process.pid)
    with Kernel(template.connect(), Limits()) as kernel:
        kernel.run(CLINGING)
        inside = outer.children(recursive=True)
        if end == "killed":
            zygote = next(child for child in inside if "zygote" in " ".join(child.cmdline()))
            zygote.kill()
        else:
            template.close()
        assert not psutil.wait_procs(inside, timeout=10)[1]
    template.close()
