"""PyTorch: tensors remember which function made them; `backward` walks that graph back."""

import sys

import torch
from problem import LOG_2PI, answer, read, report


def f(x1, x2):
    return x1 * x2 + torch.sin(x1)


def log_likelihood(theta, X):
    a, m, n, p, q, r = theta.T
    x, y = X[:, :1] - m, X[:, 1:] - n
    distances = (torch.exp(p) * x)**2 + (r * x + torch.exp(q) * y)**2
    terms = torch.log_softmax(a, 0) + p + q - 0.5 * distances - LOG_2PI
    return torch.sum(torch.logsumexp(terms, 1))


def value_and_gradient(function, *inputs):
    """The value, and its derivatives with respect to the inputs that ask for them."""
    y = function(*inputs)
    return y.detach(), torch.autograd.grad(y, [x for x in inputs if x.requires_grad])


def graph(node, depth=0):
    """The functions that made a result, each with those that made its arguments below it."""
    if node is None:
        return ""
    lines = "    " * depth + node.name() + "\n"
    return lines + "".join(graph(argument, depth + 1) for argument, _ in node.next_functions)


def complaint(program):
    """The first sentence of the error that a program raises."""
    try:
        program()
    except RuntimeError as error:
        return str(error).split(". ")[0] + "."


if __name__ == "__main__":
    torch.set_num_threads(1)
    point, theta, X = read(sys.stdin)
    x1, x2 = (torch.tensor(float(x), requires_grad=True) for x in point)

    y = f(x1, x2)
    shows = {"graph": graph(y.grad_fn)}
    y.backward()
    once = x1.grad.item()
    shows["backward again"] = complaint(y.backward)
    f(x1, x2).backward()
    shows["gradient after one and after two sweeps"] = f"{once:.4f}, {x1.grad.item():.4f}"
    z = torch.exp(x1)
    product = z * z
    z += 1
    shows["changed in place"] = complaint(product.backward)

    with torch.no_grad():
        plain = x1.clone(), x2.clone()
    example = answer(lambda: f(*plain), lambda: value_and_gradient(f, x1, x2), "float32",
                     lambda: torch.func.jvp(lambda x: f(x, plain[1]), (plain[0],),
                                            (torch.tensor(1.0),))[1])
    constant, X = torch.tensor(theta), torch.tensor(X)
    theta = torch.tensor(theta, requires_grad=True)

    def mixture_gradient():
        value, (slopes,) = value_and_gradient(log_likelihood, theta, X)
        return value, slopes

    report(
        {"torch": torch.__version__},
        example,
        answer(lambda: log_likelihood(constant, X), mixture_gradient, "float64"),
        shows)
