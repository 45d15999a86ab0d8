"""Hostile, malformed and clumsy submissions, each with what it deserves.

They are Python, so that one can read what each tries; `case.py` says what a case is.
Whoever finds a new way to cheat adds it here.
"""

from . import agents, edits, exhausting, forging, honest, malformed, scripts, stealing

GROUPS = {
    "forging": forging.CASES,
    "forging by the grader's own protocol": agents.CASES,
    "forging by edits": edits.CASES,
    "stealing": stealing.CASES,
    "exhausting": exhausting.CASES,
    "malformed": malformed.CASES,
    "scripts": scripts.CASES,
    "honest": honest.CASES,
}
HOSTILE = [case for group, cases in GROUPS.items() if group != "honest" for case in cases]
HONEST = GROUPS["honest"]
CASES = [*HOSTILE, *HONEST]
