"""Reading a Python function: from its source to statements of one operation each.

Before a program can be differentiated line by line, every line must be one elementary function
whose derivative stands in the table of rules: the code list w1, w2, ... of Griewank & Walther
(2008, section 2.2), in compilers called A-normal form. ``y = x * sin(x) + 1`` becomes ::

    w2 = sin(x)
    w3 = x * w2
    y = w3 + 1

The result is again Python's own syntax tree. Only what depends on the arguments is taken apart
(activity analysis, section 6.2): indices, conditions and constants stay as they are written.
Calls of other functions are replaced by their body. What is not understood is refused, with
its line.
"""

import ast
import builtins
import copy
import inspect
import math
import textwrap
import types
from collections.abc import Hashable

import numpy as np

from gradem.dataflow import is_pop, reads, stores, substituted
from gradem.rules import CONSTANT, CONSTANT_EXPONENT, NOWHERE, RULES, Elementwise, NoDerivative


class Unsupported(ValueError):
    """A function uses what source transformation does not understand."""


# ---- which rule belongs to an operation -----------------------------------------------------

OPERATORS = {ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.divide,
             ast.Mod: np.remainder, ast.Pow: np.power, ast.USub: np.negative, ast.UAdd: np.positive}

_RENAMED = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2",
            "asinh": "arcsinh", "acosh": "arccosh", "atanh": "arctanh", "pow": "power"}

_SAME = ("sin cos tan sinh cosh tanh exp exp2 expm1 log log2 log10 log1p sqrt cbrt hypot fabs "
         "fmod degrees radians").split()

#: Functions of Python that are functions of NumPy under another name, or for numbers alone.
TWINS = {abs: np.absolute, max: np.maximum, min: np.minimum, float: np.positive,
         pow: np.power,
         **{getattr(math, name): getattr(np, _RENAMED.get(name, name))
            for name in (*_RENAMED, *_SAME) if hasattr(math, name)}}

#: Functions with derivative 0 beside those of NumPy.
PASSIVE = {len, range, int, bool, round, isinstance, math.floor, math.ceil, math.trunc,
           math.isnan, math.isfinite, math.isinf, *CONSTANT}

CONDITIONS = {(function, RULES[function].arguments.split(", ").index(argument)): condition
              for function, argument, condition, _ in NOWHERE}


def operation(value, namespace):
    """The function of NumPy that an elementary expression applies, and its arguments.

    Returns
    -------
    function, arguments : callable, list of ast.expr
        ``(None, [])`` if the expression is not an elementary function.
    """
    if isinstance(value, ast.BinOp):
        return OPERATORS.get(type(value.op)), [value.left, value.right]
    if isinstance(value, ast.UnaryOp):
        return OPERATORS.get(type(value.op)), [value.operand]
    if isinstance(value, ast.Call):
        called = lookup(value.func, namespace)
        if isinstance(called, Hashable):
            function = TWINS.get(called, called)
            if isinstance(RULES.get(function), Elementwise):
                return function, value.args
    return None, []


def rule_of(value, namespace):
    """The rule of an elementary expression, and the arguments that its texts speak of."""
    function, args = operation(value, namespace)
    if function is None:
        return None, []
    if function is np.power and is_number(args[1]):
        exponent = ast.literal_eval(args[1])
        if exponent == 2:
            return RULES[np.square], args[:1]
        if exponent != 0:
            return CONSTANT_EXPONENT, args
    return RULES[function], args


def trouble(function, position, args):
    """The condition, as a tree, under which there is no derivative; None if there always is."""
    if (function, position) not in CONDITIONS:
        return None
    if function is np.power and position == 0 and is_number(args[1]):
        exponent = ast.literal_eval(args[1])
        whole = exponent % 1 == 0
        if whole and (exponent >= 1 or exponent == 0):
            return None
        condition = "x == 0" if whole else "x < 0" if exponent > 1 else "x <= 0"
    else:
        condition = CONDITIONS[function, position]
    condition = substituted(condition, dict(zip(RULES[function].arguments.split(", "), args)))
    if not reads(condition) and not eval(ast.unparse(condition)):       # x / 2
        return None
    return condition


def no_derivative(name, position, values, line):
    """Raise `NoDerivative` in the words of the rule, with the line of the original function."""
    try:
        RULES[getattr(np, name)].require_derivative(position, values)
    except NoDerivative as error:
        words = str(error).partition("\n")[0]
        raise NoDerivative(f"{words}\n  {line}") from None


def is_number(node):
    """Is an expression a number that is written out, such as 2 or -0.5?"""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node = node.operand
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


def lookup(node, namespace):
    """The object that a name, or a name with dots, stands for; None if that is not known."""
    if isinstance(node, ast.Name):
        return namespace.get(node.id, getattr(builtins, node.id, None))
    if isinstance(node, ast.Attribute):
        return getattr(lookup(node.value, namespace), node.attr, None)
    return None


# ---- the program that was read ----------------------------------------------------------------


