"""The method seam of benchmarks: texts in, outcomes out, each with what it cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from maieutic.answer import Answer
from maieutic.pipeline import LoadedModels

__all__ = ["Method", "Outcome", "Usage"]


@dataclass(frozen=True, slots=True)
class Usage:
    """What answering took. A prompt that serves several questions is charged to each of them.

    Attributes:
        prompt_tokens: of all prompts, few-shot examples included, once per text drawn or prompt scored.
        generated_tokens: of all texts drawn.
        calls: texts drawn and prompts scored by the language model.
        pairs: ordered pairs scored by the verifier.
    """

    prompt_tokens: int = 0
    generated_tokens: int = 0
    calls: int = 0
    pairs: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.generated_tokens + other.generated_tokens,
            self.calls + other.calls,
            self.pairs + other.pairs,
        )


@dataclass(frozen=True)
class Outcome:
    """What a method says of one text.

    Attributes:
        answer: true or false; None when it could not say, and ``problem`` then tells why.
        p_true: P(true) in [0, 1] for methods that give a probability, else None.
        margin: ≥ 0, how far the answer is from the opposite one, in ``margin_unit``; None without one.
        seconds: wall clock; texts that advance together share a step's time equally.
        details: numbers of the method's own (what cascade decided on, votes for true, …).
        reasoning: the tree and its labels, for methods that grow one.
    """

    answer: bool | None
    p_true: float | None = None
    margin: float | None = None
    margin_unit: str | None = None
    usage: Usage = Usage()
    seconds: float = 0.0
    problem: str | None = None
    details: Mapping[str, float] = field(default_factory=dict)
    reasoning: Answer | None = None


class Method(Protocol):
    """A way to judge texts. Implementations are frozen dataclasses; their fields are their settings."""

    @property
    def uses_verifier(self) -> bool:
        """Whether a verifier must be loaded."""
        ...

    def run(self, texts: Sequence[str], models: LoadedModels) -> list[Outcome]:
        """Judge each text (a statement, or a question that ends in a question mark).

        Raises:
            ContextLengthError: a prompt does not fit the model's window.
            MaieuticError: the solver failed.
        """
        ...
