"""Checkpointing: reverse mode for long iterations, with memory traded for recomputation.

The reverse sweep passes the steps of an iteration x_{k+1} = step(x_k) from the last to the
first, and needs what each of them computed. To remember all of it takes memory in proportion
to the number of steps. To remember only some of the states x_k, *snapshots*, and compute from
there again what lies between, takes little memory and more time.

With s states kept, the start among them, and no step computed anew more than r times, at most
binom(s + r, s) steps can be reversed. For n of them, r as small as possible, the schedule
below computes r n - binom(s + r, s + 1) steps before they are reversed, and none computes
fewer (Griewank & Walther 2000; 2008, section 12.3). Ten states and ten repetitions are enough
for 184 756 steps.
"""

import functools
from math import comb

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
        to be differentiated must be an argument, not a variable of the surroundings nor a
        part of a tuple. Other arguments may be of any kind.

    Returns
    -------
    callable
        Takes positional arguments. It raises TypeError if f depends on what is
        differentiated, but is no argument, or returns several arrays.

    Examples
    --------
    >>> import numpy as np
    >>> from gradem import grad
    >>> grad(checkpoint(lambda x: np.sin(x) * x))(0.5) == grad(lambda x: np.sin(x) * x)(0.5)
    True
    """
    @functools.wraps(f)
    def with_rule(*args):
        traced, completed = _apart(args)

        def of_traced(*xs):
            return f(*completed(xs))

        def pull_all(v, *xs):
            return vjp(of_traced, *xs)[1](v)
        return _one_operation(_name(f), of_traced, pull_all, traced)
    return with_rule


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
    parameters
        Further arguments of each step, of any kind. Those to be differentiated must be
        numbers or arrays.
    snapshots : int
        How many states, besides the start, the reverse sweep may keep at a time.

    Returns
    -------
    float or ndarray
        x after n steps.

    Raises
    ------
    ValueError
        If n or snapshots is negative.
    TypeError
        If a step depends on what is differentiated, but is no argument, or returns several
        arrays.

    Examples
    --------
    >>> from gradem import grad
    >>> grad(lambda rate: iterate(lambda x, rate: rate * x, 1.0, 100, rate, snapshots=4))(1.0)
    100.0
    """
    if n < 0 or snapshots < 0:
        raise ValueError(f"n={n} and snapshots={snapshots} must not be negative")
    if n == 0:
        return x
    traced, completed = _apart(parameters)

    def one(x, *ps):
        return step(x, *completed(ps))

    def advance(x, *ps, steps=n):
        for _ in range(steps):
            x = one(x, *ps)
        return x

    def pull_all(v, x, *ps):
        kept, of_ps = {0: x}, [0.0] * len(ps)
        for action, k in schedule(n, snapshots):
            if action == "restore":
                state, at = kept[k], k
            elif action == "advance":
                state, at = advance(state, *ps, steps=k - at), k
            elif action == "store":
                kept[k] = state
            else:
                _, pull = vjp(one, state, *ps)
                v, *terms = pull(v)
                of_ps = [so_far + term for so_far, term in zip(of_ps, terms)]
                kept.pop(k, None)
        return v, *of_ps

    return _one_operation(_name(step), advance, pull_all, [x, *traced])


# ---- which steps to compute, and which states to keep -------------------------------------------


def schedule(n, snapshots):
    """The order in which n steps are computed, and reversed from the last to the first.

    Parameters
    ----------
    n, snapshots : int
        Number of steps, and of states that may be kept besides state 0.

    Yields
    ------
    action : {"restore", "advance", "store", "reverse"}
        What to do: take the kept state k; compute from the state at hand up to state k; keep
        the state at hand, k; reverse the step from the state at hand, k, to k + 1. A state
        that is kept may be dropped when the step from it has been reversed.
    k : int

    Examples
    --------
    >>> print(*[f"{action} {k}" for action, k in schedule(3, 1)], sep=", ")
    restore 0, advance 1, store 1, advance 2, reverse 2, restore 1, reverse 1, restore 0, reverse 0
    """
    kept = [0]
    for last in range(n - 1, -1, -1):
        at = kept[-1]
        yield "restore", at
        while at < last and len(kept) <= snapshots:
            at += split(last + 1 - at, snapshots + 1 - len(kept))
            kept.append(at)
            yield "advance", at
            yield "store", at
        if at < last:
            yield "advance", last
        yield "reverse", last
        if kept[-1] == last:
            kept.pop()


def split(n, snapshots):
    """After how many of n steps to take the next snapshot, if so many are free.

    What lies before it will be reversed with all snapshots and one repetition less, what lies
    behind with one snapshot less and as many repetitions. The first part is as short as
    possible such that the second is not too long for that, and that the first needs its
    repetitions (Griewank & Walther 2008, section 12.3).
    """
    s, r = snapshots + 1, 0                        # the start is kept, too
    while comb(s + r, s) < n:
        r += 1
    return max(1, n - comb(s - 1 + r, s - 1), comb(s + r - 2, s) if r > 1 else 0)


# ---- a function as one operation ----------------------------------------------------------------


def _apart(args):
    """The traced values among args, and the function that puts values in their places."""
    places = [i for i, x in enumerate(args) if isinstance(x, Traced)]
    # the others only: a rule that held variables of the tape it stands on would keep it alive
    others = [None if isinstance(x, Traced) else x for x in args]

    def completed(values):
        full = list(others)
        for i, x in zip(places, values):
            full[i] = x
        return full
    return [args[i] for i in places], completed


def _one_operation(name, f, pull_all, args):
    """f(*args), as one entry of the tape that remembers args alone.

    ``pull_all(v, *args)`` returns the adjoints of all args at once.
    """
    def evaluate(*values):
        out = f(*values)
        if isinstance(out, Traced):                # although no value was
            raise TypeError(f"{name} depends on a variable that is differentiated, but is none of "
                            "its arguments: make it an argument of its own")
        if isinstance(out, (tuple, list, dict)):
            raise TypeError(f"{name} returns a {type(out).__name__}, but should return one array: "
                            "join its parts with np.stack or np.concatenate")
        return out

    def pushes(tangents, out, *values):
        moving = [i for i, v in enumerate(tangents) if v is not None]

        def along(xs):
            full = list(values)
            for i, x in zip(moving, xs):
                full[i] = x
            return f(*full)
        return jvp(along, tuple([values[i] for i in moving]),
                   tuple([tangents[i] for i in moving]))[1]

    return apply(Rule(name, evaluate, push=None, pushes=pushes, pull=_Together(pull_all),
                      saves=frozenset(range(len(args)))), *args)


class _Together:
    """Pulls that are computed all at once, at the first that a sweep asks for."""

    def __init__(self, pull_all):
        self.pull_all = pull_all
        self._asked, self._answers = (), {}

    def __getitem__(self, position):
        return functools.partial(self._pull, position)

    def _pull(self, position, v, out, *args):
        asked = (v, *args)
        if position not in self._answers or any(a is not b for a, b in zip(asked, self._asked)):
            self._asked, self._answers = asked, dict(enumerate(self.pull_all(v, *args)))
        return self._answers.pop(position)         # another sweep computes them anew


def _name(f):
    return getattr(f, "__name__", "the function")
