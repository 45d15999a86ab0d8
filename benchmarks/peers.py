"""How each package is asked for a derivative: one class a package, one method a task.

A method takes a problem and returns a function without arguments, the program that is timed.
Inputs are turned into the package's own arrays beforehand, and results stay what the package
returns: nobody pays for conversions. Each package is used in the way its manual recommends
for the task, and where it has several ways, in the fastest.
"""

import functools
from importlib import metadata

import numpy as np

import problems


class Gradem:
    """The package of this repository; it gets the plain NumPy function."""

    name, distribution = "gradem", "autodiff-clustering-redux"

    def __init__(self):
        import gradem
        self.package = gradem

    def gradient(self, problem):
        """Reverse mode."""
        return functools.partial(
            self.package.value_and_grad(problem.f, argnums=positions(problem)),
            *problem.arguments)

    def jacobian(self, problem):
        """Forward mode, all directions at once."""
        return functools.partial(self.package.jacfwd(problem.f), *problem.point)

    def hessian(self, problem):
        """Forward mode over reverse mode."""
        return functools.partial(self.package.hessian(problem.f), *problem.point)

    def source(self, problem):
        """Reverse mode as generated Python: of the loop, the one problem of this kind."""
        return functools.partial(self.package.source.reverse(problems.rosenbrock_source),
                                 *problem.point)

    def sparse(self, problem):
        """Forward mode, with a seed for each colour of the columns."""
        sparse = self.package.sparse
        return functools.partial(
            sparse.jacobian(problem.f, sparse.sparsity(problem.f, *problem.point)), *problem.point)

    def newton(self, problem):
        """The slope by forward mode, a number at a time."""
        return functools.partial(problem.f, *problem.point,
                                 slope=self.package.derivative(problems.cube))


class Autograd:
    """HIPS autograd."""

    name = distribution = "autograd"

    def __init__(self):
        import autograd
        import autograd.numpy
        self.package, self.np = autograd, autograd.numpy

    def gradient(self, problem):
        """Reverse mode."""
        f = functools.partial(problem.f, np=self.np)
        return functools.partial(self.package.value_and_grad(f, positions(problem)),
                                 *problem.arguments)

    source = gradient

    def jacobian(self, problem):
        """Reverse mode, a row at a time."""
        f = functools.partial(problem.f, np=self.np)
        return functools.partial(self.package.jacobian(f), *problem.point)

    def hessian(self, problem):
        """Reverse mode over reverse mode."""
        f = functools.partial(problem.f, np=self.np)
        return functools.partial(self.package.hessian(f), *problem.point)

    def newton(self, problem):
        """The slope by forward mode."""
        return functools.partial(problem.f, *problem.point,
                                 slope=self.package.deriv(problems.cube))


class PyTorch:
    """PyTorch on the CPU; Jacobians in reverse mode, the faster of its modes here."""

    name, distribution = "PyTorch", "torch"

    def __init__(self):
        import torch
        torch.set_num_threads(1)
        torch.set_default_dtype(torch.float64)
        self.package = torch

    def tensors(self, arrays, requires_grad=False):
        """The arguments as tensors; what is no array or float stays as it is."""
        return [self.package.tensor(a, requires_grad=requires_grad)
                if isinstance(a, np.ndarray) or requires_grad else a for a in arrays]

    def gradient(self, problem):
        """Reverse mode."""
        torch, f = self.package, functools.partial(problem.f, np=self.package)
        point = self.tensors(problem.point, requires_grad=True)
        data = self.tensors(problem.data)

        def value_and_gradient():
            value = f(*point, *data)
            return value, torch.autograd.grad(value, point)
        return value_and_gradient

    source = gradient

    def jacobian(self, problem):
        """Reverse mode, all rows at once."""
        f = functools.partial(problem.f, np=self.package)
        return functools.partial(self.package.func.jacrev(f), *self.tensors(problem.point))

    def hessian(self, problem):
        """Forward mode over reverse mode."""
        f = functools.partial(problem.f, np=self.package)
        return functools.partial(self.package.func.hessian(f), *self.tensors(problem.point))

    def newton(self, problem):
        """The slope by reverse mode, which for one number is PyTorch's fastest."""
        torch = self.package

        def slope(x, a):
            x = x.detach().requires_grad_()
            return torch.autograd.grad(problems.cube(x, a), x)[0]
        return functools.partial(problem.f, *map(torch.tensor, problem.point), slope=slope)


class PyTorchForward(PyTorch):
    """PyTorch's forward mode, for Jacobians only."""

    name = "PyTorch jacfwd"

    def jacobian(self, problem):
        """Forward mode, all columns at once."""
        f = functools.partial(problem.f, np=self.package)
        return functools.partial(self.package.func.jacfwd(f), *self.tensors(problem.point))

    gradient = source = hessian = newton = None


