"""One random number per token, fixed in advance, draws a text whoever else is in its batch."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import torch

from maieutic.lm.base import FloatArray, SamplingParams

__all__ = ["EndsWith", "InverseTransform", "draw", "uniforms"]


def uniforms(params: SamplingParams, text: str, index: int) -> FloatArray:
    """The numbers in [0, 1) that draw sample ``index`` of a prompt's text; float64 (max_new_tokens,)."""
    key = repr((params.seed, index, text)).encode("utf-8", "surrogatepass")
    digest = hashlib.blake2b(key, digest_size=16).digest()
    generator = np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "little")))
    return generator.random(params.max_new_tokens)


def draw(scores: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
    """One token for each row: where its number falls in the cumulated softmax of its scores.

    Args:
        scores: float32 (rows, vocabulary); −∞ for what must not be drawn.
        numbers: in [0, 1), float64 (rows,).

    Returns:
        int64 (rows,).
    """
    weights = (scores - scores.amax(dim=-1, keepdim=True)).exp()
    # float64: a sum of 150,000 float32 terms would be off by more than the rarest tokens weigh.
    cdf = weights.cumsum(dim=-1, dtype=torch.float64)
    # The first token whose CDF exceeds the target: one of probability 0 is never drawn.
    chosen = torch.searchsorted(cdf, numbers[:, None] * cdf[:, -1:], right=True)[:, 0]
    return chosen.clamp(max=cdf.shape[1] - 1)


class InverseTransform:
    """A logits processor that leaves one token per row: where its number falls in the row's CDF."""

    def __init__(self, uniforms: torch.Tensor, prompt_length: int) -> None:
        self.uniforms = uniforms  # float64 (rows, steps)
        self.prompt_length = prompt_length

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        step = input_ids.shape[1] - self.prompt_length
        chosen = draw(scores, self.uniforms[:, step])[:, None]
        return torch.full_like(scores, -torch.inf).scatter(1, chosen, 0.0)


class EndsWith:
    """A stopping criterion: a row is done when its last token is one of these."""

    def __init__(self, tokens: torch.Tensor) -> None:
        self.tokens = tokens

    def __call__(self, input_ids: torch.Tensor, _scores: Any, **_: Any) -> torch.Tensor:
        return torch.isin(input_ids[:, -1], self.tokens)
