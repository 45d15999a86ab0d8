"""The figures on clustering show the data they are given."""

import matplotlib
import numpy as np
import pytest
from matplotlib.collections import PatchCollection, PathCollection
from matplotlib.colors import to_rgb
from matplotlib.transforms import Affine2D

from gradem import gaussian, plots

matplotlib.use("agg")

X = np.random.default_rng(0).normal(size=(12, 2))
R = np.random.default_rng(1).dirichlet([1, 1, 1], size=12)
MEANS = np.array([[0.0, 0.0], [2.0, 1.0], [-1.0, 1.0]])
COVARIANCES = np.array([[[1.0, 0.5], [0.5, 1.0]], np.eye(2), [[0.3, 0.0], [0.0, 2.0]]])


def scattered(axes):
    return [c for c in axes.collections if isinstance(c, PathCollection)]


def test_colours_are_mixed_by_responsibility():
    pure = plots.blend(np.eye(3))
    assert pure == pytest.approx(np.array([to_rgb(c) for c in plots.COMPONENTS]))
    assert plots.blend(np.array([[0.5, 0.5, 0.0]]))[0] == pytest.approx((pure[0] + pure[1]) / 2)


def test_a_mixture_shows_its_points_its_means_and_its_ellipses():
    axes = plots.mixture(X, R, MEANS, COVARIANCES, xlabel="minutes").axes[0]
    (dots,) = scattered(axes)
    assert np.asarray(dots.get_offsets()) == pytest.approx(X)
    assert dots.get_facecolors()[:, :3] == pytest.approx(plots.blend(R))
    for k in range(3):
        one, two, mean = axes.lines[3 * k:3 * k + 3]
        assert mean.get_xydata()[0] == pytest.approx(MEANS[k])
        for line, deviations in [(one, 1.0), (two, 2.0)]:
            assert line.get_xydata() == pytest.approx(
                gaussian.ellipse(MEANS[k], COVARIANCES[k], deviations))
    assert axes.get_xlabel() == "minutes"


def test_more_components_than_colours_are_all_drawn():
    means = np.arange(10.0).reshape(5, 2)
    drawn = plots.fits(X, np.zeros(12, dtype=int), {"five": (means, [np.eye(2)] * 5)})
    ends = [line.get_xydata()[0] for line in drawn.axes[0].lines[2::3]]
    assert np.array(ends) == pytest.approx(means)


def assert_pies(axes, X, responsibilities, radius):
    """Slice k of each pie has component k's colour, its share of the circle, and its place."""
    slices = [c for c in axes.collections if isinstance(c, PatchCollection)]
    assert len(slices) == responsibilities.shape[1]
    for one, colour, shares in zip(slices, plots.COMPONENTS, responsibilities.T):
        assert to_rgb(one.get_facecolor()[0]) == to_rgb(colour)
        for path, centre, share in zip(one.get_paths(), X, shares):
            # Matplotlib straightens arcs to a fraction of a pixel: enlarge them first
            corners = path.to_polygons(Affine2D().scale(1e4))[0] / 1e4
            assert area(corners) == pytest.approx(np.pi * radius**2 * share, rel=1e-3)
            assert np.linalg.norm(corners - centre, axis=1).max() == pytest.approx(radius, rel=1e-3)


def test_pies_are_cut_by_responsibility():
    axes = plots.pies(X, R, MEANS, COVARIANCES, radius=0.1).axes[0]
    assert_pies(axes, X, R, 0.1)
    assert axes.get_aspect() == 1


def test_the_first_slice_begins_at_twelve_and_runs_against_the_clock():
    axes = plots.pies(np.zeros((1, 2)), np.array([[0.25, 0.75]]), MEANS[:2], COVARIANCES[:2],
                      radius=1.0).axes[0]
    quarter = next(c for c in axes.collections if isinstance(c, PatchCollection)).get_paths()[0]
    assert quarter.vertices.min(axis=0) == pytest.approx([-1.0, 0.0], abs=1e-9)
    assert quarter.vertices.max(axis=0) == pytest.approx([0.0, 1.0], abs=1e-9)


def area(polygon):
    x, y = polygon.T
    return abs(np.sum(x * np.roll(y, 1) - np.roll(x, 1) * y)) / 2


