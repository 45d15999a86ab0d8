"""Show the exercises of an assignment in the book: tasks, and hints that stay folded.

    :::{exercises} 02-dual-numbers
    :::

Tasks and hints are those of the notebook that learners get, `exercises/NAME/NAME.ipynb`, which
holds no solution. Each exercise unfolds its task; below it each of its four hints unfolds alone.
"""

import html
import json
import re
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

TITLE = re.compile(r"## (Exercise .*)\n")
HINT = re.compile(r"<details><summary>(.*?)</summary>\n(.*?)</details>", re.DOTALL)
DISPLAY = re.compile(r"\s*(\$\$.+?\$\$)\s*", re.DOTALL)


def exercises(path):
    """The exercises of a notebook: title, task, and hints as (name, text)."""
    found = []
    for cell in json.loads(Path(path).read_text(encoding="utf-8"))["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] != "markdown":
            continue
        if title := TITLE.match(text):
            found.append((title[1], text[title.end():].strip(), []))
        elif found:
            found[-1][2].extend((name, hint.strip()) for name, hint in HINT.findall(text))
    return found


class Exercises(SphinxDirective):
    """The directive; its argument is the name of an assignment."""

    required_arguments = 1

    def run(self):
        name = self.arguments[0]
        path = Path(self.env.app.confdir) / "exercises" / name / f"{name}.ipynb"
        if not path.is_file():
            raise self.error(f"there is no assignment {name!r}: {path.name} is not in exercises/")
        self.env.note_dependency(str(path))
        made = []
        for title, task, hints in exercises(path):
            inside = self.parsed(task)
            for hint, text in hints:
                inside += folded(hint, self.parsed(text), "hint")
            made += folded(title, inside, "exercise")
        return made

    def parsed(self, text):
        """Nodes of a text. Unlike Jupyter, MyST wants a displayed formula on lines of its own."""
        return self.parse_text_to_nodes(DISPLAY.sub(r"\n\n\1\n\n", text))


def folded(title, inside, kind):
    """Nodes that unfold at a click on their title."""
    start = f'<details class="{kind}"><summary>{html.escape(title)}</summary>'
    return [nodes.raw("", start, format="html"), *inside,
            nodes.raw("", "</details>", format="html")]


def setup(app):
    """Register the directive."""
    app.add_directive("exercises", Exercises)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
