"""The figures of the book: each function takes data, or a function, and returns a Figure.

A cell of a chapter computes, and a figure here only shows what was computed. All figures share
one style: colours that stay apart for colour-blind readers and in grey print (a selection from
Okabe & Ito 2008, in the order of their lightness, each with a line style of its own), names
written beside the lines in place of legends, and type large enough for a phone. Matplotlib is
imported when a figure is drawn.
"""

import ast
import functools
import itertools

import numpy as np

from gradem import words
from gradem.layout import layers

BLACK, BLUE, VERMILION, ORANGE = "#000000", "#0072B2", "#D55E00", "#E69F00"
GREY, PALE = "#6B6B6B", "#E9E9E9"

SIGNS_OF_TREES = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**", ast.USub: "-"}

STYLE = {
    "figure.figsize": (5.0, 3.4),
    "figure.dpi": 160,
    "figure.constrained_layout.use": True,
    "font.size": 11,
    "axes.prop_cycle": f"cycler('color', {[BLUE, VERMILION, BLACK, ORANGE]})"
                       " + cycler('linestyle', ['-', '--', '-.', ':'])",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 2.0,
    "lines.markersize": 5.0,
    "legend.frameon": False,
}


def figure(draw):
    """Decorator: draw in the style of the book, and close the figure, so it is shown once.

    `draw` returns a Figure, and what is to be seen on it in words that are computed from the
    same data. A notebook keeps them as the alternative text, and as the text of the output.
    """
    @functools.wraps(draw)
    def styled(*args, **kwargs):
        import matplotlib.pyplot as plt
        with plt.rc_context(STYLE):
            drawn, drawn.words = draw(*args, **kwargs)
        plt.close(drawn)
        drawn._repr_mimebundle_ = lambda include=None, exclude=None: (
            {"text/plain": drawn.words}, {"image/png": {"alt": drawn.words}})
        return drawn
    return styled


def beside(axes, text, point, color=BLACK, offset=(5, 0), **style):
    """Write text next to a point of the data, `offset` printer's points away."""
    style = {"verticalalignment": "center", "annotation_clip": False, **style}
    return axes.annotate(text, point, offset, textcoords="offset points", color=color, **style)


def name_lines(axes, names):
    """Write the name of each labelled line beside its right end, and keep the names apart."""
    axes.figure.draw_without_rendering()        # settles where the ends are on the paper
    points = 72 / axes.figure.dpi
    ends = []
    for line in axes.lines:
        if line.get_label() in names:
            end = line.get_xydata()[np.isfinite(line.get_ydata())][-1]
            ends.append((axes.transData.transform(end)[1] * points, tuple(end), line))
    lowest = -np.inf
    for height, end, line in sorted(ends, key=lambda item: item[0]):
        written = max(height, lowest)
        beside(axes, line.get_label(), end, line.get_color(), offset=(5, written - height))
        lowest = written + 13


# ---- automatic differentiation --------------------------------------------------------------


@figure
def two_routes():
    """Where automatic differentiation stands: formulas above, programs below.

    Returns
    -------
    Figure
    """
    import matplotlib.pyplot as plt
    drawn, axes = plt.subplots(figsize=(5.0, 2.8))
    boxes = {
        (0, 1): "formula\n$y = f(x)$", (1, 1): "formula\n$y' = f'(x)$",
        (0, 0): "program\nthat computes $f$", (1, 0): "program\nthat computes $f'$",
    }
    for point, text in boxes.items():
        axes.text(*point, text, ha="center", va="center", linespacing=1.5,
                  bbox={"boxstyle": "round,pad=0.5", "facecolor": "white", "edgecolor": BLACK})
    steps = [
        ((0.25, 1), (0.77, 1), "differentiate", (0.5, 1.1), GREY),
        ((0, 0.72), (0, 0.28), "write", (0.12, 0.5), GREY),
        ((1, 0.72), (1, 0.28), "write", (0.88, 0.5), GREY),
        ((0.29, 0), (0.71, 0), "AD", (0.5, 0.12), BLUE),
    ]
    for start, end, text, place, color in steps:
        axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": color, "lw": 2})
        axes.text(*place, text, ha="center", va="center", color=color)
    axes.set(xlim=(-0.35, 1.35), ylim=(-0.3, 1.3))
    axes.axis("off")
    return drawn, (
        "Four boxes in a square. Above, an arrow labelled differentiate leads from the formula "
        "y = f(x) to the formula y' = f'(x). From each formula an arrow labelled write leads down "
        "to a program, left for f, right for f'. Below, a blue arrow labelled AD leads straight "
        "from the program for f to the program for f'.")


@figure
def two_tools():
    """Where derivatives come in: with the text, by a tool, or with the types, by overloading.

    Returns
    -------
    Figure
    """
    import matplotlib.pyplot as plt
    drawn, axes = plt.subplots(figsize=(5.0, 3.6))
    code = {"family": "monospace", "fontsize": 9}
    boxes = [
        (0.0, 2, "function.c", BLACK, code), (0.0, 1, "diff_function.c", BLUE, code),
        (0.0, 0, "program for\n$f$ and $f'$", BLACK, {}), (1.05, 2, "function.cpp", BLACK, code),
        (1.9, 2, "Number\n+  *  sin", BLUE, code), (1.475, 0, "program for\n$f$ and $f'$", BLACK, {}),
    ]
    for x, y, text, color, style in boxes:
        axes.text(x, y, text, ha="center", va="center", color=color, linespacing=1.5, **style,
                  bbox={"boxstyle": "round,pad=0.5", "facecolor": "white", "edgecolor": color})
    steps = [
        ((0, 1.75), (0, 1.25), BLUE), ((0, 0.75), (0, 0.35), GREY),
        ((1.1, 1.75), (1.4, 0.35), GREY), ((1.85, 1.7), (1.55, 0.35), BLUE),
    ]
    for start, end, color in steps:
        axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": color, "lw": 2})
    for x, y, text, color in [(0.08, 1.5, "AD tool", BLUE), (0.08, 0.56, "compiler", GREY),
                              (1.27, 1.3, "compiler", GREY)]:
        axes.text(x, y, text, ha="left", va="center", color=color)
    for x, text in [(0.0, "source transformation"), (1.475, "overloading")]:
        axes.text(x, 2.6, text, ha="center", va="center")
    axes.set(xlim=(-0.65, 2.35), ylim=(-0.4, 2.75))
    axes.axis("off")
    return drawn, (
        "Two ways, from the top down. Left, source transformation: from function.c a blue arrow, "
        "AD tool, leads to diff_function.c, and from there the compiler to a program for f and "
        "f'. Right, overloading: function.cpp and, in blue, a class Number with +, * and sin go "
        "to the compiler together, and become a program for f and f'.")


