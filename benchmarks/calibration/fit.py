"""Learns the weights of joint inference from trees with gold answers, by maximum likelihood.

Launch:   maieutic calibrate TREES.jsonl.gz --nli FOLDER --out weights.toml
Model:    P(labels) ∝ exp(−cost), and the cost is linear in the weights
          (:meth:`maieutic.inference.Joint.terms`); the gradient of
          ln P(Q = gold), explanations summed out exactly, comes from torch's autograd.
Cost:     2ⁿ labellings for a tree of n propositions; two thousand trees of GPT-3's take seconds a fit.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import torch

from maieutic.benchmarks.analysis.statistics import bench_library
from maieutic.errors import InputError
from maieutic.inference import BeliefGraph, Joint
from maieutic.inference.constraints import Constraint, Encoding
from maieutic.inference.weights import TERMS, JointWeights
from maieutic.solvers.energy import energy
from maieutic.tree import ROOT, Tree, taking_part

__all__ = ["MAX_PROPOSITIONS", "Evidence", "evidence_of", "fit", "folds_of", "held_out", "joined"]

MAX_PROPOSITIONS = 20  # 2²⁰ labellings of one tree are a second of work in a fit
CHUNK = 1 << 21  # labellings in memory at a time, 16 MiB of doubles
L2 = 3.0  # of the summed log-likelihood: a weight of 1 costs 3 nats in all, whatever the number of trees
STEPS = 200  # of L-BFGS, at most


@dataclass(frozen=True)
class TreeGroup:
    """Trees of equal size, as the cost Σ linear·s + ½ Σ s·pairs·s that one unit of each weight gives.

    Attributes:
        places: int64 (trees,), where they stand among all.
        linear: float64 (trees, terms, propositions), Q first; ``pairs`` (trees, terms, n, n), symmetric.
    """

    places: torch.Tensor
    linear: torch.Tensor
    pairs: torch.Tensor


@dataclass(frozen=True)
class Evidence:
    """Trees with gold answers, converted to the numbers that weights are learned from.

    Attributes:
        gold: float64 (trees,), 0 or 1; ``questions`` and ``kinds`` of the same trees.
        shape: the weights whose ``clip`` and ``threshold`` the numbers were made with.
        importance: float64 (trees,), how much each tree counts in a fit; 1 on average.
    """

    gold: torch.Tensor
    questions: tuple[str, ...]
    kinds: tuple[str, ...]
    groups: tuple[TreeGroup, ...]
    shape: JointWeights
    importance: torch.Tensor

    def chosen(self, keep: Sequence[bool]) -> Evidence:
        """The trees where ``keep`` is true, in their order."""
        mask = torch.tensor(keep, dtype=torch.bool)
        place = torch.cumsum(mask, 0) - 1
        groups = []
        for group in self.groups:
            inside = mask[group.places]
            if bool(inside.any()):
                places = place[group.places[inside]]
                groups.append(TreeGroup(places, group.linear[inside], group.pairs[inside]))
        return Evidence(
            self.gold[mask],
            tuple(q for q, kept in zip(self.questions, keep, strict=True) if kept),
            tuple(k for k, kept in zip(self.kinds, keep, strict=True) if kept),
            tuple(groups),
            self.shape,
            self.importance[mask],
        )

    def log_odds(self, values: torch.Tensor) -> torch.Tensor:
        """ln P(Q true) − ln P(Q false) of every tree, float64 (trees,), under term weights ``values``."""
        log_odds = torch.zeros(len(self.gold), dtype=torch.float64)
        for group in self.groups:
            linear = torch.einsum("tkn,k->tn", group.linear, values)
            pairs = torch.einsum("tknm,k->tnm", group.pairs, values)
            odds = [_log_odds(*part) for part in _chunks(linear, pairs)]
            log_odds = log_odds.index_copy(0, group.places, torch.cat(odds))
        return log_odds

    def best_labels(self, weights: JointWeights) -> list[list[bool]]:
        """The best labelling of every tree: Q's label, then the explanations' in the order of the tree."""
        labels: dict[int, list[bool]] = {}
        with torch.no_grad():
            for group in self.groups:
                labellings = _labellings(group.linear.shape[2])
                linear = torch.einsum("tkn,k->tn", group.linear, _values(weights))
                pairs = torch.einsum("tknm,k->tnm", group.pairs, _values(weights))
                best = torch.cat([_costs(labellings, *part).argmin(1) for part in _chunks(linear, pairs)])
                labels |= zip(group.places.tolist(), (labellings[best] > 0.5).tolist(), strict=True)
        return [labels[place] for place in range(len(self.gold))]

    def p_true(self, weights: JointWeights) -> torch.Tensor:
        """P(Q true) of every tree, float64 (trees,)."""
        with torch.no_grad():
            return torch.sigmoid(self.log_odds(_values(weights)))


def evidence_of(trees: Sequence[Tree], graphs: Sequence[BeliefGraph], shape: JointWeights) -> Evidence:
    """Convert trees with gold answers, of at most :data:`MAX_PROPOSITIONS`, to numbers.

    Args:
        graphs: of :func:`maieutic.relate.relate` for joint inference.
        shape: gives ``clip`` and ``threshold``; its other weights do not matter.
    """
    rows: dict[int, list[tuple[int, torch.Tensor, torch.Tensor]]] = defaultdict(list)
    for place, (tree, graph) in enumerate(zip(trees, graphs, strict=True)):
        linear, pairs = _quadratic(tree, graph, shape)
        rows[linear.shape[1]].append((place, linear, pairs))
    groups = tuple(
        TreeGroup(
            torch.tensor([place for place, _, _ in group]),
            torch.stack([linear for _, linear, _ in group]),
            torch.stack([pairs for _, _, pairs in group]),
        )
        for _, group in sorted(rows.items())
    )
    gold = torch.tensor([float(bool(tree.answer)) for tree in trees], dtype=torch.float64)
    questions, kinds = tuple(tree.question for tree in trees), tuple(tree.kind for tree in trees)
    return Evidence(gold, questions, kinds, groups, shape, torch.ones_like(gold))


def joined(parts: Sequence[Evidence]) -> Evidence:
    """The trees of several sets, made with the same shape, as one in which every set counts the same."""
    groups: list[TreeGroup] = []
    offset = 0
    total = sum(len(part.gold) for part in parts)
    importance = [part.importance * total / (len(parts) * len(part.gold)) for part in parts]
    for part in parts:
        groups += [TreeGroup(g.places + offset, g.linear, g.pairs) for g in part.groups]
        offset += len(part.gold)
    return Evidence(
        torch.cat([part.gold for part in parts]),
        tuple(question for part in parts for question in part.questions),
        tuple(kind for part in parts for kind in part.kinds),
        tuple(groups),
        parts[0].shape,
        torch.cat(importance),
    )


def fit(
    evidence: Evidence, start: JointWeights, *, off: Collection[str] = (), l2: float = L2
) -> JointWeights:
    """The weights under which the gold answers are likeliest, each but the bias ≥ 0.

    Args:
        start: where the search begins; its ``clip`` and ``threshold`` must be those of the evidence.
        off: names of weights that stay 0.
        l2: L2 penalty, nats for a weight of 1.

    Raises:
        InputError: all gold answers are the same; ``subject`` is "gold".
    """
    if len(set(evidence.gold.tolist())) < 2:
        problem = "all gold answers are the same; add trees with the other answer"
        raise InputError(problem, subject="gold")
    free = [name for name in TERMS if name not in off]
    places = torch.tensor([TERMS.index(name) for name in free])

    def loss(numbers: Sequence[float]) -> tuple[float, list[float]]:
        chosen = torch.tensor(numbers, dtype=torch.float64, requires_grad=True)
        values = torch.zeros(len(TERMS), dtype=torch.float64).index_copy(0, places, chosen)
        odds = evidence.log_odds(values)
        wrong = torch.nn.functional.binary_cross_entropy_with_logits(
            odds, evidence.gold, weight=evidence.importance, reduction="sum"
        )
        total = (wrong + l2 * chosen.square().sum()) / len(evidence.gold)
        (gradient,) = torch.autograd.grad(total, chosen)
        return float(total.detach()), gradient.tolist()

    result = bench_library("scipy.optimize").minimize(
        loss,
        # A weight of 0 is a saddle where two weights matter only together: start above it.
        [getattr(start, name) if name == "bias" else max(0.05, getattr(start, name)) for name in free],
        jac=True,
        method="L-BFGS-B",
        bounds=[(None, None) if name == "bias" else (0.0, None) for name in free],
        options={"maxiter": STEPS, "ftol": 1e-7},
    )
    learned = {name: float(value) for name, value in zip(free, result.x, strict=True)}
    return replace(evidence.shape, **(dict.fromkeys(TERMS, 0.0) | learned))


def folds_of(questions: Sequence[str], seed: int, folds: int) -> list[int]:
    """The fold of each question, in 0 … folds − 1.

    Questions that are equal except for whitespace are in one fold. The numbers of different questions in the
    folds differ by at most 1. Folds depend only on the texts and the seed, so they are the same everywhere.
    """
    keys = [" ".join(question.split()) for question in questions]
    drawn = sorted(set(keys), key=lambda key: hashlib.sha256(f"{seed}:{key}".encode()).digest())
    fold = {key: place % folds for place, key in enumerate(drawn)}
    return [fold[key] for key in keys]


def held_out(
    evidence: Evidence,
    start: JointWeights,
    *,
    folds: int,
    seed: int,
    off: Collection[str] = (),
    l2: float = L2,
) -> torch.Tensor:
    """P(Q true) of every tree under weights learned without its fold, float64 (trees,).

    Raises:
        InputError: fewer than two folds or fewer questions than folds (``subject`` is "folds"), or all
            gold answers outside a fold are the same (``subject`` is "fold N").
    """
    questions = len(set(evidence.questions))
    if folds < 2:
        raise InputError(f"folds must be ≥ 2, not {folds}", subject="folds")
    if questions < folds:
        problem = f"{folds} folds need as many questions, not {questions}; lower --folds or add trees"
        raise InputError(problem, subject="folds")
    place = folds_of(evidence.questions, seed, folds)
    p_true = torch.zeros(len(place), dtype=torch.float64)
    for fold in range(folds):
        rest = evidence.chosen([p != fold for p in place])
        if len(set(rest.gold.tolist())) < 2:
            problem = f"without fold {fold} all gold answers are the same; lower --folds or add trees"
            raise InputError(problem, subject=f"fold {fold}")
        weights = fit(rest, start, off=off, l2=l2)
        inside = [p == fold for p in place]
        p_true[torch.tensor(inside)] = evidence.chosen(inside).p_true(weights)
    return p_true


def _values(weights: JointWeights) -> torch.Tensor:
    return torch.tensor([getattr(weights, name) for name in TERMS], dtype=torch.float64)


def _quadratic(tree: Tree, graph: BeliefGraph, shape: JointWeights) -> tuple[torch.Tensor, torch.Tensor]:
    """The cost of one unit of each weight: linear (terms, n) and pairs (terms, n, n); Q comes first."""
    ids = [ROOT, *(node.id for node in taking_part(tree))]
    n = len(ids)
    constraints: dict[str, list[Constraint]] = {name: [] for name in TERMS}
    for term, constraint in Joint(weights=shape).terms(tree, graph):
        constraints[term].append(constraint)
    linear = torch.zeros(len(TERMS), n, dtype=torch.float64)
    pairs = torch.zeros(len(TERMS), n, n, dtype=torch.float64)
    for row, name in enumerate(TERMS):
        form = energy(Encoding.of(ids, constraints[name]).problem)
        linear[row] = torch.tensor(form.linear, dtype=torch.float64)
        for i, weights in enumerate(form.pairs):
            for j, weight in weights.items():
                pairs[row, i, j] = weight
    return linear, pairs


def _chunks(linear: torch.Tensor, pairs: torch.Tensor) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    size = max(1, CHUNK >> linear.shape[1])
    for start in range(0, len(linear), size):
        yield linear[start : start + size], pairs[start : start + size]


def _log_odds(linear: torch.Tensor, pairs: torch.Tensor) -> torch.Tensor:
    """Log-odds of the first variable, (trees,), summed over all labellings of (trees, n) variables.

    The variables are cut in two halves; a labelling's cost is that of each half and what lies between,
    which is one matrix product for all labellings together.
    """
    n = linear.shape[1]
    cut = (n + 1) // 2
    upper, lower = _labellings(cut), _labellings(n - cut)
    own = _costs(upper, linear[:, :cut], pairs[:, :cut, :cut])
    rest = _costs(lower, linear[:, cut:], pairs[:, cut:, cut:])
    between = (upper @ pairs[:, :cut, cut:]) @ lower.T
    cost = own[:, :, None] + rest[:, None, :] + between
    halves = torch.logsumexp(-cost.reshape(len(linear), 2, -1), dim=-1)
    return halves[:, 1] - halves[:, 0]


def _costs(labellings: torch.Tensor, linear: torch.Tensor, pairs: torch.Tensor) -> torch.Tensor:
    return linear @ labellings.T + 0.5 * ((labellings @ pairs) * labellings).sum(-1)


def _labellings(n: int) -> torch.Tensor:
    """Every labelling of n variables, float64 (2ⁿ, n), the first variable changing last."""
    codes = torch.arange(1 << n)
    shifts = torch.arange(n - 1, -1, -1)
    return ((codes[:, None] >> shifts) & 1).to(torch.float64)
