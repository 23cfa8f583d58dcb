"""Calibration: sets of trees with gold answers in, weights and what they are worth out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from maieutic.benchmarks.calibration.fit import MAX_PROPOSITIONS, Evidence, evidence_of, fit, joined
from maieutic.benchmarks.calibration.study import Study, StudyRow, study, without_weights
from maieutic.benchmarks.runs.folder import read_run
from maieutic.errors import InputError
from maieutic.files.json_lines import read_trees
from maieutic.inference import Joint
from maieutic.inference.weights import JointWeights
from maieutic.nli.base import Verifier
from maieutic.relate import relate
from maieutic.tree import Tree

__all__ = ["Calibration", "Progress", "calibrate", "learnable_trees", "silent"]

BATCH_TREES = 64  # trees whose pairs the verifier gets in one call

T = TypeVar("T")


class Progress(Protocol):
    """Passes items on and shows how many have come."""

    def __call__(self, items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
        """The items; ``description`` says what is done, ``total`` how many there are."""
        ...


def silent(items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
    """The items, and nothing shown."""
    return iter(items)


@dataclass(frozen=True)
class Calibration:
    """What was learned from all sets together, and what such weights are worth on each.

    Attributes:
        weights: learned from all trees.
        rows: the report, set by set.
    """

    weights: JointWeights
    rows: tuple[StudyRow, ...]


def learnable_trees(path: Path, folds: int, on_notice: Callable[[str], None]) -> list[Tree]:
    """The trees of a file, or of a run's folder, that weights can be learned from.

    Args:
        folds: parts that will be held out in turn.
        on_notice: called with how many trees are left out, and why.

    Raises:
        FileFormatError: a line is no tree, or a folder is not that of a run.
        InputError: nothing is left, all gold answers are the same, or there are fewer questions than folds.
    """
    trees = _trees_of_run(path) if path.is_dir() else [tree for _, tree in read_trees(path)]
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
        held = f"all {len(small)} gold answers are {str(*answers).lower()}" if answers else "no gold answers"
        raise InputError(f"{path}: {held}; weights are learned from true and false ones", subject=str(path))
    questions = len({tree.question for tree in small})
    if questions < folds:
        problem = f"{path}: {questions} questions are fewer than {folds} folds; lower --folds"
        raise InputError(problem, subject="folds")
    return small


def _trees_of_run(folder: Path) -> list[Tree]:
    trees = read_run(folder).trees
    if not trees:
        problem = f"{folder} is a run without trees; give one of the method maieutic"
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
        graphs = [each.graph for batch in related for each in relate(batch, verifier, Joint())]
        evidence[name] = evidence_of(trees, graphs, plan.start)
        rows += without_weights(name, evidence[name], trees, graphs)
    rows += progress(study(evidence, plan), "learn")
    weights = fit(joined(list(evidence.values())), plan.start, off=plan.off, l2=plan.l2)
    return Calibration(weights, tuple(rows))
