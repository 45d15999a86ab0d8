"""NumPy's own list of functions: each is differentiated, constant, or refused in words.

A function that NumPy adds in a later version appears in none of the lists below, and fails here.
"""

import inspect
import math
import operator
import re
from pathlib import Path

import numpy as np
import numpy.fft  # noqa: F401  (functions are listed when their module is imported)
import numpy.lib.recfunctions  # noqa: F401
import pytest
from numpy.testing.overrides import get_overridable_numpy_array_functions

from gradem import Dual, jvp, vjp
from gradem.rules import CONSTANT, RULES
from gradem.tape import Tape
from gradem.traced import FUNCTIONS, REDUCTIONS, Traced, name_of

# Functions of text, of polynomials and of masked arrays take no numbers from a program that
# could be differentiated; they are listed if some other test has imported their module.
ELSEWHERE = ("np.strings.", "np.char.", "np.polynomial.", "np.ma.")
ARRAY_FUNCTIONS = {name_of(f): f for f in get_overridable_numpy_array_functions()
                   if not name_of(f).startswith(ELSEWHERE)}
UFUNCS = {name_of(f): f for f in vars(np).values() if isinstance(f, np.ufunc)}
EVERY = ARRAY_FUNCTIONS | UFUNCS

#: They have a derivative, or would with a rule that nobody has written yet.
REFUSED = """
    np.angle np.apply_along_axis np.apply_over_axes np.astype np.block np.choose np.copysign
    np.corrcoef np.correlate np.divmod np.fft.fft np.fft.fft2 np.fft.fftn np.fft.fftshift
    np.fft.hfft np.fft.ifft np.fft.ifft2 np.fft.ifftn np.fft.ifftshift np.fft.ihfft np.fft.irfft
    np.fft.irfft2 np.fft.irfftn np.fft.rfft np.fft.rfft2 np.fft.rfftn np.frexp np.full_like
    np.geomspace np.gradient np.i0 np.insert np.interp np.ldexp np.lib.scimath.arccos
    np.lib.scimath.arcsin np.lib.scimath.arctanh np.lib.scimath.log np.lib.scimath.log10
    np.lib.scimath.log2 np.lib.scimath.logn np.lib.scimath.power np.lib.scimath.sqrt
    np.linalg.cond np.linalg.eig np.linalg.eigvals np.linalg.lstsq np.linalg.qr np.linalg.svd
    np.linalg.svdvals np.linalg.tensorinv np.linalg.tensorsolve np.logspace np.meshgrid np.modf
    np.nancumprod np.nancumsum np.nanmax np.nanmean np.nanmedian np.nanmin np.nanpercentile
    np.nanprod np.nanquantile np.nanstd np.nansum np.nanvar np.nextafter np.piecewise np.poly
    np.polyadd np.polyder np.polydiv np.polyfit np.polyint np.polymul np.polysub np.real_if_close
    np.rollaxis np.roots np.sinc np.sort_complex np.spacing np.trim_zeros np.union1d np.unique
    np.unique_all np.unique_counts np.unique_inverse np.unique_values np.unwrap np.vander
    np.intersect1d np.setdiff1d np.setxor1d
""".split()

#: They answer a question about an array, or count in it. Refused too: who wants it gives x.value.
QUESTIONS = """
    np.bincount np.can_cast np.common_type np.einsum_path np.histogram2d np.histogram_bin_edges
    np.histogramdd np.may_share_memory np.min_scalar_type np.nanargmax np.nanargmin
    np.shares_memory
""".split()

#: They write into an array.
WRITING = "np.copyto np.fill_diagonal np.place np.put np.put_along_axis np.putmask".split()

