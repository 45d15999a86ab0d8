"""Docstrings: their examples run, and every public name has one that says enough."""

import ast
import doctest
import inspect
from importlib import import_module

import pytest

import gradem

MODULES = sorted(gradem._MODULES)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_run(name):
    results = doctest.testmod(import_module(f"gradem.{name}"))
    assert not results.failed


@pytest.mark.parametrize("name", MODULES)
def test_every_public_name_is_described(name):
    module = import_module(f"gradem.{name}")
    assert module.__doc__
    bare = []
    for member, value in vars(module).items():
        own = getattr(value, "__module__", None) == module.__name__
        if member.startswith("_") or not own or not (inspect.isfunction(value)
                                                     or inspect.isclass(value)):
            continue
        bare += [member] if not value.__doc__ else []
        if inspect.isclass(value) and not issubclass(value, ast.NodeVisitor):   # visit_Name, ...
            bare += [f"{member}.{attribute}" for attribute, method in vars(value).items()
                     if inspect.isfunction(method) and not attribute.startswith("_")
                     and not method.__doc__]
    assert bare == []


@pytest.mark.parametrize("name", sorted(gradem._HOMES))
def test_what_users_call_says_what_goes_in_and_comes_out(name):
    value = getattr(gradem, name)
    if name != "NoDerivative":
        assert "Parameters" in value.__doc__
    if inspect.isfunction(value) and name != "check_grads":
        assert "Returns\n" in value.__doc__
