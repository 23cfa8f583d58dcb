"""Beliefs of models that give no probabilities of tokens: estimated from short replies, or stated in words.

Most hosted models give no log-probabilities. A :class:`BeliefReader` wraps such a model, or any other one,
and implements ``choose`` by ``sample``. Answers and records name the source of their beliefs, since an
estimate from replies is coarse, and a stated number is often badly calibrated (Xiong et al. 2024, "Can LLMs
Express Their Uncertainty?").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from maieutic.config import PROBABILITIES
from maieutic.errors import InputError, ModelError
from maieutic.lm.base import Completion, LanguageModel, OptionScores, Prompt, SamplingParams
from maieutic.lm.calls import sample
from maieutic.lm.known_words import known_words_of

__all__ = [
    "NO_PROBABILITIES_REMEDY",
    "BeliefReader",
    "BeliefSource",
    "SampledBeliefs",
    "StatedBeliefs",
    "belief_source_of",
    "parse_belief_source",
]

NO_PROBABILITIES_REMEDY = (
    "or read beliefs without probabilities: --beliefs sampled:8 estimates them from 8 short replies, "
    "--beliefs stated asks the model for a number"
)
REPLY_TOKENS, NUMBER_TOKENS = 8, 12
_STATE = (
    "How probable is it that the right reply is {option}? Reply with a percentage from 0 % to 100 % and "
    "nothing else."
)
_STATE_INSTRUCTION = "State probabilities. Reply with a percentage from 0 % to 100 % and nothing else."
_PERCENTAGE = re.compile(r"\s*(\d{1,3}(?:\.\d+)?)\s*(%|percent)\s*\.?\s*", re.IGNORECASE)


class BeliefSource(Protocol):
    """A way to read P(option | prompt) from a model that only writes texts."""

    @property
    def name(self) -> str:
        """Its name in options, answers and records."""
        ...

    def choose(self, lm: LanguageModel, prompts: Sequence[Prompt], options: Sequence[str]) -> OptionScores:
        """P(option | prompt); see :meth:`maieutic.lm.base.LanguageModel.choose`."""
        ...


@dataclass(frozen=True, slots=True)
class SampledBeliefs:
    """Estimates P(option) from short replies at temperature 1, with add-one smoothing.

    Of K replies, m begin with one of the n options, and c with the option at hand. Then
    P(option) = m/K × (c + 1)/(m + n). The sum of a row is m/K, so that a model that does not choose among the
    options is noticed as with probabilities.

    Attributes:
        replies: K, ≥ 1.
        seed: of the sampling, ≥ 0.

    Raises:
        InputError: a value is out of its range.
    """

    replies: int
    seed: int = 0

    def __post_init__(self) -> None:
        if self.replies < 1:
            raise InputError(f"replies must be ≥ 1, not {self.replies}", subject="replies")

    @property
    def name(self) -> str:
        return f"sampled:{self.replies}"

    def choose(self, lm: LanguageModel, prompts: Sequence[Prompt], options: Sequence[str]) -> OptionScores:
        params = SamplingParams(REPLY_TOKENS, temperature=1.0, seed=self.seed)
        rows = sample(lm, prompts, self.replies, params)
        table = [self._estimate([reply.text for reply in row], options) for row in rows]
        return _scores(table, rows, len(options))

    def _estimate(self, replies: Sequence[str], options: Sequence[str]) -> list[float]:
        choices = [option for reply in replies if (option := _chosen(reply, options)) is not None]
        mass = len(choices) / self.replies
        return [mass * (choices.count(option) + 1) / (len(choices) + len(options)) for option in options]


@dataclass(frozen=True, slots=True)
class StatedBeliefs:
    """Asks the model for P(option) in percent, greedily. Of two options, only the first is asked about.

    A reply that is not exactly one percentage from 0 % to 100 % leaves all options of its prompt at 0.
    """

    @property
    def name(self) -> str:
        return "stated"

    def choose(self, lm: LanguageModel, prompts: Sequence[Prompt], options: Sequence[str]) -> OptionScores:
        """P(option | prompt).

        Raises:
            ModelError: a prompt is plain text, in which no question can be asked.
        """
        if any(prompt.format != "chat" for prompt in prompts):
            remedy = f'use the "chat" prompt set for {lm.name}, or sampled beliefs'
            raise ModelError(f"stated beliefs need chat prompts; {remedy}", subject=lm.name)
        subjects = options[:1] if len(options) == 2 else options
        questions = [_question(prompt, option) for prompt in prompts for option in subjects]
        replies = [row[0] for row in sample(lm, questions, 1, SamplingParams(NUMBER_TOKENS))]
        width = len(subjects)
        rows = [replies[start : start + width] for start in range(0, len(replies), width)] if width else []
        table = [_stated([reply.text for reply in row], options) for row in rows]
        return _scores(table, rows or [[] for _ in prompts], len(options))


@dataclass(frozen=True, slots=True)
class BeliefReader:
    """A language model whose beliefs come from a source other than its probabilities."""

    lm: LanguageModel
    source: BeliefSource

    @property
    def name(self) -> str:
        """The model's name."""
        return self.lm.name

    @property
    def prompts(self) -> str:
        """The prompt set that suits the model."""
        return self.lm.prompts

    @property
    def known_words(self) -> frozenset[str] | None:
        """The words that the model was trained on; None where it does not say."""
        return known_words_of(self.lm)

    def sample(self, prompts: Sequence[Prompt], n: int, params: SamplingParams) -> list[list[Completion]]:
        """Draw ``n`` continuations of every prompt; see :meth:`maieutic.lm.base.LanguageModel.sample`."""
        return self.lm.sample(prompts, n, params)

    def choose(self, prompts: Sequence[Prompt], options: Sequence[str]) -> OptionScores:
        """P(option | prompt) by the source; see :meth:`maieutic.lm.base.LanguageModel.choose`."""
        return self.source.choose(self.lm, prompts, options)


