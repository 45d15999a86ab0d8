"""Mend the roles that the builder gives to parts of a page.

Sphinx marks a list of references as a list, and its entries with a role that ARIA has
given up since; a list without entries is announced as empty.
"""


def mend_roles(app, page, template, context, doctree):
    """Entries of a bibliography are items of their list."""
    if "body" in context:
        context["body"] = context["body"].replace('role="doc-biblioentry"', 'role="listitem"')


def setup(app):
    """Register the step."""
    app.connect("html-page-context", mend_roles)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
