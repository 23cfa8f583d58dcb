"""The protocol of methods: texts in, outcomes with their cost out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from maieutic.answer import Answer
from maieutic.models import LoadedModels
from maieutic.usage import Usage

__all__ = ["Method", "Outcome", "Said", "Usage", "charged", "in_shares"]


@dataclass(frozen=True, slots=True)
class Said:
    """A text of the model on the way to an answer: a chain of thought, or a statement of knowledge.

    Attributes:
        text: without a verdict, on one line; "" where the model said nothing.
        p_true: P(true) read after the text, in [0, 1]; None if it was not read or there was no verdict.
        vote: the verdict in the text or after it; None without one.
    """

    text: str
    p_true: float | None = None
    vote: bool | None = None


@dataclass(frozen=True)
class Outcome:
    """A method's judgement of one text.

    Attributes:
        answer: true or false; None without an answer, and ``problem`` gives the reason.
        p_true: P(true) in [0, 1] for methods that give a probability, else None.
        margin: ≥ 0, distance from the opposite answer, in ``margin_unit``; None without one.
        seconds: wall clock; texts that are judged together share the time of a step equally.
        details: numbers specific to the method, such as the votes for true.
        reasoning: the tree and its labels, for methods that grow one.
        said: the model's texts, in the order in which they were drawn, for methods that grow no tree.
    """

    answer: bool | None
    p_true: float | None = None
    margin: float | None = None
    margin_unit: str | None = None
    usage: Usage = field(default=Usage())
    seconds: float = 0.0
    problem: str | None = None
    details: Mapping[str, float] = field(default_factory=dict)
    reasoning: Answer | None = None
    said: tuple[Said, ...] = ()


class Method(Protocol):
    """A way to judge texts. Implementations are frozen dataclasses whose fields are their settings."""

    @property
    def uses_verifier(self) -> bool:
        """Whether a verifier must be loaded."""
        ...

    @property
    def prompt_kinds(self) -> tuple[str, ...]:
        """The kinds of prompt that it asks; see :func:`maieutic.benchmarks.runs.examples.example_prompts`."""
        ...

    def run(self, texts: Sequence[str], models: LoadedModels) -> list[Outcome]:
        """Judge each text: a statement, or a question that ends in a question mark.

        Raises:
            ContextLengthError: a prompt does not fit the model's window.
            MaieuticError: the solver failed.
        """
        ...


def charged(outcomes: Sequence[Outcome], usages: Sequence[Usage], seconds: float) -> list[Outcome]:
    """The outcomes, each with its own usage and an equal share of the seconds."""
    each = seconds / max(len(outcomes), 1)
    return [replace(o, usage=usage, seconds=each) for o, usage in zip(outcomes, usages, strict=True)]


def in_shares(number: int, parts: int) -> list[int]:
    """A number as a sum of parts that differ by at most 1.

    >>> in_shares(7, 3)
    [2, 2, 3]
    """
    return [number * (part + 1) // parts - number * part // parts for part in range(parts)]
