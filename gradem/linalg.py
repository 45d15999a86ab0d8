"""Linear algebra: the rules of solve, inv, det, cholesky, eigh and their relatives.

Each rule follows from an identity that the result satisfies: A X = B gives dA X + A dX = dB,
and so dX = A^-1 (dB - dA X). The pull is the transpose of that linear map. Sources: Giles 2008,
sections 2 and 3 (products, inverse, determinant, eigenvalues); Murray 2016 (Cholesky); Golub &
Pereyra 1973, equation 4.12 (pseudo-inverse). All take stacks of matrices.

A symmetric matrix has fewer free entries than places. The rules of cholesky, eigh and eigvalsh
take the symmetric part of a tangent, and give a symmetric adjoint.
"""

import functools
import operator

import numpy as np

from gradem.arrays import turned
from gradem.rules import NoDerivative, Rule, calling_line, plain
from gradem.shapes import from_back, ndim, shape
from gradem.traced import apply, implements, operands


def symmetric(v):
    """The symmetric part of each matrix."""
    return (v + turned(v)) / 2


def trace_of_product(x, y):
    """trace(x.T @ y) of each pair of matrices: the inner product of their entries."""
    return np.sum(x * y, axis=(-2, -1))


def _matrices(v):
    """The adjoint of one number a matrix, ready to multiply that matrix."""
    return v[..., None, None] if ndim(v) else v


def _inverse_transposed(name, a):
    try:
        return turned(np.linalg.inv(a))
    except np.linalg.LinAlgError:
        raise NoDerivative(f"{name} has no rule for its derivative at a singular matrix"
                           f"{calling_line()}") from None


SOLVE = Rule(
    "solve", np.linalg.solve,
    push=[lambda v, out, a, b: -np.linalg.solve(a, v @ out),
          lambda v, out, a, b: np.linalg.solve(a, v)],
    pull=[lambda v, out, a, b: -np.linalg.solve(turned(a), v) @ turned(out),
          lambda v, out, a, b: np.linalg.solve(turned(a), v)],
    broadcasts=True, saves={0, "out"})

INV = Rule(
    "inv", np.linalg.inv,
    push=[lambda v, out, a: -out @ v @ out],
    pull=[lambda v, out, a: -turned(out) @ v @ turned(out)],
    saves={"out"})

DET = Rule(
    "det", np.linalg.det,
    push=[lambda v, out, a: out * trace_of_product(_inverse_transposed("det", a), v)],
    pull=[lambda v, out, a: _matrices(v * out) * _inverse_transposed("det", a)])

#: log |det a|, the second result of slogdet.
LOGABSDET = Rule(
    "slogdet", lambda a: np.linalg.slogdet(a)[1],
    push=[lambda v, out, a: trace_of_product(_inverse_transposed("slogdet", a), v)],
    pull=[lambda v, out, a: _matrices(v) * _inverse_transposed("slogdet", a)],
    saves={0})


def _half_lower(x):
    """The lower triangle, with half of the diagonal: Murray's Phi."""
    n = shape(x)[-1]
    return x * (np.tri(n) - 0.5 * np.eye(n))


def _cholesky_push(v, out, a):
    scaled = np.linalg.solve(out, turned(np.linalg.solve(out, symmetric(v))))
    return out @ _half_lower(scaled)


def _cholesky_pull(v, out, a):
    inner = np.linalg.solve(turned(out), _half_lower(turned(out) @ v))
    return symmetric(turned(np.linalg.solve(turned(out), turned(inner))))


CHOLESKY = Rule("cholesky", np.linalg.cholesky, push=[_cholesky_push], pull=[_cholesky_pull],
                saves={"out"})


def _eigenvalues_push(v, out, a):
    q = np.linalg.eigh(a)[1]
    return np.diagonal(turned(q) @ symmetric(v) @ q, 0, -2, -1)


def _eigenvalues_pull(v, out, a):
    q = np.linalg.eigh(a)[1]
    return (q * v[..., None, :]) @ turned(q)


EIGVALSH = Rule("eigvalsh", np.linalg.eigvalsh,
                push=[_eigenvalues_push], pull=[_eigenvalues_pull], saves={0})


def _inverse_gaps(a):
    """1 / (w_j - w_i) for the eigenvalues w of a symmetric matrix; 0 on the diagonal."""
    w = np.linalg.eigvalsh(a)
    gaps = w[..., None, :] - w[..., :, None]
    itself = np.eye(shape(w)[-1], dtype=bool)
    if np.any((plain(gaps) == 0) & ~itself):
        raise NoDerivative("eigh has no derivative where two eigenvalues are equal: any rotation "
                           f"of their eigenvectors would do{calling_line()}")
    return np.where(itself, 0.0, 1.0 / np.where(itself, 1.0, gaps))


