"""Models that think first: how a thought is recognised in text.

A thought is no answer: what follows it is read (:mod:`maieutic.lm.local.thinking`,
:mod:`maieutic.lm.server.choice`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["TAGS", "Tags", "begun_thought", "empty_thought", "may_begin_thought", "opened_thought"]


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


def may_begin_thought(text: str) -> bool:
    """Whether a reply that begins with the text begins with a thought, or may do so when it goes on."""
    reply = text.lstrip()
    return any(reply.startswith(tags.opening) or tags.opening.startswith(reply) for tags in TAGS)
