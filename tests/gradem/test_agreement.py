"""Every function with a rule, in both modes and to second order, against JAX and autograd.

A case is a line of program text. The same text is evaluated with NumPy (by gradem), with
jax.numpy and with autograd.numpy. For a program f, a direction v and an adjoint w, both of
them random, these are compared, to 1e-12 of their largest entry:

    f(x),   J(x) v,   w J(x),   the derivative of w J(x) in the direction v.

The last is computed in all four ways: each mode over each mode.
"""

import ast
import functools
import itertools
import re
import warnings
from pathlib import Path

import autograd
import autograd.numpy
import jax
import jax.numpy
import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradem import jacfwd, jacrev, jvp, vjp
from gradem.rules import RULES
from gradem.traced import FUNCTIONS, name_of

jax.config.update("jax_enable_x64", True)

RNG = numpy.random.default_rng(20261123)


def uniform(low, high, *shape):
    return RNG.uniform(low, high, shape) if shape else float(RNG.uniform(low, high))


def regular(*shape):
    """Random matrices with singular values between 1 and 3: no condition number above 3."""
    left, _, right = numpy.linalg.svd(RNG.standard_normal(shape))
    values = numpy.linspace(1.0, 3.0, min(shape[-2:]))
    return (left[..., :len(values)] * values) @ right[..., :len(values), :]


def positive_definite(*shape):
    """Random symmetric matrices with eigenvalues between 1 and 9, none close to another."""
    root = regular(*shape)
    return numpy.swapaxes(root, -1, -2) @ root


#: What the letters of a case stand for: the point at which it is differentiated.
POINT = {
    "s": uniform(-2, 2), "t": uniform(0.5, 2),
    "v": uniform(-2, 2, 4), "w": uniform(-2, 2, 4), "u": uniform(-2, 2, 3),
    "one": uniform(0.5, 2, 1), "row": uniform(-2, 2, 1, 4), "col": uniform(-2, 2, 3, 1),
    "p": uniform(0.5, 2, 4), "unit": uniform(-0.9, 0.9, 4), "above": uniform(1.2, 3, 4),
    "a": uniform(-2, 2, 3, 4), "b": uniform(-2, 2, 3, 4), "q": uniform(0.5, 2, 3, 4),
    "c": uniform(-2, 2, 4, 2), "T": uniform(-2, 2, 2, 3, 4), "U": uniform(-2, 2, 2, 4, 3),
    "m": regular(3, 3), "n": regular(3, 3), "M": regular(2, 3, 3), "N": regular(2, 3, 3),
    "e": numpy.zeros(0), "E": numpy.zeros((0, 4)), "G": numpy.zeros((3, 0)),
    "z": numpy.array([1.5, 0.0, -2.0, 0.5]), "tie": numpy.array([1.0, 3.0, 3.0, 0.0]),
    "tall": regular(4, 3), "spd": positive_definite(3, 3), "SPD": positive_definite(2, 3, 3),
}

#: Names in a case that are not differentiated.
CONSTANTS = {
    "I": numpy.array([2, 0, 0]), "K": numpy.array([[1, 0], [1, -1]]), "J": numpy.array([3, 1, 3]),
    "MASK": numpy.array([[True, False, True, False], [False] * 4, [True, True, False, True]]),
    "ROWS": numpy.array([True, False, True]), "COLUMNS": numpy.array([0, 2]),
    "ORDER": numpy.array([[0, 3, 1, 1], [2, 2, 0, 1], [3, 0, 1, 2]]),
    "ABOVE": numpy.arange(12.0).reshape(3, 4) > 5, "WEIGHTS": numpy.array([1.0, 2.0, 0.5, 3.0]),
    "SOME": numpy.array([10, 90]), "FEW": numpy.array([[0, 0], [2, 1]]),
    "X": numpy.array([0.0, 1.0, 1.5, 4.0]), "whole": numpy.array([1, 2, 3, 4]),
}

# ---- elementwise functions: on an array, and on a number --------------------------------------

ONE_ARGUMENT = {
    "v": "absolute arcsinh arctan conjugate cos cosh deg2rad degrees exp exp2 expm1 fabs "
         "nan_to_num negative positive rad2deg radians sin sinh square tanh",
    "p": "cbrt log log10 log1p log2 reciprocal sqrt",
    "unit": "arccos arcsin arctanh tan",
    "above": "arccosh",
}
TWO_ARGUMENTS = {
    "a, row": "add subtract multiply maximum minimum fmax fmin logaddexp logaddexp2 hypot arctan2",
    "a, q[:1]": "divide remainder fmod",
    "q, row": "power float_power",
}
ELEMENTWISE = [
    *(f"np.{name}({x}), np.{name}({x}[1])"
      for x, names in ONE_ARGUMENT.items() for name in names.split()),
    *(f"np.{name}({xy}), np.{name}(t, s), np.{name}(v, t)" if "q," not in xy
      else f"np.{name}({xy}), np.{name}(t, s), np.{name}(t, v)"
      for xy, names in TWO_ARGUMENTS.items() for name in names.split()),
    "s + a, s - a, s * a, s / q, t ** a, s % q, a + s, a - s, a * s, a / t, q ** s, a % t",
    "col + row, col - row, col * row, col / q[:1], (col + 3) ** row, one * T, T / one",
    "v + 1, 1 - v, 2 * v, 2 / p, 2 ** v, p ** 3, p ** 2, p ** 0.5, v ** 2, v ** 3, p ** -1.5",
    "v + whole, whole - v, whole * v, whole / p, whole ** v, p ** whole, v ** whole, v ** 0",
    "-a, +a, abs(a), abs(s), -s, s ** 2, t ** s, s + t, s - t, s * t, s / t, s % t",
]

