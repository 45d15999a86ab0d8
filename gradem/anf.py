"""A-normal form: a function as statements of one operation each.

Before a program can be differentiated line by line, every line must be one elementary function
whose derivative stands in the table of rules: the code list w1, w2, ... of Griewank & Walther
(2008, section 2.2), in compilers called A-normal form (Flanagan et al. 1993).
``y = x * sin(x) + 1`` becomes ::

    w2 = sin(x)
    w3 = x * w2
    y = w3 + 1

Only what depends on the arguments is taken apart (activity analysis, Griewank & Walther 2008,
chapter 6): indices, conditions and constants stay as they are written. What has a name already
gets no second one. Calls of other functions in Python are replaced by their body.
"""

import ast
import builtins
import inspect
import math
import types
from collections.abc import Hashable

import numpy as np

from gradem.operations import (OPERATORS, PASSIVE, is_creation, no_derivative, operation, rule_of,
                               trouble)
from gradem.reading import (Names, Resolve, definition, line_of, lookup, refusal,
                            single_exit, with_len)
from gradem.rules import RULES
from gradem.syntax import (as_load, assign, call, element, is_append, is_atom, is_copy, is_none,
                           is_pop, is_range, load, method, name_of, reads, replaced, stores)


class Program:
    """A function in A-normal form.

    Attributes
    ----------
    name : str
    parameters : list of str
    constants : list of str
        Parameters that are not differentiated: those annotated as int, bool or str.
    body : list of ast.stmt
        Each assignment is one operation; the last statement is the only return.
    varied : set of str
        Variables whose value depends on a parameter that is differentiated.
    arrays : dict of str to int
        Variables that are arrays, and the number of their axes.
    namespace : dict
        What the names that are not local stand for.
    temporaries : set of str
        The names w1, w2, ... that were given to operations; each is assigned in one place.
    names : Names
    """

    def __init__(self, name):
        self.name, self.parameters, self.constants = name, [], []
        self.body, self.varied, self.arrays, self.namespace = [], set(), {}, {}
        self.temporaries = set()


def read(function):
    """Read a Python function.

    Parameters
    ----------
    function : callable
        A function written in Python, whose source is known.

    Returns
    -------
    Program

    Raises
    ------
    Unsupported
        If it uses what is not understood; the message shows the line.
    """
    return _Reader(inspect.unwrap(function)).program


