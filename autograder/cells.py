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
    names = set()
    for statement in ast.parse(source).body:
        if isinstance(statement, (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)):
            names.add(statement.name)
        elif not isinstance(statement, (ast.Import, ast.ImportFrom)):
            names |= {node.id for node in ast.walk(statement)
                      if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return names


def classes_defined(source):
    """The names of the classes that a cell's top level defines."""
    return {statement.name for statement in ast.parse(source).body
            if isinstance(statement, ast.ClassDef)}


def names_read(source):
    """All names that a cell mentions, at any depth."""
    return {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
