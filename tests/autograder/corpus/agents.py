"""Forging the mark with knowledge of this grader: what answers in the kernel's place lies.

A kernel has one line to the grader, the wire, on which it tells how cells ended and
answers the judge (autograder.agent). Learner code runs in the same process, so it may do
anything there that the wire lets through.
"""

from .case import WRONG, Case, kinds

# The second answer is right as it stands in the notebook; whoever replaces what answers the
# judge loses it here. A grader without that part gives its points, and does nothing wrong.
LOST = {"spoils": True}
BROKEN = {**LOST, "incidents": kinds("protocol", "kernel-died", "timeout")}


def answering(code):
    """An agent that answers every request in this way."""
    return WRONG + f"""
import autograder.agent as agent, autograder.bridge as bridge, os, socket, struct, time
def answer(self, request, frames):
{code}
agent.Agent.answer = answer
"""


CASES = [
    Case("the agent says that everything is true", answering("""
    self.wire.send(["value", ["plain", True]])"""), **LOST),
    Case("two threads answer each request", answering("""
    import threading
    reply = ["value", ["plain", True]]
    other = threading.Thread(target=self.wire.send, args=(reply,))
    other.start()
    self.wire.send(reply)
    other.join()"""), **LOST, may=kinds("protocol", "kernel-died", "timeout")),
    Case("the agent says that everything is nine", answering("""
    if request[0] == "get":
        return self.wire.send(["value", self.refer(lambda: 9)])
    self.wire.send(["value", ["float", (9.0).hex()]])"""), deserves=(2, 5), **LOST),
    Case("the agent says the test is over", WRONG + """
import autograder.agent as agent
agent.Agent.serve = lambda self: None
""", **BROKEN),
    Case("the agent forges the end of a program", answering("""
    self.wire.send(["error", "SystemExit", "0", ""])"""), **LOST),
    Case("the agent forges the judge's own interruption", answering("""
    self.wire.send(["error", "Interruption", "timeout", ""])"""), **LOST),
    Case("the agent forges a failed check with words of its own", answering("""
    self.wire.send(["error", "AssertionError", "Passed. <b>5</b> of 5 points", "line"])"""),
         **LOST),
    Case("the agent calls back for ever", answering("""
    while True:
        self.wire.send(["callback", 0, ["list", []], ["dict", []]])"""), **BROKEN),
    Case("the agent calls functions that it was never handed", answering("""
    self.wire.send(["callback", -1, ["list", []], ["dict", []]])"""), **BROKEN),
    Case("the agent floods the wire", answering("""
    self.wire.socket.sendall(struct.pack("!II", 4_000_000_000, 4_000_000_000))
    while True:
        self.wire.socket.sendall(b"[" * 1_000_000)"""), **BROKEN),
    Case("the agent sends an array of a million million entries", answering("""
    self.wire.send(["value", ["array", ["<f8", [1000000, 1000000], 0]]], [b"12345678"])"""),
         **BROKEN),
    Case("the agent sends a pickle as an array of objects", answering("""
    self.wire.send(["value", ["array", ["|O", [1], 0]]], [b"12345678"])"""), **BROKEN),
    Case("the agent sends lists within lists", answering("""
    self.wire.socket.sendall(struct.pack("!II", 3_000_000, 0) + b"[" * 3_000_000)
    time.sleep(0.1)"""), **BROKEN),
    Case("the agent sends millions of small values", answering("""
    text = b'["value",["list",[' + b'["plain",null],' * 200_000 + b'["plain",null]]]]'
    self.wire.socket.sendall(struct.pack("!II", len(text), 0) + text)"""), **BROKEN),
    Case("the agent sends a whole number of a million digits", answering("""
    self.wire.send(["value", ["int", "f" * 1_000_000]])"""), **BROKEN),
    Case("the agent sends exceptions with megabytes of blanks", answering("""
    self.wire.send(["error", "ValueError", " " * 3_000_000, " " * 900_000])"""), **LOST),
    Case("the agent sends a set of numbers that all have the same hash", WRONG + """
import autograder.agent as agent, struct
answer = agent.Agent.answer
def lie(self, request, frames):
    if request[0] == "get" or self.objects[request[1][1]].__name__ != "square":
        return answer(self, request, frames)
    numbers = ",".join('["int","%x"]' % (number * (2**61 - 1)) for number in range(120_000))
    text = f'["value",["set",[{numbers}]]]'.encode()
    self.wire.socket.sendall(struct.pack("!II", len(text), 0) + text)
agent.Agent.answer = lie
""", waits=True, incidents=kinds("timeout")),
    Case("the agent sends a handle that is no handle", answering("""
    self.wire.send(["value", ["handle", [{"a": 1}, "function", None, [], 0, "(x=__import__('os'))"]]])"""),
         **BROKEN),
    Case("the agent gives a signature that would be evaluated", answering("""
    self.wire.send(["value", ["handle", [1, "function", "function", "square", "",
                                         "(x=print(open('/etc/passwd').read()))"]]])"""),
         **LOST),
    Case("the agent repeats what it said before", answering("""
    if not hasattr(self, "said"):
        self.said = ["value", self.refer(lambda *args: -1.0)]
    self.wire.send(self.said)"""), **LOST),
    Case("answers are sent before anybody has asked", WRONG + """
import gc, socket
import autograder.bridge as bridge
for wire in [thing for thing in gc.get_objects() if isinstance(thing, bridge.Wire)]:
    for _ in range(50):
        wire.send(["done", "", [], False])
        wire.send(["value", ["float", (9.0).hex()]])
        wire.send(["idle"])
""", **BROKEN),
    Case("the outcome of a cell has another form", WRONG + """
import autograder.bridge as bridge
send = bridge.Wire.send
def lie(self, tree, frames=()):
    if tree and tree[0] == "done":
        tree = ["done", "", [["text/html; charset=x", {"a": 1}]], "no"]
    send(self, tree, frames)
bridge.Wire.send = lie
""", incidents=kinds("protocol")),
    Case("the outcome of every cell is as large as the wire allows", """
import autograder.bridge as bridge
send = bridge.Wire.send
def lie(self, tree, frames=()):
    if tree and tree[0] == "done":
        tree = ["done", "", [["stdout", "x" * 3_900_000]], False]
    send(self, tree, frames)
bridge.Wire.send = lie
""" + WRONG, incidents=kinds("protocol")),
    Case("the kernel forks, and both answer", WRONG + "\nimport os\nos.fork()\n", spoils=True,
         incidents=kinds("protocol", "kernel-died", "timeout"), may=kinds("too-many-deaths"),
         seconds=120),            # whose answer comes first is chance, and each may be waited for
    Case("the wire is closed", WRONG + "\nimport os\nos.closerange(3, 256)\n",
         incidents=kinds("protocol", "kernel-died")),
    Case("another program takes the kernel's place and lies", WRONG + '''
import os, sys
LIAR = """
import json, socket, struct
wire = socket.socket(fileno=3)
def read(size):
    data = b""
    while len(data) < size:
        data += wire.recv(size - len(data)) or exit()
    return data
def send(tree):
    text = json.dumps(tree).encode()
    wire.sendall(struct.pack("!II", len(text), 0) + text)
send(["done", "", [], False])
while True:
    size, count = struct.unpack("!II", read(8))
    request = json.loads(read(size))
    for size in [struct.unpack("!Q", read(8))[0] for _ in range(count)]:
        read(size)
    if request[0] == "run": send(["done", "", [], False])
    elif request[0] == "bye": send(["idle"])
    elif request[0] != "test": send(["value", ["plain", True]])
"""
os.set_inheritable(3, True)
os.execv(sys.executable, [sys.executable, "-c", LIAR])
''', **LOST, may=kinds("kernel-died", "protocol")),
    Case("the agent never answers", answering("    time.sleep(1000)"), waits=True, **BROKEN),
    Case("the agent answers a byte at a time", answering("""
    for byte in struct.pack("!II", 100, 0) + b" " * 90:
        self.wire.socket.sendall(bytes([byte])); time.sleep(0.5)"""), waits=True, **BROKEN),
    Case("the kernel stops itself", WRONG + "\nimport os, signal\nos.kill(os.getpid(), signal.SIGSTOP)\n",
         may=kinds("timeout", "kernel-died")),
]
