"""Stepped figures: their frames end at what was computed, and are small and the same each time."""

import json

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import jacobian as autograd_jacobian

from gradem import GaussianMixture, KMeans, datasets, steps
from gradem.scene import axis, rounded
from gradem.sparse import sparsity

KB = 1000


def lecture(x1, x2):
    return x1 * x2 + np.sin(x1)


def scene(figure):
    """What the script in a page reads."""
    return json.loads(figure._repr_html_().split('type="application/json">')[1].split("</script>")[0])


def collected(frames, panel, name="set"):
    """What a panel shows after some frames: {(row, column): text}."""
    return {(row, column): rest[0] if rest else True for frame in frames
            for row, column, *rest in frame["panels"][panel].get(name, [])}


@pytest.fixture(scope="module")
def points():
    return datasets.blobs([0.5, 0.3, 0.2], [[0, 0], [4, 1], [1, 4]],
                          [np.eye(2), np.diag([2.0, 0.3]), [[1.0, 0.6], [0.6, 1.0]]], 100, 0)[0]


@pytest.fixture(scope="module")
def fitted(points):
    return GaussianMixture(3, random_state=1, init_params="random_from_data").fit(points)


# ---- the trace ----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [{}, {"tangent": (1.0, 0.0)}, {"adjoint": 1.0}])
@pytest.mark.parametrize("f, point", [
    (lecture, (2.0, 5.0)), (lambda a: a * a, (3.0,)),
    (lambda a, b: np.log(np.exp(a) + np.exp(b)), (0.5, 1.5))])
def test_the_last_frame_shows_the_whole_trace(f, point, mode):
    if "tangent" in mode:
        mode = {"tangent": (1.0,) * len(point)}
    figure = steps.trace(f, *point, **mode)
    frames = scene(figure)["routes"][0]["frames"]
    cells = collected(frames, 0)
    assert [[cells[i, j] for j in range(len(row))]
            for i, row in enumerate(figure.tables[0].rows)] == figure.tables[0].rows


def test_the_way_back_adds_what_each_line_gives():
    frames = scene(steps.trace(lecture, 2.0, 5.0, adjoint=1.0))["routes"][0]["frames"]
    assert len(frames) == 5 + 1 + 3             # five lines, the seed, three lines with arguments
    first_adjoint = [collected(frames[:i + 1], 0).get((0, 3)) for i in range(len(frames))]
    assert first_adjoint[-3:] == [None, f"{np.cos(2.0):.6g}", f"{np.cos(2.0) + 5:.6g}"]
    assert frames[-1]["says"] == ("w3 gives back w3_bar * w2 = 5 to w1_bar and w3_bar * w1 = 2 to "
                                  "w2_bar.")
    assert all(frame["panels"][1].get("back") for frame in frames[6:])


def test_an_operation_with_the_same_argument_twice_gives_back_twice():
    frames = scene(steps.trace(lambda a: a * a, 3.0, adjoint=1.0))["routes"][0]["frames"]
    assert collected(frames, 0)[0, 2] == "w1_bar = w2_bar * w1 + w2_bar * w1"
    assert len(frames[-1]["panels"][1]["edges"]) == 2


def test_lines_that_give_nothing_back_are_passed_over():
    def dead(x):
        np.exp(x)
        return 2.0 * x
    frames = scene(steps.trace(dead, 1.0, adjoint=1.0))["routes"][0]["frames"]
    assert not any("w2 gives" in frame["says"] for frame in frames)
    assert collected(frames, 0)[0, 3] == "2"


def test_arrays_show_their_adjoint_when_it_is_complete():
    frames = scene(steps.trace(lambda x: np.sum(x * np.sin(x)), np.array([1.0, 2.0]),
                               adjoint=1.0))["routes"][0]["frames"]
    seen = [collected(frames[:i + 1], 0).get((0, 3)) for i in range(len(frames))]
    assert seen[-2] == "..." and seen[-1].startswith("[")


def test_a_trace_shows_one_mode():
    with pytest.raises(ValueError, match="one mode"):
        steps.trace(lecture, 1.0, 2.0, tangent=(1.0, 0.0), adjoint=1.0)


