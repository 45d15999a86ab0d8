"""Source transformation of C: a function of doubles in, its derivative as C out.

The idea is that of `gradem.source`, for the lecture's other language. Each statement is taken
apart into single operations, w = phi(u, v). Forward mode writes below each of them its tangent,
dw = phi_u du + phi_v dv; reverse mode writes the operations, and then, backwards, for each of
them u_bar += w_bar phi_u and v_bar += w_bar phi_v (Griewank & Walther 2008, sections 3.1, 3.2
and 6.2). The partial derivatives are those of `gradem.rules`, translated from NumPy to C.

What was computed is handed out through pointers. A function that returns an array of its own,
as on the lecture's slide, returns the address of memory that is gone when it has ended.
"""

import ast
import re

import numpy as np

from gradem.reading import Unsupported
from gradem.rules import CONSTANT_EXPONENT, RULES


#: Functions of math.h, and the functions of NumPy whose rules are theirs.
INTRINSICS = {
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos,
    "atan": np.arctan, "atan2": np.arctan2, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh,
    "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh, "exp": np.exp,
    "exp2": np.exp2, "expm1": np.expm1, "log": np.log, "log2": np.log2, "log10": np.log10,
    "log1p": np.log1p, "sqrt": np.sqrt, "cbrt": np.cbrt, "pow": np.power, "hypot": np.hypot,
    "fabs": np.absolute, "fmax": np.fmax, "fmin": np.fmin, "fmod": np.fmod,
}
SIGNS = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}


# ---- what users call ----------------------------------------------------------------------------


def forward(text):
    """The dual program of functions in C: values and tangents.

    Parameters
    ----------
    text : str
        Definitions of functions that take and return numbers of type double (see Notes).

    Returns
    -------
    str
        For each function ``double f(double x, ...)`` a definition of ``void f_forward(double
        x, ..., double dx, ..., double *value, double *tangent)``.

    Raises
    ------
    Unsupported
        If the program uses what is not understood; the text says what, and in which line.
    ImportError
        If pycparser, which reads the C, is not installed.

    Notes
    -----
    Understood are declarations of double and int, assignments, arithmetic, the functions of
    math.h in `INTRINSICS`, ``if``, ``for`` and ``while`` over conditions without calls, and one
    return at the end.
    """
    return _transformed(text, _Forward)


def reverse(text):
    """Functions in C with a return sweep: values and adjoints.

    Parameters, errors and what is understood are those of `forward`, but no loops.

    Returns
    -------
    str
        For each function ``double f(double x, ...)`` a definition of ``void f_reverse(double
        x, ..., double *value, double *x_bar, ...)``; the adjoint of the result is 1.
    """
    return _transformed(text, _Reverse)


def _transformed(text, writer):
    functions = [writer(definition).written() for definition in _definitions(text)]
    return "#include <math.h>\n\n" + "\n".join(functions)


# ---- reading ------------------------------------------------------------------------------------


def _definitions(text):
    """The definitions of functions in a C program, parsed."""
    try:
        from pycparser import c_ast
        from pycparser.c_parser import CParser
    except ImportError:
        raise ImportError("gradem.csource reads C with pycparser: pip install pycparser") from None
    lines = []
    for number, line in enumerate(_without_comments(text).split("\n"), 1):
        if line.strip().startswith("#"):
            if not re.match(r"\s*#\s*include\s*<math\.h>", line):
                raise Unsupported(f"line {number}: only #include <math.h> is understood of the "
                                  f"preprocessor, not {line.strip()}")
            line = ""
        lines.append(line)
    try:
        tree = CParser().parse("\n".join(lines))
    except Exception as error:                 # pycparser has had several names for it
        raise Unsupported(f"this is no C program that can be read: {error}") from None
    for definition in tree.ext:
        if not isinstance(definition, c_ast.FuncDef):
            raise Unsupported(f"{_where(definition)}: only definitions of functions are understood")
    return tree.ext


def _without_comments(text):
    """The text with blanks in the place of comments, line by line as before."""
    return re.sub(r"/\*.*?\*/|//[^\n]*", lambda match: re.sub(r"[^\n]", " ", match.group()), text,
                  flags=re.DOTALL)


def _where(node):
    return f"line {node.coord.line}" if node.coord else "the program"


