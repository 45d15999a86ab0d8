"""What users call: derivatives of functions, in forward and in reverse mode.

Each transformation takes a function and gives its argument a level of its own, so they nest:
``derivative(derivative(f))`` is f''. Forward mode (`jvp`, `derivative`, `jacfwd`) costs about
as many evaluations of f as there are directions, reverse mode (`vjp`, `grad`, `jacrev`) as
many as there are results (Griewank & Walther 2008, chapters 3 and 4). `hessian` and `hvp` are
forward mode over reverse mode (section 5.2), as in Pearlmutter 1994.

An argument or result may be a number, an array, or a container of them (`gradem.containers`).
Derivatives are fresh: floats and float64 arrays that belong to the caller.
"""

import functools

import numpy as np

from gradem.containers import leaves, leaves_like, rebuild
from gradem.dual import Dual
from gradem.rules import Rule
from gradem.shapes import ndim, seeds, shape, size
from gradem.tape import Tape, Var
from gradem.traced import Traced, apply, new_level, real

# ---- forward mode -------------------------------------------------------------------------------


def jvp(f, x, tangent):
    """Value of f at x, and its derivative in a direction: the product J(x) @ tangent.

    Parameters
    ----------
    f : callable
        A function of one argument.
    x : float, ndarray, or container of them
        The point. Whole numbers are taken as floats.
    tangent : like x, shape (seeds..., shape of x)
        The direction; several directions may be stacked along leading axes.

    Returns
    -------
    value : float, ndarray, or container of them
        f(x).
    tangent : like value, shape (seeds..., shape of value)
        The derivative of f at x in each direction. Zero if f ignores x.

    Raises
    ------
    TypeError
        If x or f(x) is not real, or f uses what cannot be differentiated.
    ValueError
        If the tangent does not have the form and the axes of x.
    NoDerivative
        If f has no derivative at x (see `gradem.rules`).

    References
    ----------
    Griewank & Walther, Evaluating Derivatives, 2nd ed., SIAM 2008, section 3.1.

    Examples
    --------
    >>> jvp(lambda x: x[0] * x[1], [3.0, 4.0], [1.0, 0.0])
    (12.0, 4.0)
    """
    level = new_level()
    duals = [Dual(real(point, "x"), real(v, "the tangent"), level)
             for point, v in zip(leaves(x), leaves_like(x, tangent, "the tangent"))]
    out = f(rebuild(x, duals))
    leading = seeds(duals[0].tangent, duals[0].value) if duals else ()
    results = [_split(y, level, leading) for y in leaves(out)]
    return (rebuild(out, [value for value, _ in results]),
            rebuild(out, [v for _, v in results]))


def _split(y, level, leading):
    """Value and tangent of one result at a level, both fresh."""
    if isinstance(y, Dual) and y.level == level:
        return _fresh(y.value), _fresh(y.tangent)
    if isinstance(y, Dual) and y.level > level:
        raise TypeError("f returned a Dual that it made by hand of x: return its value or tangent")
    y = real(y, "the result of f")
    return y, _fresh(np.zeros(leading + shape(y)))


def derivative(f):
    """The derivative of a function of one number.

    Parameters
    ----------
    f : callable
        A function of a number x that returns a number or an array.

    Returns
    -------
    callable
        The function x -> f'(x), of the shape of f(x). For an array x, f must treat each
        entry alone, and the result holds the derivative at each entry. Further arguments
        are passed on to f.

    Raises
    ------
    ValueError
        By the function returned, if x is an array and the shape of f(x) another one.

    Examples
    --------
    >>> derivative(lambda x: x**3)(2)
    12.0
    >>> derivative(derivative(np.sin))(np.pi / 2)
    -1.0
    """
    @_named_like(f)
    def slope(x, *args, **kwargs):
        x = real(x, "x")
        out, tangent = jvp(lambda x: f(x, *args, **kwargs), x, np.ones(shape(x)) if ndim(x) else 1.0)
        if ndim(x) and shape(out) != shape(x):
            raise ValueError(f"f takes an array of shape {shape(x)} to one of shape {shape(out)}, "
                             "so it does not act on each entry alone: use grad or jvp")
        return tangent
    return slope


def jacfwd(f):
    """The Jacobian in forward mode: one evaluation with a seed for each entry of x.

    Parameters
    ----------
    f : callable
        A function of one array (or number), that returns one array (or number).

    Returns
    -------
    callable
        The function x -> J, of shape (shape of f(x)..., shape of x...). Further arguments
        are passed on to f.

    Examples
    --------
    >>> jacfwd(lambda x: np.stack([x[0] * x[1], x[1]]))([3.0, 4.0])
    array([[4., 3.],
           [0., 1.]])
    """
    @_named_like(f)
    def jacobian(x, *args, **kwargs):
        x = real(x, "x")
        out, columns = jvp(lambda x: f(x, *args, **kwargs), x, _basis(x))
        _one_array(out)
        columns = np.moveaxis(columns, 0, -1) if ndim(x) else columns      # seeds, if any, last
        return _fresh(np.reshape(columns, shape(out) + shape(x)))
    return jacobian