# ---- divided differences ------------------------------------------------------------------------


def test_the_error_curve_of_a_cube():
    made = scene(steps.error_curve(lambda x: x**3, 10.0))
    forward, central = made["routes"]
    assert (forward["name"], central["name"]) == ("forward difference", "central difference")
    eps = np.finfo(float).eps
    for route, truncation, rounding in [
            (forward, lambda h: 30 * h, lambda h: 2000 * eps / h),
            (central, lambda h: h**2, lambda h: 1000 * eps / h)]:
        _, one, other = route["still"][0]
        for mark, formula in [(one, truncation), (other, rounding)]:
            h, error = np.transpose(mark["points"])
            assert np.allclose(error, formula(h), rtol=1e-3)
        h, error = np.transpose(route["still"][0][0]["points"])
        # the bound leaves out later terms, large for large h, and the rounding of x + h
        assert np.all(error <= 1.25 * (truncation(h) + rounding(h)))
    h = 10.0**-np.arange(0, 16.5, 0.5)
    assert forward["first"] == np.argmin(30 * h + 2000 * eps / h)


def test_the_digits_are_those_of_the_difference():
    frames = scene(steps.error_curve(lambda x: x**2, 3.0, [1.0, 0.25]))["routes"][0]["frames"]
    cells = collected(frames, 1)
    assert [float(cells[row, 1]) for row in range(5)] == [10.5625, 9.0, 1.5625, 6.25, 6.0]


# ---- Jacobians ----------------------------------------------------------------------------------


def chain(x, np=np):
    return np.concatenate([x[:1]**2, x[1:-1] * x[2:] - x[:-2]**2, x[-1:]**3])


def test_each_sweep_finds_its_entries_and_all_are_found_once():
    x = np.linspace(1.0, 2.0, 7)
    pattern = sparsity(chain, x).toarray()
    made = scene(steps.jacobian(chain, x, sparsity(chain, x)))
    assert made == scene(steps.jacobian(chain, x, pattern.tolist()))
    sweeps = []
    for route in made["routes"]:
        shown = [tuple(place) for frame in route["frames"]
                 for place in frame["panels"][0].get("show", [])]
        assert sorted(shown) == sorted(map(tuple, np.transpose(np.nonzero(pattern)).tolist()))
        sweeps.append(len(route["frames"]) - 1)
    assert sweeps == [7, 7, 3, 3]
    expected = autograd_jacobian(lambda x: chain(x, anp))(x)
    assert np.allclose(made["panels"][0]["values"], expected, rtol=1e-3)


def test_without_a_pattern_all_entries_are_shown():
    made = scene(steps.jacobian(lambda x: x[:2] * x[1:], [1.0, 2.0, 3.0]))
    assert [len(route["frames"]) - 1 for route in made["routes"]] == [3, 2]
    assert len(collected(made["routes"][1]["frames"], 0, "show")) == 6
    assert made["routes"][0]["frames"][2]["panels"][0]["columns"] == [1]
    assert made["routes"][1]["frames"][1]["says"].startswith("Sweep 1 of 2: the seed has its ones "
                                                             "at row 1")


# ---- clustering ---------------------------------------------------------------------------------


def test_em_shows_each_state(points, fitted):
    made = scene(steps.em(points, fitted.history_))
    frames = made["routes"][0]["frames"]
    assert len(frames) == fitted.n_iter_ + 1
    ellipses, pies, crosses = frames[-1]["panels"][0]["marks"]
    for (_, _, a, b, c), mean, covariance in zip(ellipses["of"], fitted.means_,
                                                 fitted.covariances_):
        L = np.array([[a, 0.0], [b, c]])
        assert np.allclose(L @ L.T, covariance, rtol=2e-3)
    assert np.allclose(crosses["points"], fitted.means_, rtol=1e-3)
    assert np.allclose(pies["shares"], fitted.predict_proba(points), atol=1e-3)
    assert f"{100 * fitted.score(points):.2f}" in frames[-1]["says"]


