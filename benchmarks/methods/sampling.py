"""The settings that methods with sampled replies share."""

from __future__ import annotations

from dataclasses import dataclass

from maieutic.errors import InputError
from maieutic.lm.base import SamplingParams

__all__ = ["Sampled"]


@dataclass(frozen=True)
class Sampled:
    """The settings of a method that samples replies.

    Attributes:
        samples: replies per question, ≥ 1.
        temperature: of their sampling, ≥ 0; 0 draws the same reply every time.
        top_p: nucleus of their sampling, in (0, 1].
        max_new_tokens: token limit of a reply, ≥ 1.
        seed: of their sampling, ≥ 0.
    """

    samples: int = 10
    temperature: float = 1.0
    top_p: float = 1.0
    max_new_tokens: int = 64
    seed: int = 0

    def __post_init__(self) -> None:
        """Raise InputError naming the setting that is out of its range."""
        if self.samples < 1:
            raise InputError(f"samples must be ≥ 1, not {self.samples!r}", subject="samples")
        _ = self.params

    @property
    def params(self) -> SamplingParams:
        """How the replies are drawn."""
        return SamplingParams(self.max_new_tokens, self.temperature, self.top_p, self.seed)

    @property
    def uses_verifier(self) -> bool:
        return False
