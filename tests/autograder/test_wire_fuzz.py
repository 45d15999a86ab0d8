"""A judge whose sandbox answers anything: no answer harms it, and none earns a point unearned.

The agent here is one that learner code has replaced. It answers with whatever hypothesis
finds: JSON of the right and of the wrong form, forged handles and call-backs, frames that
do not fit, bytes that are no message. A test cell must end, in time, in one of three ways:
it fails, it is interrupted, or the right data came.
"""

import json
import socket
import threading
import time

import nbformat
import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_notebook

from autograder.bridge import FRAME, HEADER, Wire
from autograder.channel import Channel, Interruption
from autograder.judge import Judge

from .conftest import cell

SECONDS = 0.3
SETUP = "import numpy as np, pytest\nfrom gradem import check, observe"
SOLUTION = "class Dual: pass\ndef f(x): return x\nanswer = 1"
#: Tests that can be passed, and what then must have been said.
PROOFS = {"a-number": (2.5).hex().encode(), "an-operator": (2.5).hex().encode(),
          "an-array": np.array([1.0, 4.0]).tobytes(), "text": b'"right"',
          "a-pair": (4.0).hex().encode()}
TESTS = {
    "a-number": "check.close(f(2.0), 2.5)",
    "an-array": "check.close(f(np.arange(2.0)), np.array([1.0, 4.0]))",
    "text": "check.equal(answer, 'right')",
    "an-operator": "check.close((Dual(1.0) * 2.0).value, 2.5)",
    "a-callback": "said = []\nf(lambda *a, **k: said.append((a, k)))\nassert said == ['never']",
    "iteration": "assert list(f(3)) == ['never']",
    "length": "assert len(f(3)) == -1",
    "a-branch": "f(lambda x: 1.0 if x > 0 else 2.0)\nassert False",
    "allclose": "assert np.allclose(f(1.0), 2.5) and False",
    "observed": "seen = observe.call(f, [1])\nassert seen.printed == 'never' and False",
    "drawn": "axes, = observe.drawing(f)\nassert axes.title == 'never' and False",
    "a-pair": "got = f(1)\nassert isinstance(got, tuple) and got == (1.0, 4.0)",
    "a-class": "assert isinstance(f(1), Dual) and False",
    "an-exception": "with pytest.raises(ValueError, match='never'):\n    f(1)\nassert False",
}


def judge():
    cells = [cell(SETUP, "setup", locked=True), cell(SOLUTION, "answers", solution=True)]
    cells += [cell(test, name, points=1, locked=True) for name, test in TESTS.items()]
    judge = Judge(nbformat.reads(nbformat.writes(new_notebook(cells=cells)), as_version=4), 1)
    judge.run_instructors_cell(SETUP)
    return judge


JUDGE = judge()


# ---- what a hostile agent says --------------------------------------------------


words = st.sampled_from([
    "plain", "ellipsis", "int", "float", "complex", "bytes", "slice", "range", "list", "tuple",
    "set", "frozenset", "dict", "array", "number", "series", "frame", "handle", "callback",
    "library", "shared", "instance", "value", "error", "returned", "class", "function", "object",
    "Dual", "f", "<f8", "|O", "object", "(x, *, y=1)", "nan", "-1", "7fffffff", "never"])
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 10**6) | st.floats() | st.text(max_size=4) | words,
    lambda inside: st.lists(inside, max_size=5) | st.dictionaries(words, inside, max_size=2),
    max_leaves=12)
