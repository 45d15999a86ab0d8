"""Source transformation: from a function in Python to one that computes its derivative.

`gradem.anf` reads a function as statements of one operation each, w = phi(u, v). `forward`
writes behind each statement its tangent, dw = phi_u du + phi_v dv. `reverse` writes two sweeps:
the forward sweep computes the values; the return sweep takes the statements in reverse order and
adds to each adjoint, u_bar += w_bar phi_u (Griewank & Walther 2008, sections 3.1 and 3.2). The
texts of the derivatives are those of `gradem.rules`. What comes out is Python again, kept in the
attribute `source`: it can be read, run alone, and transformed once more.

Where control goes. A branch remembers its decision. A loop is run backwards: each iteration
starts from what `stack` holds for it, runs the body once more, and sweeps back through it. So a
loop records what its iterations start from, and nothing else (checkpointing, chapter 12): a
number on the stack, an array as a log of the elements that were written over. What is recorded
and not needed, `gradem.dataflow` removes. Well-known tools of this kind are Tapenade for Fortran
and C (Hascoet & Pascual 2013) and Tangent for Python (van Merrienboer et al. 2018).
"""

import ast
import functools

from gradem.anf import read
from gradem.dataflow import (exposed, folded, folded_loops, pruned, unchecked, without_copy,
                             without_idle_copies)
from gradem.generated import compiled
from gradem.operations import needs_result, partial, rule_of
from gradem.reading import Unsupported, refusal
from gradem.syntax import (as_load, assign, call, changed, element, is_append, is_check, is_none,
                           is_pop, load, method, name_of, reads, replaced, shown, stores)

__all__ = ["Unsupported", "forward", "reverse"]


def forward(f):
    """The dual program of a function: its value and its tangent.

    Parameters
    ----------
    f : callable
        A function of numbers and of arrays through their elements, written in Python (see
        Notes). It may also be a function that `forward` or `reverse` has returned.

    Returns
    -------
    callable
        The function ``(x, ..., dx, ...) -> (f(x, ...), tangent)``: the arguments of f, then a
        tangent for each of them. Its attribute ``source`` is its text in Python.

    Raises
    ------
    Unsupported
        If f uses what is not understood; the message shows the line.
    TypeError
        By the function returned, if an argument is no number where f needs one.
    NoDerivative
        By the function returned, where f has no derivative (see `gradem.rules`).

    Notes
    -----
    Understood are assignments (also to elements, to several names, and ``+=``), arithmetic, the
    elementwise functions of `gradem.rules` from NumPy, ``math`` or Python, ``if``, ``while``,
    ``for`` over ranges and arrays, calls of other functions written in Python but not of the
    function itself, ``len(x)``, ``x.shape``, and new arrays by ``np.zeros(n)`` or ``[0.0] * n``.
    Parameters annotated as ``int``, ``bool`` or ``str`` are not differentiated, and have no
    tangent. Global numbers are taken as they are when f is transformed. Arguments are not changed.

    Examples
    --------
    >>> def f(x1, x2):
    ...     return x1 * x2 + np.sin(x1)
    >>> forward(f)(0.0, 2.0, 1.0, 0.0)
    (0.0, 3.0)
    >>> print(forward(f).source, end="")
    import numpy as np
    <BLANKLINE>
    <BLANKLINE>
    def f_forward(x1, x2, dx1, dx2):
        w3 = x1 * x2
        dw3 = dx1 * x2 + dx2 * x1
        w4 = np.sin(x1)
        dw4 = dx1 * np.cos(x1)
        w5 = w3 + w4
        dw5 = dw3 + dw4
        return (w5, dw5)
    """
    program = read(f)
    return compiled(program, *_Forward(program).written())


def reverse(f):
    """The adjoint program of a function: its value and its gradient.

    Parameters
    ----------
    f : callable
        A function that returns a number; see `forward` for what it may contain.

    Returns
    -------
    callable
        The function ``(x, ...) -> (f(x, ...), (adjoint of x, ...))``, with an adjoint for each
        argument: a float, or an array of the shape of the argument. Its attribute ``source``
        is its text in Python.

    Raises
    ------
    Unsupported, TypeError, NoDerivative
        As those of `forward`.

    Examples
    --------
    >>> def f(x1, x2):
    ...     return x1 * x2 + np.sin(x1)
    >>> reverse(f)(0.0, 2.0)
    (0.0, (3.0, 0.0))
    """
    program = read(f)
    return compiled(program, *_Reverse(program).written(), f.__defaults__ or ())


# ---- forward mode -----------------------------------------------------------------------------


