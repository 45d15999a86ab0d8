"""Keep the index of the book to terms.

Sphinx also enters every function, class and attribute that the API reference describes: several
hundred lines, between which a reader looks for some hundred terms. They have their own page, and
the search finds them.
"""

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


def setup(app):
    """Register the step."""
    app.add_transform(LeaveOutNames)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