# ---- reverse mode -------------------------------------------------------------------------------


def vjp(f, *xs):
    """Value of f at xs, and the function that pulls an adjoint of it back: v -> v @ J.

    Parameters
    ----------
    f : callable
    xs : float, ndarray, or container of them
        The arguments of f. Whole numbers are taken as floats.

    Returns
    -------
    value : float, ndarray, or container of them
        The result of f.
    pull : callable
        ``pull(adjoint)`` returns a tuple with an adjoint for each of xs, of its form and
        shape; zero where f ignores it. `adjoint` has the form of the value; several
        adjoints may be stacked along leading axes, which the results then have, too.

    Raises
    ------
    TypeError
        If an argument or result is not real, or f uses what cannot be differentiated.
    ValueError
        By `pull`, if the adjoint does not have the form and the axes of the value.
    NoDerivative
        If f has no derivative at xs (see `gradem.rules`).

    References
    ----------
    Griewank & Walther, Evaluating Derivatives, 2nd ed., SIAM 2008, section 3.2.

    Examples
    --------
    >>> value, pull = vjp(lambda x, y: x * y, 3.0, 4.0)
    >>> value, pull(1.0)
    (12.0, (4.0, 3.0))
    """
    tape = Tape()
    inputs = [_variables(tape, x) for x in xs]
    out = f(*inputs)
    results = leaves(out)
    values = [_value(y, tape) for y in results]

    def pull(adjoint):
        adjoints = [_fitting(v, y) for v, y in zip(leaves_like(out, adjoint, "the adjoint"), values)]
        found = _swept(tape, results, adjoints)
        leading = seeds(adjoints[0], values[0]) if values else ()
        return tuple([_collected(x, found, leading) for x in inputs])
    return rebuild(out, values), pull


def _variables(tape, x, copy=True):
    """New inputs of a tape in the place of the numbers and arrays in x."""
    return rebuild(x, [tape.variable(real(leaf, "x", copy)) for leaf in leaves(x)])


def _value(y, tape):
    """The value of one result, fresh."""
    return _fresh(y.value if _is_on(tape, y) else real(y, "the result of f"))


def _is_on(tape, y):
    return isinstance(y, Var) and y.tape is tape


def _fitting(v, y):
    """An adjoint of the result y as a float or array; refuse one that does not fit."""
    v = real(v, "the adjoint")
    if ndim(v) < ndim(y) or shape(v)[ndim(v) - ndim(y):] != shape(y):
        raise ValueError(f"a result of shape {shape(y)} cannot have an adjoint of shape "
                         f"{shape(v)}: the last axes must be those of the result")
    return v


def _swept(tape, results, adjoints, last=False):
    """The adjoints of the entries of a tape, from those of results."""
    starts = {}
    for y, v in zip(results, adjoints):
        if _is_on(tape, y):
            starts[y.index] = starts[y.index] + v if y.index in starts else v
    return tape.sweep(starts, last) if starts else []


def _collected(x, adjoints, leading=()):
    """The adjoints of the inputs in x, fresh and in its form; zeros where none arrived."""
    found = []
    for leaf in leaves(x):
        v = adjoints[leaf.index] if leaf.index < len(adjoints) else None
        found.append(_fresh(np.zeros(leading + leaf.shape) if v is None else v))
    return rebuild(x, found)


def value_and_grad(f, argnums=0):
    """The value and the gradient of a function of many variables, in one sweep each way.

    Parameters and errors are those of `grad`.

    Returns
    -------
    callable
        The function x -> (f(x), gradient of f at x).
    """
    chosen = argnums if isinstance(argnums, tuple) else (argnums,)
    if not all(isinstance(i, (int, np.integer)) for i in chosen):
        raise TypeError(f"argnums={argnums!r} should be a whole number, or a tuple of them: the "
                        "positions of what is differentiated")

    @_named_like(f)
    def value_and_gradient(*args, **kwargs):
        tape = Tape()
        inputs = list(args)
        for i in chosen:
            if not -len(args) <= i < len(args):
                raise TypeError(f"argnums={argnums}, but there are {len(args)} positional "
                                "arguments: what is differentiated is given by position")
            inputs[i] = _variables(tape, args[i], copy=False)    # the tape ends with this call
        out = f(*inputs, **kwargs)
        if isinstance(out, (tuple, list, dict)) or shape(out) != ():
            what = f"has shape {shape(out)}" if ndim(out) else f"is a {type(out).__name__}"
            raise ValueError("a gradient needs a function whose result is a single number, but "
                             f"f(x) {what}: use jacrev, jacfwd or vjp")
        value = _value(out, tape)
        adjoints = _swept(tape, [out], [1.0], last=True)
        gradients = tuple([_collected(inputs[i], adjoints) for i in chosen])
        return value, gradients if isinstance(argnums, tuple) else gradients[0]
    return value_and_gradient


