"""Direct answers where the model is confident, and trees elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import TYPE_CHECKING

from maieutic.benchmarks.methods.base import Outcome, Usage
from maieutic.benchmarks.methods.direct import Direct
from maieutic.benchmarks.methods.maieutic import MaieuticMethod
from maieutic.errors import InputError
from maieutic.models import LoadedModels

if TYPE_CHECKING:
    from maieutic.benchmarks.runs.records import Record  # imports the package of methods itself

__all__ = ["Cascade", "CurvePoint", "cascade_curve"]

DIRECT_P_TRUE, DIRECT_TOKENS = "direct_p_true", "direct_tokens"
TREE_ANSWER, TREE_TOKENS = "maieutic_answer", "maieutic_tokens"


@dataclass(frozen=True)
class Cascade:
    """Answers directly, and grows a tree where max(P(true), P(false)) is below the threshold.

    P(true) is that of the direct answer or of the tree, whichever gives the answer; a tree also gives a
    margin. A question without a direct answer gets a tree. The detail ``grown`` is
    1 or 0; ``direct_p_true`` and ``direct_tokens`` (of prompts and texts) describe the direct answer.

    Attributes:
        threshold: ≥ 0; up to 0.5 no question gets a tree, above 1 every question does.
        curve: true grows a tree for every question and records its answer in the details
            ``maieutic_answer`` (1 or 0) and ``maieutic_tokens``, so that one run gives the accuracy and
            cost at every threshold. The outcome, its usage and its seconds remain those of the threshold.
        tree: how trees are grown and answered; its settings are ``tree.depth`` and so on.
    """

    threshold: float = 0.9
    curve: bool = False
    tree: MaieuticMethod = field(default=MaieuticMethod())

    def __post_init__(self) -> None:
        if not 0 <= self.threshold < math.inf:
            problem = f"threshold must be a finite number ≥ 0, not {self.threshold!r}"
            raise InputError(problem, subject="threshold")

    @property
    def uses_verifier(self) -> bool:
        return self.tree.uses_verifier

    def run(self, texts: Sequence[str], models: LoadedModels) -> list[Outcome]:
        """Judge each text; see :class:`maieutic.benchmarks.methods.base.Method`.

        Raises:
            InputError: a text is empty or too long.
        """
        at_once = Direct().run(texts, models)
        doubted = [_confidence(outcome.p_true) < self.threshold for outcome in at_once]
        planted = [place for place, doubt in enumerate(doubted) if doubt or self.curve]
        grown = self.tree.run([texts[place] for place in planted], models) if planted else []
        trees = dict(zip(planted, grown, strict=True))
        return [
            _settled(first, trees.get(place), doubt=doubt)
            for place, (first, doubt) in enumerate(zip(at_once, doubted, strict=True))
        ]


def _confidence(p_true: float | None) -> float:
    """max(P(true), P(false)) in [0.5, 1]; −∞, below every threshold, where neither is known."""
    return -math.inf if p_true is None else max(p_true, 1.0 - p_true)


def _settled(first: Outcome, tree: Outcome | None, *, doubt: bool) -> Outcome:
    """The outcome of one question: the direct answer, or where that is in doubt the tree's."""
    details = {**first.details, DIRECT_TOKENS: _tokens(first.usage), "grown": float(doubt)}
    if first.p_true is not None:
        details[DIRECT_P_TRUE] = first.p_true
    if tree is not None:
        details[TREE_TOKENS] = _tokens(tree.usage)
        if tree.answer is not None:
            details[TREE_ANSWER] = float(tree.answer)
    if tree is None or not doubt:
        return replace(first, details=details)
    usage, seconds = first.usage + tree.usage, first.seconds + tree.seconds
    return replace(tree, usage=usage, seconds=seconds, details={**tree.details, **details})


def _tokens(usage: Usage) -> float:
    return float(usage.prompt_tokens + usage.generated_tokens)


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The result of a cascade with this threshold on the same questions.

    Attributes:
        accuracy: share of correct answers, in [0, 1].
        tokens: of prompts and texts, per question.
        grown: share of questions for which a tree is grown, in [0, 1].
    """

    threshold: float
    accuracy: float
    tokens: float
    grown: float


def cascade_curve(records: Sequence[Record]) -> list[CurvePoint]:
    """Accuracy against cost at every threshold that makes a difference, from a run with ``curve=true``.

    The thresholds are the confidences of the direct answers, and one above them all, at which every question
    gets a tree. Records without the details of a curve (questions that failed, trees without an answer) are
    left out.

    Returns:
        points by rising threshold; empty without such records.
    """
    rows = sorted(
        (_CurveRow.of(record) for record in records if TREE_ANSWER in record.details),
        key=attrgetter("confidence"),
    )
    confidences = sorted({row.confidence for row in rows if row.confidence > 0})
    highest = confidences[-1] if confidences else 0.0
    thresholds = [*confidences, math.nextafter(highest, math.inf)] if rows else []
    right = sum(row.direct_right for row in rows)
    tokens = math.fsum(row.direct_tokens for row in rows)
    points, grown = [], 0
    for threshold in thresholds:
        while grown < len(rows) and rows[grown].confidence < threshold:
            right += rows[grown].tree_right - rows[grown].direct_right
            tokens += rows[grown].tree_tokens
            grown += 1
        points.append(CurvePoint(threshold, right / len(rows), tokens / len(rows), grown / len(rows)))
    return points


@dataclass(frozen=True, slots=True)
class _CurveRow:
    """One question answered both ways."""

    confidence: float
    direct_right: bool
    direct_tokens: float
    tree_right: bool
    tree_tokens: float

    @classmethod
    def of(cls, record: Record) -> _CurveRow:
        details = record.details
        p_true = details.get(DIRECT_P_TRUE)
        return cls(
            confidence=_confidence(p_true),
            direct_right=p_true is not None and (p_true >= 0.5) == record.gold,
            direct_tokens=details[DIRECT_TOKENS],
            tree_right=bool(details[TREE_ANSWER]) == record.gold,
            tree_tokens=details[TREE_TOKENS],
        )
