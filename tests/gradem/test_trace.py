"""Evaluation traces: the lecture's, the survey's, and every number from SymPy."""

import re

import numpy as np
import pytest
import sympy
from bs4 import BeautifulSoup

from gradem.trace import trace


def lecture(x1, x2):
    return x1 * x2 + np.sin(x1)


def survey(x1, x2):
    """The example of Baydin et al. 2018, tables 2 and 3."""
    return np.log(x1) + x1 * x2 - np.sin(x2)


def test_the_lectures_trace_is_as_it_is_written_by_hand():
    lines = trace(lecture, 2.0, 5.0, tangent=(0.0, 1.0), adjoint=1.0).lines
    assert [(line.name, line.text) for line in lines] == [
        ("w1", "x1"), ("w2", "x2"), ("w3", "w1 * w2"), ("w4", "sin(w1)"), ("w5", "w3 + w4")]
    assert [line.tangent_text for line in lines] == [
        "0", "1", "dw1 * w2 + dw2 * w1", "dw1 * cos(w1)", "dw3 + dw4"]
    assert [line.adjoint_text for line in lines] == [
        "w3_bar * w2 + w4_bar * cos(w1)", "w3_bar * w1", "w5_bar", "w5_bar", "1"]
    assert [line.tangent for line in lines] == [0.0, 1.0, 2.0, 0.0, 2.0]


def test_the_surveys_numbers():
    lines = trace(survey, 2.0, 5.0, tangent=(1.0, 0.0), adjoint=1.0).lines
    assert round(lines[-1].value, 3) == 11.652 and round(lines[-1].tangent, 1) == 5.5
    assert round(lines[0].adjoint, 1) == 5.5 and round(lines[1].adjoint, 3) == 1.716


PROGRAMS = [
    lecture, survey,
    lambda x1, x2: (x1 / x2) ** 3 - 2.0 * x2,
    lambda x1, x2: np.exp(-x1 * x1) * np.sqrt(x2) + 1.0 / x1,
    lambda x1, x2: np.tanh(x1 - x2) ** 2,
]


@pytest.mark.parametrize("f", PROGRAMS)
def test_every_number_is_sympys_and_every_formula_gives_its_number(f):
    point, direction = (0.7, 1.9), (0.3, -1.2)
    lines = trace(f, *point, tangent=direction, adjoint=1.5).lines
    names = {"sin": sympy.sin, "cos": sympy.cos, "log": sympy.log, "exp": sympy.exp,
             "sqrt": sympy.sqrt, "tanh": sympy.tanh, "cosh": sympy.cosh}
    x1, x2 = symbols = sympy.symbols("x1 x2")
    values = dict(zip(symbols, point))
    expressions = {"w1": x1, "w2": x2}
    for line in lines[2:]:
        expressions[line.name] = sympy.sympify(line.text, {**names, **expressions})
    known = {name: float(e.subs(values)) for name, e in expressions.items()}
    functions = {name: getattr(np, name) for name in names}
    numbers = {**functions, **known}
    for line in lines:
        e = expressions[line.name]
        assert float(line.value) == pytest.approx(known[line.name], rel=1e-13)
        want = sum(float(sympy.diff(e, x).subs(values)) * v for x, v in zip(symbols, direction))
        assert float(line.tangent) == pytest.approx(want, rel=1e-12)
        numbers[f"d{line.name}"] = float(line.tangent)
        numbers[f"{line.name}_bar"] = float(line.adjoint)
    for line in lines:
        assert eval(line.tangent_text, {}, numbers) == pytest.approx(line.tangent, rel=1e-12)
        assert eval(line.adjoint_text, {}, numbers) == pytest.approx(line.adjoint, rel=1e-12)
    # the adjoint of a line: the derivative of the result with the later lines as functions of it
    for k, line in enumerate(lines):
        w = sympy.Symbol("w")
        later = {name: e for name, e in list(expressions.items())[:k]}
        later[line.name] = w
        for other in lines[k + 1:]:
            if other.name not in ("w1", "w2"):
                later[other.name] = sympy.sympify(other.text, {**names, **later})
            else:
                later[other.name] = expressions[other.name]
        slope = sympy.diff(later[lines[-1].name], w).subs(values).subs(w, known[line.name])
        assert float(line.adjoint) == pytest.approx(1.5 * float(slope), rel=1e-12, abs=1e-14)