# ---- sums, products, extremes --------------------------------------------------------------------

REDUCTIONS = [
    *(f"np.{name}({x}), np.{name}({x}, axis=-2), np.{name}({x}, axis=-1, keepdims=True), "
      f"np.{name}({x}, keepdims=True), np.{name}({x}, 1)"
      for x in ("a", "T") for name in "sum mean prod max min amax amin std var ptp".split()),
    *(f"np.{name}(T, axis=(0, 2)), np.{name}(T, axis=(-1, 0), keepdims=True), "
      f"np.{name}(T, (1,)), np.{name}(v), np.{name}(T, axis=(0, 1, 2))"
      for name in "sum mean prod max min std var ptp".split()),
    "a.sum(axis=0, keepdims=True), a.mean(1), a.prod(axis=-1), a.max(), a.min(axis=0), a.std(), "
    "a.var(axis=1), a.cumsum(axis=0), a.cumprod(1), a.dot(a.T)",
    *(f"np.{name}(s), np.{name}(s, keepdims=True), np.{name}(s, axis=()), np.{name}(v[0] * s)"
      for name in "sum mean prod max min var ptp".split()),
    "np.std(T, axis=1, ddof=1), np.var(a, ddof=1), np.var(T, axis=(0, 1), ddof=2)",
    "np.average(a), np.average(a, axis=1), np.average(a, axis=1, weights=WEIGHTS), "
    "np.average(a, axis=0, weights=q, keepdims=True), np.average(a, weights=q), "
    "np.average(T, axis=-1, weights=p), np.average(WEIGHTS, weights=p)",
    "np.cumsum(a), np.cumsum(a, axis=0), np.cumsum(T, -2), np.cumsum(v)",
    "np.cumprod(a), np.cumprod(a, axis=0), np.cumprod(T, -2), np.cumprod(v)",
    "np.cumulative_sum(T, axis=1), np.cumulative_prod(T, axis=-1), np.cumulative_sum(v)",
    "np.sort(a), np.sort(a, axis=0), np.sort(T, -2), np.sort(a, axis=None), np.sort(v)",
    "np.median(a), np.median(a, axis=0), np.median(v, keepdims=True), np.median(T, -1), "
    "np.median(u), np.median(a, axis=1, keepdims=True)",
    "np.quantile(a, 0.3), np.quantile(a, 0.3, axis=0), np.quantile(T, SOME / 100, axis=1), "
    "np.quantile(v, 0.0), np.quantile(v, 1.0), np.quantile(a, 0.45, axis=-1, keepdims=True)",
    "np.percentile(a, 30), np.percentile(a, 80.0, axis=0), np.percentile(v, SOME)",
    "np.partition(v, 2), np.partition(T, 1, axis=1)[:, 1], np.partition(a, 0)[:, 0]",
    "np.diff(a), np.diff(a, axis=0), np.diff(v, n=2), np.diff(T, n=2, axis=1), np.diff(v, 0)",
    "np.ediff1d(v), np.ediff1d(a)",
    "np.trapezoid(v), np.trapezoid(a, axis=0), np.trapezoid(a, dx=0.5), np.trapezoid(v, X), "
    "np.trapezoid(X, v), np.trapezoid(T, X), np.trapezoid(a, b), np.trapezoid(T, u, axis=1), "
    "np.trapezoid(a, b, axis=0)",
    "np.cov(a), np.cov(a, rowvar=False), np.cov(a, bias=True), np.cov(a, ddof=0), np.cov(v)",
    "np.clip(a, -1, 1), np.clip(a, -1.0, None), np.clip(a, None, 0.5), np.clip(a, row - 1, row), "
    "np.clip(s, -5, t)",
]

# ---- shapes -------------------------------------------------------------------------------------

SHAPES = [
    "np.reshape(a, (2, 6)), np.reshape(a, -1), np.reshape(T, (4, -1)), np.reshape(s, (1, 1)), "
    "np.reshape(one, ()), a.reshape(2, 6), a.reshape(-1), a.reshape((6, 2)), np.reshape(s, -1)",
    "np.ravel(a), np.ravel(s), np.ravel(v), T.ravel(), T.flatten(), a.T, T.T, v.T, np.copy(a), "
    "a.copy(), np.real(a)",
    "np.transpose(a), np.transpose(T), np.transpose(T, (2, 0, 1)), np.transpose(T, (-1, 0, -2)), "
    "T.transpose(1, 0, 2), T.transpose((2, 1, 0)), T.transpose(), np.transpose(v)",
    "np.permute_dims(T, (2, 0, 1)), np.matrix_transpose(T), np.linalg.matrix_transpose(T)",
    "np.swapaxes(T, 0, 2), np.swapaxes(T, -1, 1), T.swapaxes(0, 1)",
    "np.moveaxis(T, 0, -1), np.moveaxis(T, -1, 0), np.moveaxis(T, (0, 1), (-1, -2)), "
    "np.moveaxis(T, (2, 0), (0, 1)), np.moveaxis(T, 1, 1)",
    "np.squeeze(row), np.squeeze(col, axis=1), np.squeeze(one), col.squeeze(), "
    "np.squeeze(a[None, :, None], (0, 2)), np.squeeze(a)",
    "np.expand_dims(a, 0), np.expand_dims(a, -1), np.expand_dims(a, (0, 3)), np.expand_dims(s, 0)",
    "np.atleast_1d(s), np.atleast_1d(a), np.atleast_2d(v), np.atleast_3d(v), np.atleast_3d(a), "
    "np.atleast_2d(s), np.atleast_1d(s, v)[0], np.atleast_3d(s)",
    "np.broadcast_to(v, (3, 4)), np.broadcast_to(col, (2, 3, 4)), np.broadcast_to(s, (2, 2)), "
    "np.broadcast_to(one, (3,)), np.broadcast_to(one, 3), np.broadcast_to(row, (0, 4))",
    "np.broadcast_arrays(col, row)[0], np.broadcast_arrays(col, row)[1], "
    "np.broadcast_arrays(s, v, T)[0], np.broadcast_arrays(s, v, T)[1]",
]

