"""The stepped figures of the book, made of the package's own traces and histories.

Each function here runs a computation, or takes the history of one, and returns the frames in
which a reader can follow it: an evaluation trace downwards and upwards, the error of divided
differences over the step, a Jacobian by columns and by rows, EM and k-means by iterations. How a
figure is kept and shown is told in `gradem.scene`. NumPy suffices for the differentiation half.
"""

import numpy as np

from gradem.scene import Stepped, axis, rounded, route_of, side_by_side  # noqa: F401
from gradem.words import number

# ---- the evaluation trace -----------------------------------------------------------------------


def trace(f, *xs, tangent=None, adjoint=None):
    """An evaluation line by line; in forward mode with tangents; in reverse mode, back up.

    Parameters
    ----------
    f, *xs, tangent, adjoint
        As for `gradem.trace.trace`; tangent or adjoint, not both.

    Returns
    -------
    Stepped
        A table and the graph. A frame is a line evaluated, or on the way up a line that gives
        back to its arguments.

    Raises
    ------
    ValueError
        If both modes are asked for.
    """
    from gradem.layout import layers
    from gradem.trace import trace as traced
    if tangent is not None and adjoint is not None:
        raise ValueError("a stepped trace shows one mode: give tangent or adjoint, not both")
    made = traced(f, *xs, tangent=tangent, adjoint=adjoint)
    depths, places = layers(len(made.lines), made.edges)
    titles, rows = made._table()
    edges = [[edge.start, edge.end,
              [places[edge.start, edge.end, depth]
               for depth in range(depths[edge.start] + 1, depths[edge.end])],
              "" if edge.partial is None else f"{edge.partial:.4g}"] for edge in made.edges]
    frames = _evaluation(made, rows, tangent is not None)
    caption = "Evaluation trace" + (", with tangents" if tangent is not None else "")
    if adjoint is not None:
        frames += _way_back(made, rows)
        caption += ", with adjoints"
    notes = [note for frame in frames for _, _, note in frame["panels"][1]["set"]]
    panels = [
        {"kind": "table", "title": "Evaluation trace", "head": titles, "rows": len(rows)},
        {"kind": "graph", "title": "Computational graph", "longest": max(map(len, notes)),
         "nodes": [[*places[k], line.name] for k, line in enumerate(made.lines)],
         "edges": edges}]
    return Stepped(panels, [route_of(frames, first=len(frames) - 1)], titles,
                   [list(row) for row in rows], caption)


def _evaluation(made, rows, tangents):
    """A frame for each line of a trace: its value, and its tangent if there are tangents."""
    frames = []
    for k, (line, row) in enumerate(zip(made.lines, rows)):
        arriving = [i for i, edge in enumerate(made.edges) if edge.end == k]
        cells = row[:4] if tangents else row[:2]
        says = f"{cells[0]}, which is {cells[1]}."
        notes = [[k, 0, f"{line.text} = {cells[1]}"]]
        if tangents:
            says += f" {cells[2]}, which is {cells[3]}."
            notes.append([k, 1, f"d{line.name} = {cells[3]}"])
        frames.append({"says": says, "panels": [
            {"set": [[k, c, cell] for c, cell in enumerate(cells)],
             "lit": [[k, c] for c in range(len(cells))]},
            {"set": notes, "lit": [k], "edges": arriving}]})
    return frames


def _way_back(made, rows):
    """A frame for each line that gives back, from the last one up; the first is the seed."""
    lines, edges = made.lines, made.edges
    last = max(k for k, line in enumerate(lines) if not edges or line.adjoint_text != "0")
    bar = f"{lines[last].name}_bar"
    frames = [{"says": f"The way back begins: {bar} = {rows[last][3]}.", "panels": [
        {"set": [[last, 2, f"{bar} = {lines[last].adjoint_text}"], [last, 3, rows[last][3]]],
         "lit": [[last, 2], [last, 3]]},
        {"set": [[last, 1, f"{bar} = {rows[last][3]}"]], "lit": [last], "edges": []}]}]
    given = {last: [lines[last].adjoint_text]}
    for k in range(last, -1, -1):
        leaving = [i for i, edge in enumerate(edges) if edge.end == k]
        if k not in given or not leaving:
            continue
        cells, notes, words = [], [], []
        for i in reversed(leaving):
            start, gift = edges[i].start, edges[i].pull_text
            given.setdefault(start, []).insert(0, gift)
            if edges[i].partial is not None:
                gift = f"{gift} = {edges[i].partial * lines[k].adjoint:.6g}"
            words.insert(0, f"{gift} to {lines[start].name}_bar")
        for start in sorted({edges[i].start for i in leaving}):
            text = f"{lines[start].name}_bar = {' + '.join(given[start]).replace('+ -', '- ')}"
            value = _so_far(made, start, k)
            cells += [[start, 2, text], [start, 3, value]]
            notes.append([start, 1, f"{lines[start].name}_bar = {value}"])
        frames.append({"says": f"{lines[k].name} gives back {' and '.join(words)}.", "panels": [
            {"set": cells, "lit": [[k, 0], *([r, c] for r, c, _ in cells)]},
            {"set": notes, "lit": [k], "edges": leaving, "back": True}]})
    return frames


