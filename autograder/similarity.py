"""Which submissions of a class resemble each other, beyond what everybody was given.

The answers of each submission are reduced to fingerprints (`winnowing`). Fingerprints of
the released notebook are taken away, and so are those that many of the class share: the
obvious way to write an answer is no evidence. Of what is left an index, from fingerprint
to submissions, gives the pairs that have something in common; no other pair is looked
at. Similarity is no proof: two who learned from the same book write alike, and so do two
who worked together where that is allowed. The report says where to read, nothing more.
"""

from dataclasses import dataclass, field, replace

import nbformat
import numpy as np
import scipy.sparse

from autograder.feedback import Page
from autograder.job import write_whole
from autograder.progress import bar
from autograder.released import released_text
from autograder.submission import Rejected, grade_id, is_answer, load
from autograder.tables import aligned, shown
from autograder.winnowing import GUARANTEED, K, fingerprinted, imported, winnowed

COMMON_SHARE = 0.1               # of a class: what more of it have is no evidence
COMMON_LEAST, COMMON_MOST = 5, 50
LEAST_SHARE = 0.5                # of their own tokens, for a pair that is listed
LEAST_TOKENS = 30                # shared by a pair that is listed
MOST_PAIRS = 50
CANDIDATES = 20                  # times as many pairs are compared token by token
LEAST_FINGERPRINTS = 3           # shared by a pair that is compared
BLOCK = 256                      # submissions that are compared with all others at a time
FRAGMENTS, EXCERPT = 5, 3000     # of a pair that are shown, and characters of each

NO_PROOF = ("Similarity is no proof of anything. It shows where to read: short answers, a common "
            "source, or work together that was allowed look the same. Read both answers, and ask, "
            "before you conclude.")


@dataclass(frozen=True)
class Excerpt:
    """A piece of an answer: the name of its cell, the first and last line, the text."""

    cell: str
    first: int
    last: int
    text: str


@dataclass(frozen=True)
class Pair:
    """Two submissions that resemble each other.

    Attributes
    ----------
    students : tuple of str
    share : float
        Of both answers' own tokens that the other has too.
    shares : tuple of float
        The same for each of the two.
    tokens : int
        How many tokens that are, of the one that has fewer of them.
    fragments : list of (Excerpt, Excerpt)
        The longest common pieces, side by side.
    """

    students: tuple[str, str]
    share: float
    shares: tuple[float, float]
    tokens: int
    fragments: list = field(default_factory=list)


@dataclass
class Similarity:
    """What was found in a class.

    Attributes
    ----------
    assignment : str
    submissions : int
        That were compared.
    pairs : list of Pair
        The most similar first.
    common : int
        Runs of K tokens left out because more than `limit` submissions have them.
    limit : int
    unread : list of str
        Students whose file could not be read.
    """

    assignment: str
    submissions: int
    pairs: list
    common: int
    limit: int
    unread: list = field(default_factory=list)


# ---- a class -------------------------------------------------------------------------


def similar(course, assignment, *, least=LEAST_SHARE, most=MOST_PAIRS):
    """Compare what a class handed in for an assignment.

    Parameters
    ----------
    course : Course
    assignment : Assignment
    least : float
        The smallest share of common tokens that is listed.
    most : int
        How many pairs are listed.

    Returns
    -------
    Similarity
    """
    students = course.students(assignment.name)
    sources = [(source, nbformat.read(source.path, as_version=4))
               for source in assignment.notebooks]
    given = [("code" if cell.cell_type == "code" else "text", released_text(cell))
             for _, notebook in sources for cell in notebook.cells]
    comparison, unread = Comparison(given), []
    with bar(len(students), assignment.name) as progress:
        for student in students:
            folder = course.folder("submitted", student, assignment.name)
            texts, readable = {}, False
            for source, notebook in sources:
                try:
                    submitted = load(folder / source.path.name)
                except Rejected:
                    continue
                readable = True
                texts |= answers(notebook, submitted, source.name if len(sources) > 1 else "")
            if readable:
                comparison.add(student, texts)
            else:
                unread.append(student)
            progress.update()
    found = comparison.result(assignment.name, least, most)
    found.unread = unread
    return found


def answers(notebook, submitted, prefix=""):
    """The texts of a submission's answer cells.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        The instructor's.
    submitted : autograder.submission.Submitted
    prefix : str
        In front of the names of the cells.

    Returns
    -------
    dict of str to (str, str)
        For each answer cell its kind, "code" or "text", and its text.
    """
    kinds = {grade_id(cell): "code" if cell.cell_type == "code" else "text"
             for cell in notebook.cells if is_answer(cell)}
    return {f"{prefix}/{cell.name}" if prefix else cell.name: (kinds[cell.name], cell.text)
            for cell in submitted.cells if cell.name in kinds}


# ---- comparing --------------------------------------------------------------------------


