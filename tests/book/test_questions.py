"""Questions in a browser: each option has its reply, with and without a script."""

import ast

import pytest

import nb
from gradem import questions

STATIC = nb.ROOT / "book" / "_static"

CHAPTERS = sorted((nb.ROOT / "book").glob("*.ipynb"))

FIRST = questions.choice("How much is $2 + 2$?", {"`3`": "One less.", "`4`": "It is 4."}, "`4`")
SECOND = questions.choice("And 3 + 3?", {"5": "One less.", "6": "It is 6.", "7": "One more."}, "6")


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_chapter_asks_questions_whose_answers_are_computed(path):
    cells = nb.read(path).cells
    asked = [cell for cell in cells if "questions.choice(" in cell.source]
    assert len(asked) >= 3
    assert all("remove-input" in cell.metadata.get("tags", []) for cell in asked)
    assert not any(cell.cell_type == "markdown" and "**Question" in cell.source for cell in cells)


def fallbacks(source):
    """What a question's answer becomes where its computation comes out otherwise."""
    tree = ast.parse(source)
    asked = [node for node in ast.walk(tree) if isinstance(node, ast.Call)
             and ast.unparse(node.func) == "questions.choice"]
    parts = [part for call in asked for part in call.args[2:] + [
        keyword.value for keyword in call.keywords if keyword.arg == "answer"]]
    names = {node.id for part in parts for node in ast.walk(part) if isinstance(node, ast.Name)}
    parts += [node.value for node in ast.walk(tree) if isinstance(node, ast.Assign)
              and any(ast.unparse(target) in names for target in node.targets)]
    return [ast.unparse(node.orelse if isinstance(node, ast.IfExp) else node)
            for part in parts for node in ast.walk(part)
            if isinstance(node, ast.IfExp) or isinstance(node, ast.BoolOp)
            and any(isinstance(value, ast.Constant) for value in node.values)]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_computation_that_comes_out_otherwise_makes_no_other_option_right(path):
    # "?" is no option, so that the cell fails, where another option would be called right
    for cell in nb.read(path).cells:
        if "questions.choice(" in cell.source:
            assert set(fallbacks(cell.source)) <= {"'?'"}, cell.source


@pytest.fixture(scope="module")
def page_of_questions(tmp_path_factory):
    path = tmp_path_factory.mktemp("questions") / "page.html"
    path.write_text(
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Questions</title>'
        f'<link rel="stylesheet" href="{(STATIC / "questions.css").as_uri()}">'
        f'<script src="{(STATIC / "questions.js").as_uri()}"></script>'
        f"<body>{FIRST._repr_html_()}{SECOND._repr_html_()}</body></html>")
    return path.as_uri()


@pytest.fixture
def open_page(browser, page_of_questions):
    contexts = []

    def open_(**options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.goto(page_of_questions)
        return page

    yield open_
    for context in contexts:
        context.close()


def test_the_reply_to_the_option_chosen_is_shown(open_page):
    page = open_page()
    first, second = page.locator(".question").all()
    reply = first.locator("[aria-live]")
    assert reply.inner_text() == ""
    first.get_by_label("3").check()
    assert reply.inner_text() == "No. One less."
    first.get_by_label("4").check()
    assert reply.inner_text() == "Right. It is 4."
    assert second.locator("[aria-live]").inner_text() == ""     # each question is its own group
    for option, words in SECOND.replies():
        second.get_by_label(option).check()
        assert second.locator("[aria-live]").inner_text() == words


def test_questions_are_answered_by_keys(open_page):
    page = open_page()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    assert page.locator("[aria-live]").nth(0).inner_text() == "Right. It is 4."
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert page.locator("[aria-live]").nth(1).inner_text() == "No. One less."


def test_the_options_are_a_group_with_the_question_as_its_name(open_page):
    page = open_page()
    assert page.get_by_role("group", name="And 3 + 3?").get_by_role("radio").count() == 3


def test_without_a_script_each_option_unfolds_its_reply(open_page):
    page = open_page(java_script_enabled=False)
    option = page.get_by_text("5", exact=True)
    reply = page.get_by_text("No. One less.").nth(1)
    assert not reply.is_visible()
    option.click()
    assert reply.is_visible()


def test_formulas_of_questions_are_set(browser, book):
    page = browser.new_page()
    page.goto((book.site / "book" / "02-dual-numbers.html").as_uri())
    page.wait_for_function("window.MathJax && MathJax.startup && MathJax.startup.promise")
    page.evaluate("MathJax.startup.promise")
    replies = page.locator(".question [aria-live] p")
    assert page.locator(".question").count() == 5 and replies.count() == 15
    for option in page.locator(".question input").all():
        option.check()
    assert not any("\\(" in words for words in page.locator(".question").all_text_contents())
    assert page.locator(".question legend mjx-container").count() >= 3
    assert page.locator(".question label mjx-container").count() >= 6
    page.close()