def grad(f, argnums=0):
    """The gradient of a function of many variables.

    Parameters
    ----------
    f : callable
        A function that returns a single number.
    argnums : int or tuple of int
        The position of the argument to differentiate with respect to, or of several.
        All other arguments are passed on to f as they are.

    Returns
    -------
    callable
        The function x -> gradient of f at x, of the form and shape of x; a tuple of
        gradients if argnums is a tuple.

    Raises
    ------
    ValueError
        By the function returned, if f(x) is not a single number.
    TypeError
        If argnums holds no whole numbers. By the function returned, if x or f(x) is not real, or
        f uses what cannot be differentiated.
    NoDerivative
        By the function returned, if f has no derivative at x (see `gradem.rules`).

    Examples
    --------
    >>> grad(lambda x: x[0] * x[1] + np.sin(x[0]))([0.0, 2.0])
    array([3., 0.])
    >>> grad(lambda a, b: a * b**2, argnums=(0, 1))(3.0, 2.0)
    (4.0, 12.0)
    """
    value_and_gradient = value_and_grad(f, argnums)

    @_named_like(f)
    def gradient(*args, **kwargs):
        return value_and_gradient(*args, **kwargs)[1]
    return gradient


def jacrev(f):
    """The Jacobian in reverse mode: one sweep with a seed for each entry of the result.

    Parameters
    ----------
    f : callable
        A function of one array (or number), that returns one array (or number).

    Returns
    -------
    callable
        The function x -> J, of shape (shape of f(x)..., shape of x...). Further arguments
        are passed on to f.

    Examples
    --------
    >>> jacrev(lambda x: np.stack([x[0] * x[1], x[1]]))([3.0, 4.0])
    array([[4., 3.],
           [0., 1.]])
    """
    @_named_like(f)
    def jacobian(x, *args, **kwargs):
        value, pull = vjp(lambda x: f(x, *args, **kwargs), real(x, "x"))
        _one_array(value)
        rows, = pull(_basis(value))
        return _fresh(np.reshape(rows, shape(value) + np.shape(x)))
    return jacobian


# ---- second derivatives -------------------------------------------------------------------------


def hessian(f):
    """The matrix of second derivatives: forward mode over reverse mode.

    Parameters
    ----------
    f : callable
        A function of one array (or number), that returns a single number.

    Returns
    -------
    callable
        The function x -> H, of shape (shape of x..., shape of x...). Further arguments are
        passed on to f.

    Examples
    --------
    >>> hessian(lambda x: x[0] ** 2 * x[1])([3.0, 4.0])
    array([[8., 6.],
           [6., 0.]])
    """
    return jacfwd(grad(f))


def hvp(f, x, v):
    """The product of the Hessian with a vector, at the cost of a few gradients.

    Parameters
    ----------
    f : callable
        A function of one argument that returns a single number.
    x : float, ndarray, or container of them
        The point.
    v : like x, shape (seeds..., shape of x)
        The vector; several may be stacked along leading axes.

    Returns
    -------
    like v
        The derivative of the gradient of f at x in the direction v.

    References
    ----------
    Pearlmutter, Fast exact multiplication by the Hessian, Neural Computation 6 (1994), 147-160.

    Examples
    --------
    >>> hvp(lambda x: x[0] ** 2 * x[1], [3.0, 4.0], [1.0, 0.0])
    array([8., 6.])
    """
    return jvp(grad(f), x, v)[1]


# ---- functions with a rule of their own ---------------------------------------------------------


def custom_rule(push=None, pull=None):
    """Decorator that gives a function its own derivative, in place of that of its operations.

    Parameters
    ----------
    push, pull : callable, or sequence of callable, one for each argument
        ``push(v, out, *args)`` maps a tangent v of the argument to one of the result,
        ``pull(v, out, *args)`` an adjoint v of the result to one of the argument. Axes of v
        before those of the value count seeds. None if that mode is not needed, or that
        argument never differentiated.

    Returns
    -------
    callable
        The decorator. The function it returns takes positional arguments.

    Raises
    ------
    TypeError
        By the function, if it is differentiated in a mode or an argument that has no map.

    Examples
    --------
    >>> slope = lambda v, out, x: v / (1 + np.exp(-x))
    >>> @custom_rule(push=slope, pull=slope)
    ... def softplus(x):
    ...     return np.logaddexp(x, 0.0)
    >>> grad(softplus)(0.0)
    0.5
    """
    def decorate(function):
        rule = Rule(function.__name__, function,
                    _Maps(function, "push", push), _Maps(function, "pull", pull))

        @functools.wraps(function)
        def with_rule(*args):
            return apply(rule, *args)
        return with_rule
    return decorate