def test_edges_hold_the_local_partial_derivatives():
    edges = trace(lecture, 2.0, 5.0).edges
    assert [(e.start, e.end) for e in edges] == [(0, 2), (1, 2), (0, 3), (2, 4), (3, 4)]
    assert [e.partial for e in edges] == [5.0, 2.0, np.cos(2.0), 1.0, 1.0]


def test_arrays_and_indices_and_unused_lines():
    def f(x):
        np.exp(x[0])                               # goes nowhere
        return np.sum(x[1:] ** 2) * -2.0
    lines = trace(f, np.array([1.0, 2.0, 3.0]), tangent=[np.ones(3)], adjoint=1.0).lines
    assert [line.text for line in lines] == [
        "x", "w1[0]", "exp(w2)", "w1[1:]", "w4 ** 2", "sum(w5)", "w6 * (-2)"]
    assert lines[0].adjoint.tolist() == [0.0, -8.0, -12.0]
    assert lines[2].adjoint == 0.0 and lines[2].adjoint_text == "0"
    assert trace(f, np.ones(50)).lines[0].value.shape == (50,)


def test_formulas_hold_constant_arrays():
    weights, chosen = np.array([1.5, -2.0]), np.array([True, False])
    lines = trace(lambda x: np.sum(np.where(chosen, weights * x, 0.0)), np.array([3.0, 4.0]),
                  tangent=[np.ones(2)], adjoint=1.0).lines
    assert lines[1].text == "[ 1.5 -2. ] * w1"
    assert lines[1].tangent_text == "dw1 * [ 1.5 -2. ]"
    assert lines[0].adjoint_text == "w2_bar * [ 1.5 -2. ]"
    assert lines[2].adjoint.tolist() == [1.0, 1.0] and lines[0].adjoint.tolist() == [1.5, 0.0]


def test_it_shows_itself_as_text():
    text = str(trace(lecture, 2.0, 5.0, tangent=(1.0, 0.0), adjoint=1.0))
    assert text.splitlines()[0].split() == (
        "trace value tangent, downwards value adjoint, upwards value".split())
    assert re.search(r"w3 = w1 \* w2 +10 +dw3 = dw1 \* w2 \+ dw2 \* w1 +5 +w3_bar = w5_bar", text)
    assert all(line == line.rstrip() for line in text.splitlines())
    assert str(trace(lecture, 2.0, 5.0)).splitlines()[0].split() == ["trace", "value"]


def test_it_shows_itself_as_a_table_that_a_screen_reader_can_read():
    page = BeautifulSoup(trace(lecture, 2.0, 5.0, adjoint=1.0)._repr_html_(), "html.parser")
    assert page.caption.text == "Evaluation trace"
    assert [th["scope"] for th in page.find_all("th")] == ["col"] * 4
    assert len(page.tbody.find_all("tr")) == 5
    assert page.tbody.find_all("td")[0].code.text == "w1 = x1"


def test_texts_are_escaped():
    def f(x):
        return x * Strange()
    class Strange(float):
        def __new__(cls):
            return float.__new__(cls, 2.0)

        def __format__(self, spec):
            return "<script>"
    page = trace(f, 1.0)._repr_html_()
    assert "<script>" not in page and "&lt;script&gt;" in page


@pytest.mark.parametrize("tangent", [(1.0,), (1.0, 0.0, 0.0), (1.0, np.ones(2))])
def test_each_argument_has_a_tangent_of_its_shape(tangent):
    with pytest.raises(ValueError, match="like each of the 2 arguments"):
        trace(lecture, 2.0, 5.0, tangent=tangent)


def test_what_has_no_trace_is_refused():
    with pytest.raises(TypeError, match="depends on its arguments, but f returned 3.0"):
        trace(lambda x: 3.0, 1.0)
    with pytest.raises(TypeError, match="returns one number or array"):
        trace(lambda x: (x, x), 1.0)
