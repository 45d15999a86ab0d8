"""What a cell put out, as a page shows it.

A kernel sends one value in several forms: a table of pandas as text and as HTML, a
figure as text and as PNG. The best form that is safe and fits is shown; where none is,
words say what is missing and why. A page has room for so much and no more, and so has
the work that is spent on it, whatever a learner's code puts out.
"""

from dataclasses import dataclass

from markupsafe import Markup, escape

from autograder import markdown, sanitise
from autograder.sanitise import Refused

MAX_TEXT = 20_000                # characters of one output that are shown
OVERHEAD = 300                   # characters that a page needs around each piece

# the forms of a value in the order in which a kernel sends them, and the best ones first
SENT = ("text/plain", "text/html", "text/markdown", "text/latex", "image/svg+xml", "image/png",
        "image/jpeg")
BEST = ("image/png", "image/jpeg", "image/svg+xml", "text/html", "text/markdown", "text/latex",
        "text/plain")
NAMES = {"image/png": "A picture (PNG)", "image/jpeg": "A picture (JPEG)",
         "image/svg+xml": "A picture (SVG)", "text/html": "An output in HTML",
         "text/markdown": "An output in Markdown", "text/latex": "A formula",
         "text/plain": "An output", "stdout": "Printed text", "stderr": "Printed text",
         "error": "An error"}
MARKDOWN_WORK = 10               # rendering Markdown, in characters of HTML


class Full(Refused):
    """The page has no room for it."""


class Room:
    """How much may still be put on a page.

    Parameters
    ----------
    characters : int
        Of the page.
    work : int
        Of what is read to make it.
    """

    def __init__(self, characters=1_300_000, work=2_000_000):
        self.characters = characters
        self.work = work

    def spend(self, work):
        """Read so many characters; Full if there is no time left for them."""
        if work > self.work:
            raise Full("the page would take too long to make")
        self.work -= work

    def take(self, markup):
        """The markup, if it has room; else Full."""
        size = len(markup) + OVERHEAD
        if size > self.characters:
            raise Full("the page would get too large")
        self.characters -= size
        return markup


@dataclass(frozen=True)
class Piece:
    """A part of what a cell put out.

    Attributes
    ----------
    kind : str
        "text", "warning" (what was written to stderr), "error", "rich" (HTML),
        "picture", or "words" on what is not shown.
    body : markupsafe.Markup or Picture
    """

    kind: str
    body: object


def pieces(outputs, room):
    """What a cell put out, piece by piece.

    Parameters
    ----------
    outputs : list of Output
    room : Room

    Returns
    -------
    list of Piece
    """
    shown, left_out = [], 0
    for forms in _values(outputs):
        try:
            shown += _pieces(forms, room)
        except Full:
            left_out += 1
    if left_out:
        outputs = "One output is" if left_out == 1 else f"{left_out} outputs are"
        shown.append(_words(f"{outputs} left out, or the page would get too large."))
    return shown


def _values(outputs):
    """The forms of each value that was put out: a form that is not a later one begins the next."""
    values, last = [], len(SENT)
    for output in outputs:
        place = SENT.index(output.kind) if output.kind in SENT else len(SENT)
        if place > last and place < len(SENT):
            values[-1][output.kind] = output.data
        else:
            values.append({output.kind: output.data})
        last = place
    return values


def _pieces(forms, room):
    """The best form of a value, after words on those that had to be refused."""
    refused = []
    for kind in (*(kind for kind in BEST if kind in forms),
                 *(kind for kind in forms if kind not in BEST)):
        try:
            return [*refused, *_render(kind, forms[kind], room)]
        except Full:
            raise
        except Refused as why:
            refused.append(_words(f"{NAMES[kind]} is not shown: {why}."))
    return refused


def _render(kind, data, room):
    """One form of a value; Refused if it cannot be shown."""
    if kind not in NAMES:
        return [_words(f"An output of the kind {sanitise.name(kind, 60)} is not shown.")]
    room.spend(len(data) * (MARKDOWN_WORK if kind == "text/markdown" else 1))
    if kind.startswith("image/"):
        picture = sanitise.picture(kind, data)
        room.take(picture.address)
        return [Piece("picture", picture)]
    if kind == "text/html":
        shown = [Piece("rich", room.take(sanitise.html(data)))]
        return shown + [_words("Pictures in this output are not shown.")
                        for _ in [1] if sanitise.has_pictures(data)]
    if kind == "text/markdown":
        return [Piece("rich", room.take(markdown.markdown(data)))]
    if kind == "text/latex":
        return [Piece("rich", room.take(_formula(data)))]
    return [_text(kind, data, room)]


def _text(kind, data, room):
    text = sanitise.cut(sanitise.text(data.strip("\n")), MAX_TEXT)
    kinds = {"stderr": "warning", "error": "error"}
    return Piece(kinds.get(kind, "text"), room.take(escape(text)))


def _formula(latex):
    """An output in LaTeX; SymPy and IPython put it between dollars."""
    latex = latex.strip()
    for mark in ("$$", "$"):
        inner = latex.removeprefix(mark).removesuffix(mark)
        if len(inner) == len(latex) - 2 * len(mark) and "$" not in inner:
            return Markup("<p>{}</p>").format(markdown.formula(inner, display=mark == "$$"))
    if latex.startswith(r"\begin{"):
        return Markup("<p>{}</p>").format(markdown.formula(latex, display=True))
    raise Refused("it is more than one formula")


def _words(text):
    return Piece("words", escape(text))
