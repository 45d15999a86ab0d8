"""Stepped figures in a browser: by button, key, slider and address, with and without a script."""

import numpy as np
import pytest

import nb
from gradem import KMeans, GaussianMixture, datasets, sparse, steps

STATIC = nb.ROOT / "book" / "_static"
PHONE, DESK = {"width": 375, "height": 800}, {"width": 1280, "height": 900}


def lecture(x1, x2):
    return x1 * x2 + np.sin(x1)


def band(x):
    return np.concatenate([x[:1], x[1:] * x[:-1]])


@pytest.fixture(scope="module")
def page_of_figures(tmp_path_factory):
    """A page that holds a figure of each kind, as the book would."""
    x = np.linspace(1.0, 2.0, 12)
    X, _ = datasets.blobs([0.5, 0.5], [[0, 0], [3, 3]], [np.eye(2)] * 2, 60, 0)
    mixture = GaussianMixture(2, random_state=0, init_params="random_from_data", tol=1e-5).fit(X)
    clusters = KMeans(2, random_state=0, n_init=1, init="random").fit(X)
    figures = {
        "fig-forward": steps.trace(lecture, 2.0, 5.0, tangent=(1.0, 0.0)),
        "fig-reverse": steps.trace(lecture, 2.0, 5.0, adjoint=1.0),
        "fig-curve": steps.error_curve(lambda x: x**3, 10.0),
        "fig-jacobian": steps.jacobian(lambda x: x[1:] * x[:-1], [1.0, 2.0, 3.0]),
        "fig-band": steps.jacobian(band, x, sparse.sparsity(band, x).toarray()),
        "fig-both": steps.side_by_side(steps.em(X, mixture.history_),
                                       steps.kmeans(X, clusters.history_)),
    }
    body = "".join(f'<figure id="{name}">{figure._repr_html_()}</figure>'
                   for name, figure in figures.items())
    path = tmp_path_factory.mktemp("steppers") / "page.html"
    path.write_text(
        '<!doctype html><html lang="en" data-theme="dark"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>Figures</title>'
        f'<link rel="stylesheet" href="{(STATIC / "stepper.css").as_uri()}">'
        f'<script src="{(STATIC / "stepper.js").as_uri()}"></script>'
        f'<style>figure {{ margin: 0 }}</style><body>{body}</body></html>')
    return path.as_uri()


