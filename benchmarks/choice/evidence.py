"""Questions with grown trees as the numbers that the weights of choosing are learned from.

Once an option is taken for the right one, the labels of all statements are fixed, and what is left of a tree
depends on no other tree. So the cost of a choice is a sum over trees, each a sum over the labellings of its
explanations, and it is linear in the weights.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray

from maieutic.inference import Joint
from maieutic.inference.constraints import Constraint
from maieutic.inference.graph import BeliefGraph, Literal, claim_of
from maieutic.inference.posing import namer, renamed
from maieutic.inference.weights import TERMS, JointWeights
from maieutic.nli.base import Verifier
from maieutic.problem.base import Problem
from maieutic.problem.ties import TIE_WEIGHTS, TieConfig, plan_ties, tie_terms
from maieutic.relate import relate_plans
from maieutic.tree import taking_part

__all__ = ["MOST_EXPLANATIONS", "WEIGHTS", "ChoiceEvidence", "choosing_terms", "evidence_of_choices"]

WEIGHTS = (*TERMS, *TIE_WEIGHTS)
MOST_EXPLANATIONS = 16  # of a tree: 2¹⁶ labellings for every choice; later ones are left out


@dataclass(frozen=True)
class ChoiceEvidence:
    """Questions with gold answers as numbers.

    Attributes:
        gold: int64 (questions,), place of the right option.
        options: bool (questions, most options), whether there is such an option.
        groups: of trees with the same numbers of options and explanations: int64 (trees,), which question
            each belongs to, and float64 (trees, options, labellings, weights), what each labelling costs
            under each choice for one unit of each weight.
    """

    gold: torch.Tensor
    options: torch.Tensor
    groups: tuple[tuple[torch.Tensor, torch.Tensor], ...]

    def log_p(self, weights: torch.Tensor) -> torch.Tensor:
        """ln P(option) of every question, float64 (questions, most options), under ``weights`` (weights,)."""
        score = torch.full(self.options.shape, 0.0, dtype=torch.float64)
        for questions, costs in self.groups:
            partition = torch.logsumexp(-(costs @ weights), dim=-1)
            padded = torch.nn.functional.pad(partition, (0, score.shape[1] - partition.shape[1]))
            score = score.index_add(0, questions, padded)
        return torch.log_softmax(score.masked_fill(~self.options, -torch.inf), dim=1)


def evidence_of_choices(
    problems: Sequence[Problem], gold: Sequence[int], verifier: Verifier, shape: JointWeights
) -> ChoiceEvidence:
    """Relate the trees of choice problems and convert them.

    Args:
        shape: gives ``clip``, ``threshold`` and priors, and with its weights above 0 the terms that are used.
    """
    joint = Joint(shape)
    rows: dict[tuple[int, int], list[tuple[int, NDArray[np.float64]]]] = defaultdict(list)
    for place, problem in enumerate(problems):
        plans = [joint.plan(claim.tree) for claim in problem.claims]
        *trees, across = relate_plans([*plans, plan_ties(problem, TieConfig(premises=False)).plan], verifier)
        terms = _terms(problem, joint, [each.graph for each in trees], across.graph)
        for claim in problem.claims:
            costs = _costs(problem, claim.id, terms[claim.id])
            rows[costs.shape[0], costs.shape[1]].append((place, costs))
    most = max(len(problem.claims) for problem in problems)
    options = torch.tensor([[o < len(problem.claims) for o in range(most)] for problem in problems])
    groups = tuple(
        (torch.tensor([place for place, _ in each]), torch.tensor(np.stack([costs for _, costs in each])))
        for each in rows.values()
    )
    return ChoiceEvidence(torch.tensor(gold), options, groups)


def _terms(
    problem: Problem, joint: Joint, graphs: Sequence[BeliefGraph], across: BeliefGraph
) -> Mapping[str, list[tuple[str, Constraint]]]:
    """Claim → the pieces of evidence in its tree, or that its explanations give on other claims."""
    found: dict[str, list[tuple[str, Constraint]]] = {claim.id: [] for claim in problem.claims}
    for claim, graph in zip(problem.claims, graphs, strict=True):
        name = namer(claim.id)
        found[claim.id] += ((t, renamed(c, name)) for t, c in joint.terms(claim.tree, graph))
    assert joint.weights is not None
    for term, constraint in tie_terms(problem, across, joint.weights):
        found[claim_of(constraint.source.id)].append((term, constraint))
    return found


def _costs(problem: Problem, claim: str, terms: Sequence[tuple[str, Constraint]]) -> NDArray[np.float64]:
    """float64 (options, labellings, weights): what one unit of each weight costs."""
    tree = problem.claims[[one.id for one in problem.claims].index(claim)].tree
    name = namer(claim)
    nodes = [name(Literal(node.id)).id for node in taking_part(tree)][:MOST_EXPLANATIONS]
    count = 1 << len(nodes)
    labellings = np.array([*product((False, True), repeat=len(nodes))], dtype=bool).reshape(count, len(nodes))
    costs = np.zeros((len(problem.claims), len(labellings), len(WEIGHTS)))
    column = {node: labellings[:, place] for place, node in enumerate(nodes)}
    for choice, chosen in enumerate(problem.claims):
        for term, constraint in terms:
            if term in WEIGHTS and all(i in column or i in problem.statements for i in constraint.ids):
                broken = np.ones(len(labellings), dtype=bool)
                for literal in constraint.clause:
                    value = column.get(literal.id, np.bool_(literal.id == chosen.id))
                    broken &= value != literal.positive
                costs[choice, :, WEIGHTS.index(term)] += constraint.weight * broken
    return costs


def choosing_terms() -> Iterator[str]:
    """The weights that are learned: not what all options share, nor relations among explanations."""
    left_out = {"bias", "chain", "entailment", "contradiction", "negation"}
    return (name for name in WEIGHTS if name not in left_out)