class _Forward:
    """Writes the dual program.

    `nonzero` holds the variables whose tangent is not known to be 0 at this point: tangents of
    others are not written. Where branches meet, and round a loop, they must agree on that.
    """

    def __init__(self, program):
        self.program = program
        self.tangents = {}
        self.inputs = [x for x in program.parameters if x not in program.constants]

    def written(self):
        parameters = self.program.parameters + [self.d(x) for x in self.inputs]
        body, _ = self.block(self.program.body, set(self.inputs))
        body, _ = pruned(body, set())
        return f"{self.program.name}_forward", parameters, body

    def d(self, name):
        """The name of the tangent of a variable."""
        if name not in self.tangents:
            self.tangents[name] = self.program.names.fresh("d" + name)
        return self.tangents[name]

    def block(self, statements, nonzero):
        out = []
        for statement in statements:
            handler = getattr(self, "on_" + type(statement).__name__.lower(), None)
            new, nonzero = handler(statement, nonzero) if handler else ([statement], nonzero)
            out += new
        return out, nonzero

    def on_assign(self, statement, nonzero):
        target, value = statement.targets[0], statement.value
        if isinstance(target, ast.Subscript):
            return self.element(statement, nonzero)
        name = target.id
        if name in self.program.arrays or is_none(value):       # a new array, of zero tangent
            return [statement], nonzero - {name}
        if is_pop(value):
            stack = value.func.value.id
            if stack not in nonzero:
                return [statement], nonzero - {name}
            return [statement, assign(self.d(name), method(self.d(stack), "pop"))], nonzero | {name}
        tangent, needs_out = self.tangent_of(value, name, nonzero)
        if tangent is None:
            return [statement], nonzero - {name}
        both = [statement, assign(self.d(name), tangent)]
        if name in reads(value) and not needs_out:      # x = x * x: the tangent needs the old x
            both.reverse()
        return both, nonzero | {name}

    def tangent_of(self, value, name, nonzero):
        """The tangent of an operation, None if it is 0; and does it need the result?"""
        if name_of(value) in nonzero:
            return load(self.d(value.id)), False
        if isinstance(value, ast.Subscript) and name_of(value.value) in nonzero:
            return ast.Subscript(load(self.d(value.value.id)), value.slice, ast.Load()), False
        rule, args = rule_of(value, self.program.namespace)
        terms = [partial(rule, i, args, load(self.d(arg.id)), name)
                 for i, arg in enumerate(args) if name_of(arg) in nonzero and rule.texts[i]]
        if not terms:
            return None, False
        return functools.reduce(added, terms), needs_result(rule)

    def element(self, statement, nonzero):
        """y[i] = a: so is its tangent."""
        target, value = statement.targets[0], statement.value
        name = target.value.id
        if name_of(value) not in nonzero and name not in nonzero:
            return [statement], nonzero
        start = [] if name in nonzero else [self.zero(name)]
        tangent = load(self.d(value.id)) if name_of(value) in nonzero else ast.Constant(0.0)
        place = ast.Subscript(load(self.d(name)), target.slice, ast.Store())
        return [*start, statement, assign(place, tangent)], nonzero | {name}

    def zero(self, name):
        return assign(self.d(name), zeros_like(name, self.program.arrays))

    def zeros(self, names):
        return [self.zero(name) for name in sorted(names)]

    def on_expr(self, statement, nonzero):
        if not is_append(statement.value):
            return [statement], nonzero
        stack, arg = statement.value.func.value.id, statement.value.args[0]
        if stack not in self.program.varied:
            return [statement], nonzero
        start = [] if stack in nonzero else [self.zero(stack)]
        tangent = load(self.d(arg.id)) if name_of(arg) in nonzero else ast.Constant(0.0)
        push = method(self.d(stack), "append", tangent)
        return [*start, statement, ast.Expr(push)], nonzero | {stack}

    def on_if(self, statement, nonzero):
        body, after_body = self.block(statement.body, nonzero)
        orelse, after_orelse = self.block(statement.orelse, nonzero)
        body += self.zeros(after_orelse - after_body)
        orelse += self.zeros(after_body - after_orelse)
        return [changed(statement, body=body, orelse=orelse)], after_body | after_orelse

    def on_for(self, statement, nonzero):
        around, after = nonzero, None
        while after is None or not after <= around:
            around = around | (after or set())
            body, after = self.block(statement.body, around)
        body += self.zeros(around - after)
        return [*self.zeros(around - nonzero), changed(statement, body=body)], around

    on_while = on_for

    def on_return(self, statement, nonzero):
        value = statement.value
        return [ast.Return(ast.Tuple([value, self.result(value, nonzero)], ast.Load()))], nonzero

    def result(self, value, nonzero):
        if isinstance(value, ast.Tuple):
            return ast.Tuple([self.result(part, nonzero) for part in value.elts], ast.Load())
        if name_of(value) in nonzero:
            return load(self.d(value.id))
        return zeros_like(name_of(value), self.program.arrays)