#: They work on whole numbers, bits, dates, text files and records.
OTHER_KINDS = """
    np.bitwise_and np.bitwise_count np.bitwise_or np.bitwise_xor np.busday_count np.busday_offset
    np.datetime_as_string np.gcd np.invert np.is_busday np.isnat np.ix_ np.lcm np.left_shift
    np.packbits np.ravel_multi_index np.right_shift np.save np.savetxt np.savez
    np.savez_compressed np.unpackbits np.unravel_index
    np.lib.recfunctions.append_fields np.lib.recfunctions.apply_along_fields
    np.lib.recfunctions.assign_fields_by_name np.lib.recfunctions.drop_fields
    np.lib.recfunctions.find_duplicates np.lib.recfunctions.join_by
    np.lib.recfunctions.merge_arrays np.lib.recfunctions.rec_append_fields
    np.lib.recfunctions.rec_drop_fields np.lib.recfunctions.rec_join
    np.lib.recfunctions.recursive_fill_fields np.lib.recfunctions.rename_fields
    np.lib.recfunctions.repack_fields np.lib.recfunctions.require_fields
    np.lib.recfunctions.stack_arrays np.lib.recfunctions.structured_to_unstructured
    np.lib.recfunctions.unstructured_to_structured
""".split()

#: They make an array of numbers, a shape or a file, and are asked for a traced one by ``like=``
#: alone. A traced value among their numbers is refused where it would become a plain number.
MAKING = """
    np.arange np.array np.asanyarray np.asarray np.ascontiguousarray np.asfortranarray np.empty
    np.eye np.frombuffer np.fromfile np.fromfunction np.fromiter np.fromstring np.full
    np.genfromtxt np.identity np.loadtxt np.ones np.require np.tri np.zeros
""".split()

#: The oldest NumPy that gradem allows has them, and newer ones do not.
REMOVED = {"np.in1d"}

X = np.array([[4.0, 1.0], [1.0, 3.0]])
TRACED = [Dual(X, np.ones((2, 2))), Tape().variable(X)]
kinds = pytest.mark.parametrize("x", TRACED, ids=["Dual", "Var"])


def supported(function):
    return function in RULES or function in FUNCTIONS or function in CONSTANT


def test_every_function_of_numpy_is_in_one_list():
    lists = [REFUSED, QUESTIONS, WRITING, OTHER_KINDS, MAKING]
    without = {name for name, function in EVERY.items() if not supported(function)}
    without -= REMOVED
    assert without == set(sum(lists, []))
    assert len(without) == sum(map(len, lists))           # no name stands in two lists


def test_the_page_of_limits_names_functions_that_have_no_derivative():
    page = (Path(__file__).parents[2] / "book" / "limits.md").read_text(encoding="utf-8")
    (listed,) = re.findall(r"Not differentiated are.*?:\n\n(.*?)- options:", page, re.DOTALL)
    named = set(re.findall(r"`(\w+)`", listed))
    assert len(named) > 15
    assert named - {name.rpartition(".")[2] for name in REFUSED} == set()


def test_every_rule_belongs_to_a_function_that_numpy_hands_over():
    """All but x[i], which is no function of NumPy."""
    handed = set(EVERY.values())
    assert {name_of(f) for f in {*RULES, *FUNCTIONS, *CONSTANT} - handed} == {"_operator.getitem"}


# ---- refusals -----------------------------------------------------------------------------------


def calls(x):
    """Ways of calling a function of unknown signature with x among the arguments."""
    return [(x,), (x, 1), (x, x), (x, x, x), ([x],), ("f", x), (X, x, x, 0)]


@kinds
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", REFUSED + QUESTIONS + WRITING + OTHER_KINDS)
def test_a_function_without_a_rule_is_refused_by_name(name, x, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)                           # some would write a file
    messages = []
    for args in calls(x):
        try:
            EVERY[name](*args)
        except Exception as error:                        # most calls have the wrong arguments
            messages.append(str(error))
    words = f"{name} is not among the functions that can be differentiated"
    assert any(message.startswith(words) for message in messages), messages
    assert not list(tmp_path.iterdir())


