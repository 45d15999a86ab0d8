"""Scripts in Markdown and outputs, for whoever opens the feedback or marks by hand.

The texts are those with which the feedback page is tried in Chromium; here they come in a
notebook, through the whole grader.
"""

from ..vectors import SCRIPTS
from .case import ALL, Case, with_cells

__all__ = ["CASES", "SCRIPTS"]

SHOWN = f"from IPython.display import HTML, Markdown, SVG, Javascript, display\nfor text in {SCRIPTS!r}:\n"

CASES = [
    Case("scripts in the answer that is read by a human", essay="\n\n".join(SCRIPTS), deserves=ALL),
    Case("scripts in HTML and Markdown that a cell displays", deserves=ALL, edit=with_cells(
        "square", SHOWN + "    display(HTML(text), Markdown(text))")),
    Case("scripts in what a cell prints and raises", deserves=ALL, edit=with_cells(
        "square", f"texts = {SCRIPTS!r}\nprint(*texts, sep='\\n')\nraise ValueError(*texts)")),
    Case("scripts in a picture and as JavaScript", deserves=ALL, edit=with_cells(
        "square", "from IPython.display import Javascript, SVG, display\n"
        "display(SVG('<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>'))\n"
        "display(Javascript('document.title = 1'))")),
    Case("a script in the words of an exception", square="def square(x):\n"
         f"    raise ValueError({SCRIPTS[0]!r})"),
]
