"""A grader for Jupyter notebooks whose marks the learner cannot write.

Learner code runs in a sandbox only. Test cells run in the judge, a trusted process
that never runs learner code and takes nothing but typed plain data from the sandbox.
"""

import sys

# Where it is installed, jsonschema imports it for nbformat's sake: a grammar of addresses
# that takes longer to build than all else together, and that no notebook is checked with.
sys.modules.setdefault("rfc3987_syntax", None)


class Unusable(Exception):
    """The course or the request cannot be used; the text is one line for the user."""
