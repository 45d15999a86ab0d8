"""Temporary folders of which nothing is left, even after a power cut.

Each is locked by the process that made it. Who makes the next one first removes those
that nobody has locked: their processes were killed.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

PREFIX = "autograder-"

_locks = {}                      # folder: handle that holds its lock


def folder():
    """Make a temporary folder that belongs to this process.

    Returns
    -------
    Path
    """
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            handle = _locked(left)
            try:
                shutil.rmtree(left)
            finally:
                os.close(handle)
    while True:
        made = Path(tempfile.mkdtemp(prefix=PREFIX))
        with contextlib.suppress(OSError):      # another one may be tidying up just now
            _locks[made] = _locked(made)
            if made.exists():
                return made


def remove(made):
    """Remove a folder that `folder` made, with all that is in it."""
    shutil.rmtree(made, ignore_errors=True)
    with contextlib.suppress(KeyError):
        os.close(_locks.pop(made))


def _locked(place):
    """A handle that holds a lock on a folder; OSError if another one does."""
    handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise
    return handle