class _Writer:
    """What both modes share: a function read as statements of one operation each.

    Statements are tuples: ``("set", target, text, rule, args)`` for an operation,
    ``("if", condition, then, otherwise)`` and ``("loop", header, body)``.
    """

    def __init__(self, definition):
        self.name = definition.decl.name
        parameters = definition.decl.type.args
        self.parameters = [self._parameter(p) for p in (parameters.params if parameters else [])]
        self.locals, self.integers, self.result = [], [], None
        self._taken = set(re.findall(r"\w+", str(self._names(definition))))
        items = definition.body.block_items or []
        self.body = self._block(items, outermost=True)
        if self.result is None:
            raise Unsupported(f"{_where(definition)}: {self.name} returns nothing; it should end "
                              "with return and one number")
        self.active = set(self.parameters)
        while self._spread(self.body):
            pass

    def _names(self, node):
        own = [getattr(node, "name", "")] if isinstance(getattr(node, "name", ""), str) else []
        return own + [name for _, child in node.children() for name in self._names(child)]

    def _parameter(self, p):
        if _type_of(p) != "double":
            raise Unsupported(f"{_where(p)}: a parameter must be a double")
        return p.name

    def _spread(self, statements):
        """Mark what depends on the parameters; True if something new was found."""
        found = False
        for kind, *parts in statements:
            if kind == "set":
                target, _, rule, args = parts
                if rule and self.active & set(args) and target not in self.active:
                    self.active.add(target)
                    found = True
            else:
                for part in parts:
                    found = (isinstance(part, list) and self._spread(part)) or found
        return found

    # -- statements --

    def _block(self, items, outermost=False):
        statements = []
        for i, item in enumerate(items):
            kind = type(item).__name__
            if kind == "Return":
                if not outermost or i < len(items) - 1 or item.expr is None:
                    raise Unsupported(f"{_where(item)}: return must be the last statement, with a "
                                      "number")
                self.result = self._value(item.expr, statements)
            elif kind in ("Decl", "Assignment", "If", "For", "While", "Compound"):
                getattr(self, f"_on_{kind}")(item, statements)
            elif kind != "EmptyStatement":
                raise Unsupported(f"{_where(item)}: a statement of kind {kind} is not understood")
        return statements

    def _on_Compound(self, item, statements):
        statements += self._block(item.block_items or [])

    def _on_Decl(self, item, statements):
        if _type_of(item) not in ("double", "int") or item.name in self.parameters + self.locals:
            raise Unsupported(f"{_where(item)}: {item.name} must be declared once, as double or "
                              "int, and not as an array or pointer")
        (self.locals if _type_of(item) == "double" else self.integers).append(item.name)
        if item.init is not None:
            self._set(item.name, item.init, statements)

    def _on_Assignment(self, item, statements):
        if type(item.lvalue).__name__ != "ID":
            raise Unsupported(f"{_where(item)}: only variables can be assigned to, no elements "
                              "and no memory behind pointers")
        value = item.rvalue
        if item.op != "=":
            from pycparser import c_ast
            value = c_ast.BinaryOp(item.op[:-1], item.lvalue, value, item.coord)
        self._set(item.lvalue.name, value, statements)

    def _set(self, target, value, statements):
        if target in self.integers:
            statements.append(("set", target, self._plain(value), None, ()))
            return
        if target not in self.parameters + self.locals:
            raise Unsupported(f"{_where(value)}: {target} is not declared in {self.name}")
        text, rule, args = self._operation(value, statements)
        if target in args:                 # its old value is still needed for the derivative
            self._temporary(text, rule, args, statements)
            text, rule, args = self.locals[-1], RULES[np.positive], (self.locals[-1],)
        statements.append(("set", target, text, rule, args))

    def _temporary(self, text, rule, args, statements):
        number = 1
        while f"t{number}" in self._taken:
            number += 1
        self._taken.add(f"t{number}")
        self.locals.append(f"t{number}")
        statements.append(("set", f"t{number}", text, rule, args))
        return f"t{number}"

    def _on_If(self, item, statements):
        branches = [self._block(_items(branch)) for branch in (item.iftrue, item.iffalse)]
        statements.append(("if", self._plain(item.cond), *branches))

    def _on_For(self, item, statements):
        self._loop(item, statements, "for ({}; {}; {})".format(
            self._header(item.init), item.cond and self._plain(item.cond) or "",
            self._header(item.next)))

    def _on_While(self, item, statements):
        self._loop(item, statements, f"while ({self._plain(item.cond)})")

    def _loop(self, item, statements, header):
        statements.append(("loop", header, self._block(_items(item.stmt))))

    def _header(self, item):
        """The beginning, or the step, of a for loop: counting with whole numbers."""
        if item is None:
            return ""
        declared = getattr(item, "decls", [])
        for decl in declared:
            if _type_of(decl) != "int":
                raise Unsupported(f"{_where(decl)}: a for loop must count with an int")
        names = [decl.name for decl in declared] or [
            getattr(getattr(item, "lvalue", getattr(item, "expr", None)), "name", None)]
        own = [name for name in names if name not in self.integers]
        self.integers += [] if not declared else own
        if not declared and own:
            raise Unsupported(f"{_where(item)}: a for loop must count with an int")
        from pycparser.c_generator import CGenerator
        text = CGenerator().visit(item)
        return text.replace("int ", "") if declared else text

    # -- expressions --

    def _value(self, node, statements):
        """The name or number that holds the value of an expression."""
        text, rule, args = self._operation(node, statements)
        return text if rule is None or text in args else self._temporary(text, rule, args,
                                                                          statements)

    def _real(self, node, statements):
        """As `_value`, of type double."""
        if not self._is_whole(node):
            return self._value(node, statements)
        text = self._plain(node)
        return f"{text}.0" if re.fullmatch(r"0|[1-9]\d*", text) else f"(double) ({text})"

    def _operation(self, node, statements):
        """The last operation of an expression: its text, its rule, and its arguments."""
        kind = type(node).__name__
        if kind == "Constant" and node.type in ("double", "int", "float"):
            return node.value, None, ()
        if kind == "ID":
            if node.name not in self.parameters + self.locals + self.integers:
                raise Unsupported(f"{_where(node)}: {node.name} is not declared in {self.name}")
            return node.name, RULES[np.positive], (node.name,)
        if self._is_whole(node):           # C divides whole numbers without a fraction
            return f"({self._plain(node)})", None, ()
        if kind == "Cast" and _type_of(node.to_type) == "double":
            if self._is_whole(node.expr):
                return self._real(node.expr, statements), None, ()
            return self._operation(node.expr, statements)
        if kind == "UnaryOp" and node.op in "+-":
            inner = self._value(node.expr, statements)
            rule = RULES[np.negative if node.op == "-" else np.positive]
            return f"{node.op}{inner}", rule, (inner,)
        if kind == "BinaryOp" and node.op in SIGNS:
            args = tuple(self._value(part, statements) for part in (node.left, node.right))
            return f"{args[0]} {node.op} {args[1]}", RULES[SIGNS[node.op]], args
        if kind == "FuncCall" and getattr(node.name, "name", None) in INTRINSICS:
            name = node.name.name
            args = tuple(self._real(part, statements) for part in node.args.exprs)
            rule = RULES[INTRINSICS[name]]
            if name == "pow" and _is_number(args[1]) and float(args[1]) != 0:
                rule = CONSTANT_EXPONENT
            if len(args) != len(rule.maps):
                raise Unsupported(f"{_where(node)}: {name} takes {len(rule.maps)} arguments")
            return f"{name}({', '.join(args)})", rule, args
        what = f"the function {node.name.name}" if kind == "FuncCall" and hasattr(
            node.name, "name") else f"an expression of kind {kind}"
        raise Unsupported(f"{_where(node)}: {what} is not understood; there are + - * / and "
                          f"{', '.join(sorted(INTRINSICS))}")

    def _is_whole(self, node):
        """Is an expression of C's type int?"""
        kind = type(node).__name__
        if kind == "ID":
            return node.name in self.integers
        if kind == "Constant":
            return node.type == "int"
        if kind == "UnaryOp" and node.op in "+-":
            return self._is_whole(node.expr)
        return (kind == "BinaryOp" and node.op in "+-*/%"
                and self._is_whole(node.left) and self._is_whole(node.right))

    def _plain(self, node):
        """The text of a condition, or of a whole number: it is not differentiated."""
        from pycparser import c_ast
        from pycparser.c_generator import CGenerator
        if isinstance(node, c_ast.FuncCall) or any(
                self._calls(child) for _, child in node.children()):
            raise Unsupported(f"{_where(node)}: a condition, or an int, must not call a function: "
                              "compute it before, in a variable")
        return CGenerator().visit(node)

    def _calls(self, node):
        return type(node).__name__ in ("FuncCall", "Assignment") or any(
            self._calls(child) for _, child in node.children())

    # -- writing --

    def _terms(self, target, rule, args, v):
        """What each active argument contributes: pairs of argument and text in C."""
        if rule is None:
            return []
        names = dict(zip(rule.arguments.split(", "), args), out=target)
        return [(arg, _in_c(rule.texts[i], {**names, "v": v(arg)}))
                for i, arg in enumerate(args) if arg in self.active and rule.texts[i]]


