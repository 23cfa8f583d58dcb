"""Majority of sampled chains of thought (Wang et al. 2023, "Self-Consistency")."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from maieutic.benchmarks.methods.base import Outcome, charged
from maieutic.benchmarks.methods.chains import (
    Chain,
    by_place,
    draw_chains,
    read_chains,
    reading_usage,
    said_in,
)
from maieutic.benchmarks.methods.sampling import Sampled
from maieutic.models import LoadedModels
from maieutic.text import as_question

__all__ = ["NO_VERDICTS", "SelfConsistency"]

NO_VERDICTS = "none of the sampled chains reached a verdict"


@dataclass(frozen=True)
class SelfConsistency(Sampled):
    """The majority of sampled chains; chains without a verdict do not count.

    P(true) is the share of votes for true. The mean P(true) at the chains' verdicts breaks a tie; if it is
    1/2 too, the answer is true. In a chat prompt set a chain ends before its verdict, which the verdict
    prompt then reads. Such a chain has no verdict if it is blank, or if true and false together have less
    than half of the probability. The details ``votes_true`` and ``votes_false`` count the votes.

    Attributes:
        samples: chains per question, ≥ 1.
        temperature: of their sampling, ≥ 0; 0 draws the same chain every time.
        top_p: nucleus of their sampling, in (0, 1].
        max_new_tokens: token limit of a chain, ≥ 1.
        seed: of their sampling.
    """

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
        chains = draw_chains(questions, models, self.samples, self.params)
        drawn = by_place(chains, len(questions))
        counted = [[chain for chain in group if chain.vote is not None] for group in drawn]
        ties = [chain for group in counted if _tied(group) for chain in group]
        settled = by_place(read_chains(ties, questions, lm, prompts), len(questions))
        usages = [
            sum((chain.drawn for chain in group), reading_usage(again if prompts.marker else group))
            for group, again in zip(drawn, settled, strict=True)
        ]
        outcomes = [
            replace(_majority(again or first), said=tuple(map(said_in, group)))
            for group, first, again in zip(drawn, counted, settled, strict=True)
        ]
        return charged(outcomes, usages, time.perf_counter() - start)


def _tied(chains: Sequence[Chain]) -> bool:
    return bool(chains) and 2 * sum(bool(chain.vote) for chain in chains) == len(chains)


def _majority(chains: Sequence[Chain]) -> Outcome:
    """The outcome of chains that all have a verdict; those of a tie have been read."""
    if not chains:
        return Outcome(None, problem=NO_VERDICTS)
    true = sum(bool(chain.vote) for chain in chains)
    details = {"votes_true": float(true), "votes_false": float(len(chains) - true)}
    p_true = true / len(chains)
    if not _tied(chains):
        return Outcome(p_true > 0.5, p_true, details=details)
    known = [p for chain in chains if chain.reading and (p := chain.reading.p_true) is not None]
    mean = math.fsum(known) / len(known) if known else 0.5
    return Outcome(mean >= 0.5, p_true, details={**details, "mean_p_true": mean})
