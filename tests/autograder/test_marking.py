"""Marking gives every submission what it deserves, and says what happened."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from autograder.marking import mark
from autograder.released import STUB
from autograder.report import Report
from autograder.limits import Limits

HALF, ALL = 5.0, 10.0                 # points of one exercise, of both
SHORT = Limits(cell_seconds=4, test_seconds=4, total_seconds=80)


@pytest.fixture
def marked(small_course):
    """Mark a notebook in the small course."""
    def marked(submission, limits=SHORT):
        path = small_course.hand_in("student", submission)
        return mark(path, small_course.source, seed=4711, limits=limits)
    return marked


# ---- what is mended ------------------------------------------------------------------


def notes_of(report):
    return " ".join(report.notes)


def named(notebook, name):
    return next(cell for cell in notebook.cells if cell.get("id") == name)


def test_a_deleted_and_a_changed_test_are_put_back(marked, small_course):
    notebook = small_course.submitted_notebook(square="def square(x): return 0.0")
    named(notebook, "square-check").source = "pass"
    notebook.cells.remove(named(notebook, "square-hidden"))
    report = marked(notebook)
    assert report.points == HALF
    assert "square-check was changed" in notes_of(report)
    assert "square-hidden was missing" in notes_of(report)


def test_of_a_copied_answer_cell_the_last_one_counts(marked, small_course):
    notebook = small_course.submitted_notebook()
    first = nbformat.from_dict({**named(notebook, "square"), "id": "a-copy"})
    first.source = "def square(x): return 'first try'"
    notebook.cells.insert(3, first)
    report = marked(notebook)
    assert report.points == ALL
    assert "occurs more than once" in notes_of(report)


def test_an_answer_in_a_cell_of_its_own_counts(marked, small_course):
    notebook = small_course.submitted_notebook(square="")
    place = notebook.cells.index(named(notebook, "square"))
    notebook.cells.insert(place + 1, new_code_cell("def square(x):\n    return x * x"))
    assert marked(notebook).points == ALL


def test_metadata_of_the_submission_decide_nothing(marked, small_course):
    notebook = small_course.submitted_notebook(square="def square(x): return 0.0")
    for cell in notebook.cells:
        if "points" in cell.metadata.get("nbgrader", {}):
            cell.metadata.nbgrader.points = 1000
            cell.metadata.nbgrader.grade = False
    report = marked(notebook)
    assert (report.points, report.max_points) == (HALF, ALL)


def test_a_notebook_whose_metadata_were_stripped_is_recognised_by_its_cell_ids(
        marked, small_course):
    notebook = small_course.submitted_notebook()
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({})
    report = marked(notebook)
    assert report.points == ALL
    assert "told by their ids" in notes_of(report)


@pytest.mark.parametrize("text, words", [
    ("", "The file is empty"), ("{\"cells\": [", "cut off"), ("[1, 2]", "not a notebook"),
    ("{\"a\": 1}", "has no cells"), ("[" * 100_000, "too deeply"),
], ids=["empty", "truncated", "list", "foreign", "deep"])
def test_what_is_no_notebook_is_rejected_with_its_reason(marked, text, words):
    report = marked(text)
    assert report.status == "rejected" and words in report.reason
    assert report.points == 0 and report.max_points == ALL
    assert all(words in cell.message for cell in report.cells)


# ---- what bounds a notebook as a whole, and what other courses do ----------------------


def test_a_notebook_of_endless_loops_ends_when_its_time_is_over(small_course):
    notebook = small_course.submitted_notebook()
    notebook.cells[3:3] = [new_code_cell("while True: pass") for _ in range(20)]
    path = small_course.hand_in("student", notebook)
    report = mark(path, small_course.source, seed=1,
                  limits=Limits(cell_seconds=1, test_seconds=1, total_seconds=4))
    kinds = [incident.kind for incident in report.incidents]
    assert "total-time" in kinds
    assert kinds.count("timeout") < 10        # the other loops were never begun
    assert "longer than 4 s in all" in report.cells[-1].message


def test_the_output_of_a_notebook_is_bounded_as_a_whole(marked, small_course):
    notebook = small_course.submitted_notebook()
    notebook.cells[3:3] = [new_code_cell(f"print('{number}' * 300)") for number in range(9)]
    report = marked(notebook, Limits(total_output_bytes=1000))
    assert report.points == ALL
    assert [cell.outputs[0].data[0] for cell in report.notebook if cell.outputs] == ["0", "1", "2"]
    (incident,) = report.incidents
    assert (incident.kind, incident.cell) == ("output-limit", "the notebook")


def test_plain_and_demonstrating_cells_of_the_instructor_are_run(marked, small_course):
    source = nbformat.read(small_course.source, as_version=4)
    setup, answer = named(source, "setup"), named(source, "mean")
    plain = new_code_cell("%matplotlib inline\nimport numpy as np\nfrom gradem import check")
    source.cells[source.cells.index(setup)] = plain
    shown = nbformat.from_dict(dict(setup))
    shown.id, shown.source = "demonstration", "print(mean_abs(np.ones(2)))"
    shown.metadata = nbformat.from_dict({"nbgrader": {**setup.metadata.nbgrader,
                                                      "grade_id": "demonstration"}})
    source.cells.insert(source.cells.index(answer) + 1, shown)
    nbformat.write(source, small_course.source)
    report = marked(small_course.submitted_notebook())
    assert report.points == ALL, [cell.message for cell in report.cells]


def test_the_instructor_s_cells_and_tests_find_the_data_files(small_course):
    source = nbformat.read(small_course.source, as_version=4)
    named(source, "setup").source += "\ndata = np.loadtxt('data.csv', delimiter=',')"
    named(source, "square-check").source += ("\ncheck.close(square(data), data**2)\n"
                                             "open('notes', 'w').write(open('data.csv').read())")
    nbformat.write(source, small_course.source)
    data = small_course.source.with_name("data.csv")
    data.write_text("1,2")
    path = small_course.hand_in("student", small_course.submitted_notebook())
    report = mark(path, small_course.source, seed=1, files=[data])
    assert report.points == ALL, [cell.message for cell in report.cells]
    assert {path.name for path in data.parent.iterdir()} == {"p1.ipynb", "data.csv"}


# ---- words ---------------------------------------------------------------------------


@pytest.mark.parametrize("square, words", [
    ("def square(x): return 2 * x", "square(3.0) is 6, but it should be 9"),
    ("def square(x): pass", "is a return missing"),
    ("def square(x): return x / 0", "ZeroDivisionError: float division by zero   (in the line: "
                                    "def square(x): return x / 0)"),
    ("def square(x): raise NotImplementedError()", "not answered yet"),
    ("def cube(x): return x", "square is not defined"),
    ("def square(x):\n    while True: pass", "a loop that does not end"),
    ("import os\ndef square(x): os._exit(1)", "ended the kernel"),
    ("class E(Exception): pass\ndef square(x): raise E('odd')", "Your code raised E: odd"),
])
def test_the_learner_is_told_what_went_wrong(marked, small_course, square, words):
    report = marked(small_course.submitted_notebook(square=square))
    assert words in report.cells[0].message


@pytest.mark.parametrize("square, words", [
    ("def square(x):\n    return x +", "The cell square stops with SyntaxError: invalid syntax "
                                       "(cell square, line 2: return x +)"),
    ("def half(x):\n    return 1 / x\nhalf(0)\nsquare = half", "The cell square stops with "
     "ZeroDivisionError: division by zero (cell square, line 2: return 1 / x)"),
    ("from IPython.core.error import UsageError\nraise UsageError('Cell In[1], line 9999999')",
     "The cell square stops with UsageError: Cell In[1], line 9999999"),
])
def test_a_cell_that_stops_is_told_with_its_line(marked, small_course, square, words):
    notebook = small_course.submitted_notebook(square=square)
    notebook.cells.insert(2, new_code_cell("x = 1"))     # so that counts and places differ
    assert marked(notebook).notes == [words]


def test_an_answer_left_as_nbgrader_released_it_is_not_answered(marked, small_course):
    """nbgrader's own stub defines nothing; another exercise may need what is missing."""
    notebook = nbformat.read(small_course.source, as_version=4)
    named(notebook, "mean-check").source = "check.close(square(mean_abs(np.ones(2))), 1.0)"
    nbformat.write(notebook, small_course.source)
    submission = small_course.submitted_notebook(square=STUB)
    named(submission, "mean-check").source = named(notebook, "mean-check").source
    report = marked(submission)
    assert [mark.message for mark in report.cells] == [
        "This is not answered yet.", "This is not answered yet.",
        "This needs square, which is not answered yet.", ""]
    assert report.notes == []
    report = marked(small_course.submitted_notebook(square=STUB + "\nsquare = 1"))
    assert report.cells[0].message == "This is not answered yet."


