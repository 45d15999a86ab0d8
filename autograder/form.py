"""What can be seen of an assignment without running it: answers.toml, points, names, tests.

The solution and the tests of an nbgrader course say enough to find tests that assert
nothing and tests of names that no task asks for. A course that keeps right and wrong
answers beside its notebooks, in answers.toml, follows this course's conventions too:
each exercise has a check and hidden tests of these names, its task states their points,
and there are enough answers to try.
"""

import ast
import re
import tomllib
from dataclasses import dataclass

from autograder.cells import names_bound, names_read, plain_python
from autograder.released import stub
from autograder.submission import grade_id, is_answer, is_test

ANSWERS = "answers.toml"
RIGHT, WRONG = 2, 4              # how many of each an exercise needs
ASSERTING = re.compile(r"^(check|assert|np\.testing|numpy\.testing|pytest)|\.assert", re.I)
HELPERS = {"check.passed", "check.rng", "check.counts", "check.returns"}     # assert nothing


@dataclass(frozen=True)
class Answer:
    """An entry of answers.toml; `fails` and `says` are empty for a right answer."""

    exercise: str
    title: str
    code: str
    right: bool
    fails: str = ""
    says: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trial:
    """One thing tried, and what is wrong with it.

    Attributes
    ----------
    exercise : str
    kind : str
        "form", "leak", "solution", "right", "wrong" or "generic".
    title : str
    defect : str
        Of the assignment, in words; '' if all is as it should be.
    applies : bool
        False if a generic wrong answer is no different from the right one.
    """

    exercise: str
    kind: str
    title: str
    defect: str = ""
    applies: bool = True


def read_answers(source):
    """The entries of the answers.toml beside a notebook; none if there is no such file.

    Parameters
    ----------
    source : SourceNotebook

    Returns
    -------
    answers : list of Answer
    trials : list of Trial
        Of kind "form": what is wrong with the file.
    """
    path = source.path.parent / ANSWERS
    if not path.exists():
        return [], []
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return [], [Trial("", "form", ANSWERS, f"{ANSWERS} cannot be read: {error}.")]
    answers, trials = [], []
    for kind in ("right", "wrong"):
        wanted = {"exercise", "title", "code"} | ({"fails", "says"} if kind == "wrong" else set())
        for number, entry in enumerate(data.get(kind, []), 1):
            if set(entry) != wanted:
                trials.append(Trial(str(entry.get("exercise", "")), "form", ANSWERS,
                                    f"Entry {number} of [[{kind}]] must have exactly the keys "
                                    f"{', '.join(sorted(wanted))}."))
            else:
                entry["says"] = tuple(entry.get("says", ()))
                answers.append(Answer(right=kind == "right", **entry))
    return answers, trials


def look_over(source, notebook, answers):
    """What is wrong with the form of a notebook and the completeness of its answers.

    Parameters
    ----------
    source : SourceNotebook
    notebook : nbformat.NotebookNode
    answers : list of Answer

    Returns
    -------
    list of Trial
        Of kind "form", one for each defect.
    """
    unreadable = list(_unreadable(notebook))
    if unreadable:
        return [Trial(exercise, "form", title, defect) for exercise, title, defect in unreadable]
    found = [*_empty_tests(notebook), *_tests_of_nothing(source, notebook),
             *_unasked_names(notebook), *_unasked_keywords(notebook)]
    if (source.path.parent / ANSWERS).exists():
        found = [*_points_and_ids(source, notebook), *_completeness(source, answers), *found]
    return [Trial(exercise, "form", title, defect) for exercise, title, defect in found]


