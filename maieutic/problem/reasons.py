"""Why a claim is held or not: what is said in any tree, and the other claims, by how far each moves it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from maieutic.errors import UnsatisfiableError
from maieutic.problem.settled import Settled
from maieutic.solvers import WeightedCNF
from maieutic.solvers.marginals import marginals

__all__ = ["MAX_WIDTH", "ClaimReason", "claim_reasons"]

MAX_WIDTH = 12  # of the exact sums, one for each reason
ROUNDING = 1e-6  # of P: what moves a claim by less moves nothing


@dataclass(frozen=True, slots=True)
class ClaimReason:
    """A proposition that speaks for or against a claim.

    Attributes:
        id: of the proposition in the problem; ``text``: its statement.
        held: whether it is held true.
        moves: P(claim) less what it would be if the proposition had the other label; of one whose label is
            fixed, less what it would be without the constraints between the two. In [−1, 1], above 0 for the
            claim.
    """

    id: str
    text: str
    held: bool
    moves: float


def claim_reasons(settled: Settled, claim: str, most: int = 5) -> tuple[ClaimReason, ...]:
    """The propositions that share a constraint with a claim, by how far they move it.

    Args:
        most: how many at most.

    Returns:
        The strongest first; none where the claim's part of the problem is too dense to sum exactly.
    """
    variables = settled.posed.encoding.variables
    own = abs(variables[claim])
    part = settled.parts[own]
    place = {variable: number for number, variable in enumerate(part.variables, 1)}
    p_now = _p(part.problem, place[own], variables[claim] > 0)
    if p_now is None:
        return ()
    found = []
    for node in _neighbours(settled, claim):
        if abs(variables[node]) == own:
            continue
        number = place[abs(variables[node])]
        held = settled.labels[node]
        other = -number if held == (variables[node] > 0) else number
        p = _p(part.problem, place[own], variables[claim] > 0, other)
        if p is None:
            apart = _without(part.problem, number, place[own])
            p = _p(apart, place[own], variables[claim] > 0)
        if p is not None and abs(p_now - p) > ROUNDING:
            found.append(ClaimReason(node, settled.texts[node], held, p_now - p))
    return tuple(sorted(found, key=lambda reason: -abs(reason.moves))[:most])


def _neighbours(settled: Settled, claim: str) -> list[str]:
    """The propositions in the constraints of a claim, without the other claims of its groups."""
    rivals = {one for group in settled.problem.groups if claim in group.claims for one in group.claims}
    found: dict[str, None] = {}
    for constraint in settled.posed.constraints:
        if claim in constraint.ids:
            found |= dict.fromkeys(sorted(constraint.ids - {claim}))
    return [node for node in found if node in settled.texts and node not in rivals]


def _p(problem: WeightedCNF, variable: int, positive: bool, *assumed: int) -> float | None:
    """P(the literal) with other literals assumed; None where they cannot hold or the sum is too wide."""
    try:
        p = marginals(problem.assuming(*assumed), MAX_WIDTH)
    except UnsatisfiableError:
        return None
    if p is None:
        return None
    value = float(p[variable - 1])
    return value if positive else 1.0 - value


def _without(problem: WeightedCNF, one: int, other: int) -> WeightedCNF:
    """The problem without the soft clauses that have both variables."""
    kept = tuple(item for item in problem.soft if not {one, other} <= set(map(abs, item.clause)))
    return replace(problem, soft=kept)
