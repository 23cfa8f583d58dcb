"""A teacher and its students on the same statements: accuracy, consistency, calibration and cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from maieutic.benchmarks.analysis.calibration_error import brier_score, expected_calibration_error
from maieutic.benchmarks.methods.direct import read
from maieutic.distil.lessons import denial
from maieutic.errors import InputError
from maieutic.lm.base import LanguageModel
from maieutic.pipeline import Maieutic
from maieutic.prompts import load_prompts

__all__ = ["Evaluation", "Statement", "answered_directly", "answered_with_trees", "evaluation_table"]

UNKNOWN = 0.5


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement whose truth is known."""

    text: str
    truth: bool


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How a model judges statements and their negations.

    Attributes:
        accuracy: share of the statements that it judges rightly.
        contradictions: pairs of a statement and its negation that it gives the same truth value, of 1,000.
        calibration: expected calibration error of P(true); ``brier``: mean squared error.
        tokens: read and generated for a statement, on average.
        unknown: statements and negations of which it said neither true nor false; they count as P = 1/2.
    """

    name: str
    statements: int
    accuracy: float
    contradictions: float
    calibration: float
    brier: float
    tokens: float
    unknown: int


def answered_directly(name: str, lm: LanguageModel, statements: Sequence[Statement]) -> Evaluation:
    """A model that answers at once, without a word of reasoning.

    Raises:
        InputError: there are no statements, or no rule denies one.
    """
    prompts = load_prompts(lm.prompts)
    texts = _both(statements)
    readings = read(lm, prompts, [prompts.direct(text) for text in texts])
    tokens = sum(one.usage.prompt_tokens for one in readings)
    return _evaluated(name, statements, [one.p_true for one in readings], tokens / len(texts))


def answered_with_trees(name: str, maieutic: Maieutic, statements: Sequence[Statement]) -> Evaluation:
    """A model with trees.

    Raises:
        InputError: there are no statements, or no rule denies one.
    """
    answers = list(maieutic.ask_many(_both(statements)))
    tokens = sum(one.usage.prompt_tokens + one.usage.generated_tokens for one in answers)
    p_true = [one.p_true if one.tree.judged else None for one in answers]
    return _evaluated(name, statements, p_true, tokens / len(answers))


def _both(statements: Sequence[Statement]) -> list[str]:
    if not statements:
        problem = "there are no statements to judge; give some with a label, of one clause each"
        raise InputError(problem, subject="statements")
    pairs = [(one.text, denial(one.text)) for one in statements]
    if several := next((text for text, denied in pairs if denied is None), None):
        problem = f"no rule denies {several!r}; leave it out"
        raise InputError(problem, subject="statements")
    return [text for pair in pairs for text in pair if text is not None]


def _evaluated(
    name: str, statements: Sequence[Statement], p_true: Sequence[float | None], tokens: float
) -> Evaluation:
    known = [UNKNOWN if p is None else p for p in p_true]
    own, denied = known[::2], known[1::2]
    truths = [one.truth for one in statements]
    right = [(p >= UNKNOWN) == truth for p, truth in zip(own, truths, strict=True)]
    same = sum((p >= UNKNOWN) == (q >= UNKNOWN) for p, q in zip(own, denied, strict=True))
    count = len(statements)
    sure = [max(p, 1.0 - p) for p in own]
    return Evaluation(
        name,
        count,
        sum(right) / count,
        1000 * same / count,
        expected_calibration_error(sure, right),
        brier_score(own, truths),
        tokens,
        sum(p is None for p in p_true),
    )


def evaluation_table(rows: Sequence[Evaluation]) -> str:
    """The evaluations as Markdown, a model a row."""
    head = (
        "| model | statements | right | contradictions of 1,000 pairs | calibration error | Brier score "
        "| tokens a statement | unknown |"
    )
    lines = [head, "| --- | --- | --- | --- | --- | --- | --- | --- |"]
    for row in rows:
        lines.append(
            f"| {row.name} | {row.statements:,} | {row.accuracy:.1%} | {row.contradictions:.0f} "
            f"| {row.calibration:.3f} | {row.brier:.3f} | {row.tokens:.0f} | {row.unknown:,} |"
        )
    return "\n".join(lines)
