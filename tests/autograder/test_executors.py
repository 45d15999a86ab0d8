"""Jobs are done on this machine or on a Dask cluster, and no death loses a submission."""

import functools
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from nbgrader.api import Gradebook

from autograder import apart, executors, job
from autograder.classroom import grade_class
from autograder.cli import main
from autograder import Unusable
from autograder.course import Course
from autograder.executors import completed

from .conftest import submitted_notebook

STUDENTS = [f"s{number}" for number in range(8)]
SLOW = "import time\ntime.sleep(0.5)\n\n\ndef square(x):\n    return x * x"


@pytest.fixture
def a_class(small_course):
    """Eight who hand in, each with an answer that takes half a second."""
    for student in STUDENTS:
        small_course.hand_in(student, submitted_notebook(square=SLOW))
    return Course(small_course.root)


def scores(course):
    with Gradebook(course.db_url, "small") as book:
        return {each.student.id: each.score for each in book.assignment_submissions("ps1")}


# ---- on this machine ------------------------------------------------------------


def test_local_workers_mark_side_by_side(a_class):
    local = functools.partial(executors.local, 4)
    results = list(grade_class(a_class, a_class.assignment("ps1"), executor=local))
    assert sorted(result.student for result in results) == STUDENTS
    assert scores(a_class) == dict.fromkeys(STUDENTS, 10)


def test_a_judge_that_is_killed_costs_nobody_a_mark(a_class):
    def kill_one():
        while not apart._running:
            time.sleep(0.01)
        process = next(iter(apart._running))
        time.sleep(0.3)
        os.kill(process.pid, signal.SIGKILL)
        return process.pid

    with ThreadPoolExecutor(1) as other:
        killed = other.submit(kill_one)
        results = list(grade_class(a_class, a_class.assignment("ps1")))
        assert killed.result()
    assert {result.student: result.points for result in results} == dict.fromkeys(STUDENTS, 10)
    assert scores(a_class) == dict.fromkeys(STUDENTS, 10)


def test_what_runs_ends_when_the_one_who_asked_goes_away(a_class):
    with pytest.raises(RuntimeError, match="enough"):
        for _ in grade_class(a_class, a_class.assignment("ps1")):
            raise RuntimeError("enough")
    deadline = time.monotonic() + 10
    while apart._running and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not apart._running and len(scores(a_class)) == 1


def test_only_a_few_jobs_are_made_in_advance():
    made = []

    def jobs():
        for number in range(50):
            made.append(number)
            yield number, "known" if number % 2 else None

    with ThreadPoolExecutor(2) as pool:
        outcomes = {}
        for number, outcome in completed(pool, lambda: 2, lambda number: -number, jobs()):
            outcomes[number] = outcome
            assert len(made) - len(outcomes) <= 4
    assert outcomes == {number: "known" if number % 2 else -number for number in range(50)}


# ---- on a cluster ---------------------------------------------------------------


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A scheduler and two workers as one would start them; returns address and processes."""
    pytest.importorskip("distributed")
    folder = tmp_path_factory.mktemp("dask")
    started = []

    def start(name, *arguments):
        log = open(folder / f"{name}{len(started)}.log", "w")
        started.append(subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{name}", *arguments, "--no-dashboard"],
            stdout=log, stderr=subprocess.STDOUT, cwd=folder))
        return started[-1]

    address = f"tcp://127.0.0.1:{free_port()}"
    start("scheduler", "--host", "127.0.0.1", "--port", address.rpartition(":")[2])
    workers = [start("worker", address, "--nthreads", "1", "--local-directory", str(folder))
               for _ in range(2)]
    yield address, workers
    for process in started:
        kill_all(process.pid)
        process.wait()


def free_port():
    import socket
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]


def kill_all(pid):
    """Kill a process and everything below it, as a power cut does; returns what there was."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
    for each in family:
        try:
            each.kill()
        except psutil.NoSuchProcess:
            pass
    return family


def wait_for_workers(address, count):
    from distributed import Client
    with Client(address, timeout=30, set_as_default=False) as client:
        client.wait_for_workers(count, timeout=60)


def test_a_cluster_one_of_whose_workers_is_killed(cluster, a_class, capsys):
    address, (_, second) = cluster
    wait_for_workers(address, 2)
    job.grader.cache_clear()        # the workers read the source now
    results, killed = [], []
    dask = functools.partial(executors.dask, address)
    for result in grade_class(a_class, a_class.assignment("ps1"), executor=dask):
        results.append(result)
        if len(results) == 2:
            killed = kill_all(second.pid)
    assert len(killed) > 2          # it was judging: its nanny, itself, and what it had started
    assert sorted(result.student for result in results) == STUDENTS
    assert {result.points for result in results} == {10}
    assert scores(a_class) == dict.fromkeys(STUDENTS, 10)
    assert not psutil.wait_procs(killed, timeout=10)[1]

    code = main(["grade", "ps1", "--course", str(a_class.root), "--scheduler", address])
    assert code == 0 and "Kept: 8 of 8" in capsys.readouterr().out


def test_a_worker_with_another_grader_is_refused(cluster, a_class, monkeypatch):
    wait_for_workers(cluster[0], 1)
    monkeypatch.setattr(job, "grader", lambda: "another version")
    with pytest.raises(Unusable, match="another version of the grader"):
        list(grade_class(a_class, a_class.assignment("ps1"),
                         executor=functools.partial(executors.dask, cluster[0])))
    assert scores(a_class) == {}


def test_nobody_at_the_address(a_class, capsys, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(executors, "CONNECT_SECONDS", 1)
    for address in (f"tcp://127.0.0.1:{free_port()}", "nonsense://"):
        assert main(["grade", "ps1", "--course", str(a_class.root), "--scheduler", address]) == 2
        error = capsys.readouterr().err.strip().splitlines()[-1]
        assert error.startswith(f"autograder: No Dask scheduler answers at {address}")


def test_a_cluster_without_workers(a_class):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=0, dashboard_address=":0") as empty:
        with pytest.raises(Unusable, match="has no worker. Start one"):
            list(grade_class(a_class, a_class.assignment("ps1"),
                             executor=functools.partial(executors.dask, empty.scheduler_address)))


def test_without_dask(a_class, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(Unusable, match="pip install distributed"):
        list(grade_class(a_class, a_class.assignment("ps1"),
                         executor=functools.partial(executors.dask, "tcp://127.0.0.1:1")))
