"""Checkpointing: reverse mode for long iterations, with memory traded for recomputation.

The reverse sweep passes the steps of an iteration x_{k+1} = step(x_k) from the last to the
first, and needs what each of them computed. To remember all of it takes memory in proportion
to the number of steps. To remember only some of the states x_k, *snapshots*, and compute from
there again what lies between, takes little memory and more time.

With s snapshots besides the start, and no step computed anew more than r times, at most
binom(s + 1 + r, r) steps can be reversed; the schedule below attains that, and computes as few
steps as any can (Griewank & Walther 2000; 2008, section 12.3). Nine snapshots and ten
repetitions are enough for 184 756 steps.
"""

import functools
from math import comb

from gradem.arrays import Each
from gradem.derivatives import jvp, vjp
from gradem.rules import Rule
from gradem.traced import Traced, apply


def checkpoint(f):
    """The same function, but the tape remembers only its arguments.

    When the reverse sweep comes to it, f is evaluated once more, on a tape of its own.

    Parameters
    ----------
    f : callable
        Takes numbers or arrays, one or more, and returns a number or an array. Whatever is
        to be differentiated must be an argument, not a variable of the surroundings.

    Returns
    -------
    callable

    Examples
    --------
    >>> import numpy as np
    >>> from gradem import grad
    >>> grad(checkpoint(lambda x: np.sin(x) * x))(0.5) == grad(lambda x: np.sin(x) * x)(0.5)
    True
    """
    def pull_all(v, out, *args):
        return vjp(f, *args)[1](v)
    return _with_rule(f, functools.wraps(f)(_only_of_arguments(f)), pull_all)


def iterate(step, x, n, *parameters, snapshots):
    """n steps x = step(x, parameters) of an iteration, for long iterations in reverse mode.

    Parameters
    ----------
    step : callable
        Takes x, a number or an array, and the parameters, and returns the next x. Whatever is
        to be differentiated must be an argument of it.
    x : float or ndarray
        The start.
    n : int
        Number of steps.
    parameters : float or ndarray
        Further arguments of each step.
    snapshots : int
        How many states, besides the start, the reverse sweep may keep at a time.

    Returns
    -------
    float or ndarray
        x after n steps.
    """
    if n < 0 or snapshots < 0:
        raise ValueError(f"n={n} and snapshots={snapshots} must not be negative")
    checked = _only_of_arguments(step)

    def advance(x, *parameters, steps=n):
        for _ in range(steps):
            x = checked(x, *parameters)
        return x

    def pull_all(v, out, x, *parameters):
        adjoint = _Adjoint(step, advance, parameters)
        return adjoint.pulled(v, x, n, snapshots), *adjoint.of_parameters

    return _with_rule(step, advance, pull_all)(x, *parameters)


class _Adjoint:
    """The reverse sweep over an iteration: the adjoints of its parameters add up on the way."""

    def __init__(self, step, advance, parameters):
        self.step, self.advance, self.parameters = step, advance, parameters
        self.of_parameters = [0.0 * p for p in parameters]

    def pulled(self, v, x, n, snapshots):
        """The adjoint of x, from the adjoint v of the state n steps later."""
        if n == 0:
            return v
        if n == 1:
            _, pull = vjp(self.step, x, *self.parameters)
            v, *others = pull(v)
            self.of_parameters = [a + b for a, b in zip(self.of_parameters, others)]
            return v
        if snapshots == 0:
            for k in range(n - 1, -1, -1):
                v = self.pulled(v, self.advance(x, *self.parameters, steps=k), 1, 0)
            return v
        first = split(n, snapshots)
        snapshot = self.advance(x, *self.parameters, steps=first)
        v = self.pulled(v, snapshot, n - first, snapshots - 1)
        del snapshot                               # its place is free for another one
        return self.pulled(v, x, first, snapshots)


def split(n, snapshots):
    """After how many of n steps to take the next snapshot.

    Such that what lies before it can be reversed with all snapshots and one repetition less,
    and what lies behind with one snapshot less and as many repetitions.
    """
    s, r = snapshots + 1, 0                        # the start counts as a snapshot, too
    while comb(s + r, s) < n:
        r += 1
    return max(1, n - comb(s - 1 + r, s - 1), comb(s + r - 2, s) if r > 1 else 0)


def _only_of_arguments(f):
    """f, refusing a result that depends on traced values that are no arguments."""
    def checked(*args):
        out = f(*args)
        levels = [x.level for x in args if isinstance(x, Traced)]
        if isinstance(out, Traced) and out.level not in levels:
            raise TypeError(f"{getattr(f, '__name__', 'the step')} depends on a variable that is "
                            "differentiated, but is none of its arguments: make it an argument")
        return out
    return checked


def _with_rule(f, evaluate, pull_all):
    """A function with a rule of its own: all its pulls are computed at once."""
    def push(i, v, out, *args):
        return jvp(lambda x: evaluate(*args[:i], x, *args[i + 1:]), args[i], v)[1]

    rule = Rule(getattr(f, "__name__", "step"), evaluate, Each(push), _Together(pull_all))

    @functools.wraps(f)
    def with_rule(*args):
        return apply(rule, *args)
    return with_rule


class _Together:
    """Pulls that are computed all at once, at the first that the sweep asks for."""

    def __init__(self, pull_all):
        self.pull_all = pull_all
        self._asked, self._answer = (), ()

    def __getitem__(self, position):
        def pull(v, out, *args):
            asked = (v, *args)
            if len(asked) != len(self._asked) or any(
                    a is not b for a, b in zip(asked, self._asked)):
                self._asked, self._answer = asked, self.pull_all(v, out, *args)
            return self._answer[position]
        return pull
