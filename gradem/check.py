"""Strict comparisons that answer in words: what the tests of the exercises call.

A comparison looks at kind, shape and finiteness *before* it looks at values,
because NumPy's own comparisons accept too much: an empty array broadcasts
against anything, a NaN is not larger than any tolerance, True equals 1. When an
answer is wrong, the message says what was got, what was expected, which known
mistake gives just that value, and what to look at. This module needs only NumPy
and is the one part of gradem that a test cell needs on the learner's machine.
"""

import numpy as np

_REAL_KINDS = "fiu"


class Mistake(AssertionError):
    """A check that failed; its text is written for the learner."""

    def _render_traceback_(self):
        # IPython shows these lines instead of a traceback through this file.
        return [f"Not yet: {self}"]


# ---- comparisons ------------------------------------------------------------


def close(got, want, *, rtol=1e-9, atol=0.0, name="the answer", hint="", known=None):
    """Require that `got` equals `want` up to rounding, entry by entry.

    Parameters
    ----------
    got : float or ndarray or sequence of these
        The learner's answer.
    want : float or ndarray or sequence of these
        The right answer. It fixes what `got` must be: a real number, an array of
        the same shape, or a tuple or list of the same length.
    rtol, atol : float
        An entry may differ by ``atol + rtol * abs(want)``.
    name : str
        What was computed, as the learner would write it: ``"horner([1, 2], 3.0)"``.
    hint : str
        What to look at when the answer is wrong.
    known : dict of str to value, optional
        Wrong answers with a cause: the words say the mistake, the value is what it
        gives. Words whose value is not distinct from `want` are passed over; of
        several with the same value the first are told.

    Raises
    ------
    Mistake
        If `got` is of another kind or shape, is not finite where it should be, or
        differs in value.
    """
    complaint = _difference(got, want, rtol, atol)
    if complaint:
        cause = _recognise(got, want, rtol, atol, known or {})
        raise Mistake(_sentences(f"{name} {complaint}", cause, hint))


def equal(got, want, *, name="the answer", hint="", known=None):
    """Require that `got` is exactly `want`: whole numbers, truth values, text, lists.

    Parameters
    ----------
    got, want : int, bool, str, None, integer ndarray, or list or tuple of these
        The learner's answer and the right one. A float never equals a whole number
        here, and True never equals 1.
    name, hint, known
        As for `close`.

    Raises
    ------
    Mistake
        If the two differ in kind, length or value.
    """
    complaint = _inequality(got, want)
    if complaint:
        cause = next((words for words, wrong in (known or {}).items()
                      if _inequality(wrong, want) and not _inequality(got, wrong)), "")
        raise Mistake(_sentences(f"{name} {complaint}", cause, hint))


def true(condition, message):
    """Require that `condition` is the truth value True; `message` says what is wrong."""
    if not (isinstance(condition, (bool, np.bool_)) and condition):
        raise Mistake(_sentences(message))


def raises(error, function, *arguments, name="the call", hint=""):
    """Require that ``function(*arguments)`` raises `error`.

    Parameters
    ----------
    error : type
        The exception class, such as ``ValueError``.
    function : callable
    *arguments
        Handed to `function` as they are.
    name, hint : str
        As for `close`.

    Returns
    -------
    str
        The text of the exception, for a test of what it tells its reader.

    Raises
    ------
    Mistake
        If nothing, or something else, is raised.
    """
    try:
        result = function(*arguments)
    except error as exception:
        return str(exception)
    except Exception as exception:
        complaint = f"raises {_named(exception)}, but it should raise {error.__name__}"
    else:
        complaint = f"returns {_shown(result)}, but it should raise {error.__name__}"
    raise Mistake(_sentences(f"{name} {complaint}", hint))


def returns(function, *arguments, name="the call", hint=""):
    """Require that ``function(*arguments)`` raises nothing, and return its result.

    It turns an exception that the task excludes into words. An answer that is not
    written yet (NotImplementedError) stays what it is.

    Parameters
    ----------
    function, *arguments, name, hint
        As for `raises`.

    Returns
    -------
    object
        What the call returns.

    Raises
    ------
    Mistake
        If the call raises an exception.
    """
    try:
        return function(*arguments)
    except NotImplementedError:
        raise
    except Exception as exception:
        complaint = f"raises {_named(exception)}, but it should return a value"
    raise Mistake(_sentences(f"{name} {complaint}", hint))


