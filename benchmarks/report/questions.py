"""The questions of a report as data for ``report_page.js``: rows, and details in compressed parcels.

The list, search and filters need only the rows. The details of runs, mainly trees, are grouped by question
before compression, since runs on the same trees repeat their texts. The page unpacks a parcel when one of
its questions is opened.
"""

from __future__ import annotations

import base64
import json
import math
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from maieutic.render.text import printable
from maieutic.render.view import flipped, view_of

if TYPE_CHECKING:
    from maieutic.benchmarks.methods.base import Said
    from maieutic.benchmarks.runs.folder import Run
    from maieutic.benchmarks.runs.records import Record

__all__ = ["PARCEL", "parcels", "rows"]

PARCEL = 16  # questions per parcel; more compress better, fewer open faster
_DIGITS = 6  # significant digits of a number


def rows(runs: Sequence[Run], labels: Sequence[str]) -> dict[str, Any]:
    """The rows of all questions.

    ``gold`` and ``answers`` have a letter per question: T, F or - for no answer. ``flipped`` has the indices
    of questions with a label that differs from the model's belief; it is null for a run without trees.

    Args:
        runs: runs with records of the same questions in the same order.
    """
    records = runs[0].records
    data: dict[str, Any] = {
        "parcel": PARCEL,
        "ids": [printable(record.id) for record in records],
        "texts": [printable(record.text) for record in records],
        "gold": _letters([record.gold for record in records]),
        "runs": [_run(run.records, label) for run, label in zip(runs, labels, strict=True)],
    }
    if any(record.pair for record in records):
        data["pairs"] = [printable(record.pair) for record in records]
    return data


def _run(records: Sequence[Record], label: str) -> dict[str, Any]:
    trees = [(place, r.reasoning) for place, r in enumerate(records) if r.reasoning is not None]
    return {
        "label": printable(label),
        "answers": _letters([record.answer for record in records]),
        "flipped": [place for place, answer in trees if flipped(answer)] if trees else None,
    }


def _letters(answers: Sequence[bool | None]) -> str:
    return "".join("-" if answer is None else "FT"[answer] for answer in answers)


def parcels(runs: Sequence[Run]) -> list[str]:
    """The details of :data:`PARCEL` questions each: JSON, compressed by zlib, in base 64.

    A parcel is a list of questions, each a list of the details per run. Unknown values are omitted.

    Args:
        runs: as for :func:`rows`.
    """
    questions = list(zip(*(run.records for run in runs), strict=True))
    return [
        _packed([[_details(record) for record in records] for records in questions[start : start + PARCEL]])
        for start in range(0, len(questions), PARCEL)
    ]


def _packed(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def _details(record: Record) -> dict[str, Any]:
    usage = record.usage
    details: dict[str, Any] = {
        "usage": [usage.prompt_tokens, usage.generated_tokens, usage.calls, usage.pairs],
        "seconds": _number(record.seconds),
    }
    if record.p_true is not None:
        details["p"] = _number(record.p_true)
    if record.margin is not None:
        details["margin"] = _number(record.margin)
        details["unit"] = printable(record.margin_unit or "")
    if record.details:
        details["details"] = [[printable(name), _number(value)] for name, value in record.details.items()]
    if record.problem:
        details["problem"] = printable(record.problem)
    if record.said:
        details["said"] = [_said(text) for text in record.said]
    if record.reasoning is not None:
        details["view"] = view_of(record.reasoning)
    return details


def _said(said: Said) -> dict[str, Any]:
    """A text of the model, its verdict as a letter, and P(true) after it."""
    shown: dict[str, Any] = {"text": printable(said.text), "vote": _letters([said.vote])}
    return shown if said.p_true is None else shown | {"p": _number(said.p_true)}


def _number(value: float) -> float | str:
    """A number with few digits; text if it is not finite, which JSON cannot represent."""
    if not math.isfinite(value):
        return str(value)
    return int(value) if value == int(value) else float(f"{value:.{_DIGITS}g}")
