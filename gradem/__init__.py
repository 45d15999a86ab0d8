"""Gradients and EM: the reference package of *Autodiff and Clustering, Redux*.

Names are fetched from their modules when they are first used (PEP 562), so that
importing the differentiation half loads neither SciPy nor Matplotlib, and a
notebook that needs only ``gradem.check`` needs only that file.
"""

from importlib import import_module

__version__ = "0.1.0"

_HOMES = {
    "Dual": "dual",
    "NoDerivative": "rules",
    "check_grads": "derivatives",
    "custom_rule": "derivatives",
    "derivative": "derivatives",
    "grad": "derivatives",
    "hessian": "derivatives",
    "hvp": "derivatives",
    "jacfwd": "derivatives",
    "jacrev": "derivatives",
    "jvp": "derivatives",
    "value_and_grad": "derivatives",
    "vjp": "derivatives",
    "GaussianMixture": "mixture",
    "KMeans": "kmeans",
}

_MODULES = frozenset({
    "acceleration", "anf", "arrays", "ascent", "blocks", "check", "checkpoint", "containers",
    "csource", "dataflow", "datasets", "derivatives", "differences", "dual", "elimination",
    "em", "estimator", "families", "gaussian", "generated", "indexing", "kmeans", "layout",
    "linalg", "mixture", "observe", "operations", "plots", "questions", "reading", "rules",
    "scene", "shapes", "solvers", "source", "sparse", "steps", "syntax", "tape", "trace", "traced", "unconstrained",
    "words",
})

__all__ = sorted(_HOMES)


def __getattr__(name):
    """Import a public name, or a module of the package, at its first use."""
    if name in _HOMES:
        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    elif name in _MODULES:
        value = import_module(f"{__name__}.{name}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *_HOMES, *_MODULES})
