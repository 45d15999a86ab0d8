"""The wire between judge and sandbox: typed values in, typed values out, nothing else.

A message is a JSON tree and a list of binary frames; the frames hold the arrays. Each
value states its type, and the decoder accepts exactly the types below: no pickle, no
eval, no class looked up by name. Sizes, depth and counts are capped before memory is
spent. Both ends use this module, but only the judge relies on it: what the sandbox
sends is what the learner's code wants to send.
"""

import collections
import json
import re
import struct

import numpy as np

from autograder import dataframes

MAX_TREE = 4_000_000          # bytes of JSON in a message
MAX_FRAMES = 64_000_000       # bytes of arrays in a message
MAX_FRAME_COUNT = 10_000
MAX_VALUES = 200_000          # values in a message
MAX_DEPTH = 20
MAX_DIGITS = 4_000            # hexadecimal digits of a whole number

HEADER = struct.Struct("!II")
FRAME = struct.Struct("!Q")
#: Types of arrays that cross: numbers, truth values, text, and times that have a unit.
DTYPE = re.compile(r"[<>|=](?:[biufcSU][1-9][0-9]{0,4}|[Mm]8\[[1-9]?[0-9]{0,3}[A-Za-z]{1,2}\])")
MAX_AXES = 16
CHUNK = 1 << 20
DICTIONARIES = (dict, collections.defaultdict, collections.Counter, collections.OrderedDict)
KEYS = {"plain", "ellipsis", "int", "float", "complex", "bytes", "range", "tuple", "frozenset",
        "number"}


class WireError(Exception):
    """A message that no honest partner sends, or a value that cannot be sent."""


# ---- values as trees --------------------------------------------------------


class Encoder:
    """Turn values into a tree of typed items and a list of frames.

    Parameters
    ----------
    refer : callable
        ``refer(value, encode)`` gives the item for a value that is not plain data, or
        raises WireError; `encode` makes the items of what is inside it.
    """

    def __init__(self, refer):
        self.refer = refer
        self.frames = []
        self.count = 0

    def encode(self, value, depth=0):
        """The item of one value: a list of its type's name and its content."""
        self.count += 1
        if depth > MAX_DEPTH:
            raise WireError(f"a value is nested more than {MAX_DEPTH} deep")
        if self.count > MAX_VALUES:
            raise WireError(f"more than {MAX_VALUES} values at once")
        kind = type(value)
        if value is None or kind is bool or kind is str:
            return ["plain", value]
        if value is Ellipsis:
            return ["ellipsis", None]
        if kind is int:
            return ["int", _hexadecimal(value)]
        if kind is float:
            return ["float", value.hex()]
        if kind is complex:
            return ["complex", [value.real.hex(), value.imag.hex()]]
        if kind is bytes:
            return ["bytes", value.hex()]
        if kind is slice or kind is range:
            return [kind.__name__, [self.encode(part, depth + 1)
                                    for part in (value.start, value.stop, value.step)]]
        if kind is list or kind is tuple:
            return [kind.__name__, [self.encode(item, depth + 1) for item in value]]
        if kind is set or kind is frozenset:
            return [kind.__name__, [self._key(item, depth + 1) for item in value]]
        if kind in DICTIONARIES:
            return ["dict", [[self._key(key, depth + 1), self.encode(item, depth + 1)]
                             for key, item in value.items()]]
        array = _plain_array(value)
        if array is not None:
            self.frames.append(array.tobytes())
            name = "array" if kind is np.ndarray else "number"
            return [name, [array.dtype.str, list(array.shape), len(self.frames) - 1]]
        parts = dataframes.taken_apart(value)
        if parts:
            return [parts[0], self.encode(parts[1], depth + 1)]
        return self.refer(value, lambda inside: self.encode(inside, depth + 1))

    def _key(self, value, depth):
        """The item of a key: only plain data can be told apart on the other side."""
        item = self.encode(value, depth)
        if not _is_plain_key(item):
            raise WireError("a set or the keys of a dict hold something that is not plain data")
        return item


