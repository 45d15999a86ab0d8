"""Make what a learner's notebook put out safe to show, and keep what is useful of it.

Nothing is repaired and nothing is searched for that might be harmful: what is known to
be harmless is copied, name by name, and the rest is left out. HTML loses everything but
text and tables (nh3, the Rust library ammonia), vector graphics everything but shapes,
pictures are shown only if they are what they claim to be. Limits come before any
parser, since some parsers need minutes for a megabyte of the right nonsense.
"""

import base64
import binascii
import re
import struct
import unicodedata
from dataclasses import dataclass
from xml.etree import ElementTree

import nh3
from markupsafe import Markup

MAX_TAGS = 10_000                # of HTML or SVG; deep nesting takes quadratic time
MAX_SIDE = 10_000                # pixels of a picture
MAX_PIXELS = 25_000_000


class Refused(Exception):
    """Something cannot be shown; the text says why, as the end of a sentence."""


# ---- text ---------------------------------------------------------------------

# control sequences of a terminal: colours, cursor, titles of windows (ECMA-48, section 5)
_ansi = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]")

# characters that reorder those around them, so that code reads otherwise than it runs
_reordering = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_unwritable = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def text(data):
    """Text as a terminal would leave it, with every character to be seen.

    Colours are taken away, and a line that was written over keeps what was written last.
    Other control characters, and those that change the direction of writing, are shown
    by their numbers.

    Parameters
    ----------
    data : str

    Returns
    -------
    str
    """
    data = _ansi.sub("", data).replace("\r\n", "\n")
    if "\r" in data:
        data = "\n".join(line.rstrip("\r").rsplit("\r", 1)[-1] for line in data.split("\n"))
    return visible(data)


def visible(data):
    """Text in which characters that cannot be seen are shown by their numbers."""
    data = data.replace("\r\n", "\n").replace("\r", "\n")
    return _reordering.sub(_number, _unwritable.sub(_number, data))


def name(data, most=200):
    """A name or a short remark in one line."""
    line = " ".join(visible(data).split())
    line = "".join(c if unicodedata.category(c) not in ("Zl", "Zp") else " " for c in line)
    return line if len(line) <= most else line[:most - 3] + "..."


def cut(data, most):
    """Text with its middle left out, and words that say so, if it is longer than `most`."""
    if len(data) <= most:
        return data
    head, tail = most * 2 // 3, most // 3
    left_out = f"{len(data) - head - tail:,}".replace(",", " ")
    return f"{data[:head]}\n... {left_out} characters are left out here ...\n{data[-tail:]}"


def _number(match):
    return f"<U+{ord(match[0]):04X}>"


# ---- HTML ---------------------------------------------------------------------

_html_tags = set("b blockquote br caption code col colgroup dd del div dl dt em hr i ins kbd li ol p "
                 "pre s samp small span strong sub sup table tbody td tfoot th thead tr tt u ul "
                 "var".split())
_html_attributes = {"td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan", "scope"}}
_heading = re.compile(r"<(/?)h[1-6](?=[\s/>])", re.IGNORECASE)
_pictured = re.compile(r"<(img|svg|canvas|video|audio|iframe|object|embed)\b", re.IGNORECASE)


def html(data):
    """The text and the tables of HTML.

    Links lose their addresses, headings become paragraphs, so that they cannot be taken
    for those of the page; there is no style, no name and no picture.

    Parameters
    ----------
    data : str

    Returns
    -------
    markupsafe.Markup

    Raises
    ------
    Refused
        If there is too much of it, or nothing is left to be seen.
    """
    if data.count("<") > MAX_TAGS:
        raise Refused(f"it has more than {MAX_TAGS} tags")
    clean = nh3.clean(visible(_heading.sub(r"<\1p", data)), tags=_html_tags,
                      attributes=_html_attributes, link_rel=None,
                      attribute_filter=_spans, strip_comments=True,
                      clean_content_tags={"script", "style", "title", "textarea", "noscript",
                                          "template", "svg", "math", "iframe", "object",
                                          "select", "xmp", "noembed", "noframes"})
    if not re.sub(r"<[^>]*>|&nbsp;|\s", "", clean):
        raise Refused("nothing of it can be shown safely")
    return Markup(clean)


def has_pictures(data):
    """Does HTML ask for something that `html` leaves out and a reader would miss?"""
    return _pictured.search(data) is not None


def _spans(tag, attribute, value):
    """Cells may be joined to a sensible number; `scope` has its four words."""
    if attribute == "scope":
        return value if value in ("row", "col", "rowgroup", "colgroup") else None
    return value if re.fullmatch(r"[1-9]\d{0,2}", value) else None


# ---- pictures -------------------------------------------------------------------


@dataclass(frozen=True)
class Picture:
    """A picture as a data: address, and its size in pixels if that is known."""

    address: str
    width: int | None = None
    height: int | None = None


def picture(kind, data):
    """A picture that is shown as what it is.

    Parameters
    ----------
    kind : str
        "image/png", "image/jpeg" or "image/svg+xml".
    data : str
        In base64; SVG as text.

    Returns
    -------
    Picture

    Raises
    ------
    Refused
    """
    if kind == "image/svg+xml":
        content, size = svg(data).encode(), (None, None)
    else:
        try:
            content = base64.b64decode("".join(data.split()), validate=True)
        except (binascii.Error, ValueError):
            raise Refused("it is not in base64") from None
        size = _sides[kind](content)
        if not (0 < max(size) <= MAX_SIDE and 0 < min(size) and size[0] * size[1] <= MAX_PIXELS):
            raise Refused(f"it is {size[0]} by {size[1]} pixels")
    return Picture(f"data:{kind};base64,{base64.b64encode(content).decode()}", *size)


