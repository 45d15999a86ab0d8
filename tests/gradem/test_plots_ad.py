"""The figures of part I show the data they are given: curves, marks, names and bands."""

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from gradem import plots
from gradem.trace import trace

matplotlib.use("agg")


def curve(axes, name):
    """The ordinates of the line with this label, with its abscissae."""
    line, = [line for line in axes.lines if line.get_label() == name]
    return np.asarray(line.get_xdata(), dtype=float), np.asarray(line.get_ydata(), dtype=float)


def words(axes):
    return [text.get_text() for text in axes.texts]


def cube(x):
    return x**3


STEPS = np.logspace(-8, 0, 9)


def test_a_figure_is_closed_and_leaves_the_settings_alone():
    import matplotlib.pyplot as plt
    before = dict(matplotlib.rcParams)
    drawn = plots.two_routes()
    assert isinstance(drawn, Figure)
    assert plt.get_fignums() == []
    assert dict(matplotlib.rcParams) == before


def test_colours_stay_apart_in_grey_print():
    grey = sorted(np.dot(to_rgb(colour), [0.299, 0.587, 0.114])
                  for colour in (plots.BLACK, plots.BLUE, plots.VERMILION, plots.ORANGE))
    assert np.diff(grey).min() > 0.1


def test_two_routes_name_both_ways_to_a_program_for_the_derivative():
    text = " ".join(words(plots.two_routes().axes[0]))
    for word in ("formula", "program", "differentiate", "AD"):
        assert word in text


def test_two_tools_say_what_goes_to_the_compiler():
    drawn = plots.two_tools()
    text = " ".join(words(drawn.axes[0]))
    for word in ("function.c", "diff_function.c", "function.cpp", "Number", "AD tool", "overloading"):
        assert word in text
    assert text.count("compiler") == text.count("program") == 2 and "diff_function.c" in drawn.words


def test_newton_steps_run_from_the_curve_to_the_axis():
    points = [2.0, 1.5, 1.2]
    axes, = plots.newton_steps(cube, points, (0.5, 2.5)).axes
    for n in (0, 1):
        x, y = curve(axes, f"tangent {n}")
        assert x.tolist() == points[n:n + 2]
        assert y.tolist() == [cube(points[n]), 0.0]
    assert {"$x_0$", "$x_1$", "$x_2$", "$f$"} <= set(words(axes))


def test_secants_meet_the_curve_in_both_points_and_the_tangent_has_its_slope():
    axes, = plots.secants(cube, 0.5, [0.8, 0.2], 0.75, (0.0, 2.0)).axes
    for h in (0.8, 0.2):
        x, y = curve(axes, f"h = {h:g}")
        line = np.poly1d(np.polyfit(x, y, 1))
        assert line([0.5, 0.5 + h]) == pytest.approx([cube(0.5), cube(0.5 + h)])
    x, y = curve(axes, "tangent")
    assert np.diff(y) / np.diff(x) == pytest.approx([0.75])
    assert "secant, $h = 0.2$" in words(axes)


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_lines_are_named_and_their_names_apart(scale):
    drawn = plots.lines([1, 2, 3], {"up": [1, 2, 4], "also up": [1, 2, 4.001]}, "n", "count", scale)
    axes, = drawn.axes
    assert curve(axes, "up")[1].tolist() == [1, 2, 4]
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_yscale()) == ("n", "count", scale)
    drawn.draw_without_rendering()
    low, high = sorted(text.get_window_extent().y0 for text in axes.texts)
    assert words(axes) == ["up", "also up"]
    assert high - low > 11 * drawn.dpi / 72      # the height of the type


def test_what_was_measured_is_shown_as_dots_and_what_was_computed_as_a_line():
    axes, = plots.lines([1, 2, 3], {"seen": [1, 0, 2], "fit": [1, 1, 1]}, "t", "y", dots=["seen"]).axes
    drawn = {line.get_label(): (line.get_linestyle(), line.get_marker()) for line in axes.lines}
    assert drawn == {"seen": ("None", "o"), "fit": ("--", "None")}