@kinds
@pytest.mark.parametrize("text", [
    "np.array(x)", "np.array([x[0, 0], 1.0])", "np.array([x, x])", "np.asarray(x)",
    "np.array(x, dtype=object)", "np.full(3, x[0, 0])", "np.arange(x[0, 0])",
    "np.ascontiguousarray(x)", "np.float64(x[0, 0])", "np.vectorize(np.sin)(x)",
    "np.frompyfunc(abs, 1, 1)(x)", "X.copy().__setitem__((0, 0), x[0, 0])", "np.eye(2) @ [x, x]",
    "X.copy().fill(x[0, 0])", "X.dot(x)", "np.hanning(x[0, 0])", "X.clip(0.0, x)",
    "np.fromiter(x, float)", "math.sin(x[0, 0])", "float(x[0, 0])", "round(x[0, 0])",
    "math.floor(x[0, 0])", "divmod(x, 2.0)", "complex(x[0, 0])", "int(x[0, 0])",
    "x.astype(float)", "np.zeros(3)[x[0, 0]]", "x | x", "~x", "x << 1", "x + 1j", "x * 'a'",
])
def test_no_call_loses_a_derivative_silently(text, x):
    with pytest.raises((TypeError, ValueError, AttributeError, IndexError)):
        eval(text, {"np": np, "math": math, "x": x, "X": X})


@kinds
@pytest.mark.parametrize("ufunc", [np.add, np.multiply, np.maximum, np.sin, np.logical_and])
@pytest.mark.parametrize("method, args", [
    ("accumulate", ()), ("reduceat", ([0, 1],)), ("outer", (1.0,)), ("at", ([0], 1.0)),
    ("reduce", ())])
def test_other_methods_of_ufuncs_are_refused_by_name(ufunc, method, args, x):
    if method == "reduce" and ufunc in REDUCTIONS:
        assert np.array_equal(ufunc.reduce(x).value, ufunc.reduce(X))
        return
    with pytest.raises((TypeError, ValueError)) as caught:
        getattr(ufunc, method)(x, *args)
    if caught.type is TypeError:                          # ValueError: sin has no reduce at all
        assert f"{name_of(ufunc)}.{method} of a {type(x).__name__}" in str(caught.value)
    else:
        assert ufunc is np.sin


@kinds
def test_out_and_where_are_refused_by_name(x):
    for call, word in [
            (lambda: np.sin(x, out=X.copy()), "out"), (lambda: np.add(x, 1, where=X > 2), "where"),
            (lambda: np.sum(x, out=np.zeros(())), "out"), (lambda: np.sum(x, where=X > 2), "where"),
            (lambda: np.exp(X, out=x), "out"), (lambda: np.mean(x, dtype=float), "dtype"),
            (lambda: np.add.reduce(x, where=X > 2), "where"),
            (lambda: np.add.reduce(x, out=np.zeros(2)), "np.sum .* does not take out="),
            (lambda: np.add.reduce(x, dtype=int), "np.sum .* does not take dtype="),
            (lambda: np.max(x, initial=0.0), "initial"), (lambda: x.sum(dtype=int), "dtype")]:
        with pytest.raises(TypeError, match=word):
            call()


@kinds
@pytest.mark.parametrize("text", [
    "np.tile(X, x[0, 0])", "np.take_along_axis(X, x, 0)", "np.delete(X, x[0, 0])",
    "np.split(X, x[0, 0])", "np.take(X, x)", "np.repeat(X, x[0, 0])", "np.roll(X, x[0, 0])",
    "np.resize(X, x[0, 0])", "np.quantile(X, x[0, 0])", "np.reshape(X, x[0, 0])",
    "np.pad(X, x[0, 0])", "np.sum(X, axis=x[0, 0])", "np.linspace(0.0, 1.0, x[0, 0])", "X[x]",
])
def test_a_traced_number_that_would_be_a_place_or_a_count_is_refused(text, x):
    with pytest.raises((TypeError, IndexError)):
        eval(text, {"np": np, "x": x, "X": X})


def test_required_arguments_have_the_names_that_they_have_in_numpy():
    for function, implementation in FUNCTIONS.items():
        if function is operator.getitem or isinstance(function, np.ufunc):
            continue                                      # they take no names
        try:
            parameters = inspect.signature(function).parameters.values()
        except ValueError:                                # older NumPy does not say it of all
            assert np.lib.NumpyVersion(np.__version__) < "2.4.0"
            continue
        for parameter in parameters:
            if (parameter.kind is parameter.POSITIONAL_OR_KEYWORD
                    and parameter.default is parameter.empty):
                inspect.signature(implementation).bind_partial(**{parameter.name: None})