# ---- reverse mode -----------------------------------------------------------------------------


class _Reverse:
    """Writes the forward sweep and the return sweep.

    `live` holds the variables whose adjoint is not known to be 0 at this point of the return
    sweep: the first contribution to an adjoint is assigned, later ones are added. As in forward
    mode, branches and iterations must agree on that.

    Every value is saved before it is overwritten, and restored in the return sweep where the
    statement is undone; `pruned` leaves those that an adjoint reads.
    """

    def __init__(self, program):
        self.program = program
        self.adjoints = {}
        self.helpers = {}           # names that get their final form at the end
        self.inputs = [x for x in program.parameters if x not in program.constants]

    def written(self):
        program = self.program
        *body, last = program.body
        result = name_of(last.value)
        if isinstance(last.value, ast.Tuple) or result in program.arrays:
            raise refusal(last, "a result of several numbers",
                          "it has no gradient; forward(f) takes it")
        live = {result} & program.varied
        seed = [assign(self.bar(name), ast.Constant(1.0)) for name in live]
        for statement in seed:
            statement.comment = "return sweep: the adjoint of the result is 1"
        ahead, back, live = self.block(body, live)
        gradient = ast.Tuple([load(self.bar(x)) if x in live else
                              zeros_like(x, program.arrays) for x in self.inputs], ast.Load())
        value = self.helper(None, "value")      # the return sweep may take the result back
        end = ast.Return(ast.Tuple([load(value), gradient], ast.Load()))
        keep = assign(value, last.value)
        body, before = pruned([*self.new_lists(), *ahead, keep, *seed, *back, end], set())
        if result not in stores(*body[body.index(keep):]):
            body = without_copy(body, value, last.value)
        unset = before & exposed(program.body)[0] & stores(*body) - set(program.parameters)
        body[:0] = [assign(name, ast.Constant(None)) for name in sorted(unset)]
        return f"{program.name}_reverse", program.parameters, self.tidied(body)

    def tidied(self, body):
        """The same program, shorter and with good names."""
        body, _ = pruned(without_idle_copies(body), set())
        body = folded(body, {name for name in self.helpers.values() if "branch" in name})
        return self.named(folded_loops(body, self.program.temporaries))

    # ---- names ----

    def bar(self, name):
        """The name of the adjoint of a variable."""
        if name not in self.adjoints:
            self.adjoints[name] = self.program.names.fresh(name + "_bar")
        return self.adjoints[name]

    def helper(self, statement, name):
        """A name that belongs to a statement; `named` gives it its final form."""
        return self.helpers.setdefault((id(statement), name), f"{name}@{len(self.helpers)}")

    def named(self, body):
        """Give those helpers that are left the first free names."""
        final = {}
        for node in (node for statement in body for node in ast.walk(statement)):
            if isinstance(node, ast.Name) and "@" in node.id:
                if node.id not in final:
                    final[node.id] = self.program.names.fresh(node.id.partition("@")[0])
                node.id = final[node.id]
        return body

    def new_lists(self):
        """The stack, and the logs of arrays, if there are any."""
        lists = [name for (owner, what), name in self.helpers.items()
                 if owner == id(None) and what != "value"]
        return [assign(name, ast.List([], ast.Load())) for name in lists]

    # ---- statements: what stands in the forward sweep, and in the return sweep ----

    def block(self, statements, live):
        ahead, back = [], []
        for statement in reversed(statements):
            handler = getattr(self, "on_" + type(statement).__name__.lower(), None)
            first, then, live = handler(statement, live) if handler else ([statement], [], live)
            ahead[:0] = first
            back += then
        return ahead, back, live

    def on_assign(self, statement, live):
        target, value = statement.targets[0], statement.value
        if is_pop(value):
            raise refusal(statement, "a value from a stack", "forward(f) takes it")
        old = self.helper(statement, f"old_{target.id}" if isinstance(target, ast.Name)
                          else f"old_{target.value.id}")
        ahead = [assign(old, as_load(target)), statement]
        restore = assign(target, load(old))
        if isinstance(target, ast.Subscript):
            adjoint, live = self.adjoint_of_element(target, value, set(live))
            back = [restore, *adjoint]
        else:
            adjoint, live = self.adjoint_of(target.id, value, set(live))
            rule, _ = rule_of(value, self.program.namespace)
            late = rule and needs_result(rule) and target.id not in reads(value)
            back = [*adjoint, restore] if late else [restore, *adjoint]
        for new in back:
            new.comment = f"adjoint of {shown(statement)}"
        return ahead, back, live

    def adjoint_of(self, name, value, live):
        """The adjoint of name = value; the adjoint of the old value of name comes last."""
        if name not in live:
            return [], live
        live.discard(name)
        if name in self.program.arrays:
            return [], live
        v = load(self.bar(name))
        if isinstance(value, ast.Subscript):
            array = value.value.id
            start = [] if array in live else [self.zero(array)]
            place = ast.Subscript(load(self.bar(array)), value.slice, ast.Store())
            return [*start, ast.AugAssign(place, ast.Add(), v)], live | {array}
        terms = []
        if isinstance(value, ast.Name):
            terms = [(value.id, v)]
        rule, args = rule_of(value, self.program.namespace)
        if rule:
            terms = [(arg.id, partial(rule, i, args, v, name)) for i, arg in enumerate(args)
                     if name_of(arg) in self.program.varied and rule.texts[i]]
        out = [self.contribution(x, term, live) for x, term in terms if x != name]
        own = [term for x, term in terms if x == name]
        if own:
            live.add(name)
            total = functools.reduce(added, own)
            if name_of(total) != v.id:
                out.append(assign(v.id, total))
        return out, live

    def contribution(self, name, term, live):
        """The statement that gives a term to an adjoint; `live` learns of it."""
        if name not in live:
            live.add(name)
            return assign(self.bar(name), term)
        sign = ast.Add()
        if isinstance(term, ast.UnaryOp) and isinstance(term.op, ast.USub):
            sign, term = ast.Sub(), term.operand
        return ast.AugAssign(ast.Name(self.bar(name), ast.Store()), sign, term)

    def adjoint_of_element(self, target, value, live):
        """y[i] = a: the adjoint of the element goes to a, and that of the old one is 0."""
        array = target.value.id
        if array not in live:
            return [], live
        place = ast.Subscript(load(self.bar(array)), target.slice, ast.Load())
        out = []
        if name_of(value) in self.program.varied:
            out.append(self.contribution(value.id, place, live))
        return [*out, assign(ast.Subscript(place.value, place.slice, ast.Store()),
                             ast.Constant(0.0))], live

    def zero(self, name):
        return assign(self.bar(name), zeros_like(name, self.program.arrays))

    def zeros(self, names):
        return [self.zero(name) for name in sorted(names)]

    def on_if(self, statement, live):
        if is_check(statement):
            return [statement], [], live
        branch = self.helper(statement, "branch")
        body, back, after = self.block(statement.body, live)
        orelse, back_orelse, after_orelse = self.block(statement.orelse, live)
        back += self.zeros(after_orelse - after)
        back_orelse += self.zeros(after - after_orelse)
        return ([assign(branch, statement.test), ast.If(load(branch), body, orelse)],
                [ast.If(load(branch), back, back_orelse)], after | after_orelse)

    # ---- loops ----

    def on_for(self, statement, live):
        body, target = statement.body, statement.target
        own = stores(*body) | {target.id}
        ahead, there, again = self.iterator(statement, own)
        pushes, body, pops, back, around = self.iteration(statement, live, own)
        loop = changed(statement, iter=there, body=pushes + body, plain=True)
        saves, restores = self.kept(statement, own)
        return ([*ahead, *saves, loop],
                [*self.zeros(around - live), ast.For(target, again, pops + back, []), *restores],
                around)

    def on_while(self, statement, live):
        own = stores(*statement.body)
        pushes, body, pops, back, around = self.iteration(statement, live, own)
        count = self.helper(statement, "count")
        step = ast.AugAssign(ast.Name(count, ast.Store()), ast.Add(), ast.Constant(1))
        loop = changed(statement, body=[*pushes, *body, step], plain=True)
        saves, restores = self.kept(statement, own)
        again = ast.For(ast.Name("_", ast.Store()), call("range", load(count)), pops + back, [])
        return ([assign(count, ast.Constant(0)), *saves, loop],
                [*self.zeros(around - live), again, *restores], around)

    def iteration(self, statement, live, own):
        """One iteration, in the forward sweep and in the return sweep.

        Returns
        -------
        pushes, body : list of ast.stmt
            The forward sweep: what to record, and the plain statements.
        pops, back : list of ast.stmt
            The return sweep: the values the iteration started from, and then the body once
            more with its adjoint.
        around : set of str
            The variables that have an adjoint at either end of an iteration.
        """
        around, after = live, None
        while after is None or not after <= around:
            around = around | (after or set())
            ahead, back, after = self.block(statement.body, around)
        again = [*unchecked(ahead), *back, *self.zeros(around - after)]
        first, _ = exposed(statement.body)              # what it may start from
        if isinstance(statement, ast.For):
            first.discard(statement.target.id)
        written_over = own & set(self.program.arrays) - replaced(statement.body)
        read_later = {self.bar(name) for name in around}
        _, before = pruned(again, read_later)
        logged = before & first & written_over          # these are put back element by element
        code, before = pruned(again, read_later | logged)
        pushes, pops = [], []
        for name in sorted(before & first & own):
            push, pop = self.recorded(statement, name, name in logged)
            pushes += push
            pops[:0] = pop
        body = functools.reduce(self.with_log, sorted(logged), statement.body)
        return pushes, body, pops, code, around

    def recorded(self, statement, name, logged):
        """Record what a variable is when an iteration starts; and take it back."""
        stack = self.helper(None, "stack")
        pop = method(stack, "pop")
        if not logged:
            value = self.copied(name)
            return [ast.Expr(method(stack, "append", value))], [assign(name, pop)]
        log, mark = self.helper(None, f"{name}_log"), self.helper(statement, "mark")
        place, old = self.helper(statement, "place"), self.helper(statement, f"old_{name}")
        both = ast.Tuple([ast.Name(place, ast.Store()), ast.Name(old, ast.Store())], ast.Store())
        undo = [ast.Assign([both], method(log, "pop")),
                assign(element(name, load(place), ast.Store()), load(old))]
        longer = ast.Compare(call("len", load(log)), [ast.Gt()], [load(mark)])
        return ([ast.Expr(method(stack, "append", call("len", load(log))))],
                [assign(mark, pop), ast.While(longer, undo, [])])

    def with_log(self, statements, array):
        """Statements that note each element of an array before they overwrite it."""
        log, out = self.helper(None, f"{array}_log"), []
        for statement in statements:
            if isinstance(statement, (ast.If, ast.For, ast.While)):
                parts = {"body": self.with_log(statement.body, array)}
                if isinstance(statement, ast.If):
                    parts["orelse"] = self.with_log(statement.orelse, array)
                statement = changed(statement, **parts)
            elif array in stores(statement):
                target = statement.targets[0]
                out.append(ast.Expr(method(log, "append", ast.Tuple(
                    [target.slice, as_load(target)], ast.Load()))))
            out.append(statement)
        return out

    def iterator(self, statement, own):
        """What a loop goes over, there and back; held in a name if the loop changes it."""
        steps = statement.iter
        back = name_of(steps.func) == "reversed"
        if back:
            steps = steps.args[0]
        hold = []
        if own & (reads(steps) - {name_of(node.args[0]) for node in ast.walk(steps)
                                  if isinstance(node, ast.Call) and name_of(node.func) == "len"}):
            name = self.helper(statement, "steps")
            hold, steps = [assign(name, steps)], load(name)
        there, again = steps, call("reversed", steps)
        return hold, *((again, there) if back else (there, again))

    def kept(self, statement, names):
        """What a loop changes, kept as it was before: the statements for both sweeps."""
        saves, restores = [], []
        for name in sorted(names):
            old = self.helper(statement, f"old_{name}_before")
            saves.append(assign(old, self.copied(name)))
            restores.append(assign(name, load(old)))
        return saves, restores

    def copied(self, name):
        return method(name, "copy") if name in self.program.arrays else load(name)


# ---- what both modes are made of --------------------------------------------------------------


def added(left, right):
    """The sum of two trees; a difference if the second begins with a minus."""
    if isinstance(right, ast.UnaryOp) and isinstance(right.op, ast.USub):
        return ast.BinOp(left, ast.Sub(), right.operand)
    return ast.BinOp(left, ast.Add(), right)


def zeros_like(name, arrays):
    """The tree of a zero, or of zeros of the shape of an array."""
    if name not in arrays:
        return ast.Constant(0.0)
    if arrays[name] > 1:
        return method("np", "zeros", ast.Attribute(load(name), "shape", ast.Load()))
    return ast.BinOp(ast.List([ast.Constant(0.0)], ast.Load()), ast.Mult(),
                     call("len", load(name)))
