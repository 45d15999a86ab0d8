"""How nbgrader sees this repository; it must be started with the root as working directory."""

from pathlib import Path

root = Path(__file__).resolve().parent

c = get_config()  # noqa: F821 (traitlets hands this name to a configuration file)

c.CourseDirectory.course_id = "autodiff-clustering-redux"
c.CourseDirectory.root = str(root)
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "exercises"
c.CourseDirectory.submitted_directory = "submitted"
c.CourseDirectory.autograded_directory = "autograded"
c.CourseDirectory.feedback_directory = "feedback"
c.CourseDirectory.db_url = f"sqlite:///{root / 'gradebook.db'}"

# Right and wrong answers lie beside each solution. Learners never get them.
c.CourseDirectory.ignore = [
    ".ipynb_checkpoints", "*.pyc", "__pycache__", ".DS_Store", "answers.toml",
]

# A slow machine must not cost a learner the marks: see the grader's documentation of each.
c.Execute.iopub_timeout = 30
c.Execute.shutdown_kernel = "immediate"
c.OverwriteCells.add_missing_cells = True
