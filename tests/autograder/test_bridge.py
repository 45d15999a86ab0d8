"""What crosses the wire arrives as it was sent, and what is malformed is refused early."""

import socket
import struct
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpys
from hypothesis.extra.numpy import array_shapes, arrays, scalar_dtypes

from autograder import bridge
from autograder.bridge import Decoder, Encoder, Wire, WireError

plain = (st.none() | st.booleans() | st.integers() | st.floats() | st.complex_numbers()
         | st.text() | st.binary())
values = st.recursive(
    plain, lambda inner: st.lists(inner) | st.lists(inner).map(tuple)
    | st.dictionaries(st.text() | st.integers(), inner), max_leaves=20)
plain_arrays = arrays(
    scalar_dtypes().filter(lambda dtype: dtype.kind in "biufc"), array_shapes(min_dims=0))


#: Of every type that NumPy has: records, times with and without a unit, text of any width.
all_arrays = arrays(
    scalar_dtypes() | numpys.unicode_string_dtypes() | numpys.byte_string_dtypes()
    | numpys.datetime64_dtypes() | numpys.timedelta64_dtypes() | numpys.array_dtypes()
    | st.sampled_from(["<U0", "|S0", "<f2", "<f16", "<c32", "?", ">i4", "<M8", "<m8"]),
    array_shapes(min_dims=0, max_side=3) | st.just((1,) * 17))


def no_reference(value, encode):
    raise WireError("not plain data")


def no_object(name, content, decoder):
    raise WireError("no such object")


def there_and_back(value):
    encoder = Encoder(no_reference)
    item = encoder.encode(value)
    return Decoder(no_object, encoder.frames).decode(item)


def same(a, b):
    """Equal in value and type, where NaN equals itself."""
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    return repr(a) == repr(b)


@given(values)
def test_plain_values_arrive_as_they_were(value):
    assert same(there_and_back(value), value)


@given(plain_arrays)
def test_arrays_arrive_bit_by_bit(array):
    back = there_and_back(array)
    assert type(back) is np.ndarray and back.dtype == array.dtype and back.shape == array.shape
    assert back.tobytes() == array.tobytes()


@given(all_arrays, st.booleans())
def test_arrays_of_any_type_arrive_or_are_not_sent(array, one):
    """What the sender lets through, the receiver takes: nobody is accused of a forgery for it."""
    value = array[(0,) * array.ndim] if one else array
    encoder = Encoder(no_reference)
    try:
        item = encoder.encode(value)
    except WireError:
        assert array.dtype.kind == "V" or array.dtype.str[1:] in ("M8", "m8") or array.ndim > 16
        return
    back = Decoder(no_object, encoder.frames).decode(item)
    assert type(back) is type(value)
    assert back.tobytes() == value.tobytes() if isinstance(value, np.ndarray) else repr(back) == repr(value)


@pytest.mark.parametrize("value", [
    np.float64(1.5), np.int32(-2), np.bool_(True), {1, 2}, frozenset("a"), range(2, 9, 3),
    slice(None, 3), ..., 10**300, float("-inf"), np.array(["a", "bc"]), [], (), np.zeros((0, 3)),
    -0.0, np.float64(-0.0), np.float16(0.1), np.longdouble(1) / 3, np.array([True, False]), np.str_(""),
    np.datetime64("NaT", "s"), np.array(["2026-01-01", "NaT"], dtype="<M8[D]"), np.timedelta64(3, "h")],
    ids=repr)
def test_special_values_arrive_as_they_were(value):
    assert same(there_and_back(value), value)


@pytest.mark.parametrize("value", [
    object(), lambda: 0, np.array([None]), np.zeros(2, dtype=[("a", float)]), type("F", (float,), {})(1),
    10**20_000, np.ma.masked, np.ma.array([1.0]), np.zeros(2).view(type("A", (np.ndarray,), {})),
    np.zeros(1, dtype="V4")[0], np.timedelta64(9), np.zeros((1,) * 17)],
    ids=["object", "function", "objects", "records", "a float of another class", "huge", "masked",
         "a masked array", "an array of another class", "void", "a time without a unit",
         "17 axes"])