class _Fingerprints:
    """One submission: its answers behind one another, no run of tokens over an edge."""

    def __init__(self, student, texts, given, modules):
        self.student = student
        self.texts = texts
        self.cells, lines, hashes, starts = [], [], [], []
        total = 0
        for number, (kind, text) in enumerate(texts.values()):
            answer = fingerprinted(text, kind, modules)
            self.cells.append(np.full(len(answer.lines), number))
            lines.append(answer.lines)
            hashes.append(answer.hashes)
            starts.append(total + np.arange(len(answer.hashes)))
            total += len(answer.lines)
        self.cells = np.concatenate([*self.cells, np.zeros(0, int)]).astype(np.int32)
        self.lines = np.concatenate([*lines, np.zeros(0, int)]).astype(np.int32)
        self.hashes = np.concatenate([*hashes, np.zeros(0, np.uint64)]).astype(np.uint64)
        self.starts = np.concatenate([*starts, np.zeros(0, int)]).astype(np.int32)
        self.given = np.isin(self.hashes, given)
        kept = np.concatenate([self._winnowed(part) for part in hashes] or [np.zeros(0)])
        self.kept = np.setdiff1d(kept.astype(np.uint64), given)

    @staticmethod
    def _winnowed(hashes):
        return hashes[winnowed(hashes)]

    def covered(self, hashed):
        """Which tokens lie in the runs of tokens that are marked in `hashed`."""
        edges = np.zeros(len(self.lines) + 1, int)
        np.add.at(edges, self.starts[hashed], 1)
        np.add.at(edges, self.starts[hashed] + K, -1)
        return np.cumsum(edges)[:-1] > 0

    def own(self, common):
        """Tokens that were neither given nor are common in the class."""
        return ~self.covered(self.given) & ~self.covered(np.isin(self.hashes, common))

    def excerpt(self, place, length):
        """The lines that `length` hashes from a place on were made of, in one answer."""
        first = self.starts[place]
        last = first + length + K - 2
        name, (_, text) = list(self.texts.items())[self.cells[first]]
        begin, end = int(self.lines[first]), int(self.lines[last])
        return Excerpt(name, begin, end, "\n".join(text.split("\n")[begin - 1:end])[:EXCERPT])


class Comparison:
    """Takes the submissions of a class one by one, and then finds the pairs.

    Parameters
    ----------
    given : list of (str, str)
        Kind, "code" or "text", and text of everything that learners were given.
    """

    def __init__(self, given):
        self.modules = {}
        for kind, text in given:
            self.modules |= imported(text) if kind == "code" else {}
        hashes = [fingerprinted(piece, kind, self.modules).hashes
                  for kind, text in given for kind, piece in _pieces(kind, text)]
        self.given = np.unique(np.concatenate([*hashes, np.zeros(0, np.uint64)]))
        self.class_ = []

    def add(self, student, texts):
        """Take a submission: `texts` as `answers` gives them."""
        self.class_.append(_Fingerprints(student, texts, self.given, self.modules))

    def result(self, name, least=LEAST_SHARE, most=MOST_PAIRS):
        """The most similar pairs.

        Parameters
        ----------
        name : str
            Of the assignment.
        least, most
            As for `similar`.

        Returns
        -------
        Similarity
        """
        limit = int(np.clip(COMMON_SHARE * len(self.class_), COMMON_LEAST, COMMON_MOST))
        index, common = self._index(limit)
        pairs = [(self._compared(*both, common), both)
                 for both in _candidates(index, most * CANDIDATES)]
        pairs = [(pair, both) for pair, both in pairs
                 if pair.share >= least and pair.tokens >= LEAST_TOKENS]
        pairs.sort(key=lambda item: (-item[0].share, -item[0].tokens, item[0].students))
        pairs = [replace(pair, fragments=self._fragments(*both, common))
                 for pair, both in pairs[:most]]
        return Similarity(name, len(self.class_), pairs, len(common), limit)

    def _index(self, limit):
        """The inverted index as a sparse matrix, submissions by fingerprints, and what is common.

        Common are the runs of K tokens that more than `limit` submissions have.
        """
        hashes, counts = np.unique(np.concatenate(
            [*(np.unique(each.hashes[~each.given]) for each in self.class_),
             np.zeros(0, np.uint64)]), return_counts=True)
        common = hashes[counts > limit]
        kept = [np.setdiff1d(each.kept, common) for each in self.class_]
        hashes, columns = np.unique(np.concatenate([*kept, np.zeros(0, np.uint64)]),
                                    return_inverse=True)
        rows = np.repeat(np.arange(len(kept)), [len(each) for each in kept])
        index = scipy.sparse.csr_matrix((np.ones(len(rows), np.int32), (rows, columns)),
                                        shape=(len(kept), len(hashes)))
        return index, common

    def _compared(self, first, second, common):
        """Compare two submissions token by token."""
        pair = self.class_[first], self.class_[second]
        shared = [np.isin(one.hashes, other.hashes) & ~one.given
                  for one, other in [pair, pair[::-1]]]
        own = [each.own(common) for each in pair]
        same = [each.covered(hashed) & mine for each, hashed, mine in zip(pair, shared, own)]
        counts = [int(tokens.sum()) for tokens in same]
        totals = [max(int(tokens.sum()), 1) for tokens in own]
        return Pair(tuple(each.student for each in pair), sum(counts) / sum(totals),
                    tuple(count / total for count, total in zip(counts, totals)), min(counts))

    def _fragments(self, first, second, common):
        """The longest pieces that two submissions have in common, side by side."""
        one, other = self.class_[first], self.class_[second]
        shared = np.isin(one.hashes, other.hashes) & ~one.given & ~np.isin(one.hashes, common)
        places = {}
        for place, value in enumerate(other.hashes.tolist()):
            places.setdefault(value, place)
        found, place = [], 0
        while place < len(shared):
            length = _agreement(one, place, other, places[int(one.hashes[place])]) \
                if shared[place] else 0
            if length:
                found.append((length, place, places[int(one.hashes[place])]))
            place += max(length, 1)
        return [(one.excerpt(place, length), other.excerpt(there, length))
                for length, place, there in sorted(found, reverse=True)[:FRAGMENTS]]