numbers = st.integers(-1, 3)
handles = st.tuples(
    numbers, st.sampled_from(["class", "function", "object", "else"]),
    st.sampled_from(["Dual", "float", "ndarray", "a b", "<b>"]), words, words,
    st.sampled_from(["(x)", "(x, y=[1])", "(*a, **k)", "(", "(x=1/0)", ")(",
                     "(x=" + "(" * 90]),
).map(lambda parts: ["handle", list(parts)])
leaves = (handles | st.just(["plain", "right"]) | st.just(["float", 2.5.hex()])
          | st.just(["array", ["<f8", [2], 0]]) | st.just(["int", "f" * 40])
          | st.just(["float", 1.0.hex()]) | st.just(["float", 4.0.hex()])
          | st.just(["range", [["int", "0"], ["int", "f" * 20], ["int", "1"]]])
          | st.tuples(words, anything).map(list))
items = st.recursive(
    leaves, lambda inside: st.tuples(st.sampled_from(["list", "tuple", "set", "dict", "frame"]),
                                     st.lists(inside, max_size=4)).map(list)
    | st.tuples(handles, st.lists(inside, max_size=3)).map(
        lambda parts: ["named", [parts[0][1], parts[1]]]), max_leaves=8)
trees = (items.map(lambda item: ["value", item])
         | st.tuples(numbers, items, items).map(lambda parts: ["callback", *parts])
         | st.tuples(numbers, st.lists(items, max_size=3)).map(
             lambda parts: ["callback", parts[0], ["list", parts[1]], ["dict", []]])
         | st.sampled_from(["ValueError", "KeyboardInterrupt", "SystemExit", "Interruption", "x"])
         .map(lambda kind: ["error", kind, "never", "line"]) | anything)
frames = st.lists(st.sampled_from([b"", b"\0" * 8, np.array([1.0, 4.0]).tobytes(), b"\xff" * 16]),
                  max_size=2)


def packed(tree, frames):
    text = json.dumps(tree).encode()
    sizes = b"".join(FRAME.pack(len(frame)) for frame in frames)
    return HEADER.pack(len(text), len(frames)) + text + sizes + b"".join(frames)


messages = st.builds(packed, trees, frames)
broken = (st.binary(max_size=40) | messages.map(lambda message: message[:-1])
          | st.sampled_from([HEADER.pack(2**32 - 1, 0), HEADER.pack(2, 2**32 - 1) + b"[]",
                             HEADER.pack(2, 1) + b"[]" + FRAME.pack(2**63),
                             HEADER.pack(9000, 0) + b"[" * 9000, HEADER.pack(2, 0) + b"\xff\xfe"]))


def converse(test, said):
    """Run a test cell against an agent that says these messages, then hangs up.

    Returns
    -------
    passed : bool
    seconds : float
    """
    ours, theirs = socket.socketpair()

    def agent():
        wire = Wire(theirs)
        try:
            for message in said:
                wire.receive()
                theirs.sendall(message)
            wire.receive()
        except (OSError, EOFError):
            pass
        theirs.close()

    thread = threading.Thread(target=agent, daemon=True)
    thread.start()
    start = time.monotonic()
    ours.settimeout(SECONDS)
    channel = Channel(ours, start + SECONDS, thread.is_alive, JUDGE.shared, JUDGE.classes)
    try:
        JUDGE.run_test(test, channel)
        passed = True
    except (Exception, Interruption):
        passed = False
    except BaseException as error:     # pytest.raises reports with one that is no Exception
        assert type(error).__name__ == "Failed", error
        passed = False
    seconds = time.monotonic() - start
    ours.close()
    thread.join()
    return passed, seconds


hostile = settings(max_examples=600, deadline=None,
                   suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@hostile
@given(st.sampled_from(sorted(TESTS)), st.lists(messages, min_size=1, max_size=6))
def test_messages_of_the_right_form(test, said):
    passed, seconds = converse(test, said)
    assert seconds < SECONDS + 3
    assert not passed or any(PROOFS[test] in message for message in said)


@hostile
@given(st.sampled_from(sorted(TESTS)), st.lists(messages, max_size=3), broken)
def test_what_is_no_message(test, said, last):
    passed, seconds = converse(test, [*said, last])
    assert seconds < SECONDS + 3
    assert not passed or any(PROOFS[test] in message for message in said)