def test_what_is_not_plain_is_never_sent(value):
    with pytest.raises(WireError):
        there_and_back(value)


def test_depth_and_count_are_bounded_on_both_sides():
    deep = []
    for _ in range(bridge.MAX_DEPTH + 2):
        deep = [deep]
    with pytest.raises(WireError, match="deep"):
        Encoder(no_reference).encode(deep)
    item = ["plain", None]
    for _ in range(bridge.MAX_DEPTH + 2):
        item = ["list", [item]]
    with pytest.raises(WireError, match="deep"):
        Decoder(no_object).decode(item)
    with pytest.raises(WireError, match="large"):
        Decoder(no_object).decode(["list", [["plain", None]] * (bridge.MAX_VALUES + 1)])


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    | st.sampled_from(["plain", "int", "float", "list", "dict", "array", "number", "slice", "handle"]),
    lambda inner: st.lists(inner, max_size=4), max_leaves=30)


@given(json_like, st.lists(st.binary(max_size=16), max_size=3))
def test_whatever_comes_is_a_value_or_an_error_of_the_wire(tree, frames):
    try:
        Decoder(no_object, frames).decode(tree)
    except WireError:
        pass


names = ["plain", "ellipsis", "int", "float", "complex", "bytes", "slice", "range", "list", "tuple",
         "set", "frozenset", "dict", "array", "number"]


@given(st.sampled_from(names), json_like, st.lists(st.binary(max_size=16), max_size=3))
def test_no_content_of_a_known_type_does_harm(name, content, frames):
    try:
        Decoder(no_object, frames).decode([name, content])
    except WireError:
        pass


@pytest.mark.parametrize("item", [
    ["array", ["|O", [1], 0]], ["array", ["<f8", [10**6, 10**6], 0]], ["array", ["<f8", [-1], 0]],
    ["array", ["<f8", [1], 5]], ["array", ["<f8", [1], -1]], ["array", ["V8", [1], 0]],
    ["number", ["<f8", [1], 0]], ["array", ["<M8[pc]", [1], 0]], ["array", ["<M8", [1], 0]], ["array", ["<f8", [1] * 40, 0]],
    ["int", "12 "], ["int", 12], ["int", "f" * 5000], ["plain", 1], ["plain", [1]], ["float", 1.5],
    ["range", [["plain", "a"]] * 3], ["set", [["list", []]]], ["handle", 1], ["pickle", "x"],
], ids=str)
def test_forged_items_are_refused(item):
    with pytest.raises(WireError):
        Decoder(no_object, [b"12345678"]).decode(item)


@pytest.fixture
def two_ends():
    left, right = socket.socketpair()
    with left, right:
        yield left, right


def test_messages_with_large_frames_cross_a_socket(two_ends):
    left, right = map(Wire, two_ends)
    frames = [bytes(3_000_000), b"", b"abc"]
    sender = threading.Thread(target=left.send, args=(["value", [1, "é"]], frames))
    sender.start()
    assert right.receive() == (["value", [1, "é"]], frames)
    sender.join()


@pytest.mark.parametrize("header", [
    struct.pack("!II", bridge.MAX_TREE + 1, 0), struct.pack("!II", 2, bridge.MAX_FRAME_COUNT + 1),
    struct.pack("!II", 2, 1) + b"{}" + struct.pack("!Q", bridge.MAX_FRAMES + 1),
    struct.pack("!II", 2, 2) + b"{}" + struct.pack("!QQ", 2**63, 2**63)])
def test_a_message_that_is_too_large_is_refused_before_it_is_read(two_ends, header):
    left, right = two_ends
    left.sendall(header)
    with pytest.raises(WireError, match="too large"):
        Wire(right).receive()


@pytest.mark.parametrize("text", [b"{", b"[" * 100_000, b"\xff\xfe"])
def test_what_is_not_json_is_refused(two_ends, text):
    left, right = two_ends
    left.sendall(struct.pack("!II", len(text), 0) + text)
    with pytest.raises(WireError, match="not JSON"):
        Wire(right).receive()


def test_a_closed_connection_is_the_end(two_ends):
    left, right = two_ends
    left.close()
    with pytest.raises(EOFError):
        Wire(right).receive()
