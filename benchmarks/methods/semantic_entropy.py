"""Semantic entropy: how much sampled answers differ in meaning.

L. Kuhn, Y. Gal, S. Farquhar. "Semantic Uncertainty". ICLR 2023 (arXiv 2302.09664), algorithm 1; the estimate
from counts is the "discrete semantic entropy" of S. Farquhar, J. Kossen, L. Kuhn, Y. Gal. "Detecting
hallucinations in large language models using semantic entropy". Nature 630, 2024, pp. 625–630.

Two meanings shared by three and one of four answers, in nats:

>>> round(entropy([3, 1]), 4), entropy([4])
(0.5623, 0.0)
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from maieutic.benchmarks.methods.base import Outcome, charged
from maieutic.benchmarks.methods.chain_of_thought import ChainOfThought
from maieutic.benchmarks.methods.chains import Chain, by_place, draw_chains, reading_usage, said_in
from maieutic.benchmarks.methods.sampling import Sampled
from maieutic.models import LoadedModels
from maieutic.nli.base import ENTAILMENT, Pair, Verifier
from maieutic.nli.calls import score_pairs
from maieutic.nli.remembered import RememberingVerifier
from maieutic.text import as_question, same_text
from maieutic.usage import Usage

__all__ = ["UNIT", "Meanings", "SemanticEntropy", "entropy"]

UNIT = "nats below the largest entropy"


def entropy(sizes: Sequence[int]) -> float:
    """−Σ p ln p over clusters of these sizes, in nats, in [0, ln Σ sizes]."""
    total = sum(sizes)
    return -math.fsum(size / total * math.log(size / total) for size in sizes if size) + 0.0


class Meanings:
    """Answers to one question by their meaning (Kuhn et al. 2023, algorithm 1).

    An answer joins the first cluster whose first member means the same, or begins its own.
    """

    def __init__(self) -> None:
        self._clusters: list[list[Chain]] = []
        self._known: dict[Pair, tuple[bool, Usage]] = {}

    @property
    def usage(self) -> Usage:
        """What the verifier's pairs cost, each once."""
        return sum((cost for _, cost in self._known.values()), Usage(pairs=len(self._known)))

    @property
    def sizes(self) -> list[int]:
        """Of the clusters, in the order in which their meanings occurred; they sum to the answers."""
        return [len(cluster) for cluster in self._clusters]

    def pairs(self, chain: Chain) -> list[Pair]:
        """What the verifier must say before an answer can be placed: ordered pairs of reasons."""
        firsts = [cluster[0] for cluster in self._clusters]
        asked = [first.reason for first in firsts if _alike(first, chain) is None]
        return [pair for reason in asked for pair in ((reason, chain.reason), (chain.reason, reason))]

    def learn(self, pair: Pair, entails: bool, usage: Usage) -> None:
        """Whether a pair's premise entails its hypothesis, and what asking cost."""
        self._known[pair] = (entails, usage)

    def place(self, chain: Chain) -> None:
        """Put an answer into its cluster; its :meth:`pairs` are learned."""
        for cluster in self._clusters:
            first = cluster[0]
            same = _alike(first, chain)
            if same is None:
                both = ((first.reason, chain.reason), (chain.reason, first.reason))
                same = all(self._known[pair][0] for pair in both)
            if same:
                cluster.append(chain)
                return
        self._clusters.append([chain])


@dataclass(frozen=True)
class SemanticEntropy(Sampled):
    """The greedy answer; the entropy of the sampled answers' meanings says how sure it is.

    Two answers mean the same if their verdicts are equal and their reasons entail each other by the
    verifier (most probable relation, both ways). Verdicts are compared without a verifier, since true and
    false exclude each other whatever the reasons say. The margin is ln(samples) − entropy, in nats: 0 where
    all answers differ. It is no probability, so there is no P(true). The details are ``entropy``, in nats,
    ``clusters`` and ``vote_entropy``, that of the verdicts alone.

    Attributes:
        samples: answers whose meanings are compared, ≥ 1; the papers' number is 10.
        temperature: of their sampling, ≥ 0.
        top_p: nucleus of their sampling, in (0, 1].
        max_new_tokens: token limit of an answer, ≥ 1, the greedy one included.
        seed: of their sampling.
    """

    @property
    def uses_verifier(self) -> bool:
        return True

    @property
    def prompt_kinds(self) -> tuple[str, ...]:
        return ("belief", "verdict")

    def run(self, texts: Sequence[str], models: LoadedModels) -> list[Outcome]:
        """Judge each text; see :class:`maieutic.benchmarks.methods.base.Method`.

        Raises:
            InputError: a text is empty or too long.
        """
        start = time.perf_counter()
        questions = [as_question(text) for text in texts]
        answers = ChainOfThought(self.max_new_tokens).run(texts, models)
        drawn = by_place(draw_chains(questions, models, self.samples, self.params), len(questions))
        verifier = RememberingVerifier.around(models.verifier)
        meanings = [Meanings() for _ in questions]
        for place in range(self.samples):
            _place([chains[place] for chains in drawn], meanings, verifier)
        outcomes = [
            replace(_outcome(answer, found.sizes, chains), said=(*answer.said, *map(said_in, chains)))
            for answer, found, chains in zip(answers, meanings, drawn, strict=True)
        ]
        usages = [
            sum((chain.drawn for chain in chains), answer.usage + reading_usage(chains) + found.usage)
            for answer, chains, found in zip(answers, drawn, meanings, strict=True)
        ]
        return charged(outcomes, usages, time.perf_counter() - start)


def _alike(one: Chain, other: Chain) -> bool | None:
    """Whether two answers mean the same; None where the verifier must say."""
    if one.vote != other.vote:
        return False
    if same_text(one.reason, other.reason):
        return True
    return None if one.reason and other.reason else False


def _place(chains: Sequence[Chain], meanings: Sequence[Meanings], verifier: Verifier) -> None:
    """Place one answer to each question; the verifier's pairs of all are one batch."""
    asked = [found.pairs(chain) for chain, found in zip(chains, meanings, strict=True)]
    scores = score_pairs(verifier, [pair for pairs in asked for pair in pairs])
    kinds = iter(scores.probabilities.argmax(axis=1).tolist())
    costs = iter(scores.usages)
    for chain, found, pairs in zip(chains, meanings, asked, strict=True):
        for pair in pairs:
            found.learn(pair, next(kinds) == ENTAILMENT, next(costs))
        found.place(chain)


def _outcome(answer: Outcome, sizes: Sequence[int], chains: Sequence[Chain]) -> Outcome:
    spread = entropy(sizes)
    votes = [chain.vote for chain in chains]
    details = {
        "entropy": spread,
        "clusters": float(len(sizes)),
        "vote_entropy": entropy([votes.count(vote) for vote in (True, False, None)]),
    }
    if answer.answer is None:
        return Outcome(None, problem=answer.problem, details=details)
    margin = max(0.0, math.log(len(chains)) - spread)
    return Outcome(answer.answer, margin=margin, margin_unit=UNIT, details=details)
