"""The cost of answering, in tokens and calls."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Usage"]


@dataclass(frozen=True, slots=True)
class Usage:
    """The cost of answering.

    A drawn text costs the tokens of its prompt, its own tokens and one call. A prompt whose options are
    scored costs its tokens and one call, regardless of the number of options. Savings of a backend (a
    shared prefix, a shared row, a cached reply) are not subtracted. A prompt that serves several questions is
    charged to each of them. :class:`maieutic.lm.base.Completion` and
    :class:`maieutic.lm.base.OptionScores` report their usage.

    Attributes:
        prompt_tokens: of all prompts, few-shot examples included, once per drawn text or scored prompt.
        generated_tokens: of all drawn texts.
        calls: number of texts drawn and prompts scored by the language model.
        pairs: number of ordered pairs scored by the verifier.

    >>> sum([Usage(10, 3, 1), Usage(8, 0, 1)], Usage())
    Usage(prompt_tokens=18, generated_tokens=3, calls=2, pairs=0)
    """

    prompt_tokens: int = 0
    generated_tokens: int = 0
    calls: int = 0
    pairs: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.generated_tokens + other.generated_tokens,
            self.calls + other.calls,
            self.pairs + other.pairs,
        )