def test_error_curves_leave_a_gap_where_the_error_is_zero():
    errors = STEPS.copy()
    errors[3] = 0.0
    axes, = plots.error_curves(STEPS, {"here": errors}, "error").axes
    x, y = curve(axes, "here")
    assert x.tolist() == STEPS.tolist()
    assert np.isnan(y[3]) and y[4] == errors[4]
    assert axes.get_xscale() == axes.get_yscale() == "log"
    assert words(axes) == ["here"]


def test_error_curves_shade_the_bands_and_mark_the_best_step_on_the_curve():
    drawn = plots.error_curves(STEPS, {"here": 10 * STEPS}, "error", useless=1.0, desired=1e-6,
                               best={"here": 1e-4})
    axes, = drawn.axes
    assert {"useless", "desired"} <= set(words(axes))
    upper, lower = [patch.get_extents().transformed(axes.transData.inverted())
                    for patch in axes.patches]
    assert upper.y0 == pytest.approx(1.0) and upper.y1 == pytest.approx(axes.get_ylim()[1])
    assert lower.y1 == pytest.approx(1e-6) and lower.y0 == pytest.approx(axes.get_ylim()[0])
    assert axes.collections[0].get_offsets().data == pytest.approx(np.array([[1e-4, 1e-3]]))


def test_error_parts_add_up_to_the_bound():
    truncation, rounding = 30 * STEPS, 1e-13 / STEPS
    errors = truncation / 2
    axes, = plots.error_parts(STEPS, errors, truncation, rounding, best=1e-7).axes
    assert curve(axes, "measured")[1] == pytest.approx(errors)
    total = curve(axes, "truncation")[1] + curve(axes, "rounding")[1]
    assert curve(axes, "bound")[1] == pytest.approx(total)
    assert curve(axes, "best step")[0].tolist() == [1e-7, 1e-7]
    assert set(words(axes)) == {"truncation", "rounding", "best step"}


def test_tangent_map_draws_argument_tangent_and_result_as_arrows():
    axes, = plots.tangent_map(cube, 1.0, 0.5, 1.0, 1.5, (0.0, 2.0)).axes
    arrows = [(text.xyann, text.xy) for text in axes.texts if text.get_text() == ""]
    assert arrows == [((1.0, 0.0), (1.5, 0.0)), ((1.0, 1.0), (1.5, 2.5)),
                      ((0.0, 1.0), (0.0, 2.5))]
    assert any(r"\dot{x}" in text for text in words(axes))


def test_values_stand_above_slopes():
    x = np.linspace(0.0, 1.0, 5)
    above, below = plots.values_and_slopes(x, {"f": x**2}, {"f'": 2 * x}).axes
    assert curve(above, "f")[1].tolist() == (x**2).tolist()
    assert curve(below, "f'")[1].tolist() == (2 * x).tolist()
    assert (above.get_ylabel(), below.get_ylabel()) == ("value", "slope")
    assert (words(above), words(below)) == (["f"], ["f'"])


# ---- the graph of a program -----------------------------------------------------------------


def lecture(x1, x2):
    return x1 * x2 + np.sin(x1)


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_the_graph_shows_lines_partials_and_the_numbers_of_the_mode():
    shown = trace(lecture, 2.0, 5.0, tangent=(1.0, 0.0), adjoint=1.0)
    forward = texts(plots.computational_graph(shown, "forward"))
    reverse = texts(plots.computational_graph(shown, "reverse"))
    plain = texts(plots.computational_graph(shown))
    for said in (forward, reverse, plain):
        assert {"$w_{1}$", "$w_{5}$", "w1 * w2 = 10", "sin(w1) = 0.9093"} <= set(said)
    assert r"$\dot w_{5}$ = 4.584" in forward and r"$\bar w_{1}$ = 4.584" in reverse
    for said in (forward, reverse):
        assert {"5", "2", "-0.4161"} <= set(said)      # the partial derivatives on the edges
    assert not any("dot" in text or "bar" in text for text in plain)


