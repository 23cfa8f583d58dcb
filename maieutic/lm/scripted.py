"""A scripted language model for tests and dry runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from maieutic.lm.base import Completion, OptionScores, Prompt, SamplingParams

__all__ = ["ScriptedLanguageModel"]


@dataclass(slots=True)
class ScriptedLanguageModel:
    """A fake that answers with two functions and records its calls; its tokens are words.

    Args:
        reply: (prompt, index among the n samples) → continuation.
        probability: (prompt, option) → P(option | prompt) in [0, 1].
        fingerprint: identifies the model in a cache; "" if its replies must not be cached.
    """

    reply: Callable[[Prompt, int], str]
    probability: Callable[[Prompt, str], float]
    name: str = "scripted"
    prompts: str = "paper"
    sample_calls: list[int] = field(default_factory=list)  # prompts per call
    choose_calls: list[int] = field(default_factory=list)
    fingerprint: str = ""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    def sample(self, prompts: Sequence[Prompt], n: int, params: SamplingParams) -> list[list[Completion]]:
        self.sample_calls.append(len(prompts))
        return [[self._complete(prompt, index) for index in range(n)] for prompt in prompts]

    def choose(self, prompts: Sequence[Prompt], options: Sequence[str]) -> OptionScores:
        self.choose_calls.append(len(prompts))
        table = [[self.probability(prompt, option) for option in options] for prompt in prompts]
        probabilities = np.array(table, dtype=np.float64).reshape(len(prompts), len(options))
        return OptionScores(probabilities, tuple(len(prompt.text().split()) for prompt in prompts))

    def _complete(self, prompt: Prompt, index: int) -> Completion:
        text = self.reply(prompt, index)
        return Completion(text, len(prompt.text().split()), len(text.split()))