class Names:
    """Names that are not taken yet."""

    def __init__(self, taken):
        self.taken = set(taken)

    def fresh(self, name):
        """The name itself, or with the first free number behind it."""
        candidate, number = name, 2
        while candidate in self.taken:
            candidate, number = f"{name}_{number}", number + 1
        self.taken.add(candidate)
        return candidate


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


def definition(function):
    """The syntax tree of a function; every node knows its line and its file."""
    name = getattr(function, "__name__", repr(function))
    try:
        lines, first = inspect.getsourcelines(function)
    except (TypeError, OSError):
        raise Unsupported(f"the source of {name} is not known: it must be a function that is "
                          "written in Python, in a file or a notebook") from None
    try:
        tree = ast.parse(textwrap.dedent("".join(lines))).body[0]
    except SyntaxError:
        tree = None
    if not isinstance(tree, ast.FunctionDef):
        raise Unsupported(f"{name} is not defined by def: give the function a name, "
                          f"def f(x): ...\n  line {first}: {lines[0].strip()}")
    ast.increment_lineno(tree, max(first, 1) - 1)
    place = inspect.getsourcefile(function), lines, max(first, 1)
    for node in ast.walk(tree):
        node.place = place
    if tree.decorator_list:
        raise refusal(tree.decorator_list[0], "a decorator",
                      "transform the function before it is decorated")
    spec = tree.args
    if spec.vararg or spec.kwarg or spec.kwonlyargs:
        raise refusal(spec.vararg or spec.kwarg or spec.kwonlyargs[0],
                      "a parameter with * or **, or after *", "give every argument by position")
    return tree


def line_of(node):
    """The line of a node, as ``line 3: y = x / w``."""
    _, lines, first = node.place
    return f"line {node.lineno}: {lines[node.lineno - first].strip()}"


def refusal(node, what, advice):
    """The error that names a construct, says what to do, and shows the line."""
    file = node.place[0]
    return Unsupported(f"{what} cannot be differentiated by source transformation: {advice}\n"
                       f"  {file}, {line_of(node)}")


def name_of(node):
    return node.id if isinstance(node, ast.Name) else None


def load(name):
    return ast.Name(name, ast.Load())


def assign(target, value):
    """The statement target = value; the target is a name or a tree."""
    target = ast.Name(target, ast.Store()) if isinstance(target, str) else target
    return ast.Assign([target], value)


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
        body = _Resolve(self, self.calls[-1], local).block(tree.body)
        body = single_exit(body, self.names, tree)
        self.find_arrays(body)
        body = [_Lengths(self.arrays).visit(statement) for statement in body]
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
            if is_pop(value):
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
            active = [self.varies(node) for node in value.elts]
            self.emit(assign(name, ast.List([ast.Constant(0.0) if varies else node for
                                             node, varies in zip(value.elts, active)], ast.Load())))
            for position, node in enumerate(value.elts):
                if active[position]:
                    self.store(element(name, ast.Constant(position), ast.Store()), node)
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
        index = self.names.fresh("i")
        length = call("len", load(array))
        self.emit(assign(name, ast.BinOp(ast.List([ast.Constant(0.0)], ast.Load()), ast.Mult(),
                                         length)))
        loop = ast.For(ast.Name(index, ast.Store()), call("range", length),
                       [assign(element(name, load(index), ast.Store()),
                               element(array, load(index), ast.Load()))], [])
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
        rebound = {inner.id for inner in ast.walk(tree)
                   if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)}
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


# ---- kinds of expressions ---------------------------------------------------------------------


def call(function, *args):
    function = load(function) if isinstance(function, str) else function
    return ast.Call(function, list(args), [])


def element(name, index, context):
    return ast.Subscript(load(name), index, context)


def as_load(target):
    """The value of what is assigned."""
    new = copy.deepcopy(target)
    new.ctx = ast.Load()
    return new


def is_atom(node):
    """Can an expression be repeated at no cost: is it a name, a number, or np.pi?"""
    return isinstance(node, (ast.Name, ast.Constant, ast.Attribute)) or is_number(node)


def is_none(node):
    return isinstance(node, ast.Constant) and node.value is None


def is_range(node):
    if isinstance(node, ast.Call) and name_of(node.func) == "reversed" and len(node.args) == 1:
        node = node.args[0]
    return isinstance(node, ast.Call) and name_of(node.func) == "range"


def is_creation(called):
    return any(called is function for function in
               (np.zeros, np.ones, np.empty, np.zeros_like, np.ones_like, np.empty_like))


def _is_method(node, method):
    return (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
            and node.func.attr == method and isinstance(node.func.value, ast.Name))


def is_copy(node):
    return _is_method(node, "copy")


def is_append(node):
    return _is_method(node, "append")


# ---- before statements are taken apart ----------------------------------------------------------


