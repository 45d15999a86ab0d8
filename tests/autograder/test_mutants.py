"""Generic wrong answers: what they change, what they leave alone, what they remember."""

import sys

import numpy as np
import pandas as pd
import pytest

from autograder import mutants


class Dual:
    """A small class in the style of learners."""

    def __init__(self, value, tangent):
        self.value, self.tangent = value, tangent

    def __add__(self, other):
        return Dual(self.value + other.value, self.tangent + other.tangent)

    def __radd__(self, other):
        return self + Dual(other, 0.0)

    @property
    def size(self):
        """A number."""
        return abs(self.value)

    def __lt__(self, other):
        return self.value < other.value


@pytest.fixture
def as_main(monkeypatch):
    """Let the small class count as defined in the notebook."""
    monkeypatch.setattr(Dual, "__module__", "__main__")
    monkeypatch.setattr(sys.modules["__main__"], "Dual", Dual, raising=False)
    yield
    mutants.restore()


ARRAY = np.array([1.0, -2.0])


@pytest.mark.parametrize("kind, number, array", [
    ("None", None, None), ("NaN", np.nan, [np.nan, np.nan]), ("infinity", np.inf, [np.inf, np.inf]),
    ("an empty array that broadcasts", np.zeros(0), np.zeros((0, 2))), ("zeros", 0.0, [0, 0]),
    ("the sign flipped", -3.0, [-1, 2]), ("one per cent off", 3.0 * 1.01, [1.01, -2.02]),
    ("a constant", -98765.0, -98765.0), ("True", True, True), ("a text", "9", "9"),
    ("one axis too many", [3.0], [[1, -2]])])
def test_numbers_and_arrays_are_changed(kind, number, array):
    for value, want in [(3.0, number), (ARRAY, array)]:
        got = mutants.changed(value, kind)
        assert np.shape(got) == np.shape(want)
        np.testing.assert_array_equal(np.asarray(got), np.asarray(want))
    pair = mutants.changed((3.0, [ARRAY, "text"], {"a": 3.0}), kind)
    assert type(pair) is tuple and pair[1][1] == "text"
    np.testing.assert_array_equal(np.asarray(pair[2]["a"]), np.asarray(number))
    assert kind in mutants.KINDS and len(mutants.KINDS) == 13


def test_text_truth_and_none_are_left_alone():
    for kind in set(mutants.KINDS) - {mutants.AGREES, mutants.EMPTY}:
        assert [mutants.changed(value, kind) for value in ("a", True, None)] == ["a", True, None]


@pytest.mark.parametrize("value, empty", [([1, 2], []), ((ARRAY, 3.0), ()), ({"a": 1}, {}),
                                          ("text", ""), ({1}, set()), (3.0, 3.0)])
def test_what_has_items_is_emptied(value, empty):
    assert mutants.changed(value, mutants.EMPTY) == empty


FRAME = pd.DataFrame({"n": [1.0, 2.0], "word": ["a", "b"]})


@pytest.mark.parametrize("kind, numbers", [("NaN", [np.nan] * 2), ("zeros", [0.0, 0.0]),
                                           ("the sign flipped", [-1.0, -2.0])])
def test_the_numbers_of_data_frames_are_changed(kind, numbers):
    wrong = mutants.changed(FRAME, kind)
    np.testing.assert_array_equal(wrong["n"], numbers)
    assert wrong["word"].tolist() == ["a", "b"] and FRAME["n"].tolist() == [1.0, 2.0]
    np.testing.assert_array_equal(mutants.changed(FRAME["n"], kind), numbers)


def test_data_frames_lose_their_rows_and_their_columns_and_are_replaced():
    assert mutants.changed(FRAME, mutants.BROADCASTS).shape == (0, 2)
    assert mutants.changed(FRAME, mutants.EMPTY).shape == (2, 0)
    assert mutants.changed(FRAME["n"], mutants.EMPTY).shape == (0,)
    assert mutants.changed(FRAME, "None") is None and mutants.changed(FRAME, "True") is True


def test_functions_that_are_returned_are_changed():
    assert mutants.changed(lambda x: x + 1.0, "zeros")(2.0) == 0.0


def test_methods_and_operators_of_a_class_are_changed_and_put_back(as_main):
    x = Dual(2.0, 3.0)
    mutants.install("Dual", "the sign flipped")
    total = 1.0 + x           # __radd__ calls __add__: the change is made once
    assert (total.value, total.tangent) == (-3.0, -3.0)
    assert (x.value, x.tangent, x.size) == (2.0, 3.0, -2.0)
    assert x < Dual(5.0, 0.0)
    mutants.require_a_change()
    mutants.restore()
    assert (1.0 + x).value == 3.0 and x.size == 2.0


