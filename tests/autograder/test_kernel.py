"""A kernel may send what it likes: each cell ends with an outcome, in time, in bounds."""

import json
import struct

import pytest

from autograder.kernel import Kernel
from autograder.limits import Limits
from autograder.sandbox import Contents, SandboxUnavailable
from autograder.templates import Template, connect


@pytest.fixture(scope="module")
def template():
    with Template(Contents(), "bubblewrap") as template:
        yield template


def message(tree):
    text = json.dumps(tree).encode()
    return struct.pack("!II", len(text), 0) + text


def lie(data):
    """A cell that writes bytes on the wire, whose number the learner can find out."""
    return f"import os, time\nos.write(3, {data!r})\ntime.sleep(0.5)"


@pytest.mark.parametrize("data", [
    b"x" * 100, b"\0" * 100, struct.pack("!II", 2**32 - 1, 0), struct.pack("!II", 0, 2**32 - 1),
    struct.pack("!II", 2, 1) + b"{}" + struct.pack("!Q", 2**60), message(None), message([]),
    message("done"), message(["done"]), message(["done", 1, [], False]),
    message(["done", "", [["stdout", 1]], False]), message(["done", "", [["text/x", ""]], False]),
    message(["done", "", {}, False]), message(["done", "", [[]], 0]), message(["value", "x"]),
    message(["done", "", [["error"] * 3], True]), struct.pack("!II", 3, 0) + b"[[[",
    struct.pack("!II", 100_000, 0) + b"[" * 100_000, message(["idle"]),
    message(["done", "", [["stdout", "x" * 60_000]] * 20, False]),
    message(["done", "", [["stdout", "x"]] * 2000, False]),
], ids=range(21))
def test_a_message_of_another_form_ends_the_kernel(template, data):
    with Kernel(template.connect(), Limits(cell_seconds=10)) as kernel:
        outcome = kernel.run(lie(data))
    assert (outcome.incident, outcome.dead) == ("protocol", True)


def test_a_forged_end_of_a_cell_is_taken_for_it_and_gains_nothing(template):
    with Kernel(template.connect(), Limits(cell_seconds=10)) as kernel:
        forged = kernel.run(lie(message(["done", "", [["stdout", "all right"]], False])))
        assert forged.outputs[0].data == "all right"
        assert not kernel.run("1").error       # the answer to the cell before
        assert kernel.end_test(interrupted=False).dead


@pytest.mark.parametrize("code, incident", [
    ("import os; os._exit(0)", "kernel-died"),
    ("import ctypes; ctypes.string_at(0)", "kernel-died"),
    ("import os; os.abort()", "kernel-died"),
    ("import os; os.close(3)", "kernel-died"),
    ("import socket; socket.socket(fileno=3).shutdown(2)", "kernel-died"),
    ("import os\nwhile True: os.write(3, b'\\0' * 1000)", "protocol"),
    ("import resource; resource.setrlimit(resource.RLIMIT_CPU, (1, 1))\nwhile True: pass", "kernel-died"),
])
def test_a_kernel_that_ends_is_dead(template, code, incident):
    with Kernel(template.connect(), Limits(cell_seconds=8)) as kernel:
        outcome = kernel.run(code)
        assert (outcome.incident, outcome.dead) == (incident, True)
        assert kernel.run("1").dead


@pytest.mark.parametrize("place", ["", "if os.fork(): os.wait()\n"], ids=["itself", "a child"])
def test_processor_time_is_bounded(template, place):
    with Kernel(template.connect(), Limits(cpu_seconds=1, cell_seconds=60)) as kernel:
        kernel.run("import os, signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)")
        outcome = kernel.run(f"{place}else:\n    while True: pass" if place else "while True: pass")
        assert outcome.dead == (not place) and outcome.incident == ("" if place else "kernel-died")


def test_a_dead_kernel_does_not_touch_the_next_one(template):
    with Kernel(template.connect(), Limits()) as kernel:
        kernel.run("import os; os._exit(0)")
        with Kernel(template.connect(), Limits()) as other:
            assert other.run("1").outputs[0].data == "1"


def test_a_test_gives_the_wire_back(template):
    with Kernel(template.connect(), Limits()) as kernel:
        kernel.begin_test()
        kernel.wire.sendall(message(["bye"]))
        assert not kernel.end_test(interrupted=False).dead
        assert kernel.run("1").outputs[0].data == "1"


def test_an_interrupted_test_gives_the_wire_back(template):
    with Kernel(template.connect(), Limits()) as kernel:
        kernel.begin_test()
        kernel.wire.sendall(message(["get", "__name__"]))
        kernel.wire.recv(1000)
        assert not kernel.end_test(interrupted=True).dead
        assert kernel.run("1").outputs[0].data == "1"


def test_a_cell_too_long_for_the_wire_is_an_error_of_the_cell(template):
    with Kernel(template.connect(), Limits()) as kernel:
        outcome = kernel.run("x = '" + "a" * 5_000_000 + "'")
        assert "too long" in outcome.error and not outcome.dead
        assert kernel.run("1").outputs[0].data == "1"


def test_a_template_that_is_gone_gives_no_kernel(tmp_path):
    with pytest.raises(SandboxUnavailable, match="has ended"):
        connect(str(tmp_path / "door"))
