"""Draw the packages: which modules there are, who imports whom, and in which process each runs.

    python tools/architecture.py        write book/architecture.svg

The boxes are laid out here by hand; the arrows are computed from the import statements. An
arrow that others imply is left out, so that what a box may import is whatever can be reached
from it. A module without a box, and a circle of imports between boxes, stop the drawing.
"""

import ast
import sys
from dataclasses import dataclass
from html import escape

import nb

PICTURE = nb.ROOT / "book" / "architecture.svg"
GRADER, GRADEM = PACKAGES = "autograder", "gradem"
WIDTH, HEIGHT = 460, 903
LINE = 15                        # from one line of module names to the next
ROOM = 6.7                       # for a character of a module's name


@dataclass(frozen=True)
class Box:
    """Modules that belong together: where they are drawn, what they are for, their names."""

    package: str
    x: int
    y: int
    width: int
    height: int
    title: str
    modules: str


@dataclass(frozen=True)
class Frame:
    """What surrounds some boxes: a package, or a process."""

    x: int
    y: int
    width: int
    height: int
    title: str
    style: str


FRAMES = [
    Frame(4, 4, 452, 495, "autograder", "package"),
    Frame(12, 28, 436, 162, "the command's process: trusted", "trusted"),
    Frame(12, 204, 436, 162, "a process for each notebook: trusted, runs the tests", "trusted"),
    Frame(240, 384, 208, 107, "sandbox: learners' code", "learners"),
    Frame(4, 516, 452, 383, "gradem", "package"),
]

BOXES = {
    "commands": Box(GRADER, 20, 52, 420, 60, "commands", """__main__ cli demo selfcheck rehearsal
        form leaks mutants similarity winnowing overview exports summary tables"""),
    "class": Box(GRADER, 20, 136, 420, 46, "a class, and the one writer",
                 "classroom executors progress"),
    "job": Box(GRADER, 20, 228, 420, 46, "one submission, and its pages",
               "job apart formgrader feedback markdown sanitise outputs"),
    "judge": Box(GRADER, 20, 298, 420, 60, "marking", """marking judge words channel handles
        kernel templates sandbox containers cgroups scratch"""),
    "course": Box(GRADER, 12, 408, 196, 75, "course and gradebook", """course assignment
        submission released cells report gradebook database"""),
    "inside": Box(GRADER, 248, 408, 192, 75, "the other end", """zygote shell agent bridge
        dataframes isolation limits syscalls"""),
    "figures": Box(GRADEM, 12, 540, 100, 75, "figures", "plots steps scene layout words"),
    "tests": Box(GRADEM, 120, 540, 134, 75, "for exercises", "check observe questions"),
    "joined": Box(GRADEM, 262, 540, 186, 75, "both halves", "ascent"),
    "uses": Box(GRADEM, 12, 645, 240, 60, "what derivatives are for", """trace sparse elimination
        checkpoint solvers differences"""),
    "mixtures": Box(GRADEM, 264, 645, 184, 176, "clustering", """gaussian families em kmeans
        mixture estimator blocks acceleration unconstrained datasets"""),
    "modes": Box(GRADEM, 12, 729, 98, 92, "both modes", "dual tape derivatives"),
    "source": Box(GRADEM, 118, 729, 134, 92, "source code", """reading syntax anf operations
        dataflow generated source csource"""),
    "rules": Box(GRADEM, 12, 845, 436, 46, "one table of rules, and arrays",
                 "rules traced shapes arrays indexing linalg containers"),
}

STYLES = {"package": 'fill="#ffffff" stroke="#5f6b7a"',
          "trusted": 'fill="#eaf2fb" stroke="#2f6db5"',
          "learners": 'fill="#fdece6" stroke="#b3401a" stroke-dasharray="5 3"'}
