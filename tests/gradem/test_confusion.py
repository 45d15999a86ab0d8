"""Nested derivatives do not mix up their tangents, in any mix of forward and reverse mode.

Siskind & Pearlmutter 2005 named the fault perturbation confusion: a derivative taken inside of
another takes the outer variable for its own. Expected values come from SymPy, which knows
no tangents, or are worked out by hand. The list of ForwardDiff.jl's tests of the same
name is among the programs here.
"""

import functools
from itertools import product

import numpy as np
import pytest
import sympy

from gradem import (
    Dual, derivative, grad, hessian, hvp, jacfwd, jacrev, jvp, value_and_grad, vjp)


def by_jvp(f):
    return lambda x: jvp(f, x, 1.0)[1]


def by_vjp(f):
    return lambda x: vjp(f, x)[1](1.0)[0]


def by_hand(f):
    """With a dual made by hand, which is right if all that f closes over is inside of x."""
    def slope(x):
        y = f(Dual(x, 1.0))
        return y.tangent if isinstance(y, Dual) else 0.0
    return slope


def in_sympy(f):
    def slope(x):
        t = sympy.Dummy()
        return sympy.diff(f(t), t).subs(t, x)
    return slope


#: Derivatives of a function of one number.
WAYS = {"derivative": derivative, "grad": grad, "jacfwd": jacfwd, "jacrev": jacrev,
        "jvp": by_jvp, "vjp": by_vjp}

# ---- programs: functions of x in which derivatives are taken, each D by a way of its own ---------


def siskind_and_pearlmutter(x, D, sin):
    return x * D[0](lambda y: x + y)(1.0)


def product_at_the_outer_point(x, D, sin):
    return x * D[0](lambda y: x * y**2)(x)


def without_the_inner_variable(x, D, sin):
    return x * x + x * D[0](lambda y: x**3)(x) + D[0](lambda y: 3.0)(x)


def without_the_outer_variable(x, D, sin):
    return x + D[0](lambda y: y**3)(2.0)


def three_deep(x, D, sin):
    return D[0](lambda y: y * D[1](lambda z: x * y * z + z**3)(y))(x)


def three_deep_with_sines(x, D, sin):
    return x * D[0](lambda y: sin(x * y) * D[1](lambda z: sin(x + y * z) / z)(x * y))(x + 2)


def four_deep(x, D, sin):
    return D[0](lambda y: D[1](lambda z: z * D[2](lambda w: w**3 * x * y * z + sin(w * x))(z))(
        y * x))(x)


def siblings(x, D, sin):
    return D[0](lambda y: D[1](lambda z: x * y * z**2)(x * y) * D[2](lambda z: x * y + z**3)(y))(x)


def same_function_at_several_points(x, D, sin):
    slope = D[0](lambda y: x * y**3)
    return slope(x) + slope(2.0) * slope(x * x)


def derivatives_in_a_loop(x, D, sin):
    total = 0.5
    for k in range(1, 4):
        total = total + x * D[0](lambda y: sin(x + y) * y**k)(total)
    return total


def newton(x, D, sin):
    """Three steps to the square root of x."""
    z = x
    for _ in range(3):
        z = z - (z * z - x) / D[0](lambda w: w * w - x)(z)
    return z


def recursion(x, D, sin):
    def nest(depth, y):
        return y if depth == 3 else D[depth](lambda z: z**2 * nest(depth + 1, z * x))(y)
    return nest(0, x)


def shifts(x, D, sin):
    """Manzyuk et al. 2019: the derivative of f(x + u) in u, applied twice."""
    def shifted(f, D):
        return lambda x: D(lambda u: f(x + u))(0.0)
    return shifted(shifted(lambda y: sin(y) * y, D[0]), D[1])(x)


def through_functions_passed_on(x, D, sin):
    def scaled(f):
        return lambda y: x * f(y)
    return D[0](scaled(scaled(D[1](scaled(lambda z: z**4)))))(x)


PROGRAMS = [
    siskind_and_pearlmutter, product_at_the_outer_point, without_the_inner_variable,
    without_the_outer_variable, three_deep, three_deep_with_sines, four_deep, siblings,
    same_function_at_several_points, derivatives_in_a_loop, newton, recursion, shifts,
    through_functions_passed_on]

programs = pytest.mark.parametrize("program", PROGRAMS)


@functools.cache
def expected(program, x, order=1):
    """The derivative at x of the given order, from SymPy, with 30 digits."""
    t = sympy.Symbol("t")
    exact = program(t, (in_sympy,) * 3, sympy.sin)
    point = sympy.Rational(x)
    return float(sympy.diff(exact, t, order).subs(t, point).evalf(30))


@programs
def test_every_mix_of_modes_at_every_depth(program):
    for outer, *D in product([derivative, grad], repeat=4):
        got = outer(lambda x: program(x, D, np.sin))(1.25)
        assert type(got) is float
        assert got == pytest.approx(expected(program, 1.25), rel=1e-12), (outer, D)


