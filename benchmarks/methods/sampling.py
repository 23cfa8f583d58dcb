"""What methods that sample replies have in common: their settings, and the sampling itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from maieutic.errors import InputError
from maieutic.lm.base import LanguageModel, Prompt

__all__ = ["Sampled"]


@dataclass(frozen=True)
class Sampled:
    """The settings of a method that samples replies.

    Attributes:
        samples: replies per question, ≥ 1.
        temperature: of their sampling, ≥ 0; 0 draws the same reply every time.
        top_p: nucleus of their sampling, in (0, 1].
        max_new_tokens: token limit of a reply, ≥ 1.
        seed: of their sampling.
    """

    samples: int = 10
    temperature: float = 1.0
    top_p: float = 1.0
    max_new_tokens: int = 64
    seed: int = 0

    def __post_init__(self) -> None:
        """Raise InputError naming the setting that is out of its range."""
        rules = {
            "samples": (self.samples >= 1, "≥ 1"),
            "temperature": (0 <= self.temperature < math.inf, "a number ≥ 0"),
            "top_p": (0 < self.top_p <= 1, "in (0, 1]"),
            "max_new_tokens": (self.max_new_tokens >= 1, "≥ 1"),
        }
        for name, (holds, rule) in rules.items():
            if not holds:
                raise InputError(f"{name} must be {rule}, not {getattr(self, name)!r}")

    @property
    def uses_verifier(self) -> bool:
        return False

    def _replies(self, lm: LanguageModel, prompts: Sequence[Prompt]) -> list[list[str]]:
        """``samples`` replies to each question's prompt, charged to the question."""
        return lm.sample(
            [prompt.owned_by(str(place)) for place, prompt in enumerate(prompts)],
            self.samples,
            max_new_tokens=self.max_new_tokens,
            temperature=self.temperature,
            top_p=self.top_p,
            seed=self.seed,
        )