# ---- joining, splitting, moving ---------------------------------------------------------------

JOINING = [
    "np.concatenate([a, b]), np.concatenate([a, b], axis=1), np.concatenate((v, u, one)), "
    "np.concatenate([a, row], axis=0), np.concatenate([a, col], axis=-1), "
    "np.concatenate([a, v, one], axis=None), np.concatenate([v, X, v]), np.concatenate([T])",
    "np.stack([v, w]), np.stack([v, w], axis=1), np.stack([s, t]), np.stack([a, b], -1), "
    "np.stack([s, 2.0, s * t]), np.stack([a, b, a], 1), np.stack((v,)), np.stack([X, v])",
    "np.vstack([v, a]), np.vstack([v, w]), np.vstack([s, t]), np.hstack([v, u]), "
    "np.hstack([a, col]), np.hstack([s, t]), np.dstack([a, b]), np.dstack([v, w]), "
    "np.dstack([s, t]), np.column_stack([v, w]), np.column_stack([u, a])",
    "np.append(v, u), np.append(a, row, axis=0), np.append(v, s), np.append(a, v)",
    "np.split(v, 2), np.split(a, 2, axis=1), np.split(v, [1, 3]), np.array_split(u, 2), "
    "np.hsplit(a, 2), np.vsplit(c, 2), np.dsplit(T, 2), np.split(a, 3), np.split(v, [0])",
    "np.unstack(T), np.unstack(T, axis=1), np.unstack(v)",
    "np.pad(v, 2), np.pad(a, ((1, 0), (0, 2))), np.pad(a, 1), np.pad(v, (1, 2)), "
    "np.pad(a, ((1, 1),), constant_values=3.0)",
    "np.pad(a, 1, mode='edge'), np.pad(a, 2, mode='reflect'), np.pad(a, 1, mode='symmetric'), "
    "np.pad(a, 2, mode='wrap'), np.pad(v, (2, 1), 'edge'), np.pad(v, (6, 5), 'wrap')",
    "np.tile(v, 3), np.tile(a, (2, 1)), np.tile(a, 2), np.tile(v, (2, 1, 2)), np.tile(s, 3)",
    "np.repeat(v, 2), np.repeat(a, 2), np.repeat(a, 3, axis=0), np.repeat(a, I, axis=0), "
    "a.repeat(2, axis=1), np.repeat(v, whole), np.repeat(s, 3)",
    "np.roll(v, 1), np.roll(a, 2), np.roll(a, -1, axis=0), np.roll(T, (1, 2), axis=(0, 2))",
    "np.flip(v), np.flip(a), np.flip(a, 0), np.flip(T, (0, 2)), np.fliplr(a), np.flipud(a)",
    "np.rot90(a), np.rot90(a, 2), np.rot90(a, -1), np.rot90(T, axes=(1, 2))",
    "np.resize(v, 6), np.resize(a, (2, 3)), np.resize(v, (3, 4)), np.delete(v, 1), "
    "np.delete(a, COLUMNS, axis=0), np.delete(a, 1, axis=1)",
    "np.diag(v), np.diag(v, 1), np.diag(v, -2), np.diag(a), np.diag(a, 1), np.diag(a, -1), "
    "np.diagflat(v), np.diagflat(a, 1)",
    "np.diagonal(a), np.diagonal(T, 1), np.diagonal(T, 0, -2, -1), np.diagonal(T, -1, 2, 0), "
    "np.linalg.diagonal(T), np.linalg.diagonal(T, offset=1), a.diagonal(1)",
    "np.tril(a), np.triu(a), np.tril(a, -1), np.triu(T, 1), np.tril(T, 2)",
    "np.trace(m), np.trace(a, 1), np.trace(T), np.trace(T, -1, 1, 2), np.linalg.trace(T), "
    "np.linalg.trace(T, offset=1), m.trace(), a.trace(1)",
    "np.where(ABOVE, a, b), np.where(a > 0, a, s), np.where(a > row, 0.0, a * b), "
    "np.where(v > 0, col, 1.0), np.where(s > 0, s, t), np.where(ABOVE, row, col)",
    "np.select([a > 1, a < 0], [a * b, b * s], s), np.select([ABOVE], [a], 0.0)",
    "np.linspace(s, t, 5), np.linspace(s, 3.0, 4, endpoint=False), np.linspace(0.0, t, 3)",
]

# ---- indexing -----------------------------------------------------------------------------------