def counts(function):
    """Wrap `function` so that its attribute ``calls`` counts the calls made."""
    def counted(*arguments):
        counted.calls += 1
        return function(*arguments)
    counted.calls = 0
    return counted


def passed(exercise, *, points, total):
    """Tell the learner that a check passed, and how much of the mark it covers.

    Parameters
    ----------
    exercise : str
        The name of the exercise.
    points, total : int
        The points of the visible check, and of the whole exercise.
    """
    hidden = total - points
    rest = (f" Hidden tests with other inputs decide the other {hidden}." if hidden else "")
    print(f"{exercise}: passed. This check covers {points} of {total} points.{rest}")


# ---- random inputs ----------------------------------------------------------

_seed = 20180222


def use_seed(seed):
    """Set the seed of `rng`: the grader does so once for each grading run."""
    global _seed
    _seed = seed


def rng():
    """Return a fresh random generator for the inputs of one test.

    On a learner's machine the seed never changes, so a failed check fails again in
    the same words. When a notebook is graded the seed is that of the grading run.

    Returns
    -------
    numpy.random.Generator
    """
    return np.random.default_rng(_seed)


# ---- what differs, in words -------------------------------------------------


def _difference(got, want, rtol, atol):
    """Say how `got` differs from the number, array or sequence `want`; '' if it does not."""
    if isinstance(want, (tuple, list)):
        return _sequence_difference(
            got, want, lambda item, right: _difference(item, right, rtol, atol))
    want = np.asarray(want)
    complaint = _wrong_kind(got, want)
    if complaint:
        return complaint
    got = np.asarray(got)
    if got.shape != want.shape:
        empty = "is empty: it" if got.size == 0 else ""
        return f"{empty} has shape {got.shape}, but it should have shape {want.shape}".strip()
    same = got == want
    odd = ~(np.isfinite(got) & np.isfinite(want)) & ~same
    if odd.any():
        return _at_first(odd, got, want)
    with np.errstate(invalid="ignore"):
        # whole numbers as floats: the difference of two of them may be too large for one
        difference = np.subtract(got, want, dtype=np.result_type(got, want, float))
        error = np.where(same, 0.0, np.abs(difference))
    wrong = ~(error <= atol + rtol * np.abs(want))
    if not wrong.any():
        return ""
    # the first of those that are equal but for rounding, so that all machines name the same one
    worst = error >= np.max(error) * (1 - 1e-9)
    verb = "is" if wrong.sum() == 1 else "are"
    count = f" ({wrong.sum()} of {wrong.size} entries {verb} wrong)" if want.ndim else ""
    return _at_first(worst, got, want) + count


def _wrong_kind(got, want):
    """Say why `got` is not a real number or array as `want` is; '' if it is."""
    expected = f"an array of shape {want.shape}" if want.ndim else "a number"
    if got is None:
        return f"is None, but it should be {expected}: is a return missing?"
    if isinstance(got, (bool, np.bool_)):
        return f"is the truth value {got}, but it should be {expected}"
    if isinstance(got, (list, tuple)):
        return f"is a {type(got).__name__}, but it should be {expected}"
    if type(got) is not np.ndarray and not isinstance(got, (int, float, complex, np.number)):
        return f"is {_shown(got)}, but it should be {expected}"
    kind = np.asarray(got).dtype.kind
    if kind == "c" and want.dtype.kind in _REAL_KINDS:
        return f"is complex ({_shown(got)}), but it should be real"
    if kind not in _REAL_KINDS + "c":
        return f"holds entries of type {np.asarray(got).dtype}, but they should be numbers"
    if want.ndim and np.ndim(got) == 0:
        return f"is the single number {got:.12g}, but it should be {expected}"
    return ""


