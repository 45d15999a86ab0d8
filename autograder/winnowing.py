"""Fingerprints of a text that survive renaming, new comments and another layout.

Code is read as tokens in which comments, docstrings and layout are gone, and every name
that the code itself gives is the same word. Each run of K tokens is hashed, and of every
WINDOW hashes in a row the smallest is kept: two texts that share GUARANTEED tokens in a
row share a fingerprint, wherever these stand, and a text of n tokens has only about
2 n / (WINDOW + 1) of them. This is winnowing (Schleimer, Wilkerson and Aiken 2003,
"Winnowing: local algorithms for document fingerprinting", SIGMOD).
"""

import ast
import io
import re
import tokenize
import warnings
import zlib
from dataclasses import dataclass

import numpy as np

K = 8                            # tokens in one hash; shorter agreements are noise
WINDOW = 6                       # hashes of which one is kept
GUARANTEED = K + WINDOW - 1
LONGEST = 100_000                # characters of one text that are read
NAME, STRING = "name", "text"    # what stands for the code's own names, and for any text
_LAYOUT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
           tokenize.ENCODING, tokenize.ENDMARKER}
_STRINGS = {tokenize.STRING}
if hasattr(tokenize, "FSTRING_START"):           # since Python 3.12
    _STRINGS.add(tokenize.FSTRING_START)
    _LAYOUT |= {tokenize.FSTRING_MIDDLE, tokenize.FSTRING_END}
_BASE = np.uint64(0x9E3779B97F4A7C15)
_POWERS = np.cumprod(np.full(K, _BASE))          # modulo 2**64
_UNPARSED = (SyntaxError, ValueError, RecursionError, MemoryError)


@dataclass
class Fingerprinted:
    """A text as tokens and hashes.

    Attributes
    ----------
    lines : ndarray of int, shape (n,)
        The line of each token, from 1.
    hashes : ndarray of uint64, shape (max(n - K + 1, 0),)
        Of the K tokens that begin at each place.
    """

    lines: np.ndarray
    hashes: np.ndarray


def fingerprinted(text, kind="code", modules=None):
    """Read a text.

    Parameters
    ----------
    text : str
    kind : str
        "code" for Python; anything else is prose, whose tokens are its words.
    modules : dict of str to str, optional
        Names of modules that are imported elsewhere, as `imported` gives them.

    Returns
    -------
    Fingerprinted
    """
    text = text[:LONGEST].encode("utf-8", "replace").decode("utf-8")
    found = _code(text, modules or {}) if kind == "code" else _prose(text)
    words, lines = zip(*found) if found else ((), ())
    codes = np.array([zlib.crc32(word.encode("utf-8", "replace")) for word in words], np.uint64)
    if len(codes) < K:
        return Fingerprinted(np.array(lines, int), np.zeros(0, np.uint64))
    runs = np.lib.stride_tricks.sliding_window_view(codes, K)
    return Fingerprinted(np.array(lines, int), _mixed((runs * _POWERS).sum(axis=1)))


def _mixed(hashes):
    """The same hashes in an order that has nothing to do with the tokens (MurmurHash3's end)."""
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        hashes = (hashes ^ (hashes >> np.uint64(33))) * np.uint64(factor)
    return hashes ^ (hashes >> np.uint64(33))


def winnowed(hashes):
    """Places of the hashes that are kept: of each window the last one of the smallest."""
    if len(hashes) == 0:
        return np.zeros(0, int)
    windows = np.lib.stride_tricks.sliding_window_view(hashes, min(WINDOW, len(hashes)))
    width = windows.shape[1]
    last = width - 1 - windows[:, ::-1].argmin(axis=1)
    return np.unique(np.arange(len(windows)) + last)


# ---- tokens -------------------------------------------------------------------------


def imported(source):
    """Names that code imports modules under, and what they stand for: {"np": "numpy"}."""
    return _modules(_parsed(source))


def _modules(tree):
    return {alias.asname or alias.name: alias.name for node in ast.walk(tree)
            if isinstance(node, ast.Import) for alias in node.names}


def _prose(text):
    return [(word.lower(), number) for number, line in enumerate(text.splitlines(), 1)
            for word in re.findall(r"\w+", line)]


def _code(text, modules):
    """The tokens of Python code with their lines; of what is no Python, as many as can be read."""
    tree = _parsed(text)
    (own, attributes), remarks = _own_names(tree), _remarks(tree)
    modules = {**modules, **_modules(tree)}
    found, before = [], ""
    try:
        for token in tokenize.generate_tokens(io.StringIO(_without_magics(text)).readline):
            line = token.start[0]
            if token.type == tokenize.NAME:
                word = token.string
                if word in (attributes if before == "." else own):
                    word = NAME
                elif before != ".":
                    word = modules.get(word, word)
                found.append((word, line))
            elif token.type == tokenize.NUMBER:
                found.append((_number(token.string), line))
            elif token.type in _STRINGS:
                if line not in remarks:
                    found.append((STRING, line))
            elif token.type not in _LAYOUT:
                found.append((token.string, line))
            before = token.string
    except (tokenize.TokenError, *_UNPARSED):
        pass                      # what could be read of it counts
    return found


def _without_magics(text):
    return re.sub(r"^[ \t]*[%!].*$", "", text, flags=re.MULTILINE)


def _parsed(text):
    """The syntax tree; an empty one of what Python cannot parse."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")          # of a learner's odd text literal
            return ast.parse(_without_magics(text[:LONGEST]))
    except _UNPARSED:
        return ast.Module([], [])


def _own_names(tree):
    """The names that code gives itself: to variables and functions, to attributes and methods."""
    own, attributes = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            own.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            attributes.add(node.attr)
        elif isinstance(node, ast.arg):
            own.add(node.arg)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            own.add(node.name)
            attributes.add(node.name)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            own.add(node.name)
    return [{name for name in names if not name.startswith("__")} for names in (own, attributes)]


def _remarks(tree):
    """The lines in which a docstring, or another text that nothing is done with, begins."""
    return {node.lineno for node in ast.walk(tree) if isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)}


def _number(text):
    """A number as one word, however it is written: 2, 2.0 and 2e0 are the same."""
    try:
        return repr(complex(ast.literal_eval(text)))
    except (ValueError, SyntaxError, OverflowError, MemoryError):
        return text[:50]