INDEXING = [
    "v[0], v[-1], v[1:3], v[::-1], v[::2], v[3:0:-2], v[...], v[:], v[None], v[..., None], v[4:]",
    "a[1], a[1, 2], a[-1, -2], a[:, 1], a[1:, ::-1], a[..., 0], a[0, ...], a[:, None, 1:], a[::-2]",
    "T[1], T[0, 1, 2], T[..., 1], T[:, 1], T[:, ::-1, ::2], T[None, ..., None], T[1:1], "
    "T[-1, :, 0]",
    "v[I], v[K], v[J], v[numpy.int64(2)], v[I[:0]]",
    "a[I], a[K], a[I, J], a[:, I], a[I[:, None], J], a[..., J], a[1, J], a[J % 3, 1:3], a[FEW[0]]",
    "a[MASK], a[ROWS], a[:, numpy.array([True, False, True, True])], a[~MASK], v[v > 0]",
    "T[I % 2], T[:, I, J], T[I % 2, :, J], T[I % 2, ..., J], T[0, :, J], T[:, 0, J], T[..., K]",
    "T[K, 1:, None], T[None, I % 2, :, J], T[:, ROWS, :2], T[:, MASK], T[1, MASK], T[I % 2, I, J]",
    "np.take(v, I), np.take(a, I, axis=0), np.take(a, J, axis=1), np.take(a, K), a.take(J), "
    "np.take(T, K, axis=-2), np.take(v, 2)",
    "np.take_along_axis(a, ORDER, axis=1), np.take_along_axis(a, ORDER % 3, axis=0), "
    "np.take_along_axis(v, J, 0)",
    "np.compress(ROWS, a, axis=0), np.compress(ROWS, a), np.extract(MASK, a)",
    "np.sum(v[1:] * v[:-1]) + v[0] * v[0], sum(x * x for x in v), a[0] @ a[1], [x * s for x in v]",
]

# ---- products -----------------------------------------------------------------------------------

PRODUCTS = [
    "np.matmul(v, w), np.matmul(a, v), np.matmul(u, a), np.matmul(a, c), a @ c, v @ w, "
    "a @ v, u @ a",
    "np.matmul(T, U), np.matmul(a, U), np.matmul(T, c), np.matmul(T, v), np.matmul(u, T), T @ U",
    "X @ v, v @ X, a @ X, X @ c, WEIGHTS @ U, T @ X, np.linalg.matmul(T, U)",
    "np.dot(v, w), np.dot(a, v), np.dot(a, c), np.dot(s, a), np.dot(a, s), np.dot(s, t)",
    "np.dot(T, v), np.dot(v, U), np.dot(T, c), np.dot(a, U), np.dot(T, U), np.dot(u, a)",
    "np.vdot(v, w), np.vdot(a, b), np.inner(v, w), np.inner(a, v), np.inner(a, b), np.inner(T, a), "
    "np.inner(s, v), np.inner(v, a)",
    "np.outer(v, u), np.outer(a, v), np.outer(s, v), np.linalg.outer(v, u)",
    "np.tensordot(a, c, 1), np.tensordot(T, U, axes=([1, 2], [2, 1])), np.tensordot(v, u, 0), "
    "np.tensordot(T, a), np.tensordot(T, a, axes=([1], [0])), np.tensordot(a, b), "
    "np.tensordot(T, T, axes=([0, 2], [0, 2])), np.linalg.tensordot(a, c, axes=1), "
    "np.tensordot(v, a, axes=(0, -1)), np.tensordot(T, U, axes=([-1, 0], [-2, 0]))",
    "np.vecdot(a, v), np.vecdot(T, T * T), np.linalg.vecdot(a, b, axis=0), np.vecdot(a, b)",
    "np.matvec(T, v), np.matvec(a, v), np.vecmat(u, T), np.vecmat(u, a), np.matvec(T, T[:, 0])",
    "np.kron(v, u), np.kron(a, m), np.kron(v, a), np.kron(a, one), np.kron(T, v), np.kron(s, v)",
    "np.cross(u, m), np.cross(m, n), np.linalg.cross(m, n), np.cross(u, M), "
    "np.cross(m, n, axis=0), np.cross(M, n)",
    "np.convolve(v, u), np.convolve(u, v), np.convolve(v, w, 'full'), np.convolve(v, one)",
    "np.convolve(v, u, 'same'), np.convolve(u, v, 'same'), np.convolve(v, w, mode='same'), "
    "np.convolve(v, WEIGHTS[:2], 'same'), np.convolve(u, WEIGHTS[:2], 'same')",
    "np.convolve(v, u, 'valid'), np.convolve(u, v, 'valid'), np.convolve(v, v, 'valid')",
    "np.polyval(v, s), np.polyval(v, a), np.polyval(WEIGHTS, v), np.polyval(v, X)",
    "np.linalg.multi_dot([a, c, m[:2]]), np.linalg.multi_dot([v, c, c.T, w])",
]
EINSUM = [
    "np.einsum('ij,jk->ik', a, c), np.einsum('ij,jk', a, c), np.einsum('i,i->', v, w)",
    "np.einsum('ii->i', m), np.einsum('ii', m), np.einsum('jii->ij', N), np.einsum('ijj->i', M)",
    "np.einsum('ij->ji', a), np.einsum('ij->', a), np.einsum('ij->j', a), np.einsum('ijk->ki', T)",
    "np.einsum('bij,bjk->bik', T, U), np.einsum('bij,jk->bik', T, c), "
    "np.einsum('bij,bij->b', T, T)",
    "np.einsum('i,j->ij', v, u), np.einsum('i,j,k->kij', v, u, w), np.einsum('i,ij,j', u, a, v)",
    "np.einsum('ij,kj->', a, b), np.einsum('i,ijk->k', u, U.transpose(2, 1, 0)), "
    "np.einsum('ij,j->i', m, u), np.einsum('ji', a), np.einsum('ij, jk -> ik', a, c)",
    "np.einsum('ij,ji->', m, n), np.einsum('ij,jk,kl->il', m, n, a), "
    "np.einsum('ij,ij,ij->i', a, b, a), np.einsum('ij,jk->ik', a, c, optimize=True), "
    "np.einsum('ij,k->i', a, v), np.einsum('ik,ij', a, b), np.einsum(',ij->ij', s, a)",
]

