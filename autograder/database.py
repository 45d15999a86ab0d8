"""The database of a gradebook: how it is opened, and how one run at a time writes it.

Graders that are started from different folders may write into the same database, from
different machines even. So a run holds a lock on the database itself: SQLite's has a file
beside it, and a server keeps a lock for as long as the connection lives that asked for it.
"""

import contextlib
import fcntl
import sys
from pathlib import Path

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from autograder import Unusable

#: What asks a server for the lock, and gives true if nobody else has it.
QUESTIONS = {
    "postgresql": f"SELECT pg_try_advisory_lock({int.from_bytes(b'grading')})",
}


@contextlib.contextmanager
def locked(path, what):
    """Hold the lock on a file; Unusable, with the name of what it stands for, if it is taken."""
    with open(path, "w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _taken(what) from None
        yield


@contextlib.contextmanager
def only_writer(db_url, what):
    """Hold the lock on a database.

    Parameters
    ----------
    db_url : str
    what : str
        How a message calls the database.

    Raises
    ------
    Unusable
        If another run has it.

    Notes
    -----
    Of databases other than those in QUESTIONS the grader knows no lock: it goes on, and says so.
    """
    url = make_url(db_url)
    kind = url.get_backend_name()
    if kind == "sqlite":
        file = Path(url.database).resolve()
        if not file.parent.is_dir():
            raise Unusable(f"There is no folder {file.parent} for the gradebook.")
        with locked(f"{file}.lock", what):
            yield
        return
    if kind not in QUESTIONS:
        print(f"autograder: nothing keeps another course from writing into {kind} at the same time: "
              "let no other run use this gradebook now.", file=sys.stderr)
        yield
        return
    with opening():
        connection = create_engine(db_url, poolclass=NullPool,
                                   isolation_level="AUTOCOMMIT").connect()
    with connection:
        if not connection.scalar(text(QUESTIONS[kind])):
            raise _taken(what)
        yield


def _taken(what):
    return Unusable(f"{what} is in use by another run of the grader. Wait for its end, or stop it.")


@contextlib.contextmanager
def opening():
    """Say in one line why a database cannot be opened."""
    try:
        yield
    except ImportError as error:
        raise Unusable(f"The gradebook cannot be opened: {error}. Install it, or name another "
                       "driver in the address: postgresql+psycopg://...") from error
    except TypeError as error:              # the driver gives bytes in place of text
        raise Unusable("The gradebook cannot be opened: the database does not keep its text in "
                       "UTF-8. Make one that does: createdb --encoding UTF8 --template "
                       "template0 NAME") from error
    except (SQLAlchemyError, ValueError) as error:
        reason = first_line(getattr(error, "orig", error))
        raise Unusable(f"The gradebook cannot be opened: {reason}.") from error


def patient(db_url):
    """The address of the database; SQLite then waits for another writer, such as formgrader."""
    url = make_url(db_url)
    if url.drivername.startswith("sqlite") and "timeout" not in url.query:
        url = url.update_query_dict({"timeout": "60"})
    return url.render_as_string(hide_password=False)


def first_line(error):
    """The first line of a message, without the address of some page that explains it."""
    return str(error).strip().split("\n")[0].rstrip(".")
