"""What must not get out, and how it is recognised.

Each secret of the course in which the corpus is graded has a marker. No case contains one
as text, so wherever one turns up in what learners are given it was stolen.
"""

import contextlib
import socketserver
import threading

from nbgrader.api import Gradebook

from ..conftest import HIDDEN, make_course, submitted_notebook

REFERENCE = "reference-marker-4712"
NEIGHBOUR = "neighbour-marker-4713"
TOKEN = "token-marker-4714"
BOOK = "gradebook-marker-4715"
NETWORK = "network-marker-4716"
SECRETS = {HIDDEN, REFERENCE, NEIGHBOUR, TOKEN, BOOK, NETWORK}

VARIABLE = "COURSE_TOKEN"
PORT = 47116                       # where somebody listens on this machine
ABSTRACT = "\0course-4716"         # and on a socket that no file system holds


def marked_course(root):
    """The small course, with a marker in the reference solution."""
    course = make_course(root)
    text = course.source.read_text()
    course.source.write_text(text.replace("return x * x", f"return x * x  # {REFERENCE}"))
    return course


def mark_gradebook(root):
    """Put a marker into the gradebook, which must exist."""
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}", "small") as book:
        book.add_student("a-former-student", last_name=BOOK)


def neighbour():
    """What an honest learner hands in, with a marker."""
    return submitted_notebook(essay=f"A limit. {NEIGHBOUR}")


def stolen(text):
    """The secrets in a text, sorted."""
    return sorted(secret for secret in SECRETS if secret in text)


@contextlib.contextmanager
def listening():
    """Listen on this machine as others might; yields the list of those who called."""
    called = []

    class Answer(socketserver.BaseRequestHandler):
        def handle(self):
            called.append(self.client_address)
            self.request.sendall(NETWORK.encode())

    class Abstract(socketserver.ThreadingUnixStreamServer):
        daemon_threads = True

    class Network(socketserver.ThreadingTCPServer):
        allow_reuse_address = daemon_threads = True

    with Network(("127.0.0.1", PORT), Answer) as network, Abstract(ABSTRACT, Answer) as abstract:
        for server in (network, abstract):
            threading.Thread(target=server.serve_forever, daemon=True).start()
        yield called
        network.shutdown()
        abstract.shutdown()


__all__ = ["HIDDEN", "SECRETS", "listening", "marked_course", "neighbour", "stolen"]
