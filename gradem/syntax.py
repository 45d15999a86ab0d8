"""Syntax trees: building the few that generated code is made of, and asking what they are.

A program is a list of statements of Python's own module `ast`: ``ast.parse`` makes trees from
text, ``ast.unparse`` text from trees. A name says whether it is read (``ast.Load``) or
assigned (``ast.Store``). In ``x[i] = a`` the name x counts as read: its other elements stay.
"""

import ast
import copy


# ---- building ---------------------------------------------------------------------------------


def load(name):
    """The name as an expression."""
    return ast.Name(name, ast.Load())


def assign(target, value):
    """The statement target = value; the target is a name or a tree."""
    target = ast.Name(target, ast.Store()) if isinstance(target, str) else target
    return ast.Assign([target], value)


def call(function, *args):
    """A call of a function, which is given by name or as a tree."""
    function = load(function) if isinstance(function, str) else function
    return ast.Call(function, list(args), [])


def method(name, function, *args):
    """A call of name.function."""
    return call(ast.Attribute(load(name), function, ast.Load()), *args)


def element(name, index, context):
    """name[index], read or assigned according to the context."""
    return ast.Subscript(load(name), index, context)


def as_load(target):
    """The value of what is assigned."""
    new = copy.deepcopy(target)
    new.ctx = ast.Load()
    return new


def changed(statement, **fields):
    """A copy of a statement with other fields."""
    new = copy.copy(statement)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


def mapped(statement, function):
    """A statement with a function applied to each block inside it; itself if there is none."""
    parts = {part: function(getattr(statement, part)) for part in ("body", "orelse")
             if hasattr(statement, part)}
    return changed(statement, **parts) if parts else statement


class _Substitute(ast.NodeTransformer):
    """Puts a copy of a tree where a name stands."""

    def __init__(self, replacements):
        self.replacements = replacements

    def visit_Name(self, node):
        return copy.deepcopy(self.replacements.get(node.id, node))


def substituted(tree, replacements):
    """An expression with other trees in the place of names; it may be given as text."""
    tree = ast.parse(tree, mode="eval").body if isinstance(tree, str) else copy.deepcopy(tree)
    return _Substitute(replacements).visit(tree)


class _Simplify(ast.NodeTransformer):
    """Arithmetic on numbers that are written out: 3 * x ** (3 - 1) is 3 * x ** 2."""

    def visit_BinOp(self, node):
        node = self.generic_visit(node)
        if is_number(node.left) and is_number(node.right):
            return ast.parse(repr(eval(ast.unparse(node))), mode="eval").body
        if isinstance(node.op, ast.Pow) and is_number(node.right):
            if ast.literal_eval(node.right) == 1:
                return node.left
        return node


def simplified(tree):
    """A tree with the arithmetic on its numbers done."""
    return _Simplify().visit(tree)


def shown(statement):
    """The text of a statement; trees that were made have no line numbers yet."""
    return ast.unparse(ast.fix_missing_locations(statement))


# ---- asking -----------------------------------------------------------------------------------


def reads(*nodes):
    """The names whose value is read in some trees."""
    found = set()
    for tree in nodes:
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                found.add(node.id)
            elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
                found.add(node.target.id)
    return found


def stores(*nodes):
    """The names that are assigned, whole or in one element, in some trees."""
    found = set()
    for tree in nodes:
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found.add(node.id)
            elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
                found.add(node.value.id)
    return found


def replaced(nodes):
    """The names that are assigned as a whole in some trees."""
    return {node.id for tree in nodes for node in ast.walk(tree)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def name_of(node):
    """The name that an expression consists of; None if it is no name."""
    return node.id if isinstance(node, ast.Name) else None


def is_number(node):
    """Is an expression a number that is written out, such as 2 or -0.5?"""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node = node.operand
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


def is_atom(node):
    """Can an expression be repeated at no cost: is it a name, a number, or np.pi?"""
    return isinstance(node, (ast.Name, ast.Constant, ast.Attribute)) or is_number(node)


def is_none(node):
    """Is an expression the constant None?"""
    return isinstance(node, ast.Constant) and node.value is None


def is_range(node):
    """Is an expression range(...) or reversed(range(...))?"""
    if isinstance(node, ast.Call) and name_of(node.func) == "reversed" and len(node.args) == 1:
        node = node.args[0]
    return isinstance(node, ast.Call) and name_of(node.func) == "range"


def _is_method(node, method):
    return (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
            and node.func.attr == method and isinstance(node.func.value, ast.Name))


def is_copy(node):
    """Is an expression x.copy()?"""
    return _is_method(node, "copy")


def is_append(node):
    """Does an expression put a value on a stack?"""
    return _is_method(node, "append")


def is_pop(node):
    """Does an expression take a value from a stack?"""
    return _is_method(node, "pop")


def is_check(statement):
    """Is a statement there to refuse a point without derivative?"""
    return (isinstance(statement, ast.If) and len(statement.body) == 1
            and isinstance(statement.body[0], ast.Expr)
            and "no_derivative" in reads(statement.body[0]))
