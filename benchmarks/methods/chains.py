"""Sampled chains of thought with their verdicts: what several methods draw, and draw alike.

The same settings draw the same chains, so that methods that are compared share them in the response cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from maieutic.benchmarks.methods.base import Said
from maieutic.benchmarks.methods.chain_of_thought import reason_in, verdict_on
from maieutic.benchmarks.methods.direct import Reading, read
from maieutic.lm.base import LanguageModel, SamplingParams
from maieutic.lm.calls import sample
from maieutic.models import LoadedModels
from maieutic.prompts import PromptSet
from maieutic.usage import Usage

__all__ = ["Chain", "by_place", "draw_chains", "read_chains", "reading_usage", "said_in"]


@dataclass(frozen=True, slots=True)
class Chain:
    """A sampled reply to the belief prompt.

    Attributes:
        place: of its question in the batch.
        reason: what it says before its verdict, on one line; may be "".
        vote: its verdict; None without one.
        reading: the probabilities at its verdict, where they were read.
        drawn: the cost of drawing it, without that of reading.
    """

    place: int
    reason: str
    vote: bool | None = None
    reading: Reading | None = None
    drawn: Usage = Usage()  # noqa: RUF009 - frozen


def draw_chains(
    questions: Sequence[str], models: LoadedModels, samples: int, params: SamplingParams
) -> list[Chain]:
    """``samples`` chains for each question, in the order of the questions.

    The verdict is the word after the marker of the prompt set. In a set without a marker (chats) the verdict
    prompt reads it; a chain that is blank, or after which true and false together have less than half of the
    probability, has none.
    """
    lm, prompts = models.lm, models.prompts
    replies = sample(lm, [prompts.belief(text) for text in questions], samples, params)
    chains = [
        replace(_parsed(place, reply.text, prompts), drawn=reply.usage)
        for place, row in enumerate(replies)
        for reply in row
    ]
    if prompts.marker:
        return chains
    judged = iter(read_chains([chain for chain in chains if chain.reason], questions, lm, prompts))
    return [_voting(next(judged)) if chain.reason else chain for chain in chains]


def read_chains(
    chains: Sequence[Chain], questions: Sequence[str], lm: LanguageModel, prompts: PromptSet
) -> list[Chain]:
    """The chains with the probabilities at their verdicts; none is read twice."""
    unread = [chain for chain in chains if chain.reading is None]
    readings = iter(read(lm, prompts, [verdict_on(prompts, questions[c.place], c.reason) for c in unread]))
    return [chain if chain.reading else replace(chain, reading=next(readings)) for chain in chains]


def by_place(chains: Sequence[Chain], places: int) -> list[list[Chain]]:
    """The chains of each of the questions."""
    groups: list[list[Chain]] = [[] for _ in range(places)]
    for chain in chains:
        groups[chain.place].append(chain)
    return groups


def reading_usage(chains: Sequence[Chain]) -> Usage:
    """The usage of reading the verdicts of chains, each once."""
    return sum((chain.reading.usage for chain in chains if chain.reading), Usage())


def said_in(chain: Chain) -> Said:
    """The chain as it is recorded."""
    return Said(chain.reason, None if chain.reading is None else chain.reading.p_true, chain.vote)


def _parsed(place: int, reply: str, prompts: PromptSet) -> Chain:
    """The chain in a reply, with the verdict after the marker, if the prompt set has a marker."""
    vote = None
    if prompts.marker:
        verdict = reply.partition(prompts.marker)[2]
        true, false = (verdict.startswith(option) for option in prompts.answers)
        vote = true if true or false else None
    return Chain(place, reason_in(reply, prompts.marker), vote)


def _voting(chain: Chain) -> Chain:
    """The chain with the vote of its reading, if it has one."""
    reading = chain.reading
    if reading is None or reading.p_true is None:
        return chain
    return replace(chain, vote=reading.p_true >= 0.5)