@kinds
@pytest.mark.parametrize("text", [
    "np.flip(m=x)", "np.roll(a=x, shift=1)", "np.tile(A=x, reps=2)", "np.repeat(a=x, repeats=2)",
    "np.rot90(m=x)", "np.take(a=x, indices=[0])", "np.delete(arr=x, obj=0)", "np.real(val=x)",
    "np.diagonal(a=x)", "np.resize(a=x, new_shape=3)", "np.sum(a=x)", "np.sort(a=x, kind='stable')",
    "np.compress(condition=[1, 0], a=x, axis=0)", "np.extract(condition=X > 2, arr=x)",
])
def test_arguments_may_be_given_by_name(text, x):
    got, want = (eval(text, {"np": np, "X": X, "x": y}) for y in (x, X))
    assert type(got) is type(x) and np.array_equal(got.value, want)


@kinds
@pytest.mark.parametrize("text", [
    "np.dot(x, W)", "np.dot(W, x)", "np.inner(x, W)", "np.inner(W, x)", "np.vdot(x[0], W)",
    "np.outer(x, W)", "np.kron(x, W)", "np.kron(W, x)", "np.cross(np.append(x[0], 1.0), W3)",
    "np.linalg.cross(W3, np.append(x[0], 1.0))", "np.tensordot(x, W, 1)", "np.tensordot(W, x, 1)",
    "np.convolve(x[0], W3)", "np.convolve(W3, x[0])", "np.average(x, axis=0, weights=W)",
    "np.average(W, weights=x[0])", "np.trapezoid(x, W)", "np.trapezoid(W, x[0])",
    "np.polyval(W, x)", "np.column_stack([x, W])", "np.column_stack([[W, W], x])",
    "np.linalg.solve(x, W)", "np.linalg.solve([W, [2.0, 1.0]], x)", "np.vecdot(x, W)",
    "np.linalg.vecdot(W, x)", "np.linalg.matmul(x, [W, W])", "np.linalg.outer(W, x[0])",
    "np.where([1, 0], x, W)", "np.append(W, x)", "np.hstack([x[0], W])", "np.vstack([W, x])",
    "np.dstack([[W, W], x])", "np.stack([x[0], W])", "np.atleast_2d(W, x)[0]",
    "np.broadcast_arrays(W, x)[0]", "np.broadcast_arrays(W, x)[1]", "np.clip(x, W, [5.0, 6.0])",
    "np.select([[True, False]], [x], W)", "np.einsum('ij,j', x, W)", "np.add(W, x)",
    "np.linalg.multi_dot([[W], x])",
])
def test_a_list_stands_for_an_array(text, x):
    lists = {"W": [2.0, 3.0], "W3": [1.0, 2.0, 4.0]}
    arrays = {name: np.array(values) for name, values in lists.items()}
    got = eval(text, {"np": np, "x": x, **lists})
    want = eval(text, {"np": np, "x": X, **arrays})
    same = eval(text, {"np": np, "x": Dual(X, X), **arrays})
    assert np.array_equal(getattr(got, "value", got), want)
    if isinstance(same, Dual):
        assert type(got) is type(x)
        assert np.array_equal(eval(text, {"np": np, "x": Dual(X, X), **lists}).tangent, same.tangent)


@kinds
def test_a_shape_may_be_a_whole_number_of_numpy(x):
    assert np.reshape(x, np.prod([2, 2])).shape == x.reshape(np.int64(4)).shape == (4,)
    assert x.reshape(np.int64(4), 1).shape == (4, 1)


@kinds
def test_what_numpy_refuses_is_refused(x):
    with pytest.raises(ValueError, match="between 0 and 1, and a percentile between 0 and 100"):
        np.quantile(x, 1.5)
    with pytest.raises(ValueError, match="q=-0.03"):
        np.percentile(x, [50.0, -3.0])
    with pytest.raises(TypeError, match="integer"):
        np.linalg.matrix_power(x, 2.5)


