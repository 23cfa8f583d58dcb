"""Explain greedily, then judge (Wei et al. 2022, "Chain-of-Thought Prompting")."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from maieutic.benchmarks.methods.base import Outcome, Said, charged
from maieutic.benchmarks.methods.direct import Reading, outcome_of, read
from maieutic.lm.base import Prompt, SamplingParams
from maieutic.lm.calls import sample
from maieutic.models import LoadedModels
from maieutic.prompts import PromptSet
from maieutic.text import as_question, well_formed

__all__ = ["ChainOfThought", "reason_in", "said", "verdict_on"]


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


def said(reason: str, reading: Reading) -> Said:
    """A text, and the model's verdict after it."""
    p_true = reading.p_true
    return Said(reason, p_true, None if p_true is None else p_true >= 0.5)


@dataclass(frozen=True)
class ChainOfThought:
    """Explains greedily by the belief prompt, then judges by the verdict prompt.

    P(true) is read anew after the explanation, as the share of "true" in the two options' probabilities;
    their sum is the detail ``mass``; below one half there is no answer. A reply that explains nothing
    is judged by the direct prompt (the detail ``explained`` is 0), and one that reaches no
    verdict of its own is judged all the same.

    Attributes:
        max_new_tokens: token limit of the explanation, ≥ 1.
    """

    max_new_tokens: int = 64

    def __post_init__(self) -> None:
        SamplingParams(self.max_new_tokens)  # raises InputError

    @property
    def uses_verifier(self) -> bool:
        return False

    @property
    def prompt_kinds(self) -> tuple[str, ...]:
        return ("belief", "verdict")

    def run(self, texts: Sequence[str], models: LoadedModels) -> list[Outcome]:
        """Judge each text; see :class:`maieutic.benchmarks.methods.base.Method`.

        Raises:
            InputError: a text is empty or too long.
        """
        start = time.perf_counter()
        lm, prompts = models.lm, models.prompts
        questions = [as_question(text) for text in texts]
        replies = sample(
            lm, [prompts.belief(text) for text in questions], 1, SamplingParams(self.max_new_tokens)
        )
        reasons = [reason_in(reply.text, prompts.marker) for (reply,) in replies]
        judged = [verdict_on(prompts, text, reason) for text, reason in zip(questions, reasons, strict=True)]
        readings = read(lm, prompts, judged)
        outcomes = [
            replace(outcome_of(reading, explained=float(bool(reason))), said=(said(reason, reading),))
            for reading, reason in zip(readings, reasons, strict=True)
        ]
        usages = [reply.usage + reading.usage for (reply,), reading in zip(replies, readings, strict=True)]
        return charged(outcomes, usages, time.perf_counter() - start)