class _Resolve(ast.NodeTransformer):
    """Gives every name of a function the meaning it has there, in the names of the program."""

    ALLOWED = (ast.Name, ast.Constant, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp,
               ast.Call, ast.Attribute, ast.Subscript, ast.Tuple, ast.List, ast.JoinedStr,
               ast.FormattedValue)

    STATEMENTS = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.For, ast.While, ast.If, ast.Expr,
                  ast.Assert, ast.Raise, ast.Pass, ast.Return)

    def __init__(self, reader, function, local):
        self.reader, self.local = reader, local
        cells = zip(function.__code__.co_freevars, function.__closure__ or ())
        self.outside = {**function.__globals__, **{name: cell.cell_contents
                                                   for name, cell in cells}}

    def block(self, statements):
        return [self.visit(statement) for statement in statements]

    def visit(self, node):
        if isinstance(node, ast.expr) and not isinstance(node, self.ALLOWED):
            raise refusal(node, f"the expression {ast.unparse(node)}",
                          "write it with assignments, loops and arithmetic on numbers")
        if isinstance(node, ast.stmt) and not isinstance(node, self.STATEMENTS):
            word = ast.unparse(node).split()[0].rstrip(":")
            raise refusal(node, f"the statement '{word}'",
                          "write it with assignments, if, for and while")
        return super().visit(node)

    def visit_Name(self, node):
        if node.id in self.local:
            new = copy.deepcopy(self.local[node.id])
            if isinstance(new, ast.Name):
                new.ctx = node.ctx
            return place_like(node, new)
        missing = object()
        value = self.outside.get(node.id, missing)
        if value is missing:                                    # built in
            return node
        if value is np or value is math:
            return place_like(node, load(value.__name__.replace("numpy", "np")))
        for module, name in ((np, "np"), (math, "math")):
            if callable(value) and getattr(module, getattr(value, "__name__", ""), None) is value:
                return place_like(node, ast.Attribute(load(name), value.__name__, ast.Load()))
        names, namespace = self.reader.names, self.reader.namespace
        name = node.id
        if namespace.get(name, missing) is not value:
            name = names.fresh(name)
            namespace[name] = value
        return place_like(node, load(name))

    def visit_Assign(self, node):
        if isinstance(node.targets[0], ast.Tuple) and isinstance(node.value, ast.Attribute):
            node.value = place_like(node, ast.Tuple(          # n, m = x.shape
                [ast.Subscript(node.value, ast.Constant(k), ast.Load())
                 for k in range(len(node.targets[0].elts))], ast.Load()))
        return self.generic_visit(node)

    def visit_Call(self, node):
        node = self.generic_visit(node)
        if lookup(node.func, self.reader.namespace) is np.array and len(node.args) == 1 and (
                isinstance(node.args[0], ast.List)):
            return node.args[0]                               # np.array([a, b])
        return node

    def visit_Attribute(self, node):
        node = self.generic_visit(node)
        if name_of(node.value) in self.reader.names.taken - set(self.reader.namespace) and (
                node.attr not in ("shape", "size", "copy", "append", "pop")):
            raise refusal(node, f"{ast.unparse(node)}", "use the elements of the array")
        return node


class _Lengths(ast.NodeTransformer):
    """Writes len(x) for x.shape[0], and for x.size if x has one axis: lists have no shape."""

    def __init__(self, arrays):
        self.arrays = arrays

    def visit_Subscript(self, node):
        of_shape = isinstance(node.value, ast.Attribute) and node.value.attr == "shape"
        if of_shape and isinstance(node.slice, ast.Constant) and node.slice.value == 0:
            return place_like(node.value, call("len", node.value.value))
        return self.generic_visit(node)

    def visit_Attribute(self, node):
        if node.attr == "size" and self.arrays.get(name_of(node.value)) == 1:
            return place_like(node, call("len", node.value))
        return self.generic_visit(node)


def place_like(old, new):
    """Give a new tree the line of an old one."""
    for node in ast.walk(new):
        node.place, node.lineno, node.col_offset = old.place, old.lineno, old.col_offset
    return new


def single_exit(statements, names, tree):
    """Give a function one return, at the end: what follows an early one becomes an else."""
    returns = [node for statement in statements for node in ast.walk(statement)
               if isinstance(node, ast.Return)]
    for node in returns:
        if node.value is None:
            raise refusal(node, "a function without a result", "return a number")
    if not returns:
        raise refusal(tree, "a function without a result", "return a number")
    if len(returns) == 1 and statements[-1] is returns[0]:
        return statements
    result = names.fresh("result")
    last = place_like(returns[-1], ast.Return(load(result)))
    return [*_without_returns(statements, result, tree), last]


def _without_returns(statements, result, tree):
    for k, statement in enumerate(statements):
        rest = statements[k + 1:]
        if isinstance(statement, ast.Return):
            assignment = assign(result, statement.value)
            return [*statements[:k], place_like(statement, assignment)]
        if not any(isinstance(node, ast.Return) for node in ast.walk(statement)):
            continue
        if not isinstance(statement, ast.If):
            raise refusal(statement, "return inside a loop",
                          "leave the loop by its condition, and return after it")
        branches = [_without_returns([*branch, *copy.deepcopy(rest)], result, tree)
                    for branch in (statement.body, statement.orelse)]
        new = ast.If(statement.test, *branches)
        new.place, new.lineno, new.col_offset = (statement.place, statement.lineno,
                                                 statement.col_offset)
        return [*statements[:k], new]
    raise refusal(tree, "a function that may end without a result", "return a number at the end")