def _png(content):
    """Width and height of a PNG (its specification, sections 5.2 and 11.2.2)."""
    if content[:8] != b"\x89PNG\r\n\x1a\n" or content[12:16] != b"IHDR" or len(content) < 33:
        raise Refused("it is no PNG")
    return struct.unpack(">II", content[16:24])


def _jpeg(content):
    """Width and height of a JPEG: its frame header (ITU T.81, annex B)."""
    if content[:3] != b"\xff\xd8\xff":
        raise Refused("it is no JPEG")
    place = 2
    while place + 9 <= len(content) and content[place] == 0xff:
        marker, length = struct.unpack(">xBH", content[place:place + 4])
        if 0xc0 <= marker <= 0xcf and marker not in (0xc4, 0xc8, 0xcc):
            height, width = struct.unpack(">HH", content[place + 5:place + 9])
            return width, height
        place += 2 + max(length, 2)
    raise Refused("it is no JPEG")


_sides = {"image/png": _png, "image/jpeg": _jpeg}


# ---- vector graphics ------------------------------------------------------------

SVG = "http://www.w3.org/2000/svg"
_href = "{http://www.w3.org/1999/xlink}href"
_svg_tags = {f"{{{SVG}}}{tag}" for tag in (
    "svg g path rect circle ellipse line polyline polygon text tspan title desc defs clipPath use "
    "linearGradient radialGradient stop image").split()}
_svg_attributes = set(
    "x y x1 y1 x2 y2 cx cy r rx ry dx dy width height d points transform viewBox "
    "preserveAspectRatio gradientUnits gradientTransform spreadMethod offset clipPathUnits "
    "textLength lengthAdjust rotate id style".split())
_svg_properties = set(
    "fill fill-opacity fill-rule stroke stroke-width stroke-opacity stroke-linecap stroke-linejoin "
    "stroke-dasharray stroke-dashoffset stroke-miterlimit opacity clip-path clip-rule color "
    "stop-color stop-opacity font font-family font-size font-style font-weight text-anchor "
    "text-decoration dominant-baseline alignment-baseline letter-spacing visibility display".split())
# a value without : / and \ can name nothing outside of the picture
_svg_value = re.compile(r"[\w\s.,;#%()'\"+-]*")


def svg(data):
    """The shapes and words of a vector graphic, written anew.

    It is meant to be shown as an image, where a browser runs no script and loads nothing
    whatever it says; it is harmless also when somebody opens it by itself.

    Parameters
    ----------
    data : str

    Returns
    -------
    str

    Raises
    ------
    Refused
        If it cannot be read, or is built to grow while it is drawn.
    """
    if data.count("<") > MAX_TAGS:
        raise Refused(f"it has more than {MAX_TAGS} elements")
    kind = data.partition("<!DOCTYPE")[2]            # a picture has no more than one
    if "<!ENTITY" in data or "<!DOCTYPE" in kind or "[" in kind.partition(">")[0]:
        raise Refused("it defines entities")
    try:
        old = ElementTree.fromstring(data)
        new = _shapes(old) if old.tag == f"{{{SVG}}}svg" else None
        if new is None or len(new) == 0:
            raise Refused("it is no SVG")
        _limit_uses(new)
        ElementTree.register_namespace("", SVG)
        ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")
        return ElementTree.tostring(new, encoding="unicode")
    except (ElementTree.ParseError, ValueError):
        raise Refused("it is no SVG") from None
    except RecursionError:
        raise Refused("it is nested too deeply") from None


def _shapes(old):
    """An element with what is known to be harmless of it."""
    new = ElementTree.Element(old.tag)
    new.text, new.tail = old.text, old.tail
    for attribute, value in old.items():
        if attribute in (_href, "href"):
            value = _reference(old.tag, value)
            attribute = _href
        elif attribute == "style":
            value = _declarations(value)
        elif attribute not in _svg_attributes | _svg_properties or not _svg_value.fullmatch(value):
            continue
        if value:
            new.set(attribute, value)
    for child in old:
        if child.tag in _svg_tags:
            new.append(_shapes(child))
    return new


def _reference(tag, value):
    """A name in the picture itself or, for an image in it, a picture that was looked at."""
    if tag == f"{{{SVG}}}image":
        head, _, data = value.partition(";base64,")
        kind = head.removeprefix("data:").strip()
        try:
            return picture(kind, data).address if kind in _sides else ""
        except Refused:
            return ""
    return value if re.fullmatch(r"#[\w.-]+", value) else ""


def _declarations(style):
    """The declarations of a style attribute that only say how shapes look."""
    pairs = [declaration.partition(":") for declaration in style.split(";")]
    return "; ".join(f"{key.strip()}: {value.strip()}" for key, _, value in pairs
                     if key.strip() in _svg_properties and _svg_value.fullmatch(value))


def _limit_uses(root):
    """Refuse copies of copies: ten levels of ten each are ten thousand million shapes."""
    used = {element.get(_href, "")[1:] for element in root.iter(f"{{{SVG}}}use")}
    for element in root.iter():
        if element.get("id") in used and next(element.iter(f"{{{SVG}}}use"), None) is not None:
            raise Refused("it copies copies of its shapes")
