"""Keep the index of the book to terms, and let it say where each of its links leads.

Sphinx also enters every function, class and attribute that the API reference describes: several
hundred lines, between which a reader looks for some hundred terms. They have their own page, and
the search finds them. And it numbers the places of a term, [1], [2], where a reader wants to know
in which chapter they are; `book/_templates/genindex.html` writes what `places` says.
"""

from collections import Counter

from sphinx import addnodes
from sphinx.transforms import SphinxTransform


class LeaveOutNames(SphinxTransform):
    """Empty the index entries that belong to the description of a name or of a module."""

    default_priority = 840      # before the entries of a page are collected

    def apply(self, **kwargs):
        for entry in self.document.findall(addnodes.index):
            after = entry.next_node(descend=False, siblings=True)
            if isinstance(after, addnodes.desc) or any(
                    target.startswith("module-") for _, _, target, *_ in entry["entries"]):
                entry["entries"] = []


def name_places(app, page, template, context, doctree):
    """Give the page of the index a function that names places."""
    if page != "genindex":
        return

    def places(links):
        """Where the links of a term lead: chapters in their order, then the glossary."""
        seen, named = Counter(), []
        for glossary, link in sorted(links, key=lambda item: (bool(item[0]), item[1])):
            title = "glossary" if glossary else app.env.titles[link.partition(".html")[0]].astext()
            seen[title] += 1
            named.append((title if seen[title] == 1 else f"again ({seen[title]})", link))
        return named

    context["places"] = places


def setup(app):
    """Register the steps."""
    app.add_transform(LeaveOutNames)
    app.connect("html-page-context", name_places)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
