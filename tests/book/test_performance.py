"""The words for the figure of measured performance say what the measurements say."""

import json

import pytest

import nb

PROBLEMS = json.loads((nb.ROOT / "benchmarks" / "autodiff.json").read_text())["problems"]


def ratios(peer):
    """gradem's time divided by the peer's, by problem."""
    return {problem["name"]: problem["seconds"]["gradem"] / problem["seconds"][peer]
            for problem in PROBLEMS if peer in problem["seconds"]}


def slower(peer):
    return {name for name, ratio in ratios(peer).items() if ratio > 1.0}


@pytest.mark.parametrize("peer", ["autograd", "JAX"])
def test_gradem_is_faster_than_these_everywhere(peer):
    assert len(ratios(peer)) > 10 and slower(peer) == set()


def test_pytorch_is_faster_on_the_mixture_in_ten_dimensions_and_the_network():
    assert slower("PyTorch") <= {"(d) mixture, n = 1000, d = 10", "(d) mixture, n = 10000, d = 10",
                                 "(e) network 784-100-10, batch 256"}
    assert "(e) network 784-100-10, batch 256" in slower("PyTorch")


def test_compiled_jax_is_faster_everywhere():
    assert len(ratios("JAX jit")) > 10 and slower("JAX jit") == set(ratios("JAX jit"))


def test_only_generated_code_is_faster_than_a_derivative_by_hand():
    assert set(ratios("by hand")) - slower("by hand") == {"(b) the same from generated code"}


def test_the_page_shows_every_table(book, pages):
    text = pages[book.site / "book" / "performance.html"].get_text()
    assert all(problem["name"] in text for problem in PROBLEMS)
    assert "spherical, N = 20000, d = 10, K = 5" in text and "submissions a minute" in text
