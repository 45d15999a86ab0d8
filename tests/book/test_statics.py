"""A change of a style sheet alone reaches a book that was built before."""

import os
import subprocess
import sys

import nb

CONFIGURATION = f"""
import sys
sys.path.insert(0, {str(nb.ROOT / "book" / "_ext")!r})
extensions = ["statics"]
html_static_path = ["_static"]
html_theme = "basic"
"""


def test_a_changed_style_sheet_reaches_a_built_book(tmp_path):
    source, site = tmp_path / "source", tmp_path / "site"
    (source / "_static").mkdir(parents=True)
    (source / "conf.py").write_text(CONFIGURATION)
    (source / "index.rst").write_text("A page\n======\n")
    sheet = source / "_static" / "look.css"

    def build():
        run = subprocess.run([sys.executable, "-m", "sphinx", "-W", source, site],
                             capture_output=True, text=True, check=True)
        return run.stdout

    sheet.write_text("p { color: red }")
    build()
    assert "0 changed" in build()
    sheet.write_text("p { color: blue }")
    newer = (site / "_static" / "look.css").stat().st_mtime + 1
    os.utime(sheet, (newer, newer))
    assert "1 changed" in build()
    assert "blue" in (site / "_static" / "look.css").read_text()
