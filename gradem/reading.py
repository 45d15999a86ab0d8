"""Reading a Python function: its source as a syntax tree, or a refusal that shows the line.

A fence stands here: statements and expressions that source transformation does not understand
are refused before anything is done with them. What passes is brought into a simpler form: names
of modules, functions and global numbers get one meaning, also those of other functions that are
called, and early returns become branches.
"""

import ast
import builtins
import copy
import inspect
import math
import textwrap

import numpy as np

from gradem.syntax import assign, call, changed, load, name_of


class Unsupported(ValueError):
    """A function uses what source transformation does not understand."""


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


def place_like(old, new):
    """Give a new tree the line of an old one."""
    for node in ast.walk(new):
        node.place, node.lineno, node.col_offset = old.place, old.lineno, old.col_offset
    return new


def lookup(node, namespace):
    """The object that a name, or a name with dots, stands for; None if that is not known."""
    if isinstance(node, ast.Name):
        return namespace.get(node.id, getattr(builtins, node.id, None))
    if isinstance(node, ast.Attribute):
        return getattr(lookup(node.value, namespace), node.attr, None)
    return None


# ---- names ------------------------------------------------------------------------------------


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


class Resolve(ast.NodeTransformer):
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
        if node.id not in self.outside:                         # built in
            return node
        return place_like(node, self.known(node.id, self.outside[node.id]))

    def known(self, name, value):
        """What a global object is called in the program: np, math, np.sin, or a name."""
        for module, short in ((np, "np"), (math, "math")):
            if value is module:
                return load(short)
            if callable(value) and getattr(module, getattr(value, "__name__", ""), None) is value:
                return ast.Attribute(load(short), value.__name__, ast.Load())
        namespace = self.reader.namespace
        if name not in namespace or namespace[name] is not value:
            name = self.reader.names.fresh(name)
            namespace[name] = value
        return load(name)

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


def with_len(statements, arrays):
    """Statements that measure arrays by len(x), where x.shape[0] or x.size say the same."""
    return [_Lengths(arrays).visit(statement) for statement in statements]


# ---- one return -------------------------------------------------------------------------------


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
    """The statements up to the first return, in each branch, which is an assignment now."""
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
        body, orelse = branches
        return [*statements[:k], changed(statement, body=body, orelse=orelse)]
    raise refusal(tree, "a function that may end without a result", "return a number at the end")
