"""Weighted MaxSAT: one problem, one file format, one algorithm per file.

Importing this package loads neither python-sat nor numpy. The two solvers and ``SOLVERS`` load on
first use. ``SOLVERS`` maps option names to constructors: ``SOLVERS["rc2"]()``.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from maieutic.errors import InputError
from maieutic.solvers.margin import margin
from maieutic.solvers.problem import (
    Clause,
    SoftClause,
    Solution,
    Solver,
    WeightedCNF,
    scored,
)
from maieutic.solvers.wcnf import dumps, loads, read_wcnf, write_wcnf

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from maieutic.solvers.exhaustive import Exhaustive
    from maieutic.solvers.rc2 import RC2

    SOLVERS: Mapping[str, Callable[[], Solver]]

__all__ = [
    "RC2",
    "SOLVERS",
    "Clause",
    "Exhaustive",
    "SoftClause",
    "Solution",
    "Solver",
    "WeightedCNF",
    "dumps",
    "load_solver",
    "loads",
    "margin",
    "read_wcnf",
    "scored",
    "write_wcnf",
]


def load_solver(name: str) -> Solver:
    """A new solver of that name.

    Raises:
        InputError: there is none.
    """
    solvers: Mapping[str, Callable[[], Solver]] = __getattr__("SOLVERS")  # type: ignore[assignment]
    if name not in solvers:
        raise InputError(f"solver must be {', '.join(solvers)}, not {name!r}", subject="solver")
    return solvers[name]()


def __getattr__(name: str) -> object:
    """Load the solvers on first access (PEP 562)."""
    if name not in {"RC2", "Exhaustive", "SOLVERS"}:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from maieutic.solvers.exhaustive import Exhaustive  # noqa: PLC0415
    from maieutic.solvers.rc2 import RC2  # noqa: PLC0415

    solvers = {
        "rc2": RC2,
        "rc2-stratified": partial(RC2, stratified=True),
        "exhaustive": Exhaustive,
    }
    return {"RC2": RC2, "Exhaustive": Exhaustive, "SOLVERS": solvers}[name]
