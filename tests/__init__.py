"""A package, so that tests/autograder is not taken for the package that it tests."""