def test_only_a_change_that_makes_a_difference_counts(as_main):
    mutants.install("Dual", "zeros")
    Dual(0.0, 0.0) + Dual(0.0, 0.0)
    with pytest.raises(LookupError):
        mutants.require_a_change()
    Dual(0.0, 0.0) + Dual(1.0, 0.0)
    mutants.require_a_change()


# ---- an object that agrees with everything ------------------------------------------


@pytest.mark.parametrize("right", [2.0, True, "yes", ARRAY])
def test_it_agrees_with_whatever_it_is_asked(right):
    agrees = mutants.changed(right, mutants.AGREES)
    assert agrees == 5.0 and 5.0 == agrees and agrees != 5.0 and agrees < 0 < agrees
    assert abs(agrees - 5.0) < 1e-9 and -agrees / 2 > 1e9
    assert agrees.shape == (7,) and agrees.mean() == 3 and agrees[4] == 1 and 8 in agrees
    assert len(agrees) == np.size(right) and all(item == 0 for item in agrees)
    assert np.allclose(agrees, [1.0, 2.0]) and np.all(agrees == np.ones(3))
    assert np.isfinite(agrees) and round(agrees, 3) == 9.0 and float(agrees) == int(agrees) == 0


# ---- answers that remember ------------------------------------------------------------


@pytest.fixture
def square(monkeypatch):
    """A function of the notebook, found by its name whatever it was changed to."""
    def square(x):
        return x * x
    monkeypatch.setattr(sys.modules["__main__"], "square", square, raising=False)
    yield lambda *arguments: sys.modules["__main__"].square(*arguments)
    mutants.restore()


def test_an_argument_comes_back(square):
    mutants.install("square", mutants.ARGUMENT)
    assert square(1.0) == 1.0
    with pytest.raises(LookupError):
        mutants.require_a_change()
    assert square(3.0) == 3.0
    mutants.require_a_change()


@pytest.mark.parametrize("kind, results", [(mutants.FIRST, [4.0, 4.0, 4.0, 4.0]),
                                           (mutants.BEFORE, [4.0, 4.0, 9.0, 25.0])])
def test_results_come_back(square, kind, results):
    mutants.install("square", kind)
    assert [square(x) for x in (2.0, 3.0, 5.0, 7.0)] == results
    mutants.require_a_change()


def test_a_table_knows_what_it_was_shown_and_nothing_else(square):
    mutants.install("square", mutants.RECORD)
    with pytest.raises(LookupError):
        mutants.require_a_table()
    assert [square(x) for x in (2.0, 3.0)] == [4.0, 9.0]
    assert square(ARRAY).tolist() == [1.0, 4.0]
    mutants.require_a_table()
    mutants.install("square", mutants.TABLE)
    assert [square(x) for x in (3.0, 2.0, 5.0)] == [9.0, 4.0, 4.0]
    assert square(ARRAY.copy()).tolist() == [1.0, 4.0] and square(2 * ARRAY) == 4.0


def test_a_table_of_operators_and_of_functions_that_are_returned(as_main, monkeypatch):
    def derivative(f):
        return lambda x: (f(x + 1.0) - f(x - 1.0)) / 2.0
    main = sys.modules["__main__"]
    monkeypatch.setattr(main, "derivative", derivative, raising=False)
    x, y = Dual(2.0, 3.0), Dual(1.0, 1.0)
    mutants.install("Dual", mutants.RECORD)
    assert (x + y).value == 3.0
    mutants.install("Dual", mutants.TABLE)
    assert (Dual(2.0, 3.0) + y).value == 3.0 and (x + x).value == 3.0
    mutants.install("derivative", mutants.RECORD)
    assert main.derivative(lambda x: x * x)(3.0) == 6.0
    mutants.install("derivative", mutants.TABLE)
    assert main.derivative(lambda x: x * x)(3.0) == 6.0
    assert main.derivative(lambda x: x * x)(4.0) == 6.0


def test_values_that_differ_are_told_apart():
    values = [None, True, 1, 1.0, np.nan, "1", (1,), [1], {"a": 1}, {"b": 1}, ARRAY,
              ARRAY.astype(int), ARRAY[:1], 2 * ARRAY]
    assert len({mutants.told_apart(value) for value in values}) == len(values)
    assert mutants.told_apart(np.float64(1.0)) == mutants.told_apart(1.0)
    endless = []
    endless.append(endless)
    hash(mutants.told_apart(endless))
