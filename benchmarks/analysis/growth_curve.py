"""Accuracy and cost of anytime growth at every confidence, from the records of one run.

Growth knows P(Q) after each step, and ``confidence`` decides only where it stops. A run with a lower
confidence takes the same steps in the same order and stops earlier. So the steps of one run tell what every
run with a confidence up to its own gives. They tell nothing of higher ones.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from maieutic.benchmarks.runs.records import Record

if TYPE_CHECKING:
    from maieutic.benchmarks.runs.folder import Run

__all__ = ["CurvePoint", "growth_curve"]


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """What a run with this confidence gives on the same questions.

    Attributes:
        confidence: growth stops where P of the answer reaches it, in [0, 1].
        accuracy: share of correct answers, in [0, 1].
        tokens: generated per question; ``calls`` of the language model while growing, per question.
        grown: share of questions that take a step after the direct answer, in [0, 1].
    """

    confidence: float
    accuracy: float
    tokens: float
    calls: float
    grown: float


@dataclass(frozen=True, slots=True)
class _Stop:
    """One question when it stops after a step.

    Attributes:
        confidence: P of the answer; a run with a higher confidence goes on to the next stop.
    """

    confidence: float
    right: bool
    tokens: int
    calls: int
    grown: bool


def growth_curve(run: Run) -> list[CurvePoint]:
    """Accuracy and cost at every confidence that makes a difference, up to the run's own.

    A question is answered after the first step at which P of the answer reaches the confidence, or else after
    its last step. The answer after the last step is the record's; before, it is true where P(true) ≥ ½. The
    points are those of runs that differ in ``confidence`` alone, in float32. (At confidences up to ½ such
    runs give no answer where the model has judged nothing; here the answer goes by P(true) there too.)

    Returns:
        points by rising confidence, at the questions with a gold answer. A question that failed is wrong at
        each of them. Empty where a record with a tree has no steps, and where the answers are not those of
        the last step, since trees are changed after growth (``prune=true``, ``integrity=false``).
    """
    records = [record for record in run.records if record.gold is not None]
    settings = run.config.settings
    if not _has_steps(records) or settings["prune"] or not settings["integrity"]:
        return []
    questions = [_stops(record, settings["inference.abstain_below"]) for record in records]
    moves = sorted((move for stops in questions for move in pairwise(stops)), key=lambda m: m[0].confidence)
    left = [before.confidence for before, _ in moves]
    totals = [_totals(questions, moves, name) for name in ("right", "tokens", "calls", "grown")]
    own = settings["confidence"]
    confidences = sorted({own, *(confidence for confidence in left if 0 < confidence < own)})
    places = [bisect_left(left, confidence) for confidence in confidences]
    return [
        CurvePoint(confidence, *(total[place] / len(records) for total in totals))
        for confidence, place in zip(confidences, places, strict=True)
    ]


def _totals(
    questions: Sequence[Sequence[_Stop]], moves: Sequence[tuple[_Stop, _Stop]], name: str
) -> list[int]:
    """A number of all questions together, after the first 0, 1, 2, … moves from one stop to the next."""
    start = sum(getattr(stops[0], name) for stops in questions)
    return list(accumulate((getattr(b, name) - getattr(a, name) for a, b in moves), initial=start))


def _has_steps(records: Sequence[Record]) -> bool:
    answers = [record.reasoning for record in records if record.reasoning is not None]
    return bool(answers) and all(answer.steps for answer in answers)


def _stops(record: Record, abstain_below: float) -> list[_Stop]:
    """The steps after which a question may stop: those surer than all before them, and the last."""
    if record.reasoning is None:  # it failed
        return [_Stop(1.0, record.right, record.usage.generated_tokens, record.usage.calls, grown=False)]
    *earlier, last = record.reasoning.steps
    stops: list[_Stop] = []
    tokens = calls = 0
    for place, step in enumerate(earlier):
        tokens, calls = tokens + step.tokens, calls + step.calls
        if not stops or step.confidence > stops[-1].confidence:
            p_true = step.p_true if step.confidence >= abstain_below else None
            right = p_true is not None and (p_true >= 0.5) == record.gold
            stops.append(_Stop(step.confidence, right, tokens, calls, grown=place > 0))
    end = _Stop(last.confidence, record.right, tokens + last.tokens, calls + last.calls, grown=bool(earlier))
    return [*stops, end]