# ---- linear algebra -----------------------------------------------------------------------------

LINEAR_ALGEBRA = [
    "np.linalg.solve(m, n), np.linalg.solve(m, u), np.linalg.solve(m, a), np.linalg.solve(M, N)",
    "np.linalg.solve(M, n), np.linalg.solve(m, N), np.linalg.solve(M, u), np.linalg.solve(m, T)",
    "np.linalg.inv(m), np.linalg.inv(M), np.linalg.inv(m[:1, :1])",
    "np.linalg.det(m), np.linalg.det(M), np.linalg.slogdet(m), np.linalg.slogdet(M), "
    "np.linalg.slogdet(-m)[1]",
    "np.linalg.cholesky(spd), np.linalg.cholesky(SPD), np.linalg.cholesky(spd, upper=True)",
    "np.linalg.eigvalsh(spd), np.linalg.eigvalsh(SPD)",
    "np.linalg.eigh(spd)[0], np.linalg.eigh(spd)[1] * np.sign(np.linalg.eigh(spd)[1][0])",
    "np.linalg.eigh(SPD).eigenvalues, np.linalg.eigh(SPD).eigenvectors ** 2",
    "np.linalg.pinv(tall), np.linalg.pinv(tall.T), np.linalg.pinv(m), np.linalg.pinv(M)",
    "np.linalg.matrix_power(m, 3), np.linalg.matrix_power(m, -2), np.linalg.matrix_power(M, 2), "
    "np.linalg.matrix_power(m, 0), np.linalg.matrix_power(m, 1), np.linalg.matrix_power(m, 6)",
    "np.linalg.norm(v), np.linalg.norm(a), np.linalg.norm(a, axis=0), np.linalg.norm(a, 'fro'), "
    "np.linalg.norm(T, axis=(0, 2)), np.linalg.norm(v, 2), np.linalg.norm(a, keepdims=True)",
    "np.linalg.norm(v, 1), np.linalg.norm(v, np.inf), np.linalg.norm(a, 1), "
    "np.linalg.norm(a, np.inf), np.linalg.norm(a, 1, axis=1), np.linalg.norm(T, 1, axis=(1, 2)), "
    "np.linalg.norm(T, np.inf, axis=(2, 0), keepdims=True), "
    "np.linalg.norm(a, axis=-1, keepdims=True)",
    "np.linalg.vector_norm(v), np.linalg.vector_norm(a), np.linalg.vector_norm(a, axis=0), "
    "np.linalg.vector_norm(a, ord=1), np.linalg.vector_norm(v, ord=np.inf), "
    "np.linalg.vector_norm(a, ord=1, axis=1, keepdims=True)",
    "np.linalg.matrix_norm(T), np.linalg.matrix_norm(T, ord=1), "
    "np.linalg.matrix_norm(a, ord=np.inf, keepdims=True)",
]

# ---- whole programs -----------------------------------------------------------------------------

PROGRAMS = [
    "np.sum(np.log(np.sum(np.exp(a - np.max(a, axis=1, keepdims=True)), axis=1)))",
    "np.tanh(np.tanh(T @ c + s) @ c.T + v) * col",
    "-0.5 * u @ np.linalg.solve(spd, u) - 0.5 * np.linalg.slogdet(spd)[1]",
    "np.linalg.cholesky(a @ a.T + 3 * np.eye(3)) @ u",
]

# ---- empty arrays, zeros and ties ---------------------------------------------------------------

EDGES = [
    "np.sum(e), np.sum(E, axis=0), np.sum(E, axis=1), np.sum(G, axis=-1, keepdims=True), "
    "np.prod(e), np.prod(E, axis=0), np.prod(G, axis=1)",
    "np.sin(E), E + v, E * row, np.where(E > 0, E, s), np.exp(e) * s, e / t, np.maximum(E, v)",
    "np.concatenate([e, v]), np.concatenate([E, a]), np.stack([e, e]), np.pad(e, 2), np.tile(e, 2)",
    "E @ v, E @ c, G @ E, a.T @ G, e @ e, np.dot(G, E), np.outer(v, e), "
    "np.einsum('ij,jk->ik', G, E)",
    "np.cumsum(e), np.cumprod(E, axis=1), np.sort(E), np.max(E, axis=1), np.mean(E, axis=1)",
    "np.reshape(E, (2, 0)), E.T, E[:, 1], E[None], e[::-1], np.ravel(G), np.flip(E), v[2:2] * s",
    "np.prod(z), np.cumprod(z), np.prod(a * z), np.prod(z * z), np.prod(a * z, axis=1)",
    "np.max(tie), np.max(-tie), np.min(tie), np.maximum(tie, 3.0), np.minimum(tie, tie[1]), "
    "np.clip(tie, 1.0, 3.0), tie ** 2, tie ** 3, np.hypot(tie, 2.0), np.max(np.stack([a, a])), "
    "np.max(np.stack([a, a]), axis=0)",
]

CASES = (ELEMENTWISE + REDUCTIONS + SHAPES + JOINING + INDEXING + PRODUCTS + EINSUM
         + LINEAR_ALGEBRA + PROGRAMS + EDGES)

#: What JAX cannot compile, since the shape would depend on the values, in other words.
IN_JAX = {
    "v[v > 0]": "v[numpy.array(POSITIVE)]",
    "np.compress(ROWS, a, axis=0)": "a[ROWS]",
    "np.compress(ROWS, a)": "np.ravel(a)[:3][ROWS]",
    "np.extract(MASK, a)": "a[MASK]",
}
CONSTANTS["POSITIVE"] = POINT["v"] > 0

