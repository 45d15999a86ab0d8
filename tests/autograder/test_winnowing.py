"""Fingerprints: what does not change them, what they guarantee, and hostile texts."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.winnowing import GUARANTEED, K, WINDOW, fingerprinted, imported, winnowed

CODE = """import numpy as np

class Line:
    def __init__(self, slope, height):
        self.slope, self.height = slope, height

    def at(self, x):
        return self.height + self.slope * x - 2.0 * np.sin(x)

def total(lines, x, rest=3):
    result = 0.0
    for line in lines:
        result += line.at(x) if x > rest else -1
    return result
"""


def same(one, other):
    one, other = fingerprinted(one), fingerprinted(other)
    return len(one.hashes) > 20 and one.hashes.tolist() == other.hashes.tolist()


@pytest.mark.parametrize("old, new", [
    ("result", "res"), ("lines", "zs"), ("slope", "m"), ("Line", "Gerade"), ("total", "add"),
    ("at(", "value_at("), ("import numpy as np", "import numpy as num"), ("2.0", "2"),
    ("    ", "\t"), ("\n", "\n\n# a remark\n"), (" + ", "+  "),
    ("x):\n", 'x):\n        """Says what it does."""\n')])
def test_what_does_not_count(old, new):
    changed = CODE.replace(old, new)
    if old == "import numpy as np":
        changed = changed.replace("np.", "num.")
    assert changed != CODE and same(CODE, changed)


@pytest.mark.parametrize("old, new", [
    ("+=", "-="), ("2.0", "2.5"), ("np.sin", "np.cos"), (" * x", " / x"), ("return result", "return"),
    ("for line in lines", "while lines"), ("rest=3", "rest=None")])
def test_what_counts(old, new):
    assert not same(CODE, CODE.replace(old, new))


def test_modules_that_are_imported_elsewhere():
    assert imported("import numpy as np, os.path\nfrom a import b") == {
        "np": "numpy", "os.path": "os.path"}
    body = "y = np.sin(x) + np.cos(x) - np.exp(2 * x)"
    other = "import numpy as n\n" + body.replace("np.", "n.")
    tail = fingerprinted(other).hashes[-5:].tolist()
    assert fingerprinted(body, modules={"np": "numpy"}).hashes[-5:].tolist() == tail
    assert fingerprinted(body).hashes[-5:].tolist() != tail


def test_prose_is_words():
    one = fingerprinted("A derivative is the *limit* of slopes,\nas the step goes to zero.", "text")
    two = fingerprinted("a derivative is the limit of slopes as the step goes to Zero", "text")
    assert one.hashes.tolist() == two.hashes.tolist() and len(one.hashes) == 13 - K + 1
    assert one.lines.tolist() == [1] * 7 + [2] * 6


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 10**6))
def test_a_common_run_of_the_guaranteed_length_shares_a_fingerprint(before, after, seed):
    rng = np.random.default_rng(seed)
    run = [f"r{i}" for i in rng.integers(10**6, size=GUARANTEED)]
    kept = []
    for lead in (before, after):
        words = [*(f"a{i}" for i in rng.integers(10**6, size=lead)), *run,
                 *(f"b{i}" for i in rng.integers(10**6, size=40 - lead))]
        hashes = fingerprinted(" ".join(words), "text").hashes
        kept.append(set(hashes[winnowed(hashes)].tolist()))
    assert kept[0] & kept[1]


def test_about_two_of_window_and_one_hashes_are_kept():
    hashes = np.random.default_rng(0).integers(2**63, size=50_000).astype(np.uint64)
    places = winnowed(hashes)
    assert np.diff(places).max() <= WINDOW
    density = len(places) / len(hashes)
    assert abs(density - 2 / (WINDOW + 1)) < 0.01        # Schleimer et al., section 3.3


def test_short_and_empty_texts():
    for text in ("", "x = 1", "# only a remark", "\n\n"):
        found = fingerprinted(text)
        assert len(found.hashes) == 0 and len(winnowed(found.hashes)) == 0


@pytest.mark.parametrize("text", [
    "(" * 10**6, "'''" * 300_000, "\\\n" * 500_000, "x = " + "-" * 10**6 + "1", "9" * 10**6,
    "".join(" " * i + "if x:\n" for i in range(1500)), "\ud800x = 1\n" * 100_000,
    "x\0y\n" * 100_000, "f'{" * 100_000, "a" + ".b" * 500_000, "[[" * 500_000, "$" * 10**6,
    "x=1\r" * 200_000, "lambda:" * 100_000 + "1", "\x0c" * 10**5, "def f(:\n  x == \n" * 9999,
    "'\\d' + 1\n" * 10_000])
def test_hostile_texts_are_read_in_bounded_time(text, recwarn):
    start = time.monotonic()
    found = fingerprinted(text)
    assert time.monotonic() - start < 30.0
    assert len(found.lines) <= 100_000 and len(found.hashes) <= 100_000
    assert not recwarn.list


def test_what_is_no_python_is_compared_as_far_as_it_can_be_read():
    broken = CODE.replace("return result", "return result +")
    assert len(fingerprinted(broken).hashes) > 60
    assert fingerprinted(broken).hashes.tolist() == fingerprinted(
        broken.replace("\n", "   # why\n")).hashes.tolist()
