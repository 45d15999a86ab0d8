"""What is kept of a learner's text, HTML, Markdown, formulas and pictures, and what is not."""

import base64
import re
import struct
import time
import zlib
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder import markdown, outputs, sanitise
from autograder.report import Output
from autograder.sanitise import Refused
from tests.autograder.vectors import HOST, SVG, VECTORS

nasty = st.one_of(
    st.text(), st.sampled_from(VECTORS),
    st.lists(st.sampled_from([*VECTORS, "$", "$$", "`", "```\n", "\n\n", "|", "[a](", ")", "<", ">",
                              "\\text{", "}", "\\frac", "&lt;", "\"", "'", "*", "    ", "> ", "- "])
             ).map("".join))

SAFE_TAGS = set("a b blockquote br caption code col colgroup dd del div dl dt em h4 h5 h6 hr i ins "
                "kbd li ol p pre s samp small span strong sub sup table tbody td tfoot th thead tr "
                "tt u ul var".split()) | {
    "math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mfrac", "msqrt", "mroot", "mstyle",
    "mpadded", "mphantom", "msub", "msup", "msubsup", "munder", "mover", "munderover",
    "mmultiscripts", "mprescripts", "mtable", "mtr", "mtd", "menclose"}


class Seen(HTMLParser):
    """The elements and attributes that a parser finds; this is not the parser of the sanitiser."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.others = set(), {}, []
        self.feed(str(html))
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes.update(attributes)

    def handle_comment(self, data):
        self.others.append(data)

    handle_decl = handle_pi = unknown_decl = handle_comment


def assert_harmless(html):
    seen = Seen(html)
    assert seen.tags <= SAFE_TAGS - {"a"} and seen.others == []
    assert not [key for key in seen.attributes if key.startswith("on")
                or key in ("href", "src", "style", "id", "name", "srcdoc", "action", "data")]


def png(width=2, height=2, data=b"\0"):
    def chunk(kind, content):
        return (struct.pack(">I", len(content)) + kind + content
                + struct.pack(">I", zlib.crc32(kind + content)))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
                            + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")).decode()


# ---- text ---------------------------------------------------------------------


@pytest.mark.parametrize("data, shown", [
    ("\x1b[0;31mNameError\x1b[0m: x", "NameError: x"),
    ("\x1b]0;title\x07text\x1b[2J\x1b[1;1H", "text"),
    ("  10%\r  50%\r 100%\nnext", " 100%\nnext"),
    ("a\r\nb\r\n", "a\nb\n"),
    ("nul \0, bell \a, \x1b", "nul <U+0000>, bell <U+0007>, <U+001B>"),
    ("if x\u202e:y", "if x<U+202E>:y"),
    ("tab\tand ünïcode 日本 🙂", "tab\tand ünïcode 日本 🙂"),
])
def test_text_is_what_a_terminal_leaves(data, shown):
    assert sanitise.text(data) == shown


@given(nasty)
def test_no_character_of_text_acts_on_others(data):
    text = sanitise.text(data)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    text.encode()
    assert "\n" not in sanitise.name(data) and len(sanitise.name(data)) <= 200


def test_long_text_loses_its_middle():
    text = sanitise.cut("a" * 100 + "b" * 10_000 + "c" * 100, 300)
    assert text.startswith("a" * 100) and text.endswith("c" * 100) and len(text) < 400
    assert "... 9 900 characters are left out here ..." in text


# ---- HTML ---------------------------------------------------------------------


def test_a_table_of_pandas_stays_a_table():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"x": [1.5, 2.5], "<b>": ["<i>", "&"]}, index=["r", "s"])
    clean = sanitise.html(frame._repr_html_())
    assert re.sub(r"\s", "", clean) == (
        "<div><table><thead><tr><th></th><th>x</th><th>&lt;b&gt;</th></tr></thead><tbody>"
        "<tr><th>r</th><td>1.5</td><td>&lt;i&gt;</td></tr>"
        "<tr><th>s</th><td>2.5</td><td>&amp;</td></tr></tbody></table></div>")


def test_headings_and_links_become_text():
    clean = sanitise.html('<h2 class="x">Title</h2><a href="https://a.b">here</a>')
    assert clean == "<p>Title</p>here"


@pytest.mark.parametrize("data", ["", "<script>x</script>", "<img src=x>", "<div>&nbsp; </div>"])
def test_html_of_which_nothing_is_left_is_refused(data):
    with pytest.raises(Refused):
        sanitise.html(data)


@pytest.mark.parametrize("value, kept", [("3", True), ("99999", False), ("1e3", False), ("", False)])
def test_cells_span_a_sensible_number(value, kept):
    clean = sanitise.html(f'<table><tr><td colspan="{value}">x</td></tr></table>')
    assert ("colspan" in clean) == kept


@given(nasty)
def test_html_is_harmless(data):
    try:
        assert_harmless(sanitise.html(data + "x"))
    except Refused:
        pass


# ---- Markdown and formulas ------------------------------------------------------


def test_markdown_is_rendered():
    html = markdown.markdown("# A\n\nb *c* `d` [e](https://f.g) <https://h.i>\n\n"
                             "|x|y|\n|-:|:-:|\n|1|2|\n")
    assert "<h4>A</h4>" in html and "<em>c</em>" in html and "<code>d</code>" in html
    assert '<span class="link">e (https://f.g)</span>' in html
    assert '<span class="link">https://h.i</span>' in html
    assert '<td class="right">1</td>' in html and '<td class="center">2</td>' in html


def test_formulas_become_mathml():
    tree = ElementTree.fromstring(markdown.formula(r"\frac{a}{b} \le \mathbf{x}^2", display=True))
    assert tree.tag == "math" and tree.get("display") == "block"
    assert [element.tag for element in tree.iter()][:6] == ["math", "mrow", "mfrac", "mrow", "mi",
                                                            "mrow"]
    assert "".join(tree.itertext()) == "ab≤𝐱2"


@pytest.mark.parametrize("latex, text", [
    (r"\mathbf x_n", "𝐱n"), (r"\boldsymbol\Sigma_k", "𝜮k"), (r"\boldsymbol{\gamma}", "𝜸"),
    (r"\mathbf{\Sigma}_{12}", "𝚺12"), (r"\mathbf{ab}", "𝐚𝐛"), (r"\mathbb{E}", "𝔼"),
    (r"\mathcal{N}", "𝒩"), (r"\mathbf{12}", "𝟏𝟐"), (r"\boldsymbol{12}", "𝟏𝟐"),
    (r"\mathrm{tr}", "tr"), (r"\arg\min_k", "argmink"), (r"\textbf{ab}", "𝐚𝐛")])
def test_letters_of_other_alphabets_are_characters(latex, text):
    assert "".join(ElementTree.fromstring(markdown.formula(latex)).itertext()) == text


def test_no_formula_of_the_course_is_left_in_latex():
    import nb
    import nbformat
    found = 0
    for path in sorted(nb.ROOT.glob("solutions/*/*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown":
                html = markdown.markdown(cell.source)
                found += html.count("<math")
                assert 'class="latex"' not in html and "<mi>\\" not in html
    assert found > 50


@pytest.mark.parametrize("latex", [
    r"\frac", "x" * 3000, "{" * 1000 + "}" * 1000, r"\left(", r"\begin{align}",
    r"\newcommand{\a}{xx}\newcommand{\b}{\a\a}\b", r"\def\a{xx}\a"])
def test_what_is_no_formula_is_shown_in_latex(latex):
    html = markdown.formula(latex)
    assert html == f'<code class="latex">{latex}</code>'


@given(nasty)
def test_markdown_is_harmless(data):
    try:
        assert_harmless(markdown.markdown(data))
    except Refused:
        pass
    assert_harmless(markdown.formula(data))
    assert_harmless(markdown.code(data))


@given(st.text(alphabet="\\{}$&<>\"'ahrefstylecor: ^_", max_size=60))
def test_formulas_are_harmless(data):
    assert_harmless(markdown.formula(data))
    assert_harmless(markdown.formula("\\text{" + data + "}\\href{" + data + "}{x}"))


def test_highlighted_code_is_the_code():
    source = "%matplotlib inline\n!pip list\n\ndef f(x: int) -> str:\n    return f'{x!r} <b>'  # é\n"
    html = markdown.code(source)
    assert '<span class="nf">f</span>' in html
    assert Text(html).data == source.rstrip("\n")


class Text(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.data = ""
        self.feed(str(html))
        self.close()

    def handle_data(self, data):
        self.data += data


# ---- pictures -------------------------------------------------------------------


def test_a_png_and_a_jpeg_are_shown_with_their_sizes():
    shown = sanitise.picture("image/png", png(3, 2) + "\n")
    assert (shown.width, shown.height) == (3, 2)
    assert shown.address.startswith("data:image/png;base64,iVBOR")
    jpeg = (b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc4\x00\x03a\xff\xc0\x00\x0b\x08"
            + struct.pack(">HH", 5, 7) + b"\x01\x01\x11\x00\xff\xd9")
    shown = sanitise.picture("image/jpeg", base64.b64encode(jpeg).decode())
    assert (shown.width, shown.height) == (7, 5)


def test_matplotlib_figures_are_shown(tmp_path):
    import matplotlib.pyplot as plt
    figure, axes = plt.subplots()
    axes.plot([1, 2, 3], "o-", label="squares")
    axes.imshow([[0, 1], [1, 0]])
    axes.legend()
    for kind, ending in [("image/png", "png"), ("image/svg+xml", "svg"), ("image/jpeg", "jpg")]:
        figure.savefig(tmp_path / f"figure.{ending}")
        content = (tmp_path / f"figure.{ending}").read_bytes()
        shown = sanitise.picture(kind, content.decode() if ending == "svg"
                                 else base64.b64encode(content).decode())
        assert shown.width == (None if ending == "svg" else 640)
    kept = sanitise.svg((tmp_path / "figure.svg").read_text())
    for tag in ("path", "use", "clipPath", "image"):
        assert kept.count(f"<{tag}") == (tmp_path / "figure.svg").read_text().count(f"<{tag}")
    plt.close(figure)


@pytest.mark.parametrize("data", [
    "", "!!!", "iVBOR", base64.b64encode(b"<svg onload=x>").decode(),
    base64.b64encode(b"GIF89a" + b"\0" * 50).decode(), png(0, 5), png(20_000, 20_000), png(2**31, 1),
    png(6000, 6000)])
@pytest.mark.parametrize("kind", ["image/png", "image/jpeg"])
def test_what_is_no_picture_is_refused(kind, data):
    with pytest.raises(Refused):
        sanitise.picture(kind, data)


def test_of_a_vector_graphic_only_shapes_are_kept():
    kept = sanitise.svg(SVG)
    tree = ElementTree.fromstring(kept)
    assert [element.tag.partition("}")[2] for element in tree.iter()] == ["svg", "image", "rect"]
    assert HOST not in kept and "data-pwned" not in kept and "javascript" not in kept


@pytest.mark.parametrize("data", [
    "", "<svg", "<svg/>", "<html/>", "<svg xmlns='http://www.w3.org/2000/svg'/>",
    '<!DOCTYPE svg [<!ENTITY a "aa">]><svg xmlns="http://www.w3.org/2000/svg"><text>&a;</text></svg>',
    '<svg xmlns="http://www.w3.org/2000/svg"><rect/>' + "<g>" * 3000 + "</g>" * 3000 + "</svg>",
    '<svg xmlns="http://www.w3.org/2000/svg">' + "<g/>" * 20_000 + "</svg>",
    '<svg xmlns="http://www.w3.org/2000/svg"><g id="a"><rect/></g><g id="b"><use href="#a"/>'
    '<use href="#a"/></g><use href="#b"/></svg>'])
def test_a_vector_graphic_that_cannot_be_trusted_is_refused(data):
    with pytest.raises(Refused):
        sanitise.svg(data)


# ---- outputs ----------------------------------------------------------------------


def kinds(*pairs):
    return [piece.kind for piece in outputs.pieces([Output(*pair) for pair in pairs],
                                                   outputs.Room())]


def test_the_best_form_of_each_value_is_shown():
    frame = [("text/plain", "x"), ("text/html", "<table><tr><td>1</td></tr></table>")]
    figure = [("text/plain", "<Figure>"), ("image/png", png())]
    assert kinds(*frame) == ["rich"]
    assert kinds(("stdout", "a"), *figure, *frame, ("stderr", "b"), *figure, ("error", "c")) == [
        "text", "picture", "rich", "warning", "picture", "error"]
    assert kinds(("text/plain", "1"), ("text/plain", "2")) == ["text", "text"]
    assert kinds(("text/plain", "x"), ("text/latex", r"$\sqrt{x}$")) == ["rich"]
    assert kinds(("text/html", "<b>x</b>"), ("text/html", "<b>y</b>")) == ["rich", "rich"]


def test_what_cannot_be_shown_is_said():
    shown = outputs.pieces([Output("text/plain", "<Figure>"), Output("image/png", "!")],
                           outputs.Room())
    assert [(piece.kind, str(piece.body)) for piece in shown] == [
        ("words", "A picture (PNG) is not shown: it is not in base64."),
        ("text", "&lt;Figure&gt;")]
    assert kinds(("application/x", "y")) == ["words"]
    assert kinds(("text/html", "<script>x</script>"), ("text/html", "a <img src=b>")) == [
        "words", "rich", "words"]


def test_a_page_has_room_for_so_much():
    room = outputs.Room(characters=10_000)
    shown = outputs.pieces([Output("stdout", "x" * 4000)] * 1000, room)
    assert [piece.kind for piece in shown] == ["text", "text", "words"]
    assert shown[-1].body == "998 outputs are left out, or the page would get too large."


# ---- time ---------------------------------------------------------------------------

# each of these keeps one of the libraries busy for minutes without the limits
SLOW = {
    "html": [("<div>" * 200_000, sanitise.html), ("<table><tr><td>" * 60_000, sanitise.html)],
    "code": [("\n" * 50_000, markdown.code), (" \n" * 10_000, markdown.code),
             ("a." * 10_000, markdown.code)],
    "markdown": [("|a" * 2000 + "\n" + "|-" * 2000 + "\n" + "|\n" * 2000, markdown.markdown),
                 ("[" * 100_000, markdown.markdown), ("[a]: b\n" * 1400, markdown.markdown),
                 (">" * 9000, markdown.markdown)],
    "svg": [("<svg xmlns='http://www.w3.org/2000/svg'>" + "<g>" * 300_000, sanitise.svg),
            ("<!DOCTYPE" * 9000 + "a" * 900_000, sanitise.svg)],
    "text": [("a" * 10**6, sanitise.text), ("\x1b[" * 100_000, sanitise.text),
             ("\x1b]" * 100_000, sanitise.text), ("a\r" * 500_000, sanitise.text)],
    "formula": [(r"\text{" * 300, markdown.formula), ("'" * 2000, markdown.formula)],
}


@pytest.mark.parametrize("data, function", [case for cases in SLOW.values() for case in cases],
                         ids=[name for name, cases in SLOW.items() for _ in cases])
def test_nothing_keeps_the_grader_busy(data, function):
    started = time.process_time()
    try:
        shown = function(data)
    except Refused:
        shown = ""
    assert time.process_time() - started < 5.0
    assert len(shown) < 2_000_000
