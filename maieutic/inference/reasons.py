"""The reasons behind a verdict: each piece of evidence once, with how far it moves the answer.

An explanation has a belief, relations with others and a place in the tree, each with a constraint of its
own. For a reader they are one reason. How much it counts is how far Q would move if the explanation had the
other truth value: under joint inference P(Q) less P(Q | not its label), both exact. What the model says of Q
itself, and what the user takes for certain, counts by how far Q would move without it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal as OneOf

from maieutic.errors import MaieuticError
from maieutic.inference.argue import strengths_of
from maieutic.inference.base import Verdict
from maieutic.inference.constraints import Constraint, clause_of, variables_of
from maieutic.inference.graph import BeliefGraph
from maieutic.inference.vote import ballot
from maieutic.solvers import WeightedCNF
from maieutic.text import text_key
from maieutic.tree import ROOT, Tree

__all__ = ["Reason", "Source", "reasons_of"]

Source = OneOf["explanation", "assumption", "memory", "direct", "thought", "common"]

MAX_WIDTH = 12  # of the exact sums, one for each reason; beyond it reasons are ordered by their weights
ROUNDING = 1e-9  # of probabilities; what moves P(Q) by less moves nothing
SOURCES: Mapping[str, Source] = {"belief": "direct", "chain": "thought", "bias": "common", "memory": "memory"}


@dataclass(frozen=True, slots=True)
class Reason:
    """One piece of evidence about Q.

    Attributes:
        source: "explanation", "assumption", "memory" (a proposition of an earlier question; with the id Q
            what earlier questions say of Q itself), "direct" (the model's belief in Q), "thought" (a chain
            of thought about Q) or "common" (Q's form that is commoner among such statements).
        ids: the propositions that say it, all with the same meaning; Q for the last three sources.
        supports: whether it speaks for Q, if it is true.
        held: whether it is taken for true.
        moves: how far it moves Q, below 0 towards false: P(Q) less ``otherwise`` (joint), votes (vote) or
            what the strength of Q loses without it (argue). Nats where ``otherwise`` is not known.
        otherwise: P(Q) if an explanation had the other label, in [0, 1]; without it, if its label is fixed;
            without a reason of another source. None where that is not known.
        rival: id of a proposition that is held and for which this one is not; None if there is none.
    """

    source: Source
    ids: tuple[str, ...]
    supports: bool
    held: bool
    moves: float
    otherwise: float | None = None
    rival: str | None = None


def reasons_of(tree: Tree, verdict: Verdict, graph: BeliefGraph) -> tuple[Reason, ...]:
    """The reasons of a verdict, the strongest first.

    An explanation or an assumption is a reason if a chain of constraints connects it with Q (joint), if it
    is related to Q (vote), or if it is in the tree (argue). The model's belief in Q is none under vote,
    unless the tree is Q alone; a chain of thought is one under joint inference only.
    """
    if verdict.strengths is not None:
        found = list(_arguments(tree))
    elif verdict.votes is not None:
        found = list(_ballots(tree, verdict, graph))
    else:
        found = list(_evidence(verdict))
    return tuple(sorted(found, key=lambda reason: -abs(reason.moves)))


def _arguments(tree: Tree) -> Iterator[Reason]:
    """What the strength of Q loses without each proposition and all that is said about it."""
    strengths = strengths_of(tree)
    root = tree.root
    if root.p_true is not None and root.p_true != 0.5:
        others = tuple(node for node in tree.nodes if node.parent is not None)
        without = replace(tree, nodes=(replace(root, p_true=None), *others), pruned=())
        supports = root.p_true > 0.5
        yield Reason("direct", (ROOT,), supports, supports, strengths[ROOT] - strengths_of(without)[ROOT])
    for node in tree.nodes:
        if node.parent is None:
            continue
        below = (f"{node.id}T", f"{node.id}F")
        left = tuple(n for n in tree.nodes if n.id != node.id and not n.id.startswith(below))
        moves = strengths[ROOT] - strengths_of(replace(tree, nodes=left, pruned=()))[ROOT]
        held = strengths[node.id] >= 0.5
        yield Reason("explanation", (node.id,), _argues_for_root(node.id), held, moves)


def _argues_for_root(node_id: str) -> bool:
    """Whether a proposition is on Q's side in a debate: an even number of its ancestors' edges attack."""
    return node_id.count("F") % 2 == 0


def _ballots(tree: Tree, verdict: Verdict, graph: BeliefGraph) -> Iterator[Reason]:
    """What each form that is related to Q votes, or would vote if it were labelled true."""
    if verdict.margin_unit == "probability":
        root = tree.root
        moves = verdict.margin if verdict.answer else -verdict.margin
        if root.p_true is not None or root.p_true_negation is not None:
            yield Reason("direct", (ROOT,), verdict.answer, verdict.answer, moves)
    said: dict[tuple[str, bool], list[Reason]] = {}  # the same sentence, held or not, is one reason
    for form in graph.forms:
        literal, vote = form.literal, ballot(graph, form.literal)
        if literal.id not in verdict.labels or literal.id == ROOT or vote == 0:
            continue
        voted, held = verdict.holds(literal), verdict.labels[literal.id]
        if voted or literal.positive:
            supports = (vote > 0) == literal.positive
            rival = None if held else _rival(verdict, {literal.id})
            moves = float(vote) if voted else 0.0
            reason = Reason("explanation", (literal.id,), supports, held, moves, rival=rival)
            said.setdefault((text_key(tree.by_id[literal.id].statement), held), []).append(reason)
    for first, *others in said.values():
        alike = (first, *(other for other in others if other.supports == first.supports))
        ids = tuple(reason.ids[0] for reason in alike)
        yield replace(first, ids=ids, moves=sum(reason.moves for reason in alike))
        yield from (other for other in others if other.supports != first.supports)


def _evidence(verdict: Verdict) -> Iterator[Reason]:
    """The constraints about Q alone, and the propositions that constraints connect with Q."""
    variables = variables_of(verdict.variables, verdict.merged)
    clauses = [tuple(map(abs, clause_of(c, variables))) for c in verdict.constraints]
    exact = _Exact.of(verdict)
    for index, constraint in enumerate(verdict.constraints):
        if constraint.target is None and constraint.source.id == ROOT:
            supports = constraint.source.positive
            without = exact.without({index}) if exact else None
            moves = constraint.weight if supports else -constraint.weight
            moves = exact.p_true - without if exact and without is not None else moves
            source = SOURCES[constraint.kind]
            yield Reason(source, (ROOT,), supports, supports == verdict.answer, moves, without)
    said: dict[int, list[str]] = {}  # signed variable → those that say the same
    reached = _connected(clauses, variables.get(ROOT, 0))
    for node_id, variable in variables.items():
        if node_id != ROOT and abs(variable) in reached:
            said.setdefault(variable, []).append(node_id)
    for variable, ids in said.items():
        about = {index for index, clause in enumerate(clauses) if abs(variable) in clause}
        alike = {i for i, v in variables.items() if abs(v) == abs(variable)}
        yield _proposition(verdict, tuple(ids), alike, exact, about)


def _proposition(
    verdict: Verdict, ids: tuple[str, ...], alike: set[str], exact: _Exact | None, about: set[int]
) -> Reason:
    """The reason that some propositions with the same meaning are.

    Args:
        alike: ids of all propositions with this variable, those of the opposite meaning too.
        about: indices of the constraints that contain the variable.
    """
    held = verdict.labels[ids[0]]
    weight = _towards_root(verdict.constraints, ids)
    supports = weight > 0 if weight else _argues_for_root(ids[0])
    moves, otherwise = (abs(weight) if supports == held else -abs(weight)), None
    if exact is not None:
        otherwise = exact.given_label(ids[0], not held)
        otherwise = exact.without(about) if otherwise is None else otherwise
        if otherwise is not None:
            moves = exact.p_true - otherwise
            supports = supports if abs(moves) <= ROUNDING else (moves > 0) == held
    assumed = any(assumption.id == ids[0] for assumption in verdict.assumptions)
    rival = None
    if not held:
        rival = next((i for i in sorted(alike) if verdict.labels[i]), None) or _rival(verdict, alike)
    recalled = any(one.id == ids[0] for one in verdict.recalled)
    source: Source = "assumption" if assumed else "memory" if recalled else "explanation"
    return Reason(source, ids, supports, held, moves, otherwise, rival)


def _towards_root(constraints: Sequence[Constraint], ids: tuple[str, ...]) -> float:
    """The weight of the constraints between these propositions and Q; below 0 where they exclude Q."""
    total = 0.0
    for constraint in constraints:
        signs = {literal.id: literal.positive for literal in constraint.clause}
        if len(signs) == len(constraint.clause) == 2 and ROOT in signs:
            (other,) = signs.keys() - {ROOT}
            if other in ids:
                total += constraint.weight if signs[other] != signs[ROOT] else -constraint.weight
    return total


def _rival(verdict: Verdict, alike: set[str]) -> str | None:
    """The held proposition that keeps these from being held, if it is the heaviest thing that does."""
    flipped = {**verdict.labels, **{i: not verdict.labels[i] for i in alike if i in verdict.labels}}
    broken = set(verdict.violated)
    stops = [
        constraint
        for index, constraint in enumerate(verdict.constraints)
        if index not in broken
        and constraint.ids & alike
        and not any(literal.holds(flipped[literal.id]) for literal in constraint.clause)
    ]
    heaviest = max(stops, key=lambda constraint: constraint.weight, default=None)
    others = heaviest.ids - alike - {ROOT} if heaviest else frozenset[str]()
    return next((i for i in others if verdict.labels[i]), None)


def _connected(clauses: Iterable[Sequence[int]], start: int) -> set[int]:
    """The variables that clauses connect with one of them, itself included."""
    neighbours: dict[int, set[int]] = {}
    for clause in clauses:
        for variable in clause:
            neighbours.setdefault(variable, set()).update(clause)
    reached, ahead = {start}, [start]
    while ahead:
        new = neighbours.get(ahead.pop(), set()) - reached
        reached |= new
        ahead += new
    return reached


@dataclass(frozen=True, slots=True)
class _Exact:
    """Exact probabilities under a verdict's problem.

    Attributes:
        p_true: P(Q).
        given: P(statement) of each proposition where Q is true, and where it is false.
    """

    problem: WeightedCNF
    root: int
    p_true: float
    given: tuple[Mapping[str, float], Mapping[str, float]]

    @classmethod
    def of(cls, verdict: Verdict) -> _Exact | None:
        """None where the problem is too dense to sum exactly, or is none (a file may hold anything)."""
        if verdict.p_true is None:
            return None
        try:
            encoding = verdict.encoding
            root = encoding.variables[ROOT]
            sums = [_sums(encoding.problem), *(_sums(encoding.problem.assuming(q)) for q in (root, -root))]
        except MaieuticError:
            return None
        now, true, false = sums
        if now is None or true is None or false is None:
            return None
        given = tuple(
            {i: p[abs(v) - 1] if v > 0 else 1.0 - p[abs(v) - 1] for i, v in encoding.variables.items()}
            for p in (true, false)
        )
        return cls(encoding.problem, root, now[root - 1], (given[0], given[1]))

    def without(self, indices: set[int]) -> float | None:
        """P(Q) without these constraints."""
        left = tuple(item for index, item in enumerate(self.problem.soft) if index not in indices)
        p = _sums(replace(self.problem, soft=left))
        return None if p is None else p[self.root - 1]

    def given_label(self, node_id: str, label: bool) -> float | None:
        """P(Q | the statement has this label); None where the statement cannot have it."""
        p = [p[node_id] if label else 1.0 - p[node_id] for p in self.given]
        both = p[0] * self.p_true, p[1] * (1.0 - self.p_true)
        return both[0] / sum(both) if sum(both) > ROUNDING else None


def _sums(problem: WeightedCNF) -> list[float] | None:
    from maieutic.solvers.marginals import marginals  # noqa: PLC0415 - loads numpy

    p = marginals(problem, MAX_WIDTH)
    return None if p is None else [float(value) for value in p]
