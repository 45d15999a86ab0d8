"""The author's rehearsal: does an assignment mark as its author believes?

Through the real sandbox and the real judge go, one after the other: the solution; other
right answers, which must pass; wrong answers that learners write, each of which must
fail in the cell and with the words that answers.toml states; and eleven generic wrong
results of the solution (`mutants`), which every test must refuse. Points, names and
answers.toml are looked over as well. One session serves a whole notebook: before each
answer the sandbox forgets all names and runs the cells that come before it again.
"""

import ast
import inspect
import re
import tomllib
from dataclasses import dataclass

import nbformat

from autograder import mutants
from autograder.judge import names_bound, names_read, plain_python
from autograder.marking import Session
from autograder.progress import bar
from autograder.limits import Limits
from autograder.submission import grade_id, is_answer, is_test

ANSWERS = "answers.toml"
RIGHT, WRONG = 2, 4              # how many of each an exercise needs
SEED = 20180222
LIMITS = Limits(cell_seconds=10.0, test_seconds=10.0, deaths=1000)

MODULE = "rehearsal_mutants"
BEGIN = f"""import sys, types
sys.modules[{MODULE!r}] = types.ModuleType({MODULE!r})
exec({inspect.getsource(mutants)!r}, sys.modules[{MODULE!r}].__dict__)
sys.modules[{MODULE!r}].begin()
"""


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
        "form", "solution", "right", "wrong" or "generic".
    title : str
    defect : str
        Of the assignment, in words; '' if all is as it should be.
    applies : bool
        False if a generic wrong result is no different from the right one.
    """

    exercise: str
    kind: str
    title: str
    defect: str = ""
    applies: bool = True


# ---- answers.toml and the form of the notebook ----------------------------------


def read_answers(source):
    """The entries of the answers.toml beside a notebook.

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
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return [], [Trial("", "form", ANSWERS, f"There is no {ANSWERS} beside the notebook.")]
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
    found = [*_points_and_ids(source, notebook), *_completeness(source, answers),
             *_empty_tests(notebook), *_undefined_names(notebook)]
    return [Trial(exercise, "form", title, defect) for exercise, title, defect in found]


def _points_and_ids(source, notebook):
    tasks = _tasks(notebook)
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
        if stated not in tasks[exercise.name]:
            yield exercise.name, "points", f"The task does not say {stated!r}."
        cells = {grade_id(cell): cell.source for cell in notebook.cells}
        passed = f"check.passed({exercise.name!r}, points={check.points:g}, " \
                 f"total={exercise.tested:g})"
        if passed not in cells[check.name].replace('"', "'"):
            yield exercise.name, "points", f"The check does not end with {passed}."


def _tasks(notebook):
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


def _empty_tests(notebook):
    """Test cells that can not fail: without assert, raise or a call of `check` or an assertion."""
    asserting = re.compile(r"^(check|assert|np\.testing|numpy\.testing|pytest)", re.I)
    helpers = {name for cell in notebook.cells if cell.cell_type == "code"
               for name in names_bound(plain_python(cell.source)) if not is_answer(cell)}
    for cell in filter(is_test, notebook.cells):
        tree = ast.parse(plain_python(cell.source))
        calls = [ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]
        if not any(isinstance(node, (ast.Assert, ast.Raise)) for node in ast.walk(tree)) \
                and not any((asserting.match(call) and call not in ("check.passed", "check.rng"))
                            or call in helpers for call in calls):
            yield grade_id(cell), "tests", "This test cell asserts nothing."


def _undefined_names(notebook):
    """Names of answers that a test uses and the task's stub does not define."""
    answered, stubbed = set(), set()
    for cell in notebook.cells:
        if is_answer(cell) and cell.cell_type == "code":
            answered |= names_bound(plain_python(cell.source))
            stubbed |= names_bound(plain_python(stub(cell.source)))
        elif is_test(cell):
            for name in sorted((names_read(plain_python(cell.source)) & answered) - stubbed):
                yield grade_id(cell), "names", (f"It uses {name}, which the stub that learners "
                                                "get does not define.")


def stub(source):
    """The text of a solution cell as nbgrader releases it."""
    return re.sub(r"^([ \t]*)### BEGIN SOLUTION.*?### END SOLUTION[^\n]*",
                  r"\1raise NotImplementedError()", source, flags=re.DOTALL | re.MULTILINE)


# ---- the rehearsal --------------------------------------------------------------