@pytest.fixture
def open_page(browser, page_of_figures):
    """Open the page; a script's error fails the test."""
    contexts, trouble = [], []

    def open_(fragment="", **options):
        context = browser.new_context(**{"viewport": DESK, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.goto(page_of_figures + fragment)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert trouble == []


def words(figure):
    """What the figure says of its frame."""
    return figure.locator("[aria-live]").inner_text()


def count(figure):
    return figure.locator(".stepper-count").inner_text()


def test_buttons_lead_through_all_frames(open_page):
    figure = open_page().locator("#fig-reverse")
    assert count(figure) == "8 / 8"
    figure.get_by_role("button", name="first").click()
    assert (count(figure), words(figure)) == ("0 / 8", "w1 = x1, which is 2.")
    figure.get_by_role("button", name="next").click()
    assert words(figure) == "w2 = x2, which is 5."
    figure.get_by_role("button", name="back").click()
    assert count(figure) == "0 / 8"
    seen = [words(figure)]
    for _ in range(8):
        figure.get_by_role("button", name="next").click()
        seen.append(words(figure))
    assert len(set(seen)) == 9 and count(figure) == "8 / 8"
    figure.get_by_role("button", name="first").click()
    figure.get_by_role("button", name="last").click()
    assert count(figure) == "8 / 8"


def test_keys_lead_through_all_frames(open_page):
    page = open_page()
    figure = page.locator("#fig-reverse")
    figure.get_by_role("button", name="next").focus()
    for key, place in [("Home", 0), ("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1),
                       ("End", 8), ("ArrowRight", 8)]:
        page.keyboard.press(key)
        assert count(figure) == f"{place} / 8", key
    figure.get_by_role("slider").focus()
    for key, place in [("Home", 0), ("ArrowRight", 1), ("End", 8), ("ArrowLeft", 7)]:
        page.keyboard.press(key)
        assert count(figure) == f"{place} / 8", f"slider, {key}"


def test_the_focus_stays_on_a_button_that_reached_the_end(open_page):
    page = open_page()
    button = page.locator("#fig-reverse").get_by_role("button", name="last")
    button.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "last"


def test_controls_have_names(open_page):
    page = open_page()
    for figure in page.locator("figure").all():
        names = [button.get_attribute("aria-label") for button in figure.locator("button").all()]
        assert names == ["first", "back", "next", "last", "play"]
        assert figure.get_by_role("slider").get_attribute("aria-label")
        for picture in figure.locator(".stepper-panel > svg").all():
            assert words(figure) in picture.get_attribute("aria-label")


def test_a_frame_shows_the_values_found_so_far(open_page):
    figure = open_page("#fig-reverse/7").locator("#fig-reverse")
    cells = figure.locator(".stepper-panel tbody tr").nth(0).locator("td").all_inner_texts()
    assert [cell.strip() for cell in cells] == [
        "w1 = x1", "2", "w1_bar = w4_bar * cos(w1)", "-0.416147"]
    lit = figure.locator("td.lit").all_inner_texts()
    assert lit == ["w1_bar = w4_bar * cos(w1)", "-0.416147", "w4 = sin(w1)"]
    assert figure.locator("circle.lit").count() == 1 and figure.locator("path.edge.lit").count() == 1


def test_an_address_leads_to_a_frame(open_page):
    page = open_page("#fig-both/1")
    assert count(page.locator("#fig-both")).startswith("1 /")
    assert count(page.locator("#fig-reverse")) == "8 / 8"
    page.evaluate("location.hash = '#fig-reverse/2'")
    page.wait_for_function("document.querySelector('#fig-reverse .stepper-count').textContent"
                           " === '2 / 8'")
    page.wait_for_function("Math.abs(document.querySelector('#fig-reverse')"
                           ".getBoundingClientRect().top) < 100")


def test_it_plays_to_the_end_and_a_reader_can_stop_it(open_page):
    page = open_page()
    page.clock.install()
    figure = page.locator("#fig-forward")
    figure.get_by_role("button", name="play").click()
    assert count(figure) == "0 / 4"
    page.clock.run_for(2500)
    assert count(figure) == "2 / 4"
    figure.get_by_role("button", name="pause").click()
    page.clock.run_for(5000)
    assert count(figure) == "2 / 4"
    figure.get_by_role("button", name="play").click()
    page.clock.run_for(60000)
    assert count(figure) == "4 / 4"
    assert figure.get_by_role("button", name="play").is_visible()


def test_readers_who_want_no_motion_are_offered_none(open_page):
    page = open_page(reduced_motion="reduce")
    assert not page.locator("#fig-forward button.play").is_visible()
    assert page.locator("#fig-forward button.next").is_visible()


def test_sweeps_reveal_a_jacobian_in_the_order_chosen(open_page):
    figure = open_page().locator("#fig-jacobian")
    known = figure.locator("rect.known, rect.negative")
    assert known.count() == 6 and count(figure) == "3 / 3"
    figure.get_by_role("combobox").select_option(label="reverse: a row a sweep")
    assert count(figure) == "2 / 2"
    figure.get_by_role("button", name="back").click()
    assert known.count() == 3 and "row 1" in words(figure)
    figure.get_by_role("button", name="first").click()
    assert known.count() == 0


def test_colours_need_fewer_sweeps(open_page):
    figure = open_page().locator("#fig-band")
    choice = figure.get_by_role("combobox")
    sweeps = []
    for option in choice.locator("option").all_inner_texts():
        choice.select_option(label=option)
        sweeps.append(count(figure).split(" / ")[1])
    assert sweeps == ["12", "12", "2", "2"]


def test_pies_and_ellipses(open_page):
    figure = open_page().locator("#fig-both")
    assert figure.locator("path.ellipse").count() == 4          # two components, two deviations
    assert figure.locator("path.cross").count() == 4            # and the centres of k-means
    drawn = figure.locator("svg svg").nth(0).locator("path.f0, path.f1, circle.f0, circle.f1")
    assert drawn.count() >= 60


@pytest.mark.parametrize("viewport", [PHONE, DESK])
def test_nothing_is_wider_than_the_window(open_page, viewport):
    page = open_page(viewport=viewport)
    assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]


def test_without_a_script_there_are_tables(open_page):
    page = open_page(java_script_enabled=False)
    assert page.locator("table").count() == 7           # EM and k-means have one each
    assert all(table.is_visible() for table in page.locator("table").all())
    assert page.locator("button").count() == 0


def test_the_table_is_on_paper(open_page):
    page = open_page()
    table = page.locator("#fig-reverse .stepper-table table")
    assert not table.is_visible()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert table.is_visible()
    assert not page.locator("#fig-reverse .stepper-controls").is_visible()


# ---- EM and k-means side by side, by keys, address, without a script, on paper -------------------


@pytest.fixture
def both(open_page):
    """Open the page with EM and k-means; the figure, its page, and the number of its last frame."""
    def open_(fragment="", **options):
        page = open_page(fragment, **options)
        figure = page.locator("#fig-both")
        return page, figure, int(count(figure).split(" / ")[1])
    return open_


def stops_of_tab(page):
    """What Tab stops at within the figure, from the top of the page."""
    stops = []
    for _ in range(100):
        page.keyboard.press("Tab")
        stop = page.evaluate("""() => {
            const at = document.activeElement;
            return at.closest("#fig-both") && (at.getAttribute("aria-label") || at.textContent);
        }""")
        if stop:
            stops.append(stop)
        elif stops:
            break
    return stops


def test_em_is_walked_through_with_no_other_than_keys(both):
    page, figure, last = both()
    page.clock.install()
    assert stops_of_tab(page) == ["first", "back", "next", "last", "play", "iteration",
                                  "The same as a table"]
    for _ in range(3):                                          # to the button that plays
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    assert count(figure) == f"0 / {last}" and words(figure).startswith("EM, iteration 0:")
    page.clock.run_for(1300)
    assert count(figure) == f"1 / {last}" and words(figure).startswith("EM, iteration 1:")
    page.keyboard.press("Space")
    page.clock.run_for(60000)
    assert count(figure) == f"1 / {last}"
    for key, place in [("ArrowRight", 2), ("End", last), ("ArrowLeft", last - 1), ("Home", 0)]:
        page.keyboard.press(key)
        assert count(figure) == f"{place} / {last}", key


def test_every_iteration_of_em_has_an_address(both):
    page, figure, last = both()
    heights = []
    for t in range(last + 1):
        page.evaluate(f"location.hash = '#fig-both/{t}'")
        page.wait_for_function("document.querySelector('#fig-both .stepper-count').textContent"
                               f" === '{t} / {last}'")
        assert words(figure).startswith(f"EM, iteration {t}:")
        progress = figure.locator(".stepper-panel").nth(2)
        assert progress.locator(".stepper-title").inner_text() == "Log likelihood"
        heights.append(float(progress.locator("circle").get_attribute("cy")))
    assert last > 3 and heights == sorted(heights, reverse=True)        # it climbs on the paper


@pytest.mark.parametrize("fragment, place", [("#fig-both/99", "last"), ("#fig-both/x", 0)])
def test_an_address_that_there_is_not_leads_to_an_end(both, fragment, place):
    _, figure, last = both(fragment)
    assert count(figure) == f"{last if place == 'last' else place} / {last}"


def test_without_a_script_every_iteration_of_both_is_in_a_table(both, open_page):
    _, _, last = both()
    page = open_page(java_script_enabled=False)
    for number, name in enumerate(["EM", "k-means"]):
        table = page.locator("#fig-both table").nth(number)
        assert table.locator("caption").inner_text() == f"{name} by iterations"
        first = table.locator("tbody td:first-child").all_inner_texts()
        iterations = [int(text) for text in first if text.strip()]
        assert iterations == list(range(len(iterations))) and len(iterations) > 2
        assert name != "EM" or iterations[-1] == last


def test_both_tables_are_on_paper(both):
    page, figure, _ = both()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert [table.is_visible() for table in figure.locator("table").all()] == [True, True]
    assert not figure.locator(".stepper-controls").is_visible()
    assert all(picture.is_visible() for picture in figure.locator(".stepper-panel > svg").all())


def test_without_motion_tab_passes_no_button_that_plays(both):
    page, figure, last = both("#fig-both/1", reduced_motion="reduce")
    assert "play" not in stops_of_tab(page)
    assert count(figure) == f"1 / {last}"


def test_on_a_phone_pictures_are_large_and_buttons_apart(both):
    _, figure, _ = both(viewport=PHONE)
    sizes = [picture.bounding_box() for picture in figure.locator(".stepper-panel > svg").all()]
    assert len(sizes) == 4 and min(size["width"] for size in sizes) > 0.75 * PHONE["width"]
    buttons = [button.bounding_box() for button in figure.locator("button").all()]
    assert all(box["width"] >= 40 and box["height"] >= 38 for box in buttons)
    assert all(b["x"] >= a["x"] + a["width"] for a, b in zip(buttons, buttons[1:]))