class Decoder:
    """Turn a tree that came over the wire back into values, strictly.

    Parameters
    ----------
    resolve : callable
        Gives the value of an item ``(name, content)`` that is not plain data, or raises
        WireError.
    frames : list of bytes
    """

    def __init__(self, resolve, frames=()):
        self.resolve = resolve
        self.frames = frames
        self.count = 0

    def decode(self, item, depth=0):
        """The value of one item.

        Raises
        ------
        WireError
            If the item is not exactly what an Encoder makes.
        """
        self.count += 1
        if depth > MAX_DEPTH or self.count > MAX_VALUES:
            raise WireError("a value is too deep or too large")
        if type(item) is not list or len(item) != 2 or type(item[0]) is not str:
            raise WireError("an item is not a pair of type and content")
        name, content = item
        try:
            return self._value(name, content, depth + 1)
        except WireError:
            raise
        except Exception as error:        # whatever parts that do not belong together lead to
            raise WireError(f"a malformed {name[:20]}: {type(error).__name__}") from None

    def _value(self, name, content, depth):
        if name == "plain":
            if content is None or type(content) in (bool, str):
                return content
            raise WireError("a plain item must be None, a truth value or text")
        if name == "ellipsis":
            return Ellipsis
        if name == "int":
            return _whole_number(content)
        if name == "float":
            return float.fromhex(content)
        if name == "complex":
            return complex(float.fromhex(content[0]), float.fromhex(content[1]))
        if name == "bytes":
            return bytes.fromhex(content)
        if name in ("slice", "range"):
            start, stop, step = (self.decode(part, depth) for part in content)
            return {"slice": slice, "range": range}[name](start, stop, step)
        if name in ("list", "tuple", "set", "frozenset"):
            if type(content) is not list:
                raise WireError(f"a {name} must be a list of items")
            make = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}[name]
            # one by one: a set of numbers that all have the same hash takes long to make, and
            # between two of them it can be interrupted
            return make(self.decode(part, depth) for part in content)
        if name == "dict":
            return {self.decode(key, depth): self.decode(value, depth) for key, value in content}
        if name in ("array", "number"):
            return self._array(name, *content)
        if name in ("series", "frame"):
            return dataframes.put_together(name, self.decode(content, depth))
        if name == "named":
            described, parts = content
            content = described, [self.decode(part, depth) for part in parts]
        return self.resolve(name, content, self)

    def _array(self, name, dtype, shape, frame):
        if type(dtype) is not str or not DTYPE.fullmatch(dtype):
            raise WireError("an array of a type that is not sent")
        if len(shape) > MAX_AXES or not all(type(n) is int and n >= 0 for n in shape):
            raise WireError("an array of an impossible shape")
        if type(frame) is not int or frame < 0:
            raise WireError("an array without its frame")
        array = np.frombuffer(self.frames[frame], dtype=np.dtype(dtype)).reshape(shape).copy()
        if name == "array":
            return array
        if array.shape != ():
            raise WireError("a number with axes")
        return array[()]


def _is_plain_key(item):
    name, content = item
    inside = content if name in ("tuple", "frozenset") else []
    return name in KEYS and all(map(_is_plain_key, inside))


def _plain_array(value):
    """NumPy's own array or number as an array that can be sent; None if it cannot."""
    kind = type(value)
    if kind is not np.ndarray and not (isinstance(value, np.generic) and kind.__module__ == "numpy"):
        return None
    array = np.asarray(value)
    if array.dtype.kind in "SU" and array.dtype.itemsize == 0:
        array = array.astype(f"{array.dtype.kind}1")      # no buffer can hold text without room
    if array.ndim > MAX_AXES or not DTYPE.fullmatch(array.dtype.str):
        return None
    return array


def _hexadecimal(number):
    digits = f"{number:x}"
    if len(digits) > MAX_DIGITS:
        raise WireError(f"a whole number of more than {MAX_DIGITS} hexadecimal digits")
    return digits


def _whole_number(text):
    if type(text) is not str or len(text) > MAX_DIGITS or not re.fullmatch(r"-?[0-9a-f]+", text):
        raise WireError("a malformed whole number")
    return int(text, 16)


# ---- messages on a socket ---------------------------------------------------


class Wire:
    """Messages over a connected socket.

    Parameters
    ----------
    socket : socket.socket
    wait : callable, optional
        Called before each read or write of a piece; it may set the socket's timeout, and
        raise to give up. It is called again after a timeout.
    """

    def __init__(self, socket, wait=lambda socket: None):
        self.socket = socket
        self.wait = wait
        self.received = 0             # bytes, in all

    def send(self, tree, frames=()):
        """Send one message."""
        text = json.dumps(tree).encode()
        if len(text) > MAX_TREE or len(frames) > MAX_FRAME_COUNT \
                or sum(map(len, frames)) > MAX_FRAMES:
            raise WireError("a message is too large to send")
        head = HEADER.pack(len(text), len(frames))
        self._write(head + text + b"".join(FRAME.pack(len(frame)) for frame in frames))
        for frame in frames:
            self._write(frame)

    def receive(self):
        """Receive one message: its tree, and its frames."""
        size, count = HEADER.unpack(self._read(HEADER.size))
        if size > MAX_TREE or count > MAX_FRAME_COUNT:
            raise WireError("a message is too large")
        text = self._read(size)
        sizes = [FRAME.unpack(self._read(FRAME.size))[0] for _ in range(count)]
        if sum(sizes) > MAX_FRAMES:
            raise WireError("the arrays of a message are too large")
        frames = [self._read(size) for size in sizes]
        try:
            return json.loads(text), frames
        except (ValueError, RecursionError):
            raise WireError("a message is not JSON") from None

    def _write(self, data):
        data = memoryview(data)
        while data:
            self.wait(self.socket)
            try:
                data = data[self.socket.send(data[:CHUNK]):]
            except TimeoutError:
                continue

    def _read(self, size):
        data = bytearray()
        while len(data) < size:
            self.wait(self.socket)
            try:
                piece = self.socket.recv(min(CHUNK, size - len(data)))
            except TimeoutError:
                continue
            if not piece:
                raise EOFError("the other side closed the connection")
            data += piece
            self.received += len(piece)
        return bytes(data)