#: Values that are not those of NumPy to the last bit, since they are computed in another order:
#: functions, and single parts of cases. They agree to 1e-15 of the largest entry.
ROUNDED = {
    "np.cumprod", "np.cumulative_prod", "a.cumprod",      # products in pairs
    "np.prod(T, axis=(-1, 0), keepdims=True)",            # along one axis, all in one
    "np.dot", "np.inner", "np.vecdot", "np.linalg.vecdot", "np.convolve",  # as tensordot, sum, matmul
    "np.einsum('ij,jk->ik', a, c, optimize=True)", "np.linalg.multi_dot",
    "np.linalg.matrix_power", "np.cov", "np.linspace",
    "np.linalg.eigh",                                     # its eigenvalues are those of eigvalsh
    "np.float_power",                                     # as x ** y
}


# ---- the checks ---------------------------------------------------------------------------------


class Program:
    """A case as a function of the letters in it, for any module with NumPy's functions.

    Attributes
    ----------
    parts : list of str
        The expressions of the case.
    letters : list of str
        What is differentiated.
    point, direction, adjoint : tuple
        Values for the letters, a tangent of them, and an adjoint of the results.
    """

    def __init__(self, case):
        tree = ast.parse(case, mode="eval").body
        elements = tree.elts if isinstance(tree, ast.Tuple) else [tree]
        self.parts = [ast.unparse(element) for element in elements]
        used = {name.id for name in ast.walk(tree) if isinstance(name, ast.Name)}
        self.letters = sorted(used & set(POINT))
        self.point = tuple(copied(POINT[letter]) for letter in self.letters)
        self.plain = self.on(numpy)(self.point)
        rng = numpy.random.default_rng(list(case.encode()))
        self.direction = tuple(random_like(x, rng) for x in self.point)
        self.adjoint = tuple(random_like(y, rng) for y in self.plain)

    def on(self, module, words={}):
        """The function of the letters: a flat tuple of the values of all parts."""
        codes = [compile(words.get(part, part), part, "eval") for part in self.parts]

        def f(xs):
            names = {**CONSTANTS, "np": module, "numpy": numpy, **dict(zip(self.letters, xs))}
            return flat([eval(code, names) for code in codes])
        return f


def flat(y):
    """The arrays in nested lists and tuples, autograd's boxed ones among them, as one tuple."""
    containers = (list, tuple, autograd.builtins.list, autograd.builtins.tuple)
    return tuple(z for part in y for z in flat(part)) if isinstance(y, containers) else (y,)


def copied(x):
    return numpy.array(x) if numpy.ndim(x) else x


def random_like(x, rng, *leading):
    drawn = rng.standard_normal(leading + numpy.shape(x))
    return drawn if drawn.ndim else float(drawn)


def assert_close(got, want, what, relative=1e-12):
    """Equal shapes, and entries equal to `relative` times the largest entry."""
    got, want = numpy.asarray(got), numpy.asarray(want)
    assert got.shape == want.shape, what
    largest = numpy.max(numpy.abs(want), initial=0.0)
    assert numpy.max(numpy.abs(got - want), initial=0.0) <= relative * largest, (what, got, want)


def assert_all_close(got, want, what):
    assert len(got) == len(want)
    for i, (x, y) in enumerate(zip(got, want)):
        assert_close(x, y, f"{what} {i}")


def in_jax(f, point, direction, adjoint):
    """f(x), J v, w J and the derivative of w J along v, from one evaluation in JAX."""
    def both(xs, v, w):
        def value_and_pulled(xs):
            value, pull = jax.vjp(f, xs)
            return value, pull(w)[0]
        return jax.jvp(value_and_pulled, (xs,), (v,))
    (value, pulled), (pushed, second) = jax.jit(both)(point, direction, adjoint)
    return value, pushed, pulled, second


@functools.cache
def program(case):
    return Program(case)


cases = pytest.mark.parametrize("case", CASES, ids=lambda case: case[:40])


@cases
def test_value_both_modes_and_second_order_agree_with_jax(case):
    p = program(case)
    f, x, v, w = p.on(numpy), p.point, p.direction, p.adjoint
    value, pushed, pulled, second = in_jax(p.on(jax.numpy, IN_JAX), x, v, w)

    got, tangent = jvp(f, x, v)
    assert_all_close(got, value, "value")
    assert_all_close(tangent, pushed, "push")
    got, pull = vjp(f, x)
    assert_all_close(got, value, "value")
    assert_all_close(pull(w)[0], pulled, "pull")

    def push(x):
        return jvp(f, x, v)[1]

    def gradient(x):
        return vjp(f, x)[1](w)[0]
    assert_all_close(jvp(gradient, x, v)[1], second, "push of pull")
    assert_all_close(vjp(gradient, x)[1](v)[0], second, "pull of pull")
    assert_all_close(vjp(push, x)[1](w)[0], second, "pull of push")
    terms = [(a * b, numpy.abs(a * b)) for a, b in zip(second, v)]
    along = sum(numpy.sum(w * y) for w, y in zip(w, jvp(push, x, v)[1]))
    bound = 1e-12 * sum(numpy.sum(size) for _, size in terms)
    assert abs(along - sum(numpy.sum(term) for term, _ in terms)) <= bound, "push of push"


@cases
def test_values_are_those_of_numpy(case):
    p = program(case)
    for part in p.parts:
        one = program(part)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            values = [jvp(one.on(numpy), one.point, one.direction)[0],
                      vjp(one.on(numpy), one.point)[0]]
        for value, want in itertools.chain(*(zip(value, one.plain) for value in values)):
            assert type(value) is (numpy.ndarray if numpy.ndim(want) else float)
            if part in ROUNDED or part.partition("(")[0] in ROUNDED:
                assert_close(value, want, part, relative=1e-15)
            else:
                assert numpy.array_equal(value, want), part


