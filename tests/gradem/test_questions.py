"""Questions: the answer computed is one of the options, and texts become HTML safely."""

import pytest

from gradem import questions

OPTIONS = {"3": "That is $x < 4$.", "6": "Twice `x`, *surely*."}


def test_the_right_option_is_the_one_computed():
    asked = questions.choice("How much?", OPTIONS, answer=f"{2 * 3.0:g}")
    assert asked.replies() == [("3", "No. That is $x < 4$."),
                               ("6", "Right. Twice `x`, *surely*.")]
    assert str(asked) == ("How much?\na) 3\n   No. That is $x < 4$.\n"
                          "b) 6\n   Right. Twice `x`, *surely*.")


@pytest.mark.parametrize("options, answer, words", [
    (OPTIONS, "7", "'7', which is none"),
    ({"6": "Right."}, "6", "two options"),
    ({"3": "", "6": "b"}, "6", "option '3' .* has no reply"),
])
def test_a_question_that_cannot_be_right_fails(options, answer, words):
    with pytest.raises(ValueError, match=words):
        questions.choice("How much?", options, answer=answer)


def test_formulas_code_and_emphasis_become_html():
    page = questions.choice("Is $a < b$ & `c > d`?", OPTIONS, answer="6")._repr_html_()
    assert r"Is \(a &lt; b\) &amp; <code>c &gt; d</code>?" in page
    assert "<summary>6</summary><p>Right. Twice <code>x</code>, <em>surely</em>.</p>" in page
    assert "tex2jax_process" in page            # else MathJax passes over it in the book


def test_markup_of_others_is_text():
    page = questions.choice("<script>", {"<b>": "x", "y": "<i>z"}, answer="y")._repr_html_()
    assert "<script>" not in page and "<b>" not in page and "<i>" not in page
    assert "&lt;script&gt;" in page and "&lt;i&gt;z" in page


def test_a_program_stands_below_the_question():
    page = questions.choice("What is it?\n```python\na < b\n```", OPTIONS, "6")._repr_html_()
    assert "<p>What is it?</p><pre>a &lt; b\n</pre><ol" in page
