"""CppAD: a library of C++. This compiles with_cppad.cpp, runs it, and hands its report on."""

import json
import subprocess
import sys
import sysconfig
import tempfile
from importlib.metadata import version
from pathlib import Path

from problem import report

HERE = Path(__file__).parent

if __name__ == "__main__":
    prefix = Path(sysconfig.get_path("purelib"), "cmeel.prefix")
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "with_cppad")
        subprocess.run(["c++", "-O2", "-o", program, HERE / "with_cppad.cpp",
                        f"-I{prefix}/include", f"-L{prefix}/lib", "-lcppad_lib",
                        f"-Wl,-rpath,{prefix}/lib"], check=True)
        said = subprocess.run([program], stdin=sys.stdin, capture_output=True, text=True,
                              check=True)
    found = json.loads(said.stdout)
    found["example"]["tangent"] = found["tangent"]
    report({"cmeel-cppad": version("cmeel-cppad")}, found["example"], found["mixture"],
           found["shows"])