@figure
def newton_steps(f, points, span):
    """Newton's iteration: each point's tangent meets the axis at the next point.

    Parameters
    ----------
    f : callable
        The function whose root is sought, on arrays.
    points : sequence of float
        The iterates x0, x1, ...
    span : (float, float)
        Where the curve begins and ends.

    Returns
    -------
    Figure
    """
    import matplotlib.pyplot as plt
    drawn, axes = plt.subplots()
    x = np.linspace(*span, 200)
    axes.axhline(0, color=GREY, linewidth=1)
    axes.plot(x, f(x), color=BLACK, linestyle="-", label="f")
    beside(axes, "$f$", (x[-1], f(x[-1])))
    for n, (here, there) in enumerate(zip(points[:-1], points[1:])):
        axes.plot([here, here], [0, f(here)], color=GREY, linestyle=":", linewidth=1.2)
        axes.plot([here, there], [f(here), 0], color=BLUE, linestyle="-", marker="o",
                  label=f"tangent {n}")
    for n, here in enumerate(points):
        down = n < len(points) - 1 and f(here) > 0
        axes.annotate(f"$x_{n}$", (here, 0), (0, -13 if down else 9), ha="center", va="center",
                      textcoords="offset points", color=BLUE)
    axes.set(xlabel="$x$", ylabel="$f(x)$")
    return drawn, (
        f"{words.curve('The curve of f', x, f(x))} {len(points) - 1} of its tangents in blue: each "
        f"touches it above one point of the axis, or below it, and meets the axis at the next. The "
        f"points: {words.listed(points)}.")


@figure
def secants(f, x, steps, slope, span):
    """Secants through x and x + h for several steps h, and the tangent at x.

    Parameters
    ----------
    f : callable
        A function on arrays.
    x : float
        The point.
    steps : sequence of float
        The steps h, from large to small.
    slope : float
        f'(x), the slope of the tangent.
    span : (float, float)
        Where curve and lines begin and end.

    Returns
    -------
    Figure
    """
    import matplotlib.pyplot as plt
    drawn, axes = plt.subplots()
    t = np.linspace(*span, 200)
    ends = np.array(span)
    axes.plot(t, f(t), color=BLACK, linestyle="-", linewidth=2.5, label="f")
    beside(axes, "$f$", (t[-1], f(t[-1])))
    for h in steps:
        rise = (f(x + h) - f(x)) / h
        line = f(x) + rise * (ends - x)
        axes.plot(ends, line, color=VERMILION, linestyle="--", linewidth=1.4, label=f"h = {h:g}")
        axes.plot(x + h, f(x + h), color=VERMILION, marker="o", linestyle="")
        beside(axes, f"secant, $h = {h:g}$", (ends[1], line[1]), VERMILION)
    tangent = f(x) + slope * (ends - x)
    axes.plot(ends, tangent, color=BLUE, linestyle="-", label="tangent")
    beside(axes, "tangent", (ends[1], tangent[1]), BLUE)
    axes.plot(x, f(x), color=BLUE, marker="o", markersize=7)
    axes.set(xlabel="$x$", ylabel="$f(x)$")
    rises = [(f(x + h) - f(x)) / h for h in steps]
    return drawn, (
        f"{words.curve('The curve of f', t, f(t))} Its tangent at {words.number(x)}, in blue, has "
        f"the slope {words.number(slope)}. Dashed secants start there, too: with the steps "
        f"{words.listed(steps)} their slopes are {words.listed(rises)}.")


@figure
def lines(x, curves, xlabel, ylabel, scale="linear", dots=()):
    """Curves over one abscissa, each named at its right end.

    Parameters
    ----------
    x : sequence of float, shape (n,)
    curves : dict of str to sequence of float, shape (n,)
        Name and ordinates of each curve, four at most.
    xlabel, ylabel : str
    scale : {"linear", "log"}
        Scale of the ordinate.
    dots : collection of str
        Names of what was measured: shown as dots, since nothing is known between them.

    Returns
    -------
    Figure
    """
    import matplotlib.pyplot as plt
    drawn, axes = plt.subplots()
    for name, y in curves.items():
        style = {"linestyle": "", "marker": "o"} if name in dots else {}
        axes.plot(x, y, label=name, **style)
    axes.set(xlabel=xlabel, ylabel=ylabel, yscale=scale)
    name_lines(axes, curves)
    return drawn, f"Across: {words.plain(xlabel)}; up: {words.plain(ylabel)}. " + " ".join(
        words.curve(name, x, y) for name, y in curves.items())


@figure
def error_curves(steps, errors, ylabel, useless=None, desired=None, best=None):
    """Errors of divided differences against the step, on doubly logarithmic axes.

    Parameters
    ----------
    steps : ndarray, shape (n,)
        Steps h, from small to large.
    errors : dict of str to ndarray, shape (n,)
        Name and errors of each curve, four at most. An error of 0 has no logarithm and leaves
        a gap.
    ylabel : str
    useless, desired : float, optional
        Errors from `useless` up, and from `desired` down, are shaded and named.
    best : dict of str to float, optional
        The best step of some of the curves, marked on them.

    Returns
    -------
    Figure
    """
    import matplotlib.pyplot as plt
    drawn, axes = plt.subplots(figsize=(5.0, 3.8))
    for name, error in errors.items():
        error = np.where(np.asarray(error) > 0, error, np.nan)
        line, = axes.loglog(steps, error, label=name, linewidth=1.5)
        if best and name in best:
            nearest = np.nanargmin(np.abs(np.log(steps / best[name])))
            axes.scatter(best[name], error[nearest], s=80, facecolor="white", linewidth=2,
                         edgecolor=line.get_color(), zorder=4, label=f"best step, {name}")
    bottom, top = axes.get_ylim()
    middle = np.sqrt(steps[0] * steps[-1])
    if useless is not None:
        axes.axhspan(useless, top, color=PALE, zorder=0)
        axes.text(middle, np.sqrt(useless * top), "useless", ha="center", va="center")
    if desired is not None:
        bottom = min(bottom, desired / 1e3)
        axes.axhspan(bottom, desired, color=PALE, zorder=0)
        axes.text(middle, np.sqrt(desired * bottom), "desired", ha="center", va="center")
    axes.set(xlabel="step $h$", ylabel=ylabel, ylim=(bottom, top))
    axes.locator_params(axis="x", numticks=6)
    name_lines(axes, errors)
    said = [words.curve(f"Error, {name}:", steps, np.where(error > 0, error, np.nan))
            for name, error in errors.items()]
    if best:
        said.append(f"Rings mark the best steps, {words.listed(best.values())}.")
    if useless is not None:
        said.append(f"Errors above {words.number(useless)} are shaded as useless.")
    if desired is not None:
        said.append(f"Errors below {words.number(desired)} are shaded as desired.")
    return drawn, "Both axes are logarithmic. " + " ".join(said)