@kinds
def test_the_median_of_what_holds_nan_is_nan(x):
    gap = np.array([[np.nan], [1.0]])
    for text in ("np.median(y)", "np.median(y, axis=0)", "np.median(y, axis=1)",
                 "np.quantile(y, 0.2, axis=-1, keepdims=True)", "np.percentile(y, [0, 100], 0)"):
        got, want = (eval(text, {"np": np, "y": np.hstack([z, gap])}) for z in (x, X))
        assert np.array_equal(got.value, want, equal_nan=True) and np.isnan(want).any()


# ---- constants ----------------------------------------------------------------------------------

ONE_ARGUMENT = """
    sign signbit floor ceil trunc rint logical_not isfinite isinf isnan shape ndim size zeros_like
    ones_like empty_like iscomplexobj isrealobj isreal iscomplex isposinf isneginf imag argmax
    argmin argsort argwhere nonzero flatnonzero count_nonzero lexsort all any round around fix
    tril_indices_from triu_indices_from diag_indices_from array_repr array_str array2string
    histogram result_type linalg.matrix_rank
"""
TWO_ARGUMENTS = """
    floor_divide heaviside less less_equal greater greater_equal equal not_equal logical_and
    logical_or logical_xor allclose isclose array_equal array_equiv isin result_type
"""
CONSTANT_CALLS = [
    *(f"np.{name}(x)" for name in ONE_ARGUMENT.split()),
    *(f"np.{name}(x, x - 0.5)" for name in TWO_ARGUMENTS.split()),
    *(f"np.{name}(X, x)" for name in TWO_ARGUMENTS.split()),
    "np.argmax(x, axis=1)", "np.argpartition(x, 1)", "np.argsort(x, axis=0)", "np.round(x, 1)",
    "np.searchsorted(x[0], 2.5)", "np.searchsorted([0.0, 2.0, 5.0], x)", "np.all(x > 2, axis=0)",
    "np.digitize(x, [0.0, 2.0, 5.0])", "np.histogram(x, bins=[0, 2, 5])",
    "np.lexsort((x[0], x[1]))",
    "x.argmax(axis=0)", "x.argmin()", "x.all()", "x.any(axis=1)", "x.shape", "x.ndim", "x.size",
    "len(x)", "x > 2", "x <= X", "2 == x", "x != 1", "x // 2", "7 // x", "bool(x[0, 0])",
    "[bool(row[0] > row[1]) for row in x]", "x.dtype", "np.size(x, 0)", "np.zeros_like(x, int)",
]
UNDEFINED = {"np.empty_like(x)"}                          # its entries are whatever is there


@kinds
@pytest.mark.parametrize("text", CONSTANT_CALLS)
def test_a_constant_function_gives_what_numpy_gives(text, x):
    got, want = (eval(text, {"np": np, "X": X, "x": y}) for y in (x, X))
    assert type(got) is type(want) and not isinstance(got, Traced)
    if text in UNDEFINED:
        assert got.shape == want.shape and got.dtype == want.dtype
        return
    for one, other in zip(*map(parts, (got, want)), strict=True):
        assert type(one) is type(other)
        assert np.array_equal(one, other)


def parts(y):
    return list(y) if isinstance(y, (tuple, list)) else [y]


def test_every_constant_function_is_called_above():
    called = {"np." + name for name in re.findall(r"np\.([\w.]+)", " ".join(CONSTANT_CALLS))}
    constant = {name_of(f) for f in CONSTANT}
    constant |= {name_of(f) for f, entry in FUNCTIONS.items() if entry.__name__ == "constant"}
    assert constant <= called


def test_what_a_program_computes_of_constants_alone_has_derivative_zero():
    def f(x):
        return np.sign(x) * np.argmax(x) + np.floor(x)
    value, tangent = jvp(f, X, np.ones((2, 2)))
    assert np.array_equal(value, f(X)) and np.array_equal(tangent, np.zeros((2, 2)))
    assert np.array_equal(vjp(f, X)[1](np.ones((2, 2)))[0], np.zeros((2, 2)))