def _agreement(one, here, other, there):
    """How many hashes agree from two places on, within one answer of each."""
    most = min(len(one.hashes) - here, len(other.hashes) - there)
    apart = np.zeros(most + 1, bool)
    apart[most] = True
    for submission, place in [(one, here), (other, there)]:
        starts = submission.starts[place:place + most]
        apart[:most] |= starts - starts[0] != np.arange(most)
    apart[:most] |= one.hashes[here:here + most] != other.hashes[there:there + most]
    return int(apart.argmax())


def _pieces(kind, text):
    """Of what was given, code as it is; of prose, the prose and the code in it."""
    if kind == "code":
        return [(kind, text)]
    blocks = [block.partition("\n")[2] for block in text.split("```")[1::2]]
    return [(kind, text), *(("code", block) for block in blocks)]


def _candidates(index, most):
    """The pairs with the greatest share of common fingerprints, from the inverted index."""
    sizes = np.asarray(index.sum(axis=1)).ravel()
    transposed = index.T.tocsr()
    best = np.zeros((0, 3))
    for start in range(0, index.shape[0], BLOCK):
        common = (index[start:start + BLOCK] @ transposed).tocoo()
        rows, columns = common.row + start, common.col
        wanted = (columns > rows) & (common.data >= LEAST_FINGERPRINTS)
        rows, columns, counts = rows[wanted], columns[wanted], common.data[wanted]
        shares = 2 * counts / (sizes[rows] + sizes[columns])
        best = np.concatenate([best, np.column_stack([shares, rows, columns])])
        if len(best) > most:
            best = best[np.argpartition(-best[:, 0], most)[:most]]
    return best[:, 1:].astype(int).tolist()


# ---- what is shown -----------------------------------------------------------------------


def text(found):
    """The pairs as a table for a terminal, and what it does not mean."""
    head = (f"{found.assignment}: {found.submissions} submissions compared, without what was "
            f"given and what more than {found.limit} share ({found.common} runs of {K} tokens). "
            f"Whatever two have in common in {GUARANTEED} tokens in a row was seen.")
    lines = [head, ""]
    if found.pairs:
        rows = [["student", "and", "common", "of each", "tokens", "longest in"]]
        rows += [[shown(pair.students[0]), shown(pair.students[1]), f"{pair.share:.0%}",
                  f"{pair.shares[0]:.0%} / {pair.shares[1]:.0%}", str(pair.tokens),
                  shown(pair.fragments[0][0].cell) if pair.fragments else ""]
                 for pair in found.pairs]
        lines += [aligned(rows), "", NO_PROOF]
    else:
        lines.append("No two of them resemble each other more than others do.")
    if found.unread:
        names = ", ".join(shown(name) for name in found.unread[:5])
        lines.append(f"Not readable, so not compared: {len(found.unread)} ({names}"
                     f"{', ...' if len(found.unread) > 5 else ''}).")
    return "\n".join(lines)


def page(found):
    """The pairs with their fragments side by side, as a page that runs no script.

    Parameters
    ----------
    found : Similarity

    Returns
    -------
    str
        HTML. Names and fragments are escaped.
    """
    return Page("similarity.html", "feedback.css", "similarity.css").render(
        found=found, no_proof=NO_PROOF, guaranteed=GUARANTEED, run=K)


def write(course, assignment, found):
    """Write the page among the results of the class.

    Parameters
    ----------
    course : Course
    assignment : Assignment
    found : Similarity

    Returns
    -------
    Path
    """
    folder = course.root / course.directory.autograded_directory
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"similarity-{assignment.name}.html"
    write_whole(path, page(found))
    return path