@figure
def error_parts(steps, errors, truncation, rounding, best):
    """The two parts of a divided difference's error bound, and the error itself.

    Parameters
    ----------
    steps, errors : ndarray, shape (n,)
        Steps h and the errors measured there.
    truncation, rounding : ndarray, shape (n,)
        Both parts of the bound, at the same steps.
    best : float
        The step at which the bound is smallest.

    Returns
    -------
    Figure
    """
    import matplotlib.pyplot as plt
    drawn, axes = plt.subplots(figsize=(5.0, 3.8))
    axes.loglog(steps, np.where(errors > 0, errors, np.nan), color=GREY, linestyle="", marker=".",
                label="measured")
    axes.loglog(steps, truncation + rounding, color=BLACK, linestyle="-", linewidth=1,
                label="bound")
    low, high = errors[errors > 0].min() / 10, 5 * max(truncation[-1], rounding[0])
    for part, name, color, style, offset, side in [
            (truncation, "truncation", BLUE, "-", -8, "right"),
            (rounding, "rounding", VERMILION, "--", 8, "left")]:
        axes.loglog(steps, part, color=color, linestyle=style, label=name)
        foot = np.argmin(np.abs(np.log(part / (3 * low))))
        beside(axes, name, (steps[foot], part[foot]), color, (offset, 0), ha=side)
    axes.axvline(best, color=BLACK, linestyle=":", linewidth=1.2, label="best step")
    beside(axes, "best step", (best, high), offset=(5, -6))
    axes.set(xlabel="step $h$", ylabel="error", ylim=(low, high))
    axes.locator_params(axis="x", numticks=6)
    least = int(np.argmin(truncation + rounding))
    return drawn, (
        "Both axes are logarithmic. A straight line for truncation rises with the step, one for "
        f"rounding falls. They cross near the best step, {words.number(best)}, where the bound is "
        f"least, {words.number((truncation + rounding)[least])}. Dots for the errors measured lie "
        f"on the line of truncation to the right of it, and scattered below the line of rounding "
        "to the left.")


@figure
def tangent_map(f, x, tangent, value, value_tangent, span):
    """A dual number as a point with an arrow, and what a function makes of it.

    Parameters
    ----------
    f : callable
        A function on arrays.
    x, tangent : float
        The argument, x + tangent d.
    value, value_tangent : float
        The result, value + value_tangent d.
    span : (float, float)
        Where the curve begins and ends.

    Returns
    -------
    Figure
    """
    import matplotlib.pyplot as plt
    drawn, axes = plt.subplots(figsize=(5.0, 4.0))
    t = np.linspace(*span, 200)
    y = f(t)
    left, bottom = span[0], min(y.min(), 0.0)
    axes.plot(t, y, color=BLACK, linestyle="-", label="f")
    beside(axes, "$f$", (t[-1], y[-1]))
    arrows = {
        "argument": ((x, bottom), (x + tangent, bottom), BLUE),
        "tangent": ((x, value), (x + tangent, value + value_tangent), GREY),
        "result": ((left, value), (left, value + value_tangent), VERMILION),
    }
    for start, end, color in arrows.values():
        axes.annotate("", end, start, annotation_clip=False, zorder=5,
                      arrowprops={"arrowstyle": "-|>", "color": color, "lw": 2.5,
                                  "shrinkA": 0, "shrinkB": 0, "mutation_scale": 16})
        axes.plot(*start, marker="o", markersize=7, color=color, clip_on=False)
    for across, up in [([x, x], [bottom, value]), ([left, x], [value, value]),
                       ([x + tangent] * 2, [bottom, value + value_tangent]),
                       ([left, x + tangent], [value + value_tangent] * 2)]:
        axes.plot(across, up, color=GREY, linestyle=":", linewidth=1)
    beside(axes, r"$x + \dot{x}\,\mathbf{d}$", (x + tangent / 2, bottom), BLUE, (0, 13),
           ha="center")
    beside(axes, r"$f(x) + f'(x)\,\dot{x}\,\mathbf{d}$", (left, value + value_tangent / 2),
           VERMILION, (9, 0))
    axes.set(xlabel="$x$", ylabel="$y$", xlim=span, ylim=(bottom, None))
    axes.yaxis.labelpad = 12
    return drawn, (
        f"{words.curve('The curve of f', t, y)} Below, an arrow of length {words.number(tangent)} "
        f"starts at {words.number(x)} on the x axis. Dotted lines lead up to the curve's tangent "
        f"there, and on to the y axis, where an arrow of length {words.number(value_tangent)} "
        f"starts at {words.number(value)}.")


@figure
def values_and_slopes(x, values, slopes):
    """Curves of a function, or of its approximations, above the curves of their derivatives.

    Parameters
    ----------
    x : ndarray, shape (n,)
    values, slopes : dict of str to ndarray, shape (n,)
        Name and ordinates of each curve, four at most.

    Returns
    -------
    Figure
    """
    import matplotlib.pyplot as plt
    drawn, (above, below) = plt.subplots(2, 1, figsize=(5.0, 5.4), sharex=True)
    for axes, curves in [(above, values), (below, slopes)]:
        for name, y in curves.items():
            axes.plot(x, y, label=name)
        name_lines(axes, curves)
    above.set(ylabel="value")
    below.set(xlabel="$x$", ylabel="slope")
    said = [[words.curve(name, x, y) for name, y in curves.items()] for curves in (values, slopes)]
    return drawn, f"Values above: {' '.join(said[0])} Slopes below: {' '.join(said[1])}"


@figure
def computational_graph(trace, mode="evaluation"):
    """The graph of a program: a vertex for each line of its trace, the inputs at the bottom.

    Beside each vertex, and below the inputs, stand its operation and its value, on each edge the
    local partial derivative. In forward mode the tangents are added, in reverse mode the adjoints, and the
    arrows point the way that they take.

    Parameters
    ----------
    trace : Trace
        From `gradem.trace.trace`, with tangents or adjoints if the mode needs them.
    mode : {"evaluation", "forward", "reverse"}

    Returns
    -------
    Figure

    Raises
    ------
    ValueError
        If the trace was made without what the mode shows.
    """
    import matplotlib.pyplot as plt
    if mode == "forward" and trace.lines[0].tangent is None:
        raise ValueError("this trace has no tangents: trace(f, ..., tangent=...)")
    if mode == "reverse" and trace.lines[0].adjoint is None:
        raise ValueError("this trace has no adjoints: trace(f, ..., adjoint=1.0)")
    depths, places = layers(len(trace.lines), trace.edges)
    width = max(abs(across) for across, _ in places.values())
    spacing = 0.7 + 0.085 * max(len(_said(line)) for line in trace.lines)       # inches
    drawn, axes = plt.subplots(figsize=((2 * width + 1.1) * spacing, 1.2 + 1.1 * max(depths)))
    _draw_edges(axes, trace, depths, places, mode)
    for k, line in enumerate(trace.lines):
        _draw_vertex(axes, line, places[k], mode, below=depths[k] == 0)
    axes.set(xlim=(-width - 0.2, width + 0.9), ylim=(-0.65, max(depths) + 0.35))
    axes.axis("off")
    said = [f"{line.name} = {_said(line)}" for line in trace.lines]
    if mode == "forward":
        said = [f"{text}, d{line.name} = {_short(line.tangent)}"
                for text, line in zip(said, trace.lines)]
    if mode == "reverse":
        said = [f"{text}, {line.name}_bar = {_short(line.adjoint)}"
                for text, line in zip(said, trace.lines)]
    leads = {"evaluation": "Arrows lead from arguments to results.",
             "forward": "Arrows lead from arguments to results, and with them the tangents.",
             "reverse": "Arrows lead from results back to arguments, and with them the adjoints."}
    return drawn, f"A graph, inputs at the bottom. {leads[mode]} Its vertices: {'; '.join(said)}."


