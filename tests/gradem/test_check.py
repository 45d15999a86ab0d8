"""The comparisons of `gradem.check` refuse what NumPy's own comparisons let through."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from gradem import check

finite = st.floats(-1e6, 1e6)
vectors = arrays(float, array_shapes(max_dims=3, max_side=4), elements=finite)


def complaint(comparison, *arguments, **options):
    """The words of a comparison that must fail."""
    with pytest.raises(check.Mistake) as caught:
        comparison(*arguments, **options)
    return str(caught.value)


@given(vectors)
def test_an_array_is_close_to_itself(array):
    check.close(array.copy(), array)


@given(vectors, st.floats(0.001, 0.5))
def test_a_relative_error_above_the_tolerance_is_found_in_any_entry(array, error):
    array = array + np.where(array >= 0, 1, -1)
    wrong = array.copy()
    wrong.flat[-1] *= 1 + error
    assert "should be" in complaint(check.close, wrong, array, rtol=error / 2)
    check.close(wrong, array, rtol=2 * error)


@pytest.mark.parametrize("want", [2.0, np.array([1.0, 2.0]), np.ones((2, 3))],
                         ids=["number", "vector", "matrix"])
@pytest.mark.parametrize("mutate, words", [
    (lambda want: None, "is a return missing"),
    (lambda want: True, "truth value"),
    (lambda want: "9", "the text '9'"),
    (lambda want: want * 1j, "complex"),
    (lambda want: np.zeros((0,) + np.shape(want)), "is empty"),
    (lambda want: np.asarray(want)[None], "has shape"),
    (lambda want: want * np.nan, "nan"),
    (lambda want: want * np.inf, "inf"),
    (lambda want: -want, "the sign is wrong"),
    (lambda want: 2 * want, "twice"),
    (lambda want: want / 2, "half"),
    (lambda want: 0 * want, "should be"),
    (lambda want: 1.01 * want, "should be"),
    (lambda want: object(), "object"),
    (lambda want: np.full(np.shape(want), "1"), "type"),
    (lambda want: np.full(np.shape(want), None), "type"),
])
def test_generic_wrong_results_are_refused_in_words(want, mutate, words):
    assert words.lower() in complaint(check.close, mutate(want), want).lower()


def test_an_object_equal_to_everything_is_refused():
    class Equal:
        __eq__ = __le__ = __lt__ = __ge__ = __gt__ = lambda self, other: True

    assert "Equal" in complaint(check.close, Equal(), 1.0)
    assert "Equal" in complaint(check.equal, Equal(), 1)
    with pytest.raises(check.Mistake):
        check.true(Equal(), "not a truth value")


def test_infinities_and_nans_that_are_expected_are_equal_only_to_themselves():
    check.close(np.array([np.inf, 1.0]), np.array([np.inf, 1.0]))
    assert "-inf" in complaint(check.close, -np.inf, np.inf)
    for finite in (5.0, 0, np.float64(1e308)):
        assert "should be inf" in complaint(check.close, finite, np.inf)
    assert "should be inf" in complaint(check.close, np.array([5.0, 1.0]), np.array([np.inf, 1.0]))
    assert "should be nan" in complaint(check.close, 1.0, np.nan)


def test_a_difference_too_large_for_a_whole_number_is_a_difference():
    assert "should be 7" in complaint(check.close, np.int64(7 - 2**63), 7)
    assert "should be 1" in complaint(check.close, np.uint64(0), np.uint64(1), atol=0.5)
    check.close(np.uint8(250), 251, atol=1)


@pytest.mark.parametrize("rounding", [0.0, 1e-15, -1e-15])
def test_of_errors_equal_but_for_rounding_the_first_is_named(rounding):
    got = np.array([0.0, 1.0 + rounding, 1.0 - rounding, 1.0])
    with pytest.raises(AssertionError, match=r"at \[1\], .*3 of 4 entries are wrong"):
        check.close(got, np.zeros(4), name="x")
    with pytest.raises(AssertionError, match=r"at \[2\]"):
        check.close(np.array([0.0, 1.0, 1.001]), np.zeros(3), name="x")


def test_one_wrong_entry_is_told_in_the_singular():
    with pytest.raises(AssertionError, match=r"\(1 of 3 entries is wrong\)"):
        check.close(np.array([0.0, 1.0, 0.0]), np.zeros(3), name="x")


def test_a_known_mistake_is_named_and_a_mistake_that_gives_the_right_value_is_not():
    known = {"the second term is missing": 3.0, "harmless": 5.0}
    assert complaint(check.close, 3.0, 5.0, known=known).endswith("The second term is missing.")
    assert "harmless" not in complaint(check.close, 4.0, 5.0, known=known)


def test_the_message_names_the_call_and_ends_with_the_hint():
    words = complaint(check.close, 1.0, 2.5, name="f(3)", hint="look at the chain rule")
    assert words == "f(3) is 1, but it should be 2.5. Look at the chain rule."


@pytest.mark.parametrize("hint", ["f' is zero there", "dw1 is the seed", "x, y and z move", "f(x) is negative"])
def test_a_sentence_that_begins_with_a_name_keeps_it(hint):
    assert complaint(check.close, 1.0, 2.5, hint=hint).endswith(f"2.5. {hint}.")


def test_numbers_that_print_alike_are_shown_with_all_digits():
    assert "1.0000000000000002" in complaint(check.close, 1 + 2**-52, 1.0, rtol=1e-17)


def test_sequences_are_compared_item_by_item():
    check.close([1.0, np.ones(2)], (1.0, np.ones(2)))
    assert "position 1" in complaint(check.close, (1.0, 2.0), (1.0, 3.0))
    assert "the answer at position 1, 0 is 3, but it should be 2." == complaint(check.equal, [1, [3]], [1, [2]])
    assert "has 2 values, but it should have 3" in complaint(check.close, (1.0, 2.0), (1.0, 2.0, 3.0))
    assert "has 1 value, but it should have 2" in complaint(check.equal, (3,), (2, 3))
    assert "sequence" in complaint(check.close, 1.0, (1.0, 2.0))


@pytest.mark.parametrize("got, want", [
    (1, True), (True, 1), (2.0, 2), ("2", 2), (None, 0), ([1, 2], [1, 3]), ([1], [1, 2]),
    (np.array([0.0, 1.0]), np.array([0, 1])), (np.array([0, 1]), np.array([0, 2])),
    (np.array([[0, 1]]), np.array([0, 1])), ("abc", "abd"),
    (np.array([False, True]), np.array([0, 1])), (np.array([0, 1]), np.array([False, True])),
    (np.array([False, True]), np.array([True, True])), (np.timedelta64(9), 9),
], ids=repr)
def test_equal_refuses_another_kind_or_value(got, want):
    assert "should" in complaint(check.equal, got, want)


@pytest.mark.parametrize("got, want", [
    (np.int64(3), 3), (np.True_, True), ("w3", "w3"), ((1, "a"), [1, "a"]),
    (np.array([0, 1]), np.array([0, 1])), (None, None), (np.array([True]), np.array([True])),
    (np.array([0, 1]), np.array([0, 1], dtype=np.uint8)),
], ids=repr)
def test_equal_accepts_the_same_value_in_numpys_types(got, want):
    check.equal(got, want)


def test_true_takes_truth_values_only():
    check.true(np.bool_(True), "never said")
    for condition in (1, "yes", np.ones(2), None):
        assert complaint(check.true, condition, "say this") == "say this."
    assert complaint(check.true, False, "is a return missing?") == "is a return missing?"


def test_raises_reports_what_happened_instead():
    def root(x):
        if x < 0:
            raise ValueError("x must not be negative")
        return x ** 0.5

    assert check.raises(ValueError, root, -1) == "x must not be negative"
    assert "returns the float 2.0" in complaint(check.raises, ValueError, root, 4)
    assert "raises TypeError" in complaint(check.raises, ValueError, root, "4")


def test_returns_hands_on_the_result_and_turns_an_exception_into_words():
    def inverse(x):
        return 1 / x

    def unanswered():
        raise NotImplementedError

    assert check.returns(inverse, 4) == 0.25
    words = complaint(check.returns, inverse, 0, name="inverse(0)", hint="Look at x first")
    assert words == ("inverse(0) raises ZeroDivisionError (division by zero), "
                     "but it should return a value. Look at x first.")
    with pytest.raises(NotImplementedError):
        check.returns(unanswered)


def test_counts_counts_calls_and_passes_results_on():
    counted = check.counts(lambda x, y: x * y)
    assert counted(2, 3) == 6 and counted(4, 5) == 20
    assert counted.calls == 2


def test_inputs_repeat_until_the_seed_changes():
    first = check.rng().normal(size=3)
    assert (check.rng().normal(size=3) == first).all()
    usual = check._seed
    check.use_seed(7)
    try:
        assert (check.rng().normal(size=3) != first).all()
    finally:
        check.use_seed(usual)


def test_passed_tells_what_the_check_covers(capsys):
    check.passed("chain-rule", points=2, total=5)
    assert capsys.readouterr().out == (
        "chain-rule: passed. This check covers 2 of 5 points. "
        "Hidden tests with other inputs decide the other 3.\n")


def test_ipython_shows_the_words_instead_of_a_traceback():
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    shell = InteractiveShell()
    with capture_output() as output:
        shell.run_cell("from gradem import check\ncheck.close(1.0, 2.5, name='f(3)')")
    assert "Not yet: f(3) is 1, but it should be 2.5." in output.stdout
    assert "Traceback" not in output.stdout


def test_an_exception_without_a_text_is_named_alone():
    def fails():
        raise RuntimeError
    assert complaint(check.returns, fails, name="f()").startswith("f() raises RuntimeError, but it")
    assert "raises RuntimeError, but it should raise ValueError" in complaint(check.raises, ValueError, fails)