def test_the_page_of_limits_names_the_functions_whose_values_are_rounded_otherwise():
    page = (Path(__file__).parents[2] / "book" / "limits.md").read_text(encoding="utf-8")
    digits = re.search(r"## Digits\n(.*?)\n## ", page, re.DOTALL)[1]
    functions = {part.partition("(")[0].rpartition(".")[2] for part in ROUNDED}
    assert functions | {"optimize"} == set(re.findall(r"`(\w+)`", digits))


@cases
def test_stacks_of_seeds_are_stacks_of_single_results(case):
    p = program(case)
    f, x = p.on(numpy), p.point
    rng = numpy.random.default_rng(1)
    v = tuple(random_like(y, rng, 2, 3) for y in x)
    w = tuple(random_like(y, rng, 3, 2) for y in p.plain)
    seeds = list(itertools.product(range(2), range(3)))

    def at(xs, *i):
        return tuple(y[i] for y in xs)
    tangents, pull = jvp(f, x, v)[1], vjp(f, x)[1]
    adjoints, = pull(w)
    for y, t in zip(p.plain, tangents):
        assert numpy.shape(t) == (2, 3) + numpy.shape(y)
    for i, j in seeds:
        assert_all_close(at(tangents, i, j), jvp(f, x, at(v, i, j))[1], "push")
        assert_all_close(at(adjoints, j, i), pull(at(w, j, i))[0], "pull")
    nested = jvp(lambda x: vjp(f, x)[1](at(w, slice(None), 0))[0], x, at(v, 0))[1]
    for j, k in itertools.product(range(3), range(3)):
        single = jvp(lambda x: vjp(f, x)[1](at(w, k, 0))[0], x, at(v, 0, j))[1]
        assert_all_close(at(nested, j, k), single, "push of pull")


@cases
def test_one_active_argument_at_a_time(case):
    p = program(case)
    f, x, v, w = p.on(numpy), p.point, p.direction, p.adjoint
    adjoints, = vjp(f, x)[1](w)
    tangents = jvp(f, x, v)[1]
    total = [0.0] * len(tangents)
    for i in range(len(x)):
        def of_one(y, i=i):
            return f(x[:i] + (y,) + x[i + 1:])
        assert_close(vjp(of_one, x[i])[1](w)[0], adjoints[i], p.letters[i])
        parts = jvp(of_one, x[i], v[i])[1]
        total = [a + b for a, b in zip(total, parts)]
    assert_all_close(total, tangents, "push")


@cases
def test_pushes_and_pulls_are_transposes_and_jacobians_are_made_of_them(case):
    """<w, J v> = <w J, v>, to 1e-12 of the sum of the sizes of the terms."""
    for part in program(case).parts:
        p = program(part)
        f, x, v, w = p.on(numpy), p.point, p.direction, p.adjoint
        pushed, (pulled,) = jvp(f, x, v)[1], vjp(f, x)[1](w)
        left = [a * b for a, b in zip(w, pushed)]
        right = [a * b for a, b in zip(pulled, v)]
        bound = 1e-12 * sum(numpy.sum(numpy.abs(term)) for term in left + right)
        assert abs(sum(map(numpy.sum, left)) - sum(map(numpy.sum, right))) <= bound, part
        if len(x) == len(p.plain) == 1:
            for jacobian in (jacfwd, jacrev):
                matrix = jacobian(lambda y: f((y,))[0])(x[0])
                assert matrix.shape == numpy.shape(p.plain[0]) + numpy.shape(x[0]) if (
                    numpy.ndim(matrix)) else numpy.ndim(p.plain[0]) == numpy.ndim(x[0]) == 0
                product = numpy.tensordot(matrix, v[0], numpy.ndim(x[0]))
                assert_close(product, pushed[0], part)


@cases
def test_results_are_fresh_and_writable(case):
    p = program(case)
    f, x, v, w = p.on(numpy), *(tuple(map(copied, y)) for y in (p.point, p.direction, p.adjoint))
    value, tangent = jvp(f, x, v)
    value2, pull = vjp(f, x)
    first, = pull(w)
    arrays = [y for y in itertools.chain(x, v, w, value, tangent, value2, first) if numpy.ndim(y)]
    for one, other in itertools.combinations(arrays, 2):
        assert not numpy.shares_memory(one, other)
    wanted = tuple(map(copied, first))
    for y in arrays:
        assert y.flags.writeable and not any(
            step == 0 and n > 1 for step, n in zip(y.strides, y.shape) if y.size)
        if not any(y is adjoint for adjoint in w):
            y[...] = numpy.nan
    again, = pull(w)
    assert all(map(numpy.array_equal, again, wanted))


#: Where autograd is wrong, or has another convention.
NOT_AUTOGRAD = {
    "np.linalg.eigh(spd)[0]",                        # it gives a triangular adjoint
    "np.linalg.eigh(spd)[1] * np.sign(np.linalg.eigh(spd)[1][0])",
    "np.linalg.norm(v, np.inf)",                     # it gives NaN
    "np.prod(z)", "np.prod(a * z)", "np.prod(z * z)", "np.prod(a * z, axis=1)",  # NaN at a zero
    "np.clip(tie, 1.0, 3.0)",                        # it has slope 0 at a tie
}


