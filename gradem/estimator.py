"""What the estimators share: parameters by name, checks of numbers, a seed, a warning.

scikit-learn's tools, pipelines and searches over parameters, ask an estimator for little: that
its constructor stores parameters under their names and does nothing else, that they can be read
and set by name, and that it says what kind of estimator it is. So `GaussianMixture` and `KMeans`
can stand where scikit-learn's own would.
"""

import inspect
from numbers import Integral

import numpy as np


class ConvergenceWarning(UserWarning):
    """A fit stopped before it had what was asked for; the text says what to do."""


class Estimator:
    """Parameters by name, as scikit-learn's tools ask for them."""

    kind = None                   # the word for it among scikit-learn's estimators
    transforms = False

    @classmethod
    def _names(cls):
        return [name for name in inspect.signature(cls.__init__).parameters if name != "self"]

    def get_params(self, deep=True):
        """The parameters by name."""
        return {name: getattr(self, name) for name in self._names()}

    def set_params(self, **parameters):
        """Set parameters by name, and return the object itself."""
        for name, value in parameters.items():
            if name not in self._names():
                raise ValueError(f"{type(self).__name__} has no parameter {name!r}: it has "
                                 f"{', '.join(self._names())}")
            setattr(self, name, value)
        return self

    def __sklearn_tags__(self):
        """What scikit-learn asks of the steps of a pipeline; only scikit-learn calls it."""
        from sklearn.utils import Tags, TargetTags, TransformerTags
        tags = TransformerTags(preserves_dtype=["float64", "float32"]) if self.transforms else None
        return Tags(estimator_type=self.kind, target_tags=TargetTags(required=False),
                    transformer_tags=tags)

    def __repr__(self):
        defaults = {name: parameter.default for name, parameter
                    in inspect.signature(type(self).__init__).parameters.items()}
        changed = [f"{name}={value!r}" for name, value in self.get_params().items()
                   if value is not defaults[name] and not np.array_equal(value, defaults[name])]
        return f"{type(self).__name__}({', '.join(changed)})"

    def _require_fit(self, attribute, X):
        """Refuse to work before a fit, or with another number of columns than its."""
        name = type(self).__name__
        if not hasattr(self, attribute):
            raise ValueError(f"this {name} is not fitted yet: call fit(X) first")
        if X is not None and X.shape[1] != self.n_features_in_:
            raise ValueError(f"X has {X.shape[1]} columns, but the {name} was fitted to "
                             f"{self.n_features_in_}: give the same features in the same order")


def require_number(name, value, kind, least):
    """Refuse a parameter that is no finite number, or less than `least`.

    Parameters
    ----------
    name : str
    value : object
    kind : {numbers.Integral, numbers.Real}
    least : int or float
    """
    if isinstance(value, bool) or not (isinstance(value, kind) and least <= value < np.inf):
        what = "a whole number" if kind is Integral else "a finite number"
        raise ValueError(f"{name}={value!r} must be {what} that is at least {least}")


def generator(random_state):
    """The generator of random numbers for a seed, a generator, or None."""
    try:
        return np.random.default_rng(random_state)
    except (TypeError, ValueError):
        raise ValueError(f"random_state={random_state!r} is no seed: use a whole number, a "
                         "numpy.random.Generator, or None for a new start each time") from None
