"""Measures how long one ``maieutic ask`` takes with the bundled models, and where the time goes.

Launch:   python -m maieutic.benchmarks.throughput.startup [--repeat 5]
Data:     none; the models are bundled.
Cost:     two fresh processes a repeat, some 3 s each on two cores.

Half of the processes run under ``-X importtime``, which lists the seconds of each import; they are a little
slower, and the table is theirs. The answer itself says how long it took.
"""

from __future__ import annotations

import json as jsonlib
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from statistics import median
from typing import Annotated

import typer

from maieutic.benchmarks import run_app
from maieutic.errors import MaieuticError

__all__ = ["Run", "Startup", "app", "as_text", "import_seconds", "measure", "parts"]

QUESTION = "Can a penguin fly?"
ASK = ("-m", "maieutic.cli.main", "ask", QUESTION, "--json")

# Rows of the table, in the order of the work.
INTERPRETER, TORCH, TRANSFORMERS, LIBRARY, OTHERS, OURS = (
    "interpreter",
    "import torch",
    "import transformers",
    "import Python's library",
    "import other packages",
    "import maieutic",
)
OPENING, ANSWERING = "opening the models, and the rest", "answering"
_GROUPS = {"torch": TORCH, "torchgen": TORCH, "transformers": TRANSFORMERS, "maieutic": OURS}
_IMPORT = re.compile(r"import time:\s*(\d+) \|\s*\d+ \|\s*(\S+)")

app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)


@dataclass(frozen=True, slots=True)
class Run:
    """A process that ended.

    Attributes:
        wall: seconds from start to end; ``cpu``: seconds of processor time, user and system.
    """

    wall: float
    cpu: float
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class Startup:
    """What was measured.

    Attributes:
        wall, cpu: seconds of each plain run.
        parts: row of the table → median seconds of the runs whose imports were timed.
    """

    wall: tuple[float, ...]
    cpu: tuple[float, ...]
    parts: Mapping[str, float]


def measure(repeat: int) -> Startup:
    """Run ``maieutic ask`` in fresh processes.

    Raises:
        MaieuticError: a process failed.
    """
    plain, timed = [], []
    for _ in range(repeat):
        plain.append(_python(*ASK))
        interpreter = _python("-c", "")
        run = _python("-X", "importtime", *ASK)
        timed.append(parts(run, interpreter.wall))
    rows = {name: median(each[name] for each in timed) for name in timed[0]}
    return Startup(tuple(run.wall for run in plain), tuple(run.cpu for run in plain), rows)


def _python(*arguments: str) -> Run:
    before, start = os.times(), time.perf_counter()
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)  # noqa: S603
    wall, after = time.perf_counter() - start, os.times()
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise MaieuticError(f"python {' '.join(arguments)} failed: {last}", subject="startup")
    cpu = after.children_user - before.children_user + after.children_system - before.children_system
    return Run(wall, cpu, done.stdout, done.stderr)


def parts(run: Run, interpreter: float) -> dict[str, float]:
    """Row of the table → seconds, of a run under ``-X importtime``; they add up to its wall time.

    Args:
        interpreter: seconds of a process that does nothing.
    """
    imports = import_seconds(run.stderr)
    seconds = jsonlib.loads(run.stdout)["seconds"]
    answering = sum(seconds[step] for step in ("elicit", "relate", "solve"))
    rest = run.wall - interpreter - answering - sum(imports.values())
    return {INTERPRETER: interpreter, **imports, OPENING: max(0.0, rest), ANSWERING: answering}


def import_seconds(stderr: str) -> dict[str, float]:
    """Group of modules → seconds of their own, from what ``-X importtime`` prints.

    >>> seconds = import_seconds("import time:  250000 |  900000 | torch.nn\\nimport time: 5 | 5 |   json")
    >>> seconds["import torch"], seconds["import Python's library"], seconds["import maieutic"]
    (0.25, 5e-06, 0.0)
    """
    microseconds: Counter[str] = Counter()
    for own, module in _IMPORT.findall(stderr):
        package = module.partition(".")[0]
        others = LIBRARY if package in sys.stdlib_module_names else OTHERS
        microseconds[_GROUPS.get(package, others)] += int(own)
    return {name: microseconds[name] / 1e6 for name in (TORCH, TRANSFORMERS, LIBRARY, OTHERS, OURS)}


def as_text(startup: Startup) -> str:
    """The medians in one line, and the parts as a Markdown table."""
    wall, cpu = median(startup.wall), median(startup.cpu)
    head = f'maieutic ask "{QUESTION}": {wall:.2f} s, {cpu:.2f} s of processor time (medians of '
    rows = [f"| {name} | {seconds:.2f} |" for name, seconds in startup.parts.items()]
    return "\n".join([f"{head}{len(startup.wall)})", "", "| part | seconds |", "| --- | ---: |", *rows])


@app.command()
def startup(
    repeat: Annotated[int, typer.Option("--repeat", help="Repeats of the measurement.", min=1)] = 5,
    json: Annotated[bool, typer.Option("--json", help="Print JSON with all repeats.")] = False,
) -> None:
    """Measure how long one maieutic ask takes, and list where the time goes."""
    measured = measure(repeat)
    typer.echo(jsonlib.dumps(asdict(measured)) if json else as_text(measured))


if __name__ == "__main__":
    run_app(app)
