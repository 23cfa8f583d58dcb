"""The language model as its own verifier: it is asked how one statement relates to another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from maieutic.lm.base import LanguageModel, Prompt
from maieutic.nli.base import NEUTRAL, Pair, Probabilities

__all__ = ["EntailmentPrompts", "LanguageModelVerifier"]


class EntailmentPrompts(Protocol):
    """What a prompt set says about entailment."""

    @property
    def relation_options(self) -> tuple[str, str, str]:
        """The continuations that mean contradiction, neutral, entailment, in that order."""
        ...

    def entailment(self, premise: str, hypothesis: str) -> Prompt:
        """The question how a hypothesis relates to a premise."""
        ...


class LanguageModelVerifier:
    """A verifier that reads the language model's choice among three continuations.

    Args:
        lm: the model to ask.
        prompts: the prompt set that asks it.
    """

    def __init__(self, lm: LanguageModel, prompts: EntailmentPrompts) -> None:
        self._lm = lm
        self._prompts = prompts

    @property
    def name(self) -> str:
        """The language model's name, marked as asked for its judgement."""
        return f"lm:{self._lm.name}"

    def predict(self, pairs: Sequence[Pair]) -> Probabilities:
        """Score ordered pairs, each distinct one once; see :class:`maieutic.nli.base.Verifier`.

        The probabilities of the three continuations are scaled to sum to 1; a pair that gives
        none of them any probability is neutral.

        Raises:
            ContextLengthError: a pair's prompt does not fit the model's window.
            ModelError: the model cannot use the prompts' format.
        """
        places = {pair: place for place, pair in enumerate(dict.fromkeys(pairs))}
        questions = [self._prompts.entailment(premise, hypothesis) for premise, hypothesis in places]
        chosen = self._lm.choose(questions, self._prompts.relation_options)  # (distinct pairs, 3)
        chosen = np.asarray(chosen, dtype=np.float64).reshape(-1, 3)
        totals = chosen.sum(axis=1, keepdims=True)
        neutral = np.eye(3)[NEUTRAL]
        scores = np.where(totals > 0, chosen / np.where(totals > 0, totals, 1.0), neutral)
        return scores.astype(np.float32)[[places[pair] for pair in pairs]]