class _Maps:
    """The maps of a custom rule, one for each argument; a missing one is refused in words."""

    def __init__(self, function, mode, maps):
        self.name, self.mode = function.__name__, mode
        self.maps = (maps,) if callable(maps) else maps or ()

    def __getitem__(self, position):
        if position < len(self.maps) and self.maps[position] is not None:
            return self.maps[position]
        raise TypeError(f"{self.name} has no {self.mode} for argument {position}: "
                        f"give one to custom_rule({self.mode}=...)")


# ---- checking -----------------------------------------------------------------------------------


def check_grads(f, args, order=2, modes=("fwd", "rev"), rtol=1e-6, step=1e-4, seed=0):
    """Compare derivatives with differences, along random directions; raise if they disagree.

    The derivative along a random direction v, from both modes, is compared with a central
    difference of fourth order; then the same is done with that derivative as the function.

    Parameters
    ----------
    f : callable
    args : tuple
        The arguments of f at which to check: floats, arrays, or containers of them.
    order : int
        The highest derivative to check.
    modes : collection of "fwd" and "rev"
        The modes to check.
    rtol : float
        The largest difference allowed, relative to the derivative, or to 1 if that is smaller.
        What rounding may make of the differences is allowed besides.
    step : float
        The step of the differences, relative to the size of the arguments.
    seed : int
        What the random directions are drawn from.

    Raises
    ------
    AssertionError
        If two derivatives disagree; the message says which.

    Examples
    --------
    >>> check_grads(lambda x: np.sum(np.sin(x) * x), (np.linspace(0, 1, 5),))
    """
    rng = np.random.default_rng(seed)
    points = [real(x, "x") for x in leaves(args)]
    directions = [_like(rng.standard_normal(shape(x)), x) for x in points]
    scale = step * max([1.0] + [float(np.max(np.abs(x), initial=0.0)) for x in points])

    def moved(t):
        return leaves(f(*rebuild(args, [x + t * v for x, v in zip(points, directions)])))

    steps = [moved(t * scale) for t in (-2, -1, 1, 2)]
    weights = [_like(rng.standard_normal(np.shape(y)), y) for y in steps[0]]
    inner = [sum(float(np.sum(w * y)) for w, y in zip(weights, results)) for results in steps]
    want = (inner[0] - 8 * inner[1] + 8 * inner[2] - inner[3]) / (12 * scale)

    def projected(*xs):
        return sum(np.sum(w * y) for w, y in zip(weights, leaves(f(*xs))))

    def along(x):
        return jvp(lambda x: projected(*x), x, rebuild(args, directions))[1]

    def across(x):
        _, pull = vjp(projected, *x)
        return sum(np.sum(v * g) for v, g in zip(directions, leaves(pull(1.0))))

    rounding = 1e2 * np.finfo(float).eps * max(map(abs, inner)) / scale
    allowed = rtol * max(1.0, abs(want)) + rounding
    for mode, slope in (("fwd", along), ("rev", across)):
        if mode not in modes:
            continue
        got = float(slope(args))
        if not abs(got - want) <= allowed:
            raise AssertionError(
                f"derivative in {'forward' if mode == 'fwd' else 'reverse'} mode: along a random "
                f"direction it is {got:.12g}, but differences give {want:.12g}")
        if order > 1:
            check_grads(lambda *xs, slope=slope: slope(xs), args, order - 1, modes, rtol, step,
                        seed + 1)


# ---- what the above is made of ------------------------------------------------------------------


def _named_like(f):
    return functools.wraps(f, assigned=("__name__",), updated=())


def _fresh(x):
    """x as a float or an array of its own; a traced value of an outer level as it is."""
    return x if isinstance(x, Traced) else real(x, "the result of f")


def _one_array(out):
    """Refuse a result of several parts."""
    if isinstance(out, (tuple, dict, list)):
        raise TypeError(f"a Jacobian needs f to return one array, not a {type(out).__name__}: "
                        "join its parts with np.stack or np.concatenate")


def _basis(x):
    """A stack of the unit vectors of the shape of x: a seed for each entry; 1 for a number."""
    return np.eye(size(x)).reshape((size(x),) + shape(x)) if ndim(x) else 1.0


def _like(array, x):
    return array if ndim(x) else float(array)
