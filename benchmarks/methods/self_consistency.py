"""Majority of sampled chains of thought (Wang et al. 2023, "Self-Consistency")."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from maieutic.benchmarks.methods.base import Outcome, Said, charged
from maieutic.benchmarks.methods.chain_of_thought import reason_in, verdict_on
from maieutic.benchmarks.methods.direct import Reading, read
from maieutic.benchmarks.methods.sampling import Sampled
from maieutic.lm.base import LanguageModel
from maieutic.lm.calls import sample
from maieutic.models import LoadedModels
from maieutic.prompts import PromptSet
from maieutic.text import as_question
from maieutic.usage import Usage

__all__ = ["NO_VERDICTS", "SelfConsistency"]

NO_VERDICTS = "none of the sampled chains reached a verdict"


@dataclass(frozen=True, slots=True)
class _Chain:
    """A sampled reply: the place of its question, its reasoning, and its verdict or None."""

    place: int
    reason: str
    vote: bool | None = None
    reading: Reading | None = None


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
        replies = sample(lm, [prompts.belief(text) for text in questions], self.samples, self.params)
        chains = [_chain(place, reply.text, prompts) for place, row in enumerate(replies) for reply in row]
        if not prompts.marker:
            judged = iter(_read([chain for chain in chains if chain.reason], questions, lm, prompts))
            chains = [_voting(next(judged)) if chain.reason else chain for chain in chains]
        counted = _by_place([chain for chain in chains if chain.vote is not None], len(questions))
        ties = [chain for group in counted if _tied(group) for chain in group]
        settled = _read(ties, questions, lm, prompts)
        read_chains = settled if prompts.marker else chains
        usages = [
            sum((reply.usage for reply in row), _reading_usage(group))
            for row, group in zip(replies, _by_place(read_chains, len(questions)), strict=True)
        ]
        outcomes = [
            replace(_majority(again or first), said=tuple(map(_said, drawn)))
            for drawn, first, again in zip(
                _by_place(chains, len(questions)), counted, _by_place(settled, len(questions)), strict=True
            )
        ]
        return charged(outcomes, usages, time.perf_counter() - start)


def _chain(place: int, reply: str, prompts: PromptSet) -> _Chain:
    """The chain in a reply, with the verdict after the marker, if the prompt set has a marker."""
    vote = None
    if prompts.marker:
        verdict = reply.partition(prompts.marker)[2]
        true, false = (verdict.startswith(option) for option in prompts.answers)
        vote = true if true or false else None
    return _Chain(place, reason_in(reply, prompts.marker), vote)


def _said(chain: _Chain) -> Said:
    return Said(chain.reason, None if chain.reading is None else chain.reading.p_true, chain.vote)


def _by_place(chains: Sequence[_Chain], places: int) -> list[list[_Chain]]:
    groups: list[list[_Chain]] = [[] for _ in range(places)]
    for chain in chains:
        groups[chain.place].append(chain)
    return groups


def _read(
    chains: Sequence[_Chain], questions: Sequence[str], lm: LanguageModel, prompts: PromptSet
) -> list[_Chain]:
    """The chains with the probabilities at their verdicts; none is read twice."""
    unread = [chain for chain in chains if chain.reading is None]
    readings = iter(read(lm, prompts, [verdict_on(prompts, questions[c.place], c.reason) for c in unread]))
    return [chain if chain.reading else replace(chain, reading=next(readings)) for chain in chains]


def _reading_usage(chains: Sequence[_Chain]) -> Usage:
    """The usage of reading the verdicts of chains, each once."""
    return sum((chain.reading.usage for chain in chains if chain.reading), Usage())


def _voting(chain: _Chain) -> _Chain:
    """The chain with the vote of its reading, if it has one."""
    reading = chain.reading
    if reading is None or reading.p_true is None:
        return chain
    return replace(chain, vote=reading.p_true >= 0.5)


def _tied(chains: Sequence[_Chain]) -> bool:
    return bool(chains) and 2 * sum(bool(chain.vote) for chain in chains) == len(chains)


def _majority(chains: Sequence[_Chain]) -> Outcome:
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