@programs
@pytest.mark.parametrize("outer", WAYS)
def test_every_pair_of_ways(program, outer):
    for first, second in product(WAYS.values(), repeat=2):
        got = WAYS[outer](lambda x: program(x, (first, second, first), np.sin))(1.25)
        assert got == pytest.approx(expected(program, 1.25), rel=1e-12), (first, second)


@programs
def test_second_derivatives_of_programs_with_derivatives_in_them(program):
    for outer, middle, *D in product([derivative, grad], repeat=5):
        got = outer(middle(lambda x: program(x, D, np.sin)))(1.25)
        assert got == pytest.approx(expected(program, 1.25, 2), rel=1e-11, abs=1e-13), (outer, D)


def test_the_value_of_the_oldest_example_is_1_not_2():
    for outer, inner in product([*WAYS.values(), by_hand], WAYS.values()):
        assert outer(lambda x: x * inner(lambda y: x + y)(1.0))(1.0) == 1.0


# ---- duals made by hand -------------------------------------------------------------------------


@programs
def test_a_dual_made_by_hand_outside(program):
    for D in product([derivative, grad], repeat=3):
        got = by_hand(lambda x: program(x, D, np.sin))(1.25)
        assert got == pytest.approx(expected(program, 1.25), rel=1e-12), D


@pytest.mark.parametrize("program", [
    product_at_the_outer_point, newton, recursion, shifts, through_functions_passed_on])
@pytest.mark.parametrize("outer", WAYS)
def test_duals_made_by_hand_inside(program, outer):
    def f(x, D):
        if program is shifts:                             # by hand: at x, not at the constant 0
            return D(D(lambda y: np.sin(y) * y))(x)
        return program(x, (D, D, D), np.sin)
    got = WAYS[outer](lambda x: f(x, by_hand))(1.25)
    assert got == pytest.approx(expected(program, 1.25), rel=1e-12)


def test_duals_of_duals_made_by_hand():
    third = Dual(Dual(Dual(2.0, 1.0), 1.0), 1.0)
    assert (third**4).tangent.tangent.tangent == 48.0
    assert grad(lambda x: (Dual(x, 1.0) ** 4).tangent)(2.0) == 48.0
    assert grad(lambda x: (Dual(Dual(x, 1.0), 1.0) ** 4).tangent.tangent)(2.0) == 48.0
    assert derivative(lambda x: (x * Dual(x, x)).tangent)(3.0) == 6.0


def test_a_tangent_or_an_adjoint_may_itself_be_differentiated():
    def cube(x):
        return x**3
    for D in WAYS.values():
        assert D(lambda t: jvp(cube, 2.0, t)[1])(5.0) == 12.0
        assert D(lambda t: vjp(cube, 2.0)[1](t)[0])(5.0) == 12.0
        assert D(lambda t: jvp(cube, t, t)[1])(2.0) == 36.0          # (3 t^2) t
        assert D(lambda t: vjp(cube, t)[1](t)[0])(2.0) == 36.0
        assert D(lambda t: hvp(cube, t, t))(2.0) == 24.0             # (6 t) t
        assert D(lambda t: value_and_grad(lambda y: t * cube(y))(t)[1])(2.0) == 36.0
    _, pull = vjp(cube, 2.0)
    assert derivative(lambda t: pull(t * t)[0])(3.0) == grad(lambda t: pull(t * t)[0])(3.0) == 72.0


# ---- arrays: ForwardDiff's list, and seeds of several levels at once -----------------------------

JACOBIANS = {"jacfwd": jacfwd, "jacrev": jacrev}
GRADIENTS = {"grad": grad, "jacfwd": jacfwd, "jacrev": jacrev}
jacobians = pytest.mark.parametrize("J", JACOBIANS.values(), ids=JACOBIANS)
gradients = pytest.mark.parametrize("G", GRADIENTS.values(), ids=GRADIENTS)


@gradients
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("point", [[1.0], [3.0, -1.0, 2.0]])
def test_a_derivative_of_a_scaled_norm_inside_of_a_gradient(G, way, point):
    got = G(lambda v: np.sum(v) * WAYS[way](lambda y: y * np.linalg.norm(v))(1.0))(point)
    v = np.array(point)
    norm = np.linalg.norm(v)
    np.testing.assert_allclose(got, norm + np.sum(v) * v / norm, rtol=1e-14)


@jacobians
@gradients
def test_the_jacobian_of_a_gradient_of_a_bilinear_form_is_its_matrix(J, G):
    rng = np.random.default_rng(0)
    A, x, y = rng.random((10, 8)), rng.random(8), rng.random(10)
    got = J(lambda x: G(lambda y: np.dot(y, A @ x))(y))(x)
    np.testing.assert_allclose(got, A, rtol=1e-15)


