"""The ways to judge a statement that are compared: at once, by one chain, by many, by trees.

All of them ask the same model with the same prompt set; none of them retrieves anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from maieutic.errors import InputError
from maieutic.lm import LanguageModel
from maieutic.prompts import PromptSet

__all__ = [
    "METHODS",
    "Method",
    "chain_of_thought",
    "check_method",
    "direct",
    "self_consistency",
]

Method = Literal["direct", "cot", "self-consistency", "maieutic", "maieutic-vote"]
METHODS: tuple[Method, ...] = get_args(Method)

SAMPLES, TEMPERATURE = 10, 1.0  # of self-consistency
MAX_NEW_TOKENS = 64


def check_method(name: str) -> Method:
    """The method of that name.

    Raises:
        InputError: there is none.
    """
    if name not in METHODS:
        raise InputError(f"method must be one of {', '.join(METHODS)}, not {name!r}")
    return name


def direct(lm: LanguageModel, prompts: PromptSet, statements: Sequence[str]) -> list[bool]:
    """Judge at once: P(true) against P(false), no reasoning."""
    rows = lm.choose([prompts.direct(text) for text in statements], prompts.answers)
    return [bool(p_true >= p_false) for p_true, p_false in rows]


def chain_of_thought(lm: LanguageModel, prompts: PromptSet, statements: Sequence[str]) -> list[bool]:
    """Explain greedily, then judge (Wei et al. 2022); without an explanation, judge without one."""
    replies = _think(lm, prompts, statements, samples=1, temperature=0.0)
    reasons = [reply.partition(prompts.marker)[0].strip() for (reply,) in replies]
    asked = [prompts.verdict(text, reason) for text, reason in zip(statements, reasons, strict=True)]
    return [bool(p_true >= p_false) for p_true, p_false in lm.choose(asked, prompts.answers)]


def self_consistency(
    lm: LanguageModel, prompts: PromptSet, statements: Sequence[str], seed: int = 0
) -> list[bool]:
    """The majority of 10 sampled chains (Wang et al. 2023); those without a verdict do not count.

    A tie is broken in favour of "true".
    """
    replies = _think(lm, prompts, statements, SAMPLES, TEMPERATURE, seed)
    return [sum(_vote(text, prompts) for text in texts) >= 0 for texts in replies]


def _think(
    lm: LanguageModel,
    prompts: PromptSet,
    statements: Sequence[str],
    samples: int,
    temperature: float,
    seed: int = 0,
) -> list[list[str]]:
    return lm.sample(
        [prompts.belief(text) for text in statements],
        samples,
        max_new_tokens=MAX_NEW_TOKENS,
        temperature=temperature,
        top_p=1.0,
        seed=seed,
    )


def _vote(reply: str, prompts: PromptSet) -> int:
    _, found, verdict = reply.partition(prompts.marker)
    if not found:
        return 0
    true, false = (verdict.startswith(option) for option in prompts.answers)
    return int(true) - int(false)
