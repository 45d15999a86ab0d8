"""The results of a run of `autodiff` as a Markdown table, and as a figure for the book."""

import numpy as np

COLUMNS = ("f", "autograd", "PyTorch", "JAX", "JAX jit", "differences", "by hand")
ACCURACY = 1e-12                               # the goal, relative


def ratio(result, name):
    """gradem's time divided by that of a peer, or None if one of them was not timed."""
    times = result["seconds"]
    return times["gradem"] / times[name] if name in times and "gradem" in times else None


def missed(result):
    """The names of the peers for which the goal is missed, with ratio and goal."""
    return {name: (value, goal) for name, goal in result["goals"].items()
            if (value := ratio(result, name)) is not None and value > goal}


def short(number, digits=2):
    """A number with so many significant digits and no exponent."""
    return np.format_float_positional(number, precision=digits, fractional=False, trim="-")


def duration(seconds):
    """A time in the unit that suits it."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            break
    return f"{short(seconds / size)} {unit}"


def cell(result, name):
    """A ratio with its goal in brackets."""
    value = ratio(result, name)
    if value is None:
        return "–"
    # the third digit says by how much a goal is missed
    text = short(value, 3 if name in missed(result) else 2)
    text += "*" if name in result["timed once"] else ""
    if name in result["goals"]:
        text += f" ({result['goals'][name]:g})"
    return f"**{text}**" if name in missed(result) else text


def markdown(run):
    """The whole report.

    Parameters
    ----------
    run : dict
        The results, as `autodiff` writes them to autodiff.json.

    Returns
    -------
    str
    """
    header = ["problem", "time of f", *(f"/ {name}" for name in COLUMNS)]
    lines = ["gradem's time divided by that of f, the function itself, and of each peer: below 1",
             "gradem is faster. In brackets the goal, the largest ratio aimed at; a ratio beyond",
             "its goal is in bold type.", "",
             "| " + " | ".join(header) + " |",
             "|---|" + "---:|" * (len(header) - 1)]
    for result in run["problems"]:
        cells = [result["name"], duration(result["seconds"]["f"]),
                 *(cell(result, name) for name in COLUMNS)]
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", *notes(run)]
    return "\n".join(lines)


def notes(run):
    """What the table does not hold, a line each."""
    results = run["problems"]
    goals = sum(len(set(r["goals"]) & set(r["seconds"])) for r in results)
    failed = sum(len(missed(r)) for r in results)
    yield f"- Goals: {goals - failed} of {goals} met, {failed} missed."
    for result in results:
        for name in result["goals"].keys() - set(COLUMNS):
            if ratio(result, name) is not None:
                yield f"- {result['name']} / {name}: {cell(result, name)}."
    yield memory_note(run["memory"])
    yield from accuracy_notes(results)
    compiled = {r["name"]: r["first call, seconds"]["JAX jit"] for r in results
                if "JAX jit" in r["first call, seconds"]}
    if compiled:
        slowest = max(compiled, key=compiled.get)
        yield (f"- JAX jit compiles in {duration(min(compiled.values()))} to "
               f"{duration(compiled[slowest])} ({slowest}); its ratios are without compilation.")
    if any(result["timed once"] for result in results):
        yield "- With a star: so slow that it was timed only once."
    reasons = {}
    for result in results:
        for name, reason in result["skipped"].items():
            reasons.setdefault((result["name"], reason), []).append(name)
    for (problem, reason), names in reasons.items():
        yield f"- Not timed, {problem}: {', '.join(names)}: {reason}."
    for name, reason in run["missing"].items():
        yield f"- Without {name}: {reason}."
    yield (f"- Medians of {run['rounds']} rounds, CPU time, one thread, float64, "
           f"{run['machine']['processor']}, {run['machine']['system']}, "
           f"Python {run['machine']['python']}, "
           + ", ".join(f"{name} {version}" for name, version in run["versions"].items()) + ".")


def accuracy_notes(results):
    """How far gradem's answers are from others, with the goal and whether it is met."""
    for name, other in (("gradem", "derivatives by hand"), ("gradem and JAX", "those of JAX")):
        errors = [r["error"][name] for r in results if name in r["error"]]
        if errors:
            yield (f"- gradem's answers differ from {other} by at most {max(errors):.0e}, "
                   f"relative (goal {ACCURACY:g}: "
                   f"{'met' if max(errors) <= ACCURACY else 'missed'}).")


def memory_note(memory):
    """The peaks of memory, with the goal and whether it is met."""
    sizes = {name: f"{size / 1e6:.1f} MB" for name, size in memory["bytes"].items()}
    text = (f"- Peak memory of one gradient, {memory['name']}: "
            + ", ".join(f"{name} {size}" for name, size in sizes.items()) + ".")
    for name, goal in memory["goals"].items():
        if name in memory["bytes"]:
            value = memory["bytes"]["gradem"] / memory["bytes"][name]
            text += (f" gradem / {name}: {short(value)} (goal {goal:g}: "
                     f"{'met' if value <= goal else 'missed'}).")
    return text + " What PyTorch and JAX allocate is not seen."


def figure(run):
    """One dot for each problem and peer, and a tick where the goal is.

    Parameters
    ----------
    run : dict
        As for `markdown`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from gradem import plots
    compared = [result for result in run["problems"] if set(COLUMNS[1:]) & set(result["seconds"])]
    return plots.figure(draw)(compared)


def draw(results):
    """The figure itself."""
    import matplotlib.pyplot as plt
    from gradem.plots import BLACK, BLUE, GREY, ORANGE, PALE, VERMILION
    styles = {                                 # the marks differ in colour, shape and filling
        "autograd": (VERMILION, "o", "full"),
        "PyTorch": (BLUE, "s", "full"),
        "JAX": (ORANGE, "^", "full"),
        "JAX jit": (BLACK, "D", "none"),
        "differences": (GREY, "X", "full"),
        "by hand": (BLACK, "+", "full"),
    }
    drawn, axes = plt.subplots(figsize=(6.4, 0.36 * len(results) + 1.3))
    for row in range(0, len(results), 2):
        axes.axhspan(row - 0.5, row + 0.5, color=PALE, alpha=0.5, linewidth=0)
    axes.axvline(1.0, color=GREY, linewidth=1.0, linestyle="-")
    for height, (name, (color, marker, fill)) in zip(
            np.linspace(-0.28, 0.28, len(styles)), styles.items(), strict=True):
        dots = [(value, row + height) for row, result in enumerate(results)
                if (value := ratio(result, name)) is not None]
        goals = [(result["goals"][name], row + height) for row, result in enumerate(results)
                 if name in result["goals"]]
        style = {"color": color, "linestyle": "none"}
        axes.plot(*zip(*dots, strict=True), marker, fillstyle=fill, label=name, **style)
        if goals:
            axes.plot(*zip(*goals, strict=True), "|", markersize=9, **style)
    axes.plot([], [], "|", markersize=9, color=GREY, linestyle="none",
              label="goal, in the colour of the peer")
    axes.set_xscale("log")
    axes.set_yticks(range(len(results)), [result["name"] for result in results], fontsize=9)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(results) - 0.5, -0.5)
    axes.set_xlabel("gradem's time / peer's time")
    axes.xaxis.set_major_formatter("{x:g}")
    for text, side in (("gradem is faster  ", "right"), ("  the peer is faster", "left")):
        axes.annotate(text, (1.0, 1.01), xycoords=("data", "axes fraction"), fontsize=10,
                      horizontalalignment=side)
    drawn.legend(loc="outside upper center", ncols=3, fontsize=9)
    return drawn