def _said(line):
    """The operation of a line and its value."""
    return f"{line.text} = {_short(line.value)}"


def _short(x):
    """A number with four digits, an array as its shape."""
    return f"{float(x):.4g}" if np.ndim(x) == 0 else f"array {np.shape(x)}"


def _draw_edges(axes, trace, depths, places, mode):
    """Arrows in the direction of the sweep, with the partial derivative in the middle."""
    partials = {}
    for edge in trace.edges:                    # x * x: two edges between the same vertices
        partials.setdefault((edge.start, edge.end), []).append(edge.partial)
    color = {"forward": BLUE, "reverse": VERMILION}.get(mode, GREY)
    for (start, end), numbers in partials.items():
        path = [places[start], *(places[start, end, depth] for depth
                                 in range(depths[start] + 1, depths[end])), places[end]]
        if mode == "reverse":
            path.reverse()
        for i, (a, b) in enumerate(zip(path[:-1], path[1:])):
            arrives = i == len(path) - 2
            axes.annotate("", b, a, arrowprops={
                "arrowstyle": "-|>" if arrives else "-", "color": color, "lw": 1.4,
                "shrinkA": 13 if i == 0 else 0, "shrinkB": 13 if arrives else 0})
        if None not in numbers and mode != "evaluation":
            (x0, y0), (x1, y1) = path[0], path[1]
            axes.text((x0 + x1) / 2, (y0 + y1) / 2, f"{sum(numbers):.4g}", fontsize=9,
                      color=BLACK, ha="center", va="center",
                      bbox={"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none"})


def _draw_vertex(axes, line, place, mode, below):
    """A circle with the name of a line; its operation and its numbers to the right, or below."""
    number = line.name[1:]
    axes.plot(*place, marker="o", markersize=25, markerfacecolor="white", markeredgecolor=BLACK,
              markeredgewidth=1.4, zorder=3)
    axes.text(*place, f"$w_{{{number}}}$", ha="center", va="center", zorder=4)
    said = [(_said(line), BLACK)]
    if mode == "forward":
        said.append((rf"$\dot w_{{{number}}}$ = {_short(line.tangent)}", BLUE))
    if mode == "reverse":
        said.append((rf"$\bar w_{{{number}}}$ = {_short(line.adjoint)}", VERMILION))
    for i, (text, color) in enumerate(said):
        offset = (0, -21 - 13 * i) if below else (17, 6 * (len(said) - 1) - 13 * i)
        beside(axes, text, place, color, offset, fontsize=10, ha="center" if below else "left",
               zorder=5, bbox={"boxstyle": "round,pad=0.1", "fc": "white", "ec": "none",
                               "alpha": 0.85})


@figure
def directions(f, x, gradient, angles, slopes):
    """Level curves around a point with its gradient, and the slope in every direction.

    Parameters
    ----------
    f : callable
        A function of two variables that takes arrays.
    x : tuple of two float
        The point.
    gradient : sequence of two float
        The gradient of f there.
    angles : sequence of float, shape (n,)
        Angles of directions, in degrees, rising.
    slopes : sequence of float, shape (n,)
        The directional derivatives along unit vectors of these angles.

    Returns
    -------
    Figure
    """
    import matplotlib.pyplot as plt
    drawn, (above, below) = plt.subplots(2, 1, figsize=(5.0, 6.4), height_ratios=[1.4, 1])
    reach = 1.3
    u, v = (np.linspace(center - reach, center + reach, 80) for center in x)
    curves = above.contour(u, v, f(*np.meshgrid(u, v)), levels=9, colors=GREY, linewidths=1.0,
                           linestyles="solid")
    above.clabel(curves, fontsize=9)
    length = float(np.hypot(*gradient))
    tip = [center + part / length for center, part in zip(x, gradient)]
    above.annotate("", tip, x, arrowprops={"arrowstyle": "-|>", "color": VERMILION, "lw": 2.5,
                                           "shrinkA": 0, "shrinkB": 0})
    beside(above, "gradient's direction", tip, VERMILION, (-30, 12),
           bbox={"boxstyle": "round,pad=0.1", "fc": "white", "ec": "none"})
    above.plot(*x, "o", color=BLACK)
    above.set(xlabel="$x_1$", ylabel="$x_2$", aspect="equal")
    fine = np.linspace(angles[0], angles[-1], 200)
    steepest = float(np.degrees(np.arctan2(gradient[1], gradient[0])))
    below.axhline(0, color=GREY, linewidth=0.8)
    below.plot(fine, length * np.cos(np.radians(fine - steepest)), color=BLUE, linewidth=1.2)
    below.plot(angles, slopes, "o", color=BLUE)
    below.axvline(steepest, color=VERMILION, linestyle="--", linewidth=1.5)
    below.set(xlabel="angle of the direction, degrees", ylabel="directional derivative",
              xticks=range(0, 361, 90))
    best = int(np.argmax(slopes))
    return drawn, (
        f"Above, level curves of the function around {words.point(x)}, and an arrow from there in "
        f"the direction of the gradient, {words.number(steepest)} degrees from the x1 axis, at a "
        "right angle to the level curve. Below, dots on a cosine curve: "
        f"{words.curve('the directional derivative', angles, slopes)} The dots are highest at "
        f"{words.number(angles[best])} degrees, next to a dashed line at the gradient's angle.")


@figure
def syntax_tree(text):
    """The syntax tree of an expression in Python, the last operation at the top.

    Parameters
    ----------
    text : str
        An expression of names, numbers, signs and calls.

    Returns
    -------
    Figure
    """
    import matplotlib.pyplot as plt
    vertices = []                       # (label, depth, place across, children)
    leaves = itertools.count()

    def place(node, depth):
        """Enter an expression below the others, and return its number."""
        parts = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
        label = ast.unparse(node)
        if isinstance(node, ast.Call):
            label, parts = ast.unparse(node.func), node.args
        elif isinstance(node, (ast.BinOp, ast.UnaryOp)):
            label = SIGNS_OF_TREES[type(node.op)]
        else:
            parts = []
        children = [place(part, depth + 1) for part in parts]
        across = np.mean([vertices[c][2] for c in children]) if children else next(leaves)
        vertices.append((label, depth, float(across), children))
        return len(vertices) - 1

    place(ast.parse(text, mode="eval").body, 0)
    deepest = max(depth for _, depth, _, _ in vertices)
    drawn, axes = plt.subplots(figsize=(1.0 + 1.1 * next(leaves), 0.9 + 0.8 * deepest))
    for label, depth, across, children in vertices:
        for child in children:
            _, below, beside_it, _ = vertices[child]
            axes.plot([across, beside_it], [-depth, -below], color=GREY, linestyle="-",
                      linewidth=1.4, zorder=1)
        axes.text(across, -depth, label, ha="center", va="center", zorder=2,
                  color=BLUE if children else BLACK, family="monospace",
                  bbox={"boxstyle": "round,pad=0.35", "facecolor": "white",
                        "edgecolor": BLUE if children else GREY})
    axes.margins(0.25)
    axes.axis("off")
    said = [f"{label} above {words.listed([vertices[c][0] for c in children])}"
            for label, _, _, children in reversed(vertices) if children]
    return drawn, f"A tree. From the top down: {'; '.join(said)}."