def _so_far(made, k, down_to):
    """What line k has been given by the lines from `down_to` on; an array, once it is complete."""
    from gradem.trace import shown
    giving = [edge for edge in made.edges if edge.start == k]
    if all(edge.end >= down_to for edge in giving):
        return shown(made.lines[k].adjoint)
    if any(edge.partial is None for edge in giving):
        return "..."
    return shown(sum(edge.partial * made.lines[edge.end].adjoint for edge in giving
                     if edge.end >= down_to))


# ---- divided differences ------------------------------------------------------------------------


def error_curve(f, x, steps=None):
    """The error of divided differences over the step h, and the two parts of its bound.

    Parameters
    ----------
    f : callable
        On numbers; it is differentiated three times by forward mode.
    x : float
    steps : sequence of float, optional
        From large to small; by default half powers of ten from 1 to 1e-16.

    Returns
    -------
    Stepped
        A frame is a step h; forward and central difference are two routes.
    """
    from gradem.derivatives import derivative
    from gradem.differences import EPS, central_difference, forward_difference
    steps = 10.0**-np.arange(0, 16.5, 0.5) if steps is None else np.asarray(steps, dtype=float)
    slope, second = derivative(f)(x), derivative(derivative(f))(x)
    third = derivative(derivative(derivative(f)))(x)
    size = abs(f(x))
    parts = {       # the two parts of the bound, and the lower of the two points
        "forward difference": (steps * abs(second) / 2, 2 * EPS * size / steps, x + 0 * steps),
        "central difference": (steps**2 * abs(third) / 6, EPS * size / steps, x - steps),
    }
    routes, rows, everything = [], [], []
    for (name, (truncation, rounding, lower)), difference in zip(
            parts.items(), (forward_difference, central_difference)):
        found = np.array([difference(f, x, h) for h in steps])
        errors = np.abs(found - slope)
        point = "x" if lower[0] == x else "x - h"
        frames = []
        for i, h in enumerate(steps):
            above, below = f(x + h), f(lower[i])
            larger = "truncation" if truncation[i] > rounding[i] else "rounding"
            says = (f"h = {number(h)}: the error is {number(errors[i])}. Truncation makes about "
                    f"{number(truncation[i])}, rounding up to about {number(rounding[i])}: here "
                    f"{larger} prevails.")
            digits = [["f(x + h)", above], [f"f({point})", below], ["difference", above - below],
                      ["quotient", found[i]], ["derivative", slope]]
            marks = [{"kind": "rule", "x": rounded(h)}]
            if errors[i] > 0:
                marks.append({"kind": "dots", "points": [[rounded(h), rounded(errors[i])]],
                              "colour": 0, "size": 6})
            cells = [[r, c, cell] for r, (words, value) in enumerate(digits)
                     for c, cell in enumerate([words, f"{value:.17g}"])]
            frames.append({"says": says, "panels": [
                {"marks": marks}, {"set": cells, "lit": [[3, 0], [3, 1]]}]})
            if i % 2 == 0:
                rows.append([name, *map(number, [h, errors[i], truncation[i], rounding[i]])])
        still = [[_curve("dots", steps, errors, colour=0, size=2.5),
                  _curve("line", steps, truncation, colour=1, dash=0, name="truncation", at=2),
                  _curve("line", steps, rounding, colour=3, dash=1, name="rounding", at=-9)], []]
        everything += [*errors[errors > 0], rounding.max()]
        routes.append(route_of(frames, name, int(np.argmin(truncation + rounding)), still))
    panels = [
        {"kind": "plot", "title": "Error over the step h", "x": axis("step h", steps, log=True),
         "y": axis("error", everything, log=True), "points": [], "marks": []},
        {"kind": "table", "title": "The digits", "head": ["", "17 digits"], "rows": 5}]
    titles = ["", "h", "error", "truncation, about", "rounding, up to"]
    return Stepped(panels, routes, titles, rows, "Errors of divided differences", "step h")