class Jax:
    """JAX as it runs without compilation: an operation at a time."""

    name, distribution = "JAX", "jax"

    def __init__(self):
        import jax
        jax.config.update("jax_enable_x64", True)
        jax.config.update("jax_cpu_enable_async_dispatch", False)      # no second thread
        self.package = jax

    def program(self, derivative, arguments):
        """The program that evaluates `derivative`, and waits for its result."""
        ready = self.package.block_until_ready
        arguments = [self.package.numpy.asarray(a) for a in arguments]
        return lambda: ready(derivative(*arguments))

    def gradient(self, problem):
        """Reverse mode."""
        f = functools.partial(problem.f, np=self.package.numpy)
        return self.program(self.package.value_and_grad(f, positions(problem)),
                            problem.arguments)

    def jacobian(self, problem):
        """Forward mode, all directions at once."""
        f = functools.partial(problem.f, np=self.package.numpy)
        return self.program(self.package.jacfwd(f), problem.point)

    def hessian(self, problem):
        """Forward mode over reverse mode."""
        f = functools.partial(problem.f, np=self.package.numpy)
        return self.program(self.package.hessian(f), problem.point)

    def newton(self, problem):
        """The slope by reverse mode."""
        slope = self.package.grad(problems.cube)
        return self.program(functools.partial(problem.f, slope=slope), problem.point)


class JaxJit(Jax):
    """JAX, compiled by XLA; the first call compiles, and is timed apart."""

    name = "JAX jit"

    def program(self, derivative, arguments):
        """As in `Jax`, compiled."""
        return super().program(self.package.jit(derivative), arguments)


class Differences:
    """Divided differences of the plain function: central ones of numbers, else forward ones."""

    name, distribution = "differences", None

    def gradient(self, problem):
        """Two evaluations for each entry of the point."""
        f, data = problem.f, problem.data
        h = np.finfo(float).eps**(1 / 3)

        def value_and_gradient():
            gradients = []
            for k, x in enumerate(problem.point):
                before, after = problem.point[:k], problem.point[k + 1:]
                gradient = np.zeros(np.shape(x))
                for e in np.ndindex(gradient.shape):
                    step = np.zeros(gradient.shape)
                    step[e] = h * max(1.0, abs(np.asarray(x)[e]))
                    if gradient.shape == ():
                        step = float(step)
                    up = f(*before, x + step, *after, *data)
                    down = f(*before, x - step, *after, *data)
                    gradient[e] = (up - down) / (2.0 * np.sum(step))
                gradients.append(gradient)
            return f(*problem.arguments), tuple(gradients)
        return value_and_gradient

    def jacobian(self, problem):
        """One evaluation for each entry of the point, and one at the point itself."""
        f, (x,) = problem.f, problem.point
        h = np.finfo(float).eps**0.5

        def jacobian():
            value = f(x)
            columns = []
            for e in np.eye(len(x)):
                columns.append((f(x + h * e) - value) / h)
            return np.stack(columns, axis=-1)
        return jacobian

    hessian = newton = None


class ByHand:
    """The derivative written by a person."""

    name, distribution = "by hand", None

    def gradient(self, problem):
        """The problem's own program, if it is one worth timing."""
        return functools.partial(problem.by_hand, *problem.arguments)

    source = jacobian = newton = gradient
    hessian = None


PEERS = (Gradem, Autograd, PyTorch, PyTorchForward, Jax, JaxJit, Differences, ByHand)


def positions(problem):
    """The numbers of the arguments to differentiate in."""
    return tuple(range(len(problem.point)))


def derivative_of(problem, result):
    """What a program returned for a problem, as one long vector of NumPy's."""
    if problem.task in ("gradient", "source"):
        result = result[1]
    if problem.task == "sparse" and not isinstance(result, np.ndarray):
        result = result.toarray()
    parts = result if isinstance(result, (tuple, list)) else (result,)
    return np.concatenate([np.ravel(np.asarray(part)) for part in parts])


def available(without=()):
    """The peers that can be imported, and the reasons why others are missing.

    Parameters
    ----------
    without : sequence of str
        Names of packages, or of columns, to leave out.

    Returns
    -------
    peers : list
        In the order of the table; gradem first.
    missing : dict of str to str
        The reason for each package left out.
    """
    left_out = {name.lower() for name in without}
    peers, missing = [], {}
    for peer in PEERS:
        if left_out & {peer.name.lower(), str(peer.distribution).lower()}:
            missing[peer.name] = "left out by --without"
            continue
        try:
            peers.append(peer())
        except ImportError as error:
            missing[peer.name] = f"not installed ({error})"
    return peers, missing


def versions(peers):
    """The versions of NumPy, SciPy and the packages compared."""
    names = {"numpy", "scipy", *(p.distribution for p in peers if p.distribution)}
    if "jax" in names:
        names.add("jaxlib")
    return {name: metadata.version(name) for name in sorted(names)}