# ---- clustering -----------------------------------------------------------------------------

COMPONENTS = [BLUE, VERMILION, ORANGE]
STROKES = ["-", "--", "-."]


def blend(responsibilities):
    """The colour of each point: its components' colours, mixed by responsibility.

    Parameters
    ----------
    responsibilities : ndarray, shape (N, K)
        K is three at most.

    Returns
    -------
    ndarray, shape (N, 3)
        Red, green and blue between 0 and 1.
    """
    from matplotlib.colors import to_rgb
    colours = np.array([to_rgb(name) for name in COMPONENTS[:responsibilities.shape[1]]])
    return np.clip(responsibilities @ colours, 0.0, 1.0)


def draw_component(axes, mean, covariance, color, stroke="-"):
    """The mean of a Gaussian over the points; its one and two deviations beneath them."""
    from gradem.gaussian import ellipse
    for deviations, width in [(1.0, 2.2), (2.0, 1.2)]:
        boundary = ellipse(mean, covariance, deviations).T
        axes.fill(*boundary, color=color, alpha=0.08, linewidth=0.0, zorder=0.5)
        axes.plot(*boundary, color=color, linestyle=stroke, linewidth=width, zorder=0.6)
    axes.plot(*mean, marker="X", markersize=9, color=color, markeredgecolor="white", zorder=3)


def draw_components(axes, means, covariances):
    """Each Gaussian of a mixture, in its colour and its stroke; they repeat after the third."""
    for parameters in zip(means, covariances, itertools.cycle(COMPONENTS),
                          itertools.cycle(STROKES)):
        draw_component(axes, *parameters)