def lagrangian(t, q, velocity, mass=1.0, gravity=9.8):
    return mass / 2 * np.dot(velocity, velocity) - mass * gravity * q[1]


@jacobians
@gradients
def test_mixed_derivatives_of_a_lagrangian(J, G):
    velocity = np.array([3.0, 4.0])
    got = J(lambda q: G(lambda u: lagrangian(1.0, q, u))(velocity))([1.0, 2.0])
    assert np.array_equal(got, np.zeros((2, 2)))


@gradients
@pytest.mark.parametrize("inner", [grad, jacrev, jacfwd])
@pytest.mark.parametrize("H", [hessian, lambda f: jacrev(grad(f)), lambda f: jacfwd(jacfwd(f)),
                               lambda f: jacrev(jacfwd(f))])
def test_hamilton_s_equations_by_a_legendre_transformation(G, inner, H):
    def transformed(F, w):
        zero = np.zeros(len(w))
        root = np.linalg.cholesky(H(F)(zero))
        v = np.linalg.solve(root.T, np.linalg.solve(root, w - inner(F)(zero)))
        return np.dot(w, v) - F(v)

    def hamiltonian(q, p):
        return transformed(lambda velocity: lagrangian(1.0, q, velocity), p)
    q, p = np.array([1.0, 2.0]), np.array([5.0, 6.0])
    assert hamiltonian(q, p) == pytest.approx(np.dot(p, p) / 2 + 9.8 * 2, rel=1e-15)
    np.testing.assert_allclose(G(lambda q: hamiltonian(q, p))(q), [0.0, 9.8], rtol=1e-15)
    np.testing.assert_allclose(G(lambda p: hamiltonian(q, p))(p), p, rtol=1e-15)


def test_a_hessian_through_closures_that_pick_one_entry():
    def pick(z, x):
        return x[0]
    z = ([(1, 2, [(3, (4, 5, [1, 2, (3, (4, 5), [5])]), 5)])],)
    first = functools.partial(pick, z)
    assert np.array_equal(hessian(lambda x: first(x))([1.0]), np.zeros((1, 1)))


@pytest.mark.parametrize("outer, inner", list(product(JACOBIANS.values(), repeat=2)))
def test_seeds_of_two_jacobians_stay_apart(outer, inner):
    """The inner Jacobian is diagonal, x cos(x), and the outer variable scales it."""
    x = np.array([0.5, 1.0, 2.0])
    got = outer(lambda x: inner(lambda y: np.sin(y) * x)(x))(x)
    want = np.zeros((3, 3, 3))
    want[range(3), range(3), range(3)] = np.cos(x) - x * np.sin(x)
    np.testing.assert_allclose(got, want, rtol=1e-15)


@pytest.mark.parametrize("J", list(product(JACOBIANS.values(), repeat=3)))
def test_seeds_of_three_jacobians_stay_apart(J):
    """All levels have other numbers of seeds: 2, 3 and 4. The function is multilinear."""
    rng = np.random.default_rng(1)
    A, B, C = (rng.standard_normal(shape) for shape in [(5, 4), (5, 3), (5, 2)])
    x, y, z = (rng.standard_normal(n) for n in (2, 3, 4))

    def f(x, y, z):
        return (A @ z) * (B @ y) * (C @ x) * x[0]
    got = J[0](lambda x: J[1](lambda y: J[2](lambda z: f(x, y, z))(z))(y))(x)
    linear = np.einsum("ik,ij,il->ikjl", A, B, C) * x[0]
    linear[..., 0] += np.einsum("ik,ij,i->ikj", A, B, C @ x)
    np.testing.assert_allclose(got, linear, rtol=1e-13)


@pytest.mark.parametrize("outer, inner", list(product(WAYS.values(), [grad, jacfwd, jacrev])))
def test_gradient_descent_inside_of_a_derivative(outer, inner):
    """The slope of the end point in the step size, against the closed form of the iteration."""
    curvature, start = np.array([1.0, 3.0]), np.array([1.0, -2.0])

    def end(step):
        w = start + 0 * step
        for _ in range(4):
            w = w - step * inner(lambda w: np.sum(curvature * w * w) / 2)(w)
        return np.sum(w)
    want = np.sum(start * 4 * (1 - 0.1 * curvature) ** 3 * -curvature)
    assert outer(end)(0.1) == pytest.approx(want, rel=1e-14)


def test_functions_as_results_are_refused():
    """The case of Manzyuk et al. 2019 that no tag can save: f returns a function of its tangent."""
    with pytest.raises(TypeError):
        derivative(lambda u: lambda f: lambda x: f(x + u))(0.0)


def test_an_exception_inside_leaves_nothing_behind():
    def fails(y):
        raise KeyError(y.value)
    for D in WAYS.values():
        with pytest.raises(KeyError):
            D(lambda x: x * D(fails)(x))(1.0)
        assert D(lambda x: x * D(lambda y: x + y)(1.0))(1.0) == 1.0
