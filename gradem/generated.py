"""Generated code: from statements to a text in Python, and to a function that can be called.

The text is a whole program: it can be read, saved in a file, and run. It is also given to
`linecache`, where Python looks for the lines of a traceback and `inspect` for the source of
the function. Arrays with one axis are lists inside, whose elements are read three times faster
than those of an array.
"""

import ast
import functools
import itertools
import linecache
import math

import numpy as np

from gradem.syntax import changed, reads, shown


def _block(statements, indent, said=None):
    """The lines of a block; a comment stands before the first statement that has it."""
    lines = []
    for statement in statements:
        remark = getattr(statement, "comment", None)
        if remark and remark != said:
            lines.append(f"{indent}# {remark}")
        said = remark
        if isinstance(statement, (ast.If, ast.For, ast.While)):
            orelse = statement.orelse
            head = changed(statement, body=[], orelse=[])
            lines.append(indent + shown(head))
            lines += _block(statement.body, indent + "    ")
            if orelse:
                lines.append(f"{indent}else:")
                lines += _block(orelse, indent + "    ")
        else:
            lines.append(indent + shown(statement))
    return lines


def _text(name, parameters, body, namespace):
    """The whole text: imports, global numbers, and the function."""
    lines = [f"def {name}({', '.join(parameters)}):", *_block(body, "    ")]
    names = reads(*body)
    imports = ["import math"] * ("math" in names) + ["import numpy as np"] * ("np" in names)
    if "no_derivative" in names:
        imports += [""] * bool(imports) + ["from gradem.operations import no_derivative"]
    numbers = [f"{global_} = {_written(namespace[global_])}"
               for global_ in sorted(names & set(namespace))
               if type(namespace[global_]) in (int, float)]
    parts = ["\n".join(part) for part in (imports, numbers) if part]
    return "\n\n".join(parts) + "\n\n\n" * bool(parts) + "\n".join(lines) + "\n"


def _written(x):
    """A number as a program writes it: inf and nan have no names in Python."""
    return repr(x) if abs(x) < math.inf else f"float('{x}')"


_NUMBER = itertools.count(1)


def compiled(program, name, parameters, body, defaults=()):
    """The function that a text defines; its arguments are checked and brought into form."""
    text = _text(name, parameters, body, program.namespace)
    file = f"<{name} {next(_NUMBER)}>"
    namespace = {**program.namespace, "__name__": "gradem.generated"}
    exec(compile(text, file, "exec"), namespace)
    linecache.cache[file] = len(text), None, text.splitlines(keepends=True), file
    generated = namespace[name]
    axes = [program.arrays.get(x) for x in program.parameters]
    axes += [program.arrays.get(x) for x in program.parameters
             if x not in program.constants][:len(parameters) - len(axes)]

    @functools.wraps(generated)
    def transformed(*args):
        missing = len(parameters) - len(args)
        if 0 < missing <= len(defaults):
            args += defaults[-missing:]
        if len(args) != len(parameters):
            raise TypeError(f"{name} takes {len(parameters)} arguments ({', '.join(parameters)}), "
                            f"but was given {len(args)}")
        return _outside(generated(*map(_inside, args, axes, parameters)))
    transformed.source = text
    return transformed


def _inside(x, axes, name):
    """An argument in the form that generated code takes: a number, or a list of floats."""
    if axes is None:
        if isinstance(x, (int, float, str, np.integer, np.bool_)):
            return x
        if np.ndim(x) > 0:
            raise TypeError(f"{name} is used as a number, but is of shape {np.shape(x)}: source "
                            "transformation takes arrays through their elements only")
        return float(x)
    array = np.array(x, dtype=float)
    if array.ndim != axes:
        raise TypeError(f"{name} is used with {axes} {'index' if axes == 1 else 'indices'}, but "
                        f"is of shape {array.shape}")
    return array.tolist() if axes == 1 else array


def _outside(x):
    """A result in the form that users take: lists of numbers become arrays."""
    if isinstance(x, tuple):
        return tuple(map(_outside, x))
    if isinstance(x, np.floating):
        return float(x)
    return np.array(x, dtype=float) if isinstance(x, list) else x