EIGENVECTORS = Rule(
    "eigh", lambda a: np.linalg.eigh(a)[1],
    push=[lambda v, out, a: out @ (_inverse_gaps(a) * (turned(out) @ symmetric(v) @ out))],
    pull=[lambda v, out, a:
          symmetric(out @ (_inverse_gaps(a) * (turned(out) @ v)) @ turned(out))],
    saves={0, "out"})


def _pinv_push(v, out, a):
    right = np.eye(shape(a)[-2]) - a @ out
    left = np.eye(shape(a)[-1]) - out @ a
    return (-out @ v @ out + out @ turned(out) @ turned(v) @ right
            + left @ turned(v) @ turned(out) @ out)


def _pinv_pull(v, out, a):
    right = np.eye(shape(a)[-2]) - a @ out
    left = np.eye(shape(a)[-1]) - out @ a
    return (-turned(out) @ v @ turned(out) + right @ turned(v) @ out @ turned(out)
            + turned(out) @ out @ turned(v) @ left)


#: The pseudo-inverse, of a matrix whose rank does not change nearby.
PINV = Rule("pinv", np.linalg.pinv, push=[_pinv_push], pull=[_pinv_pull])


@implements(np.linalg.solve)
def _solve(a, b):
    a, b = operands(np.linalg.solve, (a, b))
    if ndim(b) == 1:
        return apply(SOLVE, a, b[:, None])[..., 0]
    return apply(SOLVE, a, b)


@implements(np.linalg.inv)
def _inv(a):
    return apply(INV, a)


@implements(np.linalg.det)
def _det(a):
    return apply(DET, a)


_Slogdet = type(np.linalg.slogdet(np.eye(1)))
_Eigh = type(np.linalg.eigh(np.eye(1)))


@implements(np.linalg.slogdet)
def _slogdet(a):
    return _Slogdet(np.linalg.slogdet(plain(a))[0], apply(LOGABSDET, a))


@implements(np.linalg.cholesky)
def _cholesky(a, *, upper=False):
    lower = apply(CHOLESKY, a)
    return turned(lower) if upper else lower


@implements(np.linalg.eigvalsh)
def _eigvalsh(a):
    return apply(EIGVALSH, a)


@implements(np.linalg.eigh)
def _eigh(a):
    return _Eigh(apply(EIGVALSH, a), apply(EIGENVECTORS, a))


@implements(np.linalg.pinv)
def _pinv(a):
    return apply(PINV, a)


@implements(np.linalg.matrix_power)
def _matrix_power(a, n):
    n = operator.index(n)
    if n < 0:
        a, n = np.linalg.inv(a), -n
    if n == 0:
        return np.zeros(shape(a)) + np.eye(shape(a)[-1])
    half = _matrix_power(a, n // 2) if n > 1 else None
    if half is None:
        return a
    return half @ half @ a if n % 2 else half @ half


@implements(np.linalg.multi_dot)
def _multi_dot(arrays):
    return functools.reduce(np.matmul, arrays)


@implements(np.linalg.norm)
def _norm(x, ord=None, axis=None, keepdims=False):
    axes = from_back(axis, ndim(x))
    if ord in (None, "fro") or ord == 2 and len(axes) == 1:
        squares = np.sum(x * x, axis=axes, keepdims=keepdims)
        if np.any(plain(squares) == 0):
            raise NoDerivative("norm has no derivative at 0: its slope there depends on the "
                               f"direction{calling_line()}")
        return np.sqrt(squares)
    if ord not in (1, np.inf) or len(axes) > 2:
        raise TypeError(f"np.linalg.norm of a traced array does not take ord={ord!r}: it takes "
                        "None, 'fro', 1, inf, and 2 for vectors")
    size = np.abs(x)
    if len(axes) == 1:
        reduce = np.sum if ord == 1 else np.max
        return reduce(size, axis=axes, keepdims=keepdims)
    rows, columns = axes if ord == 1 else axes[::-1]
    sums = np.sum(size, axis=rows, keepdims=True)
    return (np.max(sums, axis=axes, keepdims=True) if keepdims
            else np.max(sums, axis=axes))


@implements(np.linalg.vector_norm)
def _vector_norm(x, *, axis=None, keepdims=False, ord=2):
    if axis is not None:
        return _norm(x, ord, axis, keepdims)
    norm = _norm(np.ravel(x), ord, -1)
    return np.reshape(norm, (1,) * ndim(x)) if keepdims else norm


@implements(np.linalg.matrix_norm)
def _matrix_norm(x, *, keepdims=False, ord="fro"):
    return _norm(x, ord, (-2, -1), keepdims)
