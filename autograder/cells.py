"""What can be read off the text of a cell: its names, and Python without magics."""

import ast
import re


def plain_python(source):
    """A cell without IPython's magics and shell lines, which mean nothing in the judge."""
    try:
        ast.parse(source)
        return source
    except SyntaxError:
        return re.sub(r"^([ \t]*)[%!].*$", r"\1pass", source, flags=re.MULTILINE)


def names_bound(source):
    """The names that a cell's top level defines, other than by import."""
    return set().union(*map(_bound_by, ast.parse(source).body))


def _bound_by(statement):
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)):
        return {statement.name}
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return set()
    return {node.id for node in ast.walk(statement)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def classes_defined(source):
    """The names of the classes that a cell's top level defines."""
    return {statement.name for statement in ast.parse(source).body
            if isinstance(statement, ast.ClassDef)}


def names_read(source):
    """All names that a cell mentions, at any depth."""
    return _names_in(ast.parse(source))


def _names_in(tree):
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def mentions(source):
    """For each name that a cell's top level defines, the names in the statement that does it."""
    found = {}
    for statement in ast.parse(source).body:
        for name in _bound_by(statement):
            found[name] = found.get(name, set()) | _names_in(statement)
    return found


def reached(names, looks_up):
    """The names, and all that are looked up when they are used, however indirectly.

    Parameters
    ----------
    names : set of str
    looks_up : dict of str to set of str
    """
    found, new = set(), set(names)
    while new:
        found |= new
        new = set().union(*(looks_up.get(name, set()) for name in new)) - found
    return found
