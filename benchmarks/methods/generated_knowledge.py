"""The most confident answer over sampled knowledge (Liu et al. 2022, "Generated Knowledge Prompting")."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from maieutic.benchmarks.methods.base import Outcome, charged
from maieutic.benchmarks.methods.chain_of_thought import reason_in, said, verdict_on
from maieutic.benchmarks.methods.direct import Reading, outcome_of, read
from maieutic.benchmarks.methods.sampling import Sampled
from maieutic.lm.calls import sample
from maieutic.models import LoadedModels
from maieutic.text import as_question, same_text
from maieutic.usage import Usage

__all__ = ["GeneratedKnowledge"]

WITHOUT = ""  # no knowledge: the direct prompt


@dataclass(frozen=True)
class GeneratedKnowledge(Sampled):
    """Samples statements of knowledge, reads an answer after each and one without, and takes the surest.

    The answer is the option with the highest single probability, P(true) or P(false), in all of these
    readings; of equal ones the first, where the reading without knowledge comes first. P(true) is the share
    of "true" in that reading. Blank and repeated statements are dropped. A prompt set without a form for
    knowledge ("agora") samples the reasoning of its belief prompt instead. The defaults of samples, top_p
    and the token limit are the paper's. The details are ``knowledge``, the number of statements kept;
    ``chosen``, the number of the statement in the reading taken, 0 for none; ``mass``, P(true) + P(false)
    there.

    Attributes:
        samples: statements of knowledge per question, ≥ 1.
        temperature: of their sampling, ≥ 0.
        top_p: nucleus of their sampling, in (0, 1].
        max_new_tokens: token limit of a statement, ≥ 1.
        seed: of their sampling.
    """

    samples: int = 20
    top_p: float = 0.5

    @property
    def prompt_kinds(self) -> tuple[str, ...]:
        return ("knowledge", "direct", "verdict")

    def run(self, texts: Sequence[str], models: LoadedModels) -> list[Outcome]:
        """Judge each text; see :class:`maieutic.benchmarks.methods.base.Method`.

        Raises:
            InputError: a text is empty or too long.
        """
        start = time.perf_counter()
        lm, prompts = models.lm, models.prompts
        questions = [as_question(text) for text in texts]
        replies = sample(lm, [prompts.knowledge(text) for text in questions], self.samples, self.params)
        known = [
            [WITHOUT, *_distinct([reason_in(reply.text, prompts.marker) for reply in row])] for row in replies
        ]
        judged = [
            verdict_on(prompts, text, item)
            for text, items in zip(questions, known, strict=True)
            for item in items
        ]
        readings = iter(read(lm, prompts, judged))
        rows = [[next(readings) for _ in items] for items in known]
        usages = [
            sum([*(reply.usage for reply in drawn), *(reading.usage for reading in row)], Usage())
            for drawn, row in zip(replies, rows, strict=True)
        ]
        outcomes = [
            replace(_surest(row), said=tuple(map(said, items, row)))
            for items, row in zip(known, rows, strict=True)
        ]
        return charged(outcomes, usages, time.perf_counter() - start)


def _distinct(texts: Sequence[str]) -> list[str]:
    """The texts that are not blank, without duplicates, in their order."""
    kept: list[str] = []
    for text in texts:
        if any(map(str.isalnum, text)) and not any(same_text(text, other) for other in kept):
            kept.append(text)
    return kept


def _surest(readings: Sequence[Reading]) -> Outcome:
    chosen = max(range(len(readings)), key=lambda place: max(readings[place].true, readings[place].false))
    return outcome_of(readings[chosen], knowledge=float(len(readings) - 1), chosen=float(chosen))
