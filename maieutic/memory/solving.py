"""Labels and probabilities of a part of a memory by what is stored, without any model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from maieutic.inference.constraints import Constraint, Encoding
from maieutic.inference.graph import Literal
from maieutic.inference.posing import exact_marginals
from maieutic.memory.neighbourhood import Neighbourhood
from maieutic.solvers import Solver
from maieutic.solvers.calls import solve
from maieutic.solvers.components import Partwise

__all__ = ["Resolved", "resolved"]


@dataclass(frozen=True)
class Resolved:
    """A solved neighbourhood.

    Attributes:
        labels, p: by id; a probability is NaN where the part is too dense to sum exactly.
        constraints: that were solved.
    """

    labels: Mapping[str, bool]
    p: Mapping[str, float]
    constraints: tuple[Constraint, ...]


def resolved(near: Neighbourhood, solver: Solver) -> Resolved:
    """The best labels of a neighbourhood under the labels outside; facts and choices are hard.

    Raises:
        MaieuticError: the solver failed.
    """
    ids = list(near.names)
    constraints = list(near.recollection.constraints)
    for one in near.recollection.propositions:
        for kind, odds in (("belief", one.odds), ("memory", one.outside)):
            if odds != 0.0:
                source = Literal(one.id, odds > 0)
                constraints.append(
                    Constraint("belief" if kind == "belief" else "memory", source, None, abs(odds))
                )
    held = [fact.literal for fact in near.recollection.facts]
    encoding = Encoding.of(ids, constraints, held, rules=[one.rule for one in near.recollection.choices])
    labels = encoding.labels(solve(Partwise(solver), encoding.problem))
    p = exact_marginals(encoding.problem)
    return Resolved(
        labels, {name: float(p[v - 1]) for name, v in encoding.variables.items()}, tuple(constraints)
    )
