"""Run the tools of chapter 9, each in an environment of its own, and store what they answer.

Some of these tools exclude each other's versions of NumPy, and together they are larger than
all else that the course needs. So each gets a virtual environment in _build/tour, at first use.
The programs are book/tour/with_NAME.py; what they say goes into book/tour/results.json, with the
date, the machine and the versions, and chapter 9 reads it from there. A tool that cannot be
installed here is named, with the reason, and what was stored of it before stays.

    python tools/tour.py                  all tools; the first time some minutes and 4 GB
    python tools/tour.py --only jax       this one (repeatable)
"""

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = ROOT / "book" / "tour"
RESULTS = PROGRAMS / "results.json"
ENVIRONMENTS = ROOT / "_build" / "tour"
sys.path.insert(0, str(PROGRAMS))

import problem                        # noqa: E402
from gradem import datasets           # noqa: E402

#: What pip installs for each tool. Those without a list run in the environment of the course.
TOOLS = {
    "gradem": [],
    "autograd": [],
    "jax": [],
    "torch": ["torch==2.13.0+cpu", "numpy",
              "--extra-index-url", "https://download.pytorch.org/whl/cpu"],
    "tensorflow": ["tensorflow-cpu==2.21.0"],
    "theano": ["theano==1.0.5", "numpy==1.23.5", "scipy==1.10.1", "setuptools<60"],
    "pytensor": ["pytensor==3.0.7"],
    "cppad": ["cmeel-cppad==20250000.2", "numpy"],
}

#: One thread for everybody, and no compiled linear algebra for Theano, which finds none.
SETTINGS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3",
            "THEANO_FLAGS": "blas.ldflags=,cxx=g++", "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"}

POINT = np.array([1.0, 2.0])
SECONDS = 900


class Missing(Exception):
    """A tool cannot be had here; the text says why."""


def theta_of_two():
    """Parameters of two components for Old Faithful, somewhere near the truth."""
    return np.array([[-0.6, 2.0, 55.0, 1.2, -1.8, 0.0], [0.0, 4.3, 80.0, 0.9, -1.8, 0.0]])


def python_of(name, requirements):
    """The Python of a tool's environment, which is made and filled at first use."""
    if not requirements:
        return sys.executable
    folder = ENVIRONMENTS / name
    python, stamp = folder / "bin" / "python", folder / "installed"
    if not stamp.exists() or stamp.read_text() != "\n".join(requirements):
        print(f"{name}: installing {requirements[0]}", flush=True)
        venv.create(folder, with_pip=True, clear=True)
        done = subprocess.run([python, "-m", "pip", "install", "--quiet", *requirements],
                              capture_output=True, text=True)
        if done.returncode:
            raise Missing(f"pip cannot install {requirements[0]}: {last_line(done.stderr)}")
        stamp.write_text("\n".join(requirements))
    return python


def last_line(text):
    lines = text.strip().splitlines()
    return lines[-1][:300] if lines else "no word of it"


def ask(name, requirements, numbers):
    """What a tool answers.

    Parameters
    ----------
    name : str
    requirements : list of str
    numbers : str
        What its program reads.

    Returns
    -------
    dict

    Raises
    ------
    Missing
        If it cannot be installed or run.
    """
    python = python_of(name, requirements)
    try:
        done = subprocess.run([python, PROGRAMS / f"with_{name}.py"], input=numbers,
                              env={**os.environ, **SETTINGS}, capture_output=True, text=True,
                              timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise Missing(f"it took longer than {SECONDS} s") from None
    if done.returncode:
        raise Missing(last_line(done.stderr))
    answer = json.loads(done.stdout.strip().splitlines()[-1])
    for part in ("example", "mixture"):
        answer[part]["gradient"] = np.ravel(answer[part]["gradient"]).tolist()
    return {**answer, "requirements": requirements[:1], "made": str(datetime.date.today()),
            "machine": f"{platform.system()} {platform.machine()}, "
                       f"Python {platform.python_version()}"}


def main():
    """Ask the tools, say how it went, and store what they answered."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", action="append", choices=TOOLS, help="this tool (repeatable)")
    chosen = parser.parse_args().only or list(TOOLS)
    theta, X = theta_of_two(), datasets.old_faithful()
    numbers = problem.text(POINT, theta, X)
    stored = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {"tools": {}}
    stored.update(point=POINT.tolist(), theta=theta.tolist(), data="Old Faithful")
    failed = 0
    for name in chosen:
        try:
            stored["tools"][name] = ask(name, TOOLS[name], numbers)
            print(f"{name}: {stored['tools'][name]['versions']}", flush=True)
        except Missing as reason:
            failed += 1
            print(f"{name}: MISSING: {reason}", flush=True)
    stored["tools"] = {name: stored["tools"][name] for name in TOOLS if name in stored["tools"]}
    RESULTS.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
