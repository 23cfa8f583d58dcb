"""Texts of the language model, charged to the trees that they are for."""

from __future__ import annotations

from collections.abc import Sequence

from maieutic.config import ElicitConfig
from maieutic.elicit.state import Growing
from maieutic.lm.base import LanguageModel, Prompt, SamplingParams
from maieutic.lm.calls import sample

__all__ = ["draw", "greedy"]


def draw(
    lm: LanguageModel, trees: Sequence[Growing], prompts: Sequence[Prompt], n: int, params: SamplingParams
) -> list[list[str]]:
    """``n`` replies to each prompt, charged to its tree."""
    if not prompts:
        return []
    replies = sample(lm, prompts, n, params)
    for tree, completions in zip(trees, replies, strict=True):
        tree.usage = sum((completion.usage for completion in completions), tree.usage)
    return [[completion.text for completion in completions] for completions in replies]


def greedy(
    lm: LanguageModel, trees: Sequence[Growing], prompts: Sequence[Prompt], config: ElicitConfig
) -> list[str]:
    """The likeliest reply to each prompt, charged to its tree."""
    params = SamplingParams(config.max_new_tokens, seed=config.seed)
    return [text for (text,) in draw(lm, trees, prompts, 1, params)]