def _curve(kind, x, y, **style):
    """Marks of a plot; where y is not positive, it has no logarithm and no point."""
    points = [[rounded(a), rounded(b)] for a, b in zip(x, y) if b > 0]
    return {"kind": kind, "points": points, **style}


# ---- Jacobians ----------------------------------------------------------------------------------


def jacobian(f, x, pattern=None):
    """A Jacobian sweep by sweep: its columns by forward mode, or its rows by reverse mode.

    Parameters
    ----------
    f : callable
        Takes an array of shape (n,) and returns one of shape (m,).
    x : array_like, shape (n,)
    pattern : sparse array or array_like, shape (m, n), optional
        Where the Jacobian can differ from zero. It adds routes with fewer sweeps: columns of
        one colour at once, and rows (see `gradem.sparse`).

    Returns
    -------
    Stepped
        A frame is a sweep; the order is the reader's choice.
    """
    from gradem.derivatives import jvp, vjp
    x = np.asarray(x, dtype=float)
    n = len(x)
    value, pull = vjp(f, x)
    m = len(value)
    ways = {"forward: a column a sweep": (True, np.arange(n)),
            "reverse: a row a sweep": (False, np.arange(m))}
    if pattern is not None:
        from gradem.sparse import colour
        pattern = pattern.toarray() if hasattr(pattern, "toarray") else np.asarray(pattern)
        ways["forward: a colour of columns a sweep"] = True, colour(pattern)
        ways["reverse: a colour of rows a sweep"] = False, colour(np.transpose(pattern))
        places = np.transpose(np.nonzero(pattern)).tolist()
    else:
        places = [[r, c] for r in range(m) for c in range(n)]
    values = np.stack([jvp(f, x, e)[1] for e in np.eye(n)], axis=1)
    assert np.allclose(values, np.stack([pull(e)[0] for e in np.eye(m)]))
    routes = []
    for name, (forward, colours) in ways.items():
        count = int(colours.max(initial=-1)) + 1
        seed = "columns" if forward else "rows"
        frames = [{"says": f"No sweep yet: {count} to come.", "panels": [{}]}]
        for c in range(count):
            own = np.flatnonzero(colours == c).tolist()
            shown = [[i, j] for i, j in places if (j if forward else i) in own]
            which = seed[:-1] if len(own) == 1 else seed
            frames.append({
                "says": f"Sweep {c + 1} of {count}: the seed has its ones at {which} "
                        f"{', '.join(str(i + 1) for i in own)}, and {len(shown)} entries are "
                        "found.",
                "panels": [{"show": shown, seed: own}]})
        routes.append(route_of(frames, name, first=count))
    panels = [{"kind": "matrix", "title": f"Jacobian, {m} rows by {n} columns",
               "values": rounded(values), "rows": [f"y{i + 1}" for i in range(m)],
               "columns": [f"x{j + 1}" for j in range(n)]}]
    rows = [[f"y{i + 1}", *(f"{entry:.4g}" for entry in row)] for i, row in enumerate(values)]
    return Stepped(panels, routes, ["", *(f"x{j + 1}" for j in range(n))], rows,
                   f"Jacobian, {m} by {n}", "sweep")


# ---- clustering ---------------------------------------------------------------------------------