def test_gradients_agree_with_autograd_where_it_has_them():
    compared = 0
    for part in itertools.chain(*(program(case).parts for case in CASES)):
        p = program(part)

        def projected(*xs):
            results = p.on(autograd.numpy)(xs)
            return sum(autograd.numpy.sum(w * y) for w, y in zip(p.adjoint, results))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                theirs = autograd.grad(projected, tuple(range(len(p.point))))(*p.point)
        except Exception:                            # no rule, or one that fails: many kinds
            continue
        if part not in NOT_AUTOGRAD:
            assert_all_close(vjp(p.on(numpy), p.point)[1](p.adjoint)[0], theirs, part)
            compared += 1
    assert compared > 600


def test_every_function_with_a_rule_is_in_a_case():
    class Module:
        """NumPy, which remembers what is taken from it."""

        def __init__(self, module):
            self.module = module

        def __getattr__(self, name):
            found = getattr(self.module, name)
            used.append(found)
            return Module(found) if found is numpy.linalg else found
    used = []
    for case in CASES:
        program(case).on(Module(numpy))(program(case).point)
    functions = {function for function in (*RULES, *FUNCTIONS)
                 if getattr(FUNCTIONS.get(function), "__name__", "") != "constant"}
    missing = {name_of(function) for function in functions if function not in used}
    assert missing == {"_operator.getitem",          # it is x[i]
                       "np.lib.stride_tricks.sliding_window_view"}


# ---- random programs ----------------------------------------------------------------------------


@st.composite
def random_programs(draw):
    """Up to eight operations on two letters of random shapes, each on what came before.

    Every step is bounded, so that values and derivatives stay between about 1e-3 and 1e3.
    """
    shapes = st.lists(st.sampled_from([1, 2, 3]), max_size=3).map(tuple)
    values = {name: numpy.ones(draw(shapes)) for name in ("a0", "a1")}
    lines = []

    def add(text):
        name = f"a{len(values)}"
        values[name] = eval(text, {"np": numpy, **values})
        lines.append(f"{name} = {text}")

    for _ in range(draw(st.integers(2, 8))):
        x = draw(st.sampled_from(sorted(values)))
        y = draw(st.sampled_from([name for name in values if broadcasts(values[name], values[x])]))
        shape, axes = numpy.shape(values[x]), numpy.ndim(values[x])
        texts = [
            f"np.sin({x})", f"np.tanh({x} * {y})", f"{x} / (2 + {y} * {y})", f"{x} - 0.5 * {y}",
            f"np.exp(-{x} * {x})", f"np.hypot({x}, 1 + {y} ** 2)", f"np.arctan2({x}, 2.0)",
            f"np.expand_dims({x}, {draw(st.integers(-axes - 1, axes))})"]
        if axes:
            axis = draw(st.integers(-axes, axes - 1))
            i, j = (draw(st.integers(-shape[axis], shape[axis] - 1)) for _ in range(2))
            colons = ":, " * (axis % axes)
            texts += [
                f"{x}[{colons}{i}]", f"{x}[{colons}::-1]",
                f"{x}[{colons}np.array([{i}, {j}, {i}])]", f"{x}[None, ..., 0]",
                f"np.mean({x}, axis={axis})", f"np.mean({x}, axis={axis}, keepdims=True)",
                f"np.cumsum({x}, axis={axis}) / 3", f"np.prod(1 + {x} ** 2, axis={axis}) / 9",
                f"np.concatenate([{x}, {x} ** 2], {axis})", f"np.stack([{x}, 2 * {x}], {axis})",
                f"np.linalg.norm(1 + {x} ** 2, axis={axis})", f"np.roll({x}, {i}, axis={axis})",
                f"np.moveaxis({x}, {axis}, 0)", f"np.reshape({x}, -1)", f"np.mean({x})"]
        if axes > 1:
            texts += [f"{x} @ np.swapaxes({x}, -1, -2) / 3", f"np.swapaxes({x}, 0, -1)",
                      f"np.linalg.inv(np.eye({shape[-2]}) + {x} @ np.swapaxes({x}, -1, -2))",
                      f"np.einsum('...ij->...ji', {x})".replace("...", "abcdefgh"[:axes - 2])]
        add(draw(st.sampled_from(texts)))
    return {name: values[name].shape for name in ("a0", "a1")}, lines, list(values)[-2:]


def broadcasts(x, y):
    try:
        return numpy.broadcast_shapes(numpy.shape(x), numpy.shape(y)) is not None
    except ValueError:
        return False


@settings(max_examples=40)
@given(random_programs())
def test_random_programs_agree_with_jax(drawn):
    """Sums may cancel here: the bound is relative to 1 where the largest entry is smaller."""
    shapes, lines, results = drawn
    code = compile("\n".join(lines), "\n".join(lines), "exec")

    def on(module):
        def f(xs):
            names = {"np": module, **dict(zip(shapes, xs))}
            exec(code, names)
            return tuple(names[name] for name in results)
        return f
    rng = numpy.random.default_rng(0)
    x, v = ([rng.uniform(-1, 1, shape) if shape else float(rng.uniform(-1, 1))
             for shape in shapes.values()] for _ in range(2))
    x, v = tuple(x), tuple(v)
    f = on(numpy)
    w = tuple(random_like(y, rng) for y in f(x))

    def gradient(x):
        return vjp(f, x)[1](w)[0]
    got = [*jvp(f, x, v), gradient(x), jvp(gradient, x, v)[1]]
    for ours, theirs in zip(got, in_jax(on(jax.numpy), x, v, w)):
        for one, other in zip(ours, theirs, strict=True):
            assert numpy.shape(one) == numpy.shape(other)
            largest = max(1.0, numpy.max(numpy.abs(other), initial=0.0))
            assert numpy.max(numpy.abs(one - other), initial=0.0) <= 1e-12 * largest
