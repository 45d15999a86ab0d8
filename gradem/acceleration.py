"""Accelerated EM: iterations extrapolated, and the likelihood kept from falling.

Where components overlap EM creeps: each iteration removes the same small share of the
remaining distance (Dempster, Laird & Rubin 1977, section 3). EM is a map g, and its goal a
fixed point, g(u) = u. Anderson's acceleration (Anderson 1965; Walker & Ni 2011) remembers the
last points u_i and residuals f_i = g(u_i) - u_i, finds the combination of differences of
residuals that comes closest to the present residual, and makes the same combination of steps::

    new = g(u) - sum_i gamma_i (g(u_i+1) - g(u_i)),
    where gamma minimises |f - sum_i gamma_i (f_i+1 - f_i)|.

On a map that were linear this would be GMRES, and end after as many steps as there are slow
directions. On a mixture it may leap too far. So the new point is kept only if its likelihood
is at least that of the point before; otherwise EM's own step is taken, which never falls, and
the memory is emptied (in the manner of Henderson & Varadhan 2019).
"""

import numpy as np

from gradem.unconstrained import pack, unpack

#: How many differences are combined.
DEPTH = 8


class Anderson:
    """Anderson's acceleration of EM, for one climb.

    Parameters
    ----------
    family : class of `gradem.families`
        The kind of covariance.
    """

    def __init__(self, family):
        self.family = family
        self._points, self._residuals = [], []

    def advance(self, state, stepped, expectation):
        """Go on from one state of the mixture.

        Parameters
        ----------
        state : tuple
            The present parameters and their log likelihood.
        stepped : tuple of ndarray
            The parameters that EM's own step leads to.
        expectation : Expectation
            The E step for whatever parameters.

        Returns
        -------
        parameters, step, sums
            The new parameters, and what `expectation` says of them. Their log likelihood is
            at least that of `state`.
        """
        extrapolated = self._extrapolate(pack(self.family, *state[:3]), pack(self.family, *stepped))
        if extrapolated is not None:
            try:
                with np.errstate(all="ignore"):      # what overflows is turned down below
                    parameters = unpack(self.family, extrapolated, *state.means.shape)
                    step, sums = expectation(parameters)
                if sums.log_likelihood >= state.log_likelihood:
                    return parameters, step, sums
            except ValueError:                       # a component would have collapsed
                pass
            self._points.clear()
            self._residuals.clear()
        return stepped, *expectation(stepped)

    def _extrapolate(self, u, g):
        """The combination of the last steps that should be nearest to the fixed point."""
        if not (np.isfinite(u).all() and np.isfinite(g).all()):      # a weight is zero
            return None
        self._points.append(u)
        self._residuals.append(g - u)
        del self._points[:-DEPTH - 1], self._residuals[:-DEPTH - 1]
        if len(self._points) == 1:
            return None
        steps = np.diff(self._points, axis=0)
        differences = np.diff(self._residuals, axis=0)
        gamma, *_ = np.linalg.lstsq(differences.T, self._residuals[-1], rcond=1e-10)
        return g - gamma @ (steps + differences)
