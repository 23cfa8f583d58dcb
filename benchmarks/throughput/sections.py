"""The parts of the benchmark, by the names of the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from maieutic.benchmarks.throughput.choosing import choose_rows
from maieutic.benchmarks.throughput.costs import cost_rows
from maieutic.benchmarks.throughput.generating import generate_rows
from maieutic.benchmarks.throughput.questions import question_rows
from maieutic.benchmarks.throughput.rows import Row
from maieutic.benchmarks.throughput.verifying import verifier_rows
from maieutic.benchmarks.throughput.workbench import Workbench
from maieutic.errors import InputError

__all__ = ["SECTIONS", "chosen_sections"]

# Costs come first, so that the memory they report is not that of the others.
SECTIONS: Mapping[str, Callable[[Workbench], list[Row]]] = {
    "cost": cost_rows,
    "questions": question_rows,
    "choose": choose_rows,
    "generate": generate_rows,
    "verifier": verifier_rows,
}


def chosen_sections(only: str) -> list[str]:
    """The names in a comma-separated list, in the order in which they are run; all for "".

    Raises:
        InputError: there is no section of that name.
    """
    wanted = {name.strip() for name in only.split(",")} - {""} or set(SECTIONS)
    if unknown := sorted(wanted - set(SECTIONS)):
        raise InputError(f"{unknown[0]!r} is no section; use some of {', '.join(SECTIONS)}, with commas")
    return [name for name in SECTIONS if name in wanted]
