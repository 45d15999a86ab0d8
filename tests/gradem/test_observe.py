"""A call and a figure, observed in a notebook of one's own; in the grader: test_judge.py."""

import sys
import warnings

import matplotlib
import numpy as np
import pytest

from gradem import observe

matplotlib.use("Agg")


def change(values, table, *, words):
    values[0] = 7.0
    table["new"] = 1
    words.append("end")
    print("seen")
    warnings.warn("odd", RuntimeWarning)
    return len(values)


def test_a_call_changes_copies_and_all_it_did_is_kept():
    values, table, words = np.zeros(2), {}, ["begin"]
    seen = observe.call(change, values, table, words=words)
    assert seen.result == 2
    assert seen.arguments[0].tolist() == [7.0, 0.0] and seen.arguments[1] == {"new": 1}
    assert seen.keywords == {"words": ["begin", "end"]}
    assert seen.printed == "seen\n" and seen.warnings == ["RuntimeWarning: odd"]
    assert values.tolist() == [0.0, 0.0] and table == {} and words == ["begin"]


def test_what_a_call_raises_comes_through():
    with pytest.raises(ZeroDivisionError):
        observe.call(lambda: 1 / 0)


def test_a_figure_returned_and_one_left_to_pyplot_have_the_same_data():
    from matplotlib import pyplot

    def left():
        pyplot.semilogx([1, 10], [2, 3], label="a")
        pyplot.title("t")

    def returned():
        figure, axes = pyplot.subplots()
        axes.semilogx([1, 10], [2, 3], label="a")
        axes.set_title("t")
        return figure
    assert repr(observe.drawing(left)) == repr(observe.drawing(returned))
    axes, = observe.drawing(left)
    assert axes.xscale == "log" and axes.title == "t"
    assert pyplot.get_fignums() == []


def test_masked_entries_are_not_numbers():
    from matplotlib import pyplot
    axes, = observe.drawing(lambda: pyplot.plot(np.ma.array([1.0, 2.0], mask=[False, True])))
    (x, y, label), = axes.lines
    np.testing.assert_array_equal(y, [1.0, np.nan])
    assert label == ""


@pytest.mark.parametrize("cell", ["def f(x):\n    return x", "class f:\n    pass", "f = 3",
                                  "import math\nf: int = 3", "@cache\ndef f(): pass",
                                  "async def f(): pass"])
def test_the_text_of_the_last_cell_that_defines_a_name(cell, monkeypatch):
    monkeypatch.setattr(observe, "_cells", None)           # as in a notebook
    monkeypatch.setattr(sys.modules["__main__"], "In", ["f = 1", cell, "g = f == 2", "f == 1",
                                                        "test(observe.source('f'))"],
                        raising=False)
    assert observe.source("f") == cell


def test_a_name_that_no_cell_defines(monkeypatch):
    monkeypatch.setattr(observe, "_cells", None)
    with pytest.raises(NameError, match="no cell of the notebook defines g"):
        observe.source("g")