def test_only_what_learners_see_of_a_test_is_quoted(marked, small_course):
    """The line is the same in both tests, and stands in the first one where learners see it."""
    notebook = nbformat.read(small_course.source, as_version=4)
    named(notebook, "square-check").source = (
        "### BEGIN HIDDEN TESTS\nx = 4\n### END HIDDEN TESTS\nx = 3\nassert square(x) == 9")
    named(notebook, "square-hidden").source = (
        "x = 3\n### BEGIN HIDDEN TESTS\nassert square(x) == 9\n### END HIDDEN TESTS")
    nbformat.write(notebook, small_course.source)
    report = marked(small_course.submitted_notebook(square="def square(x): return 0"))
    assert [mark.message for mark in report.cells[:2]] == [
        "What the check asserts does not hold (cell square-check, line 2: assert square(x) == 9)",
        "What the test asserts about your answer does not hold."]


def test_hidden_inputs_follow_the_seed(small_course):
    memoriser = "seen = []\ndef square(x):\n    seen.append(x)\n    return str(seen)"
    path = small_course.hand_in("student", small_course.submitted_notebook(square=memoriser))
    first, again, other = (
        mark(path, small_course.source, seed=seed).cells[1].message
        for seed in (1, 1, 2))
    assert first == again != other


def test_a_report_survives_its_json(marked, small_course):
    report = marked(small_course.submitted_notebook(square="import os; os._exit(0)"))
    assert Report.from_json(report.to_json()) == report
    assert report.incidents and report.answers["mean"].startswith("def mean_abs")
