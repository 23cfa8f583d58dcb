"""Learns the weights of choosing from questions with grown trees, by maximum likelihood of the right options.

    python -m maieutic.benchmarks.choice.learn TREES --nli FOLDER --out choice.weights.toml

It first prints the accuracy out of fold, that is, of each question under weights learned without it: of the
roots alone, of each tree alone, and with relations across trees. Ties count by their share. The replies of
the verifier stay in the response cache.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from maieutic.benchmarks import run_app
from maieutic.benchmarks.analysis.statistics import bench_library
from maieutic.benchmarks.calibration.fit import folds_of
from maieutic.benchmarks.choice.evidence import WEIGHTS, ChoiceEvidence, choosing_terms, evidence_of_choices
from maieutic.benchmarks.choice.items import ChoiceItem, read_choices
from maieutic.cache.store import ResponseStore
from maieutic.errors import InputError
from maieutic.inference.weights import DEFAULT_WEIGHTS, EVERY_TERM, TERMS, JointWeights, weights_toml
from maieutic.models import open_verifier
from maieutic.nli.base import Verifier
from maieutic.problem.choosing import choice_problem
from maieutic.problem.ties import TIE_WEIGHTS

__all__ = ["OutOfFold", "evidence_of_items", "fit_choices", "main", "out_of_fold"]

L2 = 1.0  # nats for a weight of 1, in all
STEPS = 100
ROUNDING = 1e-9  # of log-probabilities that are equal
ROOTS = ("root", "root_negation")
WAYS = {
    "roots alone": ROOTS,
    "trees alone": tuple(term for term in choosing_terms() if term not in TIE_WEIGHTS),
    "one problem": tuple(choosing_terms()),
}


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """How the options are chosen under weights that were learned without the question.

    Attributes:
        right: float64 (questions,), share of the gold option among the best.
        nll: mean −ln P(gold), nats.
    """

    right: torch.Tensor
    nll: float

    @property
    def accuracy(self) -> float:
        """Share of right choices, in [0, 1]."""
        return float(self.right.mean())


def evidence_of_items(items: Sequence[ChoiceItem], verifier: Verifier) -> ChoiceEvidence:
    """The evidence of questions with trees and gold answers.

    Raises:
        InputError: a question has none.
    """
    if any(not item.trees or item.gold is None for item in items):
        raise InputError("weights are learned from questions with trees and answers; give such a file")
    shape = replace(EVERY_TERM, entailment=0.0, contradiction=0.0, negation=0.0)
    problems = [choice_problem(item.trees, item.options) for item in items]
    return evidence_of_choices(problems, [item.gold or 0 for item in items], verifier, shape)


def fit_choices(
    evidence: ChoiceEvidence, keep: torch.Tensor, terms: Sequence[str], l2: float = L2
) -> torch.Tensor:
    """The weights ≥ 0 under which the gold options are likeliest, float64 (weights,); 0 where not in
    ``terms``.

    Args:
        keep: bool (questions,), those that are learned from.
    """
    places = torch.tensor([WEIGHTS.index(term) for term in terms])
    gold = evidence.gold[keep]

    def loss(numbers: Sequence[float]) -> tuple[float, list[float]]:
        chosen = torch.tensor(numbers, dtype=torch.float64, requires_grad=True)
        values = torch.zeros(len(WEIGHTS), dtype=torch.float64).index_copy(0, places, chosen)
        log_p = evidence.log_p(values)[keep]
        wrong = torch.nn.functional.nll_loss(log_p, gold, reduction="sum")
        total = (wrong + l2 * chosen.square().sum()) / len(gold)
        (gradient,) = torch.autograd.grad(total, chosen)
        return float(total.detach()), gradient.tolist()

    found = bench_library("scipy.optimize").minimize(
        loss,
        [0.3] * len(terms),
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, None)] * len(terms),
        options={"maxiter": STEPS, "ftol": 1e-8},
    )
    learned = torch.tensor(found.x, dtype=torch.float64)
    return torch.zeros(len(WEIGHTS), dtype=torch.float64).index_copy(0, places, learned)


def out_of_fold(
    evidence: ChoiceEvidence, fold: Sequence[int], terms: Sequence[str], l2: float = L2
) -> OutOfFold:
    """Every question under weights that were learned from the other folds.

    Args:
        fold: of each question.
    """
    place = torch.tensor(fold)
    right = torch.zeros(len(place), dtype=torch.float64)
    losses = torch.zeros_like(right)
    for number in sorted(set(fold)):
        inside = place == number
        weights = fit_choices(evidence, ~inside, terms, l2)
        with torch.no_grad():
            log_p = evidence.log_p(weights)[inside]
        best = log_p >= log_p.max(dim=1, keepdim=True).values - ROUNDING
        gold = evidence.gold[inside][:, None]
        right[inside] = (best.gather(1, gold)[:, 0] / best.sum(dim=1)).to(torch.float64)
        losses[inside] = -log_p.gather(1, gold)[:, 0]
    return OutOfFold(right, float(losses.mean()))


def learned_weights(values: torch.Tensor) -> tuple[JointWeights, dict[str, float]]:
    """The weights of joint inference, and those across trees, rounded to two decimals.

    Grown trees of options have no chains of thought: one counts like a direct belief.
    """
    numbers = {name: round(float(value), 2) for name, value in zip(WEIGHTS, values, strict=True)}
    numbers["chain"] = numbers["chain"] or numbers["root"]
    joint = replace(DEFAULT_WEIGHTS, **{term: numbers[term] for term in TERMS})
    return joint, {term: numbers[term] for term in TIE_WEIGHTS}


def main() -> None:
    """Print accuracies out of fold, then write the weights learned from all questions."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("trees", type=Path)
    parser.add_argument("--nli", required=True)
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    items = read_choices(args.trees)
    evidence = evidence_of_items(items, open_verifier(args.nli, cache=ResponseStore()))
    for way, terms in WAYS.items():
        for seed in range(args.seeds):
            fold = folds_of([f"{item.id} {item.question}" for item in items], seed, args.folds)
            result = out_of_fold(evidence, fold, terms)
            print(f"{way}, seed {seed}: accuracy {result.accuracy:.2%}, NLL {result.nll:.4f}", flush=True)  # noqa: T201
    everything = torch.ones(len(items), dtype=torch.bool)
    joint, ties = learned_weights(fit_choices(evidence, everything, WAYS["one problem"]))
    print(joint, ties)  # noqa: T201
    if args.out is not None:
        args.out.write_text(weights_file(joint, ties, args.trees.name, Path(args.nli).name), encoding="utf-8")


def weights_file(joint: JointWeights, ties: dict[str, float], trees: str, nli: str) -> str:
    """A weights file with a table of the weights across trees."""
    command = f"python -m maieutic.benchmarks.choice.learn {trees} --nli {nli}"
    lines = [weights_toml(joint, {"command": command}), "[ties]"]
    return "\n".join([*lines, *(f"{name} = {value!r}" for name, value in ties.items())]) + "\n"


if __name__ == "__main__":
    run_app(main)