@pytest.mark.parametrize("f, point", [
    (lecture, (2.0, 5.0)), (lambda a, b, c, d: a * b * c * d + a, (1.0, 2.0, 3.0, 4.0)),
    (lambda a, b: np.log(np.exp(a) + np.exp(b)), (1.0, 2.0)), (lambda a: a * a, (3.0,))])
def test_no_two_vertices_of_the_graph_share_a_place_and_arrows_go_up(f, point):
    shown = trace(f, *point, adjoint=1.0)
    axes = plots.computational_graph(shown, "reverse").axes[0]
    centres = [tuple(np.ravel(line.get_xydata())) for line in axes.lines]
    assert len(set(centres)) == len(shown.lines)
    for edge in shown.edges:
        assert centres[edge.end][1] > centres[edge.start][1]


def test_no_edge_of_the_graph_runs_into_the_words_of_an_input():
    shown = trace(lecture, 1.0, 2.0, adjoint=1.0)
    axes = plots.computational_graph(shown, "reverse").axes[0]
    axes.figure.draw_without_rendering()
    lowest = min(axes.transData.transform(line.get_xydata())[0, 1] for line in axes.lines)
    words = {text.get_text(): text.get_window_extent().y1 for text in axes.texts}
    assert words["x1 = 1"] < lowest and words[r"$\bar w_{2}$ = 1"] < lowest
    assert words["sin(w1) = 0.8415"] > lowest


def test_a_graph_needs_what_its_mode_shows():
    with pytest.raises(ValueError, match="no tangents"):
        plots.computational_graph(trace(lecture, 1.0, 2.0), "forward")
    with pytest.raises(ValueError, match="no adjoints"):
        plots.computational_graph(trace(lecture, 1.0, 2.0), "reverse")


def test_directions_puts_a_dot_for_each_slope_on_the_cosine_of_the_gradient():
    angles = np.arange(0, 360, 30)
    gradient = np.array([3.0, 4.0])
    slopes = gradient @ [np.cos(np.radians(angles)), np.sin(np.radians(angles))]
    drawn = plots.directions(lambda x1, x2: 3 * x1 + 4 * x2, (1.0, 2.0), gradient, angles, slopes)
    _, below = drawn.axes
    curve, dots = below.lines[1], below.lines[2]
    assert np.allclose(dots.get_ydata(), slopes)
    assert np.allclose(np.interp(angles, *curve.get_data()), slopes, atol=0.01)
    assert "53.1 degrees" in drawn.words


def test_a_syntax_tree_has_operations_above_names_and_a_leaf_for_each_mention():
    drawn = plots.syntax_tree("x1 * x2 + np.sin(x1)")
    heights = {}
    for text in drawn.axes[0].texts:
        heights.setdefault(text.get_text(), []).append(text.get_position()[1])
    assert len(heights["x1"]) == 2
    assert heights["+"] == [0] and heights["*"] == heights["np.sin"] == [-1]
    assert set(heights["x1"] + heights["x2"]) == {-2}
    assert len(drawn.axes[0].lines) == 5
    assert "+ above * and np.sin" in drawn.words


def test_costs_stand_on_one_line_for_each_tool():
    drawn = plots.costs({"ours": (1e-4, 4e-4, 5e-4), "theirs": (2e-4, 3e-4, 0.4)})
    axes = drawn.axes[0]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["ours", "theirs"]
    marks = {line.get_label(): line.get_xdata().tolist() for line in axes.lines}
    assert marks["function"] == pytest.approx([0.1, 0.2])
    assert marks["gradient"] == pytest.approx([0.4, 0.3])
    assert marks["first gradient"] == pytest.approx([0.5, 400.0])
