"""The process in which a notebook is judged has limits of its own."""

import subprocess
import sys

import pytest

# Multiprocessing finds functions by their module, and so these stand in a file of their own.
PROGRAM = """
import sys
from autograder import apart

def take(send, size):
    "Ask for memory, as a test does that makes an array of a learner's length."
    try:
        send(b"%d bytes" % len(bytearray(size)))
    except MemoryError:
        send(b"refused")

def count(send, power):
    "A test that takes ten to a learner's power: one instruction that no signal interrupts."
    send(b"begun")
    send(b"%d" % (10**power % 7))

if __name__ == "__main__":
    name, number, seconds = sys.argv[1:]
    ended = apart.call({"take": take, "count": count}[name], int(number), seconds=int(seconds))
    print(*[each.decode() for each in ended.sent], ended.in_time, ended.exitcode, sep=", ")
"""


def judge(folder, *arguments):
    """What such a process sends, whether it ended in time, and with which exit code."""
    program = folder / "program.py"
    program.write_text(PROGRAM)
    done = subprocess.run([sys.executable, program, *map(str, arguments)],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(("size", "answer"), [(2**20, "1048576 bytes"), (2**32, "refused")])
def test_a_judge_has_four_gigabytes_and_no_more(tmp_path, size, answer):
    assert judge(tmp_path, "take", size, 60) == f"{answer}, True, 0"


def test_a_judge_that_computes_without_end_is_ended(tmp_path):
    assert judge(tmp_path, "count", 6, 60) == "begun, 1, True, 0"
    assert judge(tmp_path, "count", 10**9, 3) == "begun, False, -9"