def test_points_carry_their_labels():
    labels = np.arange(12) % 3
    axes = plots.points(X, labels).axes[0]
    for k, dots in enumerate(scattered(axes)):
        assert np.asarray(dots.get_offsets()) == pytest.approx(X[labels == k])
    (dots,) = scattered(plots.points(X).axes[0])
    assert np.asarray(dots.get_offsets()) == pytest.approx(X)


def test_each_state_has_its_panel_on_the_same_axes():
    states = {f"step {t}": (np.roll(R, t, axis=1), MEANS + t, COVARIANCES) for t in range(5)}
    panels = plots.em_steps(X, states, radius=0.1).axes
    assert [axes.get_title() for axes in panels] == list(states)
    assert len({axes.get_xlim() for axes in panels}) == 1
    for t, axes in enumerate(panels):
        assert axes.lines[2].get_xydata()[0] == pytest.approx(MEANS[0] + t)
        assert_pies(axes, X, np.roll(R, t, axis=1), 0.1)


def test_only_the_collapsing_component_has_a_colour():
    axes = plots.collapsing(X, MEANS, COVARIANCES, k=1).axes[0]
    (dots,) = scattered(axes)
    assert np.asarray(dots.get_offsets()) == pytest.approx(X)
    centres = {tuple(line.get_xydata()[0]): line.get_color() for line in axes.lines[2::3]}
    assert centres == {tuple(MEANS[0]): plots.GREY, tuple(MEANS[2]): plots.GREY,
                       tuple(MEANS[1]): plots.VERMILION}
    assert axes.lines[-3].get_xydata() == pytest.approx(
        gaussian.ellipse(MEANS[1], COVARIANCES[1], 1.0))


def test_the_climb_shows_heights_and_gains():
    heights = [-9.0, -4.0, -3.0, -2.5]
    above, below = plots.climb(heights).axes
    assert above.lines[0].get_xydata() == pytest.approx(np.c_[range(4), heights])
    assert below.lines[0].get_xydata() == pytest.approx(np.c_[[1, 2, 3], [5.0, 1.0, 0.5]])
    assert below.get_yscale() == "log"


def test_the_bound_is_marked_before_and_after_the_step():
    along = np.linspace(-1, 2, 31)
    likelihood, lower = along**2, -along**2
    axes = plots.bound(along, likelihood, lower).axes[0]
    curves = {line.get_label(): line.get_xydata() for line in axes.lines}
    assert curves["log likelihood"] == pytest.approx(np.c_[along, likelihood])
    assert curves["lower bound"] == pytest.approx(np.c_[along, lower])
    marks = [line.get_xydata() for line in axes.lines if line.get_marker() == "o"]
    assert marks[0] == pytest.approx(np.array([[0, 0], [1, 1]]))
    assert marks[1] == pytest.approx(np.array([[0, 0], [1, -1]]))


def test_lower_bounds_touch_at_their_places_and_lead_to_the_next_one():
    x = np.linspace(-2, 2, 41)
    heights, bounds = -x**2, [-x**2 - (x - 1)**2, -x**2 - (x - 0.5)**2]
    axes = plots.lower_bounds(x, heights, bounds, [1.0, 0.5, 0.2], xlabel="x").axes[0]
    marks = {line.get_marker(): [] for line in axes.lines}
    for line in axes.lines:
        marks[line.get_marker()].append(line.get_xydata()[0].tolist())
    assert marks["o"] == [pytest.approx([1.0, -1.0]), pytest.approx([0.5, -0.25])]
    assert marks["^"] == [pytest.approx([0.5, -0.5]), pytest.approx([0.2, -0.13])]


def test_a_landscape_is_as_high_as_the_density_of_its_mixture():
    weights, apart = [0.5, 0.3, 0.2], 10.0 * MEANS
    drawn = plots.landscape(weights, apart, COVARIANCES)
    flat, high = drawn.axes
    assert [text.get_text() for text in flat.texts] == ["0.5", "0.3", "0.2"]
    assert [text.get_position() for text in flat.texts] == [tuple(mean) for mean in apart]
    tops = [weight * np.exp(gaussian.log_density(mean[None], mean, covariance)[0])
            for weight, mean, covariance in zip(weights, apart, COVARIANCES)]
    assert high.get_zlim()[1] == pytest.approx(max(tops), rel=0.05)
    said = drawn.words.partition("summits of ")[2].replace(" and ", ", ")
    found = sorted(float(part.split(" at ")[0]) for part in said.split("), "))
    assert found == pytest.approx(sorted(tops), rel=0.15)
