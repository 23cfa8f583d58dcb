"""Direct answers: the probabilities of "true" and "false" after the question, without reasoning."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

from maieutic.benchmarks.methods.base import Outcome, charged
from maieutic.elicit import MIN_VERDICT_MASS
from maieutic.lm.base import LanguageModel, Prompt
from maieutic.lm.calls import choose
from maieutic.models import LoadedModels
from maieutic.prompts import PromptSet
from maieutic.text import as_question
from maieutic.usage import Usage

__all__ = ["NO_READING", "Direct", "Reading", "outcome_of", "read"]

NO_READING = f"P(true) + P(false) is below {MIN_VERDICT_MASS}: the model prefers another reply"


@dataclass(frozen=True, slots=True)
class Reading:
    """P(true) and P(false) after one prompt, each in [0, 1], and what reading them cost."""

    true: float
    false: float
    usage: Usage

    @property
    def mass(self) -> float:
        """P(true) + P(false); far below 1 if the model prefers another reply."""
        return self.true + self.false

    @property
    def p_true(self) -> float | None:
        """P(true) as a share of both, in [0, 1]; None where both are below MIN_VERDICT_MASS together."""
        return self.true / self.mass if self.mass >= MIN_VERDICT_MASS else None


def read(lm: LanguageModel, prompts: PromptSet, requests: Sequence[Prompt]) -> list[Reading]:
    """The readings after prompts of the kinds ``direct`` and ``verdict``."""
    if not requests:
        return []
    scores = choose(lm, requests, prompts.answers)
    rows = [[0.0 if math.isnan(p) else p for p in row] for row in scores.probabilities.tolist()]
    return [Reading(true, false, usage) for (true, false), usage in zip(rows, scores.usages, strict=True)]


def outcome_of(reading: Reading, **details: float) -> Outcome:
    """The likelier answer, true on a tie; unscored where true and false are improbable."""
    p_true = reading.p_true
    if p_true is None:
        return Outcome(None, problem=NO_READING, details={"mass": reading.mass, **details})
    return Outcome(p_true >= 0.5, p_true, details={"mass": reading.mass, **details})


@dataclass(frozen=True)
class Direct:
    """Judges with the few-shot prompt for direct answers.

    P(true) is the share of "true" in the probabilities of the two options. Their sum is the detail ``mass``;
    below one half there is no answer, as in trees. A question is asked as it is, not turned into a statement.
    """

    @property
    def uses_verifier(self) -> bool:
        return False

    @property
    def prompt_kinds(self) -> tuple[str, ...]:
        return ("direct",)

    def run(self, texts: Sequence[str], models: LoadedModels) -> list[Outcome]:
        """Judge each text; see :class:`maieutic.benchmarks.methods.base.Method`.

        Raises:
            InputError: a text is empty or too long.
        """
        start = time.perf_counter()
        requests = [models.prompts.direct(as_question(text)) for text in texts]
        readings = read(models.lm, models.prompts, requests)
        outcomes = [outcome_of(reading) for reading in readings]
        usages = [reading.usage for reading in readings]
        return charged(outcomes, usages, time.perf_counter() - start)
