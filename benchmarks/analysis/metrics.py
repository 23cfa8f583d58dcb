"""Metrics of a run: accuracy, calibration, risk and coverage, cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from maieutic.benchmarks.analysis.calibration_error import (
    Bin,
    brier_score,
    confidence_bins,
    expected_calibration_error,
)
from maieutic.benchmarks.analysis.discards import Discards, count_discards
from maieutic.benchmarks.analysis.tree_kinds import KindAccuracy, accuracy_by_kind
from maieutic.benchmarks.runs.records import Record
from maieutic.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = [
    "P_TRUE",
    "Costs",
    "Metrics",
    "Pairwise",
    "RiskCoverage",
    "calibration_bins",
    "discrimination",
    "measure",
    "pairwise",
    "risk_coverage",
]

P_TRUE = "P(true)"
_DECIMALS = 9  # confidences that differ by less are the same: 1 − 0.7 is 0.3


@dataclass(frozen=True, slots=True)
class Pairwise:
    """Twins judged together (Singh et al. 2021): a pair counts only if both are correct.

    Attributes:
        left_out: pairs of which a twin has no record.
    """

    pairs: int
    right: int
    left_out: int

    @property
    def accuracy(self) -> float | None:
        """In [0, 1]; None without pairs."""
        return self.right / self.pairs if self.pairs else None


@dataclass(frozen=True)
class RiskCoverage:
    """The error rate among the most confident answers (El-Yaniv and Wiener 2010).

    Attributes:
        ranked_by: what the confidence in an answer is: :data:`P_TRUE`, or the unit of its margin.
        coverage: 1/n, 2/n, … 1 of the n questions.
        risk: error rate of the answers that are covered. Where confidences are equal it is the mean over
            all orders of them. A question without an answer comes last, and is wrong.
    """

    ranked_by: str
    coverage: npt.NDArray[np.float64]
    risk: npt.NDArray[np.float64]

    @property
    def area(self) -> float:
        """AURC: the mean risk over the coverages; 0 is best."""
        return float(self.risk.mean())


@dataclass(frozen=True, slots=True)
class Costs:
    """Means per question; see :class:`maieutic.benchmarks.methods.base.Usage`."""

    prompt_tokens: float
    generated_tokens: float
    calls: float
    verifier_pairs: float
    seconds: float

    @property
    def tokens(self) -> float:
        """Prompt and generated together."""
        return self.prompt_tokens + self.generated_tokens


@dataclass(frozen=True, slots=True)
class Metrics:
    """One run in numbers, at the questions with a gold answer.

    Attributes:
        scored: questions with an answer; those without one count as wrong in ``accuracy``.
        right: number of correct answers.
        accuracy: share of correct answers among all questions, in [0, 1]; ``accuracy_scored`` among those
            scored, None if none is.
        pairwise: None for data without twins.
        ece, brier: of :mod:`maieutic.benchmarks.analysis.calibration_error`; None for a method that
            gives no P(true) with every answer.
        aurc: None for a method that gives neither that nor margins in one unit; ``ranked_by`` says which.
        auroc: of :func:`discrimination`.
        requests: made while a response cache was on; ``cached`` those that it answered.
        kinds: accuracy by kind of tree, for a method with trees.
        discards: what the trees rejected; None for a method without trees.
    """

    questions: int
    scored: int
    right: int
    accuracy: float
    accuracy_scored: float | None
    pairwise: Pairwise | None
    ece: float | None
    brier: float | None
    aurc: float | None
    auroc: float | None
    ranked_by: str | None
    costs: Costs
    requests: int = 0
    cached: int = 0
    kinds: tuple[KindAccuracy, ...] = ()
    discards: Discards | None = None


def measure(records: Sequence[Record]) -> Metrics:
    """The metrics of a run.

    Raises:
        InputError: no record has a gold answer, or P(true) or a margin is out of its range. ``subject`` is
            "records", "p_true" or "margin".
    """
    records = [record for record in records if record.gold is not None]
    if not records:
        problem = "no question with a record has a gold answer; finish the run, or add gold answers"
        raise InputError(problem, subject="records")
    scored = sum(record.scored for record in records)
    right = sum(record.right for record in records)
    curve = risk_coverage(records)
    ece, brier = _calibration(records)
    return Metrics(
        questions=len(records),
        scored=scored,
        right=right,
        accuracy=right / len(records),
        accuracy_scored=right / scored if scored else None,
        pairwise=pairwise(records),
        ece=ece,
        brier=brier,
        aurc=curve.area if curve else None,
        auroc=discrimination(records),
        ranked_by=curve.ranked_by if curve else None,
        costs=_costs(records),
        requests=sum(record.requests for record in records),
        cached=sum(record.cached for record in records),
        kinds=accuracy_by_kind(records),
        discards=count_discards(records),
    )


def pairwise(records: Sequence[Record]) -> Pairwise | None:
    """How often both twins are answered correctly; None for data without twins."""
    twins: dict[str, list[bool]] = {}
    for record in records:
        if record.pair:
            twins.setdefault(record.pair, []).append(record.right)
    if not twins:
        return None
    whole = [both for both in twins.values() if len(both) > 1]
    return Pairwise(len(whole), sum(map(all, whole)), len(twins) - len(whole))


def calibration_bins(records: Sequence[Record]) -> list[Bin]:
    """The bins of confidence in the answers; empty for a method that gives no P(true) with every answer."""
    if _ranked_by(records) != P_TRUE:
        return []
    scored = [record for record in records if record.scored]
    return confidence_bins(_confidences(scored, P_TRUE), [record.right for record in scored])


def _calibration(records: Sequence[Record]) -> tuple[float | None, float | None]:
    """Calibration error and Brier score of the answers; None without a P(true) for each."""
    if _ranked_by(records) != P_TRUE:
        return None, None
    scored = [record for record in records if record.scored]
    p_true = [min(1.0, max(0.0, record.p_true or 0.0)) for record in scored]
    error = expected_calibration_error(_confidences(scored, P_TRUE), [record.right for record in scored])
    return error, brier_score(p_true, [bool(record.gold) for record in scored])


def risk_coverage(records: Sequence[Record]) -> RiskCoverage | None:
    """The curve; None for a method that gives neither P(true) nor margins in one unit with every answer."""
    import numpy as np  # noqa: PLC0415

    unit = _ranked_by(records)
    if unit is None:
        return None
    confidence = _confidences(records, unit)
    wrong = np.array([not record.right for record in records], dtype=float)
    _, rank = np.unique(-confidence, return_inverse=True)
    share = np.bincount(rank, weights=wrong) / np.bincount(rank)
    expected = share[np.sort(rank)]  # of each place in the ranking, over all orders of equals
    places = np.arange(1, len(records) + 1)
    return RiskCoverage(unit, places / len(records), np.cumsum(expected) / places)


def discrimination(records: Sequence[Record]) -> float | None:
    """AUROC of the confidence in an answer for its being right (Hanley and McNeil 1982).

    The probability that a right answer has more confidence than a wrong one, in [0, 1]; equal confidences
    count half. Questions without an answer are left out. 1/2 is what a constant confidence has.

    Returns:
        None for a method without confidences (see :func:`risk_coverage`), or where all answers are right, or
        all wrong.
    """
    import numpy as np  # noqa: PLC0415

    unit = _ranked_by(records)
    scored = [record for record in records if record.scored]
    right = np.array([record.right for record in scored], dtype=bool)
    if unit is None or right.all() or not right.any():
        return None
    confidence = _confidences(scored, unit)
    _, rank, counts = np.unique(confidence, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts - 1) / 2  # mean place of equal confidences, from 1
    hits = int(right.sum())
    above = float(middle[rank][right].sum()) - hits * (hits + 1) / 2
    return above / (hits * (len(scored) - hits))


def _ranked_by(records: Sequence[Record]) -> str | None:
    """What every answer has: :data:`P_TRUE`, or else the unit of its margin; None if neither."""
    scored = [record for record in records if record.scored]
    if not scored:
        return None
    for record in scored:
        _check(record)
    if all(record.p_true is not None for record in scored):
        return P_TRUE
    units = {None if record.margin is None else record.margin_unit for record in scored}
    return units.pop() if len(units) == 1 else None


def _check(record: Record) -> None:
    p, margin = record.p_true, record.margin
    if p is not None and not -1e-6 <= p <= 1 + 1e-6:  # a NaN fails too
        problem = f"question {record.id!r}: P(true) must be in [0, 1], not {p}; correct its record"
        raise InputError(problem, subject="p_true")
    if margin is not None and not margin >= 0:
        problem = f"question {record.id!r}: margin must be ≥ 0, not {margin}; correct its record"
        raise InputError(problem, subject="margin")


def _confidences(records: Sequence[Record], unit: str) -> npt.NDArray[np.float64]:
    """P(the answer is correct), or the margin; −1 without an answer, below all others."""
    import numpy as np  # noqa: PLC0415

    values = [record.p_right if unit == P_TRUE else record.margin for record in records]
    known = np.array([-1.0 if value is None else value for value in values])
    known[[not record.scored for record in records]] = -1.0
    return np.round(np.minimum(known, 1.0) if unit == P_TRUE else known, _DECIMALS)


def _costs(records: Sequence[Record]) -> Costs:
    def mean(name: str) -> float:
        return fmean(getattr(record.usage, name) for record in records)

    return Costs(
        prompt_tokens=mean("prompt_tokens"),
        generated_tokens=mean("generated_tokens"),
        calls=mean("calls"),
        verifier_pairs=mean("pairs"),
        seconds=fmean(record.seconds for record in records),
    )
