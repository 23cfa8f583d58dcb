"""Exact probabilities of options that are single tokens, from SGLang's ``/v1/score``.

The server's tokenizer splits the prompt alone and with each option; ``/tokenize`` of SGLang takes a list of
texts. An option is a single token if it adds exactly one token to those of the prompt. ``/v1/score`` gets the
tokens of the prompt as ``query`` with one empty item, and the options' tokens as ``label_token_ids``. Its
``scores`` are one list for each item.

Without ``apply_softmax`` the scores are probabilities among all tokens, so that P(true) + P(false) is the
mass of both answers. With it they are shares that sum to 1: the mass would be unknown, and an answer that the
model hardly considered could not be told from a sure one.

vLLM's endpoints of similar names are of no use here. ``/score`` compares texts by cross-encoders and
embedding models, which continue nothing. ``/generative_scoring`` gives one number per item, of the first
label, while ``echo`` and ``prompt_logprobs`` score whole options (:mod:`maieutic.lm.server.scoring`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from maieutic.lm.server.request import Request

__all__ = ["LabelScores", "SplitTexts", "TokenizedPrompt"]

ROUNDING = 1e-3  # above 1, of a probability


@dataclass(frozen=True)
class SplitTexts:
    """The reply of a tokenizer to a list of texts; wrong fields count as missing."""

    tokens: Any = None

    @staticmethod
    def request(model: str, prompt: str, options: Sequence[str]) -> Request:
        """A request to split a prompt, and the prompt with each option."""
        texts = [prompt, *(prompt + option for option in options)]
        return Request(
            "//tokenize", {"model": model, "prompt": texts, "add_special_tokens": True}, SplitTexts
        )

    def rows(self, count: int) -> list[list[int]] | None:
        """The tokens of each text, None if the reply does not have them."""
        rows = self.tokens if isinstance(self.tokens, list) else []
        valid = len(rows) == count and all(isinstance(row, list) and all(map(_is_id, row)) for row in rows)
        return rows if valid else None


@dataclass(frozen=True)
class LabelScores:
    """The reply of ``/v1/score``; wrong fields count as missing."""

    scores: Any = None

    def probabilities(self, count: int) -> list[float] | None:
        """P(label) of each label, None if the reply does not have them or they cannot be probabilities."""
        rows = self.scores if isinstance(self.scores, list) else []
        if len(rows) != 1 or not isinstance(rows[0], list) or len(rows[0]) != count:
            return None
        if not all(_is_probability(score) for score in rows[0]) or math.fsum(rows[0]) > 1 + ROUNDING:
            return None
        return [min(float(score), 1.0) for score in rows[0]]


@dataclass(frozen=True, slots=True)
class TokenizedPrompt:
    """The tokens of a prompt.

    Attributes:
        tokens: the ids of the prompt's tokens.
        labels: the ids of the options' tokens, None for an option that is not a single token.
    """

    tokens: tuple[int, ...]
    labels: tuple[int | None, ...]

    @classmethod
    def read(cls, reply: SplitTexts | None, options: Sequence[str]) -> TokenizedPrompt | None:
        """The prompt of a reply to :meth:`SplitTexts.request`; None if the reply does not have its tokens."""
        rows = reply.rows(len(options) + 1) if reply else None
        if not rows or not rows[0]:
            return None
        prompt, *extended = rows
        labels = [row[-1] if row[:-1] == prompt else None for row in extended]
        return cls(tuple(prompt), tuple(labels))

    def request(self, model: str, labels: Sequence[int], kind: int | None = None) -> Request:
        """A request for the probabilities of tokens after the prompt; ``kind`` as for :class:`Request`."""
        body = {
            "model": model,
            "query": list(self.tokens),
            "items": [[]],
            "label_token_ids": list(labels),
            "apply_softmax": False,
            "item_first": False,
        }
        return Request("/score", body, LabelScores, kind=kind)


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_probability(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1 + ROUNDING