def _inequality(got, want):
    """Say how `got` is not exactly `want`; '' if it is."""
    if isinstance(want, (tuple, list)):
        return _sequence_difference(got, want, _inequality)
    if got is None and want is not None:
        return f"is None, but it should be {_shown(want)}: is a return missing?"
    if isinstance(want, np.ndarray):
        truth = want.dtype.kind == "b"
        if type(got) is not np.ndarray or got.dtype.kind not in ("b" if truth else "iu"):
            kind = "truth values" if truth else "whole numbers"
            return f"is {_shown(got)}, but it should be an array of {kind}"
        if got.shape != want.shape:
            return f"has shape {got.shape}, but it should have shape {want.shape}"
        wrong = got != want
        return _at_first(wrong, got, want) if wrong.any() else ""
    kinds = {bool: (bool, np.bool_), int: (int, np.integer)}.get(type(want), type(want))
    # NumPy counts a span of time as a whole number
    mistaken = isinstance(got, (bool, np.bool_, np.timedelta64)) and type(want) is not bool
    if mistaken or not isinstance(got, kinds) or got != want:
        return f"is {_shown(got)}, but it should be {_shown(want)}"
    return ""


def _sequence_difference(got, want, compare):
    """Compare a tuple or list item by item."""
    if not isinstance(got, (tuple, list)):
        return f"is {_shown(got)}, but it should be a sequence of {len(want)} values"
    if len(got) != len(want):
        values = "1 value" if len(got) == 1 else f"{len(got)} values"
        return f"has {values}, but it should have {len(want)}"
    for position, (item, right) in enumerate(zip(got, want)):
        complaint = compare(item, right)
        if complaint:
            deeper = complaint.removeprefix("at position ")      # 2, 1, 0 in lists within lists
            return f"at position {position}{' ' if deeper == complaint else ', '}{deeper}"
    return ""


def _recognise(got, want, rtol, atol, known):
    """Name the mistake that gives just this wrong answer; '' if it is not known."""
    for words, wrong in known.items():
        if _difference(wrong, want, rtol, atol) and not _difference(got, wrong, rtol, atol):
            return words
    if isinstance(want, (tuple, list)) or _wrong_kind(got, np.asarray(want)):
        return ""
    got, want = np.asarray(got), np.asarray(want)
    transformed = {
        "the sign is wrong": -want,
        "it is twice what it should be": 2 * want,
        "it is half of what it should be": want / 2,
        "the array is transposed": want.T,
    }
    for words, wrong in transformed.items():
        if _difference(wrong, want, rtol, atol) and not _difference(got, wrong, rtol, atol):
            return words
    return ""


# ---- making sentences -------------------------------------------------------


def _at_first(where, got, want):
    """Put the first entries of `got` and `want` that `where` marks side by side."""
    index = tuple(int(i[0]) for i in np.nonzero(where)) if want.ndim else ()
    shown, right = f"{got[index]:.12g}", f"{want[index]:.12g}"
    if shown == right:
        shown, right = f"{got[index]:.17g}", f"{want[index]:.17g}"
    place = f" at {list(index)}" if index else ""
    return f"is {shown}{place}, but it should be {right}"


def _shown(value):
    """Show a value briefly, whatever it is."""
    if isinstance(value, (float, np.floating)):
        return f"the float {value!s}"
    if isinstance(value, str):
        return f"the text {value[:60]!r}"
    if type(value).__repr__ is object.__repr__:
        return f"an object of type {type(value).__name__}"
    text = " ".join(repr(value).split())
    return text if len(text) <= 80 else text[:77] + "..."


def _named(exception):
    """An exception by its kind, and by what it says, if it does."""
    kind, text = type(exception).__name__, str(exception)
    return f"{kind} ({text})" if text else kind


def _sentences(*parts):
    """Join the parts that say something to full sentences."""
    return " ".join(_begun(part) if i else part
                    for i, part in enumerate(_ended(p) for p in parts if p))


def _begun(sentence):
    """Begin a sentence with a capital, unless it begins with a name, such as x, dw1 or f'."""
    word = sentence.split()[0].rstrip(",:.")
    return sentence[0].upper() + sentence[1:] if word.isalpha() and len(word) > 2 else sentence


def _ended(sentence):
    """End a sentence with a full stop, unless it ends already."""
    return sentence if sentence.endswith((".", "?")) else sentence + "."
