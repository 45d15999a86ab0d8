"""Write book/kill-table.md: each wrong answer, the check that catches it, and what it says.

The wrong answers are those of solutions/*/answers.toml. Each is put in the place of the
solution and goes through the real sandbox and the real judge, as in a rehearsal; the table
says which test cell failed first, and with which words. The page is committed: a test
compares it with answers.toml, and the rehearsal among the tests tries all answers anew.

    python tools/kill_table.py       write the page (some seconds an assignment)
"""

import re
import sys

import nbformat

import nb

PAGE = nb.ROOT / "book" / "kill-table.md"
LONGEST = 240                       # letters of a message

HEAD = """\
# Which check catches which mistake

<!-- Made by tools/kill_table.py from solutions/*/answers.toml; do not edit. -->

For every exercise the course keeps wrong answers, mistakes that learners really make. Here each of
them went through the grader. The table says whether the check that learners run themselves catches
it, or only a hidden test, and what they are told. A wrong answer that nothing catches would be a
defect of the course: the tests would fail.

{total} wrong answers to {exercises} exercises: {visible} are caught by the check, {hidden} by hidden
tests. In addition the tests try generic wrong results on every exercise, such as zeros, nan, a
changed sign or one per cent too much, and at least two other right answers, which must pass.
"""


def played(source):
    """Wrong answers of a notebook in the grader: (exercise, title, cell that failed, message)."""
    from autograder.rehearsal import LIMITS, SEED, Stage, read_answers
    from autograder.marking import Session
    answers, _ = read_answers(source)
    notebook = nbformat.read(source.path, as_version=4)
    with Session(notebook, seed=SEED, sandbox="bubblewrap", files=source.files,
                 limits=LIMITS) as session:
        stage = Stage(session, notebook)
        for exercise in source.exercises:
            for answer in answers:
                if answer.exercise == exercise.name and not answer.right:
                    failed = stage.play(exercise, answer.code)
                    yield (exercise.name, answer.title, failed.grade_id if failed else "",
                           failed.message if failed else "")


def page(assignments):
    """The page.

    Parameters
    ----------
    assignments : dict of str to list of tuple
        For each assignment what `played` yields.
    """
    rows = [row for kills in assignments.values() for row in kills]
    hidden = sum(cell.endswith("-hidden") for _, _, cell, _ in rows)
    parts = [HEAD.format(total=len(rows), hidden=hidden,
                         visible=sum(caught(cell) == "check" for _, _, cell, _ in rows),
                         exercises=len({(name, row[0]) for name, kills in assignments.items()
                                        for row in kills}))]
    for name, kills in assignments.items():
        parts.append(f"## {name}\n")
        for exercise in dict.fromkeys(row[0] for row in kills):
            parts.append(f"### {exercise}\n\n| wrong answer | caught by | the learner reads |\n"
                         "|---|---|---|")
            parts += [f"| {plain(title)} | {caught(cell)} | {plain(shortened(message))} |"
                      for own, title, cell, message in kills if own == exercise]
            parts.append("")
    return "\n".join(parts).rstrip() + "\n"


def caught(cell):
    """The kind of the cell that failed, as the page calls it."""
    return "hidden tests" if cell.endswith("-hidden") else "check" if cell else "nothing"


def shortened(message):
    """A message on one line, cut between words if it is long."""
    line = " ".join(message.split())
    if len(line) <= LONGEST:
        return line
    return line[:LONGEST].rsplit(" ", 1)[0] + " ..."


def plain(text):
    """Text in which nothing is markup."""
    return re.sub(r"([\\`*_{}\[\]<>$|~#])", r"\\\1", text)


def main():
    """Write the page; 1 if a wrong answer passed."""
    from autograder.course import Course
    course = Course(nb.ROOT)
    assignments = {source.name: list(played(source)) for name in course.assignments()
                   for source in course.assignment(name).notebooks}
    PAGE.write_text(page(assignments), encoding="utf-8")
    survivors = [f"{name}, {row[0]}: {row[1]}" for name, kills in assignments.items()
                 for row in kills if not row[2]]
    for survivor in survivors:
        print(f"nothing catches {survivor}", file=sys.stderr)
    return int(bool(survivors))


if __name__ == "__main__":
    sys.exit(main())