HEAD = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" \
font-family="DejaVu Sans, Verdana, sans-serif" font-size="12">
<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" \
orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="#1c2733"/></marker></defs>
<rect width="{width}" height="{height}" fill="#ffffff"/>
"""


# ---- what imports what ------------------------------------------------------------


def homes():
    """The box of each module, as ``gradem.rules``; a module without a box is an error."""
    found = {f"{place.package}.{name}": box for box, place in BOXES.items()
             for name in place.modules.split()}
    there = {f"{package}.{path.stem}" for package in PACKAGES
             for path in (nb.ROOT / package).glob("*.py") if path.stem != "__init__"}
    if found.keys() != there:
        lost = ", ".join(sorted(found.keys() ^ there))
        sys.exit(f"the boxes in tools/architecture.py and the packages differ in {lost}")
    return found


def imported(path):
    """The names of all modules that a file imports, at its top or inside a function."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module in PACKAGES:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


def arrows():
    """The pairs of boxes of which the first imports the second, without those implied."""
    home = homes()
    pairs = {(home[module], home[name]) for module in home
             for name in imported(nb.ROOT / f"{module.replace('.', '/')}.py") if name in home}
    pairs = {(start, end) for start, end in pairs if start != end}
    below = reach(pairs)
    circle = [box for box in BOXES if box in below[box]]
    if circle:
        sys.exit(f"imports go round in a circle through {', '.join(circle)}")
    return sorted((start, end) for start, end in pairs
                  if not any(end in below[other] for first, other in pairs if first == start))


def reach(pairs):
    """For each box all boxes that arrows lead to, over any number of them."""
    below = {box: {end for start, end in pairs if start == box} for box in BOXES}
    for _ in BOXES:
        below = {box: ends.union(*(below[end] for end in ends)) for box, ends in below.items()}
    return below


# ---- the drawing -------------------------------------------------------------------


def text_of(box):
    """The title of a box and its modules, in as many lines as they need."""
    yield f'<text x="{box.x + 8}" y="{box.y + 17}" font-weight="bold">{escape(box.title)}</text>'
    lines, room = [""], (box.width - 12) / ROOM
    for name in box.modules.split():
        if len(lines[-1]) + len(name) > room:
            lines.append("")
        lines[-1] += f"{name} "
    for row, line in enumerate(lines):
        y = box.y + 34 + row * LINE
        yield f'<text x="{box.x + 8}" y="{y}" class="modules">{line.strip()}</text>'


def line_of(start, end):
    """An arrow from the lower edge of a box to the upper edge of another."""
    first, last = BOXES[start], BOXES[end]
    left = max(first.x, last.x)
    right = min(first.x + first.width, last.x + last.width)
    across = right - 30
    ends = (across, across) if left < right else (
        (first.x + first.width - 20, last.x + 20) if first.x < last.x
        else (first.x + 20, last.x + last.width - 20))
    return (f'<path d="M{ends[0]:g} {first.y + first.height} L{ends[1]:g} {last.y}" '
            f'stroke="#1c2733" marker-end="url(#tip)" data-from="{start}" data-to="{end}"/>')


def drawing():
    """The picture, as the text of an SVG file."""
    parts = []
    for frame in FRAMES:
        parts += [f'<rect x="{frame.x}" y="{frame.y}" width="{frame.width}" '
                  f'height="{frame.height}" rx="6" {STYLES[frame.style]}/>',
                  f'<text x="{frame.x + 8}" y="{frame.y + 17}" fill="#1c2733">'
                  f'{escape(frame.title)}</text>']
    for name, box in BOXES.items():
        parts += [f'<g id="{name}"><rect x="{box.x}" y="{box.y}" width="{box.width}" '
                  f'height="{box.height}" rx="4" fill="#ffffff" stroke="#1c2733"/>',
                  *text_of(box), "</g>"]
    parts += [line_of(start, end) for start, end in arrows()]
    return HEAD.format(width=WIDTH, height=HEIGHT) + "\n".join(parts) + "\n</svg>\n"


if __name__ == "__main__":
    PICTURE.write_text(drawing(), encoding="utf-8")