class _Forward(_Writer):
    """Each operation, and below it its tangent."""

    def written(self):
        """The dual program."""
        tangents = [f"d{name}" for name in self.parameters]
        lines = self._lines(self.body)
        locals_ = self.locals + [f"d{name}" for name in self.locals if name in self.active]
        d_result = f"d{self.result}" if self.result in self.active else "0.0"
        return _function(
            f"{self.name}_forward", self.parameters + tangents, ["value", "tangent"],
            _declarations(locals_, self.integers) + lines + [
                f"*value = {self.result};", f"*tangent = {d_result};"])

    def _lines(self, statements):
        lines = []
        for kind, *parts in statements:
            if kind == "set":
                target, text, rule, args = parts
                lines.append(f"{target} = {text};")
                if target in self.active:
                    terms = self._terms(target, rule, args, lambda arg: f"d{arg}")
                    lines.append(f"d{target} = {_sum(term for _, term in terms)};")
            elif kind == "if":
                lines += _choice(parts[0], *map(self._lines, parts[1:]))
            else:
                lines += [f"{parts[0]} {{", *_indented(self._lines(parts[1])), "}"]
        return lines


class _Reverse(_Writer):
    """The operations, and then backwards what each gives back to its arguments."""

    def written(self):
        """The program with its return sweep."""
        self._olds, self._old_integers, self._decisions = [], [], []
        assigned = [target for target in self._targets(self.body)]
        self._again = {name for name in assigned
                       if assigned.count(name) > 1 or name in self.parameters}
        there, back = self._both(self.body)
        bars = [f"{name}_bar" for name in self.parameters]
        locals_ = self.locals + self._olds + [f"w_{name}_bar" for name in self.parameters] + [
            f"{name}_bar" for name in self.locals if name in self.active]
        start = [f"{self._bar(self.result)} = 1.0;"] if self.result in self.active else []
        integers = self.integers + self._old_integers + self._decisions
        lines = _declarations(locals_, integers, start=True)
        lines += [*there, f"*value = {self.result};", *start, *back]
        lines += [f"*{name}_bar = w_{name}_bar;" for name in self.parameters]
        return _function(f"{self.name}_reverse", self.parameters, ["value", *bars], lines)

    def _bar(self, name):
        return f"w_{name}_bar" if name in self.parameters else f"{name}_bar"

    def _targets(self, statements):
        for kind, *parts in statements:
            if kind == "set":
                yield parts[0]
            for part in parts:
                if isinstance(part, list):
                    yield from self._targets(part)

    def _both(self, statements):
        """The lines of the forward sweep, and those of the return sweep."""
        there, back = [], []
        for kind, *parts in statements:
            if kind == "set":
                forth, returned = self._set_lines(*parts)
            elif kind == "if":
                decision = f"decision{len(self._decisions) + 1}"
                self._decisions.append(decision)
                branches = [self._both(branch) for branch in parts[1:]]
                forth = [f"{decision} = {parts[0]};",
                         *_choice(decision, *(branch[0] for branch in branches))]
                returned = _choice(decision, *(branch[1] for branch in branches))
            else:
                raise Unsupported(f"{self.name}: reverse mode does not understand loops: use "
                                  "forward, or gradem.source in Python")
            there += forth
            back = returned + back
        return there, back

    def _set_lines(self, target, text, rule, args):
        forth, back = [f"{target} = {text};"], []
        if target in self.active:
            bar = self._bar(target)
            back = [f"{self._bar(arg)} += {term};"
                    for arg, term in self._terms(target, rule, args, lambda arg: bar)]
            if target in self._again:
                back.append(f"{bar} = 0.0;")
        if target in self._again:                # what it was is needed further back
            old = f"old{len(self._olds) + len(self._old_integers) + 1}"
            (self._old_integers if target in self.integers else self._olds).append(old)
            forth.insert(0, f"{old} = {target};")
            back.append(f"{target} = {old};")
        return forth, back