def test_em_of_chosen_iterations_and_kinds_of_covariance(points):
    model = GaussianMixture(2, covariance_type="diag", random_state=0).fit(points)
    made = scene(steps.em(points, model.history_, iterations=[0, 2]))
    assert [frame["says"].split(":")[0] for frame in made["routes"][0]["frames"]] == [
        "EM, iteration 0", "EM, iteration 2"]
    x, y, a, b, c = made["routes"][0]["frames"][-1]["panels"][0]["marks"][0]["of"][0]
    assert b == 0.0 and np.allclose([a**2, c**2], model.history_[2].covariances[0], rtol=2e-3)


def test_kmeans_shows_each_state(points):
    model = KMeans(3, random_state=0, n_init=1, init="random").fit(points)
    frames = scene(steps.kmeans(points, model.history_))["routes"][0]["frames"]
    assert frames[-1]["panels"][0]["marks"][0]["colours"] == model.labels_.tolist()
    moved = np.sum(model.history_[0].labels != model.history_[1].labels)
    assert f"{moved} points changed" in frames[1]["says"]


def test_side_by_side_the_shorter_one_waits(points, fitted):
    model = KMeans(3, random_state=0, n_init=1, init="random", max_iter=3).fit(points)
    em, kmeans = steps.em(points, fitted.history_), steps.kmeans(points, model.history_)
    both = steps.side_by_side(em, kmeans)
    assert both.tables == em.tables + kmeans.tables
    assert str(both) == f"{em}\n\n{kmeans}" and both._repr_html_().count("<table>") == 2
    made = scene(both)
    frames = made["routes"][0]["frames"]
    assert [panel["title"].split(":")[0] for panel in made["panels"]] == [
        "EM", "k-means", "Log likelihood", "Inertia"]
    lengths = [len(fitted.history_), len(model.history_)]
    assert len(frames) == max(lengths) > min(lengths)
    assert frames[-1]["panels"][1] == scene(kmeans)["routes"][0]["frames"][-1]["panels"][0]


# ---- what is kept -------------------------------------------------------------------------------


def test_figures_are_small_and_the_same_each_time(fitted, points):
    geyser = datasets.old_faithful()
    model = GaussianMixture(2, random_state=0, init_params="random_from_data").fit(geyser)
    for make in [lambda: steps.em(geyser, model.history_),
                 lambda: steps.em(points, fitted.history_),
                 lambda: steps.error_curve(np.exp, 1.0),
                 lambda: steps.jacobian(chain, np.linspace(1.0, 2.0, 20))]:
        page = make()._repr_html_()
        assert page == make()._repr_html_()
        assert len(page) < 150 * KB


def test_no_text_ends_the_script():
    figure = steps.trace(lambda x: x * 2.0, 1.0)
    figure.routes[0]["frames"][0]["says"] = "</script><b>"
    page = figure._repr_html_()
    assert page.count("</script>") == 1 and "<b>" not in page
    assert scene(figure)["routes"][0]["frames"][0]["says"] == "</script><b>"


def test_the_table_says_the_same_without_a_script():
    figure = steps.trace(lecture, 2.0, 5.0, adjoint=1.0)
    page = figure._repr_html_()
    for row in figure.tables[0].rows:
        assert all(f"<td>{cell}</td>" in page for cell in row)
    assert str(figure).splitlines()[0].split() == ["trace", "value", "adjoint,", "upwards", "value"]


def test_axes():
    linear = axis("x", [0.0, 10.0])
    assert linear["low"] < 0 and linear["high"] > 10
    assert [value for value, _ in linear["ticks"]] == [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]
    log = axis("h", [3e-9, 0.5], log=True)
    assert (log["low"], log["high"]) == (1e-9, 1.0)
    assert log["ticks"][0][1] in ("10⁻⁹", "10⁻⁸") and len(log["ticks"]) <= 7
    flat = axis("x", [2.0, 2.0])
    assert flat["low"] < 2 < flat["high"]
    assert rounded([[1.23456, 2e-9]], 3) == [[1.23, 2e-9]]