def _unreadable(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "code" and grade_id(cell):
            try:
                ast.parse(plain_python(cell.source))
            except SyntaxError as error:
                yield grade_id(cell), "syntax", (f"This cell is no Python: {error.msg} in line "
                                                 f"{error.lineno}. Mend it first.")


# ---- the conventions of this course -----------------------------------------------


def _points_and_ids(source, notebook):
    tasks = tasks_of(notebook)
    for exercise in source.exercises:
        if exercise.by_hand and not exercise.tests:
            continue
        names = [test.name for test in exercise.tests]
        expected = [f"{exercise.name}-check", f"{exercise.name}-hidden"]
        if names != expected:
            yield exercise.name, "ids", (f"The tests are named {names}; they should be the check "
                                         f"and the hidden tests, {expected}.")
            continue
        check, hidden = exercise.tests
        if check.hidden or not hidden.hidden:
            yield exercise.name, "ids", ("The check must have something to run in the released "
                                         "notebook, and the hidden tests nothing.")
        if check.points <= 0 or hidden.points <= 0:
            yield exercise.name, "points", "Both tests must have more than 0 points."
        stated = (f"({exercise.tested:g} points: {check.points:g} by the check below, "
                  f"{hidden.points:g} by hidden tests)")
        if stated not in tasks.get(exercise.name, ""):
            yield exercise.name, "points", f"The task does not say {stated!r}."
        cells = {grade_id(cell): cell.source for cell in notebook.cells}
        passed = f"check.passed({exercise.name!r}, points={check.points:g}, " \
                 f"total={exercise.tested:g})"
        if passed not in cells[check.name].replace('"', "'"):
            yield exercise.name, "points", f"The check does not end with {passed}."


def tasks_of(notebook):
    """For each answer cell the text between it and the code cell before it."""
    tasks, text = {}, ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            text += cell.source + "\n"
        if is_answer(cell):
            tasks[grade_id(cell)] = text
        if cell.cell_type == "code":
            text = ""
    return tasks


def _completeness(source, answers):
    tested = {exercise.name: exercise for exercise in source.exercises if exercise.tests}
    for answer in answers:
        if answer.exercise not in tested:
            yield answer.exercise, answer.title, f"There is no exercise {answer.exercise!r}."
        elif not answer.right and answer.fails not in [test.name for test
                                                       in tested[answer.exercise].tests]:
            yield answer.exercise, answer.title, f"{answer.fails!r} is no test of this exercise."
        if not answer.right and not answer.says:
            yield answer.exercise, answer.title, "It does not state what the check must say."
    for name in tested:
        for right, least in [(True, RIGHT), (False, WRONG)]:
            count = sum(answer.exercise == name and answer.right == right for answer in answers)
            if count < least:
                kind = "right" if right else "wrong"
                yield name, ANSWERS, f"There are {count} {kind} answers; {least} are needed."


# ---- tests that cannot fail ---------------------------------------------------------


def _empty_tests(notebook):
    """Test cells without an assertion: an assert, a raise, or a call of something that asserts."""
    helpers = {name for cell in notebook.cells if cell.cell_type == "code"
               for name in names_bound(plain_python(cell.source)) if not is_answer(cell)}
    for cell in filter(is_test, notebook.cells):
        nodes = list(ast.walk(ast.parse(plain_python(cell.source))))
        calls = {ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)} - HELPERS
        asserts = any(isinstance(node, ast.Raise) or (
            isinstance(node, ast.Assert) and not isinstance(node.test, ast.Constant))
            for node in nodes)
        if not asserts and not any(ASSERTING.search(call) or call in helpers for call in calls):
            yield grade_id(cell), "tests", ("This test cell asserts nothing. Compare what the "
                                            "answer gives with what it should give.")


def _tests_of_nothing(source, notebook):
    """Exercises whose tests use no name of the solution, themselves or through a helper."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    sources = {grade_id(cell): plain_python(cell.source) for cell in code if grade_id(cell)}
    given = [plain_python(cell.source) for cell in code if not is_answer(cell)]
    for exercise in source.exercises:
        if not exercise.tests or exercise.name not in sources:
            continue
        solved = names_bound(sources[exercise.name])
        used = set().union(*(names_read(sources[test.name]) for test in exercise.tests))
        used |= set().union(*(names_read(text) for text in given if names_bound(text) & used))
        if not solved & used:
            yield exercise.name, "tests", (
                "No test uses anything that the solution defines, so any answer passes. Call "
                f"{_listed(solved) or 'what learners write'} in the tests.")


# ---- names that the task does not ask for ----------------------------------------------


def _unasked_names(notebook):
    """Names of answers that a test uses and neither the stub nor the text gives learners."""
    words = _words(notebook)
    answered, asked = set(), set()
    for cell in notebook.cells:
        if is_answer(cell) and cell.cell_type == "code":
            answered |= names_bound(plain_python(cell.source))
            asked |= names_bound(plain_python(stub(cell.source)))
        elif is_test(cell):
            used = names_read(plain_python(cell.source)) & answered
            for name in sorted(used - asked - words):
                yield grade_id(cell), "names", (
                    f"It uses {name}, which the stub that learners get does not define and no "
                    f"text mentions. Ask for it in the task, or test without it.")


def _unasked_keywords(notebook):
    """Keyword arguments that a test hands in and the stub does not take."""
    words, takes = _words(notebook), {}
    for cell in notebook.cells:
        if is_answer(cell) and cell.cell_type == "code":
            for node in ast.parse(plain_python(stub(cell.source))).body:
                if isinstance(node, ast.FunctionDef) and not node.args.kwarg:
                    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
                    takes[node.name] = {argument.arg for argument in arguments}
        elif is_test(cell):
            for node in ast.walk(ast.parse(plain_python(cell.source))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) \
                        and node.func.id in takes:
                    given = {keyword.arg for keyword in node.keywords if keyword.arg}
                    for name in sorted(given - takes[node.func.id] - words):
                        yield grade_id(cell), "names", (
                            f"It calls {node.func.id} with {name}=, which the stub that learners "
                            "get does not take. Ask for it in the task, or test without it.")


def _words(notebook):
    """The words of all text cells."""
    return set(re.findall(r"\w+", "\n".join(cell.source for cell in notebook.cells
                                            if cell.cell_type == "markdown")))


def _listed(names):
    return " or ".join(sorted(names))