# ---- small things -------------------------------------------------------------------------------


def _type_of(declaration):
    names = getattr(getattr(getattr(declaration, "type", None), "type", None), "names", [])
    return " ".join(names) if type(declaration.type).__name__ == "TypeDecl" else "no number"


def _items(statement):
    if statement is None:
        return []
    return statement.block_items or [] if type(statement).__name__ == "Compound" else [statement]


def _is_number(text):
    return re.fullmatch(r"-?[\d.]+(e-?\d+)?", text) is not None


def _sum(terms):
    return " + ".join(terms).replace("+ -", "- ") or "0.0"


def _indented(lines):
    return [f"    {line}" for line in lines]


def _choice(condition, then, otherwise):
    lines = [f"if ({condition}) {{", *_indented(then), "}"]
    return lines + ["else {", *_indented(otherwise), "}"] if otherwise else lines


def _declarations(doubles, integers, start=False):
    """Declarations; in the return sweep everything starts from zero."""
    value = (" = 0.0", " = 0") if start else ("", "")
    return [f"{kind} {', '.join(name + zero for name in names)};"
            for kind, names, zero in (("double", doubles, value[0]), ("int", integers, value[1]))
            if names]


def _function(name, parameters, results, lines):
    arguments = [f"double {p}" for p in parameters] + [f"double *{r}" for r in results]
    return "\n".join([f"void {name}({', '.join(arguments)})", "{", *_indented(lines), "}", ""])


