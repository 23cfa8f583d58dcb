"""Models that think first: how a thought is recognised in text.

A thought is no answer. Where the chat template cannot switch thinking off, the thought is drawn to its end,
and what follows is read (:class:`maieutic.lm.local.model.TransformersLM`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = ["TAGS", "THOUGHT_TOKENS", "Tags", "ThoughtEnd", "begun_thought", "empty_thought", "opened_thought"]

THOUGHT_TOKENS = 1024  # token limit of a thought; most answers to yes/no questions need fewer

_TAIL = 32  # tokens in which the end of a thought is looked for; tags are shorter


@dataclass(frozen=True, slots=True)
class Tags:
    """The texts before and after a thought."""

    opening: str
    closing: str


TAGS = (
    *(Tags(f"<{name}>", f"</{name}>") for name in ("think", "thinking", "thought", "reasoning", "reason")),
    Tags("<seed:think>", "</seed:think>"),
    Tags("[THINK]", "[/THINK]"),
    Tags("◁think▷", "◁/think▷"),
    Tags("<|think|>", "<|/think|>"),
    Tags("<|begin_of_thought|>", "<|end_of_thought|>"),
    Tags("<|START_THINKING|>", "<|END_THINKING|>"),
    Tags("<|channel|>analysis<|message|>", "<|channel|>final<|message|>"),  # harmony, of gpt-oss
)


def opened_thought(text: str) -> Tags | None:
    """The tags of a thought that the text opens and does not close.

    >>> opened_thought("<|assistant|><think>\\n").closing
    '</think>'
    >>> opened_thought("<think></think>") is None
    True
    """
    opened = [tags for tags in TAGS if text.rfind(tags.opening) > text.rfind(tags.closing)]
    return max(opened, key=lambda tags: text.rfind(tags.opening), default=None)


def begun_thought(text: str) -> Tags | None:
    """The tags of the thought that a reply begins with.

    >>> begun_thought("\\n<think>Let me see").opening
    '<think>'
    """
    reply = text.lstrip()
    return next((tags for tags in TAGS if reply.startswith(tags.opening)), None)


def empty_thought(text: str) -> bool:
    """Whether the text has a thought that says nothing.

    >>> empty_thought("<|assistant|><think>\\n\\n</think>\\n\\n")
    True
    """
    return any(re.search(re.escape(tags.opening) + r"\s*" + re.escape(tags.closing), text) for tags in TAGS)


def _may_begin(text: str) -> bool:
    reply = text.lstrip()
    return any(reply.startswith(tags.opening) or tags.opening.startswith(reply) for tags in TAGS)


class ThoughtEnd:
    """The rule that ends the drawing of a thought: the first word after it, or that there is none.

    Args:
        tags: of the thought that the prompt opened; None where the model opens it itself, if at all.
        ends: tokens that end everything.
        decode: the text of tokens, special ones included.
    """

    def __init__(
        self, tags: Tags | None, ends: frozenset[int], decode: Callable[[Sequence[int]], str]
    ) -> None:
        self._tags, self._ends, self._decode = tags, ends, decode

    def __call__(self, new: Sequence[int]) -> bool:
        if new[-1] in self._ends:
            return True
        if self._tags is None and len(new) <= _TAIL and not _may_begin(self._decode(new)):
            return True
        tail = self._decode(new[-_TAIL:])
        closings = [self._tags.closing] if self._tags else [tags.closing for tags in TAGS]
        return any(tail.partition(closing)[2].strip() for closing in closings)

    def thought(self, new: Sequence[int]) -> str | None:
        """The thought in the new tokens, its closing tag and the space after it included.

        Returns:
            "" where the model did not think; None for a thought without an end.
        """
        text = self._decode([token for token in new if token not in self._ends])
        tags = self._tags or begun_thought(text)
        if tags is None:
            return ""
        before, closing, after = text.partition(tags.closing)
        return before + closing + after[: len(after) - len(after.lstrip())] if closing else None
