"""What learned weights are worth: scored in and out of fold, across data sets, and with terms left out.

Launch:   maieutic calibrate TREES… --nli FOLDER --seeds 5 --ablate
Rows:     "vote" and "root belief" answer without weights; "default" has the weights that learning starts
          from, "default, own priors" the same with the priors of the set's model, "in fold" those learned
          from all trees of the set, "out of fold" each tree's from the other folds, "from NAME" those
          learned from another set, "without NAME" is out of fold with that weight 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from statistics import fmean

import torch

from maieutic.benchmarks.analysis.calibration_error import brier_score, expected_calibration_error
from maieutic.benchmarks.analysis.statistics import Interval, bootstrap
from maieutic.benchmarks.calibration.fit import L2, Evidence, fit, held_out, joined
from maieutic.errors import InputError
from maieutic.inference import Argue, BeliefGraph, Vote
from maieutic.inference.weights import DEFAULT_WEIGHTS, TERMS, JointWeights
from maieutic.tree import Tree

__all__ = [
    "ALL",
    "DEFAULT",
    "KINDS",
    "OUT_OF_FOLD",
    "OWN_PRIORS",
    "ProbabilityScores",
    "Study",
    "StudyRow",
    "scored",
    "study",
    "without_weights",
]

ALL = "all"
KINDS = ("one-node", "grown", ALL)
DEFAULT, OWN_PRIORS, OUT_OF_FOLD = "default", "default, own priors", "out of fold"
LEAST = 1e-9  # a probability of 0 for the gold answer costs 20.7 nats instead of infinity
FROM_OTHERS = "from the others"  # weights learned on all other sets


@dataclass(frozen=True, slots=True)
class ProbabilityScores:
    """How good probabilities of "true" are.

    Attributes:
        accuracy: share of correct answers (true iff P ≥ 1/2); ``half`` the same for the more confident half.
            Where equally confident answers lie on both sides of its end, it is the mean over their orders.
        nll: mean −ln P(gold), nats.
        brier, ece: see :mod:`maieutic.benchmarks.analysis.calibration_error`.
    """

    accuracy: float
    half: float
    nll: float
    brier: float
    ece: float

    @classmethod
    def of(cls, p: torch.Tensor, gold: torch.Tensor) -> ProbabilityScores:
        """Score P(true) against gold answers, both float64 (trees,), at least one tree."""
        right = _right(p, gold)
        sure = (p - 0.5).abs().round(decimals=12)
        size = (len(p) + 1) // 2
        last = sure.sort(descending=True).values[size - 1]
        above, level = right[sure > last], right[sure == last]
        given = torch.where(gold > 0.5, p, 1 - p).clamp(min=LEAST)
        return cls(
            accuracy=float(right.mean()),
            half=float(above.sum() + (size - len(above)) * level.mean()) / size,
            nll=float(-given.log().mean()),
            brier=brier_score(p.numpy(), gold.numpy()),
            ece=expected_calibration_error(torch.maximum(p, 1 - p).numpy(), right.numpy()),
        )


def _right(p: torch.Tensor, gold: torch.Tensor) -> torch.Tensor:
    """1 where an answer is correct, else 0, as float64 of the shape of ``p``."""
    return ((p >= 0.5) == (gold > 0.5)).to(torch.float64)


@dataclass(frozen=True)
class StudyRow:
    """One line of the report: a way to answer, on one kind of tree of one set.

    Attributes:
        scores: one for each seed of the folds; a single one where no folds are drawn.
        interval: 95 % bootstrap interval of the mean accuracy, trees of one question drawn together.
        probabilities: whether P(true) means something; else only the accuracy does.
    """

    data: str
    kind: str
    way: str
    trees: int
    scores: tuple[ProbabilityScores, ...]
    interval: Interval
    probabilities: bool = True

    def mean(self, name: str) -> float:
        """Over the seeds."""
        return fmean(self._values(name))

    def spread(self, name: str) -> float:
        """Largest minus smallest over the seeds."""
        return max(self._values(name)) - min(self._values(name))

    def _values(self, name: str) -> list[float]:
        return [float(getattr(score, name)) for score in self.scores]


@dataclass(frozen=True)
class Study:
    """What to compare.

    Attributes:
        start: where every fit begins, and what "default" means.
        seeds: of the folds; ``folds`` their number.
        ablate: also leave out one weight at a time.
        off: names of weights that stay 0 throughout.
        priors: whether each set's own priors are estimated first, without labels.

    Raises:
        InputError: ``off`` names something other than a weight, or all weights; ``l2`` is not a finite
            number ≥ 0.
    """

    start: JointWeights = DEFAULT_WEIGHTS
    folds: int = 5
    seeds: tuple[int, ...] = (0,)
    l2: float = L2
    ablate: bool = False
    off: tuple[str, ...] = ()
    priors: bool = False

    def __post_init__(self) -> None:
        if stray := sorted(set(self.off) - set(TERMS)):
            problem = f"{stray[0]!r} cannot be off; the weights are {', '.join(TERMS)}"
            raise InputError(problem, subject="off")
        if set(self.off) == set(TERMS):
            raise InputError("every weight is off; leave at least one to learn", subject="off")
        if not 0 <= self.l2 < math.inf:
            raise InputError(f"l2 must be a finite number ≥ 0, not {self.l2!r}", subject="l2")


def study(sets: Mapping[str, Evidence], plan: Study) -> Iterator[StudyRow]:
    """The rows of every set, as they are ready.

    Raises:
        InputError: as for :func:`maieutic.benchmarks.calibration.fit.held_out`.
    """
    learned = {name: fit(evidence, plan.start, off=plan.off, l2=plan.l2) for name, evidence in sets.items()}
    for name, evidence in sets.items():
        yield from scored(name, evidence, "in fold", learned[name])
        yield from _rows(name, evidence, OUT_OF_FOLD, _each_seed(evidence, plan))
        for other, weights in learned.items():
            if other != name:
                yield from scored(name, evidence, f"from {other}", weights)
        if len(sets) > 2:  # leave this set out
            rest = joined([other for label, other in sets.items() if label != name])
            weights = fit(rest, plan.start, off=plan.off, l2=plan.l2)
            yield from scored(name, evidence, FROM_OTHERS, weights)
        left = [term for term in TERMS if term not in plan.off]
        for term in left if plan.ablate and len(left) > 1 else ():
            held = _each_seed(evidence, plan, (term,))
            yield from _rows(name, evidence, f"without {term}", held)


def scored(name: str, evidence: Evidence, way: str, weights: JointWeights) -> Iterator[StudyRow]:
    """The rows of a set under some weights."""
    yield from _rows(name, evidence, way, [evidence.p_true(weights)])


def without_weights(
    name: str, evidence: Evidence, trees: Sequence[Tree], graphs: Sequence[BeliefGraph]
) -> Iterator[StudyRow]:
    """Vote, argue, and the root's belief alone: true iff P(true | Q) ≥ P(true | ¬Q), unknown counted as ½."""
    for inference in (Vote(), Argue()):
        answers = [inference.infer(tree, graph).answer for tree, graph in zip(trees, graphs, strict=True)]
        labels = torch.tensor(answers).double()
        yield from _rows(name, evidence, inference.name, [labels], probabilities=False)
    roots = [_believed(tree) for tree in trees]
    yield from _rows(name, evidence, "root belief", [torch.tensor(roots).double()], probabilities=False)


def _believed(tree: Tree) -> bool:
    p, p_negation = (0.5 if p is None else p for p in (tree.root.p_true, tree.root.p_true_negation))
    return p >= p_negation


def _each_seed(evidence: Evidence, plan: Study, off: tuple[str, ...] = ()) -> list[torch.Tensor]:
    return [
        held_out(evidence, plan.start, folds=plan.folds, seed=seed, off=(*plan.off, *off), l2=plan.l2)
        for seed in plan.seeds
    ]


def _rows(
    name: str, evidence: Evidence, way: str, p_true: Sequence[torch.Tensor], *, probabilities: bool = True
) -> Iterator[StudyRow]:
    questions = [" ".join(question.split()) for question in evidence.questions]
    for kind in KINDS:
        inside = [kind in (own, ALL) for own in evidence.kinds]
        if any(inside):
            gold = evidence.gold[inside]
            scores = tuple(ProbabilityScores.of(p[inside], gold) for p in p_true)
            right = torch.stack([_right(p[inside], gold) for p in p_true]).mean(0).tolist()
            interval = bootstrap(right, list(compress(questions, inside)), seed=0)
            yield StudyRow(name, kind, way, len(gold), scores, interval, probabilities)