def rehearse(source, *, sandbox="bubblewrap"):
    """Rehearse a notebook.

    Parameters
    ----------
    source : SourceNotebook
    sandbox : str

    Yields
    ------
    Trial
        First what is wrong with the form, then what was tried, exercise by exercise.
    """
    notebook = nbformat.read(source.path, as_version=4)
    answers, trials = read_answers(source)
    yield from trials
    yield from look_over(source, notebook, answers)
    with Session(notebook, seed=SEED, sandbox=sandbox, files=source.files,
                 limits=LIMITS) as session:
        stage = Stage(session, notebook)
        for exercise in source.exercises:
            if exercise.tests:
                yield from stage.rehearse(exercise, answers)


def rehearse_with_progress(source, *, sandbox="bubblewrap"):
    """The list of all trials of `rehearse`, with a bar that counts exercises."""
    trials, begun = [], set()
    with bar(sum(bool(exercise.tests) for exercise in source.exercises), source.name,
             "exercise") as progress:
        for trial in rehearse(source, sandbox=sandbox):
            trials.append(trial)
            if trial.kind != "form" and trial.exercise not in begun:
                progress.update(bool(begun))
                begun.add(trial.exercise)
            defects = sum(bool(trial.defect) for trial in trials)
            progress.set_postfix_str(f"{len(trials)} trials, {defects} defects", False)
        progress.update(bool(begun))
    return trials


class Stage:
    """A session in which answers take the place of the solution, one at a time."""

    def __init__(self, session, notebook):
        self.session = session
        self.cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        self.sources = {grade_id(cell): cell.source for cell in self.cells if grade_id(cell)}
        session.run(BEGIN)

    def rehearse(self, exercise, answers):
        """Yield a Trial for the solution, each answer and each generic wrong result."""
        solution = self.sources.get(exercise.name, "")
        failed = self.play(exercise, solution)
        defect = f"The solution fails in {failed.grade_id}: {failed.message}" if failed else ""
        yield Trial(exercise.name, "solution", "the solution", defect)
        if not defect:
            yield from self._generic(exercise, solution)
        for answer in answers:
            if answer.exercise == exercise.name:
                yield self._answer(exercise, answer)

    def play(self, exercise, code):
        """Put an answer in the solution's place; returns the first failed mark, or None."""
        self._run_cells_before(exercise)
        self.session.run(code, exercise.name)
        return self._first_failure(exercise)

    def _answer(self, exercise, answer):
        failed = self.play(exercise, answer.code)
        kind = "right" if answer.right else "wrong"
        return Trial(exercise.name, kind, answer.title, _defect(answer, failed))

    def _generic(self, exercise, solution):
        """Every test must refuse every generic wrong result that makes a difference in it."""
        for name in self._names(exercise, solution):
            for kind in mutants.KINDS:
                yield self._mutant(exercise, name, kind)
        self._call("restore()")

    def _mutant(self, exercise, name, kind):
        title = f"{name}: {kind}"
        applies = False
        for test in exercise.tests:
            self._call(f"install({name!r}, {kind!r})")
            passed = self.session.test(test.name).passed
            differs = not self._call("require_a_change()").error
            applies = applies or differs or not passed
            if passed and differs:
                return Trial(exercise.name, "generic", title,
                             f"{test.name} accepts results that are {kind}.")
        return Trial(exercise.name, "generic", title, applies=applies)

    def _names(self, exercise, solution):
        """The names that the solution defines and a test of the exercise uses."""
        used = set().union(*(names_read(self.sources[test.name]) for test in exercise.tests))
        return sorted(names_bound(plain_python(solution)) & used) if solution else []

    def _first_failure(self, exercise):
        for test in exercise.tests:
            mark = self.session.test(test.name)
            if not mark.passed:
                return mark
        return None

    def _run_cells_before(self, exercise):
        """A notebook as it is when its learner comes to the exercise, all solved until there."""
        self._call("restore()")
        self._call("forget()")
        self.session.replayed = [BEGIN]
        for cell in self.cells:
            if grade_id(cell) in (exercise.name, exercise.tests[0].name):
                return
            if is_test(cell):
                continue
            if grade_id(cell) and not is_answer(cell):
                self.session.run_instructors_cell(cell)
            else:
                self.session.run(cell.source)

    def _call(self, what):
        return self.session.run(f"__import__({MODULE!r}).{what}")


def _defect(answer, failed):
    """What is wrong with the fate of an answer, given its first failed mark; '' if nothing."""
    if answer.right:
        return f"It fails in {failed.grade_id}: {failed.message}" if failed else ""
    if failed is None:
        return "It passes."
    if failed.grade_id != answer.fails:
        return f"It fails in {failed.grade_id}, not in {answer.fails}: {failed.message}"
    missing = [words for words in answer.says if words.lower() not in failed.message.lower()]
    return f"{failed.grade_id} does not say {missing}: {failed.message}" if missing else ""