def belief_source_of(lm: LanguageModel) -> str:
    """The name of the source of a model's beliefs."""
    return lm.source.name if isinstance(lm, BeliefReader) else PROBABILITIES


def parse_belief_source(text: str) -> BeliefSource | None:
    """The source that a person names: "sampled:K" or "stated"; None for "probabilities".

    >>> parse_belief_source("sampled:8")
    SampledBeliefs(replies=8, seed=0)

    Raises:
        InputError: the text names none.
    """
    if text == PROBABILITIES:
        return None
    if text == "stated":
        return StatedBeliefs()
    kind, _, count = text.partition(":")
    if kind == "sampled" and count.isascii() and count.isdecimal() and 0 < int(count) < 10_000:
        return SampledBeliefs(int(count))
    rule = "must be probabilities, stated, or sampled:K with K from 1 to 9999, as in sampled:8"
    raise InputError(f"beliefs {rule}, not {text!r}", subject="beliefs")


def _chosen(reply: str, options: Sequence[str]) -> str | None:
    """The longest option that a reply begins with, as whole words; case and signs before it do not matter."""
    words = re.sub(r"\A\W+", "", reply).casefold()
    matching = [
        option
        for option in options
        if re.match(rf"{re.escape(option.strip().casefold())}(?!\w)", words) is not None
    ]
    return max(matching, key=len, default=None)


def _question(prompt: Prompt, option: str) -> Prompt:
    """The prompt's query, followed by the question for the probability of an option."""
    query = f"{prompt.query}\n\n{_STATE.format(option=repr(option.strip()))}"
    return replace(prompt, instruction=_STATE_INSTRUCTION, shots=(), query=query, opening="")


def _stated(replies: Sequence[str], options: Sequence[str]) -> list[float]:
    numbers = [_percentage(reply) for reply in replies]
    stated = [number for number in numbers if number is not None]
    if len(stated) < len(numbers):
        return [0.0] * len(options)
    return [stated[0], 1.0 - stated[0]] if len(options) == 2 else stated


def _percentage(reply: str) -> float | None:
    """The percentage that is the whole reply, in [0, 1]; None for anything else."""
    match = _PERCENTAGE.fullmatch(reply)
    return float(match[1]) / 100 if match and float(match[1]) <= 100 else None


def _scores(
    table: Sequence[Sequence[float]], rows: Sequence[Sequence[Completion]], width: int
) -> OptionScores:
    probabilities = np.array(table, dtype=np.float64).reshape(len(rows), width)
    return OptionScores(
        probabilities,
        tuple(sum(reply.prompt_tokens for reply in row) for row in rows),
        tuple(sum(reply.completion_tokens for reply in row) for row in rows),
        calls=max((len(row) for row in rows), default=1),
    )