class _ToC(ast.NodeVisitor):
    """The text of a map of `gradem.rules`, as an expression in C."""

    NAMES = {function: name for name, function in INTRINSICS.items()}

    def __init__(self, names):
        self.names = names

    def generic_visit(self, node):
        raise Unsupported(f"a rule is written with {type(node).__name__}, which C does not have")

    def visit_Name(self, node):
        return self.names[node.id]

    def visit_Constant(self, node):
        return repr(float(node.value))

    def visit_UnaryOp(self, node):
        return f"-{self.visit(node.operand)}"

    def visit_BinOp(self, node):
        left, right = self.visit(node.left), self.visit(node.right)
        kind = type(node.op).__name__
        if kind == "Pow":
            return f"{left} * {left}" if right == "2.0" and left.isidentifier() else (
                f"pow({left}, {right})")
        if kind == "BitAnd":
            return f"({left} && {right})"
        sign = {"Add": "+", "Sub": "-", "Mult": "*", "Div": "/"}[kind]
        if _is_number(left) and _is_number(right) and kind == "Sub":
            return repr(float(left) - float(right))
        inner = node.right if isinstance(node.right, ast.BinOp) else None
        if inner is not None and kind != "Add":
            right = f"({right})"
        if kind in ("Mult", "Div") and isinstance(node.left, ast.BinOp) and isinstance(
                node.left.op, (ast.Add, ast.Sub)):
            left = f"({left})"
        return f"{left} {sign} {right}"

    def visit_Compare(self, node):
        sign = {"Eq": "==", "Lt": "<", "Gt": ">"}[type(node.ops[0]).__name__]
        return f"({self.visit(node.left)} {sign} {self.visit(node.comparators[0])})"

    def visit_Attribute(self, node):
        return repr(float(getattr(np, node.attr)))

    def visit_Call(self, node):
        function, args = getattr(np, node.func.attr), [self.visit(arg) for arg in node.args]
        if function is np.sign:
            return f"(({args[0]} > 0.0) - ({args[0]} < 0.0))"
        if function is np.floor_divide:
            return f"floor({args[0]} / {args[1]})"
        name = self.NAMES.get(function, node.func.attr)
        return f"{name}({', '.join(args)})"


def _in_c(text, names):
    return _ToC(names).visit(ast.parse(text, mode="eval").body)
