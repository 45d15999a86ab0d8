"""A grader for Jupyter notebooks whose marks the learner cannot write.

Learner code runs in a sandbox only. Test cells run in the judge, a trusted process
that never runs learner code and takes nothing but typed plain data from the sandbox.
"""
