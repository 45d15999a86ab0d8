"""pandas' frames cross the wire as they are, and forged parts make none."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.pandas import column, data_frames, range_indexes

from autograder.bridge import Decoder, Encoder, WireError

TIMES = pd.to_datetime(["2018-02-22 10:00", None])


def nothing_else(name, content, decoder=None):
    raise WireError("not plain data")


def there_and_back(value):
    encoder = Encoder(nothing_else)
    item = encoder.encode(value)
    return Decoder(nothing_else, encoder.frames).decode(item)


@given(data_frames([column("a", dtype=float), column("b", dtype=int), column("c", dtype=bool),
                    column("d", elements=st.text(max_size=5)),
                    column("e", dtype="datetime64[ns]")], index=range_indexes()))
def test_frames_arrive_as_they_were(frame):
    pd.testing.assert_frame_equal(there_and_back(frame), frame)


@pytest.mark.parametrize("frame", [
    pd.DataFrame(), pd.DataFrame(index=[1, 2]), pd.DataFrame({"a": []}),
    pd.DataFrame({"time": TIMES, "word": ["x", None]}),
    pd.DataFrame({1: [1.5, np.nan]}, index=pd.Index(["p", "q"], name="who")),
    pd.DataFrame([[1, 2], [3, 4]], columns=["twice", "twice"]),
    pd.DataFrame({"mixed": pd.Series([1, "a", None, 2.5, True], dtype=object)})], ids=range(7))
def test_special_frames_arrive_as_they_were(frame):
    pd.testing.assert_frame_equal(there_and_back(frame), frame)


@pytest.mark.parametrize("series", [
    pd.Series([1, 2, 3], name="z"), pd.Series(["a", "b"]), pd.Series(dtype=float),
    pd.Series(pd.to_timedelta([1, 2], unit="s")), pd.Series([1.0, 2.0], index=TIMES)],
    ids=range(5))
def test_series_arrive_as_they_were(series):
    pd.testing.assert_series_equal(there_and_back(series), series)


class Own(pd.DataFrame):
    """A class that may answer anything."""


@pytest.mark.parametrize("value", [
    pd.Series([1, 2], dtype="category"), pd.Series([1, None], dtype="Int64"),
    pd.Series([object()]), pd.Series([[1]]), pd.Series([1.0], name=("a", "b")),
    pd.Series([1.0], index=pd.MultiIndex.from_tuples([(1, 2)])), Own({"a": [1]}),
    pd.Series(pd.to_datetime(["2018-02-22"]).tz_localize("UTC"))], ids=range(8))
def test_other_forms_stay_where_they_are(value):
    with pytest.raises(WireError):
        there_and_back(value)


NAMES = ["list", [["plain", None], ["plain", "a"]]]


def text(*items):
    return ["tuple", [["plain", "object"], ["list", list(items)]]]


NUMBER = ["plain", "1"]


@pytest.mark.parametrize("content", [
    ["plain", None], ["list", []], ["list", [NAMES]], ["list", [NAMES, ["list", []]]],
    ["list", [NAMES, ["list", [text(NUMBER), text(NUMBER, NUMBER)]]]],
    ["list", [NAMES, ["list", [text(["list", []]), text(NUMBER)]]]],
    ["list", [["list", [["list", []], NUMBER]], ["list", [text(NUMBER), text(NUMBER)]]]],
    ["list", [NAMES, ["list", [text(NUMBER), ["tuple", [["plain", "category"],
                                                        ["list", [NUMBER]]]]]]]],
    ["list", [NAMES, ["list", [["tuple", [["plain", "int64"], ["range", [
        ["int", "0"], ["int", "f" * 12], ["int", "1"]]]]]] * 2]]],
], ids=range(9))
@pytest.mark.parametrize("kind", ["series", "frame"])
def test_forged_parts_make_no_frame(kind, content):
    with pytest.raises(WireError):
        Decoder(nothing_else).decode([kind, content])