def em(X, states, iterations=None, labels=("x1", "x2")):
    """EM by iterations: points as pies of responsibility, components as ellipses.

    Parameters
    ----------
    X : ndarray, shape (N, 2)
    states : sequence of (weights, means, covariances, log_likelihood)
        From the start on, such as the `history_` of a GaussianMixture.
    iterations : sequence of int, optional
        Which of them to show; all by default.
    labels : (str, str)
        Of the axes.

    Returns
    -------
    Stepped
    """
    from gradem.mixture import e_step
    iterations = range(len(states)) if iterations is None else iterations
    climb = [float(state[3]) for state in states]
    frames, rows = [], []
    for t in iterations:
        weights, means, covariances, height = states[t]
        shares, _ = e_step(X, weights, means, covariances)
        factors = [np.linalg.cholesky(_matrix(covariance)) for covariance in covariances]
        ellipses = [[*mean, L[0, 0], L[1, 0], L[1, 1]] for mean, L in zip(means, factors)]
        says = f"EM, iteration {t}: log likelihood {height:.2f}" + (
            "." if t == 0 else f", {_change(height - climb[t - 1])} by this iteration.")
        frames.append({"says": says, "panels": [
            {"marks": [{"kind": "ellipses", "of": rounded(ellipses)},
                       {"kind": "pies", "shares": np.round(shares, 3).tolist()},
                       {"kind": "crosses", "points": rounded(means)}]},
            {"marks": [{"kind": "dots", "points": [[t, rounded(height, 7)]], "colour": 0,
                        "size": 6}]}]})
        for k, (weight, mean, covariance) in enumerate(zip(weights, means, covariances)):
            C = _matrix(covariance)
            rows.append([str(t) if k == 0 else "", f"{height:.2f}" if k == 0 else "", str(k),
                         f"{weight:.3f}", _pair(mean), _pair(np.sqrt(np.diag(C))),
                         f"{C[0, 1] / np.sqrt(C[0, 0] * C[1, 1]):.2f}"])
    panels = [_plane(X, labels, "EM: points and components"), _progress(climb, "log likelihood")]
    return Stepped(panels, [route_of(frames, first=len(frames) - 1)],
                   ["iteration", "log likelihood", "component", "weight", "mean", "deviations",
                    "correlation"], rows, "EM by iterations", "iteration")


def kmeans(X, states, iterations=None, labels=("x1", "x2")):
    """k-means by iterations: each point in the colour of its cluster, and the centres.

    Parameters
    ----------
    X : ndarray, shape (N, 2)
    states : sequence of (centres, labels, inertia)
        From the start on, such as the `history_` of a KMeans.
    iterations : sequence of int, optional
        Which of them to show; all by default.
    labels : (str, str)
        Of the axes.

    Returns
    -------
    Stepped
    """
    iterations = range(len(states)) if iterations is None else iterations
    falls = [float(state[2]) for state in states]
    frames, rows = [], []
    for t in iterations:
        centres, nearest, inertia = states[t]
        moved = int(np.sum(nearest != states[t - 1][1])) if t else 0
        says = f"k-means, iteration {t}: inertia {inertia:.2f}" + (
            "." if t == 0 else f"; {moved} points changed their cluster.")
        frames.append({"says": says, "panels": [
            {"marks": [{"kind": "dots", "colours": np.asarray(nearest).tolist(), "size": 4},
                       {"kind": "crosses", "points": rounded(centres)}]},
            {"marks": [{"kind": "dots", "points": [[t, rounded(inertia, 7)]], "colour": 0,
                        "size": 6}]}]})
        counts = np.bincount(nearest, minlength=len(centres))
        for k, centre in enumerate(centres):
            rows.append([str(t) if k == 0 else "", f"{inertia:.2f}" if k == 0 else "", str(k),
                         str(counts[k]), _pair(centre)])
    panels = [_plane(X, labels, "k-means: points and centres"), _progress(falls, "inertia")]
    return Stepped(panels, [route_of(frames, first=len(frames) - 1)],
                   ["iteration", "inertia", "cluster", "points", "centre"], rows,
                   "k-means by iterations", "iteration")


def _matrix(covariance):
    """A covariance as a matrix: it may be given as variances, or as one variance."""
    return covariance if np.ndim(covariance) == 2 else np.eye(2) * covariance


def _change(gain):
    return f"{number(abs(gain))} {'more' if gain >= 0 else 'less'}"


def _pair(numbers):
    return ", ".join(f"{x:.3g}" for x in numbers)


def _plane(X, labels, title):
    return {"kind": "plot", "title": title, "x": axis(labels[0], X[:, 0]),
            "y": axis(labels[1], X[:, 1]), "points": rounded(X), "marks": []}


def _progress(values, label):
    """The curve of what an algorithm improves."""
    points = [[t, rounded(value, 7)] for t, value in enumerate(values)]
    spread = np.ptp(values[1:]) if len(values) > 2 else np.ptp(values)
    far = abs(values[0] - values[-1]) > 20 * spread     # a start far off would flatten the rest
    return {"kind": "plot", "title": label.capitalize(), "x": axis("iteration", range(len(values))),
            "y": axis(label, values[1:] if far else values), "points": [],
            "marks": [{"kind": "line", "points": points, "colour": 0, "dash": 0}]}
