"""A learner's text and code as HTML: Markdown, formulas, highlighted code.

markdown-it reads the dialect that Jupyter shows, with formulas between dollars. HTML in
the text is not let through but shown as it was typed, a link shows its address and leads
nowhere, a picture is named. Formulas become MathML, which browsers draw by themselves:
latex2mathml translates them, and of its result only known elements are copied, for it
writes some of what it is given without escaping. What cannot be translated is shown in
LaTeX. The limits are on what the libraries need quadratic time for.
"""

import html
import re
import unicodedata

import pygments
from latex2mathml.converter import Converter
from markdown_it import MarkdownIt
from markupsafe import Markup, escape
from mdit_py_plugins.amsmath import amsmath_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from autograder.sanitise import Refused, visible

MAX_MARKDOWN = 10_000            # characters of a text that are rendered
MAX_CODE = 20_000                # characters of a cell that are highlighted
MAX_FORMULA = 2_000              # characters of a formula

_lexer = PythonLexer(stripnl=False, ensurenl=False)
_classes = HtmlFormatter(nowrap=True)


def code(source):
    """Python, with its words in spans of Pygments' classes.

    Parameters
    ----------
    source : str

    Returns
    -------
    markupsafe.Markup
        To be put into a `pre`.
    """
    source = visible(source)
    if len(source) > MAX_CODE or re.search(r"\s{500}", source):
        return escape(source)
    return Markup(pygments.highlight(source, _lexer, _classes).rstrip("\n"))


# ---- formulas -----------------------------------------------------------------

_mathml_tags = set(
    "math mrow mi mn mo mtext mspace mfrac msqrt mroot mstyle mpadded mphantom msub msup msubsup "
    "munder mover munderover mmultiscripts mprescripts mtable mtr mtd menclose".split())
_mathml_attributes = set(
    "accent columnalign columnlines columnspacing depth display displaystyle fence form height "
    "largeop linethickness lspace mathvariant maxsize minsize movablelimits notation rowlines "
    "rowspacing rspace scriptlevel separator stretchy symmetric width".split())
ALPHABETS = {"bold": "BOLD", "bold-italic": "BOLD ITALIC", "sans-serif": "SANS-SERIF",
             "double-struck": "DOUBLE-STRUCK", "monospace": "MONOSPACE"}
_macro = re.compile(r"\\(def|newcommand)(?![A-Za-z])")
_arg = re.compile(r"\\arg(?![A-Za-z])")          # the one function that latex2mathml lacks


def formula(latex, display=False):
    """A formula as MathML, or in LaTeX as it was typed if it cannot be translated.

    Parameters
    ----------
    latex : str
    display : bool
        Does it stand on a line of its own?

    Returns
    -------
    markupsafe.Markup
    """
    latex = visible(latex).strip()
    try:
        # macros of macros could grow without bound
        if len(latex) > MAX_FORMULA or _macro.search(latex):
            raise ValueError(latex)
        converter = Converter(display="block" if display else "inline")
        tree = converter.convert_to_element(_arg.sub(r"\\operatorname{arg}", latex))
        return Markup(_mathml(tree))
    except Exception:             # latex2mathml raises what it happens to meet
        return Markup('<code class="latex">{}</code>').format(latex)


def _mathml(element):
    """MathML from the tree that latex2mathml made: known elements, escaped text."""
    if element.tag not in _mathml_tags:
        raise ValueError(element.tag)
    attributes = "".join(f' {key}="{html.escape(value)}"' for key, value in element.items()
                         if key in _mathml_attributes and re.fullmatch(r"[\w .%+-]*", value))
    # the tree has characters as references (&#x02211;) in its text
    words, tail = (html.unescape(text or "") for text in (element.text, element.tail))
    variant = ALPHABETS.get(element.get("mathvariant"))
    if variant:
        words = "".join(_letter(variant, c) for c in words)
    inner = html.escape(words) + "".join(map(_mathml, element))
    return f"<{element.tag}{attributes}>{inner}</{element.tag}>{html.escape(tail)}"


def _letter(variant, character):
    """The letter in another alphabet, as a character of its own: browsers do not restyle it."""
    letter = unicodedata.name(character, "").replace(" LETTER ", " ")
    letter = letter.removeprefix("LATIN ").removeprefix("GREEK ")
    try:
        return unicodedata.lookup(f"MATHEMATICAL {variant} {letter}")
    except KeyError:
        return character


# ---- Markdown -----------------------------------------------------------------

HEADINGS = 3                     # levels that a learner's headings stand below the page's
PYTHON = {"", "python", "python3", "py", "ipython", "ipython3"}


def markdown(source):
    """A text cell as HTML.

    Parameters
    ----------
    source : str

    Returns
    -------
    markupsafe.Markup

    Raises
    ------
    Refused
        If it is too long or too deep to be rendered.
    """
    source = visible(source)
    lines = source.split("\n")
    # markdown-it fills up every row of a table to the width of its head
    cells = len(lines) * max(line.count("|") for line in lines)
    if len(source) > MAX_MARKDOWN or cells > 2 * MAX_MARKDOWN:
        raise Refused("it is too long")
    try:
        return Markup(_renderer.render(source))
    except RecursionError:
        raise Refused("it is nested too deeply") from None


def _tame(tokens):
    """Take out of the parsed text what would act on the page around it."""
    open_links = []
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + HEADINGS, 6)}"
        elif token.type == "link_open":
            open_links.append(token.attrs.get("href", ""))
            token.attrs = {"class": "link"}
            token.tag = "span"
        elif token.type == "link_close":
            token.tag = "span"
            token.meta["address"] = open_links.pop() if open_links else ""
        elif "style" in token.attrs:                # of the columns of a table
            token.attrs = {"class": str(token.attrs["style"]).partition(":")[2]}
        if token.children:
            _tame(token.children)


def _link_close(renderer, tokens, index, options, environment):
    """The end of a link is its address, unless that is its text."""
    address = tokens[index].meta["address"]
    before = tokens[index - 1].content if index else ""
    same = address.removeprefix("mailto:").rstrip("/") == before.rstrip("/")
    return "</span>" if same or not address else f" ({html.escape(address)})</span>"


def _image(renderer, tokens, index, options, environment):
    words = html.escape(tokens[index].content)
    return f'<span class="left-out">[a picture{words and ", "}{words}: not shown]</span>'


def _fence(renderer, tokens, index, options, environment):
    language = tokens[index].info.strip().lower()
    inner = (code if language in PYTHON else html.escape)(tokens[index].content)
    return f'<pre class="code"><code>{inner}</code></pre>\n'


def _new_renderer():
    renderer = MarkdownIt("js-default", {"html": False, "linkify": False, "maxNesting": 20})
    # definitions of links would need quadratic time
    renderer.disable("reference")
    dollarmath_plugin(renderer, allow_labels=False, allow_digits=False, double_inline=True,
                      renderer=lambda latex, how: str(formula(latex, how["display_mode"])))
    amsmath_plugin(renderer, renderer=lambda latex: str(formula(latex, True)))
    renderer.core.ruler.push("tame", lambda state: _tame(state.tokens))
    for name, rule in (("link_close", _link_close), ("image", _image), ("fence", _fence),
                       ("code_block", _fence)):
        renderer.add_render_rule(name, rule)
    return renderer


_renderer = _new_renderer()
