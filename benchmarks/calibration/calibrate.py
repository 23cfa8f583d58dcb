"""Calibration: learns weights from sets of trees with gold answers, and scores them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Protocol, TypeVar

from maieutic.benchmarks.calibration.fit import MAX_PROPOSITIONS, Evidence, evidence_of, fit, joined
from maieutic.benchmarks.calibration.study import (
    ALL,
    DEFAULT,
    OUT_OF_FOLD,
    OWN_PRIORS,
    Study,
    StudyRow,
    scored,
    study,
    without_weights,
)
from maieutic.benchmarks.runs.folder import read_run
from maieutic.errors import InputError
from maieutic.files.json_lines import read_trees
from maieutic.inference import Joint
from maieutic.inference.weights import EVERY_TERM, JointWeights
from maieutic.nli.base import Verifier
from maieutic.priors import Priors
from maieutic.relate import relate
from maieutic.tree import Tree

__all__ = ["Calibration", "Progress", "calibrate", "learnable_trees", "priors_of", "silent", "trees_of"]

BATCH_TREES = 64  # trees whose pairs the verifier gets in one call

T = TypeVar("T")


class Progress(Protocol):
    """Yields items and shows how many there were."""

    def __call__(self, items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
        """The items; ``description`` names the step, ``total`` is their number."""
        ...


def silent(items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
    """The items, without showing progress."""
    return iter(items)


@dataclass(frozen=True)
class Calibration:
    """Weights learned from all sets together, and their scores on each set.

    Attributes:
        weights: learned from all trees.
        rows: the report, set by set; empty where nothing was learned.
    """

    weights: JointWeights
    rows: tuple[StudyRow, ...]

    @property
    def nll(self) -> float:
        """Mean −ln P(gold) under weights learned without the fold, in nats, every set counted the same."""
        return self._nll(OUT_OF_FOLD)

    @property
    def default_nll(self) -> float:
        """The same under the weights that learning started from, with or without own priors: the lower."""
        given = {row.way for row in self.rows} & {DEFAULT, OWN_PRIORS}
        return min(self._nll(way) for way in given)

    @property
    def no_better(self) -> bool:
        """Whether weights were learned, and P(gold) is no likelier under them out of fold."""
        return bool(self.rows) and self.nll >= self.default_nll

    def _nll(self, way: str) -> float:
        return fmean(row.mean("nll") for row in self.rows if (row.way, row.kind) == (way, ALL))


def learnable_trees(path: Path, folds: int, on_notice: Callable[[str], None]) -> list[Tree]:
    """The trees of a file, or of a run's folder, that weights can be learned from.

    Args:
        folds: number of parts to hold out in turn.
        on_notice: called with the number of trees that are left out, and why.

    Raises:
        FileFormatError: a line is not a tree, or a folder is not a run.
        InputError: no tree is left or all gold answers are the same (``subject`` is the path), or there are
            fewer questions than folds (``subject`` is "folds").
    """
    trees = trees_of(path)
    known = [tree for tree in trees if tree.answer is not None]
    small = [tree for tree in known if len(tree.nodes) <= MAX_PROPOSITIONS]
    if len(known) < len(trees):
        left_out = len(trees) - len(known)
        on_notice(f"{path.name}: {left_out} of {len(trees)} trees have no gold answer; left out")
    if len(small) < len(known):
        left_out = len(known) - len(small)
        on_notice(f"{path.name}: {left_out} trees have more than {MAX_PROPOSITIONS} propositions; left out")
    answers = {tree.answer for tree in small}
    if len(answers) < 2:
        given = f"all {len(small)} gold answers are {str(*answers).lower()}" if answers else "no gold answers"
        raise InputError(f"{path}: {given}; give trees with both answers", subject=str(path))
    questions = len({tree.question for tree in small})
    if questions < folds:
        problem = f"{path}: {folds} folds need as many questions, not {questions}; lower --folds"
        raise InputError(problem, subject="folds")
    return small


def trees_of(path: Path) -> list[Tree]:
    """The trees of a file, or of a run's folder.

    Raises:
        FileFormatError: a line is not a tree, or a folder is not a run.
        InputError: the run has no trees.
    """
    return _trees_of_run(path) if path.is_dir() else [tree for _, tree in read_trees(path)]


def _trees_of_run(folder: Path) -> list[Tree]:
    trees = read_run(folder).trees
    if not trees:
        problem = f"{folder} is a run without trees; give a run of the method maieutic"
        raise InputError(problem, subject=str(folder))
    return trees


def calibrate(
    sets: Mapping[str, Sequence[Tree]], verifier: Verifier, plan: Study, progress: Progress = silent
) -> Calibration:
    """Learn the weights of joint inference from sets of trees, by name, and score them.

    Raises:
        ContextLengthError: a pair of propositions does not fit the verifier's window.
        InputError: as for :func:`maieutic.benchmarks.calibration.fit.held_out`.
    """
    rows: list[StudyRow] = []
    evidence: dict[str, Evidence] = {}
    for name, trees in sets.items():
        batches = [trees[i : i + BATCH_TREES] for i in range(0, len(trees), BATCH_TREES)]
        related = progress(batches, f"relate {name}", len(batches))
        graphs = [each.graph for batch in related for each in relate(batch, verifier, Joint(EVERY_TERM))]
        raw = evidence_of(trees, graphs, plan.start)
        rows += without_weights(name, raw, trees, graphs)
        rows += scored(name, raw, DEFAULT, plan.start)
        evidence[name] = raw
        if plan.priors:
            own = priors_of(trees, plan.start)
            evidence[name] = evidence_of(trees, graphs, own)
            rows += scored(name, evidence[name], OWN_PRIORS, own)
    rows += progress(study(evidence, plan), "learn")
    weights = fit(joined(list(evidence.values())), plan.start, off=plan.off, l2=plan.l2)
    if plan.priors:
        weights = priors_of([tree for trees in sets.values() for tree in trees], weights)
    return Calibration(weights, tuple(rows))


def priors_of(trees: Sequence[Tree], weights: JointWeights) -> JointWeights:
    """The weights with the priors of the model that grew the trees, estimated without gold answers.

    A prior is the mean log-odds, in nats and within ± ``clip``, of one kind of judgement over all statements
    (batch calibration, Zhou et al. 2024). It supposes that about as many of them are true as false.
    """
    priors = Priors.of(
        (tree.root.p_true for tree in trees),
        (tree.root.p_true_negation for tree in trees),
        (tree.chain.p_true for tree in trees if tree.chain is not None),
        limit=weights.clip,
    )
    return weights.with_priors(priors)
