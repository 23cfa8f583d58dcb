"""The questions of a report, as data for ``report_page.js``: what all rows need, and the rest in parcels.

A row needs little, and is searched and filtered by that. What a run said in detail, trees above all, is
packed by question, so that runs on the same trees repeat their texts near each other, and compressed; a
page unpacks a parcel when one of its questions is opened.
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
    from maieutic.benchmarks.runs.folder import Run
    from maieutic.benchmarks.runs.records import Record

__all__ = ["PARCEL", "parcels", "rows"]

PARCEL = 16  # questions; more compress better, fewer open faster
_DIGITS = 6  # significant digits of a number


def rows(runs: Sequence[Run], labels: Sequence[str]) -> dict[str, Any]:
    """What is listed of every question.

    ``gold`` and ``answers`` have a letter for each question: T, F or - for no answer. ``flipped`` are the
    places of questions in whose tree a label is not what the model believes, null for a run without trees.

    Args:
        runs: with records of the same questions in the same order.
    """
    records = runs[0].records
    found: dict[str, Any] = {
        "parcel": PARCEL,
        "ids": [printable(record.id) for record in records],
        "texts": [printable(record.text) for record in records],
        "gold": _letters([record.gold for record in records]),
        "runs": [_run(run.records, label) for run, label in zip(runs, labels, strict=True)],
    }
    if any(record.pair for record in records):
        found["pairs"] = [printable(record.pair) for record in records]
    return found


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
    """The details of :data:`PARCEL` questions each: JSON, as zlib's compressed data in base 64.

    A parcel is a list of questions, each a list of what the runs said. What is unknown is left out.

    Args:
        runs: as for :func:`rows`.
    """
    questions = list(zip(*(run.records for run in runs), strict=True))
    return [
        _packed([[_said(record) for record in said] for said in questions[start : start + PARCEL]])
        for start in range(0, len(questions), PARCEL)
    ]


def _packed(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def _said(record: Record) -> dict[str, Any]:
    usage = record.usage
    said: dict[str, Any] = {
        "usage": [usage.prompt_tokens, usage.generated_tokens, usage.calls, usage.pairs],
        "seconds": _number(record.seconds),
    }
    if record.p_true is not None:
        said["p"] = _number(record.p_true)
    if record.margin is not None:
        said["margin"] = _number(record.margin)
        said["unit"] = printable(record.margin_unit or "")
    if record.details:
        said["details"] = [[printable(name), _number(value)] for name, value in record.details.items()]
    if record.problem:
        said["problem"] = printable(record.problem)
    if record.reasoning is not None:
        said["view"] = view_of(record.reasoning)
    return said


def _number(value: float) -> float | str:
    """Few digits; JSON has no word for what is not finite."""
    if not math.isfinite(value):
        return str(value)
    return int(value) if value == int(value) else float(f"{value:.{_DIGITS}g}")
