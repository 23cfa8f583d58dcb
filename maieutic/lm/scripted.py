"""A language model that answers from a script, for tests and dry runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from maieutic.lm.base import Completion, Prompt, SamplingParams, Scores

__all__ = ["ScriptedLanguageModel"]


@dataclass(slots=True)
class ScriptedLanguageModel:
    """A fake that answers from two functions and counts its calls; its tokens are words.

    Args:
        reply: (prompt, index among the n samples) → continuation.
        probability: (prompt, option) → P(option | prompt) in [0, 1].
        fingerprint: what a cache knows its answers by; "" keeps it out of caches.
    """

    reply: Callable[[Prompt, int], str]
    probability: Callable[[Prompt, str], float]
    name: str = "scripted"
    prompts: str = "paper"
    sample_calls: list[int] = field(default_factory=list)  # prompts per call
    choose_calls: list[int] = field(default_factory=list)
    fingerprint: str = ""

    def sample(self, prompts: Sequence[Prompt], n: int, params: SamplingParams) -> list[list[Completion]]:
        self.sample_calls.append(len(prompts))
        return [[self._complete(prompt, index) for index in range(n)] for prompt in prompts]

    def choose(self, prompts: Sequence[Prompt], options: Sequence[str]) -> Scores:
        self.choose_calls.append(len(prompts))
        table = [[self.probability(prompt, option) for option in options] for prompt in prompts]
        probabilities = np.array(table, dtype=np.float64).reshape(len(prompts), len(options))
        return Scores(probabilities, tuple(len(prompt.text().split()) for prompt in prompts))

    def _complete(self, prompt: Prompt, index: int) -> Completion:
        text = self.reply(prompt, index)
        return Completion(text, len(prompt.text().split()), len(text.split()))