class _Reader:
    """Takes the statements of a function apart, and those of the functions it calls."""

    def __init__(self, function):
        tree = definition(function)
        self.program = program = Program(tree.name)
        program.names = self.names = Names(
            {"np", "math", "no_derivative"} | set(dir(builtins)) | stores(tree)
            | {arg.arg for arg in tree.args.args})
        program.namespace = self.namespace = {"np": np, "math": math,
                                              "no_derivative": no_derivative}
        self.varied, self.arrays = program.varied, program.arrays
        self.known = {}             # expressions that have a name already, and this name
        self.calls = [function]     # the functions that are being read, the outermost first
        program.parameters = [arg.arg for arg in tree.args.args]
        program.constants = [arg.arg for arg in tree.args.args
                             if name_of(arg.annotation) in ("int", "bool", "str")]
        self.varied.update(set(program.parameters) - set(program.constants))
        self.number = len(program.parameters)
        self.out = program.body
        self.function(tree, {name: load(name) for name in self.locals(tree)})

    @staticmethod
    def locals(tree):
        return stores(tree) | {arg.arg for arg in tree.args.args}

    def function(self, tree, local):
        """Append the statements of a function; `local` says what its variables are called."""
        body = Resolve(self, self.calls[-1], local).block(tree.body)
        body = single_exit(body, self.names, tree)
        self.find_arrays(body)
        body = with_len(body, self.arrays)
        self.spread(body)
        self.block(body)

    # ---- activity and arrays, of whole functions ----

    def spread(self, body):
        """Everything assigned from what varies, varies; until nothing is added any more."""
        before = None
        while before != len(self.varied):
            before = len(self.varied)
            for node in (node for tree in body for node in ast.walk(tree)):
                if isinstance(node, ast.Assign):
                    for target in node.targets:
                        self.spread_to(target, node.value)
                elif isinstance(node, (ast.AugAssign, ast.AnnAssign)) and node.value:
                    self.spread_to(node.target, node.value)
                elif isinstance(node, ast.For) and isinstance(node.iter, ast.Name):
                    self.spread_to(node.target, node.iter)
                elif is_append(node) and self.varies(node.args[0]):
                    self.varied.add(node.func.value.id)

    def spread_to(self, target, value):
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            for one, its_value in zip(target.elts, value.elts):
                self.spread_to(one, its_value)
        elif self.varies(value):
            self.varied |= stores(target)

    def varies(self, value):
        """Does the value depend on what varies, in a way that has a derivative?"""
        if isinstance(value, ast.Name):
            return value.id in self.varied
        if isinstance(value, ast.Subscript):
            return self.varies(value.value)
        if isinstance(value, (ast.Compare, ast.Attribute)):
            return False
        if isinstance(value, ast.IfExp):
            return self.varies(value.body) or self.varies(value.orelse)
        if isinstance(getattr(value, "op", None), (ast.FloorDiv, ast.Not)):
            return False
        if isinstance(value, ast.Call):
            if is_pop(value) or is_copy(value):
                return self.varies(value.func.value)
            called = lookup(value.func, self.namespace)
            if is_creation(called) or isinstance(called, Hashable) and called in PASSIVE:
                return False
            return any(self.varies(arg) for arg in
                       [*value.args, *[keyword.value for keyword in value.keywords]])
        return any(self.varies(child) for child in ast.iter_child_nodes(value)
                   if isinstance(child, ast.expr))

    def find_arrays(self, body):
        """Variables that are indexed, measured or made as arrays; with their number of axes."""
        for node in (node for tree in body for node in ast.walk(tree)):
            name, axes = None, 1
            if isinstance(node, ast.Subscript):
                name = name_of(node.value)
                axes = len(node.slice.elts) if isinstance(node.slice, ast.Tuple) else 1
            elif isinstance(node, ast.Call) and name_of(node.func) == "len" and node.args:
                name = name_of(node.args[0])
            elif isinstance(node, ast.Attribute) and node.attr in ("shape", "size"):
                name = name_of(node.value)
            elif isinstance(node, ast.For):
                name = name_of(node.iter)
            elif isinstance(node, ast.Assign) and self.makes_array(node.value):
                name = name_of(node.targets[0])
            if name is not None:
                self.arrays[name] = max(axes, self.arrays.get(name, 1))
        alike = [pair for tree in body for node in ast.walk(tree) for pair in self.alike(node)]
        for pair in alike * len(alike):                 # a copy of a copy
            axes = max(self.arrays.get(name, 1) for name in pair)
            self.arrays.update(dict.fromkeys(pair, axes))

    def alike(self, node):
        """The pair of names, if a statement makes an array of the shape of another."""
        value = node.value if isinstance(node, ast.Assign) else None
        other = None
        if value is not None and is_copy(value):
            other = value.func.value.id
        elif isinstance(value, ast.Call) and value.args:
            called = lookup(value.func, self.namespace)
            if is_creation(called) and called.__name__.endswith("_like"):
                other = name_of(value.args[0])
        name = None if other is None else name_of(node.targets[0])
        return [] if name is None else [(name, other)]

    def makes_array(self, value):
        """Is the value a new array: np.zeros(n), [0.0] * n, or [a, b]?"""
        if isinstance(value, ast.Call):
            return is_creation(lookup(value.func, self.namespace)) or is_copy(value)
        if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Mult):
            return isinstance(value.left, ast.List)
        return isinstance(value, ast.List)

    # ---- statements ----

    def block(self, statements):
        for statement in statements:
            if hasattr(statement, "place"):         # others are made from the one before
                self.at = statement
            getattr(self, "on_" + type(statement).__name__.lower())(statement)

    def inner(self, statements):
        """The statements of a branch or a loop, as a block of their own."""
        outer, self.out, self.known = self.out, [], {}
        self.block(statements)
        inner, self.out, self.known = self.out, outer, {}
        return inner

    def emit(self, statement):
        """Append a statement, with the line it was made from; forget what it makes untrue."""
        statement.place, statement.lineno = self.at.place, self.at.lineno
        statement.col_offset = self.at.col_offset
        self.out.append(statement)
        if isinstance(statement, ast.Assign):
            names = stores(statement)
            self.known = {text: entry for text, entry in self.known.items()
                          if not names & ({entry[0]} | entry[1])}

    def on_assign(self, statement):
        first, *more = statement.targets
        self.store(first, statement.value)
        for target in more:
            self.store(target, as_load(first))

    def on_augassign(self, statement):
        operands = ast.BinOp(as_load(statement.target), statement.op, statement.value)
        self.store(statement.target, operands)

    def on_annassign(self, statement):
        if statement.value:
            self.store(statement.target, statement.value)

    def store(self, target, value):
        """Append what assigns a value to a target."""
        if isinstance(target, ast.Tuple):
            self.store_each(target, value)
        elif isinstance(target, ast.Subscript):
            self.require_element(target)
            self.emit(assign(target, self.value(value)))
        elif self.makes_array(value):
            self.store_array(target, value)
        elif target.id in self.arrays and not is_none(value):
            raise self.refusal("arithmetic on whole arrays, or a second name for an array,",
                               "write a loop over the elements, or y = x.copy()")
        elif self.varies(value):
            self.value(value, target.id)
        else:
            self.emit(assign(target.id, value))

    def store_each(self, targets, values):
        """a, b = x, y: all values are computed before the first is assigned."""
        if not isinstance(values, ast.Tuple) or len(values.elts) != len(targets.elts):
            raise self.refusal("taking a result apart", "assign as many values as names")
        held = []
        for node in values.elts:
            atom = self.value(node)
            held.append(self.name(atom) if reads(atom) & stores(targets) else atom)
        for one, atom in zip(targets.elts, held):
            self.store(one, atom)

    def store_array(self, target, value):
        """A new array, as a list if it has one axis; its elements are assigned one by one."""
        name = target.id
        if isinstance(value, ast.BinOp):
            if self.varies(value):
                raise self.refusal("repeating a value that depends on the arguments",
                                   "assign the elements in a loop")
            self.emit(assign(name, value))
        elif isinstance(value, ast.List):
            atoms = [self.value(node) if self.varies(node) else node for node in value.elts]
            start = [ast.Constant(0.0) if self.varies(atom) else atom for atom in atoms]
            self.emit(assign(name, ast.List(start, ast.Load())))
            for position, atom in enumerate(atoms):
                if self.varies(atom):
                    self.emit(assign(element(name, ast.Constant(position), ast.Store()), atom))
        elif is_copy(value):
            self.store_copy(name, value.func.value.id)
        elif self.arrays[name] > 1:
            self.emit(assign(name, value))
        else:
            function, length = lookup(value.func, self.namespace), value.args[0]
            if isinstance(length, ast.Attribute):               # the shape of another array
                length = call("len", length.value)
            elif name_of(length) in self.arrays:                # np.zeros_like(x)
                length = call("len", length)
            start = ast.Constant(1.0 if "ones" in function.__name__ else 0.0)
            self.emit(assign(name, ast.BinOp(ast.List([start], ast.Load()), ast.Mult(), length)))

    def store_copy(self, name, array):
        axes = self.arrays[name]
        indices = [self.names.fresh("i") for _ in range(axes)]
        place = load(indices[0]) if axes == 1 else ast.Tuple(list(map(load, indices)), ast.Load())
        shape = ast.Attribute(load(array), "shape", ast.Load())
        lengths = [call("len", load(array)),
                   *(ast.Subscript(shape, ast.Constant(k), ast.Load()) for k in range(1, axes))]
        self.emit(assign(name, method("np", "zeros", shape) if axes > 1 else ast.BinOp(
            ast.List([ast.Constant(0.0)], ast.Load()), ast.Mult(), lengths[0])))
        loop = assign(element(name, place, ast.Store()), element(array, place, ast.Load()))
        for index, length in zip(indices[::-1], lengths[::-1]):
            loop = ast.For(ast.Name(index, ast.Store()), call("range", length), [loop], [])
        self.on_for(loop)

    def on_for(self, statement):
        target, iterable, body = statement.target, statement.iter, statement.body
        if name_of(iterable) in self.arrays:
            index = self.names.fresh("i")
            body = [assign(target, element(iterable.id, load(index), ast.Load())), *body]
            target = ast.Name(index, ast.Store())
            iterable = call("range", call("len", iterable))
        if not is_range(iterable) or not isinstance(target, ast.Name):
            raise self.refusal("a loop over anything but range(...) or an array",
                               "write for i in range(len(x))")
        if statement.orelse:
            raise self.refusal("else after a loop", "put it after the loop")
        if target.id in self.varied:
            raise self.refusal(f"a loop over {target.id}, which is also the name of a value",
                               "give the index a name of its own")
        self.emit(ast.For(target, iterable, self.inner(body), []))

    def on_while(self, statement):
        if statement.orelse:
            raise self.refusal("else after a loop", "put it after the loop")
        self.emit(ast.While(statement.test, self.inner(statement.body), []))

    def on_if(self, statement):
        body, orelse = self.inner(statement.body), self.inner(statement.orelse)
        self.emit(ast.If(statement.test, body, orelse))

    def on_expr(self, statement):
        value = statement.value
        if is_append(value):
            self.emit(ast.Expr(call(value.func, self.value(value.args[0]))))
        elif isinstance(value, ast.Call) and name_of(value.func) == "no_derivative":
            self.emit(statement)
        elif not isinstance(value, ast.Constant):               # a docstring
            raise self.refusal("a statement that is run for its effect",
                               "leave it out of the function")

    def on_assert(self, statement):
        self.emit(statement)

    def on_raise(self, statement):
        self.emit(statement)

    def on_pass(self, statement):
        pass

    def on_return(self, statement):
        self.emit(ast.Return(self.result(statement.value)))

    def result(self, value):
        if isinstance(value, ast.Tuple):
            return ast.Tuple([self.result(part) for part in value.elts], ast.Load())
        return value if name_of(value) in self.arrays else self.value(value)

    # ---- expressions ----

    def value(self, node, target=None):
        """Append the operations that compute an expression.

        Parameters
        ----------
        node : ast.expr
        target : str, optional
            The variable that is to hold the value. By default a new one, if one is needed.

        Returns
        -------
        ast.expr
            A name or a constant.
        """
        if name_of(node) in self.arrays:
            raise self.refusal(f"arithmetic on the whole array {node.id}",
                               "write a loop over its elements")
        if isinstance(node, ast.Name) or not self.varies(node) and is_atom(node):
            if target is not None:
                self.emit(assign(target, node))
            return node
        if not self.varies(node):
            return self.name(node, target)
        if isinstance(node, ast.Subscript):
            self.require_element(node)
            return self.name(node, target)
        if isinstance(node, (ast.BinOp, ast.UnaryOp)) and type(node.op) not in OPERATORS:
            raise self.refusal(f"the operator in {ast.unparse(node)}",
                               "it is not one of + - * / % **")
        if isinstance(node, ast.BinOp):
            return self.elementary(ast.BinOp(self.value(node.left), node.op,
                                             self.value(node.right)), target)
        if isinstance(node, ast.UnaryOp):
            return self.elementary(ast.UnaryOp(node.op, self.value(node.operand)), target)
        if isinstance(node, ast.IfExp):
            return self.choice(node, target)
        if isinstance(node, ast.Call):
            return self.call(node, target)
        raise self.refusal(f"{ast.unparse(node)}", "write it as arithmetic on numbers")

    def name(self, value, target=None):
        """Append target = value, and return the name; what has a name already keeps that."""
        text = ast.unparse(value)
        if text in self.known:
            value = load(self.known[text][0])
            if target is None:
                return value
        if target is None:
            target = self.temporary()
        if self.varies(value):
            self.varied.add(target)
        self.emit(assign(target, value))
        if target not in reads(value) and text not in self.known:
            self.known[text] = target, reads(value)
        return load(target)

    def temporary(self):
        """The next of the names w1, w2, ... that is free; inputs are counted first."""
        self.number += 1
        while f"w{self.number}" in self.names.taken:
            self.number += 1
        self.program.temporaries.add(f"w{self.number}")
        return self.names.fresh(f"w{self.number}")

    def elementary(self, value, target):
        """Append one operation of the table, and before it what refuses bad points."""
        function, args = operation(value, self.namespace)
        if ast.unparse(value) not in self.known:
            self.check_points(function, args)
        rule, _ = rule_of(value, self.namespace)
        if target in reads(*args) and any("out" in (text or "") for text in rule.texts):
            out = self.name(value)          # the derivative needs both x and out: x = exp(x)
            self.emit(assign(target, out))
            return load(target)
        return self.name(value, target)

    def check_points(self, function, args):
        passed = set()
        for position, arg in enumerate(args):
            condition = self.varies(arg) and trouble(function, position, args)
            if condition and ast.unparse(condition) not in passed:
                passed.add(ast.unparse(condition))
                self.emit(ast.If(condition, [ast.Expr(call(
                    "no_derivative", ast.Constant(function.__name__), ast.Constant(position),
                    ast.Tuple(args, ast.Load()), ast.Constant(line_of(self.at))))], []))

    def choice(self, node, target):
        """a if condition else b"""
        if target is None:
            target = self.temporary()
            self.varied.add(target)
        store = ast.Name(target, ast.Store())
        self.on_if(ast.If(node.test, [assign(store, node.body)], [assign(store, node.orelse)]))
        return load(target)

    def call(self, node, target):
        """A function of the table, or another function in Python, in place of which its body."""
        if is_pop(node):
            return self.pop(node, target)
        called = lookup(node.func, self.namespace)
        known = operation(node, self.namespace)[0]
        if known is not None:
            wanted = len(RULES[known].arguments.split(", "))
            if len(node.args) != wanted or node.keywords:
                raise self.refusal(f"{ast.unparse(node)}, a call with other than {wanted} "
                                   "arguments by position,", "write it with several calls")
            return self.elementary(call(node.func, *[self.value(arg) for arg in node.args]),
                                   target)
        if not isinstance(called, types.FunctionType) or (
                (called.__module__ or "").startswith("numpy")):
            raise self.refusal(f"the function {ast.unparse(node.func)}",
                               "it has no rule for numbers, and no source in Python")
        result = self.inlined(inspect.unwrap(called), node)
        if target is not None:
            self.store(ast.Name(target, ast.Store()), result)
            return load(target)
        return result

    def pop(self, node, target):
        """The top of a stack; only generated code has stacks."""
        if target is None:
            raise self.refusal(ast.unparse(node), "assign it to a name")
        self.emit(assign(target, node))
        return load(target)

    def inlined(self, function, node):
        """Append the body of another function, and return its result."""
        if function in self.calls:
            raise self.refusal(f"{function.__name__}, which calls itself,", "write a loop")
        tree = definition(function)
        bound = self.bound(function, tree, node)
        at = self.at
        rebound = replaced(tree.body)
        local = {}
        for name in self.locals(tree):
            value = bound.get(name)
            if value is not None and name not in rebound and (
                    is_atom(value) or name_of(value) in self.arrays):
                local[name] = value
            else:
                local[name] = load(self.names.fresh(name))
                if value is not None:
                    if self.varies(value):
                        self.varied.add(local[name].id)
                    self.store(ast.Name(local[name].id, ast.Store()), value)
        outer, self.out = self.out, []
        self.calls.append(function)
        self.function(tree, local)
        self.calls.pop()
        inner, self.out, self.at = self.out, outer, at
        *body, last = inner
        self.out += body
        if isinstance(last.value, ast.Tuple) or name_of(last.value) in self.arrays:
            raise self.refusal(f"{function.__name__}, whose result is no number,",
                               "write its statements in place of the call")
        return last.value

    def bound(self, function, tree, node):
        """The arguments of a call, by the name of the parameter."""
        names = [arg.arg for arg in tree.args.args]
        default = dict(zip(names[::-1], (function.__defaults__ or ())[::-1]))
        bound = {name: ast.Constant(value) for name, value in default.items()}
        bound.update(zip(names, node.args))
        bound.update((keyword.arg, keyword.value) for keyword in node.keywords)
        if set(bound) != set(names) or len(node.args) > len(names):
            raise self.refusal(f"the call {ast.unparse(node)}",
                               f"{function.__name__} takes {', '.join(names)}")
        return bound

    # ---- refusals ----

    def require_element(self, node):
        if not isinstance(node.value, ast.Name):
            raise self.refusal(f"{ast.unparse(node)}", "write x[i, j] in place of x[i][j]")
        if self.varies(node.slice):
            raise self.refusal(f"an index that depends on the arguments, {ast.unparse(node)},",
                               "make it a whole number by int(...)")

    def refusal(self, what, advice):
        return refusal(self.at, what, advice)
