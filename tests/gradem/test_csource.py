"""C in, C out: compiled by the system's compiler and compared with gradem, JAX and by hand."""

import ctypes
import itertools
import shutil
import subprocess

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradem import grad
from gradem.csource import INTRINSICS, Unsupported, forward, reverse
from gradem.rules import RULES

jax.config.update("jax_enable_x64", True)

FUNCTION_C = """\
double  f(double x1, double x2) {
    double w3, w4, w5;
    w3 = x1 * x2;

    w4 = sin(x1);

    w5 = w3 + w4;

    return w5;
}
"""
FLAGS = "-std=c99 -Wall -Wextra -Wpedantic -Werror -O1 -shared -fPIC".split()
numbers = itertools.count()


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """A function that compiles C and loads it; a warning of the compiler is an error."""
    folder = tmp_path_factory.mktemp("c")
    if shutil.which("cc") is None:
        pytest.fail("these tests need a C compiler named cc: python3 tools/system.py gcc")

    def build(text, *flags):
        name = f"program{next(numbers)}"
        (folder / f"{name}.c").write_text(text)
        run = subprocess.run(["cc", *FLAGS, *flags, f"{name}.c", "-o", f"{name}.so", "-lm"],
                             cwd=folder, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        return ctypes.CDLL(str(folder / f"{name}.so"))
    return build


def call(library, name, arguments, results):
    """Call a generated function: numbers in, as many numbers out through pointers."""
    out = [ctypes.c_double() for _ in range(results)]
    getattr(library, name)(*map(ctypes.c_double, arguments), *map(ctypes.byref, out))
    return [number.value for number in out]


def both_modes(compiled, text, point, name="f"):
    """Value and gradient by forward mode, a direction at a time, and by reverse mode."""
    library, n = compiled(forward(text)), len(point)
    forward_results = [call(library, f"{name}_forward", (*point, *direction), 2)
                       for direction in np.eye(n)]
    value = forward_results[0][0]
    by_reverse = call(compiled(reverse(text)), f"{name}_reverse", point, n + 1)
    assert by_reverse[0] == value
    return value, [tangent for _, tangent in forward_results], by_reverse[1:]


# ---- the lecture's program ----------------------------------------------------------------------


def test_the_lectures_program_becomes_the_lectures_dual_program():
    assert forward(FUNCTION_C) == """\
#include <math.h>

void f_forward(double x1, double x2, double dx1, double dx2, double *value, double *tangent)
{
    double w3, w4, w5, dw3, dw4, dw5;
    w3 = x1 * x2;
    dw3 = dx1 * x2 + dx2 * x1;
    w4 = sin(x1);
    dw4 = dx1 * cos(x1);
    w5 = w3 + w4;
    dw5 = dw3 + dw4;
    *value = w5;
    *tangent = dw5;
}
"""


def test_the_lectures_program_in_both_modes(compiled):
    value, tangents, adjoints = both_modes(compiled, FUNCTION_C, (2.0, 5.0))
    assert value == pytest.approx(10 + np.sin(2.0), rel=1e-15)
    for gradient in (tangents, adjoints):
        assert gradient == pytest.approx([5 + np.cos(2.0), 2.0], rel=1e-15)


# ---- every function and every statement ---------------------------------------------------------

INSIDE = {"asin": 0.4, "acos": 0.4, "atanh": 0.4, "acosh": 1.7}


@pytest.mark.parametrize("name", sorted(INTRINSICS))
def test_every_function_of_math_h_agrees_with_jax(compiled, name):
    rule = RULES[INTRINSICS[name]]
    point = (INSIDE.get(name, 1.3), 0.7)[:len(rule.maps)]
    parameters = ", ".join(f"double x{i}" for i in range(len(point)))
    arguments = ", ".join(f"x{i}" for i in range(len(point)))
    text = f"double f({parameters}) {{ return {name}({arguments}); }}"
    theirs = getattr(jax.numpy, INTRINSICS[name].__name__)
    value, tangents, adjoints = both_modes(compiled, text, point)
    want = [float(g) for g in jax.grad(theirs, tuple(range(len(point))))(*point)]
    assert value == pytest.approx(float(theirs(*point)), rel=1e-13)
    assert tangents == pytest.approx(want, rel=1e-12)
    assert adjoints == pytest.approx(want, rel=1e-12)


PROGRAMS = {
    "nested": ("return 3 * x * exp(-y / (1.0 + x * x)) - pow(x, 3) / -y;",
               lambda x, y: 3 * x * np.exp(-y / (1.0 + x * x)) - x**3 / -y),
    "reassigned": ("double t = x * y; t = t * t; x = sin(t) + x; x *= x; t /= y; return x - t;",
                   lambda x, y: (np.sin((x * y)**2) + x)**2 - (x * y)**2 / y),
    "branch": ("double z; if (x > y) { z = log(x); x = x * x; } else z = y / x; "
               "if (z < 0.5) { z += x; } return z * x;",
               lambda x, y: (np.log(x) + (x * x if np.log(x) < 0.5 else 0)) * x * x if x > y
               else (y / x + (x if y / x < 0.5 else 0)) * x),
    "whole numbers": ("int n = 3; double z = n * x; n = n + 1; return z + n * y + 1;",
                      lambda x, y: 3 * x + 4 * y + 1),
    "whole divisions": ("int n = 4; double z = x * ((n - 1) / 2) + n % 3 * y; n = 9 + n; "
                        "return z * (7 / 2) + (1 + 2) / 4 * x + pow(y, (n - 3) / 4) - -n / 2;",
                        lambda x, y: (x * 1 + 1 * y) * 3 + 0 * x + y**2 + 6),
    "casts of whole numbers": ("int n = 3; double z = (double) n / 2 * x; z /= (double) (n - 1) / 4;"
                               " return z + (double) 1 / 2 * y;",
                               lambda x, y: 3 * x + 0.5 * y),
    "cast and unused": ("double z = (double) 2 * x; double u = y; { u += 1.0; } ; return z;",
                        lambda x, y: 2 * x + 0 * y),
}


@pytest.mark.parametrize("name", sorted(PROGRAMS))
@pytest.mark.parametrize("point", [(1.3, 0.7), (0.6, 1.9)])
def test_programs_agree_with_the_same_in_python(compiled, name, point):
    body, f = PROGRAMS[name]
    value, tangents, adjoints = both_modes(
        compiled, f"/* {name} */\ndouble f(double x, double y) {{ {body} }}", point)
    assert value == pytest.approx(f(*point), rel=1e-13)
    want = grad(f, (0, 1))(*point)
    assert tangents == pytest.approx(want, rel=1e-12)
    assert adjoints == pytest.approx(want, rel=1e-12)


def test_loops_in_forward_mode(compiled):
    text = """
        #include <math.h>
        // Heron's square root, and a sum
        double f(double x) {
            double y = 1.0, s = 0.0;
            for (int i = 0; i < 6; i++) { y = (y + x / y) / 2; }
            int k = 0;
            while (k < 3) { s += y * k; k += 1; }
            return s;
        }"""
    value, tangent = call(compiled(forward(text)), "f_forward", (2.0, 1.0), 2)
    assert value == pytest.approx(3 * np.sqrt(2.0), rel=1e-14)
    assert tangent == pytest.approx(1.5 / np.sqrt(2.0), rel=1e-12)


def test_no_memory_is_touched_that_is_not_ours(tmp_path):
    main = """
    #include <stdio.h>
    int main(void) {
        double value, x_bar, y_bar;
        f_reverse(1.3, 0.7, &value, &x_bar, &y_bar);
        printf("%.17g %.17g %.17g", value, x_bar, y_bar);
        return 0;
    }
    """
    body, f = PROGRAMS["branch"]
    text = reverse(f"double f(double x, double y) {{ {body} }}")
    (tmp_path / "program.c").write_text(text + main)
    subprocess.run(["cc", "-std=c99", "-fsanitize=undefined", "-fno-sanitize-recover=all",
                    "program.c", "-o", "program", "-lm"], cwd=tmp_path, check=True)
    said = subprocess.run(["./program"], cwd=tmp_path, capture_output=True, text=True, check=True)
    value, *gradient = map(float, said.stdout.split())
    assert value == pytest.approx(f(1.3, 0.7), rel=1e-14)
    assert gradient == pytest.approx(grad(f, (0, 1))(1.3, 0.7), rel=1e-12)


expressions = st.recursive(
    st.sampled_from(["x", "y", "2.0", "0.5"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(st.sampled_from(["sin", "cos", "tanh", "atan"]), inner).map(
            lambda t: f"{t[0]}({t[1]})")),
    max_leaves=8)


@settings(max_examples=25)
@given(first=expressions, second=expressions)
def test_random_programs_agree_with_gradem(compiled, first, second):
    text = (f"double f(double x, double y) {{ double z = {first}; x = z * x; z = {second}; "
            "return z + x * y; }")

    def f(x, y):
        names = {"sin": np.sin, "cos": np.cos, "tanh": np.tanh, "atan": np.arctan}
        z = eval(first, names, {"x": x, "y": y})
        x = z * x
        return eval(second, names, {"x": x, "y": y}) + x * y
    want = grad(f, (0, 1))(0.8, -1.1)
    _, tangents, adjoints = both_modes(compiled, text, (0.8, -1.1))
    assert tangents == pytest.approx(want, rel=1e-11, abs=1e-12)
    assert adjoints == pytest.approx(want, rel=1e-11, abs=1e-12)


# ---- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize("body, words", [
    ("return x", "can be read"),
    ("x[0] = 1.0; return x;", "line 2: only variables can be assigned"),
    ("double a[2]; return x;", "line 2: a must be declared once, as double or int"),
    ("double *p; return x;", "not as an array or pointer"),
    ("return g(x);", "line 2: the function g is not understood"),
    ("y = 2.0; return x;", "line 2: y is not declared in f"),
    ("return x * y;", "line 2: y is not declared in f"),
    ("return x > 0 ? x : -x;", "line 2: an expression of kind TernaryOp"),
    ("if (x > 0) return x; return -x;", "line 2: return must be the last statement"),
    ("do { x = x * x; } while (x < 1.0); return x;", "line 2: a statement of kind DoWhile"),
    ("x = 2.0;", "f returns nothing"),
    ("int n = sin(x); return x;", "must not call a function: compute it before"),
    ("for (double t = 0; t < 1; t += 0.1) x = x * x; return x;", "must count with an int"),
    ("return sin(x, x);", "sin takes 1 arguments"),
])
def test_what_is_not_understood_is_refused_with_its_line(body, words):
    with pytest.raises(Unsupported, match=words):
        forward(f"double f(double x) {{\n{body}\n}}")


@pytest.mark.parametrize("text, words", [
    ("#define N 3\ndouble f(double x) { return x; }", "line 1: only #include <math.h>"),
    ("double f(float x) { return x; }", "line 1: a parameter must be a double"),
    ("int n;", "line 1: only definitions of functions"),
])
def test_programs_that_are_refused(text, words):
    with pytest.raises(Unsupported, match=words):
        forward(text)


def test_loops_are_refused_in_reverse_mode():
    with pytest.raises(Unsupported, match="does not understand loops: use forward"):
        reverse("double f(double x) { while (x < 1.0) { x = x * 2; } return x; }")