def draw_pies(axes, X, responsibilities, radius):
    """Each point as a pie; the slices begin at twelve o'clock with component 0."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Wedge
    cuts = 90.0 + 360.0 * np.cumsum(np.c_[np.zeros(len(X)), responsibilities], axis=1)
    for k, color in zip(range(responsibilities.shape[1]), COMPONENTS):
        wedges = [Wedge(centre, radius, start, end)
                  for centre, start, end in zip(X, cuts[:, k], cuts[:, k + 1])]
        axes.add_collection(PatchCollection(wedges, facecolor=color, linewidth=0.0))


@figure
def points(X, labels=None, xlabel="$x_1$", ylabel="$x_2$"):
    """Points in the plane, each with the colour and the mark of its label, if it has one.

    Parameters
    ----------
    X : ndarray, shape (N, 2)
    labels : ndarray of int, shape (N,), optional
        Three different labels at most.
    xlabel, ylabel : str

    Returns
    -------
    Figure
    """
    import matplotlib.pyplot as plt
    drawn, axes = plt.subplots()
    if labels is None:
        axes.scatter(*X.T, s=22, color=GREY)
    else:
        for k in np.unique(labels):
            axes.scatter(*X[labels == k].T, s=26, color=COMPONENTS[k], marker="os^"[k])
    axes.set(xlabel=xlabel, ylabel=ylabel)
    size = "points" if labels is None else "points in the colours and marks of their labels"
    return drawn, (f"{len(X)} {size}, across from {words.number(X[:, 0].min())} to "
                   f"{words.number(X[:, 0].max())}, up from {words.number(X[:, 1].min())} to "
                   f"{words.number(X[:, 1].max())}.{_groups(X, labels)}")


def _groups(X, labels):
    """Where the points of each label are."""
    if labels is None:
        return ""
    return "".join(f" Label {k}: {np.sum(labels == k)} points around "
                   f"{words.point(X[labels == k].mean(axis=0))}."
                   for k in np.unique(labels))


def _components(means, covariances, unit=1.0):
    """Where the ellipses of a mixture are; their form if both axes are measured in units."""
    return " ".join(f"Ellipse {k}: {words.ellipse(mean, covariance, unit)}."
                    for k, (mean, covariance) in enumerate(zip(means, covariances)))


def _certainty(responsibilities):
    """How many points are shared."""
    shared = int(np.sum(responsibilities.max(axis=1) < 0.9))
    return f"{shared} of {len(responsibilities)} points belong to none by more than nine tenths."


@figure
def mixture(X, responsibilities, means, covariances, xlabel="$x_1$", ylabel="$x_2$"):
    """A mixture over its points, whose colours are mixed by responsibility.

    Parameters
    ----------
    X : ndarray, shape (N, 2)
        The axes may have different units; where they have one, `pies` shows more.
    responsibilities : ndarray, shape (N, K)
        K is three at most.
    means : ndarray, shape (K, 2)
    covariances : ndarray, shape (K, 2, 2)
    xlabel, ylabel : str

    Returns
    -------
    Figure
    """
    import matplotlib.pyplot as plt
    drawn, axes = plt.subplots()
    axes.scatter(*X.T, s=22, c=blend(responsibilities))
    draw_components(axes, means, covariances)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    return drawn, (f"Points in the colours of {len(means)} components, mixed by responsibility, "
                   f"over their ellipses. {_components(means, covariances, X.std(axis=0))} "
                   f"{_certainty(responsibilities)}")


@figure
def pies(X, responsibilities, means, covariances, radius=0.13):
    """A mixture over its points, each a pie cut by its responsibilities.

    Parameters
    ----------
    X : ndarray, shape (N, 2)
        The axes have one scale, so that pies are round.
    responsibilities : ndarray, shape (N, K)
        K is three at most.
    means : ndarray, shape (K, 2)
    covariances : ndarray, shape (K, 2, 2)
    radius : float
        Of a pie, in the unit of X.

    Returns
    -------
    Figure
    """
    import matplotlib.pyplot as plt
    drawn, axes = plt.subplots(figsize=(5.0, 4.8))
    draw_pies(axes, X, responsibilities, radius)
    draw_components(axes, means, covariances)
    axes.set(xlabel="$x_1$", ylabel="$x_2$", aspect="equal")
    axes.autoscale_view()
    return drawn, (f"Points as pies, a slice for each of {len(means)} components, over their "
                   f"ellipses. {_components(means, covariances)} {_certainty(responsibilities)}")


@figure
def em_steps(X, states, radius=0.17):
    """Mixtures over the same points, one small panel for each, with points as pies.

    Parameters
    ----------
    X : ndarray, shape (N, 2)
    states : dict of str to tuple
        Title of each panel, and its (responsibilities, means, covariances).
    radius : float
        Of a pie, in the unit of X.

    Returns
    -------
    Figure
    """
    import matplotlib.pyplot as plt
    rows = (len(states) + 1) // 2
    low, high = X.min(axis=0) - 1.0, X.max(axis=0) + 1.0
    drawn, grid = plt.subplots(rows, 2, figsize=(5.0, 2.45 * rows), sharex=True, sharey=True,
                               squeeze=False)
    for axes, (title, (responsibilities, means, covariances)) in zip(grid.flat, states.items()):
        draw_pies(axes, X, responsibilities, radius)
        draw_components(axes, means, covariances)
        axes.set(title=title, xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
    for axes in grid.flat[len(states):]:
        axes.remove()
    said = [f"{title}: around {words.listed(map(words.point, means))}; "
            f"{_certainty(responsibilities)}"
            for title, (responsibilities, means, _) in states.items()]
    return drawn, (f"{len(states)} panels with the same points as pies and the same components as "
                   f"ellipses. {' '.join(said)}")


@figure
def collapsing(X, means, covariances, k):
    """Component k of a mixture among the others, which are grey.

    Parameters
    ----------
    X : ndarray, shape (N, 2)
    means : ndarray, shape (K, 2)
    covariances : ndarray, shape (K, 2, 2)
    k : int

    Returns
    -------
    Figure
    """
    import matplotlib.pyplot as plt
    drawn, axes = plt.subplots(figsize=(5.0, 4.6))
    axes.scatter(*X.T, s=18, color=BLACK)
    for i in sorted(range(len(means)), key=lambda i: i == k):      # k last, on top
        draw_component(axes, means[i], covariances[i], VERMILION if i == k else GREY)
    axes.set(xlabel="$x_1$", ylabel="$x_2$", aspect="equal")
    others = [parameters for i, parameters in enumerate(zip(means, covariances)) if i != k]
    return drawn, (f"Black points. One component is a coloured ellipse "
                   f"{words.ellipse(means[k], covariances[k])}. The others are grey. "
                   f"{_components(*zip(*others))}")


@figure
def climb(log_likelihoods):
    """The log likelihood over the iterations, and below it what each iteration gained.

    Parameters
    ----------
    log_likelihoods : sequence of float, shape (T + 1,)
        At the start and after each of T iterations, each larger than the one before.

    Returns
    -------
    Figure
    """
    import matplotlib.pyplot as plt
    drawn, (above, below) = plt.subplots(2, 1, figsize=(5.0, 5.2), sharex=True)
    above.plot(log_likelihoods, color=BLUE, linestyle="-", marker="o", markersize=3.5)
    above.set(ylabel="log likelihood")
    gains = np.diff(log_likelihoods)
    below.semilogy(range(1, len(log_likelihoods)), gains, color=VERMILION, linestyle="-",
                   marker="o", markersize=3.5)
    below.set(xlabel="iteration", ylabel="gain")
    t = np.arange(len(log_likelihoods))
    return drawn, (f"{words.curve('Above, the log likelihood', t, log_likelihoods)} "
                   f"{words.curve('Below, on a logarithmic scale, the gain', t[1:], gains)}")


@figure
def bound(fractions, log_likelihood, lower_bound):
    """The log likelihood and its lower bound on the line through one step of EM.

    Parameters
    ----------
    fractions : ndarray, shape (n,)
        Places on the line: 0 is the state before the step, 1 the state after it.
    log_likelihood, lower_bound : ndarray, shape (n,)
        Their values at these places.

    Returns
    -------
    Figure
    """
    import matplotlib.pyplot as plt
    drawn, axes = plt.subplots()
    curves = {"log likelihood": log_likelihood, "lower bound": lower_bound}
    for (name, values), color, stroke in zip(curves.items(), [BLUE, VERMILION], STROKES):
        axes.plot(fractions, values, color=color, linestyle=stroke, label=name)
        axes.plot([0, 1], np.interp([0, 1], fractions, values), color=color, linestyle="",
                  marker="o", markersize=7)
    axes.axvline(0, color=GREY, linestyle=":", linewidth=1)
    axes.axvline(1, color=GREY, linestyle=":", linewidth=1)
    axes.set(xlabel="steps of EM", ylabel="log likelihood")
    name_lines(axes, curves)
    here = np.interp([0, 1], fractions, log_likelihood)
    gap = np.round(here - np.interp([0, 1], fractions, lower_bound), 6)
    return drawn, (f"{words.curve('The log likelihood', fractions, log_likelihood)} "
                   f"{words.curve('The dashed lower bound', fractions, lower_bound)} It lies "
                   f"{words.number(gap[0])} below the log likelihood at 0, and "
                   f"{words.number(gap[1])} below it at 1.")


def _grid_of(count, height=2.45, **more):
    """So many small panels in two columns."""
    import matplotlib.pyplot as plt
    rows = (count + 1) // 2
    drawn, grid = plt.subplots(rows, 2, figsize=(5.0, height * rows), squeeze=False, **more)
    for axes in grid.flat[count:]:
        axes.remove()
    return drawn, list(grid.flat[:count])


def _mesh(low, high, n=120):
    """Points of a lattice over a rectangle, shape (n, n, 2)."""
    return np.stack(np.meshgrid(*np.linspace(low, high, n).T), axis=-1)


@figure
def gaussians(panels, reach=3.6):
    """Densities of Gaussians, each with its ellipse at one deviation and the half axes of that.

    Parameters
    ----------
    panels : dict of str to tuple
        Title of each panel, and its (mean, covariance).
    reach : float
        The panels show the square from -reach to reach.

    Returns
    -------
    Figure
    """
    from gradem.gaussian import ellipse, log_density
    drawn, grid = _grid_of(len(panels), sharex=True, sharey=True)
    mesh = _mesh([-reach, -reach], [reach, reach])
    for axes, (title, (mean, covariance)) in zip(grid, panels.items()):
        height = np.exp(log_density(mesh.reshape(-1, 2), mean, covariance)).reshape(mesh.shape[:2])
        axes.contourf(*np.moveaxis(mesh, -1, 0), height, levels=8, cmap="Greys", alpha=0.55)
        axes.plot(*ellipse(mean, covariance).T, color=BLUE, linestyle="-")
        variances, directions = np.linalg.eigh(covariance)
        for variance, direction in zip(variances, directions.T):
            end = mean + np.sqrt(variance) * direction
            axes.annotate("", end, mean, arrowprops={
                "arrowstyle": "-|>", "color": VERMILION, "linewidth": 2.0, "shrinkA": 0, "shrinkB": 0})
        axes.set(title=title, aspect="equal", xlim=(-reach, reach), ylim=(-reach, reach))
    said = [f"{title}: {words.ellipse(*parameters)}." for title, parameters in panels.items()]
    return drawn, (f"{len(panels)} panels, each with a density that falls from its centre, an "
                   f"ellipse and its two half axes as arrows. {' '.join(said)}")


@figure
def fits(X, labels, panels):
    """Gaussians over points with labels, one small panel for each way to fit them.

    Parameters
    ----------
    X : ndarray, shape (N, 2)
        The axes have one scale.
    labels : ndarray of int, shape (N,)
        Three different labels at most.
    panels : dict of str to tuple
        Title of each panel, and its (means, covariances), shapes (K, 2) and (K, 2, 2).

    Returns
    -------
    Figure
    """
    drawn, grid = _grid_of(len(panels), sharex=True, sharey=True)
    for axes, (title, (means, covariances)) in zip(grid, panels.items()):
        for k in np.unique(labels):
            axes.scatter(*X[labels == k].T, s=9, color=COMPONENTS[k], marker="os^"[k])
        draw_components(axes, means, covariances)
        axes.set(title=title, aspect="equal")
    said = [f"{title}. {_components(*parameters)}" for title, parameters in panels.items()]
    return drawn, (f"{len(panels)} panels with the same {len(X)} points in the colours and marks "
                   f"of their labels, and fitted ellipses. {' '.join(said)}")


@figure
def regions(X, labels, rules, xlabel="$x_1$", ylabel="$x_2$", aspect="equal"):
    """What rules decide, as the colour of the ground, under points with the true labels.

    Parameters
    ----------
    X : ndarray, shape (N, 2)
    labels : ndarray of int, shape (N,)
        Three different labels at most.
    rules : dict of str to function
        Title of each panel, and the function from points, shape (n, 2), to labels, shape (n,).
    xlabel, ylabel : str
    aspect : {"equal", "auto"}

    Returns
    -------
    Figure
    """
    drawn, grid = _grid_of(len(rules), sharex=True, sharey=True)
    margin = 0.06 * (X.max(axis=0) - X.min(axis=0))
    mesh = _mesh(X.min(axis=0) - margin, X.max(axis=0) + margin, 200)
    said = []
    for axes, (title, rule) in zip(grid, rules.items()):
        decided = rule(mesh.reshape(-1, 2)).reshape(mesh.shape[:2])
        for k in np.unique(labels):
            axes.contourf(*np.moveaxis(mesh, -1, 0), decided == k, levels=[0.5, 1.5],
                          colors=[COMPONENTS[k]], alpha=0.16)
            axes.contour(*np.moveaxis(mesh, -1, 0), decided == k, levels=[0.5], colors=BLACK,
                         linewidths=1.5)
            axes.scatter(*X[labels == k].T, s=6, color=COMPONENTS[k], marker="os^"[k])
        axes.set(title=title, aspect=aspect, xlabel=xlabel)
        wrong = int(np.sum(rule(X) != labels))
        said.append(f"{title}: {wrong} of {len(X)} points lie on ground of another colour.")
    drawn.axes[0].set(ylabel=ylabel)
    return drawn, (f"{len(rules)} panels: the ground coloured by decision, points by true label. "
                   f"{' '.join(said)}")


@figure
def densities(X, panels, xlabel="$x_1$", ylabel="$x_2$"):
    """Densities as contour lines over the same points, one small panel for each.

    Parameters
    ----------
    X : ndarray, shape (N, 2)
    panels : dict of str to function
        Title of each panel, and the density at points, shape (n, 2) to shape (n,).
    xlabel, ylabel : str

    Returns
    -------
    Figure
    """
    drawn, grid = _grid_of(len(panels), sharex=True, sharey=True)
    margin = 0.25 * (X.max(axis=0) - X.min(axis=0))
    mesh = _mesh(X.min(axis=0) - margin, X.max(axis=0) + margin)
    said = []
    for axes, (title, density) in zip(grid, panels.items()):
        height = density(mesh.reshape(-1, 2)).reshape(mesh.shape[:2])
        axes.scatter(*X.T, s=7, color=GREY)
        axes.contour(*np.moveaxis(mesh, -1, 0), height, colors=BLUE, linewidths=1.2,
                     levels=height.max() * np.array([0.03, 0.1, 0.25, 0.5, 0.8]))
        axes.set(title=title, xlabel=xlabel)
        tops = [words.point(mesh[i, j]) for i, j in _summits(height)]
        said.append(f"{title}: the density is highest around {words.listed(tops)}.")
    drawn.axes[0].set(ylabel=ylabel)
    return drawn, f"{len(panels)} panels with contour lines over the same points. {' '.join(said)}"


def _summits(height):
    """The inner places of a lattice that are higher than all eight around them."""
    inner = height[1:-1, 1:-1]
    n, m = height.shape
    higher = np.ones(inner.shape, dtype=bool)
    for i in range(3):
        for j in range(3):
            if (i, j) != (1, 1):
                higher &= inner > height[i:n - 2 + i, j:m - 2 + j]
    return np.argwhere(higher) + 1


@figure
def surface(x, y, height, paths, xlabel, ylabel):
    """A function of two variables as contour lines, and paths that climb it.

    Parameters
    ----------
    x, y : ndarray, shapes (n,) and (m,)
    height : ndarray, shape (m, n)
        The function, y along the rows.
    paths : sequence of ndarray, shape (t, 2)
        Three at most.
    xlabel, ylabel : str

    Returns
    -------
    Figure
    """
    import matplotlib.pyplot as plt
    drawn, axes = plt.subplots(figsize=(5.0, 4.4))
    depths = np.quantile(height, np.linspace(0.0, 1.0, 17))
    axes.contour(x, y, height, levels=depths[1:-1], colors=GREY, linewidths=0.9,
                 linestyles="solid")
    for path, color, stroke in zip(paths, COMPONENTS, STROKES):
        axes.plot(*np.transpose(path), color=color, linestyle=stroke, marker="o", markersize=4)
        axes.plot(*path[0], color=color, marker="s", markersize=8)
        axes.plot(*path[-1], color=color, marker="X", markersize=10, markeredgecolor="white")
    axes.set(xlabel=xlabel, ylabel=ylabel, aspect="equal")
    tops = [words.point((x[j], y[i])) for i, j in _summits(height)]
    said = [f"A path from {words.point(path[0])} ends at {words.point(path[-1])}."
            for path in paths]
    return drawn, f"Contour lines with summits at {words.listed(tops)}. {' '.join(said)}"


@figure
def complete_and_incomplete(X, labels, responsibilities):
    """The same points with their labels, without them, and with probabilities of labels.

    Parameters
    ----------
    X : ndarray, shape (N, 2)
        The axes have one scale.
    labels : ndarray of int, shape (N,)
        Three different labels at most.
    responsibilities : ndarray, shape (N, K)

    Returns
    -------
    Figure
    """
    drawn, grid = _grid_of(3, sharex=True, sharey=True)
    complete, incomplete, soft = grid
    for k in np.unique(labels):
        complete.scatter(*X[labels == k].T, s=12, color=COMPONENTS[k], marker="os^"[k])
    incomplete.scatter(*X.T, s=12, color=GREY)
    soft.scatter(*X.T, s=12, c=blend(responsibilities))
    for axes, title in zip(grid, ["with labels", "without labels", "with probabilities"]):
        axes.set(title=title, aspect="equal")
    return drawn, (f"Three panels with the same {len(X)} points: in the colours of their labels, "
                   f"all grey, and in colours mixed by probability.{_groups(X, labels)} "
                   f"{_certainty(responsibilities)}")


@figure
def weighted_sum(x, parts, xlabel="$x$"):
    """Weighted densities on a line, and their sum, the density of a mixture.

    Parameters
    ----------
    x : ndarray, shape (n,)
    parts : dict of str to ndarray, shape (n,)
        Name and weighted density of each component, three at most.
    xlabel : str

    Returns
    -------
    Figure
    """
    import matplotlib.pyplot as plt
    drawn, axes = plt.subplots()
    total = sum(parts.values())
    axes.plot(x, total, color=BLACK, linestyle="-", label="mixture")
    for (name, part), color, stroke in zip(parts.items(), COMPONENTS, STROKES):
        axes.plot(x, part, color=color, linestyle=stroke)
        axes.fill_between(x, part, color=color, alpha=0.12, linewidth=0.0)
        top = np.argmax(part)
        axes.text(x[top], 0.5 * part[top], name, color=color, horizontalalignment="center",
                  verticalalignment="center")
    axes.set(xlabel=xlabel, ylabel="density", ylim=(0.0, None))
    return drawn, (f"{words.curve('The black line, the sum,', x, total)} Below it: "
                   + " ".join(words.curve(name, x, part) for name, part in parts.items()))


@figure
def landscape(weights, means, covariances, xlabel="$x_1$", ylabel="$x_2$"):
    """A mixture in the plane: its weighted components as contour lines, its density as a landscape.

    Parameters
    ----------
    weights : array_like, shape (K,)
        K is three at most.
    means : array_like, shape (K, 2)
    covariances : array_like, shape (K, 2, 2)
    xlabel, ylabel : str

    Returns
    -------
    Figure
    """
    import matplotlib.pyplot as plt
    from gradem.gaussian import log_density
    means, covariances = np.asarray(means), np.asarray(covariances)
    reach = 2.7 * np.sqrt(np.einsum("kii->ki", covariances))
    mesh = _mesh((means - reach).min(axis=0), (means + reach).max(axis=0), 80)
    x, y = np.moveaxis(mesh, -1, 0)
    parts = [weight * np.exp(log_density(mesh.reshape(-1, 2), *parameters)).reshape(x.shape)
             for weight, *parameters in zip(weights, means, covariances)]
    total = sum(parts)
    drawn = plt.figure(figsize=(5.0, 2.7))
    flat, high = drawn.add_subplot(1, 2, 1), drawn.add_subplot(1, 2, 2, projection="3d")
    for part, weight, mean, color, stroke in zip(parts, weights, means, COMPONENTS, STROKES):
        flat.contour(x, y, part, colors=color, linestyles=stroke, linewidths=1.2,
                     levels=part.max() * np.array([0.1, 0.45]))
        flat.text(*mean, f"{weight:g}", color=color, ha="center", va="center", fontweight="bold")
    flat.set(xlabel=xlabel, ylabel=ylabel)
    high.plot_surface(x, y, total, cmap="Blues", edgecolor=GREY, linewidth=0.2, rcount=40, ccount=40)
    high.view_init(elev=40, azim=-70)
    high.set(zticks=[], xlabel=xlabel, ylabel=ylabel)
    said = [f"weight {weight:g} around {words.point(mean)}" for weight, mean in zip(weights, means)]
    tops = [f"{words.number(total[i, j])} at {words.point(mesh[i, j])}" for i, j in _summits(total)]
    return drawn, (f"Left, contour lines of each component: {words.listed(said)}. Right, their sum "
                   f"as a landscape with summits of {words.listed(tops)}.")


@figure
def lower_bounds(x, curve, bounds, places, xlabel, ylabel="log likelihood"):
    """A curve, lower bounds that touch it, and the climb from each touch to the bound's summit.

    Parameters
    ----------
    x, curve : ndarray, shape (n,)
    bounds : sequence of ndarray, shape (n,)
        Each touches the curve at its place, and is highest at the next place.
    places : sequence of float
        One more than there are bounds.
    xlabel, ylabel : str

    Returns
    -------
    Figure
    """
    import matplotlib.pyplot as plt
    drawn, axes = plt.subplots()
    axes.plot(x, curve, color=BLACK, linestyle="-")
    bottom = curve.min() - 0.08 * np.ptp(curve)
    for t, bound_t in enumerate(bounds):
        color, stroke = COMPONENTS[t % 3], STROKES[t % 3]
        axes.plot(x, np.where(bound_t < bottom, np.nan, bound_t), color=color, linestyle=stroke)
        touch, summit = np.interp(places[t], x, curve), np.interp(places[t + 1], x, bound_t)
        axes.plot(places[t], touch, color=color, linestyle="", marker="o", markersize=7)
        axes.plot(places[t + 1], summit, color=color, linestyle="", marker="^", markersize=7)
        beside(axes, str(t), (places[t], touch), color, offset=(-3, 11))
    axes.set(xlabel=xlabel, ylabel=ylabel, ylim=(bottom, curve.max() + 0.08 * np.ptp(curve)))
    said = [f"Bound {t} touches it at {words.number(places[t])} and is highest at "
            f"{words.number(places[t + 1])}." for t in range(len(bounds))]
    return drawn, f"{words.curve('The black curve', x, curve)} {' '.join(said)}"


@figure
def costs(tools, unit=1e-3, xlabel="milliseconds of one call"):
    """What a function, its gradient and the first gradient cost, a line for each tool.

    Parameters
    ----------
    tools : dict of str to (float, float, float)
        Times in seconds: of the function, the gradient, and the first gradient.
    unit : float
        Seconds in the unit of the axis.
    xlabel : str

    Returns
    -------
    Figure
    """
    import matplotlib.pyplot as plt
    drawn, axes = plt.subplots(figsize=(6.4, 0.42 * len(tools) + 1.4))
    times = np.array(list(tools.values())) / unit
    rows = np.arange(len(tools))
    axes.hlines(rows, times.min(axis=1), times.max(axis=1), color=PALE, linewidth=2)
    for column, (name, color, marker) in enumerate([
            ("function", BLACK, "|"), ("gradient", BLUE, "o"), ("first gradient", ORANGE, "^")]):
        axes.plot(times[:, column], rows, marker, color=color, linestyle="", label=name,
                  markersize=11 if marker == "|" else 7)
    axes.set_xscale("log")
    axes.set_yticks(rows, list(tools))
    axes.tick_params(axis="y", length=0)
    axes.set(xlabel=xlabel, ylim=(len(tools) - 0.5, -0.5))
    drawn.legend(loc="outside upper center", ncols=3)
    said = [f"{name}: {words.number(f)}, {words.number(g)}, {words.number(first)}"
            for name, (f, g, first) in zip(tools, times, strict=True)]
    return drawn, (f"For each tool three marks on a logarithmic axis, {xlabel}: function, gradient, "
                   f"first gradient. {'; '.join(said)}.")
