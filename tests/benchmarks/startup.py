"""How long the commands take from a cold start, beside the import of SymPy alone in the same run.

python -m tests.benchmarks.startup
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

MODEL = """dim n, d
data  X: real[n, d], y: binary[n]
param w: real[d]
let p = sigmoid(X @ w)
loss L = -mean(y*log(p) + (1 - y)*log(1 - p))
"""
ROUNDS = 9


def seconds(command: list[str], environment: dict[str, str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / "model.sg"
        spec.write_text(MODEL)
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = folder  # byte code as an installed package has it
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "python -c 'import sympy'": [sys.executable, "-c", "import sympy"],
            "symgen --help": [sys.executable, "-m", "symgen", "--help"],
            "symgen check model.sg": [sys.executable, "-m", "symgen", "check", str(spec)],
        }
        for command in commands.values():
            seconds(command, environment)
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(ROUNDS):
            for name, command in commands.items():
                times[name].append(seconds(command, environment))
        peer = median(times["python -c 'import sympy'"])
        for name, found in times.items():
            middle = median(found)
            print(f"{name:26} {middle * 1e3:6.0f} ms (least {min(found) * 1e3:4.0f}), {middle / peer:5.2f} of importing SymPy")


if __name__ == "__main__":
    main()
