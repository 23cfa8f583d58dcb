"""Explain greedily, then judge (Wei et al. 2022, "Chain-of-Thought Prompting")."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from maieutic.benchmarks.methods.base import Outcome
from maieutic.benchmarks.methods.direct import outcome_of, read
from maieutic.benchmarks.methods.meter import Metered, charged
from maieutic.errors import InputError
from maieutic.lm.base import Prompt
from maieutic.pipeline import LoadedModels
from maieutic.prompts import PromptSet
from maieutic.text import as_question, well_formed

__all__ = ["ChainOfThought", "reason_in", "verdict_on"]


def reason_in(reply: str, marker: str) -> str:
    """What a reply says before the marker (all of it without one), on one line.

    >>> reason_in(" Ice is frozen. Therefore, the statement is true.", "Therefore, the statement is")
    'Ice is frozen.'
    """
    before = reply.partition(marker)[0] if marker else reply
    return " ".join(well_formed(before).split())


def verdict_on(prompts: PromptSet, text: str, reason: str) -> Prompt:
    """Asks for true or false after a reason; without one, at once."""
    return prompts.verdict(text, reason) if reason else prompts.direct(text)


@dataclass(frozen=True)
class ChainOfThought:
    """Explains greedily by the belief prompt, then judges by the verdict prompt.

    P(true) is read anew after the explanation, as the share of "true" in the two options' probabilities;
    their sum is the detail ``mass``. A reply that explains nothing is judged by the direct prompt
    (the detail ``explained`` is 0), and one that reaches no verdict of its own is judged all the same.

    Attributes:
        max_new_tokens: token limit of the explanation, ≥ 1.
    """

    max_new_tokens: int = 64

    def __post_init__(self) -> None:
        if self.max_new_tokens < 1:
            raise InputError(f"max_new_tokens must be ≥ 1, not {self.max_new_tokens}")

    @property
    def uses_verifier(self) -> bool:
        return False

    def run(self, texts: Sequence[str], models: LoadedModels) -> list[Outcome]:
        """Judge each text; see :class:`maieutic.benchmarks.methods.base.Method`.

        Raises:
            InputError: a text is empty or too long.
        """
        start = time.perf_counter()
        lm, prompts = Metered(models.lm), models.prompts
        asked = [as_question(text) for text in texts]
        replies = lm.sample(
            [prompts.belief(text).owned_by(str(place)) for place, text in enumerate(asked)],
            1,
            max_new_tokens=self.max_new_tokens,
            temperature=0.0,
            top_p=1.0,
            seed=0,
        )
        reasons = [reason_in(reply, prompts.marker) for (reply,) in replies]
        judged = [
            verdict_on(prompts, text, reason).owned_by(str(place))
            for place, (text, reason) in enumerate(zip(asked, reasons, strict=True))
        ]
        readings = read(lm, prompts, judged)
        found = [
            outcome_of(reading, explained=float(bool(reason)))
            for reading, reason in zip(readings, reasons, strict=True)
        ]
        return charged(found, lm, time.perf_counter() - start)
