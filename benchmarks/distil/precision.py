"""The precision of a corpus at a recall, by each way of judging, with intervals over its heads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from maieutic.benchmarks.analysis.statistics import LEVEL, Interval
from maieutic.distil.criticise import Judged, p_true_of
from maieutic.distil.thresholds import precision_at_recall
from maieutic.errors import InputError

__all__ = ["UNFILTERED", "WAYS", "Precision", "precisions", "table"]

UNFILTERED = "unfiltered"
WAYS: Mapping[str, str] = {"direct": "raw belief", "tree": "islands of trees", "joint": "joint graph"}
RESAMPLES = 1_000


@dataclass(frozen=True, slots=True)
class Precision:
    """One cell of the table.

    Attributes:
        value: the share of true statements among those kept, in [0, 1].
        interval: percentile bootstrap over heads, since statements about a head depend on each other.
    """

    way: str
    recall: float
    value: float
    interval: Interval


def precisions(
    judged: Sequence[Judged],
    truths: Sequence[bool],
    recalls: Sequence[float],
    more: Mapping[str, Sequence[float]] | None = None,
    seed: int = 0,
) -> list[Precision]:
    """The precision at each recall of every way of judging, and of everything unfiltered (recall 1).

    Args:
        truths: of the statements.
        more: further ways, such as a critic: name → P(true) of each statement.

    Raises:
        InputError: there are no statements, or none is true.
    """
    import numpy as np  # noqa: PLC0415 - keeps --help fast

    if not any(truths):
        raise InputError("no statement is true, so there is no recall", subject="truths")
    scores = {name: [p_true_of(one, way) for one in judged] for way, name in WAYS.items()} | dict(more or {})
    places: dict[str, list[int]] = {}
    for place, one in enumerate(judged):
        places.setdefault(one.triple.head, []).append(place)
    groups = list(places.values())
    rng = np.random.default_rng(seed)
    draws = [
        [place for number in rng.integers(len(groups), size=len(groups)) for place in groups[number]]
        for _ in range(RESAMPLES)
    ]
    draws = [draw for draw in draws if any(truths[place] for place in draw)]

    def cell(way: str, recall: float, row: Sequence[float]) -> Precision:
        values = [
            precision_at_recall([row[p] for p in draw], [truths[p] for p in draw], recall) for draw in draws
        ]
        low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        value = precision_at_recall(row, truths, recall)
        return Precision(way, recall, value, Interval(float(low), float(high)))

    cells = [cell(UNFILTERED, 1.0, [0.0] * len(judged))]
    cells += [cell(name, recall, row) for name, row in scores.items() for recall in recalls]
    return cells


def table(cells: Sequence[Precision]) -> str:
    """The cells as Markdown, a row for each way of judging."""
    recalls = list(dict.fromkeys(cell.recall for cell in cells if cell.way != UNFILTERED))
    head = ["kept by", *(f"precision at recall {recall:g}" for recall in recalls)]
    lines = [_row(head), _row(["---"] * len(head))]
    for way in dict.fromkeys(cell.way for cell in cells):
        found = {cell.recall: cell for cell in cells if cell.way == way}
        if way == UNFILTERED:
            lines.append(_row([f"{way} (recall 1)", *[_shown(found[1.0])] * len(recalls)]))
        else:
            lines.append(_row([way, *(_shown(found[recall]) for recall in recalls)]))
    return "\n".join(lines)


def _shown(cell: Precision) -> str:
    low, high = 100 * cell.interval.low, 100 * cell.interval.high
    return f"{100 * cell.value:.1f} % ({low:.1f}–{high:.1f})"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
