"""The map of the chapters, as a picture and as a table: what each needs and what it gives.

    ```{chapter-map}
    ```

    ```{chapter-table}
    ```

Nothing of it is written twice. The first page lists the chapters, in their parts and their
order, with what each gives; a chapter says in its opening what it needs, in a sentence "You need
...; ... helps." with links to other chapters. The picture has the chapters one below the other,
and an arc from each to every later one that needs it.
"""

import html
import json
import re
from dataclasses import dataclass
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from gradem.words import listed

PART = re.compile(r"^(Part [IV]+), (.+):$")
LISTED = re.compile(r"^- \{doc\}`([^`]+)`: (.+?)[;.]$")
NEEDS = re.compile(r"^You need (.+?)\.(?:\s|$)", re.MULTILINE)
LINK = re.compile(r"\{doc\}`([^`]+)`")

# the picture, in units that are pixels on a phone
ROW, CAPTION, LEFT, WIDTH = 31, 34, 74, 362


@dataclass
class Chapter:
    """A chapter: its place, and what it says of itself.

    `needs` and `helps` are names of other chapters, `says` is the sentence they stand in.
    """

    number: int
    name: str
    title: str
    part: str
    says: str
    needs: list
    helps: list
    gives: str


def chapters(folder):
    """The chapters that the first page in `folder` lists, in its order."""
    found, part = [], None
    for line in (folder / "intro.md").read_text(encoding="utf-8").splitlines():
        if heading := PART.match(line):
            part = f"{heading[1]}: {heading[2]}"
        elif part and (entry := LISTED.match(line)):
            text = prose(folder / f"{entry[1]}.ipynb")
            title = re.search(r"^# (.+)$", text, re.MULTILINE)[1]
            found.append(Chapter(len(found) + 1, entry[1], title, part, *needed(text), entry[2]))
    return found


def prose(path):
    """The text cells of a notebook."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def needed(text):
    """What the sentence "You need ..." says, and the chapters in it that one needs, that help."""
    says = NEEDS.search(text)[1]
    helps = [name for clause in says.split(";") if clause.endswith(" helps")
             for name in LINK.findall(clause)]
    return says, [name for name in LINK.findall(says) if name not in helps], helps


def way(chapter, every):
    """The chapter with all that it needs, and that they need in turn, in their order."""
    missing, found = [chapter.name], set()
    while missing:
        name = missing.pop()
        found.add(name)
        missing += [before for before in every[name].needs if before not in found]
    return [each for each in every.values() if each.name in found]


# ---- the picture --------------------------------------------------------------------------------


def drawn(found):
    """The picture, as an SVG element whose rows are links."""
    rows, parts, y = {}, [], 0
    for chapter in found:
        if not parts or parts[-1][1] != chapter.part:
            y += CAPTION
            parts.append((y, chapter.part))
        y += ROW
        rows[chapter.name] = y
    marks = [f'<text class="part" x="{LEFT + 10}" y="{at}">{html.escape(part)}</text>'
             for at, part in parts]
    for chapter in found:
        at = rows[chapter.name]
        arcs = [arc(rows[name], at, (at - rows[name]) / ROW, name, chapter.name, kind)
                for kind in ("needs", "helps") for name in getattr(chapter, kind)]
        marks.append(
            f'<g>{"".join(arcs)}<circle cx="{LEFT}" cy="{at - 5}" r="4"/>'
            f'<a href="{chapter.name}.html"><text x="{LEFT + 10}" y="{at}">'
            f'<tspan class="number">{chapter.number}</tspan> {html.escape(chapter.title)}'
            "</text></a></g>")
    return (f'<svg class="chapter-map" viewBox="0 0 {WIDTH} {y + 12}" role="group" '
            'aria-label="Map of the chapters" aria-describedby="chapter-map-words">'
            f'{"".join(marks)}</svg>')


def arc(start, end, span, before, after, kind):
    """An arc down the left side, the wider the more rows it passes, and its arrowhead."""
    x, out = LEFT - 6, LEFT - 6 - 24 * span ** 0.5
    top, low = start - 3, end - 7
    return (f'<path class="{kind}" data-from="{before}" data-to="{after}" '
            f'd="M{x} {top} C{out:.0f} {top} {out:.0f} {low} {x - 5} {low}"/>'
            f'<path class="head" d="M{x} {low} l-7 -3.5 v7 z"/>')


def words(found):
    """What is to be seen on the picture."""
    arcs = [(name, chapter) for chapter in found for name in chapter.needs]
    number = {chapter.name: chapter.number for chapter in found}
    users = {chapter.name: [after.number for name, after in arcs if name == chapter.name]
             for chapter in found}
    most = max(found, key=lambda chapter: len(users[chapter.name]))
    free = [chapter.number for chapter in found if not chapter.needs]
    part = {chapter.name: chapter.part for chapter in found}
    across = [f"{number[name]} to {chapter.number}" for name, chapter in arcs
              if part[name] != chapter.part]
    helping = [f"{number[name]} to {chapter.number}" for chapter in found for name in chapter.helps]
    text = (f"The {len(found)} chapters from top to bottom, and {len(arcs)} arcs, each from a "
            f"chapter to a later one that needs it. Chapters {listed(free)} need no other. Most "
            f"arcs, {len(users[most.name])}, begin at {most.number}, and lead to "
            f"{listed(users[most.name])}.")
    if across:
        text += f" From part to part leads {listed(across)}."
    if helping:
        text += f" A dashed arc is for a chapter that only helps: {listed(helping)}."
    return text


# ---- the directives -----------------------------------------------------------------------------


class OfChapters(SphinxDirective):
    """A directive that is made of the chapters, and made again when one of them changes."""

    def chapters(self):
        folder = Path(self.env.doc2path(self.env.docname)).parent
        found = chapters(folder)
        for path in [folder / "intro.md", *(folder / f"{each.name}.ipynb" for each in found)]:
            self.env.note_dependency(str(path))
        return found


class ChapterMap(OfChapters):
    """The picture, with what is to be seen on it below."""

    def run(self):
        found = self.chapters()
        figure = (f'<figure class="chapter-map">{drawn(found)}<figcaption id="chapter-map-words">'
                  f"{words(found)}</figcaption></figure>")
        return [nodes.raw("", figure, format="html")]


class ChapterTable(OfChapters):
    """The same as a table."""

    def run(self):
        found = self.chapters()
        every = {chapter.name: chapter for chapter in found}
        lines = ["| chapter | you need | you get | way |", "|---|---|---|---|"]
        for chapter in found:
            steps = ", ".join(f"{{doc}}`{each.number} <{each.name}>`" for each in way(chapter, every))
            lines.append(f"| {chapter.number} {{doc}}`{chapter.name}` | {chapter.says} | "
                         f"{chapter.gives} | {steps} |")
        built = self.parse_text_to_nodes("\n".join(lines))
        for table in built:
            table["classes"].append("chapter-table")
        return built


def setup(app):
    """Register the directives."""
    app.add_directive("chapter-map", ChapterMap)
    app.add_directive("chapter-table", ChapterTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
