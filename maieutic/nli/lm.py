"""The language model as its own verifier: prompts ask it how two statements relate."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from maieutic.lm.base import LanguageModel, Prompt
from maieutic.lm.calls import choose
from maieutic.nli.base import NEUTRAL, Pair, Probabilities
from maieutic.usage import Usage

__all__ = ["EntailmentPrompts", "LanguageModelVerifier", "PairScores", "ScoringVerifier"]


class EntailmentPrompts(Protocol):
    """The part of a prompt set that concerns entailment."""

    @property
    def relation_options(self) -> tuple[str, str, str]:
        """The continuations that mean contradiction, neutral, entailment, in that order."""
        ...

    def entailment(self, premise: str, hypothesis: str) -> Prompt:
        """The prompt that asks how a hypothesis relates to a premise."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class PairScores:
    """A verifier's scores, and the language model's usage.

    Attributes:
        probabilities: see :meth:`maieutic.nli.base.Verifier.predict`; float32 (pairs, 3).
        usages: of each pair's prompt; zero if the verifier is not a language model. Equal pairs share one
            prompt, so that a question that contains a pair twice pays once.
    """

    probabilities: Probabilities
    usages: tuple[Usage, ...]


class ScoringVerifier(ABC):
    """A verifier of this package that tells what scoring took."""

    @abstractmethod
    def score(self, pairs: Sequence[Pair]) -> PairScores:
        """Score ordered pairs."""


class LanguageModelVerifier(ScoringVerifier):
    """A verifier that uses a language model's probabilities of three continuations.

    Args:
        lm: the language model.
        prompts: the prompt set for its questions.
    """

    def __init__(self, lm: LanguageModel, prompts: EntailmentPrompts) -> None:
        self._lm = lm
        self._prompts = prompts

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    @property
    def name(self) -> str:
        """The language model's name with the prefix "lm:"."""
        return f"lm:{self._lm.name}"

    def predict(self, pairs: Sequence[Pair]) -> Probabilities:
        """Score ordered pairs; see :meth:`score`."""
        return self.score(pairs).probabilities

    def score(self, pairs: Sequence[Pair]) -> PairScores:
        """Score ordered pairs, each distinct one once; see :class:`maieutic.nli.base.Verifier`.

        The probabilities of the three continuations are scaled to sum to 1; if all three are 0, the pair is
        neutral.

        Raises:
            ContextLengthError: a pair's prompt does not fit the context window.
            ModelError: the model does not support the prompts' format.
        """
        places = {pair: place for place, pair in enumerate(dict.fromkeys(pairs))}
        questions = [self._prompts.entailment(premise, hypothesis) for premise, hypothesis in places]
        scores = choose(self._lm, questions, self._prompts.relation_options)  # (distinct pairs, 3)
        chosen = np.asarray(scores.probabilities, dtype=np.float64).reshape(-1, 3)
        totals = chosen.sum(axis=1, keepdims=True)
        neutral = np.eye(3)[NEUTRAL]
        scaled = np.where(totals > 0, chosen / np.where(totals > 0, totals, 1.0), neutral)
        rows = [places[pair] for pair in pairs]
        usages = scores.usages
        return PairScores(scaled.astype(np.float32)[rows], tuple(usages[row] for row in rows))
