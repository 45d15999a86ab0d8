"""The author's rehearsal: does an assignment mark as its author believes?

Through the real sandbox and the real judge go, one after the other: the solution; other
right answers, which must pass; wrong answers that learners write, each of which must
fail in the cell and with the words that answers.toml states; and generic wrong answers
made from the solution (`mutants`). Before that the notebook is looked over (`form`), and
searched for answers that learners could read in it (`leaks`). One session serves a whole
notebook: before each answer the sandbox forgets all names and runs the cells that come
before it again.
"""

import inspect

import nbformat

from autograder import mutants
from autograder.form import Trial, look_over, read_answers
from autograder.cells import names_bound, names_read, plain_python
from autograder.leaks import leaks
from autograder.limits import Limits
from autograder.marking import Session
from autograder.progress import bar
from autograder.submission import grade_id, is_answer, is_test

SEED = 20180222                  # as on every learner's machine
OTHER_SEED = 20180223            # as when a class is graded
LIMITS = Limits(cell_seconds=10.0, test_seconds=10.0, deaths=1000)

MODULE = "rehearsal_mutants"
BEGIN = f"""import sys, types
sys.modules[{MODULE!r}] = types.ModuleType({MODULE!r})
exec({inspect.getsource(mutants)!r}, sys.modules[{MODULE!r}].__dict__)
sys.modules[{MODULE!r}].begin()
"""


def rehearse(source, *, sandbox="bubblewrap"):
    """Rehearse a notebook.

    Parameters
    ----------
    source : SourceNotebook
    sandbox : str

    Yields
    ------
    Trial
        First what can be seen without running anything, then what was tried, exercise by
        exercise. A course without answers.toml is rehearsed with generic answers alone.
    """
    notebook = nbformat.read(source.path, as_version=4)
    answers, trials = read_answers(source)
    yield from trials
    form = look_over(source, notebook, answers)
    yield from form
    if any(trial.title == "syntax" for trial in form):
        return
    yield from leaks(source, notebook)
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
            if trial.kind not in ("form", "leak") and trial.exercise not in begun:
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
        """The tests must refuse every generic wrong answer that makes a difference in them."""
        for name in self._names(exercise, solution):
            for kind in (*mutants.KINDS, mutants.ARGUMENT):
                yield self._wrong_results(exercise, name, kind)
            for kind in mutants.MEMORIES:
                yield self._memory(exercise, name, kind)
        self._call("restore()")

    def _wrong_results(self, exercise, name, kind):
        """Every single test must refuse these."""
        title = f"{name}: {kind}"
        applies = False
        for test in exercise.tests:
            self._call(f"install({name!r}, {kind!r})")
            passed = self.session.test(test.name).passed
            differs = not self._call("require_a_change()").error
            applies = applies or differs or not passed
            if passed and differs:
                return Trial(exercise.name, "generic", title, (
                    f"{test.name} accepts results that are {kind}. Compare with check.close or "
                    "check.equal, for an input that tells them apart."))
        return Trial(exercise.name, "generic", title, applies=applies)

    def _memory(self, exercise, name, kind):
        """One test at least must refuse an answer that only repeats what it saw.

        A table is made on the learner's machine, and used when the class is graded, where
        the seed is another.
        """
        title = f"{name}: {kind}"
        if kind == mutants.TABLE:
            self._call(f"install({name!r}, {mutants.RECORD!r})")
            for test in exercise.tests:
                if not test.hidden:
                    self.session.test(test.name)
            if self._call("require_a_table()").error:
                return Trial(exercise.name, "generic", title, applies=False)
        self._call(f"install({name!r}, {kind!r})")
        self.session.judge.seed = OTHER_SEED
        passed = all([self.session.test(test.name).passed for test in exercise.tests])
        self.session.judge.seed = SEED
        differs = not self._call("require_a_change()").error
        if passed and (differs or kind == mutants.TABLE):
            return Trial(exercise.name, "generic", title, (
                f"The tests accept results that are {kind}. Call {name} more than once in the "
                "hidden tests, with inputs from check.rng()."))
        return Trial(exercise.name, "generic", title, applies=differs or not passed)

    def _names(self, exercise, solution):
        """The names that the solution defines and a test of the exercise uses."""
        used = set().union(*(names_read(plain_python(self.sources[test.name]))
                               for test in exercise.tests))
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
