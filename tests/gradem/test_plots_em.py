"""The figures on clustering show the data they are given."""

import matplotlib
import numpy as np
import pytest
from matplotlib.collections import PatchCollection, PathCollection
from matplotlib.colors import to_rgb

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


def test_pies_are_cut_by_responsibility():
    axes = plots.pies(X, R, MEANS, COVARIANCES, radius=0.1).axes[0]
    slices = [c for c in axes.collections if isinstance(c, PatchCollection)]
    assert len(slices) == 3
    for k, one in enumerate(slices):
        assert to_rgb(one.get_facecolor()[0]) == to_rgb(plots.COMPONENTS[k])
        for path, centre, share in zip(one.get_paths(), X, R[:, k]):
            # a sector's area is its share of the circle; Bezier arcs are accurate to 1e-3
            assert area(path.to_polygons()[0]) == pytest.approx(np.pi * 0.1**2 * share, rel=0.02,
                                                                abs=1e-5)


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
    states = {f"step {t}": (R, MEANS + t, COVARIANCES) for t in range(5)}
    drawn = plots.em_steps(X, states)
    panels = drawn.axes
    assert len(panels) == 5
    assert [axes.get_title() for axes in panels] == list(states)
    assert len({axes.get_xlim() for axes in panels}) == 1
    for t, axes in enumerate(panels):
        assert axes.lines[2].get_xydata()[0] == pytest.approx(MEANS[0] + t)
