"""Questions to check oneself: several options, a reply to each, and an answer that is computed.

The right option is not marked by hand. A cell computes it, and if no option is what was computed,
the cell fails, and with it the build of the book. What a notebook keeps is HTML in which each
option unfolds its reply; in the book `book/_static/questions.js` makes a group of radio buttons
of it.
"""

import html
import re


class Question:
    """A question with options; see `choice`."""

    def __init__(self, text, options, answer):
        self.text, self.options, self.answer = text, options, answer

    def replies(self):
        """Each option with what the reader is told who chooses it.

        Returns
        -------
        list of (str, str)
        """
        return [(option, f"{'Right' if option == self.answer else 'No'}. {reply}")
                for option, reply in self.options.items()]

    def __repr__(self):
        lines = [f"{letter}) {option}\n   {reply}"
                 for letter, (option, reply) in zip("abcdefgh", self.replies())]
        return "\n".join([self.text, *lines])

    def _repr_html_(self):
        items = "".join(
            f"<li><details><summary>{_marked(option)}</summary>"
            f"<p>{_marked(reply)}</p></details></li>"
            for option, reply in self.replies())
        text, *program = re.split(r"```(?:python)?\n(.*?)```", self.text, flags=re.DOTALL)
        shown = f"<pre>{html.escape(program[0], quote=False)}</pre>" if program else ""
        return (f'<div class="question tex2jax_process"><p>{_marked(text.strip())}</p>{shown}'
                f'<ol type="a">{items}</ol></div>')


def choice(text, options, answer):
    """A question with one right option.

    Texts may hold formulas between dollars, code between backticks and *emphasis*.

    Parameters
    ----------
    text : str
        It may end with a program between lines of three backticks.
    options : dict of str to str
        Each option, and why it is right or what speaks against it. "Right." or "No." is put
        before it.
    answer : str
        The right option, computed: for a number, with the digits that the options have.

    Returns
    -------
    Question

    Raises
    ------
    ValueError
        If no option is the answer, an option has no reply, or there is only one.

    Examples
    --------
    >>> x = 3.0
    >>> choice("What is the slope of $x^2$ at 3?",
    ...        {"3": "That is x.", "6": "It is 2x."}, answer=f"{2 * x:g}")
    What is the slope of $x^2$ at 3?
    a) 3
       No. That is x.
    b) 6
       Right. It is 2x.
    """
    if len(options) < 2:
        raise ValueError(f"a question needs two options at least: {text!r}")
    if answer not in options:
        raise ValueError(f"the answer computed is {answer!r}, which is none of the options "
                         f"{list(options)} of {text!r}")
    for option, reply in options.items():
        if not reply.strip():
            raise ValueError(f"option {option!r} of {text!r} has no reply")
    return Question(text, options, answer)


def _marked(text):
    """HTML of a text with formulas, code and emphasis."""
    parts = re.split(r"(\$[^$]+\$|`[^`]+`|\*[^*]+\*)", text)
    return "".join(_part(part) for part in parts)


def _part(part):
    inner = html.escape(part[1:-1], quote=False)
    if re.fullmatch(r"\$[^$]+\$", part):
        return rf"\({inner}\)"
    if re.fullmatch(r"`[^`]+`", part):
        return f"<code>{inner}</code>"
    if re.fullmatch(r"\*[^*]+\*", part):
        return f"<em>{inner}</em>"
    return html.escape(part, quote=False)
